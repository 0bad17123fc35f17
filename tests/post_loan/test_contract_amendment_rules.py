"""合同变更规则: what each type takes, how long a loan may be extended, which dates are added, and who must agree (F28)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from domain.calculation.classification import LendingMode
from domain.calculation.loan.events import Acceleration, Extension
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.schedule import Basis, HolidayRule, Method, PeriodUnit, PlanTerms
from domain.configuration import parameter
from domain.kernel.refusals import (
    AmountExceedsDue,
    ArrearsExist,
    ExtensionTooLong,
    GuarantorConsentMissing,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    ProductRuleViolated,
)
from domain.post_loan import contract_amendment_rules as rules
from domain.post_loan.contract_amendment_rules import AmendmentType, Change, Consent, Policy
from tests.calculation.loan.cases import day, pay_out, s01_paid, s01_terms

POLICY = Policy(**{code: parameter.typed(code, parameter.DEFINITIONS[code].default) for code in rules.PARAMETERS})
S36 = s01_terms(principal=20_000_000, method=Method.INTEREST_ONLY, periods=6, value_date=date(2026, 2, 20))
LONGER = Change(type=AmendmentType.EXTENSION, extension_periods=3)
DEARER = Change(type=AmendmentType.RATE, annual_rate=D("0.15"))
CHEAPER = Change(type=AmendmentType.RATE, annual_rate=D("0.108"))
FLATTER = Change(type=AmendmentType.METHOD, method=Method.INTEREST_ONLY)
MISUSED = Change(type=AmendmentType.MISUSE_RATE, multiplier=D("2"))
DUE_NOW = Change(type=AmendmentType.ACCELERATION)
SIGNED = (Consent(name="李担保", document_number="BZ-1"),)


def s36(on: str, *more: Any) -> Fold:
    return loan(S36, [pay_out("2026-02-20", "200000.00"), *more], day(on))


def plan_terms(periods: int, unit: PeriodUnit = PeriodUnit.MONTH, start: str = "2026-02-20", **more: Any) -> PlanTerms:
    return replace(S36.plan, periods=periods, period_unit=unit, value_date=day(start), **more)


# ---------------------------------------------------------------- what each type takes


@pytest.mark.parametrize("change", [LONGER, DEARER, FLATTER, MISUSED, DUE_NOW], ids=lambda change: change.type)
def test_each_type_takes_its_own_fields(change: Change) -> None:
    rules.check_fields(change)
    for name, value in (("annual_rate", D("0.1")), ("method", Method.BULLET), ("extension_periods", 1),
                        ("multiplier", D(2)), ("amount", D("1.00"))):  # fmt: skip
        if name not in {field for part in rules.FIELDS_OF[change.type] for field in part}:
            with pytest.raises(InvalidInput) as refused:
                rules.check_fields(replace(change, **{name: value}))
            assert refused.value.field == (name,)
    for name in rules.FIELDS_OF[change.type][0]:
        with pytest.raises(InvalidInput) as refused:
            rules.check_fields(replace(change, **{name: None}))
        assert refused.value.field == (name,)


def test_only_new_terms_are_a_restructuring() -> None:
    for change in (LONGER, CHEAPER, FLATTER):
        rules.check_fields(replace(change, because_of_difficulty=True))
    for change in (MISUSED, DUE_NOW):
        with pytest.raises(InvalidInput):
            rules.check_fields(replace(change, because_of_difficulty=True))


def test_it_takes_effect_in_the_life_of_the_loan() -> None:
    first, today = date(2026, 2, 20), date(2026, 8, 10)
    for right in (first, today):
        rules.check_effective_date(right, first, today)
    for wrong in (date(2026, 2, 19), date(2026, 8, 11)):
        with pytest.raises(InvalidInput) as refused:
            rules.check_effective_date(wrong, first, today)
        assert refused.value.params == {"earliest": "2026-02-20", "latest": "2026-08-10"}


def test_the_product_bounds_the_new_terms() -> None:
    product = SimpleNamespace(min_rate=D("0.06"), max_rate=D("0.15"), methods=["INTEREST_ONLY", "BULLET", "CUSTOM"])
    for change in (DEARER, CHEAPER, FLATTER, LONGER):
        rules.check_product(change, product)
    for change, rule, allowed in (
        (replace(DEARER, annual_rate=D("0.1501")), "annualRate", "0.06–0.15"),
        (replace(DEARER, annual_rate=D("0.0599")), "annualRate", "0.06–0.15"),
        (replace(FLATTER, method=Method.EQUAL_PRINCIPAL), "method", "INTEREST_ONLY, BULLET"),
        (replace(FLATTER, method=Method.CUSTOM), "method", "INTEREST_ONLY, BULLET"),
    ):
        with pytest.raises(ProductRuleViolated) as refused:
            rules.check_product(change, product)
        assert (refused.value.params["rule"], refused.value.params["allowed"]) == (rule, allowed)


def test_what_holds_already_is_no_amendment() -> None:
    fold = s36("2026-03-01")
    for same in (replace(DEARER, annual_rate=D("0.12")), FLATTER):
        with pytest.raises(InvalidInput):
            rules.check_difference(same, fold)
    rules.check_difference(replace(LONGER, annual_rate=D("0.12"), method=Method.INTEREST_ONLY), fold)


# ---------------------------------------------------------------- how long


@pytest.mark.parametrize(
    ("periods", "unit", "most"),
    [
        (6, PeriodUnit.MONTH, 6),  # up to a year: as long again (S36)
        (12, PeriodUnit.MONTH, 12),
        (13, PeriodUnit.MONTH, 6),  # up to five years: half, in whole periods
        (60, PeriodUnit.MONTH, 30),
        (61, PeriodUnit.MONTH, 36),  # longer: three years
        (5, PeriodUnit.QUARTER, 2),
        (24, PeriodUnit.QUARTER, 12),
        (30, PeriodUnit.DAY, 30),
    ],
)
def test_how_long_a_loan_may_be_extended(periods: int, unit: PeriodUnit, most: int) -> None:
    assert rules.most_periods(POLICY, plan_terms(periods, unit)) == most


def test_another_lender_has_other_bounds() -> None:
    strict = replace(POLICY, extension_short_share=D("0.5"), extension_long_months=12, extension_medium_months=24)
    assert rules.most_periods(strict, plan_terms(6)) == 3
    assert rules.most_periods(strict, plan_terms(25)) == 12


def test_seven_months_are_one_too_many() -> None:
    fold = s36("2026-08-10")
    rules.check_extension(replace(LONGER, extension_periods=6), POLICY, fold, [])
    with pytest.raises(ExtensionTooLong) as refused:
        rules.check_extension(replace(LONGER, extension_periods=7), POLICY, fold, [])
    assert refused.value.params == {"asked": 7, "allowed": 6, "extended": 0, "unit": "MONTH"}
    with pytest.raises(ExtensionTooLong) as refused:
        rules.check_extension(replace(LONGER, extension_periods=4), POLICY, fold, [3])
    assert refused.value.params == {"asked": 4, "allowed": 3, "extended": 3, "unit": "MONTH"}
    for none in (0, -1, 20_001):
        with pytest.raises(InvalidInput):
            rules.check_extension(replace(LONGER, extension_periods=none), POLICY, fold, [])


def test_too_often_too_late_or_cheaper() -> None:
    rules.check_extension(LONGER, POLICY, s36("2026-08-20"), [1])
    early = replace(POLICY, extension_apply_days=10)
    rules.check_extension(LONGER, early, s36("2026-08-10"), [])
    lower = replace(LONGER, annual_rate=D("0.11"))
    for change, policy, fold, earlier, rule in (
        (LONGER, POLICY, s36("2026-08-20"), [1, 1], "extensions"),
        (LONGER, POLICY, s36("2026-08-21"), [], "applyBy"),
        (LONGER, early, s36("2026-08-11"), [], "applyBy"),
        (lower, POLICY, s36("2026-08-10"), [], "annualRate"),
    ):
        with pytest.raises(ProductRuleViolated) as refused:
            rules.check_extension(change, policy, fold, earlier)
        assert refused.value.params["rule"] == rule
    rules.check_extension(lower, replace(POLICY, extension_rate_may_fall=True), s36("2026-08-10"), [])
    rules.check_extension(LONGER, replace(POLICY, extension_most=3), s36("2026-08-10"), [1, 1])


# ---------------------------------------------------------------- which dates


def dates(terms: PlanTerms, last: str, periods: int, method: Method = Method.INTEREST_ONLY) -> list[str]:
    return [str(due) for due in rules.added_dates(terms, day(last), periods, method)]


def test_the_added_dates_follow_the_signed_plan() -> None:
    assert dates(plan_terms(6), "2026-08-20", 3) == ["2026-09-20", "2026-10-20", "2026-11-20"]
    assert dates(plan_terms(6), "2026-08-20", 3, Method.BULLET) == ["2026-11-20"]
    assert dates(plan_terms(2, PeriodUnit.QUARTER), "2026-08-20", 1) == ["2026-11-20"]
    by_days = plan_terms(30, PeriodUnit.DAY, basis=Basis.ACTUAL_360, settlement_day=20)
    assert dates(by_days, "2026-03-22", 40, Method.BULLET) == ["2026-05-01"]


def test_the_day_of_the_month_returns_after_a_short_month() -> None:
    assert dates(plan_terms(6, start="2025-08-31"), "2026-02-28", 3) == ["2026-03-31", "2026-04-30", "2026-05-31"]


def test_an_extension_of_an_extension_goes_on_from_there() -> None:
    assert dates(plan_terms(6), "2026-11-20", 2) == ["2026-12-20", "2027-01-20"]


def test_settlement_days_stay_and_the_last_day_is_the_new_maturity() -> None:
    terms = plan_terms(6, settlement_day=20, start="2026-02-05")
    assert dates(terms, "2026-08-05", 3) == ["2026-08-20", "2026-09-20", "2026-10-20", "2026-11-05"]
    assert dates(replace(terms, first_settlement_min_days=16), "2026-08-05", 1) == ["2026-09-05"]


def test_due_dates_on_holidays_roll_and_the_anchor_stays() -> None:
    terms = plan_terms(6, holiday_rule=HolidayRule.NEXT_BUSINESS_DAY, holidays=frozenset({day("2026-10-20")}))
    assert dates(terms, "2026-08-20", 3) == ["2026-09-21", "2026-10-21", "2026-11-20"]
    assert dates(plan_terms(1, start="2026-02-20"), "2026-03-23", 1) == ["2026-04-20"], "the maturity had rolled"


# ---------------------------------------------------------------- who must agree


def test_who_secures_a_loan_agrees_to_what_makes_it_heavier() -> None:
    fold = s36("2026-08-10")
    secured = (LendingMode.GUARANTEE, LendingMode.MORTGAGE, LendingMode.PLEDGE, LendingMode.COMBINED)
    for change in (LONGER, DEARER, FLATTER):
        for mode in secured:
            with pytest.raises(GuarantorConsentMissing):
                rules.check_consents(change, POLICY, mode, fold)
            rules.check_consents(replace(change, consents=SIGNED), POLICY, mode, fold)
        rules.check_consents(change, POLICY, LendingMode.CREDIT, fold)
    for lighter in (CHEAPER, MISUSED, DUE_NOW):
        rules.check_consents(lighter, POLICY, LendingMode.GUARANTEE, fold)
    own = replace(POLICY, guarantor_consent_modes=("GUARANTEE",))
    rules.check_consents(LONGER, own, LendingMode.MORTGAGE, fold)


def test_a_consent_without_a_paper_is_none() -> None:
    spoken = (*SIGNED, Consent(name="王口头"))
    with pytest.raises(GuarantorConsentMissing) as refused:
        rules.check_consents(replace(CHEAPER, consents=spoken), POLICY, LendingMode.CREDIT, s36("2026-08-10"))
    assert refused.value.params == {"guarantors": ["王口头"]}


# ---------------------------------------------------------------- arrears, misuse, acceleration


def test_arrears_begin_beyond_the_grace() -> None:
    terms = s01_terms(grace_days=5)
    fold = loan(terms, [pay_out("2026-01-15", "100000.00")], day("2026-02-21"))
    assert rules.arrears(fold, day("2026-02-20")) == 0
    # On 02-21: 7,884.88 of principal and 1,000.00 of interest, each 6 days at 18 % / 360.
    assert rules.arrears(fold, day("2026-02-21")) == D("8884.88") + D("23.65") + D("3.00")


def test_new_terms_wait_for_the_arrears_unless_the_lender_says_otherwise() -> None:
    owed = (D("0.00"), D("911.53"))
    for change in (LONGER, CHEAPER, FLATTER):
        with pytest.raises(ArrearsExist) as refused:
            rules.check_arrears(change, POLICY, owed)
        assert refused.value.params == {"arrears": "911.53"}
        rules.check_arrears(change, POLICY, (D("0.00"), D("0.00")))
        rules.check_arrears(change, replace(POLICY, amendment_in_arrears=True), owed)
    for change in (MISUSED, DUE_NOW):
        rules.check_arrears(change, POLICY, owed)


def test_misuse_bears_half_as_much_again_to_twice() -> None:
    fold = s36("2026-03-01")
    for right in ("1", "1.5", "2"):
        rules.check_misuse(replace(MISUSED, multiplier=D(right), amount=D("200000.00")), fold)
    for wrong in ("0.99", "1.01", "1.49", "2.01", "0", "-1"):
        with pytest.raises(ProductRuleViolated):
            rules.check_misuse(replace(MISUSED, multiplier=D(wrong)), fold)
    with pytest.raises(AmountExceedsDue) as refused:
        rules.check_misuse(replace(MISUSED, amount=D("200000.01")), fold)
    assert refused.value.params == {"asked": "200000.01", "due": "200000.00"}
    with pytest.raises(InvalidAmount):
        rules.check_misuse(replace(MISUSED, amount=D("0.00")), fold)


def test_what_is_due_cannot_fall_due_once_more() -> None:
    rules.check_acceleration(s36("2026-03-01"))
    for fold in (
        s36("2026-03-01", Acceleration(id="now", value_date=day("2026-03-01"))),
        loan(s01_terms(), s01_paid(11), day("2027-01-15")),
    ):
        with pytest.raises(InvalidState):
            rules.check_acceleration(fold)


def test_the_floor_of_a_second_extension_is_the_rate_of_the_first() -> None:
    added = tuple(map(day, ("2026-09-20", "2026-10-20")))
    first = Extension(id="one", value_date=day("2026-08-10"), due_dates=added, annual_rate=Fraction(132, 1000))
    paid_off = s36("2026-09-01", first)
    with pytest.raises(ProductRuleViolated) as refused:
        rules.check_extension(replace(LONGER, extension_periods=1, annual_rate=D("0.13")), POLICY, paid_off, [2])
    assert refused.value.params == {"rule": "annualRate", "value": "0.13", "allowed": "0.132 –"}
