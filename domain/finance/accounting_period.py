"""会计期间 · Accounting periods: months and years of the books, closed and reopened by two persons (decision 0031).

A month is closed when its days are, its provision is booked and the proofs hold; from then on nothing may be dated into it
(value dates; postings are always of the open day). Months close in order and reopen in the opposite one. Closing a year moves
income and expense to 本年利润 (4103) and on to 利润分配 (4104), as of its last day; reopening it posts the opposite.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, String, UniqueConstraint, Uuid, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.finance.disbursement import Disbursement, DisbursementState
from domain.finance.provision import ProvisionRun, ProvisionRunState, last_day, month_of
from domain.finance.receipt import Receipt, ReceiptState
from domain.kernel import audit, clock, paging
from domain.kernel.command import command, query
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import InvalidInput, InvalidState, NotFound
from domain.kernel.scope import Everyone, Reach, scope
from domain.kernel.table import Keyed, choice, uuid7
from domain.ledger import proof, year_result
from domain.organization.department import check_text
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

CLOSE, REOPEN = "PERIOD_CLOSE", "PERIOD_REOPEN"
LONGEST_REASON = 200
DAY = timedelta(days=1)


class PeriodKind(StrEnum):
    """期间类型 · A month or a year."""

    MONTH = "MONTH"
    """月 One month."""
    YEAR = "YEAR"
    """年 One year."""


class PeriodState(StrEnum):
    """期间状态 · OPEN takes entries; CLOSED takes none; between them another person decides."""

    OPEN = "OPEN"
    """未结账 Takes entries."""
    CLOSING = "CLOSING"
    """结账待复核 Waits for another person; still takes entries."""
    CLOSED = "CLOSED"
    """已结账 Nothing may be dated into it."""
    REOPENING = "REOPENING"
    """反结账待复核 Waits for another person; still closed."""


class AccountingPeriod(Keyed):
    """One month or year. `voucher_ids` are the vouchers that closed a year, in order."""

    __tablename__ = "accounting_periods"
    __table_args__ = (UniqueConstraint("kind", "first_day"),)
    reach: ClassVar[Reach] = Everyone()

    kind: Mapped[PeriodKind] = mapped_column(choice(PeriodKind))
    first_day: Mapped[date]
    last_day: Mapped[date]
    state: Mapped[PeriodState] = mapped_column(choice(PeriodState), default=PeriodState.OPEN)
    reason: Mapped[str | None] = mapped_column(String(200))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    voucher_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)

    @property
    def name(self) -> str:
        """2026-01, or 2026."""
        return f"{self.first_day:%Y-%m}" if self.kind is PeriodKind.MONTH else f"{self.first_day:%Y}"


# --------------------------------------------------------------------------- requests


@command("finance.accounting_period.close")
async def close_month(ctx: Context, *, month: date) -> AccountingPeriod:
    """月结 · Asks for closing the month in which `month` lies; another person decides.

    Raises NOT_FOUND, INVALID_STATE with what stands in the way: a month not over or an earlier one open, no provision, payments
    under way, a proof that does not hold. Receipts of the month that nobody has registered are a warning (guard log)."""
    return await _ask_to_close(ctx, PeriodKind.MONTH, month_of(month), "month")


@command("finance.accounting_period.close_year")
async def close_year(ctx: Context, *, year: int) -> AccountingPeriod:
    """年结 · Asks for closing a year: its result goes to 利润分配. Another person decides.

    Raises NOT_FOUND, INVALID_STATE: a month of it, or an earlier year, is not closed."""
    return await _ask_to_close(ctx, PeriodKind.YEAR, _first_of(year), "year")


@command("finance.accounting_period.reopen")
async def reopen_month(ctx: Context, *, month: date, reason: str) -> AccountingPeriod:
    """反结账 · Asks for reopening the month closed last, with a reason; another person decides.

    Raises NOT_FOUND, INVALID_STATE (not closed, a later month is, or its year is), INVALID_INPUT (no reason)."""
    return await _ask_to_reopen(ctx, PeriodKind.MONTH, month_of(month), reason, "month")


@command("finance.accounting_period.reopen_year")
async def reopen_year(ctx: Context, *, year: int, reason: str) -> AccountingPeriod:
    """反年结 · Asks for reopening the year closed last, with a reason; another person decides. Errors as for a month."""
    return await _ask_to_reopen(ctx, PeriodKind.YEAR, _first_of(year), reason, "year")


def _first_of(year: int) -> date:
    if not 1900 <= year <= 2999:
        raise NotFound("year")
    return date(year, 1, 1)


async def _ask_to_close(ctx: Context, kind: PeriodKind, first_day: date, field: str) -> AccountingPeriod:
    row = await _locked(ctx, kind, first_day, field)
    await _check_closable(ctx, row, field)
    row.state, row.reason = PeriodState.CLOSING, None
    return await _ask(ctx, row, CLOSE, f"结账 Close {row.name}")


async def _ask_to_reopen(ctx: Context, kind: PeriodKind, first_day: date, reason: str, field: str) -> AccountingPeriod:
    why = check_text("reason", reason, LONGEST_REASON)
    row = await _locked(ctx, kind, first_day, field)
    await _check_reopenable(ctx, row, field)
    row.state, row.reason = PeriodState.REOPENING, why
    return await _ask(ctx, row, REOPEN, f"反结账 Reopen {row.name}")


async def _ask(ctx: Context, row: AccountingPeriod, purpose: str, title: str) -> AccountingPeriod:
    row.requested_by, row.decided_by, row.decided_at = ctx.actor.id, None, None
    await ctx.session.flush()
    await instance.start(ctx, purpose=purpose, subject=row, title=title)
    ctx.announce("finance.accounting_period.requested", row, state=row.state)
    return row


async def _locked(ctx: Context, kind: PeriodKind, first_day: date, field: str) -> AccountingPeriod:
    wanted = select(AccountingPeriod).where(AccountingPeriod.kind == kind, AccountingPeriod.first_day == first_day)
    row = (await ctx.session.execute(wanted.with_for_update())).scalar_one_or_none()
    if row is None:
        raise NotFound(field)
    return row


# --------------------------------------------------------------------------- decisions


@instance.outcome(CLOSE)
async def closing_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Another person has looked: the period is closed, or stays open. What stood in the way at the request is asked again."""
    row = await ctx.session.get_one(AccountingPeriod, running.subject_id, with_for_update=True)
    row.state = PeriodState.OPEN
    if approved:
        await _check_closable(ctx, row, "taskId")
        row.state = PeriodState.CLOSED
        if row.kind is PeriodKind.MONTH:
            await clock.close_through(ctx, row.last_day)
        else:
            row.voucher_ids = await year_result.post(ctx, row, row.last_day)
    _decided(ctx, row)


