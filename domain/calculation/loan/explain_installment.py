"""期的由来 · How the figures of one installment came about: its row of the plan, and what has become of it since."""

from datetime import date
from enum import StrEnum
from fractions import Fraction

from domain.calculation.loan.debt import Agreed, Debt
from domain.calculation.loan.explain import Explanation, Part, Rule, Text, money, rate
from domain.calculation.loan.fold import Fold
from domain.calculation.money import div_half_up, half_up
from domain.calculation.schedule import (
    BY_DAYS_ONLY,
    MONTHS_IN_PERIOD,
    Basis,
    Method,
    PlannedInstallment,
    PlanTerms,
    days_in_year,
    level_payment,
    period_rate,
)


class InstallmentFigure(StrEnum):
    """The money fields of an installment, each of which explains itself."""

    PRINCIPAL = "PRINCIPAL"
    """应还本金 Principal of the installment."""
    INTEREST = "INTEREST"
    """应还利息 Its whole interest, also after a waiver."""
    UNPAID_PRINCIPAL = "UNPAID_PRINCIPAL"
    """未还本金 Principal not yet paid."""
    UNPAID_INTEREST = "UNPAID_INTEREST"
    """未还利息 Interest neither paid nor waived."""
    PENALTY = "PENALTY"
    """罚息 Penalty outstanding."""
    COMPOUND = "COMPOUND"
    """复利 Compound interest outstanding."""
    FEE = "FEE"
    """费用 Fee outstanding."""


class PlannedFigure(StrEnum):
    """The money fields of an installment of a plan, each of which explains itself."""

    PRINCIPAL = "PRINCIPAL"
    """本金 Principal."""
    INTEREST = "INTEREST"
    """利息 Interest."""
    PAYMENT = "PAYMENT"
    """应还 Principal and interest."""
    BALANCE_AFTER = "BALANCE_AFTER"
    """剩余本金 Principal left afterwards."""


def explain_installments(fold: Fold, figure: InstallmentFigure, day: date) -> dict[int, list[Part]]:
    """By seq the parts, in fen, of a figure of `installments_on(day)`: one each, or none where penalty, compound or fee is
    nothing. Raises ValueError before the first pay-out."""
    explanation = _Installments(fold.on(day))
    planned = {row.seq: explanation.planned(row, figure) for row in explanation.state.version.rest}
    return planned | {debt.seq: explanation.due(debt, figure) for debt in explanation.state.debts.values()}


def explain_planned(fold: Fold, figure: PlannedFigure) -> dict[int, list[Part]]:
    """By seq the one part, in fen, of a figure of the plan in force at the close of the day to which the loan is folded."""
    version, events = fold.state.version, _Installments(fold).set_the_plan()
    found = {}
    for row in version.installments:
        rule, amount, (formula, inputs) = _planned(figure, version.agreed(row))
        found[row.seq] = [Part(amount, rule, formula, inputs, events, row.seq)]
    return found


def _planned(figure: PlannedFigure, agreed: Agreed) -> tuple[Rule, int, Text]:
    row = agreed.row
    match figure:
        case PlannedFigure.PRINCIPAL:
            return Rule.INSTALLMENT_PRINCIPAL, row.principal, principal_of(agreed)
        case PlannedFigure.INTEREST:
            return Rule.INSTALLMENT_INTEREST, row.interest, interest_of(agreed)
        case PlannedFigure.PAYMENT:
            inputs = {"principal": money(row.principal), "interest": money(row.interest)}
            return Rule.SUM, row.payment, ("principal + interest", inputs)
        case PlannedFigure.BALANCE_AFTER:
            inputs = {"balance": money(row.balance_after + row.principal), "principal": money(row.principal)}
            return Rule.SUM, row.balance_after, ("balance - principal", inputs)


