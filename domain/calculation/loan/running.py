"""当期 · The running period: interest that grows day by day until the installment falls due.

The interest is a chain of stretches, one straight line each; a change inside the period begins a new one and leaves
what has grown (X6). A waiver restates the whole line: (interest − waived) x elapsed ÷ days.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum, auto
from fractions import Fraction
from math import lcm

from domain.calculation.allocation import Component
from domain.calculation.money import div_half_up, half_up
from domain.calculation.schedule import (
    BY_DAYS_ONLY,
    Basis,
    PlannedInstallment,
    PlanTerms,
    days_in_year,
    period_rate,
)


class Growth(Enum):
    """How a stretch grows."""

    SPREAD = auto()  # the interest of the installment, evenly over the days of the period
    PERIODIC = auto()  # balance x period rate, evenly over the days of the period: after a change inside it
    BY_DAYS = auto()  # balance x annual rate ÷ days of the year


@dataclass(frozen=True, slots=True)
class Stretch:
    """From a day on: the principal not yet due, the rate, and what a day adds: step ÷ den fen."""

    from_date: date
    balance: int
    annual_rate: Fraction
    growth: Growth
    step: int
    den: int
    period_days: int


@dataclass(slots=True)
class Grant:
    """What one waiver gave up on one installment, in fen."""

    event: str
    seq: int
    component: Component
    amount: int


@dataclass(slots=True)
class Running:
    """The installment that runs, its stretches, the waivers on its interest and the fees that wait for its due date."""

    planned: PlannedInstallment
    stretches: list[Stretch]
    surcharge: list[Stretch] = field(default_factory=list)  # what misused principal bears besides (挪用罚息)
    grants: list[Grant] = field(default_factory=list)

    @classmethod
    def begin(cls, planned: PlannedInstallment, balance: int, plan: PlanTerms) -> "Running":
        """A whole period. PERIODIC spreads the interest of the installment evenly; else each day bears its own."""
        start, days, rate = planned.start_date, planned.days, plan.annual_rate
        if plan.basis is Basis.PERIODIC:
            return cls(planned, [Stretch(start, balance, rate, Growth.SPREAD, planned.interest, days, days)])
        return cls(planned, [_by_days(start, balance, plan, days)])

    def change(self, planned: PlannedInstallment, balance: int, plan: PlanTerms, day: date) -> None:
        """Go on under a new plan: what has grown stays, the rest of the days grows on the new balance, unrounded."""
        self.planned = planned
        if self.elapsed(day) == 0:
            self.stretches = Running.begin(planned, balance, plan).stretches
        else:
            if self.stretches[-1].from_date == day:
                del self.stretches[-1]
            self.stretches.append(_after_change(day, balance, plan, planned.days))
        self.limit_waivers(self.whole_interest)

    def bear(self, surcharge_rate: Fraction, misused: int, plan: PlanTerms, day: date) -> None:
        """From `day` on the misused part bears this rate besides the contract rate; 0 ends it."""
        if self.surcharge and self.surcharge[-1].from_date == day:
            del self.surcharge[-1]
        if surcharge_rate or self.surcharge:
            besides = replace(plan, annual_rate=surcharge_rate)
            self.surcharge.append(_after_change(day, misused, besides, self.planned.days))
            self.limit_waivers(self.whole_interest)

    def limit_waivers(self, most: int) -> None:
        """No more is given up than there is, the last waiver giving way first."""
        excess = self.waived - most
        for grant in reversed(self.grants):
            back = min(max(0, excess), grant.amount)
            grant.amount -= back
            excess -= back

    def elapsed(self, day: date) -> int:
        return (day - self.planned.start_date).days

    @property
    def waived(self) -> int:
        return sum(grant.amount for grant in self.grants)

    @property
    def whole_interest(self) -> int:
        """The interest of the installment when it falls due, before waivers."""
        return self.gross_interest(self.planned.due_date)

    def gross_interest(self, day: date) -> int:
        """The running interest at the close of `day` before waivers, in fen."""
        return div_half_up(*self._gross(day))

    def line(self, day: date) -> tuple[int, int, int]:
        """The running interest at the close of `day`: (num, step, den)."""
        if self.grants:
            num, den = self._gross(self.planned.due_date)
            step = num - self.waived * den
            return step * self.elapsed(day), step, den * self.planned.days
        num, den = self._gross(day)
        last = self.stretches[-1]
        step = last.step * (den // last.den)
        if self.surcharge:
            step += self.surcharge[-1].step * (den // self.surcharge[-1].den)
        return num, step, den

    def interest(self, day: date) -> int:
        """The running interest at the close of `day`, in fen."""
        num, _, den = self.line(day)
        return div_half_up(num, den)

    def by_days(self, day: date, year: int) -> tuple[int, int]:
        """Interest of a settlement on `day`: (before waivers, after), each balance x its days x annual ÷ year (S35)."""
        exact = sum((s.balance * s.annual_rate * days / year for s, days in self.days(day)), Fraction(0))
        given_up = Fraction(self.waived * self.elapsed(day), self.planned.days)
        return half_up(exact), max(0, half_up(exact - given_up))

    def days(self, day: date) -> list[tuple[Stretch, int]]:
        """The stretches with the days each has run at the close of `day`."""
        return [*_days(self.stretches, day), *_days(self.surcharge, day)]

    def _gross(self, day: date) -> tuple[int, int]:
        """The exact running interest before waivers: (num, den). Most periods have one stretch."""
        if len(self.stretches) == 1 and not self.surcharge:
            only = self.stretches[0]
            return only.step * (day - only.from_date).days, only.den
        den = lcm(*(s.den for s in (*self.stretches, *self.surcharge)))
        return sum(s.step * (den // s.den) * days for s, days in self.days(day)), den


def _days(chain: list[Stretch], day: date) -> list[tuple[Stretch, int]]:
    ends = [*(later.from_date for later in chain[1:]), day]
    return [(stretch, (end - stretch.from_date).days) for stretch, end in zip(chain, ends, strict=False)]


def _by_days(day: date, balance: int, plan: PlanTerms, period_days: int) -> Stretch:
    daily = plan.annual_rate / days_in_year(plan.basis)
    step = balance * daily.numerator
    return Stretch(day, balance, plan.annual_rate, Growth.BY_DAYS, step, daily.denominator, period_days)


def _after_change(day: date, balance: int, plan: PlanTerms, period_days: int) -> Stretch:
    if plan.basis is not Basis.PERIODIC or plan.method in BY_DAYS_ONLY:
        return _by_days(day, balance, plan, period_days)
    daily = period_rate(plan.annual_rate, plan.period_unit) / period_days
    step = balance * daily.numerator
    return Stretch(day, balance, plan.annual_rate, Growth.PERIODIC, step, daily.denominator, period_days)
