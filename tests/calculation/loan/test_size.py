"""How many rows a loan leaves, and that a fold stays cheap on long arrears."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from domain.calculation.loan.debt import Debt
from domain.calculation.loan.events import Event, Receipt
from domain.calculation.loan.fold import loan
from domain.calculation.schedule import plan
from tests.calculation.loan.cases import pay_out, s01_paid, s01_terms

UNTIL = date(2027, 2, 1)


def moved(days: int) -> list[Event]:
    first, *receipts = s01_paid(12)
    shift = timedelta(days=days)
    return [first, *(Receipt(id=r.id, value_date=r.value_date + shift, amount=r.amount) for r in receipts)]


@pytest.mark.parametrize(
    ("events", "grace", "positions", "lines"),
    [
        (lambda: s01_paid(12), 0, 13, 0),
        (lambda: moved(-1), 0, 25, 0),
        (lambda: moved(2), 3, 25, 0),
        (lambda: moved(2), 0, 37, 24),
        (lambda: s01_paid(0), 0, 27, 12),
    ],
    ids=["on the due dates", "a day early", "within grace", "two days late", "never"],
)
def test_rows_of_a_year(events: Callable[[], list[Event]], grace: int, positions: int, lines: int) -> None:
    known = loan(s01_terms(grace_days=grace), events(), UNTIL)
    assert (len(known.positions), len(known.overdue_lines)) == (positions, lines)


@pytest.fixture
def advanced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often an installment's sums were carried to another day, as the only element of a list."""
    count, advance = [0], Debt.advance

    def counted(debt: Debt, day: date) -> None:
        count[0] += 1
        advance(debt, day)

    monkeypatch.setattr(Debt, "advance", counted)
    return count


def test_two_thousand_five_hundred_receipts_on_thirty_years(advanced: list[int]) -> None:
    """Work grows with what happens, never with what is open: `xd.py bench --only fold` has the seconds."""
    terms = s01_terms(principal=100_000_000, periods=360)
    start, end = date(2026, 1, 15), date(2056, 1, 15)
    receipts = [
        Receipt(
            id=f"{number:04}",
            value_date=start + timedelta(days=20 + number * (end - start).days // 2510),
            amount=140_000,
        )
        for number in range(2500)
    ]
    known = loan(terms, [pay_out("2026-01-15", "1000000.00"), *receipts], end)
    assert len(known.positions) < 2 * 2500
    assert len(known.overdue_lines) < 2 * 2500
    assert advanced[0] < 5 * (2500 + 360)


def test_a_thousand_receipts_on_thirty_years_of_arrears(advanced: list[int]) -> None:
    """Each receipt touches the oldest installment only: hundreds of open ones cost nothing."""
    terms = s01_terms(principal=100_000_000, periods=360)
    rows = plan(terms.plan).installments
    receipts = [
        Receipt(id=f"{number:04}", value_date=date(2036, 1, 1) + timedelta(days=7 * number), amount=10_000)
        for number in range(1000)
    ]
    known = loan(terms, [pay_out("2026-01-15", "1000000.00"), *receipts], rows[-1].due_date)
    assert len(known.overdue_lines) < 360 + 1000
    assert advanced[0] < 5 * (1000 + 360)
