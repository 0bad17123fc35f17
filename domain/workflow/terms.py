"""审批条件 · The terms that approvers may change: never a higher amount, the rest within the product's rules."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from domain.calculation.schedule import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedTerms:
    """What approvers set; None is left as asked. `annual_rate` is a fraction, `conditions` are conditions precedent."""

    amount: Decimal | None = None
    periods: int | None = None
    annual_rate: Decimal | None = None
    method: Method | None = None
    conditions: str | None = None

    def given(self) -> dict[str, Any]:
        """Only what was set."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def over(self, earlier: ApprovedTerms) -> ApprovedTerms:
        """These terms on top of those of an earlier approver."""
        return ApprovedTerms(**{**earlier.given(), **self.given()})

    def stored(self) -> dict[str, Any]:
        """As JSON keeps them: figures as texts."""
        return {name: value if isinstance(value, int) else str(value) for name, value in self.given().items()}

    @classmethod
    def read(cls, stored: dict[str, Any]) -> ApprovedTerms:
        """Back from JSON."""
        kinds: dict[str, Any] = {"amount": Decimal, "annual_rate": Decimal, "method": Method}
        known = {field.name for field in fields(cls)}
        return cls(**{name: kinds.get(name, type(value))(value) for name, value in stored.items() if name in known})
