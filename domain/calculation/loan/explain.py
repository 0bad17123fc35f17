"""数字由来 · How a figure came about: parts with rule, formula, inputs and the event behind each.

A formula is plain arithmetic in yuan over its inputs: + - * / and brackets, `round_half_up` to the cent, `max`, `min` and
`power`. Worked out with the printed inputs, with no other rounding, it gives the amount of its part; the parts add up to the figure.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.calculation.allocation import Component
from domain.calculation.loan.debt import Debt
from domain.calculation.loan.events import Event, Fee, Rank, Refund
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Movement, MovementKind
from domain.calculation.loan.running import Growth, Running, Stretch
from domain.calculation.money import half_up, yuan
from domain.calculation.schedule import MONTHS_IN_PERIOD, PlanTerms, days_in_year


class LoanFigure(StrEnum):
    """The figures of a position that explain themselves (`LoanFigure` of the contract)."""

    PRINCIPAL_OUTSTANDING = "PRINCIPAL_OUTSTANDING"
    """本金余额 Principal not yet repaid."""
    OVERDUE_PRINCIPAL = "OVERDUE_PRINCIPAL"
    """逾期本金 Principal due and unpaid."""
    ACCRUED_INTEREST = "ACCRUED_INTEREST"
    """应计利息 Interest earned and not due yet."""
    DUE_UNPAID_INTEREST = "DUE_UNPAID_INTEREST"
    """应收未收利息 Interest due and unpaid."""
    PENALTY = "PENALTY"
    """罚息 Penalty interest unpaid."""
    COMPOUND = "COMPOUND"
    """复利 Compound interest unpaid."""
    FEES = "FEES"
    """费用 Fees unpaid."""
    UNAPPLIED = "UNAPPLIED"
    """待冲账 Money received and not yet applied."""
    ON_BALANCE_INTEREST = "ON_BALANCE_INTEREST"
    """表内利息 Interest on the balance sheet."""
    OFF_BALANCE_INTEREST = "OFF_BALANCE_INTEREST"
    """表外利息 Interest off the balance sheet."""
    PROVISION = "PROVISION"
    """减值准备 Set aside for losses: what the policy requires, not what the fold says."""


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
    INTEREST_BY_DAYS = "INTEREST_BY_DAYS"
    PREPAYMENT_FEE = "PREPAYMENT_FEE"
    SUM = "SUM"
    INSTALLMENT_PRINCIPAL = "INSTALLMENT_PRINCIPAL"
    INSTALLMENT_INTEREST = "INSTALLMENT_INTEREST"
    UNPAID_PRINCIPAL = "UNPAID_PRINCIPAL"
    ALLOCATED = "ALLOCATED"
    PREPAID = "PREPAID"
    RECOVERED = "RECOVERED"


Text = tuple[str, dict[str, str]]
"""A formula and its inputs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a figure: `amount` in fen, `inputs` by the names in `formula`, and the installment it belongs to.

    `events` are the ids of what set its base and rate and of what moved it, in the order in which they take effect.
    """

    amount: int
    rule: Rule
    formula: str
    inputs: dict[str, str]
    events: tuple[str, ...]
    seq: int | None = None


INTEREST_FIGURES = (
    LoanFigure.ACCRUED_INTEREST,
    LoanFigure.DUE_UNPAID_INTEREST,
    LoanFigure.PENALTY,
    LoanFigure.COMPOUND,
)


def explain(fold: Fold, figure: LoanFigure, day: date) -> list[Part]:
    """The parts of a figure at the close of `day`. Raises ValueError before the first pay-out, and for the provision,
    which the policy explains (`domain.lending.loan.explanation`)."""
    if figure is LoanFigure.PROVISION:
        raise ValueError("a provision is explained by its policy")
    known = fold.on(day)
    non_accrual = known.position_on(day).non_accrual
    if figure in (LoanFigure.ON_BALANCE_INTEREST, LoanFigure.OFF_BALANCE_INTEREST):
        if non_accrual is not (figure is LoanFigure.OFF_BALANCE_INTEREST):
            return []
        return [part for each in INTEREST_FIGURES for part in Explanation(known).parts(each)]
    return Explanation(known).parts(figure)


class Explanation:
    """One fold, read at its last day."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.state = fold.state
        self.plan: PlanTerms = fold.terms.plan
        self.year = days_in_year(self.plan.basis)
        self.events = [event for event in fold.events if event.value_date <= self.state.day]
        self.sums: Counter[tuple[int | None, Component | None, MovementKind]] = Counter()
        self.moved: set[tuple[int | None, Component | None, str | None]] = set()
        for movement in fold.movements:
            self.sums[movement.seq, movement.component, movement.kind] += movement.amount
            self.moved.add((movement.seq, movement.component, movement.event))

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
            LoanFigure.DUE_UNPAID_INTEREST: self.due_interest,
            LoanFigure.PENALTY: self.penalty,
            LoanFigure.COMPOUND: self.compound,
            LoanFigure.FEES: self.fee,
        }[figure]
        parts = [explain_debt(debt) for debt in self.state.unsettled]
        return [part for part in parts if part.amount]

    def _overdue_principal(self, debt: Debt) -> Part:
        paid = debt.principal - debt.unpaid_principal
        inputs = {"principal": money(debt.principal), "paid": money(paid)}
        amount = debt.unpaid_principal if debt.open else 0
        events = self.behind(debt, Component.PRINCIPAL)
        return Part(amount, Rule.OVERDUE_PRINCIPAL, "principal - paid", inputs, events, debt.seq)

    def unpaid_principal(self, debt: Debt) -> Part:
        """Its principal, less what was paid and written off of it."""
        written_off = self.left(debt, Component.PRINCIPAL)[1]
        paid = debt.principal - debt.unpaid_principal - written_off
        inputs = {"principal": money(debt.principal), "paid": money(paid)}
        formula = "principal - paid" + _less_written_off(written_off, inputs)
        events = self.behind(debt, Component.PRINCIPAL)
        return Part(debt.unpaid_principal, Rule.UNPAID_PRINCIPAL, formula, inputs, events, debt.seq)

    def due_interest(self, debt: Debt) -> Part:
        """Its interest as it ran, less what was paid and given up."""
        paid, written_off = self.left(debt, Component.INTEREST)
        waived = debt.interest - debt.unpaid_interest - paid - written_off
        formula, inputs = self.interest_of(debt)
        inputs |= {"paid": money(paid), "waived": money(waived)}
        formula += " - paid - waived" + _less_written_off(written_off, inputs)
        events = self.behind(debt, Component.INTEREST)
        return Part(debt.unpaid_interest, Rule.DUE_INTEREST, formula, inputs, events, debt.seq)

    def left(self, debt: Debt, component: Component) -> tuple[int, int]:
        """What money took of a component, and what was written off of it."""
        allocated = self.sums[debt.seq, component, MovementKind.ALLOCATED]
        return allocated, self.sums[debt.seq, component, MovementKind.WRITTEN_OFF]

    def interest_of(self, debt: Debt) -> tuple[str, dict[str, str]]:
        """Its whole interest: as it ran, or by days where a settlement or an acceleration cut it short."""
        ran = sum((Fraction(s.step * days, s.den) for s, days in debt.interest_days), Fraction(0))
        if half_up(ran) == debt.interest:
            formula, inputs = self.growth(debt.interest_days)
            return f"round_half_up({formula})", inputs
        formula, inputs, by_days = self.by_days(debt.interest_days)
        if half_up(by_days) == debt.interest:
            return f"round_half_up({formula})", inputs
        return "interest", {"interest": money(debt.interest)}

    def by_days(self, days: list[tuple[Stretch, int]]) -> tuple[str, dict[str, str], Fraction]:
        """Interest of a settlement: each balance x its days x annual ÷ year, as text and exactly."""
        terms: list[str] = []
        inputs: dict[str, str] = {}
        for k, (stretch, count) in enumerate(days, 1):
            inputs |= {f"base_{k}": money(stretch.balance), f"annual_rate_{k}": rate(stretch.annual_rate)}
            inputs[f"days_{k}"] = str(count)
            terms.append(f"base_{k} * annual_rate_{k} * days_{k} / {self.year}")
        exact = sum((s.balance * s.annual_rate * count / self.year for s, count in days), Fraction(0))
        return " + ".join(terms), inputs, exact

    def _running(self, running: Running) -> Part:
        day, planned = self.state.day, running.planned
        events = self.running_events(running)
        if not running.grants:
            formula, inputs = self.growth(running.days(day))
            return Part(
                running.interest(day), Rule.RUNNING_INTEREST, f"round_half_up({formula})", inputs, events, planned.seq
            )
        formula, inputs = self.growth(running.days(planned.due_date))
        inputs |= {"waived": money(running.waived), "elapsed_days": str(running.elapsed(day))}
        inputs |= {"period_days": str(planned.days)}
        formula = f"round_half_up(({formula} - waived) * elapsed_days / period_days)"
        return Part(running.interest(day), Rule.RUNNING_INTEREST, formula, inputs, events, planned.seq)

    def growth(self, days: list[tuple[Stretch, int]]) -> tuple[str, dict[str, str]]:
        """Interest over some stretches, as a sum."""
        terms, inputs = [], {}
        for k, (stretch, count) in enumerate(days, 1):
            inputs[f"days_{k}"] = str(count)
            if stretch.growth is not Growth.BY_DAYS:
                inputs[f"period_days_{k}"] = str(stretch.period_days)
            if stretch.growth is Growth.SPREAD:
                whole, its_inputs = self._whole_interest(stretch, k)
                inputs |= its_inputs
                terms.append(f"{whole} * days_{k} / period_days_{k}")
                continue
            inputs |= {f"base_{k}": money(stretch.balance), f"annual_rate_{k}": rate(stretch.annual_rate)}
            if stretch.growth is Growth.PERIODIC:
                months = MONTHS_IN_PERIOD[self.plan.period_unit]
                terms.append(f"base_{k} * annual_rate_{k} * {months} / 12 * days_{k} / period_days_{k}")
            else:
                terms.append(f"base_{k} * annual_rate_{k} * days_{k} / {self.year}")
        return " + ".join(terms), inputs

    def _whole_interest(self, stretch: Stretch, k: int) -> tuple[str, dict[str, str]]:
        """The interest of a whole period: the balance x the rate of a period, or the amount lent x it (等本等息)."""
        months = MONTHS_IN_PERIOD[self.plan.period_unit]
        for base in (stretch.balance, self.plan.principal):
            if half_up(base * stretch.annual_rate * months / 12) == stretch.step:
                inputs = {f"base_{k}": money(base), f"annual_rate_{k}": rate(stretch.annual_rate)}
                return f"round_half_up(base_{k} * annual_rate_{k} * {months} / 12)", inputs
        return f"interest_{k}", {f"interest_{k}": money(stretch.step)}

    def penalty(self, debt: Debt) -> Part:
        bases = [arrears.principal for arrears in debt.arrears]
        return self._default(debt, Component.PENALTY, Rule.PENALTY, bases)

    def compound(self, debt: Debt) -> Part:
        bases = [arrears.interest if debt.bears_compound else 0 for arrears in debt.arrears]
        return self._default(debt, Component.COMPOUND, Rule.COMPOUND, bases)

    def _default(self, debt: Debt, component: Component, rule: Rule, bases: list[int]) -> Part:
        """What ran since the due date, over the stretches of arrears, less what was paid and given up."""
        ends = [*(later.from_date for later in debt.arrears[1:]), self.state.day]
        terms: list[str] = []
        inputs = {"multiplier": rate(self.fold.terms.penalty_multiplier)}
        for arrears, base, end in zip(debt.arrears, bases, ends, strict=True):
            days = (end - arrears.from_date).days
            if base and days:
                k = len(terms) + 1
                inputs |= {f"base_{k}": money(base), f"annual_rate_{k}": rate(arrears.annual_rate)}
                inputs[f"days_{k}"] = str(days)
                terms.append(f"base_{k} * annual_rate_{k} * multiplier * days_{k} / {self.year}")
            if component is Component.PENALTY and arrears.misused and arrears.misuse_daily and days:
                k = len(terms) + 1
                inputs |= {f"misused_{k}": money(arrears.misused), f"days_{k}": str(days)}
                inputs[f"misuse_rate_{k}"] = rate(arrears.misuse_daily * self.year)
                terms.append(f"misused_{k} * misuse_rate_{k} * days_{k} / {self.year}")
        paid, written_off = self.left(debt, component)
        waived = self.sums[debt.seq, component, MovementKind.WAIVED]
        waived -= self.sums[debt.seq, component, MovementKind.LAPSED]
        inputs |= {"paid": money(paid), "waived": money(waived)}
        less = _less_written_off(written_off, inputs)
        formula = f"round_half_up({' + '.join(terms) or '0'} - paid - waived{less})"
        amount = self.state.outstanding(debt, component)
        return Part(amount, rule, formula, inputs, self.behind(debt, component, rates=True), debt.seq)

    def fee(self, debt: Debt) -> Part:
        charged = self.sums[debt.seq, Component.FEE, MovementKind.CHARGED]
        paid, written_off = self.left(debt, Component.FEE)
        waived = charged - paid - written_off - debt.fee
        inputs = {"charged": money(charged), "paid": money(paid), "waived": money(waived)}
        formula = "charged - paid - waived" + _less_written_off(written_off, inputs)
        return Part(debt.fee, Rule.FEE, formula, inputs, self._fee_events(debt), debt.seq)

    def _kept(self, receipt: str, amount: int) -> Part:
        applied = sum(line.amount for line in self.fold.allocations[receipt])
        refunded = self.state.refunded[receipt]
        inputs = {"received": money(amount + applied + refunded), "applied": money(applied)}
        formula = "received - applied"
        if refunded:
            inputs["refunded"] = money(refunded)
            formula += " - refunded"
        events = [e.id for e in self.events if isinstance(e, Refund) and refunded and e.receipt in (None, receipt)]
        return Part(amount, Rule.KEPT_MONEY, formula, inputs, (receipt, *events))

    def sets(self, event: Event) -> bool:
        """Does it set the balance or the rate that interest runs on? A prepayment does where it reached the principal."""
        changes = (Rank.PAY_OUT, Rank.AMENDMENT, Rank.ACCELERATION)
        return event.rank in changes or (None, Component.PRINCIPAL, event.id) in self.moved

    def set_the_plan(self) -> tuple[str, ...]:
        """The events that do."""
        return tuple(event.id for event in self.events if self.sets(event))

    def running_events(self, running: Running) -> tuple[str, ...]:
        """What made the running line and what gave up some of it."""
        grants = {grant.event for grant in running.grants}
        return tuple(event.id for event in self.events if event.id in grants or self.sets(event))

    def charges_of(self, seq: int) -> tuple[str, ...]:
        """Charges on an installment that is not due."""
        return tuple(event.id for event in self.events if isinstance(event, Fee) and event.seq == seq)

    def behind(self, debt: Debt, component: Component | None, *, rates: bool = False) -> tuple[str, ...]:
        """What made an installment and moved this component of it; `rates`: also what moved the unpaid amounts that bear
        penalty, and what changed the rate since."""
        bases = (Component.PRINCIPAL, Component.INTEREST) if rates else ()

        def counts(event: Event) -> bool:
            if any((debt.seq, moved, event.id) in self.moved for moved in (component, *bases)):
                return True
            made_due = event.rank in (Rank.ACCELERATION, Rank.WRITE_OFF) and event.value_date == debt.due_date
            set_before = self.sets(event) and event.value_date < debt.due_date
            return made_due or set_before or (rates and event.rank is Rank.AMENDMENT)

        return tuple(event.id for event in self.events if counts(event))

    def _fee_events(self, debt: Debt) -> tuple[str, ...]:
        """The charges and what moved them. One charged ahead fell due with its installment, or with the last one."""

        def counts(event: Event) -> bool:
            if not isinstance(event, Fee):
                return (debt.seq, Component.FEE, event.id) in self.moved
            return min((seq for seq in self.state.debts if seq >= event.seq), default=max(self.state.debts)) == debt.seq

        return tuple(event.id for event in self.events if counts(event))


