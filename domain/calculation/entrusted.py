"""委托贷款 · How what an entrusted loan brings in is split between the entrustor and the lender's fees (S39, A22).

The lender is an agent: principal and interest belong to the entrustor, his are the handling fees. The loan itself is
folded like any other, but it is no balance of the lender: no provision, no interest income, no limit is used.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from domain.calculation.allocation import ClaimComponent, Component
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import AllocationLine, MovementKind
from domain.calculation.money import half_up
from domain.calculation.vat import Rates, vat

BEARS_FEE = frozenset({Component.INTEREST, Component.PENALTY, Component.COMPOUND, ClaimComponent.OFF_BALANCE_INTEREST})


@dataclass(frozen=True, slots=True)
class Agency:
    """受托 · How a loan of somebody else's money is booked: the share of its interest that is the lender's fee, and the VAT
    rates that hold for that fee."""

    fee_rate: Fraction
    rates: Rates = ()


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


def handling_fee(fold: Fold, day: date, rate: Fraction) -> int:
    """收息手续费 · The fees on all receipts by the close of `day`, in fen: each receipt rounded once, by what it paid by then.

    Cumulative, so that a reversal or a late receipt restates it like any other balance of the loan."""
    paid: Counter[str | None] = Counter()
    for movement in fold.movements:
        if movement.kind is MovementKind.ALLOCATED and movement.component in BEARS_FEE and movement.value_date <= day:
            paid[movement.event] += movement.amount
    return sum(half_up(amount * rate) for amount in paid.values())


def output_tax(fold: Fold, day: date, agency: Agency) -> int:
    """销项税额 · The VAT in these fees by the close of `day`, in fen: what was earned while a rate held is taxed at that rate."""
    tax = 0
    for (since, rate), (until, _) in pairwise([*agency.rates, (date.max, Fraction(0))]):
        if rate and since <= day:
            earned = handling_fee(fold, min(day, until - timedelta(days=1)), agency.fee_rate)
            tax += vat(earned - handling_fee(fold, since - timedelta(days=1), agency.fee_rate), rate)
    return tax
