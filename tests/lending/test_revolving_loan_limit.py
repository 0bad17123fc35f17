"""支用: what is free is counted from loans and applications, under a lock, whenever something is drawn (F11, golden S38)."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from itertools import count
from typing import Any

import pytest
from sqlalchemy import insert, update

from domain import end_of_day
from domain.calculation.schedule import Method
from domain.configuration.loan_product import LoanKind
from domain.finance.disbursement import Disbursement, DisbursementState
from domain.kernel.audit import GuardEntry
from domain.kernel.refusals import (
    CreditLimitExceeded,
    FacilityFrozen,
    ForbiddenPurpose,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    ProductRuleViolated,
    Refusal,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.lending import guards, loan_application
from domain.lending.guard_rules import GuardSeverity, failed
from domain.lending.loan.tables import InstallmentRow
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.lending.loan_contract import LoanContract
from domain.lending.revolving_loan import drawdown, freezing, request
from domain.lending.revolving_loan.drawdown import longest_periods, results
from domain.lending.revolving_loan.limit import Usage
from domain.lending.revolving_loan.tables import CreditFacility, FacilityState
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.support.actors import LenderAtWork, a_lender
from tests.support.customers import a_person
from tests.support.facilities import (
    OPENED,
    a_revolving_product,
    agreed,
    applied,
    asked,
    change,
    drawn,
    granted,
    paid_out,
    signed,
    usage,
)
from tests.support.lending import S01, a_draft, decide
from tests.support.loans import Lending, lending_at

DAY = timedelta(days=1)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def application(lender: LenderAtWork, key: Any) -> Any:
    (row,) = await lender.rows(LoanApplication, LoanApplication.id == key)
    return row


async def check_pay_out(lender: LenderAtWork, contract_id: Any, on: date | None = None) -> None:
    """What the cashier's payment checks on that day."""
    async with lender.system.writing() as ctx:
        contract = await ctx.session.get_one(LoanContract, contract_id)
        await guards.check_disbursement(ctx, contract, on or ctx.today)


# ---------------------------------------------------------------- rules


def a_row(**changes: Any) -> CreditFacility:
    given: dict[str, Any] = {
        "state": FacilityState.ACTIVE, "starts_on": OPENED, "ends_on": date(2025, 12, 31), "max_periods": 12,
        "frozen_on": None, "frozen_causes": [],
    }  # fmt: skip
    return CreditFacility(**given | changes)


class Product:
    period_unit = "MONTH"
    drawdown_tail_days = 30


FREE = Usage(D("200000.00"), D("100000.00"), D("30000.00"))


def refusals(
    row: CreditFacility, amount: str = "70000.00", on: date = OPENED, maturity: date = date(2025, 12, 1)
) -> Any:
    found = failed(results(row, Product, FREE, D(amount), on, maturity), GuardSeverity.REFUSE)
    return [(result.code, result.params) for result in found]


def test_what_is_free_may_be_drawn_and_no_fen_more():
    assert refusals(a_row()) == []
    [(code, figures)] = refusals(a_row(), "70000.01")
    assert code == "CREDIT_LIMIT_EXCEEDED"
    assert figures == {
        "available": D("70000.00"), "amount": D("70000.01"), "limit": D("200000.00"), "used": D("100000.00"),
        "inApproval": D("30000.00"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (FacilityState.DRAFT, "INVALID_STATE"),
        (FacilityState.APPROVING, "INVALID_STATE"),
        (FacilityState.FROZEN, "FACILITY_FROZEN"),
        (FacilityState.EXPIRED, "INVALID_STATE"),
        (FacilityState.CANCELLED, "INVALID_STATE"),
    ],
)
def test_only_an_active_facility_is_drawn_on(state: FacilityState, code: str):
    assert [found for found, _ in refusals(a_row(state=state))] == [code]


