"""记账 · The journal: one voucher per business fact, written by one posting function.

A voucher balances (CHECK on its header), is numbered without gaps in its year, is never edited, and is undone by an
opposite one. Balances are kept by account (and company account) and day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    CompoundSelect,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel import bulk
from domain.kernel.clock import hold_day
from domain.kernel.command import query
from domain.kernel.numbering import next_number
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import MoneyColumn, TenantTable, uuid7
from domain.kernel.viewpoint import Viewpoint, reached
from domain.ledger.account import BY_SUB, Account

if TYPE_CHECKING:
    from domain.kernel.context import Context

NO_SUB = UUID(int=0)
ZERO = Decimal("0.00")


class Voucher(TenantTable):
    """凭证 · One business fact in double entry. `event_id` is the loan event behind it, `reverses_id` the voucher undone."""

    __tablename__ = "vouchers"
    __table_args__ = (
        CheckConstraint("debit_total = credit_total", name="balanced"),
        UniqueConstraint("year", "sequence"),
        Index("ix_vouchers_reference", "reference_table", "reference_id"),
    )
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Everyone()

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    year: Mapped[int]
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(String(20))
    business_date: Mapped[date] = mapped_column(index=True)
    value_date: Mapped[date]
    kind: Mapped[str] = mapped_column(String(40))
    summary: Mapped[str] = mapped_column(String(200))
    reference_table: Mapped[str] = mapped_column(String(63))
    reference_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None] = mapped_column(index=True)
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("vouchers.id"))
    debit_total: Mapped[Decimal] = mapped_column(MoneyColumn)
    credit_total: Mapped[Decimal] = mapped_column(MoneyColumn)
    actor_id: Mapped[UUID]
    created_at: Mapped[datetime]


class VoucherLine(TenantTable):
    """分录 · One side of a voucher. `sub_id` is the sub-ledger key: the loan, or the company account."""

    __tablename__ = "voucher_lines"
    __table_args__ = (
        CheckConstraint("debit >= 0 and credit >= 0 and (debit = 0) <> (credit = 0)", name="one_side"),
        Index("ix_voucher_lines_sub", "sub_id", "account"),
    )
    grants: ClassVar[str] = "append"

    voucher_id: Mapped[UUID] = mapped_column(ForeignKey("vouchers.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.code"))
    sub_id: Mapped[UUID | None]
    debit: Mapped[Decimal] = mapped_column(MoneyColumn)
    credit: Mapped[Decimal] = mapped_column(MoneyColumn)


class AccountDay(TenantTable):
    """What an account turned over on a day; `sub_id` is zero where balances are not kept by sub-ledger key."""

    __tablename__ = "account_days"

    account: Mapped[str] = mapped_column(ForeignKey("accounts.code"), primary_key=True)
    sub_id: Mapped[UUID] = mapped_column(primary_key=True)
    on: Mapped[date] = mapped_column(primary_key=True)
    debit: Mapped[Decimal] = mapped_column(MoneyColumn)
    credit: Mapped[Decimal] = mapped_column(MoneyColumn)


VOUCHERS, VOUCHER_LINES = cast(Table, Voucher.__table__), cast(Table, VoucherLine.__table__)


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry in CNY; a negative amount stands on the other side."""

    account: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    sub_id: UUID | None = None


