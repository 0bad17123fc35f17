"""`bench`: measures this machine's end of day and lists, in a database of its own (docs/speed.md)."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xiaodai.cli.output import note, print_rows
from xiaodai.settings import get_settings

if TYPE_CHECKING:
    from xiaodai.settings import Settings


class Part(StrEnum):
    """What can be measured."""

    EOD = "eod"
    QUERIES = "queries"


def register(app: typer.Typer) -> None:
    app.command()(bench)


def bench(
    only: Annotated[Part, typer.Option(help="What is measured.")] = Part.EOD,
    loans: Annotated[int, typer.Option(min=1, max=1_000_000, help="Loans of each lender.")] = 2000,
    lenders: Annotated[int, typer.Option(min=1, max=100, help="Lenders, one after the other.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Measure, in a database that is made for it and deleted afterwards.

    Example: python3 xd.py bench --only eod --loans 5000
    """
    from benchmarks.place import database_of_its_own  # the whole business, which no other command should wait for

    note(f"Making {lenders} lender(s) of {loans} loans and measuring: this takes a while.")
    with database_of_its_own(get_settings()) as settings:
        rows = asyncio.run(_measure(settings, only, loans, lenders))
    print_rows(rows, as_json=as_json, nothing="Nothing was measured.")


async def _measure(settings: Settings, only: Part, loans: int, lenders: int) -> list[dict[str, Any]]:
    from benchmarks import eod, queries
    from benchmarks.place import place

    async with place(settings) as opened:
        if only is Part.EOD:
            return await eod.measure(opened, loans=loans, lenders=lenders)
        return await queries.measure(opened, loans=loans)
