"""循环额度 · A revolving credit line: how much of it is used, and the terms of a drawdown (S38).

Each drawdown (支用) is a loan of its own, folded like any other: interest by days on its balance, due on every
settlement day, principal at the end of the line or before. A partial repayment is a prepayment, so it collects no
interest; the repayment that clears a drawdown is a settlement, so it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from domain.calculation.allocation import InvalidAmount
from domain.calculation.loan.fold import Fold
from domain.calculation.schedule import Basis, Method, PlanTerms


class LimitExceeded(InvalidAmount):
    """A drawdown is more than what is free of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """What was granted: `limit` in fen; the last day is the maturity of every drawdown."""

    limit: int
    annual_rate: Fraction
    starts_on: date
    ends_on: date
    settlement_day: int = 20
    first_settlement_min_days: int = 0
    basis: Basis = Basis.ACTUAL_360

    def drawdown(self, amount: int, on: date) -> PlanTerms:
        """The plan of a drawdown paid out on that day. Raises ValueError outside the term of the line."""
        if not self.starts_on <= on < self.ends_on:
            raise ValueError(f"the line runs from {self.starts_on} to {self.ends_on}, not on {on}")
        return PlanTerms(
            principal=amount,
            annual_rate=self.annual_rate,
            method=Method.INTEREST_ONLY,
            value_date=on,
            basis=self.basis,
            settlement_day=self.settlement_day,
            first_settlement_min_days=self.first_settlement_min_days,
            maturity_date=self.ends_on,
        )


def used(drawdowns: Sequence[Fold], day: date) -> int:
    """额度占用 · Principal outstanding of all drawdowns at the close of `day`, in fen. Raises ValueError after a fold."""
    started = [fold for fold in drawdowns if fold.positions[0].from_date <= day]
    return sum(fold.position_on(day).principal_outstanding for fold in started)


def available(line: CreditLine, drawdowns: Sequence[Fold], on: date, until: date) -> int:
    """可用额度 · What can be drawn on `on` without exceeding the limit on any day up to `until`, in fen.

    For a drawdown of today both are the same day; one entered late must also leave room for what was drawn since.
    """
    changes = {row.from_date for fold in drawdowns for row in fold.positions if on < row.from_date <= until}
    return line.limit - max(used(drawdowns, day) for day in {on, *changes})


def check_drawdown(line: CreditLine, drawdowns: Sequence[Fold], amount: int, on: date, until: date) -> None:
    """Raises LimitExceeded where less is free, InvalidAmount for an amount of nothing."""
    if amount <= 0:
        raise InvalidAmount(f"a drawdown of {amount} fen")
    free = available(line, drawdowns, on, until)
    if amount > free:
        raise LimitExceeded(f"{amount} fen exceed the {free} fen that are free")
