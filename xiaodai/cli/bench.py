"""`bench`: measures this machine's end of day and lists, in a database of its own (docs/speed.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from xiaodai.cli.output import errors, note, print_json, print_rows
from xiaodai.settings import get_settings

if TYPE_CHECKING:
    from benchmarks.eod import Tell
    from xiaodai.settings import Settings


class Part(StrEnum):
    """What can be measured."""

    EOD = "eod"
    QUERIES = "queries"
    FOLD = "fold"


SMALL, GROWTH = (1_000, 10_000), (10_000, 100_000, 1_000_000)
LOANS_FOR_LISTS = 2000


def register(app: typer.Typer) -> None:
    app.command()(bench)


def bench(
    only: Annotated[Part, typer.Option(help="What is measured.")] = Part.EOD,
    loans: Annotated[
        int | None, typer.Option(min=1, max=2_000_000, help="Loans of each lender; two sizes if left out.")
    ] = None,
    lenders: Annotated[int, typer.Option(min=1, max=500, help="Lenders, some at a time.")] = 1,
    growth: Annotated[bool, typer.Option("--growth", help="10,000, 100,000 and 1,000,000 loans.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """Measure, in a database that is made for it and deleted afterwards.

    Example: python3 xd.py bench --only eod --loans 100000
    """
    if only is not Part.EOD:
        note("Making a lender and measuring: this takes a while.")
        work = _fold if only is Part.FOLD else partial(_queries, loans=loans or LOANS_FOR_LISTS)
        rows = asyncio.run(_in_a_place(get_settings(), work))
        print_rows(rows, as_json=as_json, nothing="Nothing was measured.")
        return
    found = []
    for size in (loans,) if loans else GROWTH if growth else SMALL:
        with _bars() as tell:
            measured = asyncio.run(_in_a_place(get_settings(), partial(_eod, loans=size, lenders=lenders, tell=tell)))
        found.append(measured)
        if as_json:
            print_json(measured)
    if not as_json:
        print_rows([_grown(row, found[0]) for row in found], as_json=False, nothing="Nothing was measured.")


def _grown(row: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """With the time a loan takes, as a multiple of that at the first size."""
    a_loan = (row["seconds"] / row["loans"]) / (first["seconds"] / first["loans"])
    return row | {"time_a_loan": f"{a_loan:.2f}"}


async def _in_a_place(settings: Settings, work: Any) -> Any:
    from benchmarks.place import (  # the whole business, which no other command should wait for
        database_of_its_own,
        place,
    )

    with database_of_its_own(settings) as own:
        async with place(own) as opened:
            return await work(opened)


async def _eod(place: Any, *, loans: int, lenders: int, tell: Tell) -> dict[str, Any]:
    from benchmarks import eod

    return await eod.measure(place, loans=loans, lenders=lenders, tell=tell)


async def _fold(place: Any) -> list[dict[str, Any]]:
    from benchmarks import fold

    return await fold.measure(place)


async def _queries(place: Any, *, loans: int) -> list[dict[str, Any]]:
    from benchmarks import queries

    return await queries.measure(place, loans=loans)


@contextmanager
def _bars() -> Iterator[Tell]:
    """A bar for each thing that is done, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors) as progress:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.advance(bars[what], done)

        yield tell
