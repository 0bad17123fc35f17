"""数字由来 · How a figure came about: parts with rule, formula, inputs and the event behind each.

A formula is plain arithmetic in yuan over its inputs, with `round_half_up` to the cent. Worked out with the printed
inputs, without rounding in between, it gives the amount of its part; the parts add up to the figure.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.calculation.allocation import Component
from domain.calculation.loan.debt import Debt
from domain.calculation.loan.events import Rank
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Movement, MovementKind
from domain.calculation.loan.running import Growth, Running, Stretch
from domain.calculation.money import half_up, yuan
from domain.calculation.schedule import MONTHS_IN_PERIOD, PlanTerms, days_in_year


class LoanFigure(StrEnum):
    """The figures a fold explains (`LoanFigure` of the contract; provision is explained by its policy)."""

    PRINCIPAL_OUTSTANDING = "PRINCIPAL_OUTSTANDING"
    OVERDUE_PRINCIPAL = "OVERDUE_PRINCIPAL"
    ACCRUED_INTEREST = "ACCRUED_INTEREST"
    DUE_UNPAID_INTEREST = "DUE_UNPAID_INTEREST"
    PENALTY = "PENALTY"
    COMPOUND = "COMPOUND"
    FEES = "FEES"
    UNAPPLIED = "UNAPPLIED"
    ON_BALANCE_INTEREST = "ON_BALANCE_INTEREST"
    OFF_BALANCE_INTEREST = "OFF_BALANCE_INTEREST"


class Rule(StrEnum):
    """Why a part exists. These codes are stable: texts and links hang on them."""

    PAID_OUT = "PAID_OUT"
    PRINCIPAL_REPAID = "PRINCIPAL_REPAID"
    PRINCIPAL_WRITTEN_OFF = "PRINCIPAL_WRITTEN_OFF"
    OVERDUE_PRINCIPAL = "OVERDUE_PRINCIPAL"
    RUNNING_INTEREST = "RUNNING_INTEREST"
    DUE_INTEREST = "DUE_INTEREST"
    PENALTY = "PENALTY"
    COMPOUND = "COMPOUND"
    FEE = "FEE"
    KEPT_MONEY = "KEPT_MONEY"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a figure: `amount` in fen, `inputs` by the names in `formula`, the id of the event if there is one."""

    amount: int
    rule: Rule
    formula: str
    inputs: dict[str, str]
    event: str | None


INTEREST_FIGURES = (
    LoanFigure.ACCRUED_INTEREST,
    LoanFigure.DUE_UNPAID_INTEREST,
    LoanFigure.PENALTY,
    LoanFigure.COMPOUND,
)


def explain(fold: Fold, figure: LoanFigure, day: date) -> list[Part]:
    """The parts of a figure at the close of `day`. Raises ValueError before the first pay-out."""
    known = fold.on(day)
    non_accrual = known.position_on(day).non_accrual
    if figure in (LoanFigure.ON_BALANCE_INTEREST, LoanFigure.OFF_BALANCE_INTEREST):
        if non_accrual is not (figure is LoanFigure.OFF_BALANCE_INTEREST):
            return []
        return [part for each in INTEREST_FIGURES for part in _Explanation(known).parts(each)]
    return _Explanation(known).parts(figure)


