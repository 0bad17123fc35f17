"""增值税 · Value added tax on what a loan brings in: when it is owed, and how much (财税〔2016〕36号, domain.md §5).

Interest is taxed on its settlement date (结息日), paid or not. Once interest has been unpaid for more than 90 days, what
falls due from then on is taxed when it is received. Penalty, compound and fees are taxed when they are received.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from domain.calculation.allocation import Component
from domain.calculation.loan.debt import Debt
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Movement, MovementKind
from domain.calculation.money import half_up

GENERAL_RATE = Fraction(6, 100)  # 一般纳税人
SMALL_SCALE_RATE = Fraction(3, 100)  # 小规模纳税人
SMALL_SCALE_REDUCED_RATE = Fraction(1, 100)
UNPAID_AFTER = timedelta(days=90)
LOWERS_INTEREST = {MovementKind.ALLOCATED: 1, MovementKind.WAIVED: 1, MovementKind.LAPSED: -1}
TAXED_WHEN_RECEIVED = (Component.PENALTY, Component.COMPOUND)

Rates = Sequence[tuple[date, Fraction]]
"""From which day on which rate holds, the earliest first; nothing is owed before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmerRelief:
    """农户小额贷款 · Small loans to farmers: no VAT, and only a share of the interest counts as taxable income."""

    limit: int = 10_000_000  # fen, for each loan and for all loans of the farmer together, the limit included
    until: date = date(2027, 12, 31)
    income_share: Fraction = Fraction(9, 10)

    def applies(self, day: date, loan_amount: int, farmer_balance: int) -> bool:
        """Is the interest of that day exempt? Amounts in fen: the loan as granted, the balance of all his loans."""
        return day <= self.until and loan_amount <= self.limit and farmer_balance <= self.limit

    def taxable_income(self, interest: int) -> int:
        """What of the interest counts for income tax (90 %), in fen."""
        return half_up(interest * self.income_share)


def vat(included: int, rate: Fraction) -> int:
    """The tax in an amount that includes it: amount x rate ÷ (1 + rate), half up, in fen.

    A tax period is one amount: the sum over all loans of `taxed` at its end less at its beginning.
    """
    return half_up(included * rate / (1 + rate))


@dataclass(frozen=True, slots=True)
class Taxed:
    """Fen from the first pay-out on: interest with penalty, compound and recoveries, and fees."""

    interest: int = 0
    fees: int = 0

    @property
    def total(self) -> int:
        return self.interest + self.fees


def output_tax(fold: Fold, day: date, rates: Rates) -> Taxed:
    """销项税额 · The tax owed on a loan by the close of `day`, cumulative, in fen.

    What became taxable while a rate held is taxed at that rate, so a new rate leaves the past as it is.
    Raises ValueError outside the days the fold knows.
    """
    began = fold.positions[0].from_date
    interest = fees = 0
    for (since, rate), (until, _) in pairwise([*rates, (date.max, Fraction(0))]):
        if not rate or since > day or until <= began:
            continue
        now = taxed(fold, min(day, until - timedelta(days=1)))
        before = taxed(fold, since - timedelta(days=1)) if since > began else Taxed()
        interest += vat(now.interest - before.interest, rate)
        fees += vat(now.fees - before.fees, rate)
    return Taxed(interest, fees)


def taxed(fold: Fold, day: date) -> Taxed:
    """What VAT is owed on by the close of `day`, tax included: cumulative from the first pay-out, in fen.

    It may fall where interest already taxed is waived. Raises ValueError outside the days the fold knows.
    """
    known = fold.on(day)
    moved: dict[int | None, list[Movement]] = defaultdict(list)
    sums: Counter[tuple[MovementKind, Component | None]] = Counter()
    for movement in known.movements:
        sums[movement.kind, movement.component] += movement.amount
        if movement.component is Component.INTEREST:
            moved[movement.seq].append(movement)

    debts = [known.state.debts[seq] for seq in sorted(known.state.debts)]
    paid_late = [debt for debt in debts if _ever_unpaid_for_long(debt, moved[debt.seq])]
    total = sum(sums[MovementKind.ALLOCATED, component] for component in TAXED_WHEN_RECEIVED)
    taxed_and_written_off = 0
    for debt in debts:
        own = Counter[MovementKind]()
        for movement in _after_due(moved[debt.seq], debt, day):
            own[movement.kind] += movement.amount
        if any(_unpaid_for_long(other, moved[other.seq], debt.due_date) for other in paid_late):
            total += own[MovementKind.ALLOCATED]
        else:
            total += debt.net_interest - own[MovementKind.WAIVED] + own[MovementKind.LAPSED]
            taxed_and_written_off += own[MovementKind.WRITTEN_OFF]
    # What was taxed before the write-off is older than the rest and so the first to be recovered: it is not taxed again.
    recovered = sums[MovementKind.RECOVERED, Component.INTEREST]
    interest = total + max(0, recovered - taxed_and_written_off)
    return Taxed(interest, sums[MovementKind.ALLOCATED, Component.FEE])


def _unpaid_on(debt: Debt, movements: list[Movement], day: date) -> bool:
    """Was interest of this installment unpaid at the close of `day`?"""
    lowered = sum(LOWERS_INTEREST.get(m.kind, 0) * m.amount for m in _after_due(movements, debt, day))
    return debt.net_interest > lowered


def _unpaid_for_long(debt: Debt, movements: list[Movement], day: date) -> bool:
    """Was its interest due more than 90 days before, and still unpaid when `day` began?"""
    return day - debt.due_date > UNPAID_AFTER and _unpaid_on(debt, movements, day - timedelta(days=1))


def _ever_unpaid_for_long(debt: Debt, movements: list[Movement]) -> bool:
    """Could it have delayed the tax on a later installment at all? Of a loan paid in time none could."""
    limit = debt.due_date + UNPAID_AFTER
    return any(m.value_date > limit for m in movements) or _unpaid_on(debt, movements, limit)


def _after_due(movements: list[Movement], debt: Debt, until: date) -> list[Movement]:
    """The movements of an installment's interest from its due date on; `movements` are of its interest."""
    return [m for m in movements if debt.due_date <= m.value_date <= until]
