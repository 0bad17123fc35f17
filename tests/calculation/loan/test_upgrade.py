"""The upgrade test of a non-performing loan and the observation of a restructured one, on S01."""

from datetime import date, timedelta

import pytest

from domain.calculation.loan.events import Event, Receipt
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.upgrade import observation_over, on_time_since, upgrade_test
from tests.calculation.loan.cases import day, s01_paid, s01_terms

CURED = day("2026-06-10")


def cured(until: str, *, late: str | None = None, due_days: tuple[str, ...] = ()) -> Fold:
    """Never paid until all arrears of four installments are paid on 2026-06-10, then each on its due date."""
    pay_out, *receipts = s01_paid(12)
    events: list[Event] = [pay_out, Receipt(id="all", value_date=CURED, amount=3_750_000)]
    for receipt in receipts[4:]:
        shift = timedelta(days=5 if str(receipt.value_date) == late else 0)
        events.append(Receipt(id=receipt.id, value_date=receipt.value_date + shift, amount=receipt.amount))  # type: ignore[attr-defined]
    return loan(s01_terms(), events, day(until))


def test_overdue_it_is_not_on_time() -> None:
    before = cured("2026-06-09")
    assert before.position_on(day("2026-06-09")).days_past_due == 114
    assert on_time_since(before, day("2026-06-09")) is None
    assert not upgrade_test(before, day("2026-06-09"))


@pytest.mark.parametrize(
    ("on", "passed"), [("2026-06-10", False), ("2026-12-09", False), ("2026-12-10", True), ("2027-01-15", True)]
)
def test_six_months_after_the_arrears_were_paid(on: str, passed: bool) -> None:
    known = cured(on)
    assert on_time_since(known, day(on)) == CURED
    assert upgrade_test(known, day(on)) is passed


def test_one_installment_late_begins_the_time_anew() -> None:
    known = cured("2027-01-15", late="2026-08-15")
    assert on_time_since(known, day("2027-01-15")) == day("2026-08-20")
    assert not upgrade_test(known, day("2027-01-15"))
    assert upgrade_test(known.on(day("2026-08-14")), day("2026-08-14")) is False


def test_two_installments_are_the_longer_on_a_loan_with_few() -> None:
    """Half-yearly: after six months only one installment has been paid on time."""
    terms = s01_terms(due_dates=(day("2026-03-01"), day("2026-09-01"), day("2027-03-01"), day("2027-09-01")), periods=4)
    pay_out = s01_paid(0)[0]
    events = [
        pay_out,
        *(Receipt(id=on, value_date=day(on), amount=3_000_000) for on in ("2026-03-05", "2026-09-01", "2027-03-01")),
    ]
    known = loan(terms, events, day("2027-03-01"))
    assert on_time_since(known, day("2027-02-28")) == day("2026-03-05")
    assert not upgrade_test(known, day("2027-02-28"))
    assert upgrade_test(known, day("2027-03-01"))


@pytest.mark.parametrize(("on", "over"), [("2027-01-14", False), ("2027-01-15", True)])
def test_a_restructured_loan_is_observed_for_a_year(on: str, over: bool) -> None:
    known = loan(s01_terms(), s01_paid(12), day(on))
    assert observation_over(known, date(2026, 1, 15), day(on)) is over
    assert not observation_over(known, date(2026, 1, 16), day(on))
