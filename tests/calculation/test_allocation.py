"""Golden allocation: A01–A17 as lines and states, A18 as a reversal in the fold, A19 refused."""

from datetime import date
from typing import Any

import pytest

from domain.calculation.allocation import Component, InvalidAmount, Strategy, allocate
from domain.calculation.loan.debt import installment_state
from domain.calculation.loan.events import Reversal
from domain.calculation.loan.fold import loan
from domain.calculation.money import fen
from tests.calculation.loan.cases import day, golden, paid, s01_paid, s01_terms

CASES = {case["id"]: case for case in golden("allocation")["cases"]}
PLAIN = [case_id for case_id, case in CASES.items() if "receivables" in case]


def apply(case: dict[str, Any]) -> tuple[list[tuple[int, Component, int]], dict[int, dict[Component, int]], int]:
    """(lines, what is left by seq, unapplied)"""
    paid_on = day(case["payment"]["date"])
    left = {row["seq"]: {c: fen(row[c.value.lower()]) for c in Component} for row in case["receivables"]}
    due = [row["seq"] for row in case["receivables"] if day(row["due_date"]) <= paid_on]
    order = [Component(code.upper()) for code in case["policy"]["order"]]
    amount, lines = fen(case["payment"]["amount"]), []
    for seq, component, part in allocate(
        amount, due, lambda seq, c: left[seq][c], order, Strategy(case["policy"]["strategy"])
    ):
        left[seq][component] -= part
        lines.append((seq, component, part))
    return lines, left, amount - sum(part for _, _, part in lines)


def test_the_golden_file_holds_the_cases_meant_here() -> None:
    assert [f"A{number:02}" for number in range(1, 18)] == PLAIN


@pytest.mark.parametrize("case_id", PLAIN)
def test_lines_and_unapplied(case_id: str) -> None:
    expect = CASES[case_id]["expect"]
    lines, left, unapplied = apply(CASES[case_id])
    assert lines == [(r["seq"], Component(r["component"].upper()), fen(r["amount"])) for r in expect["lines"]]
    assert unapplied == fen(expect["unapplied"])
    for row in expect["installments_after"]:
        assert left[row["seq"]] == {c: fen(row[c.value.lower()]) for c in Component}


@pytest.mark.parametrize("case_id", PLAIN)
def test_states(case_id: str) -> None:
    case = CASES[case_id]
    lines, left, _ = apply(case)
    paid_on, touched = day(case["payment"]["date"]), {seq for seq, _, _ in lines}
    due_dates = {row["seq"]: day(row["due_date"]) for row in case["receivables"]}
    for row in case["expect"]["installments_after"]:
        seq = row["seq"]
        if due_dates[seq] > paid_on:
            assert row["status"] == "PENDING"
            continue
        state = installment_state(
            left=any(left[seq].values()), paid=seq in touched, waived=False, overdue=due_dates[seq] < paid_on
        )
        assert state.value == row["status"]


def test_a18_a_reversal_restores_the_receivables_exactly() -> None:
    """A05 on S01: 20 days late, the scheduled amount; reversed, everything stands as if it had never come."""
    late = paid("2026-03-07", "8884.88")
    until = date(2026, 3, 7)
    before = loan(s01_terms(), s01_paid(0), until)
    with_receipt = loan(s01_terms(), [*s01_paid(0), late], until)
    assert with_receipt.installments_on(until)[0].unpaid_principal == fen("88.85")
    restored = loan(s01_terms(), [*s01_paid(0), late, Reversal(id="undo", target=late.id)], until)
    assert restored.positions == before.positions
    assert restored.overdue_lines == before.overdue_lines
    assert restored.installments_on(until) == before.installments_on(until)
    due = restored.installments_on(until)[0]
    wanted = CASES["A05"]["receivables"][0]
    got = (due.penalty, due.compound, due.unpaid_interest, due.unpaid_principal)
    assert got == tuple(fen(wanted[name]) for name in ("penalty", "compound", "interest", "principal"))


@pytest.mark.parametrize("amount", CASES["A19"]["payments"])
def test_a19_invalid_amounts_are_refused(amount: str) -> None:
    with pytest.raises(ValueError):
        list(allocate(fen(amount), [1], lambda _seq, _component: 100))


def test_a19_says_which_amount_is_invalid() -> None:
    with pytest.raises(InvalidAmount):
        list(allocate(0, [1], lambda _seq, _component: 100))
