"""日终测量 · How long the days of lenders take to close, beside one set-wise update of the same rows in the same run."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks.helpers import workers
from benchmarks.lender_of_size import lend
from benchmarks.place import OPENED, Place
from domain import business_day, end_of_day
from domain.business_day import BusinessDayState
from domain.kernel.context import Context

FEW_DAYS, MANY_LOANS = 3, 20_000
WORKERS = 2
"""On as many cores; where one lender is measured, the measuring process is one of them."""
LOOK_SECONDS = 0.1

# What the night would cost if it were nothing but new figures in a row of each loan.
SET_WISE = text(
    "update positions set to_date = to_date from loans where loans.id = positions.loan_id and known_to = 'infinity'"
    " and positions.to_date = 'infinity'"
)

Tell = Callable[[str, int, int], None]
"""Is told what is being done, how much of it was done since the last time, and how much there is."""


async def measure(place: Place, *, loans: int, lenders: int, tell: Tell) -> dict[str, Any]:
    """Makes the lenders and closes days of theirs: seconds a day (the middle of some), loans a second, the ratio to the
    set-wise update, and what it took to make them."""
    begun = time.perf_counter()
    made = [await _made(place, f"size{number}", loans, lenders, tell) for number in range(1, lenders + 1)]
    seeded = time.perf_counter() - begun
    for ctx in made:
        await place.analyze(ctx)
    all_loans = loans * lenders
    days = FEW_DAYS if all_loans <= MANY_LOANS else 2
    seconds, cpu, overdue = [], [], 0
    close = _close_one if lenders == 1 else _close_all
    with workers(place.settings, 1 if lenders == 1 else WORKERS):
        for offset in range(days):
            begun, used = time.perf_counter(), time.process_time()
            overdue += await close(made, OPENED + timedelta(days=offset))
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - used)
            tell("closing days", 1, days)
    plain = sum([await _set_wise(ctx, times=3 if all_loans <= MANY_LOANS else 1) for ctx in made])
    middle = median(seconds)
    return {
        "lenders": lenders,
        "loans": all_loans,
        "seconds": round(middle, 3),
        "loans_per_second": round(all_loans / middle),
        "ratio": round(middle / plain, 1),
        "set_wise_seconds": round(plain, 3),
        "slowest_day": round(max(seconds), 3),
        "cpu_seconds": round(median(cpu), 3),
        "became_overdue": overdue,
        "seconds_to_seed": round(seeded, 2),
        "memory_mb": _resident(),
    }


async def _made(place: Place, code: str, loans: int, lenders: int, tell: Tell) -> Context:
    ctx = await place.lender(code)
    what = "making loans"
    await lend(ctx, loans, tell=lambda done: tell(what, done, loans * lenders), unchecked=True)
    return ctx


async def _close_one(lenders: Sequence[Context], day: date) -> int:
    """One day of the only lender, closed here; a worker helps. Answers how many loans became overdue."""
    (closed,) = await end_of_day.run(lenders[0], through=day)
    return _right(lenders[0], closed)


async def _close_all(lenders: Sequence[Context], day: date) -> int:
    """One day of all lenders, asked for here and closed by the workers."""
    for ctx in lenders:
        await end_of_day.request(ctx, through=day)
    return sum([await _closed(ctx, day) for ctx in lenders])


async def _closed(ctx: Context, day: date) -> int:
    while True:
        async with ctx.reading() as reading:
            (row,) = await business_day.days_between(reading, day, day)
        if row.state is BusinessDayState.CLOSED:
            return _right(ctx, row)
        await asyncio.sleep(LOOK_SECONDS)


def _right(ctx: Context, row: Any) -> int:
    """Raises when the books are not right."""
    if not row.ledger_balanced:
        raise RuntimeError(f"the books of {ctx.lender.code} are not right on {row.date}")
    return int(row.became_overdue)


async def _set_wise(ctx: Context, *, times: int) -> float:
    async def once() -> float:
        async with ctx.writing() as inner:
            await inner.connection.exec_driver_sql(end_of_day.PATIENT)
            begun = time.perf_counter()
            await inner.connection.execute(SET_WISE)
            return time.perf_counter() - begun

    return median([await once() for _ in range(times)])


def _resident() -> int:
    """Memory of this process now, in MB; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as told:
            return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    except OSError:
        return 0