@instance.outcome(REOPEN)
async def reopening_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Another person has looked: the period takes entries again, or stays closed."""
    row = await ctx.session.get_one(AccountingPeriod, running.subject_id, with_for_update=True)
    row.state = PeriodState.CLOSED
    if approved:
        await _check_reopenable(ctx, row, "taskId")
        row.state = PeriodState.OPEN
        if row.kind is PeriodKind.MONTH:
            await clock.close_through(ctx, await _closed_before(ctx, row))
        else:
            await year_result.undo(ctx, row, row.voucher_ids, row.last_day)
            row.voucher_ids = []
    _decided(ctx, row)


def _decided(ctx: Context, row: AccountingPeriod) -> None:
    row.decided_by, row.decided_at = ctx.actor.employee_id, ctx.now
    ctx.announce("finance.accounting_period.decided", row, state=row.state)


@instance.terms_check(CLOSE)
@instance.terms_check(REOPEN)
async def no_terms(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """A period is closed or not. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="结账不附条件。", en="A period is closed as it is.")


# --------------------------------------------------------------------------- what stands in the way


async def _check_closable(ctx: Context, row: AccountingPeriod, field: str) -> None:
    if row.state is not PeriodState.OPEN:
        raise InvalidState(field, state=row.state)
    if row.last_day >= ctx.today:
        raise InvalidState(
            field,
            zh="{last_day} 尚未日终。",
            en="The day {last_day} is not closed.",
            last_day=row.last_day,
            state=row.state,
        )
    earlier = AccountingPeriod.first_day < row.first_day
    await _refuse_open(ctx, field, AccountingPeriod.kind == row.kind, earlier)
    if row.kind is PeriodKind.YEAR:
        inside = AccountingPeriod.first_day.between(row.first_day, row.last_day)
        await _refuse_open(ctx, field, AccountingPeriod.kind == PeriodKind.MONTH, inside)
        return
    await _check_provision(ctx, row, field)
    await _check_payments(ctx, row, field)
    await _warn_of_receipts(ctx, row)
    red = sorted({str(one.proof) for one in await proof.of_today(ctx, row.first_day)})
    if red:
        raise InvalidState(
            field, zh="总分核对不符：{proofs}。", en="These proofs do not hold: {proofs}.", proofs=red, state=row.state
        )


async def _refuse_open(ctx: Context, field: str, *conditions: Any) -> None:
    wanted = select(AccountingPeriod).where(
        *conditions, AccountingPeriod.state.in_((PeriodState.OPEN, PeriodState.CLOSING))
    )
    found = (await ctx.session.execute(wanted.order_by(AccountingPeriod.first_day).limit(1))).scalar_one_or_none()
    if found is not None:
        raise InvalidState(
            field, zh="{period} 尚未结账。", en="{period} is not closed.", period=found.name, state=found.state
        )


async def _check_provision(ctx: Context, row: AccountingPeriod, field: str) -> None:
    booked = select(ProvisionRun.id).where(
        ProvisionRun.month == row.first_day,
        ProvisionRun.as_of == row.last_day,
        ProvisionRun.state == ProvisionRunState.POSTED,
    )
    if await ctx.session.scalar(booked.limit(1)) is None:
        raise InvalidState(
            field,
            zh="{period} 尚未计提拨备。",
            en="The provision of {period} is not booked.",
            period=row.name,
            state=row.state,
        )


