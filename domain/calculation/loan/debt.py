"""到期未清 · An installment that has fallen due: what is left of it and the penalty it bears.

Penalty and compound are exact sums over one denominator, advanced only when the installment is touched. A payment
takes whole fen off the exact sum; the residue goes on (X2). Within grace the sums run unseen (X3).
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from domain.calculation.allocation import Component
from domain.calculation.loan.lines import made
from domain.calculation.loan.running import Stretch
from domain.calculation.money import div_half_up
from domain.calculation.schedule import PlannedInstallment, PlanTerms

FEE, PENALTY, COMPOUND = Component.FEE, Component.PENALTY, Component.COMPOUND
INTEREST, PRINCIPAL = Component.INTEREST, Component.PRINCIPAL


class InstallmentState(StrEnum):
    """期状态 · As `InstallmentState` of the contract."""

    PENDING = "PENDING"
    """未到期 Not due yet."""
    DUE = "DUE"
    """已到期 Due today or within grace."""
    PARTIAL = "PARTIAL"
    """部分还款 Paid in part, not overdue."""
    PAID = "PAID"
    """已还清 Paid in full."""
    OVERDUE = "OVERDUE"
    """逾期 Nothing paid, beyond grace."""
    OVERDUE_PARTIAL = "OVERDUE_PARTIAL"
    """逾期部分还款 Paid in part, beyond grace."""
    WAIVED = "WAIVED"
    """已减免 What was left was waived."""
    WRITTEN_OFF = "WRITTEN_OFF"
    """已核销 What was left was written off."""


@dataclass(frozen=True, slots=True)
class DefaultRate:
    """罚息利率 · Fen of penalty a day for a fen overdue: contract rate x multiplier ÷ days of the year.

    `misuse_daily` is what misused principal bears on top, where its own rate is the heavier one.
    """

    annual_rate: Fraction
    daily: Fraction
    misuse_daily: Fraction = Fraction(0)


class Arrears(NamedTuple):
    """A stretch of default, for the explanation: from a day on, these unpaid amounts at this contract rate."""

    from_date: date
    principal: int
    interest: int
    annual_rate: Fraction
    misused: int  # the part of the principal that bears the misuse rate
    misuse_daily: Fraction


class Agreed(NamedTuple):
    """The plan under which an installment fell due, for the explanation: its row, the terms, what a shortened term keeps, and
    how many installments that plan has."""

    row: PlannedInstallment
    terms: PlanTerms
    kept: int
    parts: int


@dataclass(slots=True, kw_only=True, eq=False)
class Debt:
    """One due installment. `open` means beyond grace: its line is shown and collected."""

    seq: int
    start_date: date
    due_date: date
    grace_end: date
    principal: int
    interest: int
    unpaid_principal: int
    unpaid_interest: int
    net_interest: int  # its interest less what was given up before it fell due
    rate: DefaultRate
    bears_compound: bool
    interest_days: list[tuple[Stretch, int]]  # how its interest came about
    agreed: Agreed
    misused: int = 0  # principal that bears the misuse rate, the last of it to be paid
    fee: int = 0
    pen_num: int = 0
    comp_num: int = 0
    den: int = 1
    per_fen: int = 0  # what a fen overdue adds to a numerator in a day
    misuse_per_fen: int = 0  # and what a misused one adds besides
    anchor: date = field(init=False)
    open: bool = False
    paid: bool = False  # some money has gone to it
    waived: bool = False  # some of it was given up
    written_off: bool = False  # what was left of it is claimed outside the balance
    settled_on: date | None = None
    arrears: list[Arrears] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.anchor = self.due_date
        self.change_rate(self.rate)

    @property
    def in_arrears(self) -> bool:
        """Principal or interest is unpaid: this alone makes days past due."""
        return self.unpaid_principal > 0 or self.unpaid_interest > 0

    @property
    def settled(self) -> bool:
        """Nothing is left of it, residues below half a fen aside."""
        return not (self.in_arrears or self.fee or self.outstanding(PENALTY) or self.outstanding(COMPOUND))

    @property
    def steps(self) -> tuple[int, int]:
        """What a day adds to the numerators of penalty and compound."""
        penalty = self.unpaid_principal * self.per_fen
        if self.misuse_per_fen:
            penalty += min(self.misused, self.unpaid_principal) * self.misuse_per_fen
        return penalty, self.unpaid_interest * self.per_fen if self.bears_compound else 0

    def advance(self, day: date) -> None:
        """Let the sums run to the close of the night before `day`'s events."""
        if day == self.anchor:
            return
        days = (day - self.anchor).days
        pen_step, comp_step = self.steps
        self.pen_num += pen_step * days
        self.comp_num += comp_step * days
        self.anchor = day

    def outstanding(self, component: Component) -> int:
        """Fen to be collected now, the sums being advanced to today."""
        if component is PRINCIPAL:
            return self.unpaid_principal
        if component is INTEREST:
            return self.unpaid_interest
        if component is FEE:
            return self.fee
        if not self.open:
            return 0
        return div_half_up(self.pen_num if component is PENALTY else self.comp_num, self.den)

    def reduce(self, component: Component, amount: int) -> None:
        """Take fen off a component, the sums being advanced to today; a negative amount brings a waiver back."""
        if component is PRINCIPAL:
            self.unpaid_principal -= amount
            self._note()
        elif component is INTEREST:
            self.unpaid_interest -= amount
            self._note()
        elif component is FEE:
            self.fee -= amount
        elif component is PENALTY:
            self.pen_num -= amount * self.den
        else:
            self.comp_num -= amount * self.den
        if not self.open and not self.in_arrears:  # settled within grace: the default never was
            self.pen_num = self.comp_num = 0
            self.arrears.clear()
            self._note()

    def defer(self) -> int:
        """展期 · None of its principal is due yet after all; answers how much that is."""
        principal, self.principal, self.unpaid_principal = self.unpaid_principal, 0, 0
        self._note()
        return principal

    def change_rate(self, rate: DefaultRate) -> None:
        """Go on at another rate, the sums being advanced to today: rescaled to the common denominator."""
        den = lcm(self.den, rate.daily.denominator, rate.misuse_daily.denominator)
        self.pen_num *= den // self.den
        self.comp_num *= den // self.den
        self.den, self.rate = den, rate
        self.per_fen = rate.daily.numerator * (den // rate.daily.denominator)
        self.misuse_per_fen = rate.misuse_daily.numerator * (den // rate.misuse_daily.denominator)
        self._note()

    def state(self, day: date) -> InstallmentState:
        """The state of this installment at the close of `day`."""
        if self.written_off:
            return InstallmentState.WRITTEN_OFF
        left = self.settled_on is None
        return installment_state(left=left, paid=self.paid, waived=self.waived, overdue=day > self.grace_end)

    def _note(self) -> None:
        rate, misused = self.rate, self.misused and min(self.misused, self.unpaid_principal)
        standing = (self.unpaid_principal, self.unpaid_interest, rate.annual_rate, misused, rate.misuse_daily)
        now = made(Arrears, (self.anchor, *standing))
        if self.arrears and self.arrears[-1].from_date == self.anchor:
            self.arrears[-1] = now
        else:
            self.arrears.append(now)


def installment_state(*, left: bool, paid: bool, waived: bool, overdue: bool) -> InstallmentState:
    """The state of a due installment: nothing left is PAID, or WAIVED if no money came; else by grace (A01–A17)."""
    if not left:
        return InstallmentState.WAIVED if waived and not paid else InstallmentState.PAID
    if overdue:
        return InstallmentState.OVERDUE_PARTIAL if paid else InstallmentState.OVERDUE
    return InstallmentState.PARTIAL if paid else InstallmentState.DUE