class _Installments(Explanation):
    """What one installment has besides the parts of the position."""

    def due(self, debt: Debt, figure: InstallmentFigure) -> list[Part]:
        debt.advance(self.state.day)
        match figure:
            case InstallmentFigure.PRINCIPAL:
                formula, inputs = _due_principal(debt)
                return [Part(debt.principal, Rule.INSTALLMENT_PRINCIPAL, formula, inputs, self._made(debt), debt.seq)]
            case InstallmentFigure.INTEREST:
                formula, inputs = self.interest_of(debt)
                return [Part(debt.interest, Rule.INSTALLMENT_INTEREST, formula, inputs, self._made(debt), debt.seq)]
            case InstallmentFigure.UNPAID_PRINCIPAL:
                return [self.unpaid_principal(debt)]
            case InstallmentFigure.UNPAID_INTEREST:
                return [self.due_interest(debt)]
        explained = {
            InstallmentFigure.PENALTY: self.penalty,
            InstallmentFigure.COMPOUND: self.compound,
            InstallmentFigure.FEE: self.fee,
        }[figure](debt)
        return [explained] if explained.amount else []

    def planned(self, row: PlannedInstallment, figure: InstallmentFigure) -> list[Part]:
        """Not due yet: what the plan says, of the running one what its line will have reached."""
        agreed, events = self.state.version.agreed(row), self.set_the_plan()
        match figure:
            case InstallmentFigure.PRINCIPAL | InstallmentFigure.UNPAID_PRINCIPAL:
                formula, inputs = principal_of(agreed)
                return [Part(row.principal, Rule.INSTALLMENT_PRINCIPAL, formula, inputs, events, row.seq)]
            case InstallmentFigure.INTEREST:
                amount, (formula, inputs) = self._interest_ahead(agreed)
                return [Part(amount, Rule.INSTALLMENT_INTEREST, formula, inputs, events, row.seq)]
            case InstallmentFigure.UNPAID_INTEREST:
                return [self._unpaid_interest_ahead(agreed, events)]
            case InstallmentFigure.FEE if charged := self.state.fees_ahead.get(row.seq, 0):
                return [
                    Part(charged, Rule.FEE, "charged", {"charged": money(charged)}, self.charges_of(row.seq), row.seq)
                ]
        return []

    def _made(self, debt: Debt) -> tuple[str, ...]:
        """What made it: the plan, and where it fell due before its day, what brought that about."""
        early = debt.due_date != debt.agreed.row.due_date

        def counts(event_id: str, on: date) -> bool:
            return (
                early and on == debt.due_date and any(key[0] == debt.seq and key[2] == event_id for key in self.moved)
            )

        before = set(self.behind(debt, None))
        return tuple(e.id for e in self.events if e.id in before or counts(e.id, e.value_date))

    def _interest_ahead(self, agreed: Agreed) -> tuple[int, Text]:
        running = self.state.running
        if running is None or running.planned.seq != agreed.row.seq:
            return agreed.row.interest, interest_of(agreed)
        formula, inputs = self.growth(running.days(running.planned.due_date))
        return running.whole_interest, (f"round_half_up({formula})", inputs)

    def _unpaid_interest_ahead(self, agreed: Agreed, events: tuple[str, ...]) -> Part:
        running, seq = self.state.running, agreed.row.seq
        grants = [grant for grant in self.state.waivers_ahead if grant.seq == seq]
        if running is not None and running.planned.seq == seq:
            grants = running.grants
        given_up = sum(grant.amount for grant in grants)
        amount, (formula, inputs) = self._interest_ahead(agreed)
        ids = {*events, *(grant.event for grant in grants)}
        behind = tuple(event.id for event in self.events if event.id in ids)
        inputs = inputs | {"waived": money(given_up)}
        return Part(
            max(0, amount - given_up), Rule.INSTALLMENT_INTEREST, f"max(0, {formula} - waived)", inputs, behind, seq
        )


def _due_principal(debt: Debt) -> Text:
    """As planned; or all that was not due, where it fell due at once; or nothing, where an extension moved it on."""
    if debt.principal == debt.agreed.row.principal:
        return principal_of(debt.agreed)
    return ("not_due", {"not_due": money(debt.principal)}) if debt.principal else ("0", {})


def principal_of(agreed: Agreed) -> Text:
    """How the plan has made the principal of an installment: the method's own formula wherever it gives that amount, else the
    amount as it was agreed (a plan written by hand, a part scaled to another balance)."""
    row, terms = agreed.row, agreed.terms
    if not row.principal:
        return "0", {}
    if not row.balance_after:
        return "balance", {"balance": money(row.principal)}
    if agreed.kept == row.payment and terms.method in (Method.EQUAL_INSTALLMENT, Method.BALLOON):
        level, inputs = _level_payment(agreed)
        return f"{level} - interest", inputs | {"interest": money(row.interest)}
    count = agreed.parts - terms.principal_grace_periods
    if count > 0 and div_half_up(terms.principal, count) == row.principal and terms.method is not Method.CUSTOM:
        inputs = {"principal": money(terms.principal), "installments": str(count)}
        return "round_half_up(principal / installments)", inputs
    return "agreed", {"agreed": money(row.principal)}


def _level_payment(agreed: Agreed) -> Text:
    """The level installment; a shortened term keeps the one it had."""
    terms, count = agreed.terms, agreed.parts - agreed.terms.principal_grace_periods
    if terms.method is Method.BALLOON:
        count = terms.amortization_periods or count
    if terms.annual_rate and terms.period_unit in MONTHS_IN_PERIOD and count > 0:
        months = MONTHS_IN_PERIOD[terms.period_unit]
        if level_payment(terms.principal, period_rate(terms.annual_rate, terms.period_unit), count) == agreed.kept:
            rated = f"annual_rate * {months} / 12"
            inputs = {"principal": money(terms.principal), "annual_rate": rate(terms.annual_rate)}
            formula = f"round_half_up(principal * {rated} / (1 - 1 / power(1 + {rated}, installments)))"
            return formula, inputs | {"installments": str(count)}
    return "level_payment", {"level_payment": money(agreed.kept)}


def interest_of(agreed: Agreed) -> Text:
    """How the plan has made the interest of an installment: the balance before it, or with 等本等息 the amount lent, x the rate
    of a period or by days; else the amount as it was agreed."""
    row, terms = agreed.row, agreed.terms
    for base in (row.balance_after + row.principal, terms.principal):
        factor, inputs, exact = _times(terms, row.days)
        if half_up(base * exact) == row.interest:
            return f"round_half_up(base * {factor})", {"base": money(base)} | inputs
    return "interest", {"interest": money(row.interest)}


def _times(terms: PlanTerms, days: int) -> tuple[str, dict[str, str], Fraction]:
    """What a balance is multiplied by for one period."""
    inputs = {"annual_rate": rate(terms.annual_rate)}
    if terms.basis is Basis.PERIODIC and terms.method not in BY_DAYS_ONLY:
        months = MONTHS_IN_PERIOD[terms.period_unit]
        return f"annual_rate * {months} / 12", inputs, period_rate(terms.annual_rate, terms.period_unit)
    year = days_in_year(terms.basis)
    return f"annual_rate * days / {year}", inputs | {"days": str(days)}, terms.annual_rate * days / year
