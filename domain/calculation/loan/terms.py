"""贷款条件 · The terms a loan is folded under: its plan, its rates of default and its order of allocation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from domain.calculation.allocation import DEFAULT_ORDER, Component, Strategy
from domain.calculation.classification import NATIONAL_2023, NON_ACCRUAL_AFTER_DPD, LendingMode, Ruleset
from domain.calculation.schedule import PlannedInstallment, PlanTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanTerms:
    """What was agreed. Rates are fractions of one, days are calendar days.

    `installments` is the plan as signed and stored; empty, it is made from `plan`. `grace_ends` maps a due date to
    the last day on which paying leaves no trace, where that is not due date + `grace_days`: it is stored with the
    plan, so a later edit of the calendar changes no history. `ruleset` and `lending_mode` give the system class.
    """

    plan: PlanTerms
    penalty_multiplier: Fraction
    compound: bool = True
    installments: tuple[PlannedInstallment, ...] = ()
    grace_days: int = 0
    grace_ends: Mapping[date, date] = field(default_factory=dict)
    order: tuple[Component, ...] = DEFAULT_ORDER
    strategy: Strategy = Strategy.BY_INSTALLMENT
    prepayment_fee_rate: Fraction = Fraction(0)
    ruleset: Ruleset = NATIONAL_2023
    lending_mode: LendingMode = LendingMode.CREDIT
    non_accrual_after: int = NON_ACCRUAL_AFTER_DPD

    def __post_init__(self) -> None:
        if sorted(self.order) != sorted(Component):
            raise ValueError(f"the order of allocation names each component once, not {self.order}")

    def grace_end(self, due_date: date) -> date:
        """The last day of grace (宽限期) of what falls due on that date."""
        return max(due_date, self.grace_ends.get(due_date) or due_date + timedelta(days=self.grace_days))
