"""报价由来 · How a payoff quote came about: the same parts as a position has, the interest by days and the fee on what is prepaid."""

from datetime import date
from enum import StrEnum

from domain.calculation.loan.explain import Explanation, LoanFigure, Part, Rule, money, rate
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.quote import payoff, prepayment_fee


class PayoffFigure(StrEnum):
    """The money fields of a payoff quote, each of which explains itself."""

    PRINCIPAL = "PRINCIPAL"
    """本金 Principal outstanding."""
    INTEREST = "INTEREST"
    """利息 Interest due, and running by days."""
    PENALTY = "PENALTY"
    """罚息 Penalty interest."""
    COMPOUND = "COMPOUND"
    """复利 Compound interest."""
    FEE = "FEE"
    """费用 Fees, those ahead and the prepayment fee included."""
    TOTAL = "TOTAL"
    """合计 What settles the loan."""
    UNAPPLIED = "UNAPPLIED"
    """待冲账 Money kept already."""
    TO_PAY = "TO_PAY"
    """应付 What is still to be paid."""


AS_IN_THE_POSITION = {
    PayoffFigure.PRINCIPAL: LoanFigure.PRINCIPAL_OUTSTANDING,
    PayoffFigure.INTEREST: LoanFigure.DUE_UNPAID_INTEREST,
    PayoffFigure.PENALTY: LoanFigure.PENALTY,
    PayoffFigure.COMPOUND: LoanFigure.COMPOUND,
    PayoffFigure.FEE: LoanFigure.FEES,
    PayoffFigure.UNAPPLIED: LoanFigure.UNAPPLIED,
}


def explain_payoff(fold: Fold, figure: PayoffFigure, day: date) -> list[Part]:
    """The parts of a figure of the quote on `day` (golden S35, X4). Raises ValueError before the first pay-out."""
    explanation = _Payoff(fold.on(day))
    if figure in AS_IN_THE_POSITION:
        parts = explanation.parts(AS_IN_THE_POSITION[figure])
        if figure is PayoffFigure.INTEREST:
            parts += explanation.interest_by_days()
        elif figure is PayoffFigure.FEE:
            parts += explanation.fees_ahead() + explanation.prepayment_fee()
        return parts
    return explanation.sum_of(figure)


class _Payoff(Explanation):
    """What a quote has besides the parts of the position."""

    def interest_by_days(self) -> list[Part]:
        """The running period by stretches: each balance x its days x annual ÷ year, less the waived share elapsed."""
        running, day = self.state.running, self.state.day
        if running is None:
            return []
        formula, inputs, _ = self.by_days(running.days(day))
        if running.grants:
            inputs |= {"waived": money(running.waived), "elapsed_days": str(running.elapsed(day))}
            inputs["period_days"] = str(running.planned.days)
            formula += " - waived * elapsed_days / period_days"
        formula = f"max(0, round_half_up({formula}))"
        amount = running.by_days(day, self.year)[1]
        return [Part(amount, Rule.INTEREST_BY_DAYS, formula, inputs, self.running_events(running), running.planned.seq)]

    def fees_ahead(self) -> list[Part]:
        """Charged on installments that are not due."""
        return [
            Part(amount, Rule.FEE, "charged", {"charged": money(amount)}, self.charges_of(seq), seq)
            for seq, amount in sorted(self.state.fees_ahead.items())
            if amount
        ]

    def prepayment_fee(self) -> list[Part]:
        """Rate x principal that is paid before it is due."""
        amount = prepayment_fee(self.state, self.state.not_due)
        if not amount:
            return []
        inputs = {"principal": money(self.state.not_due), "fee_rate": rate(self.state.terms.prepayment_fee_rate)}
        events = tuple(event.id for event in self.events if self.sets(event))
        return [Part(amount, Rule.PREPAYMENT_FEE, "round_half_up(principal * fee_rate)", inputs, events)]

    def sum_of(self, figure: PayoffFigure) -> list[Part]:
        """The price of settling as the sum of its fields, and what is to pay of it."""
        quote, events = payoff(self.state), tuple(event.id for event in self.events)
        if figure is PayoffFigure.TOTAL:
            names = ("principal", "interest", "penalty", "compound", "fee")
            inputs = {name: money(getattr(quote, name)) for name in names}
            return [Part(quote.total, Rule.SUM, " + ".join(names), inputs, events)]
        inputs = {"total": money(quote.total), "unapplied": money(quote.unapplied)}
        return [Part(quote.to_pay, Rule.SUM, "max(0, total - unapplied)", inputs, events)]
