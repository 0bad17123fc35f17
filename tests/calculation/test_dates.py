from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calculation.dates import add_months, is_business_day, next_business_day, settlement_dates

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


def test_the_due_day_clamps_and_returns() -> None:
    assert [add_months(date(2026, 1, 31), k) for k in (1, 2, 3, 13, 25)] == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


@given(DAYS, st.integers(-240, 600))
def test_a_month_later_is_the_same_day_or_the_last_of_the_month(anchor: date, months: int) -> None:
    later = add_months(anchor, months)
    assert (later.year - anchor.year) * 12 + later.month - anchor.month == months
    if later.day != anchor.day:
        assert later.day < anchor.day
        assert (later + timedelta(days=1)).day == 1


@given(DAYS, st.integers(1, 1500), st.integers(1, 31), st.sets(st.integers(1, 12), min_size=1))
def test_settlement_days_are_all_and_only_those_between(start: date, term: int, day: int, months: set[int]) -> None:
    end = start + timedelta(days=term)
    between = [start + timedelta(days=k) for k in range(1, term)]
    wanted = [d for d in between if d.month in months and (d.day == day or (d.day < day and _is_month_end(d)))]
    assert list(settlement_dates(start, end, day, months)) == wanted


def _is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("day", "rolled"),
    [
        (date(2026, 10, 1), date(2026, 10, 8)),  # National Day
        (date(2026, 9, 19), date(2026, 9, 20)),  # Saturday; the Sunday is worked in exchange
        (date(2026, 9, 5), date(2026, 9, 7)),  # an ordinary weekend
        (date(2026, 9, 8), date(2026, 9, 8)),
    ],
)
def test_a_due_date_rolls_to_the_next_business_day(day: date, rolled: date) -> None:
    holidays = {date(2026, 10, d) for d in range(1, 8)}
    assert next_business_day(day, holidays, {date(2026, 9, 20), date(2026, 10, 10)}) == rolled


@given(DAYS, st.sets(DAYS, max_size=5), st.integers(0, 10))
def test_rolling_never_goes_back_and_skips_no_business_day(day: date, holidays: set[date], extra: int) -> None:
    holidays |= {day + timedelta(days=k) for k in range(extra)}
    rolled = next_business_day(day, holidays, set())
    assert rolled >= day
    assert is_business_day(rolled, holidays, set())
    skipped = (day + timedelta(days=k) for k in range((rolled - day).days))
    assert not any(is_business_day(d, holidays, set()) for d in skipped)
