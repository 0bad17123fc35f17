"""押品核对 · The register beside the balance sheet (9004) holds every mortgage that is registered and not released, at its
appraised value under its own key, and nothing else.

Row by row over all mortgages, by the index of the lines on their key; what bears no mortgage's key is looked for among the
vouchers from a day on.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import text

from domain.ledger.proof.difference import Difference, Proof

if TYPE_CHECKING:
    from domain.kernel.context import Context

ZERO = Decimal("0.00")

_REGISTER = text(
    """
    with posted as (
        select m.id, sum(l.debit - l.credit) as amount
        from mortgages m join voucher_lines l on l.sub_id = m.id and l.account = '9004' group by m.id
    )
    select m.id, m.number, h.value as expected, cast(coalesce(p.amount, 0) as numeric(18, 2)) as found
    from mortgages m left join posted p on p.id = m.id
    cross join lateral (
        select cast(case when m.state in ('EFFECTIVE', 'RELEASING') then m.appraised_value else 0 end as numeric(18, 2)) as value
    ) h
    where h.value <> coalesce(p.amount, 0) order by m.number
    """
)

_STRAY = text(
    """
    select v.id, v.number, sum(l.debit - l.credit) as amount
    from vouchers v join voucher_lines l on l.voucher_id = v.id
    where v.business_date >= :first and l.account = '9004'
      and not exists (select from mortgages m where m.id = l.sub_id)
    group by v.id, v.number having sum(l.debit - l.credit) <> 0 order by v.number
    """
)


async def differences(ctx: Context, first: date) -> list[Difference]:
    """Mortgages that the register does not hold as it must, and what vouchers from the business day `first` on put there."""
    found = [
        Difference(Proof.COLLATERAL, row.number, row.expected, row.found, about=("collateral", row.id))
        for row in (await ctx.connection.execute(_REGISTER)).all()
    ]
    for row in (await ctx.connection.execute(_STRAY, {"first": first})).all():
        found.append(Difference(Proof.COLLATERAL, row.number, ZERO, row.amount, about=("voucher", row.id)))
    return found
