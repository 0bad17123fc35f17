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


# What the accounts of loans must hold on the open day, loan by loan, from the rows valid then. A loan that end of day has
# not reached, or that was set aside, stands in the ledger as on the day before it had to be looked at.
_SUB_LEDGER = """
    with standing as (
        select l.id, l.number, least(cast(:today as date), l.next_action_on - 1) as on_day from loans l
    ), rows as (
        select s.id, s.on_day, p.principal, p.overdue_principal, p.fee, p.unapplied, p.non_accrual,
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
    _SUB_LEDGER
    + """
    , sub_ledger as (select account, sum(fen) / 100.0 as amount from held group by account),
    general as (select account, sum(debit - credit) as amount from account_days
                where account in ('130301', '130302', '113201', '113202', '113203', '122101', '224101', '9001')
                group by account)
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
    for row in await rows(_SCHEDULES):
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
