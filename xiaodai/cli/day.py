"""`day`: the end of day (日终) by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from xiaodai.cli.output import Problem, errors, print_rows

if TYPE_CHECKING:
    from domain.kernel.context import Context

LOOK_SECONDS = 0.2

app = typer.Typer(
    name="day",
    help="Business days. Example: python3 xd.py day run --tenant jinjiang --through 2025-01-31",
    no_args_is_help=True,
)


@app.callback()
def day() -> None:
    """Business days.

    Example: python3 xd.py day run --tenant jinjiang --through 2025-01-31
    """


@app.command()
def run(
    tenant: Annotated[str | None, typer.Option(help="A lender's code; all active lenders if left out.")] = None,
    through: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day to close; the open day if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Close each day up to a date; what is closed already stays as it is.

    Example: python3 xd.py day run --tenant jinjiang --through 2025-01-31
    """
    from domain import end_of_day  # the whole business, which no other command should wait for
    from domain.kernel.refusals import Refusal
    from xiaodai.cli.system import for_lenders

    async def close(ctx: Context) -> list[Any]:
        last = through.date() if through else await _open_day(ctx)
        try:
            await end_of_day.request(ctx, through=last)  # the same rules, audit row and job as through the API …
            async with _shown(ctx, last):
                return list(await end_of_day.run(ctx, through=last))  # … which we do not wait for a worker to take
        except Refusal as refused:
            raise Problem(f"{ctx.lender.code}: {refused}") from refused

    closed = for_lenders(tenant, close)
    names = ("date", "state", "loans_advanced", "became_overdue", "alerts_raised", "ledger_balanced")
    rows = [
        {"lender": code} | {name: getattr(day, name) for name in names} for code, days in closed.items() for day in days
    ]
    print_rows(rows, as_json=as_json, nothing="No day was left to close.")
    raise typer.Exit(0 if all(row["ledger_balanced"] for row in rows) else 1)


@asynccontextmanager
async def _shown(ctx: Context, last: date) -> AsyncIterator[None]:
    """Two bars on standard error while the block runs: the days up to the last, and the loans of the one under way."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        watching = asyncio.create_task(_watch(ctx, last, bars))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _watch(ctx: Context, last: date, bars: Progress) -> None:
    from domain import end_of_day

    first = await _open_day(ctx)
    days = bars.add_task(ctx.lender.code, total=(last - first).days + 1)
    loans = bars.add_task("loans", total=None)
    while True:
        async with ctx.reading() as reading:
            now = await end_of_day.progress(reading)
        bars.update(days, completed=max(0, (now.date - first).days))
        bars.update(loans, description=f"{now.date} {now.step or ''}", completed=now.loans_done, total=now.loans)
        await asyncio.sleep(LOOK_SECONDS)


async def _open_day(ctx: Context) -> date:
    async with ctx.reading() as reading:
        return reading.today