class _Explanation:
    """One fold, read at its last day."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.state = fold.state
        self.plan: PlanTerms = fold.terms.plan
        self.year = days_in_year(self.plan.basis)
        self.sums: Counter[tuple[int | None, Component | None, MovementKind]] = Counter()
        self.last_event: dict[int | None, str] = {}
        for movement in fold.movements:
            self.sums[movement.seq, movement.component, movement.kind] += movement.amount
            if movement.event:
                self.last_event[movement.seq] = movement.event

    def parts(self, figure: LoanFigure) -> list[Part]:
        match figure:
            case LoanFigure.PRINCIPAL_OUTSTANDING:
                return [_principal(movement) for movement in self.fold.movements if _moves_principal(movement)]
            case LoanFigure.ACCRUED_INTEREST:
                return [self._running(self.state.running)] if self.state.running else []
            case LoanFigure.UNAPPLIED:
                return [self._kept(kept.receipt, kept.amount) for kept in self.state.kept]
        explain_debt = {
            LoanFigure.OVERDUE_PRINCIPAL: self._overdue_principal,
            LoanFigure.DUE_UNPAID_INTEREST: self._due_interest,
            LoanFigure.PENALTY: self._penalty,
            LoanFigure.COMPOUND: self._compound,
            LoanFigure.FEES: self._fee,
        }[figure]
        parts = [explain_debt(debt) for debt in self.state.unsettled]
        return [part for part in parts if part.amount]

    def _overdue_principal(self, debt: Debt) -> Part:
        paid = debt.principal - debt.unpaid_principal
        inputs = {"principal": _money(debt.principal), "paid": _money(paid)}
        amount = debt.unpaid_principal if debt.open else 0
        return Part(amount, Rule.OVERDUE_PRINCIPAL, "principal - paid", inputs, self.last_event.get(debt.seq))

    def _due_interest(self, debt: Debt) -> Part:
        """Its interest as it ran, less what was paid and given up."""
        paid = self.sums[debt.seq, Component.INTEREST, MovementKind.ALLOCATED]
        waived = debt.interest - debt.unpaid_interest - paid
        ran = sum((Fraction(s.step * days, s.den) for s, days in debt.interest_days), Fraction(0))
        formula, inputs = "interest", {"interest": _money(debt.interest)}
        if half_up(ran) == debt.interest:
            formula, inputs = self._growth(debt.interest_days)
            formula = f"round_half_up({formula})"
        inputs |= {"paid": _money(paid), "waived": _money(waived)}
        amount, event = debt.unpaid_interest, self.last_event.get(debt.seq)
        return Part(amount, Rule.DUE_INTEREST, f"{formula} - paid - waived", inputs, event)

    def _running(self, running: Running) -> Part:
        day, planned = self.state.day, running.planned
        event = self._maker(running.stretches[-1].from_date)
        if not running.grants:
            formula, inputs = self._growth(running.days(day))
            return Part(running.interest(day), Rule.RUNNING_INTEREST, f"round_half_up({formula})", inputs, event)
        formula, inputs = self._growth(running.days(planned.due_date))
        inputs |= {"waived": _money(running.waived), "elapsed_days": str(running.elapsed(day))}
        inputs |= {"period_days": str(planned.days)}
        formula = f"round_half_up(({formula} - waived) * elapsed_days / period_days)"
        return Part(running.interest(day), Rule.RUNNING_INTEREST, formula, inputs, running.grants[-1].event)

    def _growth(self, days: list[tuple[Stretch, int]]) -> tuple[str, dict[str, str]]:
        """Interest over some stretches, as a sum."""
        terms, inputs = [], {}
        for k, (stretch, count) in enumerate(days, 1):
            inputs[f"days_{k}"] = str(count)
            if stretch.growth is not Growth.BY_DAYS:
                inputs[f"period_days_{k}"] = str(stretch.period_days)
            if stretch.growth is Growth.SPREAD:
                inputs[f"interest_{k}"] = _money(stretch.step)
                terms.append(f"interest_{k} * days_{k} / period_days_{k}")
                continue
            inputs |= {f"base_{k}": _money(stretch.balance), f"annual_rate_{k}": _rate(stretch.annual_rate)}
            if stretch.growth is Growth.PERIODIC:
                months = MONTHS_IN_PERIOD[self.plan.period_unit]
                terms.append(f"base_{k} * annual_rate_{k} * {months} / 12 * days_{k} / period_days_{k}")
            else:
                terms.append(f"base_{k} * annual_rate_{k} * days_{k} / {self.year}")
        return " + ".join(terms), inputs

    def _penalty(self, debt: Debt) -> Part:
        bases = [arrears.principal for arrears in debt.arrears]
        return self._default(debt, Component.PENALTY, Rule.PENALTY, bases)

    def _compound(self, debt: Debt) -> Part:
        bases = [arrears.interest if debt.bears_compound else 0 for arrears in debt.arrears]
        return self._default(debt, Component.COMPOUND, Rule.COMPOUND, bases)

    def _default(self, debt: Debt, component: Component, rule: Rule, bases: list[int]) -> Part:
        """What ran since the due date, over the stretches of arrears, less what was paid and given up."""
        ends = [*(later.from_date for later in debt.arrears[1:]), self.state.day]
        terms: list[str] = []
        inputs = {"multiplier": _rate(self.fold.terms.penalty_multiplier)}
        for arrears, base, end in zip(debt.arrears, bases, ends, strict=True):
            days = (end - arrears.from_date).days
            if base and days:
                k = len(terms) + 1
                inputs |= {f"base_{k}": _money(base), f"annual_rate_{k}": _rate(arrears.annual_rate)}
                inputs[f"days_{k}"] = str(days)
                terms.append(f"base_{k} * annual_rate_{k} * multiplier * days_{k} / {self.year}")
            if component is Component.PENALTY and arrears.misused and arrears.misuse_daily and days:
                k = len(terms) + 1
                inputs |= {f"misused_{k}": _money(arrears.misused), f"days_{k}": str(days)}
                inputs[f"misuse_rate_{k}"] = _rate(arrears.misuse_daily * self.year)
                terms.append(f"misused_{k} * misuse_rate_{k} * days_{k} / {self.year}")
        paid = self.sums[debt.seq, component, MovementKind.ALLOCATED]
        waived = self.sums[debt.seq, component, MovementKind.WAIVED]
        waived -= self.sums[debt.seq, component, MovementKind.LAPSED]
        inputs |= {"paid": _money(paid), "waived": _money(waived)}
        formula = f"round_half_up({' + '.join(terms) or '0'} - paid - waived)"
        amount = self.state.outstanding(debt, component)
        return Part(amount, rule, formula, inputs, self.last_event.get(debt.seq))

    def _fee(self, debt: Debt) -> Part:
        charged = self.sums[debt.seq, Component.FEE, MovementKind.CHARGED]
        paid = self.sums[debt.seq, Component.FEE, MovementKind.ALLOCATED]
        inputs = {"charged": _money(charged), "paid": _money(paid), "waived": _money(charged - paid - debt.fee)}
        return Part(debt.fee, Rule.FEE, "charged - paid - waived", inputs, self.last_event.get(debt.seq))

    def _kept(self, receipt: str, amount: int) -> Part:
        applied = sum(line.amount for line in self.fold.allocations[receipt])
        refunded = self.state.refunded[receipt]
        inputs = {"received": _money(amount + applied + refunded), "applied": _money(applied)}
        formula = "received - applied"
        if refunded:
            inputs["refunded"] = _money(refunded)
            formula += " - refunded"
        return Part(amount, Rule.KEPT_MONEY, formula, inputs, receipt)

    def _maker(self, day: date) -> str | None:
        """The event that made the running line begin on that day, if it was no due date."""
        makers = (Rank.PAY_OUT, Rank.AMENDMENT, Rank.PREPAYMENT)
        return next((e.id for e in reversed(self.fold.events) if e.value_date == day and e.rank in makers), None)


def _moves_principal(movement: Movement) -> bool:
    """What is recovered after a write-off moves the claim outside the balance, not the principal."""
    return movement.component is Component.PRINCIPAL and movement.kind is not MovementKind.RECOVERED


def _principal(movement: Movement) -> Part:
    amount = _money(movement.amount)
    if movement.kind is MovementKind.PAID_OUT:
        return Part(movement.amount, Rule.PAID_OUT, "paid_out", {"paid_out": amount}, movement.event)
    if movement.kind is MovementKind.WRITTEN_OFF:
        inputs = {"written_off": amount}
        return Part(-movement.amount, Rule.PRINCIPAL_WRITTEN_OFF, "-written_off", inputs, movement.event)
    return Part(-movement.amount, Rule.PRINCIPAL_REPAID, "-paid", {"paid": amount}, movement.event)


def _money(amount: int) -> str:
    return str(yuan(amount))


def _rate(rate: Fraction) -> str:
    """A rate as a plain decimal; agreed rates and multipliers have few places."""
    return format((Decimal(rate.numerator) / rate.denominator).normalize(), "f")
