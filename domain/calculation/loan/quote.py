"""提前结清报价 · Payoff quote: what settles a loan at the close of a day (golden S35, X4)."""

from dataclasses import dataclass

from domain.calculation.loan.debt import COMPOUND, PENALTY
from domain.calculation.loan.state import LoanState
from domain.calculation.money import half_up
from domain.calculation.schedule import days_in_year


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """提前结清 · What settles the loan at the close of a day, in fen."""

    principal: int
    interest: int
    penalty: int
    compound: int
    fee: int
    unapplied: int

    @property
    def total(self) -> int:
        return self.principal + self.interest + self.penalty + self.compound + self.fee

    @property
    def to_pay(self) -> int:
        """The price less the money kept already."""
        return max(0, self.total - self.unapplied)


def payoff(state: LoanState) -> Quote:
    """Principal, interest by days, arrears, and the fee on what is not due (golden S35, X4)."""
    running = state.running
    by_days = running.by_days(state.day, days_in_year(state.terms.plan.basis))[1] if running else 0
    return Quote(
        principal=state.principal,
        interest=state.due_interest + by_days,
        penalty=sum(state.outstanding(debt, PENALTY) for debt in state.unsettled),
        compound=sum(state.outstanding(debt, COMPOUND) for debt in state.unsettled),
        fee=state.fee + sum(state.fees_ahead.values()) + prepayment_fee(state, state.not_due),
        unapplied=state.unapplied,
    )


def prepayment_fee(state: LoanState, principal: int) -> int:
    """违约金 · Rate x principal that is paid before it is due."""
    return half_up(state.terms.prepayment_fee_rate * principal)
