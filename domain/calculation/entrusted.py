"""委托贷款 · How what an entrusted loan brings in is split between the entrustor and the lender's fees (S39, A22).

The lender is an agent: principal and interest belong to the entrustor, his are the handling fees. The loan itself is
folded like any other, but it is no balance of the lender: no provision, no interest income, no limit is used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from domain.calculation.allocation import ClaimComponent, Component
from domain.calculation.loan.state import AllocationLine
from domain.calculation.money import half_up

BEARS_FEE = frozenset({Component.INTEREST, Component.PENALTY, Component.COMPOUND, ClaimComponent.OFF_BALANCE_INTEREST})


@dataclass(frozen=True, slots=True)
class Split:
    """In fen: the collection fee (收息手续费) and what is passed on to the entrustor."""

    handling_fee: int
    to_entrustor: int


def split(lines: Iterable[AllocationLine], interest_fee_rate: Fraction) -> Split:
    """One receipt, by what it paid: the fee is a share of its interest, penalty and compound, rounded half up once.

    Kept money is not in the lines: it is split when it is applied.
    """
    paid = list(lines)
    interest = sum(line.amount for line in paid if line.component in BEARS_FEE)
    fee = half_up(interest * interest_fee_rate)
    return Split(fee, sum(line.amount for line in paid) - fee)


def one_off_fee(amount: int, rate: Fraction) -> int:
    """一次性手续费 · Of the amount paid out, in fen; the entrustor pays it apart, it never lowers the pay-out."""
    return half_up(amount * rate)
