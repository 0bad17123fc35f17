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

# Where the principal of a loan stands in 1303, by the last digit (`calculation.loan.balances.principal_parts`); what is overdue
# of 1 and 3 stands in 2.
_STANDS = (
    "case when p.five_class in ('DOUBTFUL', 'LOSS') then 5 when p.non_accrual then 4 when extended then 3 else 1 end"
)

# What the accounts of loans must hold on the open day, loan by loan, from the rows valid then. A loan that end of day has
# not reached, or that was set aside, stands in the ledger as on the day before it had to be looked at.
_HELD = f"""
    with standing as (
        select l.id, l.product_id, l.kind <> 'ENTRUSTED' as own, l.extended,
               least(cast(:today as date), l.next_action_on - 1) as on_day from loans l
    ), rows as (
        select s.id, s.product_id, s.own, s.on_day, p.principal, p.overdue_principal, p.fee, p.unapplied, p.non_accrual,
               {_STANDS} as stands,
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
            ('130301', case when own and stands = 1 then principal - overdue_principal else 0 end),
            ('130302', case when own and stands <= 3 then overdue_principal else 0 end),
            ('130303', case when own and stands = 3 then principal - overdue_principal else 0 end),
            ('130304', case when own and stands = 4 then principal else 0 end),
            ('130305', case when own and stands = 5 then principal else 0 end),
            ('1321', case when own then 0 else principal end),
            ('113201', case when own and not non_accrual then interest else 0 end),
            ('113202', case when own and not non_accrual then penalty else 0 end),
            ('113203', case when own and not non_accrual then compound else 0 end),
            ('122101', case when own then fee else 0 end), ('224101', -unapplied),
            ('9001', case when own and non_accrual then interest + penalty + compound else 0 end)) as a(account, fen)
    )
"""

# What the accounts of loans must hold on the open day, from the rows that run on. A loan that end of day has not reached, or
# that was set aside, stands in the ledger as on the day before it had to be looked at. Summed before it is told apart by
# account, so that a loan is one row; each part walks an index or the whole table, never rows times rows.
_CONTROL = text(
    f"""
    with balances as (
        select l.kind <> 'ENTRUSTED' as own, p.principal, p.overdue_principal, p.fee, p.unapplied, p.non_accrual,
               {_STANDS} as stands,
               p.due_interest + div(
                   2 * (p.acc_num + p.acc_step * (least(cast(:today as date), l.next_action_on - 1) - p.from_date)) + p.acc_den,
                   2 * p.acc_den) as interest
        from positions p join loans l on l.id = p.loan_id
        where p.known_to = 'infinity' and p.to_date = 'infinity'
          and p.from_date <= least(cast(:today as date), l.next_action_on - 1)
    ), lines as (
        select o.*, p.non_accrual, least(cast(:today as date), l.next_action_on - 1) - o.from_date as days
        from overdue_lines o join loans l on l.id = o.loan_id
        join positions p on p.loan_id = o.loan_id and p.known_to = 'infinity' and p.to_date = 'infinity'
        where o.known_to = 'infinity' and o.to_date = 'infinity'
          and o.from_date <= least(cast(:today as date), l.next_action_on - 1) and l.kind <> 'ENTRUSTED'
    ), of_balances as (
        select sum(principal - overdue_principal) filter (where own and stands = 1) as normal,
               sum(overdue_principal) filter (where own and stands <= 3) as overdue,
               sum(principal - overdue_principal) filter (where own and stands = 3) as extended,
               sum(principal) filter (where own and stands = 4) as non_accrual,
               sum(principal) filter (where own and stands = 5) as impaired,
               sum(principal) filter (where not own) as entrusted,
               sum(fee) filter (where own) as fee, sum(unapplied) as unapplied,
               sum(interest) filter (where own and not non_accrual) as interest,
               sum(interest) filter (where own and non_accrual) as off_balance
        from balances
    ), of_lines as (
        select sum(penalty) filter (where not non_accrual) as penalty, sum(compound) filter (where not non_accrual) as compound,
               sum(penalty + compound) filter (where non_accrual) as off_balance
        from (select non_accrual, div(2 * (pen_num + pen_step * days) + den, 2 * den) as penalty,
                     div(2 * (comp_num + comp_step * days) + den, 2 * den) as compound from lines) as shown
    ), sub_ledger as (
        select account, coalesce(fen, 0) / 100.0 as amount from of_balances b cross join of_lines o cross join lateral (values
            ('130301', b.normal), ('130302', b.overdue), ('130303', b.extended), ('130304', b.non_accrual),
            ('130305', b.impaired), ('1321', b.entrusted), ('113201', b.interest),
            ('113202', o.penalty), ('113203', o.compound), ('122101', b.fee), ('224101', -b.unapplied),
            ('9001', coalesce(b.off_balance, 0) + coalesce(o.off_balance, 0))) as a(account, fen)
    ), general as (
        select account, sum(debit - credit) as amount from account_days
        where account in (select account from sub_ledger) group by account
    )
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

# Whether all schedules add up, without joining twelve installments to each loan: sums in which every loan has a weight of its
# own, so that what is missing on one loan cannot be made up for by another.
_ALL_SCHEDULES = text(
    """
    with planned as (
        select coalesce(sum(unpaid_principal * weight), 0) as principal,
               coalesce(sum(unpaid_interest * weight) filter (where state <> 'PENDING'), 0) as interest
        from (select *, uuid_hash(loan_id) % 1000003 as weight from installments) as i
    ), stored as (
        select coalesce(sum(principal * weight), 0) as principal, coalesce(sum(due_interest * weight), 0) as interest
        from (select *, uuid_hash(loan_id) % 1000003 as weight from positions
              where known_to = 'infinity' and to_date = 'infinity') as p
    ), listed as (
        select coalesce(sum(100 * principal_outstanding * (uuid_hash(id) % 1000003)), 0) as principal from loans
    )
    select p.principal = s.principal and p.interest = s.interest and l.principal = s.principal
    from planned p cross join stored s cross join listed l
    """
)

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
    adds_up = (await ctx.connection.execute(_ALL_SCHEDULES)).scalar_one()
    ids = set() if adds_up else set((await ctx.connection.execute(_SCHEDULES)).scalars())
    if single:
        ids |= await _ids(ctx, _LOANS, single)
    if together:
        ids |= await _ids(ctx, _PRODUCTS, together)
    return ids


async def _ids(ctx: Context, statement: Any, accounts: Sequence[str]) -> set[UUID]:
    found = await ctx.connection.execute(statement, {"today": ctx.today, "accounts": list(accounts)})
    return set(found.scalars())