@pytest.mark.parametrize(
    ("on", "maturity", "rules"),
    [
        (OPENED, date(2026, 1, 30), []),
        (OPENED, date(2026, 1, 31), ["maturityDate"]),
        (date(2025, 12, 31), date(2026, 1, 30), []),
        (date(2026, 1, 1), date(2026, 1, 30), ["drawdownDate"]),
        (OPENED - DAY, date(2025, 12, 1), ["drawdownDate"]),
    ],
)
def test_a_drawdown_lies_within_the_term_and_matures_within_the_tail(on: date, maturity: date, rules: list[str]):
    assert [params["rule"] for _, params in refusals(a_row(), on=on, maturity=maturity)] == rules


def test_left_open_a_drawdown_runs_as_long_as_it_may():
    assert longest_periods(a_row(), Product, OPENED) == 12, "to 2026-01-01, the tail ends on 2026-01-30"
    assert longest_periods(a_row(), Product, date(2025, 2, 1)) == 11
    assert longest_periods(a_row(max_periods=3), Product, OPENED) == 3
    assert longest_periods(a_row(), Product, date(2025, 12, 30)) == 1
    with pytest.raises(ProductRuleViolated) as refused:
        longest_periods(a_row(), Product, date(2025, 12, 31))
    assert refused.value.params == {"rule": "maturityDate", "value": "2026-01-31", "allowed": "≤ 2026-01-30"}


def test_nothing_below_zero_is_free_and_nothing_of_a_frozen_one_can_be_drawn():
    lowered = Usage(D("100000.00"), D("80000.00"), D("30000.00"))
    assert (lowered.free, lowered.available, lowered.rate) == (D("0.00"), D("0.00"), D("0.8000"))
    frozen = replace(FREE, drawable=False)
    assert (frozen.free, frozen.available) == (D("70000.00"), D("0.00"))


# ---------------------------------------------------------------- reserved, drawn, repaid


async def test_what_was_asked_for_is_reserved_until_it_is_paid_out(lender: LenderAtWork, lending: Lending):
    row = await granted(lender)
    first = await asked(lender, row.id, "80000.00")
    assert (first.state, first.method, first.periods) == (ApplicationState.REVIEWING, Method.INTEREST_ONLY, 11)
    with pytest.raises(CreditLimitExceeded) as refused:
        await asked(lender, row.id, "120000.01")
    assert refused.value.field == ("amount",)
    assert refused.value.params["available"] == "120000.00"
    assert len(await lender.rows(LoanApplication)) == 1, "a refusal changes nothing"
    refused_ones = await lender.rows(GuardEntry, GuardEntry.severity == "REFUSE")
    assert [entry.code for entry in refused_ones] == ["CREDIT_LIMIT_EXCEEDED"]
    await decide(lender.business_manager, first.id, terms=ApprovedTerms(amount=D("70000.00")))
    assert (await usage(lender, row.id)).in_approval == D("70000.00"), "what was approved"
    contract = await signed(lender, first.id)
    assert (await usage(lender, row.id)).in_approval == D("70000.00")
    loan_id = await paid_out(lender, contract, lending.account_id)
    counted = await usage(lender, row.id)
    assert (counted.used, counted.in_approval, counted.available) == (D("70000.00"), D("0.00"), D("130000.00"))
    await lending.receive(loan_id, "30000.00", prepayment="REDUCE_INSTALLMENT")
    counted = await usage(lender, row.id)
    assert (counted.used, counted.available) == (D("40000.00"), D("160000.00"))


@pytest.mark.parametrize("way", [Decision.REJECT, Decision.RETURN, "withdraw"])
async def test_what_does_not_come_about_is_free_again(lender: LenderAtWork, way: Any):
    row = await granted(lender)
    drawn_on = await asked(lender, row.id, "80000.00")
    if way == "withdraw":
        await loan_application.withdraw(lender.account_manager, application_id=drawn_on.id)
    else:
        await decide(lender.business_manager, drawn_on.id, way, opinion="用途不明")
        assert (await application(lender, drawn_on.id)).state == ApplicationState.REJECTED
    assert (await usage(lender, row.id)).available == D("200000.00")
    with pytest.raises(InvalidState):
        await loan_application.submit(lender.account_manager, application_id=drawn_on.id)


