"""委托资金核对 · The money of entrustors is all there: what the vouchers say of each fund is what was entered, repaid and taken,
no fund is below zero, and the accounts for it hold what is owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from domain.ledger.proof.difference import ENTRUSTED_CASH, Difference, Proof
from domain.lending.loan import fund

if TYPE_CHECKING:
    from domain.kernel.context import Context

# What each contract's fund must hold beside what is lent, from the rows of the business and not from vouchers. The fee is that
# of each receipt, rounded once, by what it had paid by the day at which the loan stands.
_OWED = text(
    """
    with moved as (
        select l.entrusted_contract_id as id, m.event_id, l.terms,
               sum(m.amount) filter (where m.component <> 'PRINCIPAL') as collected,
               sum(m.amount) filter (where m.component in ('INTEREST', 'PENALTY', 'COMPOUND')) as bearing
        from loans l join movements m on m.loan_id = l.id and m.known_to = 'infinity' and m.kind = 'ALLOCATED'
        where l.entrusted_contract_id is not null group by 1, 2, l.id
    ), loans_paid as (
        select id, sum(coalesce(collected, 0) - floor(
                   coalesce(bearing, 0) * cast(terms ->> 'interest_fee_rate' as numeric) + 0.5)) / 100.0 as amount
        from moved group by id
    ), funds as (
        select entrusted_contract_id as id, sum(case kind when 'RECEIVED' then amount else -amount end) as amount
        from entrusted_funds where state = 'CONFIRMED' group by 1
    ), fees as (
        select entrusted_contract_id as id, sum(amount) as amount
        from entrusted_fees where state = 'SETTLED' and way = 'FUND' group by 1
    ), posted as (
        select sub_id as id, sum(credit - debit) as amount from voucher_lines where account = '2314' group by 1
    )
    select c.id, c.number, cast(coalesce(p.amount, 0) + coalesce(f.amount, 0) - coalesce(e.amount, 0) as numeric(18, 2))
               as expected, cast(coalesce(v.amount, 0) as numeric(18, 2)) as found
    from entrusted_contracts c left join loans_paid p using (id) left join funds f using (id) left join fees e using (id)
         left join posted v using (id)
    order by c.number
    """
)

_CASH = text(
    """
    select cast(coalesce(sum(d.debit - d.credit), 0) as numeric(18, 2)) as held
    from account_days d join company_accounts a on a.id = d.sub_id
    where d.account = '1002' and cast(a.uses as text) like '%ENTRUSTED%'
    """
)


async def differences(ctx: Context) -> list[Difference]:
    """What is not as it must be, over all of history: funds are few."""
    rows = (await ctx.connection.execute(_OWED)).all()
    if not rows:
        return []
    left = await fund.balances(ctx, [row.id for row in rows])
    found = []
    for row in rows:
        about = ("fund", row.id)
        if row.expected != row.found:
            found.append(Difference(Proof.ENTRUSTED, row.number, row.expected, row.found, about=about))
        elif left[row.id] < 0:
            found.append(Difference(Proof.ENTRUSTED, f"{row.number} 余额 balance", "≥ 0", left[row.id], about=about))
    owed, held = sum(left.values()), (await ctx.connection.execute(_CASH)).scalar_one()
    if held < owed:
        found.append(Difference(Proof.ENTRUSTED, "委托资金专户 accounts", f"≥ {owed}", held, about=ENTRUSTED_CASH))
    return found
