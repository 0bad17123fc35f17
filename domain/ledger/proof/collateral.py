"""押品核对 · The register beside the balance sheet (9004) holds every mortgage that is registered and not released, at its
appraised value under its own key; 抵债资产 (1441) holds every asset that was taken over, at the agreed value under its own; and
neither holds anything else.

Row by row over all of them, by the index of the lines on their key; what bears no such key is looked for among the vouchers from
a day on.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import text

from domain.ledger.proof.difference import Difference, Proof

if TYPE_CHECKING:
    from domain.kernel.context import Context

_UNLIKE = text(
    """
    with held as (
        select id, number, '9004' as account, case when state in ('EFFECTIVE', 'RELEASING') then appraised_value else 0 end as value
        from mortgages
        union all
        select id, number, '1441', case when state = 'HELD' then amount else 0 end from repossessed_assets
    ), posted as (
        select h.id, sum(l.debit - l.credit) as amount
        from held h join voucher_lines l on l.sub_id = h.id and l.account = h.account group by h.id
    )
    select 'collateral' as about, h.id, h.number as where_, cast(h.value as numeric(18, 2)) as expected,
           cast(coalesce(p.amount, 0) as numeric(18, 2)) as found
    from held h left join posted p using (id) where h.value <> coalesce(p.amount, 0)
    union all
    select 'voucher', v.id, v.number || ' ' || l.account, 0.00, sum(l.debit - l.credit)
    from vouchers v join voucher_lines l on l.voucher_id = v.id
    where v.business_date >= :first and l.account in ('9004', '1441')
      and not exists (select from mortgages m where m.id = l.sub_id and l.account = '9004')
      and not exists (select from repossessed_assets a where a.id = l.sub_id and l.account = '1441')
    group by v.id, v.number, l.account having sum(l.debit - l.credit) <> 0
    order by about, where_
    """
)


async def differences(ctx: Context, first: date) -> list[Difference]:
    """What the two accounts do not hold as they must, and what vouchers from the business day `first` on put there."""
    rows = (await ctx.connection.execute(_UNLIKE, {"first": first})).all()
    return [
        Difference(Proof.COLLATERAL, row.where_, row.expected, row.found, about=(row.about, row.id)) for row in rows
    ]
