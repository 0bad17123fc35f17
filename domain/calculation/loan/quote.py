"""提前结清报价 · Payoff quote: what settles a loan at the close of a day (golden S35, X4)."""

from datetime import date

from domain.calculation.loan.effects import Quote, payoff
from domain.calculation.loan.fold import Fold


def quote(fold: Fold, day: date) -> Quote:
    """Principal, interest by days, arrears and fee at the close of `day`, in fen, and the money kept.

    A receipt of `to_pay` with SETTLE on that day leaves nothing. Raises ValueError before the first pay-out.
    """
    return payoff(fold.on(day).state)
