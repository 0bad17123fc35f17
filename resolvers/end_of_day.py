"""日终 · End of day: the mutation asks for the run, a worker does it, and the answer waits for it up to a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import date

import strawberry

from domain import business_day, end_of_day
from domain.business_day import BusinessDayState, Progress
from domain.kernel.context import Context
from domain.kernel.paging import Window
from resolvers.kernel import Info, Operation, answers, answers_by_key, mutation, reads
from resolvers.kernel.subscribing import Live, subscription
from schema.end_of_day import (
    BusinessDay,
    BusinessDayConnection,
    EndOfDayProgress,
    QuarantinedLoan,
    RunEndOfDayInput,
    RunEndOfDayPayload,
)
from schema.lending.loan import Loan

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.05
LONGEST_LOOK_SECONDS = 1.0


@strawberry.type
class EndOfDayQueries:
    @reads(business_day.days)
    async def business_days(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> BusinessDayConnection:
        """营业日 Business days, the latest first."""
        window = Window(first, after, last, before)
        page = await business_day.days(await info.context.reading(), columns=BusinessDay.columns(), window=window)
        return BusinessDayConnection.of(BusinessDay, page)

    @reads(end_of_day.progress)
    async def end_of_day_progress(self, info: Info) -> EndOfDayProgress:
        """日终进度 How far the close of the day has come."""
        return EndOfDayProgress(**vars(await end_of_day.progress(await info.context.reading())))


@strawberry.type
class EndOfDaySubscriptions:
    @subscription(end_of_day.progress)
    def end_of_day_progress_changed(self, info: Info) -> AsyncIterator[EndOfDayProgress]:
        """日终进度变化 The progress at once, then again as it changes, at most once a second."""
        return _as_it_changes(info.context)


async def _as_it_changes(operation: Operation) -> AsyncIterator[EndOfDayProgress]:
    live: Live = operation.ports.live
    lender = operation.ctx.lender

    async def compute() -> Progress:
        async with live.turn(), operation.ctx.reading() as ctx:
            return await end_of_day.progress(ctx)

    told: Progress | None = None
    async with aclosing(live.changes(lender, end_of_day.PROGRESS_MODULES)) as changes:
        async for _ in changes:
            found = await live.shared(lender, "end_of_day_progress", compute)
            if found != told:
                yield EndOfDayProgress(**vars(found))
                told = found


@strawberry.type
class EndOfDayMutations:
    @mutation(end_of_day.request, unlimited=True)
    async def run_end_of_day(self, info: Info, input: RunEndOfDayInput) -> RunEndOfDayPayload:
        """日终 Close the business day and open the next. Idempotent per day; days in between are run one by one."""
        ctx = info.context.ctx
        async with ctx.reading() as now:
            through = input.through or now.today
        first = (await end_of_day.request(ctx, through=through)).date
        until, pause = time.monotonic() + WAIT_SECONDS, LOOK_SECONDS
        while True:
            async with ctx.reading() as now:
                days = await business_day.days_between(now, min(first, through), through)
                today = now.today
            done = bool(days) and days[-1].date >= through and days[-1].state is BusinessDayState.CLOSED
            failed = any(day.state is BusinessDayState.FAILED for day in days)
            if done or failed or through < first or time.monotonic() > until:
                return RunEndOfDayPayload(days=[BusinessDay.of(day) for day in days], business_date=today)
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LONGEST_LOOK_SECONDS)


answers_by_key("QuarantinedLoan.loan", Loan)


@answers("BusinessDay.set_aside")
async def set_aside(ctx: Context, dates: Sequence[date]) -> dict[date, list[QuarantinedLoan]]:
    found = await business_day.set_aside(ctx, dates, QuarantinedLoan.columns())
    return {day: [QuarantinedLoan.of(row) for row in rows] for day, rows in found.items()}
