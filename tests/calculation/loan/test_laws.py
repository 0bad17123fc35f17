"""Laws of the fold, on random loans: what must hold whatever happens (hypothesis)."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings

from domain.calculation.allocation import Component
from domain.calculation.loan.balances import balances
from domain.calculation.loan.events import (
    Event,
    PayOut,
    PrepaymentMode,
    Receipt,
    Reversal,
)
from domain.calculation.loan.explain import LoanFigure, explain
from domain.calculation.loan.explain_allocation import explain_allocation
from domain.calculation.loan.explain_installment import InstallmentFigure, explain_installments
from domain.calculation.loan.explain_payoff import PayoffFigure, explain_payoff
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import Figures, MovementKind, figures
from tests.calculation.loan.naive import every_day
from tests.calculation.loan.random_loans import START, Case, cases
from tests.support.formula import worked_out


def amounts_of(known: Figures) -> tuple[int, ...]:
    return (
        known.principal_outstanding,
        known.overdue_principal,
        known.accrued_interest,
        known.due_unpaid_interest,
        known.penalty,
        known.compound,
        known.fees,
        known.unapplied,
        known.days_past_due,
    )


def equals_the_naive_day_loop(case: Case) -> None:
    known = case.fold
    for day, wanted in every_day(case.terms, list(case.events), case.until):
        assert amounts_of(known.position_on(day)) == wanted, day


def order_of_entry_does_not_matter(case: Case) -> None:
    shuffled = list(case.events)
    random.Random(len(shuffled)).shuffle(shuffled)
    assert loan(case.terms, shuffled, case.until) == case.fold


def a_reversed_event_never_happened(case: Case) -> None:
    known = case.fold
    extra = Receipt(id="extra", value_date=START + timedelta(days=40), amount=12345)
    undo = Reversal(id="undo", target="extra")
    assert loan(case.terms, [*case.events, extra, undo], case.until) == known
    once_more = outcome(case, extra, undo, Reversal(id="redo", target="undo"))
    assert once_more == outcome(case, extra)


def outcome(case: Case, *more: Event | Reversal) -> Fold | type[ValueError]:
    """The fold with these events besides, or how it is refused: more money may settle what a later event builds on."""
    try:
        return loan(case.terms, [*case.events, *more], case.until)
    except ValueError as refusal:
        return type(refusal)


def receipts_of_one_date_commute(case: Case) -> None:
    day = START + timedelta(days=45)
    one, two = (Receipt(id=name, value_date=day, amount=len(name) * 5000) for name in ("a", "bb"))
    first = outcome(case, replace(one, bank_reference="1"), replace(two, bank_reference="2"))
    other = outcome(case, replace(one, bank_reference="2"), replace(two, bank_reference="1"))
    if not isinstance(first, Fold) or not isinstance(other, Fold):
        assert first == other
        return
    assert (first.positions, first.overdue_lines) == (other.positions, other.overdue_lines)


def no_money_is_lost(case: Case) -> None:
    known = case.fold
    end = known.position_on(case.until)
    received = {e.id: e.amount for e in known.events if isinstance(e, Receipt) and e.value_date <= case.until}
    kept = {k.receipt: k.amount for k in known.state.kept}
    for receipt, amount in received.items():
        spent = sum(line.amount for line in known.allocations[receipt]) + known.state.refunded[receipt]
        assert spent + kept.get(receipt, 0) == amount
    assert sum(kept.values()) == end.unapplied
    rows = known.installments_on(case.until)
    prepaid = sum(
        line.amount
        for lines in known.allocations.values()
        for line in lines
        if line.seq is None and line.component is Component.PRINCIPAL
    )
    paid_out = sum(e.amount for e in known.events if isinstance(e, PayOut) and e.value_date <= case.until)
    assert sum(row.principal for row in rows) + prepaid == paid_out
    assert sum(row.unpaid_principal for row in rows) == end.principal_outstanding


def nothing_is_ever_negative(case: Case) -> None:
    known = case.fold
    for day in case.days:
        assert min(amounts_of(known.position_on(day))) >= 0, day
    for row in known.installments_on(case.until):
        assert min(row.principal, row.interest, row.unpaid_principal, row.unpaid_interest, row.fee) >= 0


def paying_the_quote_leaves_nothing(case: Case) -> None:
    price = case.fold.quote_on(case.until)
    if price.to_pay == 0:
        return
    so_far = [event for event in case.events if event.value_date <= case.until]
    last = Receipt(
        id="last",
        value_date=case.until,
        amount=price.to_pay,
        bank_reference="zz",
        prepayment=PrepaymentMode.SETTLE,
    )
    known = loan(case.terms, [*so_far, last], case.until + timedelta(days=100))
    for days in (0, 1, 100):
        assert set(amounts_of(known.position_on(case.until + timedelta(days=days)))) == {0}
    assert known.quote_on(case.until).total == 0


def cutting_a_line_changes_no_figure(case: Case) -> None:
    known = case.fold
    for row in known.positions:
        lines = [line for line in known.overdue_lines if line.from_date <= row.from_date < line.to_date]
        last = min(row.to_date, case.until)
        middle = row.from_date + (last - row.from_date) // 2
        cut = [line.moved_to(middle) for line in lines]
        assert figures(row.moved_to(middle), cut, last) == figures(row, lines, last)


def folding_on_changes_nothing_before(case: Case) -> None:
    known = case.fold
    middle = START + (case.until - START) // 2
    before = known.on(middle)
    for day in (START, START + (middle - START) // 2, middle):
        assert before.position_on(day) == known.position_on(day)
    assert [row._replace(to_date=START) for row in before.positions] == [
        row._replace(to_date=START) for row in known.positions if row.from_date <= middle
    ]
    assert before.movements == [movement for movement in known.movements if movement.value_date <= middle]


def rows_hold_until_their_next_action(case: Case) -> None:
    """A fold that ends a day earlier says when it must be looked at again: not before, and never too late."""
    known = case.fold
    event_days = {event.value_date for event in known.events}
    for earlier, later in pairwise(known.positions):
        assert later.from_date == earlier.to_date
        assert later.from_date == earlier.next_action_on or later.from_date in event_days
        if earlier.next_action_on:
            assert earlier.next_action_on >= later.from_date


SIGNS = {
    MovementKind.ALLOCATED: -1,
    MovementKind.WAIVED: -1,
    MovementKind.LAPSED: 1,
    MovementKind.CATCH_UP: 1,
    MovementKind.RESTATED: 1,
    MovementKind.WRITTEN_OFF: -1,
}


def each_night_is_the_line_and_the_movements(case: Case) -> None:
    """A figure of D = the line of D − 1 run to D, and the movements of D. So a day needs no row to be posted."""
    known = case.fold
    moved: Counter[tuple[date, Component | None]] = Counter()
    for movement in known.movements:
        moved[movement.value_date, movement.component] += SIGNS.get(movement.kind, 0) * movement.amount
    for before, day in pairwise(case.days):
        row = next(row for row in known.positions if row.from_date <= before < row.to_date)
        lines = [line for line in known.overdue_lines if line.from_date <= before < line.to_date]
        ran, now = figures(row, lines, day), known.position_on(day)
        interest = ran.accrued_interest + ran.due_unpaid_interest + moved[day, Component.INTEREST]
        assert now.accrued_interest + now.due_unpaid_interest == interest
        assert now.penalty == ran.penalty + moved[day, Component.PENALTY]
        assert now.compound == ran.compound + moved[day, Component.COMPOUND]


def every_voucher_balances(case: Case) -> None:
    known = case.fold
    for day in case.days[::7]:
        now = balances(known, day)
        assets = now.bank + now.principal + now.interest_receivable + now.fees_receivable
        income = now.interest_income + now.penalty_income + now.compound_income + now.fee_income
        assert assets + now.allowance_used == now.kept_money + income + now.recovered_interest
        assert min(now.claimed_principal, now.claimed_interest) >= 0


EXPLAINED = [figure for figure in LoanFigure if figure is not LoanFigure.PROVISION]


def every_figure_explains_itself(case: Case) -> None:
    """Position and quote: the parts add up, each formula gives its amount, and events that stand by that day are behind it."""
    known = case.fold
    for day in case.days[:: max(1, len(case.days) // 4)]:
        position, quote = known.position_on(day), known.quote_on(day)
        explained = [(explain(known, figure, day), getattr(position, figure.lower())) for figure in EXPLAINED]
        explained += [(explain_payoff(known, f, day), getattr(quote, f.lower())) for f in PayoffFigure]
        then = known.on(day)
        for f in InstallmentFigure:
            parts_by_seq = explain_installments(then, f, day)
            explained += [(parts_by_seq[row.seq], getattr(row, f.lower())) for row in then.installments_on(day)]
        standing = [event.id for event in known.events if event.value_date <= day]
        for parts, amount in explained:
            assert sum(part.amount for part in parts) == amount
            for part in parts:
                assert worked_out(part.formula, part.inputs) == Fraction(part.amount, 100), part
                assert part.events, part
                assert list(part.events) == [event for event in standing if event in part.events], part


def every_line_of_an_allocation_explains_itself(case: Case) -> None:
    known = case.fold
    for receipt, lines in known.allocations.items():
        for line, part in zip(lines, explain_allocation(known, receipt), strict=True):
            assert part.amount == line.amount
            assert worked_out(part.formula, part.inputs) == Fraction(line.amount, 100), part
            assert receipt in part.events, part


LAWS = [
    order_of_entry_does_not_matter,
    a_reversed_event_never_happened,
    receipts_of_one_date_commute,
    no_money_is_lost,
    nothing_is_ever_negative,
    paying_the_quote_leaves_nothing,
    cutting_a_line_changes_no_figure,
    folding_on_changes_nothing_before,
    rows_hold_until_their_next_action,
    each_night_is_the_line_and_the_movements,
    every_voucher_balances,
    every_figure_explains_itself,
    every_line_of_an_allocation_explains_itself,
]


def names(laws: list[Callable[[Case], None]]) -> list[str]:
    return [law.__name__ for law in laws]


@settings(max_examples=100, deadline=None)
@given(case=cases(plain=True))
def test_the_fold_equals_the_naive_day_loop(case: Case) -> None:
    equals_the_naive_day_loop(case)


@pytest.mark.parametrize("law", LAWS, ids=names(LAWS))
@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_law(law: Callable[[Case], None], case: Case) -> None:
    law(case)


@pytest.mark.nightly
@settings(max_examples=3000, deadline=None)
@given(case=cases(plain=True))
def test_the_fold_equals_the_naive_day_loop_for_long(case: Case) -> None:
    equals_the_naive_day_loop(case)


@pytest.mark.nightly
@pytest.mark.parametrize("law", LAWS, ids=names(LAWS))
@settings(max_examples=2000, deadline=None)
@given(case=cases())
def test_law_for_long(law: Callable[[Case], None], case: Case) -> None:
    law(case)