def netted(lines: Iterable[Line]) -> list[Line]:
    """One line per account and sub-ledger key, with the difference on its side; empty ones left out.

    Raises ValueError when debits and credits differ: that is a mistake of the program, never of a person."""
    sums: dict[tuple[str, UUID | None], Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        sums[line.account, line.sub_id] += line.debit - line.credit
    if sum(sums.values(), ZERO) != ZERO:
        raise ValueError(f"the voucher does not balance: {dict(sums)}")
    return [
        Line(account, debit=max(amount, ZERO), credit=max(-amount, ZERO), sub_id=sub_id)
        for (account, sub_id), amount in sorted(sums.items(), key=lambda item: (item[1] < 0, item[0][0]))
        if amount
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A voucher to be posted. `reference` is the row the fact is about (receipt, disbursement, loan, product)."""

    kind: str
    reference: Any
    lines: Iterable[Line]
    summary: str
    value_date: date | None = None
    event_id: UUID | None = None
    reverses_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A voucher that a rehearsal would post (`ctx.note`); it has no number, as nothing is posted."""

    kind: str
    summary: str
    value_date: date
    lines: tuple[Line, ...]


async def post(ctx: Context, *entries: Entry) -> list[UUID]:
    """Posts vouchers on the open business day, numbered in this order, with the same few statements for any number.

    Answers their ids; an entry that comes to nothing has no voucher. The day is held until the transaction ends, so none
    of them lands in a closed one."""
    posted = [(entry, lines) for entry in entries if (lines := netted(entry.lines))]
    if not posted:
        return []
    for entry, lines in posted:
        ctx.note(Posted(entry.kind, entry.summary, entry.value_date or ctx.today, tuple(lines)))
    await hold_day(ctx)
    first = await next_number(ctx, "voucher", count=len(posted))
    headers = [_header(ctx, entry, lines, number) for number, (entry, lines) in enumerate(posted, first)]
    await bulk.insert(ctx, VOUCHERS, headers)
    rows = [
        {
            "voucher_id": header["id"], "line": number, "account": line.account, "sub_id": line.sub_id,
            "debit": line.debit, "credit": line.credit,
        }
        for header, (_, lines) in zip(headers, posted, strict=True)
        for number, line in enumerate(lines, 1)
    ]  # fmt: skip
    await bulk.insert(ctx, VOUCHER_LINES, rows)
    await _turn_over(ctx, [line for _, lines in posted for line in lines])
    return [header["id"] for header in headers]


def _header(ctx: Context, entry: Entry, lines: Sequence[Line], sequence: int) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "year": ctx.today.year,
        "sequence": sequence,
        "number": f"记-{ctx.today.year}-{sequence:06d}",
        "business_date": ctx.today,
        "value_date": entry.value_date or ctx.today,
        "kind": entry.kind,
        "summary": entry.summary,
        "reference_table": entry.reference.__tablename__,
        "reference_id": getattr(entry.reference, "id", None),
        "event_id": entry.event_id,
        "reverses_id": entry.reverses_id,
        "debit_total": sum((line.debit for line in lines), ZERO),
        "credit_total": sum((line.credit for line in lines), ZERO),
        "actor_id": ctx.actor.id,
        "created_at": ctx.now,
    }


async def _turn_over(ctx: Context, lines: Sequence[Line]) -> None:
    """Adds the lines to the day's turnover, accounts in a fixed order so that two vouchers never wait for each other."""
    sums: dict[tuple[str, UUID], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for line in lines:
        key = (line.account, line.sub_id if line.account in BY_SUB and line.sub_id else NO_SUB)
        sums[key][0] += line.debit
        sums[key][1] += line.credit
    rows = [
        {"account": account, "sub_id": sub_id, "on": ctx.today, "debit": debit, "credit": credit}
        for (account, sub_id), (debit, credit) in sorted(sums.items())
    ]
    statement = insert(AccountDay)
    added = {
        "debit": AccountDay.debit + statement.excluded.debit,
        "credit": AccountDay.credit + statement.excluded.credit,
    }
    keys = [AccountDay.account, AccountDay.sub_id, AccountDay.on]
    await ctx.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


async def balance(ctx: Context, account: str, *, sub_id: UUID | None = None, on: date | None = None) -> Decimal:
    """Debit less credit of an account (of one sub-ledger key where balances are kept by it) at the close of a day."""
    days = select(func.coalesce(func.sum(AccountDay.debit - AccountDay.credit), ZERO)).where(
        AccountDay.account == account, AccountDay.on <= (on or ctx.today)
    )
    if sub_id is not None:
        days = days.where(AccountDay.sub_id == sub_id)
    return Decimal((await ctx.connection.execute(days)).scalar_one())


async def balances_by_sub(ctx: Context, account: str, sub_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """Balances of many sub-ledger keys of one account, in one query."""
    found = await ctx.connection.execute(
        select(AccountDay.sub_id, func.sum(AccountDay.debit - AccountDay.credit))
        .where(AccountDay.account == account, AccountDay.sub_id.in_(sub_ids))
        .group_by(AccountDay.sub_id)
    )
    sums = {sub_id: Decimal(amount) for sub_id, amount in found.all()}
    return {sub_id: sums.get(sub_id, ZERO) for sub_id in sub_ids}


@query("finance.trial_balance.read")
async def trial_balance(ctx: Context, on: date | None = None, known_at: datetime | None = None) -> list[Any]:
    """科目余额表: cumulative debits and credits of every account up to the close of a day (code, name, debit, credit).

    A closed day takes no more postings, so it is the same whenever it is asked for; of the day that was open at `known_at`
    only what was posted by then counts. Raises BadInput for a moment or a day of which nothing was known."""
    turned_over = _turnover(on or ctx.today) if known_at is None else _known_turnover(await reached(ctx, on, known_at))
    posted = turned_over.subquery()
    statement = (
        select(
            Account.code,
            Account.name,
            func.sum(posted.c.debit).label("debit"),
            func.sum(posted.c.credit).label("credit"),
        )
        .join(posted, posted.c.account == Account.code)
        .group_by(Account.code, Account.name)
        .order_by(Account.code)
    )
    return list((await ctx.connection.execute(statement)).all())


def _turnover(through: date) -> Select[str, Decimal, Decimal]:
    return select(AccountDay.account, AccountDay.debit, AccountDay.credit).where(AccountDay.on <= through)


def _known_turnover(view: Viewpoint) -> CompoundSelect[Any]:
    """Of the days that were closed by then everything, of the open one the vouchers posted by then."""
    of_the_day = (
        select(VoucherLine.account, VoucherLine.debit, VoucherLine.credit)
        .join(Voucher, Voucher.id == VoucherLine.voucher_id)
        .where(Voucher.business_date == view.open_day, Voucher.business_date <= view.day)
        .where(Voucher.created_at <= view.known_at)
    )
    return union_all(_turnover(min(view.day, view.open_day - timedelta(days=1))), of_the_day)


async def entries_by_event(ctx: Context, event_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """The ledger entries behind loan events: (event_id, number, account, debit, credit), many events in one query."""
    statement = (
        select(Voucher.event_id, Voucher.number, VoucherLine.account, VoucherLine.debit, VoucherLine.credit)
        .join(VoucherLine, VoucherLine.voucher_id == Voucher.id)
        .where(Voucher.event_id.in_(event_ids))
        .order_by(Voucher.year, Voucher.sequence, VoucherLine.line)
    )
    entries: dict[UUID, list[Any]] = {event_id: [] for event_id in event_ids}
    for entry in (await ctx.connection.execute(statement)).all():
        entries[entry.event_id].append(entry)
    return entries
