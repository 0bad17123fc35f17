"""Where the principal stands in 1303, day by day: E02 and S36 paid late, cured, extended, given up (decision 0038)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby

import pytest

from domain.calculation.classification import SMALL_LOAN_MATRIX_2007, FiveClass, LendingMode
from domain.calculation.loan.balances import balances
from domain.calculation.loan.events import Event, Extension, Reversal, WriteOff
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Method
from tests.calculation.loan.cases import day, eod_case, eod_events, eod_terms, paid, pay_out, s01_terms

E02 = eod_case("E02")
DAY = timedelta(days=1)
PARTS = ("normal", "overdue", "extended", "non_accrual", "impaired")


def folded(terms: LoanTerms, events: Iterable[Event | Reversal], until: str) -> Fold:
    return loan(terms, events, day(until))


def standing(fold: Fold, on: date) -> dict[str, int]:
    """The parts of 1303 that hold anything at the close of a day, in fen; together they are what is outstanding."""
    held = balances(fold, on)
    parts = {part: getattr(held, f"principal_{part}") for part in PARTS}
    assert sum(parts.values()) == held.principal == fold.position_on(on).principal_outstanding
    return {part: amount for part, amount in parts.items() if amount}


def history(fold: Fold) -> list[tuple[str, dict[str, int]]]:
    """Where it stood, from each day on which that changed; each day folded by itself says the same."""
    first = fold.positions[0].from_date
    days = [first + number * DAY for number in range((fold.until - first).days + 1)]
    told = [(str(on), standing(fold, on)) for on in days]
    for on in {row.from_date for row in fold.positions}:
        assert standing(fold.on(on), on) == standing(fold, on)
    return [next(group) for _, group in groupby(told, key=lambda one: one[1])]


def test_every_golden_day_of_e02() -> None:
    """50,000.00 due on 2026-02-09 and not paid; 10,000.00 come on day 95."""
    assert history(folded(eod_terms(E02), eod_events(E02), "2027-02-06")) == [
        ("2026-01-10", {"normal": 5000000}),
        ("2026-02-10", {"overdue": 5000000}),
        ("2026-05-11", {"non_accrual": 5000000}),
        ("2026-05-15", {"non_accrual": 4348420}),
        ("2026-11-07", {"impaired": 4348420}),  # 271 days: DOUBTFUL
    ]


@pytest.mark.parametrize(
    ("mode", "turns"),
    [
        (LendingMode.CREDIT, [("2026-05-11", "impaired")]),  # from 91 days on DOUBTFUL
        (LendingMode.GUARANTEE, [("2026-05-11", "non_accrual"), ("2026-08-09", "impaired")]),  # from 181 days on
    ],
)
def test_the_ruleset_of_another_lender(mode: LendingMode, turns: list[tuple[str, str]]) -> None:
    terms = replace(eod_terms(E02), ruleset=SMALL_LOAN_MATRIX_2007, lending_mode=mode)
    expected = [("2026-01-10", {"normal": 5000000}), ("2026-02-10", {"overdue": 5000000})]
    expected += [(on, {part: 5000000}) for on, part in turns]
    assert history(folded(terms, eod_events(E02)[:1], "2026-12-31")) == expected


def test_doubtful_wins_although_interest_still_accrues() -> None:
    """A lender whose loans accrue for 120 days and are doubtful after 90."""
    terms = replace(eod_terms(E02), ruleset=SMALL_LOAN_MATRIX_2007, non_accrual_after=120)
    fold = folded(terms, eod_events(E02)[:1], "2026-05-20")
    assert standing(fold, day("2026-05-11")) == {"impaired": 5000000}
    assert not fold.position_on(day("2026-05-11")).non_accrual


def test_only_what_is_overdue_stands_apart_and_a_payment_brings_all_back() -> None:
    """S01: the first of twelve installments is paid a month late, then a second time after 100 days."""
    events = [pay_out("2026-01-15", "100000.00"), paid("2026-03-10", "9000.00"), paid("2026-06-30", "50000.00")]
    told = history(folded(s01_terms(), events, "2026-07-10"))
    assert [(on, sorted(parts)) for on, parts in told] == [
        ("2026-01-15", ["normal"]),
        ("2026-02-16", ["normal", "overdue"]),
        ("2026-03-10", ["normal"]),
        ("2026-03-16", ["normal", "overdue"]),
        ("2026-04-16", ["normal", "overdue"]),
        ("2026-05-16", ["normal", "overdue"]),
        ("2026-06-14", ["non_accrual"]),  # all of it, what is not due included
        ("2026-06-30", ["normal"]),
    ]


S36 = {"principal": 20_000_000, "method": Method.INTEREST_ONLY, "value_date": date(2026, 2, 20), "periods": 6}
MONEY = [pay_out("2026-02-20", "200000.00"), *(paid(f"2026-0{month}-20", "2000.00") for month in range(3, 9))]
LONGER = Extension(
    id="longer", value_date=date(2026, 8, 10), due_dates=(date(2026, 9, 20), date(2026, 10, 20), date(2026, 11, 20))
)


def test_an_extended_loan_from_the_agreement_to_the_new_maturity_and_beyond() -> None:
    interest = [paid(f"2026-{month}-20", "2000.00") for month in ("09", "10", "11")]
    assert history(folded(s01_terms(**S36), [*MONEY, LONGER, *interest], "2027-08-20")) == [
        ("2026-02-20", {"normal": 20000000}),
        ("2026-08-10", {"extended": 20000000}),
        ("2026-11-21", {"overdue": 20000000}),
        ("2027-02-19", {"non_accrual": 20000000}),
        ("2027-08-18", {"impaired": 20000000}),
    ]


def test_an_extension_entered_late_or_taken_back_never_was_otherwise() -> None:
    without = history(folded(s01_terms(**S36), MONEY, "2026-09-01"))
    assert without[1:] == [("2026-08-21", {"overdue": 20000000})]
    taken_back = [*MONEY, LONGER, Reversal(id="back", target="longer")]
    assert history(folded(s01_terms(**S36), taken_back, "2026-09-01")) == without
    known = folded(s01_terms(**S36), [LONGER, *MONEY], "2026-09-01")  # the order of booking does not matter
    assert standing(known, day("2026-08-21")) == {"extended": 20000000}


def test_what_is_written_off_stands_nowhere() -> None:
    given_up = WriteOff(id="lost", value_date=date(2027, 2, 6))
    fold = folded(eod_terms(E02), [*eod_events(E02), given_up], "2027-03-01")
    assert fold.position_on(fold.until).five_class is FiveClass.LOSS
    assert history(fold)[-2:] == [("2026-11-07", {"impaired": 4348420}), ("2027-02-06", {})]