async def _check_payments(ctx: Context, row: AccountingPeriod, field: str) -> None:
    """A payment that the bank has not answered becomes a loan from its value date."""
    table = Disbursement.__table__.c
    under_way = (table.state == DisbursementState.PAYING, table.value_date <= row.last_day)
    waiting = (await ctx.connection.execute(select(func.count()).where(*under_way))).scalar_one()
    if waiting:
        raise InvalidState(
            field,
            zh="有 {payments} 笔放款等待银行结果。", en="{payments} payments wait for the bank's word.",
            payments=waiting, state=row.state,
        )  # fmt: skip


async def _warn_of_receipts(ctx: Context, row: AccountingPeriod) -> None:
    waiting = (await unregistered(ctx, [row.id]))[row.id]
    if waiting:
        warning = InvalidState(
            zh="{period} 有 {receipts} 笔还款未登记。", en="{receipts} receipts of {period} are not registered.",
            period=row.name, receipts=waiting, state=row.state,
        )  # fmt: skip
        await audit.guard(ctx, warning, severity="WARN", subject_id=row.id)


async def _check_reopenable(ctx: Context, row: AccountingPeriod, field: str) -> None:
    if row.state is not PeriodState.CLOSED:
        raise InvalidState(field, state=row.state)
    shut = AccountingPeriod.state.in_((PeriodState.CLOSED, PeriodState.REOPENING))
    later = (AccountingPeriod.kind == row.kind) & (AccountingPeriod.first_day > row.first_day)
    its_year = (AccountingPeriod.kind == PeriodKind.YEAR) & (
        AccountingPeriod.first_day == row.first_day.replace(month=1)
    )
    in_the_way = later | its_year if row.kind is PeriodKind.MONTH else later
    wanted = select(AccountingPeriod).where(in_the_way, shut, AccountingPeriod.id != row.id)
    found = (await ctx.session.execute(wanted.order_by(AccountingPeriod.last_day.desc()).limit(1))).scalar_one_or_none()
    if found is not None:
        raise InvalidState(
            field,
            zh="须先反结账 {period}。",
            en="{period} is to be reopened first.",
            period=found.name,
            state=found.state,
        )


async def _closed_before(ctx: Context, row: AccountingPeriod) -> date | None:
    """The last day of the months before that are closed."""
    months = (AccountingPeriod.kind == PeriodKind.MONTH) & (AccountingPeriod.first_day < row.first_day)
    return await ctx.session.scalar(select(func.max(AccountingPeriod.last_day)).where(months))


# --------------------------------------------------------------------------- days, queries, a fresh lender


async def close_day(ctx: Context, day: date) -> int:
    """The step of end of day: behind the last day of a month the next period begins; answers how many began."""
    if day != last_day(day):
        return 0
    rows = _beginning(day + DAY, ctx.now)
    await ctx.connection.execute(insert(AccountingPeriod), rows)
    return len(rows)


def _beginning(first: date, moment: datetime) -> list[dict[str, Any]]:
    """The periods that begin on a day: its month, and on 1 January its year."""
    year = (PeriodKind.YEAR, first.replace(month=1, day=1), first.replace(month=12, day=31))
    month = (PeriodKind.MONTH, month_of(first), last_day(first))
    begun = [month, year] if first == year[1] else [month]
    return [
        {
            "id": uuid7(), "created_at": moment, "kind": kind, "first_day": first_day, "last_day": last,
            "state": PeriodState.OPEN, "voucher_ids": [],
        }
        for kind, first_day, last in begun
    ]  # fmt: skip


@query("finance.accounting_period.read")
async def page(ctx: Context, *, columns: Sequence[Any], window: Window) -> Page:
    """The periods, the latest first; a year stands above its months."""
    table = AccountingPeriod.__table__.c
    order = [Order(table.last_day, descending=True), Order(table.first_day), Order(table.id)]
    return await paging.page(ctx, select(*columns).where(scope(ctx, AccountingPeriod)), order, window)


async def unregistered(ctx: Context, period_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many receipts with a value date in each period still wait to be registered, one query."""
    period, receipt = AccountingPeriod.__table__.c, Receipt.__table__.c
    inside = receipt.value_date.between(period.first_day, period.last_day) & (receipt.state == ReceiptState.ENTERED)
    wanted = (
        select(period.id, func.count(receipt.id).label("waiting"))
        .join_from(AccountingPeriod.__table__, Receipt.__table__, inside)
        .where(period.id.in_(period_ids))
        .group_by(period.id)
    )
    found = {row.id: row.waiting for row in (await ctx.connection.execute(wanted)).all()}
    return {key: found.get(key, 0) for key in period_ids}


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The month and the year in which a fresh lender begins."""
    begun = _beginning(request.open_on.replace(month=1, day=1), request.moment)
    year = [row for row in begun if row["kind"] is PeriodKind.YEAR]
    month = [row for row in _beginning(request.open_on, request.moment) if row["kind"] is PeriodKind.MONTH]
    await connection.execute(insert(AccountingPeriod), [*year, *month])
