"""总分控制 · Control accounts and schedules against the stored loans, in sum: which loans are to be looked at more closely.

Two statements over the rows valid now, however many loans there are. Where they differ, further ones narrow it down to loans,
which are then replayed: these statements accuse nobody by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, text

from domain.ledger.proof.difference import Difference, Proof
from domain.ledger.proof.replay import BY_PRODUCT

if TYPE_CHECKING:
    from domain.kernel.context import Context

CENT = Decimal("0.01")

# What the accounts of loans must hold on the open day, loan by loan, from the rows valid then. A loan that end of day has
# not reached, or that was set aside, stands in the ledger as on the day before it had to be looked at.
_HELD = """
    with standing as (
        select l.id, l.product_id, least(cast(:today as date), l.next_action_on - 1) as on_day from loans l
    ), rows as (
        select s.id, s.product_id, s.on_day, p.principal, p.overdue_principal, p.fee, p.unapplied, p.non_accrual,
               p.due_interest + div(2 * (p.acc_num + p.acc_step * (s.on_day - p.from_date)) + p.acc_den, 2 * p.acc_den)
                   as interest
        from standing s join positions p on p.loan_id = s.id and p.known_to = 'infinity'
             and p.from_date <= s.on_day and p.to_date > s.on_day
    ), figures as (
        select r.*, coalesce(d.penalty, 0) as penalty, coalesce(d.compound, 0) as compound
        from rows r left join lateral (
            select sum(div(2 * (o.pen_num + o.pen_step * (r.on_day - o.from_date)) + o.den, 2 * o.den)) as penalty,
                   sum(div(2 * (o.comp_num + o.comp_step * (r.on_day - o.from_date)) + o.den, 2 * o.den)) as compound
            from overdue_lines o where o.loan_id = r.id and o.known_to = 'infinity'
                 and o.from_date <= r.on_day and o.to_date > r.on_day
        ) d on true
    ), held as (
        select * from figures cross join lateral (values
            ('130301', principal - overdue_principal), ('130302', overdue_principal),
            ('113201', case when non_accrual then 0 else interest end),
            ('113202', case when non_accrual then 0 else penalty end),
            ('113203', case when non_accrual then 0 else compound end),
            ('122101', fee), ('224101', -unapplied),
            ('9001', case when non_accrual then interest + penalty + compound else 0 end)) as a(account, fen)
    )
"""

_CONTROL = text(
    _HELD
    + """
    , sub_ledger as (select account, sum(fen) / 100.0 as amount from held group by account),
    general as (select account, sum(debit - credit) as amount from account_days
                where account in (select account from sub_ledger) group by account)
    select account, coalesce(s.amount, 0) as expected, coalesce(g.amount, 0) as found
    from sub_ledger s full join general g using (account)
    where coalesce(s.amount, 0) <> coalesce(g.amount, 0) order by account
    """
)

_LOANS = text(
    _HELD
    + """
    , wanted as (select id, account, fen / 100.0 as amount from held where account in :accounts),
    posted as (select sub_id as id, account, sum(debit - credit) as amount from voucher_lines
               where account in :accounts and sub_id is not null group by 1, 2)
    select distinct id from wanted w full join posted p using (id, account)
    where coalesce(w.amount, 0) <> coalesce(p.amount, 0)
    """
).bindparams(bindparam("accounts", expanding=True))

_PRODUCTS = text(
    _HELD
    + """
    , wanted as (select product_id, account, sum(fen) / 100.0 as amount from held where account in :accounts group by 1, 2),
    posted as (
        select coalesce(n.product_id, v.reference_id) as product_id, l.account, sum(l.debit - l.credit) as amount
        from voucher_lines l join vouchers v on v.id = l.voucher_id left join loans n on n.id = l.sub_id
        where l.account in :accounts and (n.id is not null or v.reference_table = 'loan_products') group by 1, 2
    ), unlike as (
        select distinct product_id from wanted w full join posted p using (product_id, account)
        where coalesce(w.amount, 0) <> coalesce(p.amount, 0)
    )
    select l.id from loans l join unlike u using (product_id)
    """
).bindparams(bindparam("accounts", expanding=True))

# Joined loan by loan, not sum by sum: a lender that grew in a minute has no statistics yet, and no plan may be square.
_SCHEDULES = text(
    """
    select l.id
    from loans l join positions p on p.loan_id = l.id and p.known_to = 'infinity' and p.to_date = 'infinity'
    left join installments i on i.loan_id = l.id
    group by l.id, p.id
    having p.principal <> coalesce(sum(i.unpaid_principal), 0)
        or p.due_interest <> coalesce(sum(i.unpaid_interest) filter (where i.state <> 'PENDING'), 0)
        or l.principal_outstanding <> p.principal / 100.0
    """
)


@dataclass(frozen=True, slots=True)
class Unlike:
    """A control account that is not the sum of its loans, in CNY."""

    account: str
    expected: Decimal
    found: Decimal

    def difference(self) -> Difference:
        return Difference(Proof.SUB_LEDGER, self.account, self.expected.quantize(CENT), self.found.quantize(CENT))


async def unlike(ctx: Context) -> list[Unlike]:
    """The control accounts that differ from the sum of the stored loans."""
    return [Unlike(*row) for row in (await ctx.connection.execute(_CONTROL, {"today": ctx.today})).all()]


async def suspects(ctx: Context, accounts: Iterable[Unlike]) -> set[UUID]:
    """The loans behind accounts that differ, of accounts kept by product all loans of the product; and the loans whose
    installments do not add up."""
    codes = [found.account for found in accounts]
    together = [code for code in codes if code in BY_PRODUCT]
    single = [code for code in codes if code not in BY_PRODUCT]
    ids = set((await ctx.connection.execute(_SCHEDULES)).scalars())
    if single:
        ids |= await _ids(ctx, _LOANS, single)
    if together:
        ids |= await _ids(ctx, _PRODUCTS, together)
    return ids


async def _ids(ctx: Context, statement: Any, accounts: Sequence[str]) -> set[UUID]:
    found = await ctx.connection.execute(statement, {"today": ctx.today, "accounts": list(accounts)})
    return set(found.scalars())
