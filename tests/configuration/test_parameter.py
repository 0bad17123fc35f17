"""业务参数: values are checked, take two people, and hold from their day on (F50)."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from domain.configuration import parameter
from domain.configuration.parameter import DEFINITIONS, Parameter, ParameterState, check_value
from domain.kernel.clock import open_day
from domain.kernel.paging import Window
from domain.kernel.refusals import Denied, InvalidInput, InvalidState, NotFound, SamePerson
from domain.kernel.table import uuid7
from tests.support.actors import LenderAtWork, a_lender

TODAY = date(2025, 1, 1)
MONDAY = date(2025, 1, 6)


async def value_of(lender: LenderAtWork, code: str, on: date | None = None):
    async with lender.system.reading() as ctx:
        return await parameter.value(ctx, code, on)


async def changed(lender: LenderAtWork, code: str, value, effective_from: date = TODAY) -> Parameter:
    proposed = await parameter.propose(
        lender.tenant_admin, code=code, value=value, effective_from=effective_from, reason="调整"
    )
    return await parameter.approve(lender.general_manager, parameter_id=proposed.id)


# ------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    ("code", "value", "stored"),
    [
        ("net_assets", "100000000", "100000000.00"),
        ("consumption_limit", None, None),
        ("cost_cap", "0.24", "0.24"),
        ("non_accrual_days", 90, 90),
        ("second_factor_required", True, True),
        ("batch_time", "02:05", "02:05"),
        ("classification_ruleset", "SMALL_LOAN_MATRIX_2007", "SMALL_LOAN_MATRIX_2007"),
        ("working_region_codes", ["5101", "5107"], ["5101", "5107"]),
    ],
)
def test_a_right_value_is_taken_in_its_plain_form(code, value, stored):
    assert check_value(code, value) == stored


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("no_such_parameter", "1"),
        ("net_assets", None),
        ("net_assets", 0.1),
        ("net_assets", "-1.00"),
        ("net_assets", "1.001"),
        ("net_assets", "NaN"),
        ("net_assets", "1e30"),
        ("net_assets", True),
        ("cost_cap", "a quarter"),
        ("cost_cap", "0.123456789"),
        ("non_accrual_days", "90"),
        ("non_accrual_days", -1),
        ("non_accrual_days", True),
        ("second_factor_required", "yes"),
        ("batch_time", "25:00"),
        ("batch_time", 5),
        ("classification_ruleset", "MINE"),
        ("working_region_codes", "5101"),
        ("working_region_codes", ["51 01"]),
    ],
)
def test_a_wrong_value_is_refused(code, value):
    with pytest.raises(InvalidInput):
        check_value(code, value)


@pytest.mark.parametrize("code", [code for code, known in DEFINITIONS.items() if code != "net_assets"])
def test_every_default_is_a_value_that_could_be_proposed(code):
    assert check_value(code, DEFINITIONS[code].default) == DEFINITIONS[code].default


# ------------------------------------------------------------------ defaults


async def test_a_fresh_lender_has_a_value_for_everything(lender: LenderAtWork):
    async with lender.system.reading() as ctx:
        found = await parameter.values(ctx, DEFINITIONS)
    assert found["net_assets"] == Decimal("100000000.00")
    assert found["cost_cap"] == Decimal("0.24")
    assert found["lpr_1y"] * found["cost_warning_multiple"] == Decimal("0.12")
    assert (found["single_borrower_ratio"], found["group_ratio"]) == (Decimal("0.10"), Decimal("0.15"))
    assert found["consumption_limit"] is None
    assert found["working_region_codes"] == ()
    assert found["batch_time"] == time(23, 30)


async def test_the_licence_and_the_request_decide_what_a_lender_starts_with(lender, place, ports, blueprint):
    online = await a_lender(place, ports, blueprint, licence_type="ONLINE", net_assets=Decimal("5000000.00"))
    assert await value_of(online, "consumption_limit") == Decimal("200000.00")
    assert await value_of(online, "business_limit") == Decimal("10000000.00")
    assert await value_of(online, "net_assets") == Decimal("5000000.00")
    assert await value_of(lender, "business_limit") is None
    assert await value_of(lender, "net_assets") == Decimal("100000000.00")


async def test_one_lenders_value_is_not_anothers(lender, place, ports, blueprint):
    other = await a_lender(place, ports, blueprint)
    await changed(lender, "cost_cap", "0.20")
    assert await value_of(lender, "cost_cap") == Decimal("0.20")
    assert await value_of(other, "cost_cap") == Decimal("0.24")


# ------------------------------------------------------------------ commands


async def test_net_assets_of_next_monday_hold_only_from_monday(lender: LenderAtWork):
    await changed(lender, "net_assets", "50000000.00", MONDAY)
    assert await value_of(lender, "net_assets") == Decimal("100000000.00")
    async with lender.system.writing() as ctx:
        await open_day(ctx, MONDAY)
    assert await value_of(lender, "net_assets") == Decimal("50000000.00")
    # The figure behind a check of the past stays what it was.
    assert await value_of(lender, "net_assets", MONDAY - timedelta(days=1)) == Decimal("100000000.00")


async def test_the_later_decision_holds_of_two_for_one_day(lender: LenderAtWork):
    await changed(lender, "non_accrual_days", 60)
    await changed(lender, "non_accrual_days", 30)
    assert await value_of(lender, "non_accrual_days") == 30


async def test_a_proposal_takes_another_person_and_is_decided_once(lender: LenderAtWork):
    proposed = await parameter.propose(
        lender.tenant_admin, code="cost_cap", value="0.18", effective_from=TODAY, reason="从严"
    )
    assert await value_of(lender, "cost_cap") == Decimal("0.24")
    with pytest.raises(SamePerson):
        await parameter.approve(lender.tenant_admin, parameter_id=proposed.id)
    rejected = await parameter.approve(lender.general_manager, parameter_id=proposed.id, approved=False)
    assert rejected.state is ParameterState.REJECTED
    assert await value_of(lender, "cost_cap") == Decimal("0.24")
    with pytest.raises(InvalidState):
        await parameter.approve(lender.general_manager, parameter_id=proposed.id)
    with pytest.raises(NotFound):
        await parameter.approve(lender.general_manager, parameter_id=uuid7())


async def test_a_value_approved_late_holds_from_the_approval_on(lender: LenderAtWork):
    proposed = await parameter.propose(
        lender.tenant_admin, code="cost_cap", value="0.18", effective_from=TODAY, reason="从严"
    )
    async with lender.system.writing() as ctx:
        await open_day(ctx, MONDAY)
    await parameter.approve(lender.general_manager, parameter_id=proposed.id)
    assert await value_of(lender, "cost_cap", MONDAY - timedelta(days=1)) == Decimal("0.24")
    assert await value_of(lender, "cost_cap") == Decimal("0.18")


async def test_the_past_cannot_be_proposed_and_an_account_manager_proposes_nothing(lender: LenderAtWork):
    wish = {"code": "cost_cap", "value": "0.20", "reason": "调整"}
    with pytest.raises(InvalidInput):
        await parameter.propose(lender.tenant_admin, **wish, effective_from=TODAY - timedelta(days=1))
    with pytest.raises(Denied):
        await parameter.propose(lender.account_manager, **wish, effective_from=TODAY)


# ------------------------------------------------------------------ queries


async def test_a_day_before_the_first_is_a_mistake_of_the_program(lender: LenderAtWork):
    with pytest.raises(LookupError):
        await value_of(lender, "cost_cap", TODAY - timedelta(days=1))


async def test_the_list_shows_what_was_what_is_and_what_will_be(lender: LenderAtWork):
    await changed(lender, "cost_cap", "0.20", MONDAY)
    async with lender.auditor.reading() as ctx:
        page = await parameter.parameters(
            ctx, columns=list(Parameter.__table__.c), code="cost_cap", window=Window(first=10)
        )
    assert [(row.value, row.effective_from) for row in page.rows] == [("0.20", MONDAY), ("0.24", TODAY)]
