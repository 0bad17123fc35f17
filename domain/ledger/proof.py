"""总分核对 · The proof of the books: every voucher balances, balances are the sum of their lines, the sub-ledger equals
the general ledger, schedules add up, the cash is that of the company accounts, and every stored loan is the fold of its
events. A difference of 0.01 is one line that names where it is.

Each check is one statement, so it sees one moment and payments go on meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Movement, OverdueLine, Position
from domain.calculation.money import yuan
from domain.lending.loan import refold
from domain.lending.loan.tables import STILL_KNOWN, Loan, MovementRow, OverdueLineRow, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

LOANS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be: which proof, where, and the two figures (CNY, or rows)."""

    proof: str
    where: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.proof}: {self.where}: expected {self.expected}, found {self.found}"


# What the accounts of loans must hold on the open day, from the rows that run on. A loan that end of day has not reached, or
# that was set aside, stands in the ledger as on the day before it had to be looked at. Summed before it is told apart by
# account, so that a loan is one row; each part walks an index or the whole table, never rows times rows.
_CONTROL = text(
    """
    with balances as (
        select p.principal, p.overdue_principal, p.fee, p.unapplied, p.non_accrual, p.due_interest + div(
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
          and o.from_date <= least(cast(:today as date), l.next_action_on - 1)
    ), of_balances as (
        select sum(principal - overdue_principal) as normal, sum(overdue_principal) as overdue, sum(fee) as fee,
               sum(unapplied) as unapplied, sum(interest) filter (where not non_accrual) as interest,
               sum(interest) filter (where non_accrual) as off_balance
        from balances
    ), of_lines as (
        select sum(penalty) filter (where not non_accrual) as penalty, sum(compound) filter (where not non_accrual) as compound,
               sum(penalty + compound) filter (where non_accrual) as off_balance
        from (select non_accrual, div(2 * (pen_num + pen_step * days) + den, 2 * den) as penalty,
                     div(2 * (comp_num + comp_step * days) + den, 2 * den) as compound from lines) as shown
    ), sub_ledger as (
        select account, coalesce(fen, 0) / 100.0 as amount from of_balances b cross join of_lines o cross join lateral (values
            ('130301', b.normal), ('130302', b.overdue), ('113201', b.interest), ('113202', o.penalty),
            ('113203', o.compound), ('122101', b.fee), ('224101', -b.unapplied),
            ('9001', coalesce(b.off_balance, 0) + coalesce(o.off_balance, 0))) as a(account, fen)
    ), general as (
        select account, sum(debit - credit) as amount from account_days
        where account in ('130301', '130302', '113201', '113202', '113203', '122101', '224101', '9001') group by account
    )
    select account, coalesce(s.amount, 0) as expected, coalesce(g.amount, 0) as found
    from sub_ledger s full join general g using (account)
    where coalesce(s.amount, 0) <> coalesce(g.amount, 0) order by account
    """
)

_VOUCHERS = text(
    """
    select v.number, v.debit_total, coalesce(sum(l.debit), 0) as debit, coalesce(sum(l.credit), 0) as credit
    from vouchers v left join voucher_lines l on l.voucher_id = v.id
    where v.business_date >= :first
    group by v.id, v.number, v.debit_total, v.credit_total
    having coalesce(sum(l.debit), 0) <> v.debit_total or coalesce(sum(l.credit), 0) <> v.credit_total
        or v.debit_total <> v.credit_total
    order by v.number
    """
)

_BALANCES = text(
    """
    with sums as (
        select l.account, case when a.by_sub and l.sub_id is not null then l.sub_id else cast(:no_sub as uuid) end as sub_id,
               v.business_date as "on", sum(l.debit) as debit, sum(l.credit) as credit
        from voucher_lines l join vouchers v on v.id = l.voucher_id join accounts a on a.code = l.account
        where v.business_date >= :first group by 1, 2, 3
    ), days as (select * from account_days where "on" >= :first)
    select account, "on", coalesce(s.debit, 0) - coalesce(s.credit, 0) as expected,
           coalesce(d.debit, 0) - coalesce(d.credit, 0) as found
    from sums s full join days d using (account, sub_id, "on")
    where (s.debit, s.credit) is distinct from (d.debit, d.credit) order by account, "on"
    """
)

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
    select l.number, p.principal, p.due_interest, coalesce(sum(i.unpaid_principal), 0) as planned_principal,
           coalesce(sum(i.unpaid_interest) filter (where i.state <> 'PENDING'), 0) as planned_interest
    from loans l join positions p on p.loan_id = l.id and p.known_to = 'infinity' and p.to_date = 'infinity'
    left join installments i on i.loan_id = l.id
    group by l.id, p.id
    having p.principal <> coalesce(sum(i.unpaid_principal), 0)
        or p.due_interest <> coalesce(sum(i.unpaid_interest) filter (where i.state <> 'PENDING'), 0)
        or l.principal_outstanding <> p.principal / 100.0
    order by l.number
    """
)

_CASH = text(
    """
    select d.sub_id, sum(d.debit - d.credit) as amount from account_days d
    where d.account = '1002' and d.sub_id not in (select id from company_accounts)
    group by d.sub_id having sum(d.debit - d.credit) <> 0
    """
)


async def differences(ctx: Context) -> list[Difference]:
    """Everything that does not add up, over all of the lender's history; empty when the books are right."""
    found = await _of_ledger(ctx, date.min)
    return found + await _of_loans(ctx)


