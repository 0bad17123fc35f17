"""日终测量 · How long a lender's days take to close, beside one set-wise update of the same rows in the same run."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks.lender_of_size import lend
from benchmarks.place import OPENED, Place
from domain import end_of_day
from domain.kernel.context import Context
from domain.ledger import proof

DAYS = 5

# What the night would cost if it were nothing but new figures in a row of each loan.
SET_WISE = text(
    "update positions set to_date = to_date from loans where loans.id = positions.loan_id and known_to = 'infinity'"
    " and positions.to_date = 'infinity'"
)


async def measure(place: Place, *, loans: int, lenders: int) -> list[dict[str, Any]]:
    """One row a lender: seconds a day (median of some days), loans a second, ratio to the set-wise update."""
    return [await _one(await place.lender(f"size{number}"), loans) for number in range(1, lenders + 1)]


async def _one(ctx: Context, loans: int) -> dict[str, Any]:
    begun = time.perf_counter()
    await lend(ctx, loans)
    made = time.perf_counter() - begun
    seconds, cpu, overdue = [], [], 0
    for offset in range(DAYS):
        begun, used = time.perf_counter(), time.process_time()
        (day,) = await end_of_day.run(ctx, through=OPENED + timedelta(days=offset))
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
        overdue += day.became_overdue
    plain = await _set_wise(ctx)
    async with ctx.reading() as reading:
        differences = await proof.differences(reading)
    return {
        "lender": ctx.lender.code,
        "loans": loans,
        "seconds_to_make": round(made, 2),
        "seconds_a_day": round(median(seconds), 3),
        "slowest_day": round(max(seconds), 3),
        "cpu_seconds_a_day": round(median(cpu), 3),
        "loans_a_second": round(loans / median(seconds)),
        "set_wise_seconds": round(plain, 3),
        "ratio": round(median(seconds) / plain, 1),
        "became_overdue": overdue,
        "differences": len(differences),
    }


async def _set_wise(ctx: Context) -> float:
    async def once() -> float:
        async with ctx.writing() as inner:
            begun = time.perf_counter()
            await inner.connection.execute(SET_WISE)
            return time.perf_counter() - begun

    return median([await once() for _ in range(3)])