async def test_an_approval_that_ran_out_is_free_again_unless_the_bank_has_it(lender: LenderAtWork):
    row = await granted(lender)
    drawn_on = await asked(lender, row.id, "80000.00")
    await decide(lender.business_manager, drawn_on.id)
    contract = await signed(lender, drawn_on.id)
    async with lender.system.writing() as ctx:
        over = update(LoanApplication).where(LoanApplication.id == drawn_on.id)
        await ctx.connection.execute(over.values(approved_valid_until=OPENED - DAY))
    assert (await usage(lender, row.id)).available == D("200000.00")
    async with lender.system.writing() as ctx:
        payment = {"id": uuid7(), "created_at": ctx.now, "number": "FK-T", "state": DisbursementState.PAYING}
        values = payment | {"contract_id": contract, "customer_id": row.customer_id, "amount": D("80000.00")}
        await ctx.connection.execute(insert(Disbursement).values(**values))
    assert (await usage(lender, row.id)).available == D("120000.00")


async def test_an_approval_ends_with_the_facility(lender: LenderAtWork):
    row = await granted(lender, ends_on=date(2025, 2, 15))
    drawn_on = await asked(lender, row.id, "80000.00")
    await decide(lender.business_manager, drawn_on.id)
    assert drawn_on.periods == 1
    assert (await application(lender, drawn_on.id)).approved_valid_until == date(2025, 2, 15)


async def test_others_decide_on_a_drawdown_within_its_facility(lender: LenderAtWork):
    row = await granted(lender)
    drawn_on = await asked(lender, row.id, "80000.00", periods=6)
    await change(lender, row.id, co_manager_id=lender.risk_officer.actor.id)
    later = await asked(lender, row.id, "10000.00")
    with pytest.raises(SamePerson):
        await decide(lender.account_manager, drawn_on.id)
    with pytest.raises(SamePerson):
        await decide(lender.risk_officer, later.id)
    for terms, field in (
        (ApprovedTerms(annual_rate=D("0.13")), "annualRate"),
        (ApprovedTerms(periods=13), "periods"),
        (ApprovedTerms(method=Method.EQUAL_PRINCIPAL), "method"),
    ):
        with pytest.raises(Refusal) as refused:
            await decide(lender.business_manager, drawn_on.id, terms=terms)
        assert (refused.value.code, refused.value.field) == ("PRODUCT_RULE_VIOLATED", ("terms", field))
    assert (await application(lender, drawn_on.id)).state == ApplicationState.REVIEWING


@pytest.mark.parametrize(
    ("given", "refusal", "field"),
    [
        ({"amount": "999.99"}, ProductRuleViolated, "amount"),
        ({"amount": "50000.01"}, ProductRuleViolated, "amount"),
        ({"amount": "0.00"}, InvalidAmount, "amount"),
        ({"periods": 7}, ProductRuleViolated, "periods"),
        ({"periods": 0}, InvalidInput, "periods"),
        ({"method": Method.EQUAL_INSTALLMENT}, ProductRuleViolated, "method"),
        ({"purpose_code": "STOCK_INVESTMENT"}, ForbiddenPurpose, "purposeCode"),
        ({"purpose_code": "NOTHING"}, InvalidInput, "purposeCode"),
    ],
)
async def test_a_single_drawdown_is_as_the_facility_says(
    lender: LenderAtWork, given: dict[str, Any], refusal: Any, field: str
):
    row = await granted(lender, min_drawdown=D("1000.00"), max_drawdown=D("50000.00"), max_periods=6)
    with pytest.raises(refusal) as refused:
        await asked(lender, row.id, **({"amount": "20000.00"} | given))
    assert refused.value.field == (field,)
    assert await lender.rows(LoanApplication) == []


async def test_one_key_draws_once(lender: LenderAtWork):
    row = await granted(lender)
    drawings = [asked(lender, row.id, "80000.00", idempotency_key="again") for _ in range(3)]
    assert len({one.id for one in await asyncio.gather(*drawings)}) == 1
    assert (await usage(lender, row.id)).in_approval == D("80000.00")


