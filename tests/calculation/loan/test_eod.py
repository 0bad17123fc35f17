"""Golden days: E01–E05 day by day, the milestones of a loan never paid, X1–X3, X5."""

from datetime import date

import pytest

from domain.calculation.classification import bucket
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import Figures, MovementKind
from domain.calculation.money import fen
from tests.calculation.loan.cases import day, eod_case, eod_events, eod_terms, golden, paid

# E04 unpaid, on 2026-05-17: 91, 63 and 32 days at 0.05 % on 3,960.27 + 3,999.87 + 4,039.86 (180.19 + 126.00 + 64.64)
# and on 120.00 + 80.40 + 40.40 (5.46 + 2.53 + 0.65), and those 240.80 themselves.
FIRST_OFF_BALANCE = 18019 + 12600 + 6464 + 546 + 253 + 65 + 24080

CASES = ["E01", "E02", "E03", "E04", "E05"]


def folded(case_id: str, until: str | None = None, receipts: bool = True) -> Fold:
    case = eod_case(case_id)
    events = eod_events(case)
    return loan(eod_terms(case), events if receipts else events[:1], day(until or case["rows"][-1]["date"]))


def as_row(figures: Figures) -> dict[str, object]:
    return {
        "principal_outstanding": figures.principal_outstanding,
        "overdue_principal": figures.overdue_principal,
        "accrued_interest": figures.accrued_interest,
        "due_unpaid_interest": figures.due_unpaid_interest,
        "penalty": figures.penalty,
        "compound": figures.compound,
        "dpd": figures.days_past_due,
        "class": figures.five_class.value,
        "accrual": "NON_ACCRUAL" if figures.non_accrual else "ACCRUAL",
        "on_balance_interest": figures.on_balance_interest,
        "off_balance_interest": figures.off_balance_interest,
    }


def in_fen(row: dict[str, object]) -> dict[str, object]:
    return {name: fen(value) if isinstance(value, str) and "." in value else value for name, value in row.items()}


@pytest.mark.parametrize("case_id", CASES)
def test_every_golden_day(case_id: str) -> None:
    known = folded(case_id)
    for row in eod_case(case_id)["rows"]:
        expected = in_fen(row)
        on = date.fromisoformat(str(expected.pop("date")))
        assert as_row(known.position_on(on)) == expected, on


@pytest.mark.parametrize("case_id", CASES)
def test_every_golden_allocation(case_id: str) -> None:
    """Kept money that is applied later is reported by the receipt it came from."""
    case = eod_case(case_id)
    known = folded(case_id)
    expected: list[tuple[int, str, int]] = []
    for payment in case["payments"]:
        expected += [(line["seq"], line["component"].upper(), fen(line["amount"])) for line in payment["lines"]]
    got = [(line.seq, line.component.value, line.amount) for lines in known.allocations.values() for line in lines]
    assert got == expected


def test_milestones_of_a_loan_never_paid() -> None:
    rows = golden("eod")["milestones"]["rows"]
    known = folded("E02", rows[-1]["date"], receipts=False)
    for row in rows:
        figures = known.position_on(day(row["date"]))
        got = (figures.days_past_due, figures.five_class.value, bucket(figures.days_past_due))
        assert got == (row["dpd"], row["class"], row["bucket"])
        assert (figures.penalty, figures.compound) == (fen(row["penalty"]), fen(row["compound"]))


def test_x1_penalty_is_rounded_per_installment() -> None:
    case = eod_case("E04")
    known = loan(eod_terms(case), eod_events(case)[:2], date(2026, 3, 25))
    assert known.position_on(date(2026, 3, 25)).penalty == 5953


def test_x2_the_residue_of_a_payment_goes_on() -> None:
    case = eod_case("E04")
    events = [*eod_events(case)[:2], paid("2026-03-10", "500.00")]
    known = loan(eod_terms(case), events, date(2026, 3, 15))
    assert [line.amount for line in known.allocations["receipt 2026-03-10"]] == [2392, 47608]
    got = {on: known.position_on(date(2026, 3, on)).penalty for on in (10, 11, 12, 15)}
    assert got == {10: 0, 11: 81, 12: 161, 15: 401}


def test_x3_after_grace_everything_counts_from_the_due_date() -> None:
    case = eod_case("E03")
    events = [*eod_events(case)[:2], paid("2026-03-17", "2080.40")]
    known = loan(eod_terms(case), events, date(2026, 3, 19))
    assert known.position_on(date(2026, 3, 18)).penalty == 0
    figures = known.position_on(date(2026, 3, 19))
    assert (figures.penalty, figures.compound, figures.days_past_due) == (600, 8, 4)
    assert figures.overdue_principal == 199987
    caught_up = [(m.component, m.amount) for m in known.movements if m.kind is MovementKind.CATCH_UP]
    assert caught_up == [("PENALTY", 600), ("COMPOUND", 8)]


def test_x5_off_balance_and_back_and_off_again() -> None:
    case = eod_case("E04")
    events = [eod_events(case)[0], paid("2026-05-21", "4274.08")]
    before = loan(eod_terms(case), events[:-1], date(2026, 5, 21)).position_on(date(2026, 5, 21))
    assert (before.days_past_due, before.on_balance_interest) == (95, 0)
    known = loan(eod_terms(case), events, date(2026, 6, 14))
    back = known.position_on(date(2026, 5, 21))
    assert (back.days_past_due, back.off_balance_interest, back.on_balance_interest) == (67, 0, 33094)
    assert (back.due_unpaid_interest, back.penalty, back.compound) == (12080, 20672, 342)
    again = known.position_on(date(2026, 6, 14))
    assert (again.days_past_due, again.on_balance_interest, again.off_balance_interest) == (91, 0, 42886)
    sides = [(m.value_date, m.kind, m.amount) for m in known.movements if m.kind.value.endswith("_BALANCE")]
    assert [(on.isoformat(), kind.value, amount) for on, kind, amount in sides] == [
        ("2026-05-17", "OFF_BALANCE", FIRST_OFF_BALANCE),
        ("2026-05-21", "ON_BALANCE", 33094),
        ("2026-06-14", "OFF_BALANCE", 42886),
    ]
