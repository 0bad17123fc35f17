"""`verify`: the proof of the books (总分核对): sub-ledger = general ledger, schedules add up, entrusted money is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from xiaodai.cli.output import print_rows

if TYPE_CHECKING:
    from domain.kernel.context import Context


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    tenant: Annotated[str | None, typer.Option(help="A lender's code; all active lenders if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Prove the books of lenders; exit code 1 and one line per difference if they are not right.

    Example: python3 xd.py verify --tenant jinjiang
    """
    from domain.ledger import proof  # the whole business, which no other command should wait for
    from xiaodai.cli.system import for_lenders

    async def prove(ctx: Context) -> list[proof.Difference]:
        async with ctx.reading() as reading:
            return await proof.differences(reading)

    found = for_lenders(tenant, prove)
    rows = [
        {
            "lender": code,
            "proof": str(one.proof),
            "where": one.where,
            "expected": str(one.expected),
            "found": str(one.found),
        }
        for code, differences in found.items()
        for one in differences
    ]
    proved = ", ".join(found) or "no lender yet"
    print_rows(rows, as_json=as_json, nothing=f"Everything adds up: {proved}.")
    raise typer.Exit(1 if rows else 0)