async def test_drawdowns_at_once_never_exceed_the_limit(lender: LenderAtWork):
    row = await granted(lender)
    drawings = [asked(lender, row.id, "30000.00") for _ in range(12)]
    found = await asyncio.gather(*drawings, return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["CreditLimitExceeded"] * 6 + ["LoanApplication"] * 6
    assert (await usage(lender, row.id)).available == D("20000.00")


async def test_control_without_the_lock_too_much_is_drawn(lender: LenderAtWork, monkeypatch: pytest.MonkeyPatch):
    """The lock is what the test before proves: without it (and without the numbers, which also wait) several pass."""
    row = await granted(lender)
    waiting, numbers = asyncio.Barrier(2), count(1)

    async def unlocked(ctx: Any, entity: Any, key: Any, field: str) -> Any:
        return await ctx.session.get_one(entity, key)

    async def nothing(_ctx: Any, _subject: Any) -> None:
        await waiting.wait()

    async def numbered(_ctx: Any, _kind: str) -> int:
        return next(numbers)

    monkeypatch.setattr(drawdown, "lock", unlocked)
    monkeypatch.setattr(drawdown, "next_number", numbered)
    monkeypatch.setitem(guards.KINDS, LoanKind.REVOLVING, replace(guards.KINDS[LoanKind.REVOLVING], hold=nothing))
    await asyncio.gather(*(asked(lender, row.id, "150000.00") for _ in range(2)))
    assert (await usage(lender, row.id)).in_approval == D("300000.00")


async def test_a_revolving_product_is_drawn_on_and_not_applied_for(lender: LenderAtWork):
    product = await a_revolving_product(lender)
    with pytest.raises(ProductRuleViolated) as refused:
        await a_draft(lender, product_id=product.id, **vars_of(S01))
    assert refused.value.params == {"rule": "kind", "value": "REVOLVING", "allowed": "NORMAL, ENTRUSTED"}


def vars_of(given: Any) -> dict[str, Any]:
    return {"method": Method.INTEREST_ONLY, "amount": given.amount}


# ---------------------------------------------------------------- at the pay-out


async def test_the_line_is_looked_at_again_when_it_is_paid(lender: LenderAtWork):
    row = await granted(lender)
    drawn_on = await asked(lender, row.id, "80000.00")
    await decide(lender.business_manager, drawn_on.id)
    contract = await signed(lender, drawn_on.id)
    await check_pay_out(lender, contract)
    await freezing.freeze(lender.risk_officer, facility_id=row.id, reason="核实")
    with pytest.raises(FacilityFrozen):
        await check_pay_out(lender, contract)
    await request.change_limit(lender.account_manager, facility_id=row.id, new_limit=D("79999.99"), reason="下调")
    await agreed(lender, row.id)
    await request.unfreeze(lender.account_manager, facility_id=row.id, reason="已核实")
    await agreed(lender, row.id)
    with pytest.raises(CreditLimitExceeded) as refused:
        await check_pay_out(lender, contract)
    assert refused.value.params["available"] == "79999.99"
    await change(lender, row.id, state=FacilityState.EXPIRED)
    with pytest.raises(InvalidState):
        await check_pay_out(lender, contract)


async def test_a_pay_out_entered_late_leaves_room_for_what_was_drawn_since(lender: LenderAtWork, lending: Lending):
    """150,000 were drawn from the 2nd to the 4th and repaid; a drawdown of 80,000 dated the 1st would have exceeded it then."""
    row = await granted(lender)
    late = await asked(lender, row.id, "50000.00")
    await decide(lender.business_manager, late.id)
    contract = await signed(lender, late.id)
    await end_of_day.run(lender.system, through=OPENED)
    loan_id = await drawn(lender, row.id, "150000.00", lending.account_id)
    await change(lender, row.id, credit_limit=D("190000.00"))
    await end_of_day.run(lender.system, through=OPENED + 2 * DAY)
    quote = await lending.figures(loan_id)
    await lending.receive(
        loan_id, f"{(quote.principal_outstanding + quote.accrued_interest + 1) / 100:.2f}", prepayment="SETTLE"
    )
    assert (await usage(lender, row.id)).used == D("0.00")
    await check_pay_out(lender, contract)
    for on in (OPENED, OPENED + DAY, OPENED + 2 * DAY):
        with pytest.raises(CreditLimitExceeded) as refused:
            await check_pay_out(lender, contract, on)
        assert (refused.value.params["available"], refused.value.params["used"]) == ("40000.00", "150000.00")


async def test_a_drawdown_that_would_mature_too_late_by_now_is_not_paid(lender: LenderAtWork):
    row = await granted(lender)
    drawn_on = await asked(lender, row.id, "50000.00", periods=11)
    await decide(lender.business_manager, drawn_on.id)
    contract = await signed(lender, drawn_on.id)
    await end_of_day.run(lender.system, through=date(2025, 1, 31))
    with pytest.raises(ProductRuleViolated) as refused:
        await check_pay_out(lender, contract)
    assert refused.value.params == {"rule": "maturityDate", "value": "2026-01-01", "allowed": "2025-01-01–2025-12-31"}
    await check_pay_out(lender, contract, date(2025, 1, 31))


async def test_the_first_settlement_day_is_not_left_out(lender: LenderAtWork, lending: Lending):
    """S38 settles every drawdown on the next 20th, however near; a product may say otherwise."""
    await end_of_day.run(lender.system, through=date(2025, 1, 14))
    row = await granted(lender)
    own = await a_revolving_product(lender, "LATER", first_settlement_min_days=10)
    other = await granted(lender, product_id=own.id, customer_id=(await a_person(lender.account_manager, serial=2)).id)
    firsts = []
    for facility_id in (row.id, other.id):
        loan_id = await drawn(lender, facility_id, "50000.00", lending.account_id)
        plan = await lender.rows(InstallmentRow, InstallmentRow.loan_id == loan_id)
        firsts.append(min(part.due_date for part in plan))
    assert firsts == [date(2025, 1, 20), date(2025, 2, 20)]


# ---------------------------------------------------------------- a lender with other rules


async def test_a_lender_decides_by_its_own_workflows(place: Any, ports: Any, blueprint: Any):
    """The end of a freeze and drawdowns of 100,000 and more go to the general manager here, a grant to the committee alone."""
    lender = await a_lender(place, ports, blueprint)
    admin = lender.tenant_admin
    unfreezing = {"field": "request", "operator": "EQ", "value": "UNFREEZE"}
    nodes = [
        {"code": "COMMITTEE", "name": "贷审会", "roles": ["COMMITTEE_MEMBER"]},
        {"code": "GENERAL", "name": "总经理", "roles": ["GENERAL_MANAGER"], "when": unfreezing},
    ]
    await definition.publish(admin, code="COMMITTEE_LINE", purpose="FACILITY", name="贷审会授信", nodes=nodes)
    large = {"field": "amount", "operator": "GE", "value": "100000.00"}
    nodes = [
        {"code": "LEGAL", "name": "法务", "roles": ["LEGAL"]},
        {"code": "GENERAL", "name": "总经理", "roles": ["GENERAL_MANAGER"], "when": large},
    ]
    await definition.publish(admin, code="DRAWDOWN", purpose="DRAWDOWN", name="本行支用", nodes=nodes)
    product = await a_revolving_product(lender, workflow_code="COMMITTEE_LINE", drawdown_tail_days=60)
    row = await applied(lender, product_id=product.id)
    await decide(lender.committee_member, row.id)
    await freezing.freeze(lender.general_manager, facility_id=row.id, reason="核实")
    await request.unfreeze(lender.account_manager, facility_id=row.id, reason="已核实")
    await decide(lender.committee_member, row.id)
    await decide(lender.general_manager, row.id)
    small, big = await asked(lender, row.id, "99999.99"), await asked(lender, row.id, "100000.00")
    for drawn_on in (small, big):
        assert drawn_on.periods == 12, "this lender's tail"
        await decide(lender.legal, drawn_on.id)
    assert (await application(lender, small.id)).state == ApplicationState.APPROVED
    assert (await application(lender, big.id)).state == ApplicationState.APPROVING
    await decide(lender.general_manager, big.id)
    assert (await application(lender, big.id)).state == ApplicationState.APPROVED
