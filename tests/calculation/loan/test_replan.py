"""New plans for every repayment method: what is left is spread over what is left of the dates."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from domain.calculation.loan.replan import PlanVersion, first_version, replan, shorten
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Method, PlanError, PlannedInstallment, level_payment, plan
from tests.calculation.loan.cases import s01_terms

RATE = Fraction(1, 100)


def version(done: int, **changes: Any) -> PlanVersion:
    terms = s01_terms(**changes)
    made = first_version(terms, terms.plan.principal)
    made.done = done
    return made


def principal(rows: tuple[PlannedInstallment, ...]) -> list[int]:
    return [row.principal for row in rows]


def test_a_balloon_keeps_its_amortization() -> None:
    new = replan(version(4, method=Method.BALLOON, amortization_periods=60), 8_000_000)
    assert new.kept == level_payment(8_000_000, RATE, 56)
    assert [row.payment for row in new.rest[:-1]] == [new.kept] * 7
    assert sum(principal(new.rest)) == 8_000_000


def test_a_shortened_balloon_ends_on_the_same_date_with_less_left_for_it() -> None:
    old = version(4, method=Method.BALLOON, amortization_periods=60)
    new = shorten(old, 8_000_000)
    assert [row.payment for row in new.rest[:-1]] == [old.kept] * 7
    assert new.rest[-1].due_date == old.rest[-1].due_date
    assert sum(principal(new.rest)) == 8_000_000


def test_what_is_left_of_the_principal_grace_stays() -> None:
    old = version(1, principal_grace_periods=3)
    for new in (replan(old, 6_000_000), shorten(old, 6_000_000)):
        assert principal(new.rest)[:2] == [0, 0]
        assert principal(new.rest)[2] > 0
        assert sum(principal(new.rest)) == 6_000_000
    later = replan(replace(old, done=5), 6_000_000)
    assert later.rest[0].payment == level_payment(6_000_000, RATE, 7)


def test_a_shortened_level_plan_after_principal_grace_keeps_its_installment() -> None:
    old = version(1, principal_grace_periods=3)
    assert [row.payment for row in shorten(old, 6_000_000).rest[2:-1]] == [old.kept] * 5


def test_equal_principal_equal_interest_bears_interest_on_the_new_balance() -> None:
    old = version(2, method=Method.EQUAL_PRINCIPAL_EQUAL_INTEREST)
    assert {row.interest for row in replan(old, 6_000_000).rest} == {60_000}
    shorter = shorten(old, 6_000_000).rest
    assert {row.interest for row in shorter} == {60_000}
    assert principal(shorter) == [833_333] * 7 + [166_669]


def test_custom_parts_keep_their_proportions_or_their_order() -> None:
    parts = (1_000_000, 2_000_000, 3_000_001, 3_999_999)
    old = version(1, method=Method.CUSTOM, custom_principal=parts, periods=4)
    assert principal(replan(old, 4_500_000).rest) == [1_000_000, 1_500_001, 1_999_999]
    assert principal(shorten(old, 4_500_000).rest) == [2_000_000, 2_500_000]


def test_a_bullet_waits_for_the_last_date() -> None:
    old = version(9)
    new = replan(old, 2_600_000, method=Method.BULLET)
    [only] = new.rest
    assert (only.seq, only.start_date, only.due_date) == (10, date(2026, 10, 15), date(2027, 1, 15))
    assert only.interest == 79_733  # 26,000.00 x 12 % x 92 ÷ 360


def test_given_installments_are_kept_and_must_add_up() -> None:
    terms = s01_terms()
    rows = plan(terms.plan).installments
    given = LoanTerms(plan=terms.plan, installments=rows, penalty_multiplier=Fraction(3, 2))
    made = first_version(given, 10_000_000)
    assert made.rest == rows
    assert made.kept == 888_488
    with pytest.raises(PlanError):
        first_version(given, 9_999_999)


def test_another_amount_paid_out_is_planned_on_that_amount() -> None:
    assert sum(principal(first_version(s01_terms(), 9_000_000).rest)) == 9_000_000
