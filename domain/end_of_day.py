"""日终 · End of day: closes a business day after its receipts and opens the next, one readable list of steps.

Each step is written down by (day, step) in its transaction: a run that was killed anywhere goes on where it stopped and
comes to the same figures, and a repeated step does nothing. Payments stay possible all the while: a payment on a loan that
the new day has not reached carries it there first. A loan that cannot be carried is set aside with its reason; the others
go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.configuration import parameter
from domain.home import installment_due
from domain.kernel import audit, clock, job
from domain.kernel.clock import SHANGHAI, BusinessClock, machine_now
from domain.kernel.command import command, query
from domain.kernel.context import SYSTEM
from domain.kernel.feed import Json
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import InvalidInput
from domain.kernel.scope import Everyone, Reach, scope
from domain.kernel.table import Keyed, TenantTable, choice, uuid7
from domain.kernel.transaction import transaction
from domain.ledger import proof
from domain.lending import interest_waiver, loan_application, settlement
from domain.lending.loan import accrual, book, closing
from domain.lending.loan.tables import QuarantinedLoan
from domain.lending.revolving_loan import closing as facilities
from domain.post_loan import early_warning

if TYPE_CHECKING:
    from domain.kernel.context import Context
    from domain.kernel.fresh_lender import FreshLender

Day = date

LOANS_IN_A_CHUNK = 500
LONGEST_RUN = timedelta(days=3660)


class BusinessDayState(StrEnum):
    """OPEN takes postings; CLOSING is being closed; FAILED stopped on the way and goes on with the next run."""

    OPEN = "OPEN"
    """营业中 Takes postings."""
    CLOSING = "CLOSING"
    """日终处理中 Is being closed."""
    CLOSED = "CLOSED"
    """已关账 Takes no more postings."""
    FAILED = "FAILED"
    """失败 Stopped on the way; the next run goes on."""


class BusinessDay(Keyed):
    """营业日 · One day of a lender and what closing it brought."""

    __tablename__ = "business_days"
    __table_args__ = (UniqueConstraint("date"),)
    reach: ClassVar[Reach] = Everyone()

    date: Mapped[Day]
    state: Mapped[BusinessDayState] = mapped_column(choice(BusinessDayState))
    loans_advanced: Mapped[int] = mapped_column(default=0)
    loans_set_aside: Mapped[int] = mapped_column(default=0)
    became_overdue: Mapped[int] = mapped_column(default=0)
    alerts_raised: Mapped[int] = mapped_column(default=0)
    ledger_balanced: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str | None] = mapped_column(String(500))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DayStep(TenantTable):
    """A step of a day that is done, and what it answered."""

    __tablename__ = "day_steps"
    grants: ClassVar[str] = "append"

    day_id: Mapped[UUID] = mapped_column(ForeignKey("business_days.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(60), primary_key=True)
    result: Mapped[Any] = mapped_column(Json, nullable=True)
    finished_at: Mapped[datetime]


# --------------------------------------------------------------------------- the list of steps

Run = Callable[["Context", Day], Awaitable[Any]]
"""A step lives with its function: it gets the day and answers a count, or nothing."""


async def _seal(ctx: Context, _day: Day) -> int:
    return await audit.seal(ctx)


STEPS: list[tuple[str, str | None, Run]] = [
    # name, the column of the business day that its answer goes to, the function
    ("overdue", "became_overdue", closing.announce_overdue),
    ("alerts", "alerts_raised", early_warning.raise_alerts),
    ("escalation", None, early_warning.escalate),
    ("classes", None, closing.announce_classes),
    ("waivers", None, interest_waiver.lapse),
    ("contracts", None, settlement.close_day),
    ("approvals", None, loan_application.expire),
    ("facilities", None, facilities.close_day),
    ("reminders", None, installment_due.remind),
    ("proof", "ledger_balanced", proof.holds),
    ("seal", None, _seal),
]


async def run(ctx: Context, *, through: Day) -> list[Any]:
    """Closes every day up to `through` and opens the next; answers the rows of the days from the first one closed here.

    `ctx` is unbound: each part opens its own transaction. Repeating it changes nothing."""
    async with ctx.reading() as reading:
        first = await _first_unclosed(reading)
    for offset in range((through - first).days + 1):
        await _close(ctx, first + timedelta(days=offset))
    async with ctx.reading() as reading:
        await ctx.ports.day_opened(ctx.lender.id, reading.today)
        return await days_between(reading, min(first, through), through)


async def _first_unclosed(ctx: Context) -> Day:
    unclosed = select(func.min(BusinessDay.date)).where(BusinessDay.state != BusinessDayState.CLOSED)
    found: Day | None = (await ctx.connection.execute(unclosed)).scalar_one()
    return found or ctx.today


async def _close(ctx: Context, day: Day) -> None:
    """Closes one day, and does nothing if it is closed. What fails stops it as FAILED, with the kind of the error, and is
    raised. A quiet day of a small lender takes two transactions."""
    try:
        while not await transaction(ctx, partial(_steps, day=day)):
            pass
        if not await transaction(ctx, partial(_turn, day=day)):
            await _carry_loans(ctx, day)
    except Exception as error:
        await transaction(ctx, partial(_fail, day=day, reason=type(error).__name__))
        raise


# --------------------------------------------------------------------------- the parts of a day


async def _steps(ctx: Context, *, day: Day) -> bool:
    """Does steps of the list that are not done yet; answers whether all are.

    Of a lender whose loans are more than a chunk it does one, so that no transaction is long."""
    row = await _held(ctx, day)
    if row.state is BusinessDayState.CLOSED:
        return True
    done = set((await ctx.connection.execute(select(DayStep.step).where(DayStep.day_id == row.id))).scalars())
    left = [step for step in STEPS if step[0] not in done]
    many = len(left) > 1 and await accrual.loans_alive(ctx) > LOANS_IN_A_CHUNK
    here = left[:1] if many else left
    results = {name: await step(ctx, day) for name, _, step in here}
    if row.state is BusinessDayState.OPEN:
        row.started_at = ctx.now
    row.state, row.failure = BusinessDayState.CLOSING, None
    for name, column, _ in here:
        if column:
            setattr(row, column, results[name])
    ctx.session.add_all(_done(ctx, row, name, result) for name, result in results.items())
    return len(here) == len(left)


async def _held(ctx: Context, day: Day) -> BusinessDay:
    """The row of a day, locked: of two runners one does each part, and the other finds it done."""
    return (
        await ctx.session.execute(select(BusinessDay).where(BusinessDay.date == day).with_for_update())
    ).scalar_one()


def _done(ctx: Context, day: BusinessDay, step: str, result: Any) -> DayStep:
    return DayStep(day_id=day.id, step=step, result=result, finished_at=ctx.now)


async def _turn(ctx: Context, *, day: Day) -> bool:
    """Opens the next day: from here on everything is posted there. Waits for payments under way, and they for it.

    Posts what the night brought, for all loans on which nothing else happens. Answers whether the day is closed then,
    because no loan has to be looked at."""
    row = await _held(ctx, day)
    if row.state is BusinessDayState.CLOSED:
        return True
    if await ctx.session.get(DayStep, (row.id, "turn")) is None:
        await _open_next(ctx, day + timedelta(days=1))
        await accrual.post_night(ctx)
        row.loans_advanced = await accrual.loans_alive(ctx)
        ctx.session.add(_done(ctx, row, "turn", row.loans_advanced))
    if await book.waiting(ctx, 1):
        return False
    await _finish(ctx, row)
    return True


async def _open_next(ctx: Context, next_day: Day) -> None:
    sandbox = await clock.open_day(ctx, next_day)
    ctx.add(BusinessDay(date=next_day, state=BusinessDayState.OPEN, started_at=ctx.now))
    if not sandbox:
        due_at = await batch_moment(ctx, next_day)
        await job.enqueue(ctx, "end_of_day.close", f"end_of_day/{next_day}", due_at=due_at, through=next_day)


async def _carry_loans(ctx: Context, day: Day) -> None:
    """Carries the loans that must be looked at into the open day, a transaction a chunk; a broken one is set aside."""
    closed = False
    while not closed:
        try:
            closed = await transaction(ctx, partial(_carry_chunk, day=day))
        except Exception:  # one of them is broken: find it, and let the others pass
            if not await _carry_one_by_one(ctx):
                raise


async def _carry_chunk(ctx: Context, *, day: Day) -> bool:
    """Carries the next loans; behind the last of them the day is closed, and the answer is yes."""
    carried = await book.carry_next(ctx, most=LOANS_IN_A_CHUNK)
    if len(carried) == LOANS_IN_A_CHUNK:
        return False
    await _finish(ctx, await _held(ctx, day))
    return True


async def _carry_one_by_one(ctx: Context) -> list[UUID]:
    async with ctx.reading() as reading:
        waiting = await book.waiting(reading, LOANS_IN_A_CHUNK)
    for loan_id in waiting:
        try:
            await transaction(ctx, partial(book.carry_one, loan_id=loan_id))
        except Exception as error:
            await transaction(ctx, partial(book.set_aside, loan_id=loan_id, error=error))
    return waiting


async def _finish(ctx: Context, day: BusinessDay) -> None:
    if day.state is BusinessDayState.CLOSED:
        return
    aside = select(func.count()).where(QuarantinedLoan.on == ctx.today, QuarantinedLoan.released_at.is_(None))
    day.loans_set_aside = (await ctx.connection.execute(aside)).scalar_one()
    day.loans_advanced -= day.loans_set_aside
    day.state, day.finished_at = BusinessDayState.CLOSED, ctx.now
    ctx.announce("end_of_day.closed", day, on=day.date)


async def _fail(ctx: Context, day: Day, reason: str) -> None:
    failed = update(BusinessDay).where(BusinessDay.date == day, BusinessDay.state != BusinessDayState.CLOSED)
    await ctx.connection.execute(failed.values(state=BusinessDayState.FAILED, failure=reason))


# --------------------------------------------------------------------------- commands


@command("end_of_day.day.run")
async def request(ctx: Context, *, through: Day | None = None) -> BusinessDay:
    """Asks for closing every day up to `through` (default: the open day); a worker does it. Answers the day
    it begins with: the open one, or the one that an earlier run left.

    Raises InvalidInput for a day that a lender outside a sandbox has not reached, or more than ten years ahead."""
    last = through or ctx.today
    business = await ctx.session.get_one(BusinessClock, 1)
    furthest = ctx.today + LONGEST_RUN if business.sandbox else machine_now().astimezone(SHANGHAI).date()
    if last > furthest:
        raise InvalidInput(
            "through",
            zh="最晚只能结到 {furthest}。", en="The last day that can be closed now is {furthest}.", furthest=furthest,
        )  # fmt: skip
    first = await _first_unclosed(ctx)
    if last >= first:
        await job.enqueue(ctx, "end_of_day.close", f"end_of_day/{last}/{uuid7()}", through=last)
    return (await ctx.session.execute(select(BusinessDay).where(BusinessDay.date == first))).scalar_one()


@job.job("end_of_day.close")
async def close(ctx: Context, payload: dict[str, Any]) -> datetime | None:
    """The job behind `request` and behind the batch time of each day."""
    await run(ctx, through=date.fromisoformat(payload["through"]))
    return None


async def batch_moment(ctx: Context, day: Day) -> datetime:
    """When a day is closed by itself (parameter `batch_time`, Asia/Shanghai)."""
    return datetime.combine(day, await parameter.value(ctx, "batch_time"), SHANGHAI)


# --------------------------------------------------------------------------- queries


@query("end_of_day.day.read")
async def days(ctx: Context, *, columns: list[Any], window: Window) -> Page:
    """Business days, the latest first."""
    table = BusinessDay.__table__.c
    return await page(ctx, select(*columns), [Order(table.date, descending=True), Order(table.id)], window)


async def days_between(ctx: Context, first: Day, last: Day) -> list[Any]:
    """The rows of business days from one day to another, in order."""
    table = BusinessDay.__table__
    statement = select(table).where(table.c.date.between(first, last)).order_by(table.c.date)
    return list((await ctx.connection.execute(statement)).all())


async def set_aside(ctx: Context, dates: Sequence[Day], columns: Sequence[Any]) -> dict[Day, list[Any]]:
    """The loans of the actor's that were not carried into the day after each of these."""
    table = QuarantinedLoan.__table__.c
    into = {day + timedelta(days=1): day for day in dates}
    statement = select(*columns, table.on).where(table.on.in_(into), scope(ctx, QuarantinedLoan)).order_by(table.id)
    found: dict[Day, list[Any]] = {day: [] for day in dates}
    for row in (await ctx.connection.execute(statement)).all():
        found[into[row.on]].append(row)
    return found


# --------------------------------------------------------------------------- a fresh lender

FIRST_BATCH_TIME = time(23, 30)


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The first day, open; outside a sandbox it closes by itself at the batch time."""
    opened = {"created_at": request.moment, "started_at": request.moment, "state": BusinessDayState.OPEN}
    await connection.execute(insert(BusinessDay).values(id=uuid7(), date=request.open_on, **opened))
    if not request.sandbox:
        await connection.execute(
            insert(job.Job).values(
                id=uuid7(),
                handler="end_of_day.close",
                key=f"end_of_day/{request.open_on}",
                lender_id=request.lender_id,
                actor_id=SYSTEM.id,
                payload={"through": request.open_on.isoformat()},
                state=job.JobState.WAITING,
                due_at=datetime.combine(request.open_on, FIRST_BATCH_TIME, SHANGHAI),
                attempts=0,
                created_at=machine_now(),
            )
        )
