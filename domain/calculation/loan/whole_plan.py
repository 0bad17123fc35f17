"""全程还款计划 · A loan's whole life as one plan: what fell due, what was prepaid, and what is still planned.

It says what the loan costs a year after an amendment (golden S32, S36, S37): all installments from the first pay-out on,
each as agreed, whether it was paid in time or not; penalty is no cost of a loan that is kept.
"""

from dataclasses import replace
from datetime import date

from domain.calculation.allocation import Component
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import MovementKind
from domain.calculation.schedule import Method, PeriodUnit, Plan, PlannedInstallment, PlanTerms


def whole_plan(fold: Fold) -> tuple[PlanTerms, Plan]:
    """The plan at the close of the day to which the loan is folded, with the terms its cost is measured by, in fen.

    A prepayment inside a period ends a part of that period. Where it does, or where a bullet stands beside other
    installments, no rate of one period describes the loan: then the terms are by days, and only dated measures exist."""
    signed = fold.terms.plan
    prepaid = [
        (move.value_date, move.amount)
        for move in fold.movements
        if move.kind is MovementKind.ALLOCATED and move.seq is None and move.component is Component.PRINCIPAL
    ]
    shown = fold.installments_on(fold.until)
    balance = sum(row.principal for row in shown) + sum(amount for _, amount in prepaid)
    rows: list[PlannedInstallment] = []
    for row in shown:
        start = row.start_date
        for day, amount in [part for part in prepaid if row.start_date <= part[0] < row.due_date]:
            balance -= amount
            rows.append(_part(row.seq, start, day, amount, 0, balance))
            start = day
        balance -= row.principal
        rows.append(_part(row.seq, start, row.due_date, row.principal, row.interest, balance))
    version = fold.state.version
    methods = {signed.method, version.terms.method, (version.then or version).terms.method}
    uneven = bool(prepaid) or (Method.BULLET in methods and len(rows) > 1)
    terms = replace(signed, principal=rows[0].balance_after + rows[0].principal)
    return (_by_days(terms) if uneven else terms), Plan(tuple(rows))


def new_terms(fold: Fold) -> tuple[PlanTerms, Plan]:
    """Only what is planned from the next installment on, as a loan of its own: of an extension agreed, its added term.

    Raises ValueError where nothing is planned any more."""
    version = fold.state.version.then or fold.state.version
    if not version.rest:
        raise ValueError("nothing is planned any more")
    rows = tuple(replace(row, seq=seq) for seq, row in enumerate(version.rest, 1))
    terms = replace(version.terms, value_date=rows[0].start_date, principal=sum(row.principal for row in rows))
    return (_by_days(terms) if terms.method is Method.BULLET else terms), Plan(rows)


def _by_days(terms: PlanTerms) -> PlanTerms:
    return replace(terms, period_unit=PeriodUnit.DAY)


def _part(seq: int, start: date, due: date, principal: int, interest: int, left: int) -> PlannedInstallment:
    return PlannedInstallment(
        seq=seq, start_date=start, due_date=due, principal=principal, interest=interest, balance_after=left
    )
