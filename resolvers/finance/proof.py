"""总分核对 · Proofs of the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.kernel.feed_reading import Happened
from domain.ledger import proof
from domain.ledger.proof.results import PROVED
from resolvers.kernel import Info, answers_by_key, reads
from resolvers.kernel.subscribing import cursor_at, follow, subscription
from schema.finance.proof import ProofDifference, ProofEvent, ProofResult
from schema.kernel import Cursor, Date
from schema.lending.loan import Loan


@strawberry.type
class ProofQueries:
    @reads(proof.of_day)
    async def proofs(self, info: Info, on: Date | None = None) -> list[ProofResult]:
        """总分核对 What each proof of the books shows: of a closed day as it was proved then, of the open day now."""
        return [_shown(row) for row in await proof.of_day(await info.context.reading(), on=on)]


@strawberry.type
class ProofSubscriptions:
    @subscription(proof.of_day)
    def proofs_changed(self, info: Info, after: Cursor | None = None) -> AsyncIterator[ProofEvent]:
        """核对动态 The proofs of each day, when end of day has run them."""
        return follow(info.context, frozenset({PROVED}), after, _events)


async def _events(ctx: Context, rows: list[Happened]) -> list[ProofEvent]:
    days = {row.place: date.fromisoformat(row.facts["on"]) for row in rows}
    kept = await proof.of_days(ctx, sorted(set(days.values())))
    return [
        ProofEvent(
            cursor=cursor_at(ctx, row.place),
            on=days[row.place],
            holds=not row.facts["red"],
            proofs=[_shown(result) for result in kept[days[row.place]]],
        )
        for row in rows
    ]


def _shown(row: Any) -> ProofResult:
    differences = [
        ProofDifference(
            where=one["where"],
            expected=one["expected"],
            found=one["found"],
            loan_id=UUID(one["loan_id"]) if one["loan_id"] else None,
        )
        for one in row.differences
    ]
    return ProofResult(
        proof=row.proof,
        on=row.on,
        holds=row.holds,
        difference_count=row.difference_count,
        differences=differences,
        proved_at=row.created_at,
    )


answers_by_key("ProofDifference.loan", Loan)
