"""产品: what no product may say, the cap on its dearest terms, and versions (F40)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from fractions import Fraction

import pytest

from domain.calculation.cost import Fee, cost, measured
from domain.calculation.schedule import Basis, Method, PeriodUnit, PlanTerms, plan
from domain.configuration import loan_product, parameter
from domain.configuration.loan_product import LendingMode, LoanKind, LoanProduct, ProductState, Terms, check, worst_cost
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    Conflict,
    CostCapExceeded,
    Denied,
    Duplicate,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    ProductRuleViolated,
)
from tests.support.actors import LenderAtWork, a_lender

USUAL = Terms(
    name="经营贷",
    min_amount=D("1000.00"),
    max_amount=D("1000000.00"),
    min_periods=1,
    max_periods=36,
    min_rate=D("0.06"),
    max_rate=D("0.24"),
    methods=(Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY, Method.BULLET),
    lending_modes=(LendingMode.CREDIT,),
)
FLAT = replace(USUAL, methods=(Method.EQUAL_PRINCIPAL_EQUAL_INTEREST,), min_periods=12, max_periods=12)

# ------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"min_amount": D("0.00")}, InvalidAmount, "minAmount"),
        ({"max_amount": D("-1.00")}, InvalidAmount, "maxAmount"),
        ({"max_amount": D("999.99")}, InvalidAmount, "maxAmount"),
        ({"min_periods": 0}, InvalidInput, "minPeriods"),
        ({"min_periods": 37}, InvalidInput, "minPeriods"),
        ({"max_periods": 1201}, InvalidInput, "maxPeriods"),
        ({"min_rate": D("-0.01")}, InvalidInput, "minRate"),
        ({"min_rate": D("0.25")}, InvalidInput, "minRate"),
        ({"methods": ()}, InvalidInput, "methods"),
        ({"lending_modes": ()}, InvalidInput, "lendingModes"),
        ({"period_unit": PeriodUnit.WEEK, "methods": (Method.BULLET,)}, InvalidInput, "interestBasis"),
        ({"period_unit": PeriodUnit.DAY, "interest_basis": Basis.ACTUAL_360}, InvalidInput, "methods"),
        ({"grace_days": -1}, InvalidInput, "graceDays"),
        ({"grace_days": 91}, InvalidInput, "graceDays"),
        ({"penalty_multiplier": D("1.29")}, ProductRuleViolated, "penaltyMultiplier"),
        ({"penalty_multiplier": D("1.51")}, ProductRuleViolated, "penaltyMultiplier"),
        ({"allocation_order": USUAL.allocation_order[:-1]}, InvalidInput, "allocationOrder"),
        (
            {"allocation_order": (*USUAL.allocation_order[:-1], USUAL.allocation_order[0])},
            InvalidInput,
            "allocationOrder",
        ),
        ({"prepayment_fee_rate": D("1.01")}, InvalidInput, "prepaymentFeeRate"),
        ({"amortization_periods": 35}, InvalidInput, "amortizationPeriods"),
        ({"settlement_day": 32}, InvalidInput, "settlementDay"),
        ({"first_settlement_min_days": 32}, InvalidInput, "firstSettlementMinDays"),
        ({"facility_months": 12}, InvalidInput, "facilityMonths"),
        ({"drawdown_tail_days": 0}, InvalidInput, "drawdownTailDays"),
        ({"name": " "}, InvalidInput, "name"),
        ({"workflow_code": "no blank"}, InvalidInput, "workflowCode"),
    ],
)
def test_what_no_product_may_say(changes, refusal, field):
    with pytest.raises(refusal) as refused:
        check(replace(USUAL, **changes))
    assert refused.value.field == (field,)


@pytest.mark.parametrize("multiplier", ["1.3", "1.5"])
def test_the_ends_of_a_range_belong_to_it(multiplier):
    check(replace(USUAL, penalty_multiplier=D(multiplier), settlement_day=31, prepayment_fee_rate=D(1)))


REVOLVING = replace(
    USUAL,
    kind=LoanKind.REVOLVING,
    methods=(Method.INTEREST_ONLY, Method.BULLET),
    interest_basis=Basis.ACTUAL_360,
    settlement_day=20,
)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"methods": (Method.INTEREST_ONLY, Method.EQUAL_PRINCIPAL)}, "methods"),
        ({"interest_basis": Basis.PERIODIC}, "interestBasis"),
        ({"facility_months": 0}, "facilityMonths"),
        ({"facility_months": 121}, "facilityMonths"),
        ({"drawdown_tail_days": -1}, "drawdownTailDays"),
        ({"drawdown_tail_days": 367}, "drawdownTailDays"),
    ],
)
def test_what_no_revolving_product_may_say(changes, field):
    check(REVOLVING)
    with pytest.raises(InvalidInput) as refused:
        check(replace(REVOLVING, **changes))
    assert refused.value.field == (field,)


async def test_a_revolving_product_has_its_own_defaults(lender: LenderAtWork):
    usual = await loan_product.create(lender.tenant_admin, code="LINE", terms=REVOLVING)
    assert (usual.facility_months, usual.drawdown_tail_days, usual.first_settlement_min_days) == (36, 0, 0)
    own = replace(REVOLVING, facility_months=12, drawdown_tail_days=30, first_settlement_min_days=5)
    revised = await loan_product.revise(lender.tenant_admin, product_id=usual.id, expected_version=1, terms=own)
    assert (revised.facility_months, revised.drawdown_tail_days, revised.first_settlement_min_days) == (12, 30, 5)


async def test_the_workflow_of_a_revolving_product_is_one_for_facilities(lender: LenderAtWork):
    for workflow_code in ("NORMAL_LOAN", "NOWHERE"):
        terms = replace(REVOLVING, workflow_code=workflow_code)
        with pytest.raises(InvalidInput) as refused:
            await loan_product.create(lender.tenant_admin, code="LINE", terms=terms)
        assert refused.value.field == ("workflowCode",)
    await loan_product.create(lender.tenant_admin, code="LINE", terms=replace(REVOLVING, workflow_code="FACILITY"))


def test_the_cost_of_whole_periods_is_the_rate_itself():
    assert worst_cost(USUAL) == D("0.240000")


@pytest.mark.parametrize("method", [Method.BULLET, Method.INTEREST_ONLY, Method.EQUAL_PRINCIPAL])
def test_the_day_count_is_left_to_each_application(method):
    assert worst_cost(replace(USUAL, methods=(method,), interest_basis=Basis.ACTUAL_360)) == D("0.240000")


def test_the_dearest_number_of_periods_of_a_flat_rate_is_found_between_the_ends():
    terms = replace(FLAT, min_periods=1, max_periods=60, max_rate=D("0.13"))
    ends = max(worst_cost(replace(terms, min_periods=n, max_periods=n)) for n in (1, 60))
    each = max(worst_cost(replace(terms, min_periods=n, max_periods=n)) for n in range(1, 61))
    assert worst_cost(terms) == each > ends


def test_s10_is_above_the_cap_even_without_its_fee():
    """S10: 60,000 at a flat 14.4 % over 12 months with a fee of 1,200; the cap is 24 %."""
    s10 = PlanTerms(
        principal=6_000_000,
        annual_rate=Fraction("0.144"),
        method=FLAT.methods[0],
        value_date=date(2026, 2, 5),
        periods=12,
    )
    paid = [Fee(date(2026, 2, 5), 120_000)]
    assert measured(cost(s10, plan(s10), paid)) == D("0.295765")
    assert D("0.24") < worst_cost(replace(FLAT, max_rate=D("0.144"))) < D("0.295765")


# ------------------------------------------------------------------ commands


async def test_a_product_can_be_used_at_once(lender: LenderAtWork):
    made = await loan_product.create(lender.tenant_admin, code="JY", terms=USUAL)
    assert (made.code, made.version, made.state) == ("JY", 1, ProductState.ACTIVE)
    assert (made.methods[0], made.allocation_order[0], made.amortization_periods) == ("EQUAL_INSTALLMENT", "FEE", None)
    with pytest.raises(Duplicate):
        await loan_product.create(lender.tenant_admin, code="JY", terms=USUAL)
    with pytest.raises(Denied):
        await loan_product.create(lender.account_manager, code="XF", terms=USUAL)


@pytest.mark.parametrize("code", ["NOWHERE", "INTEREST_WAIVER"])
async def test_its_own_workflow_is_one_of_loans_that_exists(lender: LenderAtWork, code: str):
    with pytest.raises(InvalidInput) as refused:
        await loan_product.create(lender.tenant_admin, code="JY", terms=replace(USUAL, workflow_code=code))
    assert refused.value.field == ("workflowCode",)
    made = await loan_product.create(lender.tenant_admin, code="JY", terms=replace(USUAL, workflow_code="NORMAL_LOAN"))
    with pytest.raises(InvalidInput):
        await loan_product.revise(
            lender.tenant_admin, product_id=made.id, expected_version=1, terms=replace(USUAL, workflow_code=code)
        )


async def test_a_balloon_is_amortized_over_the_longest_term_unless_it_says_otherwise(lender: LenderAtWork):
    balloon = replace(USUAL, methods=(Method.BALLOON,))
    usual = await loan_product.create(lender.tenant_admin, code="B1", terms=balloon)
    longer = await loan_product.create(lender.tenant_admin, code="B2", terms=replace(balloon, amortization_periods=60))
    assert (usual.amortization_periods, longer.amortization_periods) == (36, 60)


async def test_s10s_terms_are_refused_at_save_and_every_lender_has_its_own_cap(
    lender: LenderAtWork, place, ports, blueprint
):
    terms = replace(FLAT, max_rate=D("0.144"))
    with pytest.raises(CostCapExceeded) as refused:
        await loan_product.create(lender.tenant_admin, code="DB", terms=terms)
    assert refused.value.params == {"cost": "0.255953", "cap": "0.24"}
    assert not await lender.rows(LoanProduct)

    other = await a_lender(place, ports, blueprint)
    proposed = await parameter.propose(
        other.tenant_admin, code="cost_cap", value="0.12", effective_from=date(2025, 1, 1), reason="省内要求"
    )
    await parameter.approve(other.general_manager, parameter_id=proposed.id)
    at_eighteen = replace(USUAL, max_rate=D("0.18"))
    with pytest.raises(CostCapExceeded):
        await loan_product.create(other.tenant_admin, code="JY", terms=at_eighteen)
    assert (await loan_product.create(lender.tenant_admin, code="JY", terms=at_eighteen)).version == 1


async def test_a_revision_is_a_new_row_and_the_old_one_stays(lender: LenderAtWork):
    admin = lender.tenant_admin
    first = await loan_product.create(admin, code="JY", terms=USUAL)
    second = await loan_product.revise(
        admin, product_id=first.id, expected_version=1, terms=replace(USUAL, max_rate=D("0.18"), grace_days=3)
    )
    rows = {row.version: row for row in await lender.rows(LoanProduct)}
    assert (rows[1].state, rows[1].max_rate, rows[1].grace_days) == (ProductState.SUPERSEDED, D("0.24"), 0)
    assert (rows[2].id, rows[2].state, rows[2].max_rate) == (second.id, ProductState.ACTIVE, D("0.18"))
    with pytest.raises(InvalidState):
        await loan_product.revise(admin, product_id=first.id, expected_version=1, terms=USUAL)
    with pytest.raises(Conflict):
        await loan_product.revise(admin, product_id=second.id, expected_version=1, terms=USUAL)
    with pytest.raises(CostCapExceeded):
        await loan_product.revise(
            admin, product_id=second.id, expected_version=2, terms=replace(USUAL, max_rate=D("0.25"))
        )


async def test_the_list_shows_what_is_on_offer_and_all_versions_when_asked(lender: LenderAtWork):
    admin = lender.tenant_admin
    first = await loan_product.create(admin, code="JY", terms=USUAL)
    await loan_product.revise(admin, product_id=first.id, expected_version=1, terms=USUAL)
    gone = await loan_product.create(admin, code="XF", terms=USUAL)
    await loan_product.retire(admin, product_id=gone.id, expected_version=1)
    columns = [LoanProduct.code, LoanProduct.version]
    async with lender.account_manager.reading() as ctx:
        offered = await loan_product.products(ctx, columns=columns, window=Window())
        everything = await loan_product.products(ctx, columns=columns, state=None, window=Window())
    assert [(row.code, row.version) for row in offered.rows] == [("JY", 2)]
    assert [(row.code, row.version) for row in everything.rows] == [("JY", 2), ("JY", 1), ("XF", 1)]
