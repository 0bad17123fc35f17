"""日终 · End of day: closes a business day after its receipts and opens the next; what is done is the list of
`domain/end_of_day_steps.py`.

Each step is written down by (day, step) in its transaction: a run that was killed anywhere goes on where it stopped and
comes to the same figures, and a repeated step does nothing. Payments stay possible all the while: a payment on a loan that
the new day has not reached carries it there first. A loan that cannot be carried is set aside with its reason; the others
go on.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.business_day import (
    READ,
    TURN,
    BusinessDay,
    BusinessDayState,
    DayStep,
    Progress,
    days_between,
    progress_of,
)
from domain.configuration import parameter
from domain.end_of_day_steps import STEPS, How, Step, idle, is_quiet
from domain.kernel import clock, job
from domain.kernel.clock import SHANGHAI, BusinessClock, machine_now
from domain.kernel.command import command, query
from domain.kernel.context import SYSTEM
from domain.kernel.portion import Portion
from domain.kernel.refusals import InvalidInput
from domain.kernel.table import uuid7
from domain.kernel.transaction import transaction
from domain.lending.loan import accrual, book, carrying
from domain.lending.loan.tables import QuarantinedLoan

if TYPE_CHECKING:
    from domain.kernel.context import Context
    from domain.kernel.fresh_lender import FreshLender

Day = date

LONGEST_RUN = timedelta(days=3660)
HELPED_FROM = 2000
"""Loans to be looked at in a night from which on another process may help."""
PROGRESS = "end_of_day_progress.told"
"""Not of `end_of_day.`: nothing that statistics show has changed yet."""
PROGRESS_MODULES = ("end_of_day.", "end_of_day_progress.")
"""What in the feed may change the progress."""


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
    raised. A quiet day of a small lender takes one transaction."""
    try:
        left, waiting = await transaction(ctx, partial(_steps, day=day))
        while left is not None:
            if left.how is How.READING:
                await _look(ctx, day, left)
            left, waiting = await transaction(ctx, partial(_steps, day=day))
        if waiting is None:
            waiting = await transaction(ctx, partial(_turn, day=day))
        if waiting and not (waiting < carrying.LOANS_IN_A_CHUNK and await _carry_few(ctx, day)):
            await _carry_many(ctx, day)
    except Exception as error:
        await transaction(ctx, partial(_fail, day=day, reason=type(error).__name__))
        raise


# --------------------------------------------------------------------------- the parts of a day

PATIENT = "set local statement_timeout = 300000"
"""A statement over all loans of a great lender takes longer than one of a request may."""


async def _steps(ctx: Context, *, day: Day) -> tuple[Step | None, int | None]:
    """Does steps of the list that are not done yet; answers the first that is left, None when all are done.

    At a lender of many loans it does one, or a part of one, so that no transaction is long; one that only
    looks is left to the caller. At a small lender whose night is quiet it turns the day as well, and answers what waits then."""
    row = await _held(ctx, day)
    if row.state is BusinessDayState.CLOSED:
        return None, 0
    found = await ctx.session.execute(select(DayStep).where(DayStep.day_id == row.id))
    known = {record.step: record for record in found.scalars()}
    many = await accrual.more_loans_than(ctx, carrying.MANY_LOANS)
    quiet = False
    if not (known or many):
        known, quiet = await _spared(ctx, row)
    left = [step for step in STEPS if step.name not in known or known[step.name].finished_at is None]
    if row.state is BusinessDayState.OPEN:
        row.started_at = ctx.now
    row.state, row.failure = BusinessDayState.CLOSING, None
    if many:
        await ctx.connection.exec_driver_sql(PATIENT)
    while left and not (many and left[0].how is How.READING):
        record = known.setdefault(left[0].name, DayStep(day_id=row.id, step=left[0].name))
        if await _do(ctx, row, left[0], record):
            left.pop(0)
        if many:
            _tell(ctx, row)
            break
    ctx.session.add_all(known.values())
    if quiet:
        await _open_next_after(ctx, row)
        return None, await _waiting(ctx, row)
    return (left[0] if left else None), None


async def _spared(ctx: Context, row: BusinessDay) -> tuple[dict[str, DayStep], bool]:
    """The steps that have nothing to do, as done; and whether the night is quiet: no loan is locked by the others.

    Then no payment can wait for us while we wait for those under way. What they brought is looked at again: if that makes work,
    the steps are done with the day held, and a payment that waits for it with its loan in hand may be told to try again."""
    spared = await idle(ctx, row.date)
    if quiet := is_quiet(spared):
        await clock.wait_for_postings(ctx)
        spared = await idle(ctx, row.date)
        quiet = is_quiet(spared)
    return {name: DayStep(day_id=row.id, step=name, result=0, finished_at=ctx.now) for name in spared}, quiet


async def _do(ctx: Context, row: BusinessDay, step: Step, record: DayStep) -> bool:
    """Does a step, or its next part; answers whether it is done."""
    if step.how is How.PARTS:
        portion: Portion = await step.run(ctx, row.date, record.reached)
        record.result, record.reached = (record.result or 0) + portion.done, portion.reached
    else:
        found = await step.run(ctx, row.date)
        record.result = await step.keep(ctx, row.date, found) if step.keep else found
    if step.column:
        setattr(row, step.column, record.result)
    if record.reached is None:
        record.finished_at = ctx.now
    return record.reached is None


async def _look(ctx: Context, day: Day, step: Step) -> None:
    """A step that only looks, while payments go on."""
    async with ctx.reading() as reading:
        await reading.connection.exec_driver_sql(PATIENT)
        found = await step.run(reading, day)
    await transaction(ctx, partial(_note, day=day, step=step, found=found))


