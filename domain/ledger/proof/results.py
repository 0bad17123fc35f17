"""核对结果 · What the proofs of each day have shown, kept with the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Index, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.feed import Json
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, choice, uuid7
from domain.ledger.proof.difference import Difference, Proof

if TYPE_CHECKING:
    from domain.kernel.context import Context

PROVED = "finance.proof.proved"
MOST_KEPT = 50


class ProofResult(Keyed):
    """What one proof showed at the close of a day. `differences`: the first of them, `difference_count` all."""

    __tablename__ = "proof_results"
    __table_args__ = (Index("uq_proof_results_day", "on", "proof", unique=True),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Everyone()

    on: Mapped[date]
    proof: Mapped[Proof] = mapped_column(choice(Proof))
    holds: Mapped[bool]
    difference_count: Mapped[int]
    differences: Mapped[list[Any]] = mapped_column(Json)


def rows(ctx: Context, on: date, found: Sequence[Difference]) -> list[dict[str, Any]]:
    """One row for each proof, in their order."""
    return [_row(ctx, on, proof, [one for one in found if one.proof is proof]) for proof in Proof]


def _row(ctx: Context, on: date, proof: Proof, found: Sequence[Difference]) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "created_at": ctx.now,
        "on": on,
        "proof": proof,
        "holds": not found,
        "difference_count": len(found),
        "differences": [_plain(one) for one in found[:MOST_KEPT]],
    }


def _plain(one: Difference) -> dict[str, Any]:
    return {
        "where": one.where,
        "expected": str(one.expected),
        "found": str(one.found),
        "loan_id": str(one.loan_id) if one.loan_id else None,
    }


async def keep(ctx: Context, on: date, found: Sequence[Difference]) -> None:
    """Writes down what the proofs of a day have shown, and tells it."""
    kept = rows(ctx, on, found)
    await ctx.connection.execute(insert(ProofResult), kept)
    red = [one["proof"] for one in kept if not one["holds"]]
    ctx.announce(PROVED, ProofResult(id=kept[0]["id"]), on=on, red=red)


async def of_days(ctx: Context, days: Sequence[date]) -> dict[date, list[Any]]:
    """The results kept with each day, in the order of the proofs; none for a day whose proofs have not run."""
    table = ProofResult.__table__
    order = list(Proof)
    found: dict[date, list[Any]] = {day: [] for day in days}
    for row in (await ctx.connection.execute(select(table).where(table.c.on.in_(days)))).all():
        found[row.on].append(row)
    return {day: sorted(kept, key=lambda row: order.index(row.proof)) for day, kept in found.items()}
