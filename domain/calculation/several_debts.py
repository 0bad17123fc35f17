"""多笔债务抵充 · One receipt for several loans of a debtor who did not say which (Civil Code 560, golden A20)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby

from domain.calculation.allocation import InvalidAmount
from domain.calculation.money import div_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralDebt:
    """What one loan owes: `amount` in fen since `due_date`; `security` is what it is secured for, 0 for nothing."""

    loan: str
    due_date: date
    amount: int
    security: Fraction | int
    annual_rate: Fraction

    @property
    def turn(self) -> tuple[Fraction | int, Fraction, date]:
        """No or least security first, then the heavier burden, then the earlier due date."""
        return self.security, -self.annual_rate, self.due_date


@dataclass(frozen=True, slots=True)
class Share:
    """What a loan gets of the receipt, in fen."""

    loan: str
    amount: int


def share_out(amount: int, debts: Iterable[SeveralDebt], paid_on: date) -> list[Share]:
    """The shares of the loans that are due on `paid_on`, in the order of the law; what they leave is kept money.

    Debts that are alike in everything take pro rata, half up, the last one what is left. Raises InvalidAmount unless
    amount > 0. What is not due takes nothing: prepaying needs the debtor's word.
    """
    if amount <= 0:
        raise InvalidAmount(f"{amount} fen cannot be shared out")
    due = sorted((debt for debt in debts if debt.due_date <= paid_on and debt.amount > 0), key=lambda d: d.turn)
    shares: list[Share] = []
    for _, group in groupby(due, key=lambda debt: debt.turn):
        alike = sorted(group, key=lambda debt: debt.loan)
        given = min(amount, sum(debt.amount for debt in alike))
        shares += (share for share in _pro_rata(given, alike) if share.amount)
        amount -= given
    return shares


def _pro_rata(given: int, alike: list[SeveralDebt]) -> Iterator[Share]:
    whole, left = sum(debt.amount for debt in alike), given
    for debt in alike[:-1]:
        part = min(left, div_half_up(given * debt.amount, whole))
        left -= part
        yield Share(debt.loan, part)
    yield Share(alike[-1].loan, left)