async def _note(ctx: Context, *, day: Day, step: Step, found: Any) -> None:
    row = await _held(ctx, day)
    if await ctx.session.get(DayStep, (row.id, step.name)) is None:
        answer = await step.keep(ctx, day, found) if step.keep else found
        ctx.session.add(DayStep(day_id=row.id, step=step.name, result=answer, finished_at=ctx.now))
        if step.column:
            setattr(row, step.column, answer)
        _tell(ctx, row)


def _tell(ctx: Context, row: BusinessDay) -> None:
    """进度 · Whoever watches the day being closed looks again."""
    ctx.announce(PROGRESS, row, on=row.date)


async def _held(ctx: Context, day: Day) -> BusinessDay:
    """The row of a day, locked: of two runners one does each part, and the other finds it done."""
    return (
        await ctx.session.execute(select(BusinessDay).where(BusinessDay.date == day).with_for_update())
    ).scalar_one()


async def _turn(ctx: Context, *, day: Day) -> int:
    """Opens the next day unless that is done, and answers how many loans have to be looked at."""
    row = await _held(ctx, day)
    if row.state is BusinessDayState.CLOSED:
        return 0
    await ctx.connection.exec_driver_sql(PATIENT)
    if await ctx.session.get(DayStep, (row.id, TURN)) is None:
        await _open_next_after(ctx, row)
    return await _waiting(ctx, row)


async def _open_next_after(ctx: Context, row: BusinessDay) -> None:
    """Opens the next day: from here on everything is posted there. Waits for payments under way, and they for it.

    Posts what the night brought, for all loans on which nothing else happens."""
    next_day = row.date + timedelta(days=1)
    sandbox = await clock.open_day(ctx, next_day)
    await accrual.post_night(ctx)
    row.loans_advanced = await accrual.loans_alive(ctx)
    ctx.session.add(DayStep(day_id=row.id, step=TURN, result=row.loans_advanced, finished_at=ctx.now))
    ctx.add(BusinessDay(date=next_day, state=BusinessDayState.OPEN, started_at=ctx.now))
    if not sandbox:
        due_at = await batch_moment(ctx, next_day)
        await job.enqueue(ctx, "end_of_day.close", f"end_of_day/{next_day}", due_at=due_at, through=next_day)


async def _waiting(ctx: Context, row: BusinessDay) -> int:
    """How many loans have to be looked at, counted up to `HELPED_FROM`; where none has, the day is closed."""
    waiting = len(await book.waiting(ctx, HELPED_FROM))
    if waiting == HELPED_FROM:
        await job.enqueue(ctx, "end_of_day.help", f"end_of_day/{row.date}/help", day=row.date)
    if not waiting:
        await _end(ctx, row)
    return waiting


async def _carry_few(ctx: Context, day: Day) -> bool:
    """Carries what waits and closes the day, in one transaction. Answers whether that went well: a loan may be broken, or in
    the hands of a payment."""
    try:
        return await transaction(ctx, partial(_carry_and_finish, day=day))
    except Exception:
        return False


async def _carry_and_finish(ctx: Context, *, day: Day) -> bool:
    await book.carry_next(ctx, most=carrying.LOANS_IN_A_CHUNK)
    return await _finish(ctx, day=day)


async def _carry_many(ctx: Context, day: Day) -> None:
    async with ctx.reading() as reading:
        (row,) = await days_between(reading, day, day)
    closed = BusinessDay(id=row.id, date=row.date)
    done = False
    while not done:
        await carrying.carry_all(ctx, partial(_tell, row=closed))
        done = await transaction(ctx, partial(_finish, day=day))


async def _finish(ctx: Context, *, day: Day) -> bool:
    """Closes the day if no loan waits any more; answers whether it is closed."""
    row = await _held(ctx, day)
    if row.state is not BusinessDayState.CLOSED:
        if await book.waiting(ctx, 1):
            return False
        await _end(ctx, row)
    return True


async def _end(ctx: Context, row: BusinessDay) -> None:
    aside = select(func.count()).where(QuarantinedLoan.on == ctx.today, QuarantinedLoan.released_at.is_(None))
    row.loans_set_aside = (await ctx.connection.execute(aside)).scalar_one()
    row.loans_advanced -= row.loans_set_aside
    row.state, row.finished_at = BusinessDayState.CLOSED, ctx.now
    ctx.announce("end_of_day.closed", row, on=row.date)


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


@job.job("end_of_day.help")
async def help_carrying(ctx: Context, payload: dict[str, Any]) -> datetime | None:
    """Another process carries loans beside the one that closes the day; which of them are broken is that one's to find out."""
    async with ctx.reading() as reading:
        (row,) = await days_between(reading, date.fromisoformat(payload["day"]), date.fromisoformat(payload["day"]))
    if row.state is BusinessDayState.CLOSING:
        day = BusinessDay(id=row.id, date=row.date)
        with suppress(Exception):
            await carrying.carry_some(ctx, partial(_tell, row=day))
    return None


async def batch_moment(ctx: Context, day: Day) -> datetime:
    """When a day is closed by itself (parameter `batch_time`, Asia/Shanghai)."""
    return datetime.combine(day, await parameter.value(ctx, "batch_time"), SHANGHAI)


# --------------------------------------------------------------------------- progress


@query(READ)
async def progress(ctx: Context) -> Progress:
    """日终进度 · How far the close of the day under way has come; of the open day, that nothing is done yet."""
    return await progress_of(ctx, [step.name for step in STEPS])


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
