"""护栏规则: each rule at its limit and beyond, with the figures that it shows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from types import SimpleNamespace

import pytest

from domain.calculation.schedule import Method
from domain.customers.consent import ConsentType
from domain.kernel.refusals import REFUSALS, Language, ProductRuleViolated
from domain.lending.guard_rules import (
    ALL,
    TERMS,
    Borrower,
    Case,
    Exposure,
    Figures,
    GuardResult,
    GuardSeverity,
    Purpose,
    age_on,
    covers,
    evaluate,
    failed,
    repayment_capacity,
)
from domain.lending.offer import Limits, Offer, plan_terms, price

PRODUCT = SimpleNamespace(
    min_amount=D("1000.00"),
    max_amount=D("1000000.00"),
    min_periods=3,
    max_periods=36,
    min_rate=D("0.06"),
    max_rate=D("0.36"),
    methods=["EQUAL_INSTALLMENT"],
    lending_modes=["CREDIT"],
    period_unit="MONTH",
    interest_basis="PERIODIC",
    settlement_day=None,
    first_settlement_min_days=None,
    amortization_periods=None,
    holiday_rule="NONE",
)
TODAY = date(2026, 1, 15)
S01 = Offer(D("100000.00"), 12, D("0.12"), Method.EQUAL_INSTALLMENT)


def priced(offer: Offer):
    return price(plan_terms(PRODUCT, offer, TODAY))


CASE = Case(
    today=TODAY,
    borrower=Borrower(blacklisted=False, birth_date=date(1990, 1, 1), missing_consents=(), region_code="999999"),
    purpose=Purpose(code="WORKING_CAPITAL", forbidden=False, use="BUSINESS"),
    product=PRODUCT,
    offer=S01,
    lending_mode="CREDIT",
    priced=priced(S01),
    exposure=Exposure(single=D("100000.00"), group=D("100000.00")),
    figures=Figures(
        net_assets=D("200000000.00"),
        single_borrower_ratio=D("0.10"),
        group_ratio=D("0.15"),
        limit_warning_share=D("0.80"),
        licence_limits={"CONSUMPTION": D("200000.00"), "BUSINESS": None},
        region_codes=(),
        age_minimum=18,
        age_maximum=65,
        cost=Limits(cap=D("0.24"), warn_above=D("0.12")),
    ),
)


def verdict(case: Case) -> tuple[set[str], set[str]]:
    """The codes that refuse and those that warn."""
    results = evaluate(case)
    return tuple({result.code for result in failed(results, severity)} for severity in GuardSeverity)  # type: ignore[return-value]


def test_the_usual_case_passes_without_a_warning():
    assert verdict(CASE) == (set(), set())
    assert {result.code for result in evaluate(CASE)} <= REFUSALS.keys()
    assert len(ALL) == 11


def test_what_the_kind_of_loan_adds_is_looked_at_first():
    frozen = GuardResult("FACILITY_FROZEN", False)
    case = replace(CASE, of_kind=(frozen,), borrower=replace(CASE.borrower, blacklisted=True))
    for rules in (ALL, TERMS):
        assert failed(evaluate(case, rules), GuardSeverity.REFUSE)[0] is frozen


def borrower(**changes) -> Case:
    return replace(CASE, borrower=replace(CASE.borrower, **changes))


def offered(**changes) -> Case:
    offer = replace(S01, **changes)
    return replace(CASE, offer=offer, priced=priced(offer))


def owing(single: str, group: str) -> Case:
    return replace(CASE, exposure=Exposure(single=D(single), group=D(group)))


@pytest.mark.parametrize(
    ("case", "refuses", "warns"),
    [
        (borrower(blacklisted=True), {"BLACKLISTED"}, set()),
        (borrower(birth_date=date(2008, 1, 15)), set(), set()),
        (borrower(birth_date=date(2008, 1, 16)), {"AGE_OUT_OF_RANGE"}, set()),
        (borrower(birth_date=date(1961, 1, 15)), set(), {"AGE_OUT_OF_RANGE"}),  # 66 on the day of maturity
        (borrower(birth_date=date(1961, 1, 16)), set(), set()),
        (borrower(birth_date=None), set(), set()),
        (borrower(missing_consents=("CREDIT_BUREAU",)), {"CONSENT_MISSING"}, set()),
        (replace(CASE, purpose=replace(CASE.purpose, forbidden=True)), {"FORBIDDEN_PURPOSE"}, set()),
        (replace(CASE, lending_mode="PLEDGE"), {"PRODUCT_RULE_VIOLATED"}, set()),
        (offered(amount=D("999.99")), {"PRODUCT_RULE_VIOLATED"}, set()),
        (offered(amount=D("1000.00")), set(), set()),
        (offered(periods=2), {"PRODUCT_RULE_VIOLATED"}, set()),
        (offered(periods=37), {"PRODUCT_RULE_VIOLATED"}, set()),
        (offered(annual_rate=D("0.0599")), {"PRODUCT_RULE_VIOLATED"}, set()),
        (offered(method=Method.EQUAL_PRINCIPAL), {"PRODUCT_RULE_VIOLATED"}, set()),
        (offered(annual_rate=D("0.1201")), set(), {"COST_CAP_EXCEEDED"}),
        (offered(annual_rate=D("0.24")), set(), {"COST_CAP_EXCEEDED"}),
        (offered(annual_rate=D("0.2401")), {"COST_CAP_EXCEEDED"}, {"COST_CAP_EXCEEDED"}),
        (offered(annual_rate=D("0.25")), {"COST_CAP_EXCEEDED"}, {"COST_CAP_EXCEEDED"}),
        (owing("16000000.00", "16000000.00"), set(), set()),  # exactly 80 % of the limit
        (owing("16000000.01", "16000000.01"), set(), {"SINGLE_BORROWER_LIMIT_EXCEEDED"}),
        (owing("20000000.00", "20000000.00"), set(), {"SINGLE_BORROWER_LIMIT_EXCEEDED"}),
        (owing("20000000.01", "20000000.01"), {"SINGLE_BORROWER_LIMIT_EXCEEDED"}, set()),
        (owing("1.00", "24000000.01"), set(), {"GROUP_LIMIT_EXCEEDED"}),
        (owing("1.00", "30000000.01"), {"GROUP_LIMIT_EXCEEDED"}, set()),
        (
            replace(owing("200000.01", "1.00"), purpose=replace(CASE.purpose, use="CONSUMPTION")),
            {"LICENCE_LIMIT_EXCEEDED"},
            set(),
        ),
        (replace(CASE, figures=replace(CASE.figures, region_codes=("510000",))), set(), {"REGION_NOT_ALLOWED"}),
        (replace(CASE, figures=replace(CASE.figures, region_codes=("51", "999999"))), set(), set()),
    ],
)
def test_each_rule_at_its_limit(case, refuses, warns):
    assert verdict(case) == (refuses, warns)


def test_a_refusal_shows_its_figures():
    (result,) = failed(evaluate(owing("20100000.00", "1.00")), GuardSeverity.REFUSE)
    refusal = result.refusal()
    assert (refusal.code, refusal.field) == ("SINGLE_BORROWER_LIMIT_EXCEEDED", ("amount",))
    assert refusal.params == {"limit": "20000000.00", "after": "20100000.00"}
    assert result.stored()["params"] == refusal.params


def test_rounding_to_fen_decides_nothing():
    small = offered(amount=D("1000.00")).priced
    assert D("0.12") < small.measure < D("0.1201")
    assert not small.exceeds(D("0.12"))


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(1990, 6, 1), date(2008, 5, 31), 17),
        (date(1990, 6, 1), date(2008, 6, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_whole_years(born, day, years):
    assert age_on(born, day) == years


@pytest.mark.parametrize(
    ("allowed", "code", "inside"),
    [
        ("510000", "510104", True),
        ("510100", "510104", True),
        ("510100", "510704", False),
        ("51", "510704", True),
        ("510104", "510105", False),
    ],
)
def test_regions_by_prefix(allowed, code, inside):
    assert covers(allowed, code) is inside


@pytest.mark.parametrize(
    ("income", "passed", "ratio"), [("20000.00", True, "0.4942"), ("19769.75", False, "0.5000"), ("0.00", False, None)]
)
def test_repayment_capacity_warns_above_the_line(income, passed, ratio):
    line = D("0.50") if ratio != "0.5000" else D("0.4999")
    (result,) = repayment_capacity(D(income), D("9884.88"), None, line)
    assert (result.passed, result.severity) == (passed, GuardSeverity.WARN)
    assert result.stored()["params"]["ratio"] == (ratio if ratio else None)


@pytest.mark.parametrize(("income", "refused"), [("14121.26", False), ("14000.00", True), ("0.00", True)])
def test_repayment_capacity_refuses_above_a_limit_that_the_lender_sets(income, refused):
    limit, warning = repayment_capacity(D(income), D("9884.88"), D("0.7"), D("0.5"))
    assert (limit.severity, limit.passed) == (GuardSeverity.REFUSE, not refused)
    assert (warning.severity, warning.passed) == (GuardSeverity.WARN, False)


def test_rates_are_shown_without_zeros_at_the_end():
    """Columns hold eight places, the contract writes "0.12"."""
    wide = SimpleNamespace(**vars(PRODUCT) | {"min_rate": D("0.06000000"), "max_rate": D("0.36000000")})
    results = evaluate(replace(offered(annual_rate=D("0.12000000")), product=wide))
    params = [result.stored()["params"] for result in results if result.field == "annualRate"]
    assert params == [
        {"rule": "annualRate", "value": "0.12", "allowed": "0.06–0.36"},
        {"cost": "0.12", "cap": "0.24"},
        {"cost": "0.12", "cap": "0.12"},
    ]


def test_what_is_missing_is_named_in_words():
    (result,) = failed(evaluate(borrower(missing_consents=tuple(ConsentType)[:2])), GuardSeverity.REFUSE)
    assert result.refusal().message(Language.ENGLISH).endswith(": PERSONAL_DATA, CREDIT_BUREAU.")


def test_a_method_without_a_plan_is_no_method_of_the_product():
    with pytest.raises(ProductRuleViolated) as refused:
        offered(method=Method.BALLOON)
    assert refused.value.field == ("method",)
