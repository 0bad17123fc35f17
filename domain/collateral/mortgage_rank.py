"""顺位 · Several mortgages on one asset: who comes first, and how much of a claim the asset covers.

By the day of registration, what is not registered yet behind what is (Civil Code 414); a mortgage that ended makes those
behind it move up. Pure, in CNY.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Claim:
    """A mortgage that stands: on which certificate, registered when (None: not yet), for how much, on an asset of what value."""

    id: UUID
    certificate_number: str
    registered_on: date | None
    secured_amount: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """顺位与覆盖 · The rank, 1 first; `cover` is what the asset leaves for the claim after those before it."""

    rank: int
    cover: Decimal


def standings(claims: Iterable[Claim]) -> dict[UUID, Standing]:
    """Where each claim stands among those on the same certificate.

    `cover` = min(secured amount, value − secured amounts of the ranks before), at least 0.00. Of two registered on one day
    the one that was made first comes first (the keys are in the order of making)."""
    by_certificate: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_certificate[claim.certificate_number].append(claim)
    found: dict[UUID, Standing] = {}
    for asset in by_certificate.values():
        before = ZERO
        for rank, claim in enumerate(sorted(asset, key=_place), 1):
            found[claim.id] = Standing(rank, max(ZERO, min(claim.secured_amount, claim.value - before)))
            before += claim.secured_amount
    return found


def _place(claim: Claim) -> tuple[date, UUID]:
    return claim.registered_on or date.max, claim.id