async def holds(ctx: Context, day: date) -> bool:
    """Whether the books are right at the close of `day`: vouchers and balances of that day, and all sums."""
    return not await _of_ledger(ctx, day)


async def _of_ledger(ctx: Context, first: date) -> list[Difference]:
    async def rows(statement: Any, **values: Any) -> Sequence[Any]:
        return (await ctx.connection.execute(statement, values)).all()

    found = [
        Difference("凭证 voucher", row.number, row.debit_total, f"{row.debit} / {row.credit}")
        for row in await rows(_VOUCHERS, first=first)
    ]
    for row in await rows(_BALANCES, first=first, no_sub=UUID(int=0)):
        found.append(Difference("余额 balance", f"{row.account} {row.on}", row.expected, row.found))
    for row in await rows(_CONTROL, today=ctx.today):
        found.append(Difference("总分 sub-ledger", row.account, _money(row.expected), _money(row.found)))
    ((adds_up,),) = await rows(_ALL_SCHEDULES)
    for row in [] if adds_up else await rows(_SCHEDULES):
        planned = f"{yuan(int(row.planned_principal))} + {yuan(int(row.planned_interest))}"
        stored = f"{yuan(int(row.principal))} + {yuan(int(row.due_interest))}"
        found.append(Difference("还款计划 schedule", row.number, planned, stored))
    for row in await rows(_CASH):
        found.append(Difference("银行存款 cash", str(row.sub_id), Decimal("0.00"), row.amount))
    return found


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


# --------------------------------------------------------------------------- every loan is the fold of its events


async def _of_loans(ctx: Context) -> list[Difference]:
    """Folds every loan anew and compares it with what is stored."""
    found: list[Difference] = []
    after: UUID | None = None
    while True:
        statement = select(Loan.__table__).order_by(Loan.id).limit(LOANS_AT_ONCE)
        if after is not None:
            statement = statement.where(Loan.id > after)
        loans = (await ctx.connection.execute(statement)).all()
        if not loans:
            return found
        after = loans[-1].id
        found += await _replayed(ctx, loans)


async def _replayed(ctx: Context, loans: Sequence[Any]) -> list[Difference]:
    books = await refold.books(ctx, loans)
    ids = [loan.id for loan in loans]
    stored = {
        "positions": await _stored(ctx, PositionRow, ids, Position),
        "overdue_lines": await _stored(ctx, OverdueLineRow, ids, OverdueLine),
        "movements": await _stored(ctx, MovementRow, ids, Movement),
    }
    found: list[Difference] = []
    for book in books:
        stands = min(ctx.today, (book.loan.next_action_on or date.max) - timedelta(days=1))
        fold = book.fold(stands)
        for name, rows in stored.items():
            wanted, got = _plain(fold, name), rows.get(book.loan.id, [])
            if Counter(wanted) != Counter(got):
                found.append(
                    Difference("重算 replay", f"{book.loan.number} {name}", _unlike(wanted, got), _unlike(got, wanted))
                )
    return found


def _plain(fold: Fold, name: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in getattr(fold, name)]


def _unlike(rows: Iterable[tuple[Any, ...]], others: Sequence[tuple[Any, ...]]) -> str:
    """The first row that the other side has not."""
    return next((repr(tuple(map(str, row))) for row in rows if row not in others), "–")


async def _stored(ctx: Context, table: Any, ids: Sequence[UUID], shape: Any) -> dict[UUID, list[tuple[Any, ...]]]:
    names = ["event_id" if name == "event" else name for name in shape._fields]
    statement = select(table.loan_id, *(getattr(table, name) for name in names))
    statement = statement.where(table.loan_id.in_(bindparam("ids", expanding=True)), table.known_to == STILL_KNOWN)
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    for loan_id, *row in (await ctx.connection.execute(statement, {"ids": ids})).all():
        found.setdefault(loan_id, []).append(tuple(map(_engine, row)))
    return found


def _engine(value: Any) -> Any:
    """A stored value as the engine has it: numerators are whole numbers, event ids are text."""
    if isinstance(value, Decimal):
        return int(value)
    return str(value) if isinstance(value, UUID) else value