def _less_written_off(amount: int, inputs: dict[str, str]) -> str:
    """The end of a formula, where something was written off."""
    if not amount:
        return ""
    inputs["written_off"] = money(amount)
    return " - written_off"


def _moves_principal(movement: Movement) -> bool:
    """What is recovered after a write-off moves the claim outside the balance, not the principal."""
    return movement.component is Component.PRINCIPAL and movement.kind is not MovementKind.RECOVERED


def _principal(movement: Movement) -> Part:
    amount = money(movement.amount)
    if movement.kind is MovementKind.PAID_OUT:
        return Part(movement.amount, Rule.PAID_OUT, "paid_out", {"paid_out": amount}, _only(movement))
    if movement.kind is MovementKind.WRITTEN_OFF:
        inputs = {"written_off": amount}
        return Part(-movement.amount, Rule.PRINCIPAL_WRITTEN_OFF, "-written_off", inputs, _only(movement), movement.seq)
    return Part(-movement.amount, Rule.PRINCIPAL_REPAID, "-paid", {"paid": amount}, _only(movement), movement.seq)


def _only(movement: Movement) -> tuple[str, ...]:
    return (movement.event,) if movement.event else ()


def money(amount: int) -> str:
    return str(yuan(amount))


def rate(fraction: Fraction) -> str:
    """A rate as a plain decimal; agreed rates and multipliers have few places."""
    return format((Decimal(fraction.numerator) / fraction.denominator).normalize(), "f")
