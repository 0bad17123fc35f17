"""Every golden case of our own, through the one fold."""

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.calculation.loan.balances import balances
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.money import yuan
from domain.calculation.vat import taxed
from tests.calculation.loan.own import events_of, fold_of, own_cases, terms_of

CASES = {case["id"]: case for case in own_cases()}
FOLDED = [case_id for case_id, case in CASES.items() if "error" not in case]
REFUSED = [case_id for case_id, case in CASES.items() if "error" in case]


def said(value: Any) -> Any:
    """A figure as the files write it: money as text, the rest as it is."""
    if isinstance(value, bool) or value is None:
        return value
    return str(value) if isinstance(value, date | str) else str(yuan(value))


def assert_says(thing: Any, expected: dict[str, Any], where: str) -> None:
    got = {name: getattr(thing, name) for name in expected}
    assert {n: v if n == "days_past_due" else said(v) for n, v in got.items()} == expected, where


def rows(known: Fold) -> list[list[Any]]:
    return [
        [r.seq, str(r.due_date), str(yuan(r.principal)), str(yuan(r.interest)), r.state.value]
        for r in known.installments_on(known.until)
    ]


def test_no_case_comes_twice_and_each_is_worked_out() -> None:
    assert len(CASES) == len(list(own_cases()))
    assert all(case["why"] for case in CASES.values())


@pytest.mark.parametrize("case_id", FOLDED)
def test_figures_quotes_balances_and_rows(case_id: str) -> None:
    case = CASES[case_id]
    known, expect = fold_of(case), case["expect"]
    for on, figures in expect.get("figures", {}).items():
        assert_says(known.position_on(date.fromisoformat(on)), figures, on)
    for on, quote in expect.get("quote", {}).items():
        assert_says(known.quote_on(date.fromisoformat(on)), quote, on)
    for on, sums in expect.get("balances", {}).items():
        assert_says(balances(known, date.fromisoformat(on)), sums, on)
    for on, amount in expect.get("taxed", {}).items():
        assert said(taxed(known, date.fromisoformat(on)).total) == amount, on
    if "rows" in expect:
        skipped = len(expect["rows"])
        assert rows(known)[-skipped:] == expect["rows"]
    for event, lines in expect.get("lines", {}).items():
        assert [[line.seq, line.component.value, str(yuan(line.amount))] for line in known.allocations[event]] == lines
    for kind, amounts in expect.get("movements", {}).items():
        assert [str(yuan(m.amount)) for m in known.movements if m.kind.value == kind] == amounts


@pytest.mark.parametrize("case_id", FOLDED)
def test_the_order_of_entry_does_not_matter(case_id: str) -> None:
    case = CASES[case_id]
    shuffled = events_of(case)
    random.Random(case_id).shuffle(shuffled)
    assert loan(terms_of(case), shuffled, date.fromisoformat(case["until"])) == fold_of(case)


@pytest.mark.parametrize("case_id", FOLDED)
def test_money_in_is_paid_kept_refunded_or_recovered(case_id: str) -> None:
    known = fold_of(CASES[case_id])
    now = balances(known, known.until)
    assets = now.bank + now.principal + now.interest_receivable + now.fees_receivable
    income = now.interest_income + now.penalty_income + now.compound_income + now.fee_income + now.recovered_interest
    assert assets + now.allowance_used == now.kept_money + income
    spent = sum(line.amount for lines in known.allocations.values() for line in lines)
    assert now.received == spent + now.kept_money + sum(known.state.refunded.values())


@pytest.mark.parametrize("case_id", REFUSED)
def test_what_is_refused(case_id: str) -> None:
    with pytest.raises(ValueError) as refusal:
        fold_of(CASES[case_id])
    assert type(refusal.value).__name__ == CASES[case_id]["error"]


def test_money_is_written_with_two_places() -> None:
    assert said(5) == str(Decimal("0.05"))
