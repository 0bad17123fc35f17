"""The stored rows of E04 as written down, the voucher of a late receipt, and the balances that postings are made of."""

from datetime import date, timedelta

import pytest

from domain.calculation.loan.balances import Balances, balances
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import FOREVER
from tests.calculation.loan.cases import eod_case, eod_events, eod_terms

CASE = eod_case("E04")
PAY_OUT, FIRST, LUMP = eod_events(CASE)


def known(until: date, late: bool = True) -> Fold:
    return loan(eod_terms(CASE), [PAY_OUT, FIRST, LUMP] if late else [PAY_OUT, FIRST], until)


def test_position_rows() -> None:
    rows = [
        (f"{row.from_date:%m-%d}", row.principal, row.overdue_principal, row.due_interest, *row[7:10])
        for row in known(date(2026, 4, 16)).positions
    ]
    assert rows == [
        ("01-15", 1200000, 0, 0, 0, 12000, 31),
        ("02-15", 1012000, 0, 0, 0, 8040, 28),
        ("02-16", 1012000, 208027, 0, 8040, 8040, 28),
        ("03-15", 1012000, 208027, 8040, 0, 4040, 31),
        ("03-16", 1012000, 608014, 8040, 4040, 4040, 31),
        ("03-20", 403986, 0, 0, 20200, 4040, 31),
        ("04-15", 398532, 0, 0, 0, 0, 1),
        ("04-16", 398532, 398532, 0, 0, 0, 1),
    ]


def test_overdue_lines() -> None:
    lines = [
        (line.seq, f"{line.from_date:%m-%d}", line.to_date, *line[3:])
        for line in known(date(2026, 4, 16)).overdue_lines
    ]
    ended = date(2026, 3, 20)
    assert lines == [
        (1, "02-16", ended, 208027, 208027, 0, 0, 2000),
        (2, "03-16", ended, 399987, 399987, 8040, 8040, 2000),
        (3, "04-16", FOREVER, 398532, 398532, 0, 0, 2000),
    ]


def test_rows_join_without_a_gap() -> None:
    rows = known(date(2026, 4, 16)).positions
    assert [row.to_date for row in rows] == [*(row.from_date for row in rows[1:]), FOREVER]


def test_every_row_says_when_it_must_be_looked_at_again() -> None:
    rows = known(date(2026, 4, 16)).positions
    days = [f"{row.next_action_on:%m-%d}" for row in rows if row.next_action_on]
    assert days == ["02-15", "02-16", "03-15", "03-16", "04-15", "04-15", "04-16", "07-15"]
    assert rows[-1].next_action_on == date(2026, 4, 15) + timedelta(days=91)


def test_the_voucher_of_a_receipt_entered_late() -> None:
    """6,300.00 of 2026-03-20 entered on 04-02: both sides 6,340.05."""
    booking = date(2026, 4, 2)
    voucher = balances(known(booking), booking).minus(balances(known(booking, late=False), booking))
    assert voucher == Balances(
        bank=630000,
        principal_overdue=-608014,
        interest_receivable=-16497,
        kept_money=9494,
        penalty_income=-3953,
        compound_income=-52,
        received=630000,
        collected_interest=12492,
    )


@pytest.mark.parametrize("case_id", ["E01", "E02", "E03", "E04", "E05"])
def test_every_night_balances(case_id: str) -> None:
    case = eod_case(case_id)
    fold = loan(eod_terms(case), eod_events(case), date.fromisoformat(case["rows"][-1]["date"]))
    start = fold.positions[0].from_date
    before = balances(fold, start - timedelta(days=1))
    assert before == Balances()
    for number in range((fold.until - start).days + 1):
        now = balances(fold, start + timedelta(days=number))
        posted = now.minus(before)
        assets = posted.bank + posted.principal + posted.interest_receivable
        income = posted.interest_income + posted.penalty_income + posted.compound_income + posted.fee_income
        assert assets + posted.fees_receivable == posted.kept_money + income
        before = now


def test_non_accrual_takes_income_back() -> None:
    case = eod_case("E02")
    fold = loan(eod_terms(case), eod_events(case), date(2026, 5, 31))
    night = balances(fold, date(2026, 5, 11)).minus(balances(fold, date(2026, 5, 10)))
    assert (night.interest_receivable, night.off_balance_interest) == (-333240, 336276)
    assert night.interest_income + night.penalty_income + night.compound_income == -333240
    received = balances(fold, date(2026, 5, 15)).minus(balances(fold, date(2026, 5, 14)))
    assert (received.bank, received.principal_non_accrual, received.interest_receivable) == (1000000, -651580, 0)
    assert received.penalty_income + received.compound_income + received.interest_income == 348420
