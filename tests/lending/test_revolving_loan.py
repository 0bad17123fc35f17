"""循环贷款: a facility is asked for, granted by others, changed, frozen and unfrozen by four eyes, reviewed, and ends (F11)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import update

from domain import end_of_day
from domain.configuration import parameter
from domain.configuration.loan_product import LendingMode
from domain.customers import blacklist
from domain.home.pending_task import Task, TaskState
from domain.kernel.audit import GuardEntry
from domain.kernel.refusals import (
    Blacklisted,
    Conflict,
    Denied,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    ProductRuleViolated,
    SamePerson,
    SingleBorrowerLimitExceeded,
)
from domain.kernel.table import uuid7
from domain.lending.loan.tables import Loan
from domain.lending.revolving_loan import closing, freezing, request, review
from domain.lending.revolving_loan.review import check_new_limit, next_review
from domain.lending.revolving_loan.tables import (
    CreditFacility,
    FacilityEvent,
    FacilityRequest,
    FacilityReview,
    FacilityState,
    FreezeCause,
    ReviewOutcome,
)
from domain.lending.revolving_loan.terms import check_terms
from domain.organization.role import BUILT_IN, permitted
from domain.post_loan.early_warning import AlertLevel
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person, id_number
from tests.support.facilities import (
    OPENED,
    TERMS,
    a_revolving_product,
    agreed,
    applied,
    asked,
    change,
    drawn,
    facility,
    granted,
    usage,
)
from tests.support.lending import a_product, decide
from tests.support.loans import Lending, lending_at

DAY = timedelta(days=1)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def close(lender: LenderAtWork, through: date) -> None:
    await end_of_day.run(lender.system, through=through)


async def history(lender: LenderAtWork, facility_id: Any) -> list[tuple[str, D]]:
    rows = sorted(await lender.rows(FacilityEvent, FacilityEvent.facility_id == facility_id), key=lambda row: row.id)
    return [(str(row.type), row.credit_limit) for row in rows]


async def waiting(lender: LenderAtWork, facility_id: Any) -> list[str]:
    rows = await lender.rows(Task, Task.subject_id == facility_id, Task.state == TaskState.OPEN)
    return [row.type for row in rows]


async def set_parameter(lender: LenderAtWork, code: str, value: Any) -> None:
    async with lender.system.reading() as ctx:
        today = ctx.today
    row = await parameter.propose(lender.tenant_admin, code=code, value=value, effective_from=today, reason="按制度")
    await parameter.approve(lender.general_manager, parameter_id=row.id)


# ---------------------------------------------------------------- rules


class Product:
    facility_months = 12


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"credit_limit": D("0.00")}, InvalidAmount, "creditLimit"),
        ({"min_drawdown": D("0.00")}, InvalidAmount, "minDrawdown"),
        ({"min_drawdown": D("200000.01")}, InvalidAmount, "minDrawdown"),
        ({"max_drawdown": D("200000.01")}, InvalidAmount, "maxDrawdown"),
        ({"min_drawdown": D("500.00"), "max_drawdown": D("499.99")}, InvalidAmount, "minDrawdown"),
        ({"max_periods": 0}, InvalidInput, "maxPeriods"),
        ({"annual_rate": D("-0.01")}, InvalidInput, "annualRate"),
        ({"purpose": " "}, InvalidInput, "purpose"),
        ({"papers_valid_until": OPENED - DAY}, InvalidInput, "papersValidUntil"),
        ({"ends_on": OPENED}, ProductRuleViolated, "endsOn"),
        ({"ends_on": date(2026, 1, 2)}, ProductRuleViolated, "endsOn"),
        ({"starts_on": date(2025, 3, 1), "ends_on": date(2026, 3, 2)}, ProductRuleViolated, "endsOn"),
    ],
)
def test_what_no_facility_may_say(changes: dict[str, Any], refusal: Any, field: str):
    with pytest.raises(refusal) as refused:
        check_terms(replace(TERMS, **changes), Product, OPENED)
    assert refused.value.field == (field,)


def test_the_ends_of_a_term_and_what_is_left_out():
    columns = check_terms(replace(TERMS, ends_on=date(2026, 1, 1), papers_valid_until=OPENED), Product, OPENED)
    assert (columns["starts_on"], columns["min_drawdown"], columns["max_drawdown"]) == (
        OPENED,
        D("0.01"),
        D("200000.00"),
    )
    late = check_terms(replace(TERMS, starts_on=date(2024, 6, 1)), Product, OPENED)
    assert late["starts_on"] == OPENED, "nothing is in force before it was asked for"


def test_a_new_limit_goes_with_lower_only():
    check_new_limit(ReviewOutcome.LOWER, D("199999.99"), D("200000.00"))
    check_new_limit(ReviewOutcome.KEEP, None, D("200000.00"))
    for outcome, limit in ((ReviewOutcome.LOWER, None), (ReviewOutcome.KEEP, D("1.00"))):
        with pytest.raises(InvalidInput):
            check_new_limit(outcome, limit, D("200000.00"))
    for limit in (D("200000.00"), D("0.00")):
        with pytest.raises(InvalidAmount):
            check_new_limit(ReviewOutcome.LOWER, limit, D("200000.00"))


def test_the_next_review_is_within_the_interval():
    assert next_review(None, OPENED, 12) == next_review(date(2026, 1, 1), OPENED, 12) == date(2026, 1, 1)
    assert next_review(OPENED + DAY, OPENED, 12) == OPENED + DAY
    for day in (OPENED, date(2026, 1, 2)):
        with pytest.raises(InvalidInput):
            next_review(day, OPENED, 12)


def test_the_parameters_name_the_causes_and_levels_that_there_are():
    found_by_end_of_day = set(freezing.causes_of(OPENED, AlertLevel.RED))
    assert set(parameter.DEFINITIONS["facility_freeze_causes"].among) == found_by_end_of_day
    assert found_by_end_of_day == set(FreezeCause) - {FreezeCause.MANUAL}
    assert parameter.DEFINITIONS["facility_freeze_level"].among == tuple(AlertLevel)


def test_who_reviews_does_not_apply():
    for code, role in BUILT_IN.items():
        brings = {"lending.credit_facility.apply", "lending.credit_facility.draw"} & set(permitted(role.may))
        assert not (brings and "lending.credit_facility.review" in permitted(role.may)), code


# ---------------------------------------------------------------- asked for and granted


async def test_others_grant_it(lender: LenderAtWork):
    row = await applied(lender)
    assert (row.number, row.state, row.next_review_on) == ("SX-2025-0001", FacilityState.APPROVING, None)
    for maker in (lender.account_manager, lender.tenant_admin):
        with pytest.raises((SamePerson, Denied, NotFound)):
            await decide(maker, row.id)
    await decide(lender.risk_officer, row.id)
    with pytest.raises(SamePerson):
        await decide(lender.risk_officer, row.id)
    await decide(lender.business_manager, row.id)
    shown = await facility(lender, row.id)
    assert (shown.state, shown.granted_on, shown.next_review_on) == (FacilityState.ACTIVE, OPENED, date(2026, 1, 1))
    assert await history(lender, row.id) == [("GRANTED", D("200000.00"))]
    counted = await usage(lender, row.id)
    assert (counted.used, counted.in_approval, counted.available) == (D(0), D(0), D("200000.00"))


async def test_approvers_lower_the_limit_and_set_rate_and_periods(lender: LenderAtWork):
    row = await applied(lender)
    await decide(lender.risk_officer, row.id, terms=ApprovedTerms(amount=D("150000.00"), periods=6))
    with pytest.raises(ProductRuleViolated) as refused:
        await decide(lender.business_manager, row.id, terms=ApprovedTerms(annual_rate=D("0.05")))
    assert refused.value.field == ("terms", "annualRate")
    terms = ApprovedTerms(annual_rate=D("0.12"), conditions="追加保证")
    await decide(lender.business_manager, row.id, terms=terms)
    shown = await facility(lender, row.id)
    assert (shown.credit_limit, shown.max_drawdown, shown.max_periods) == (D("150000.00"), D("150000.00"), 6)
    assert (shown.annual_rate, shown.conditions) == (D("0.12"), "追加保证")


async def test_given_back_it_is_asked_for_again(lender: LenderAtWork):
    row = await applied(lender)
    await decide(lender.risk_officer, row.id, Decision.RETURN, opinion="补充资料")
    assert (await facility(lender, row.id)).state == FacilityState.DRAFT
    manager = lender.account_manager
    terms = replace(TERMS, credit_limit=D("120000.00"))
    with pytest.raises(Denied):
        await request.resubmit(lender.business_manager, facility_id=row.id, expected_version=1, terms=terms)
    with pytest.raises(Conflict):
        await request.resubmit(manager, facility_id=row.id, expected_version=2, terms=terms)
    await request.resubmit(manager, facility_id=row.id, expected_version=1, terms=terms)
    await agreed(lender, row.id)
    shown = await facility(lender, row.id)
    assert (shown.state, shown.credit_limit, shown.version) == (FacilityState.ACTIVE, D("120000.00"), 2)
    with pytest.raises(InvalidState):
        await request.resubmit(manager, facility_id=row.id, expected_version=2, terms=terms)


@pytest.mark.parametrize("way", ["rejected", "withdrawn"])
async def test_refused_or_taken_back_it_is_over(lender: LenderAtWork, way: str):
    row = await applied(lender)
    if way == "rejected":
        await decide(lender.risk_officer, row.id, Decision.REJECT, opinion="负债过高")
    else:
        with pytest.raises(Denied):
            await request.withdraw(lender.business_manager, facility_id=row.id)
        await request.withdraw(lender.account_manager, facility_id=row.id)
    shown = await facility(lender, row.id)
    assert (shown.state, shown.ended_on) == (FacilityState.CANCELLED, OPENED)
    assert await waiting(lender, row.id) == []
    (asked_for,) = await lender.rows(FacilityRequest)
    assert asked_for.state == way.upper()
    with pytest.raises(InvalidState):
        await asked(lender, row.id, "1000.00")


async def test_what_the_product_does_not_offer(lender: LenderAtWork):
    person = await a_person(lender.account_manager)
    product = await a_revolving_product(lender, max_amount=D("150000.00"))
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "amount"),
        ({"credit_limit": D("100000.00"), "annual_rate": D("0.25")}, "annualRate"),
        ({"credit_limit": D("100000.00"), "max_periods": 13}, "periods"),
        ({"credit_limit": D("100000.00"), "lending_mode": LendingMode.PLEDGE}, "lendingMode"),
    ]
    for changes, rule in cases:
        with pytest.raises(ProductRuleViolated) as refused:
            await applied(lender, customer_id=person.id, product_id=product.id, **changes)
        assert refused.value.params["rule"] == rule
    normal = await a_product(lender)
    with pytest.raises(ProductRuleViolated) as refused:
        await applied(lender, customer_id=person.id, product_id=normal.id)
    assert refused.value.params == {"rule": "kind", "value": "NORMAL", "allowed": "REVOLVING"}
    assert await lender.rows(CreditFacility) == [], "nothing is left of what was refused"
    assert len(await lender.rows(GuardEntry)) == 5


async def test_a_blacklisted_customer_gets_no_facility(lender: LenderAtWork):
    person = await a_person(lender.account_manager)
    await blacklist.add(lender.risk_officer, name=person.name, id_number=id_number(1), reason="伪造流水")
    with pytest.raises(Blacklisted):
        await applied(lender, customer_id=person.id)


# ---------------------------------------------------------------- limits


async def test_all_of_the_limits_count_against_one_borrower(lender: LenderAtWork, lending: Lending):
    """10 % of the net assets of 100,000,000 for what is drawn, on its way, and the new limit in full."""
    person = await a_person(lender.account_manager)
    row = await granted(lender, customer_id=person.id, credit_limit=D("6000000.00"))
    await drawn(lender, row.id, "3000000.00", lending.account_id)
    product = await a_revolving_product(lender, "LINE2")
    with pytest.raises(SingleBorrowerLimitExceeded) as refused:
        await applied(lender, customer_id=person.id, product_id=product.id, credit_limit=D("7000000.01"))
    assert refused.value.params == {"limit": "10000000.00", "after": "10000000.01"}
    with pytest.raises(SingleBorrowerLimitExceeded) as refused:
        await request.change_limit(
            lender.account_manager, facility_id=row.id, new_limit=D("10000000.01"), reason="扩大经营"
        )
    assert refused.value.params == {"limit": "10000000.00", "after": "10000000.01"}, "its own drawdowns count once"
    await request.change_limit(
        lender.account_manager, facility_id=row.id, new_limit=D("10000000.00"), reason="扩大经营"
    )


async def test_another_limit_holds_from_its_approval(lender: LenderAtWork, lending: Lending):
    row = await granted(lender)
    await drawn(lender, row.id, "80000.00", lending.account_id)
    manager = lender.account_manager
    for amount in ("0.00", "-1.00", "200000.00"):
        with pytest.raises(InvalidAmount):
            await request.change_limit(manager, facility_id=row.id, new_limit=D(amount), reason="调整")
    await request.change_limit(manager, facility_id=row.id, new_limit=D("300000.00"), reason="旺季备货")
    with pytest.raises(InvalidState):
        await request.change_limit(manager, facility_id=row.id, new_limit=D("250000.00"), reason="旺季备货")
    assert (await usage(lender, row.id)).available == D("120000.00")
    await agreed(lender, row.id)
    assert (await usage(lender, row.id)).available == D("220000.00")
    assert (await facility(lender, row.id)).max_drawdown == D("300000.00")
    await request.change_limit(manager, facility_id=row.id, new_limit=D("50000.00"), reason="淡季")
    await agreed(lender, row.id)
    counted = await usage(lender, row.id)
    assert (counted.used, counted.available, counted.rate) == (D("80000.00"), D("0.00"), D("1.6000"))
    assert [limit for _, limit in await history(lender, row.id)] == [D("200000.00"), D("300000.00"), D("50000.00")]


async def test_a_refused_or_withdrawn_change_leaves_the_limit(lender: LenderAtWork):
    row = await granted(lender)
    manager = lender.account_manager
    await request.change_limit(manager, facility_id=row.id, new_limit=D("300000.00"), reason="旺季备货")
    await decide(lender.risk_officer, row.id, Decision.RETURN, opinion="依据不足")
    await request.change_limit(manager, facility_id=row.id, new_limit=D("300000.00"), reason="旺季备货")
    await request.withdraw(manager, facility_id=row.id)
    shown = await facility(lender, row.id)
    assert (shown.state, shown.credit_limit) == (FacilityState.ACTIVE, D("200000.00"))
    states = sorted(one.state for one in await lender.rows(FacilityRequest))
    assert states == ["APPROVED", "RETURNED", "WITHDRAWN"]
    with pytest.raises(InvalidState):
        await request.withdraw(manager, facility_id=row.id)


# ---------------------------------------------------------------- freezing


async def test_one_person_freezes_and_others_unfreeze(lender: LenderAtWork):
    row = await granted(lender)
    with pytest.raises(InvalidState):
        await request.unfreeze(lender.account_manager, facility_id=row.id, reason="–")
    await freezing.freeze(lender.risk_officer, facility_id=row.id, reason="涉诉")
    shown = await facility(lender, row.id)
    assert (shown.state, shown.frozen_on, shown.frozen_causes) == (FacilityState.FROZEN, OPENED, ["MANUAL"])
    with pytest.raises(InvalidState):
        await freezing.freeze(lender.risk_officer, facility_id=row.id, reason="涉诉")
    await request.unfreeze(lender.risk_officer, facility_id=row.id, reason="已撤诉")
    with pytest.raises(SamePerson):
        await decide(lender.risk_officer, row.id)
    await decide(lender.second_risk_officer, row.id)
    await decide(lender.business_manager, row.id)
    shown = await facility(lender, row.id)
    assert (shown.state, shown.frozen_on, shown.frozen_causes) == (FacilityState.ACTIVE, None, [])
    assert [kind for kind, _ in await history(lender, row.id)] == ["GRANTED", "FROZEN", "UNFROZEN"]


async def test_an_overdue_drawdown_freezes_it_until_it_is_paid(lender: LenderAtWork, lending: Lending):
    row = await granted(lender)
    loan_id = await drawn(lender, row.id, "80000.00", lending.account_id)
    await close(lender, date(2025, 1, 20))
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE, "due on the 20th, not overdue"
    await close(lender, date(2025, 1, 21))
    shown = await facility(lender, row.id)
    assert (shown.state, shown.frozen_causes) == (FacilityState.FROZEN, ["OVERDUE", "CLASS"])
    with pytest.raises(InvalidState) as refused:
        await request.unfreeze(lender.account_manager, facility_id=row.id, reason="将还")
    assert refused.value.params["causes"] == ["OVERDUE", "CLASS"]
    await close(lender, date(2025, 1, 22))
    assert [kind for kind, _ in await history(lender, row.id)] == ["GRANTED", "FROZEN"], "frozen once"
    await lending.receive(loan_id, "700.00")
    await request.unfreeze(lender.account_manager, facility_id=row.id, reason="已还清")
    await agreed(lender, row.id)
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE
    await close(lender, date(2025, 1, 24))
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE


async def test_what_is_back_by_then_is_not_unfrozen(lender: LenderAtWork, lending: Lending):
    row = await granted(lender)
    await drawn(lender, row.id, "80000.00", lending.account_id)
    await freezing.freeze(lender.risk_officer, facility_id=row.id, reason="核实")
    await request.unfreeze(lender.account_manager, facility_id=row.id, reason="已核实")
    await decide(lender.second_risk_officer, row.id)
    await close(lender, date(2025, 1, 21))
    with pytest.raises(InvalidState) as refused:
        await decide(lender.business_manager, row.id)
    assert refused.value.params["causes"] == ["OVERDUE", "CLASS"]
    assert (await facility(lender, row.id)).state == FacilityState.FROZEN


async def test_an_alert_on_another_loan_of_the_customer_freezes_it(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out()
    (loan,) = await lender.rows(Loan, Loan.id == loan_id)
    row = await granted(lender, customer_id=loan.customer_id)
    other = await granted(
        lender, customer_id=(await a_person(lender.account_manager, serial=9)).id, product_id=row.product_id
    )
    await close(lender, date(2025, 3, 2))
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE, "29 days: yellow alerts only"
    await close(lender, date(2025, 3, 3))
    shown = await facility(lender, row.id)
    assert (shown.state, shown.frozen_causes) == (FacilityState.FROZEN, ["WARNING"])
    assert (await facility(lender, other.id)).state == FacilityState.ACTIVE


async def test_papers_that_run_out_freeze_it_until_new_ones_are_seen(lender: LenderAtWork):
    row = await granted(lender, papers_valid_until=date(2025, 1, 2))
    await close(lender, date(2025, 1, 1))
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE
    await close(lender, date(2025, 1, 2))
    assert (await facility(lender, row.id)).frozen_causes == ["PAPERS"]
    manager = lender.account_manager
    with pytest.raises(InvalidState):
        await request.unfreeze(manager, facility_id=row.id, reason="换证中")
    with pytest.raises(InvalidInput):
        await request.unfreeze(manager, facility_id=row.id, reason="旧证", papers_valid_until=date(2025, 1, 2))
    assert (await facility(lender, row.id)).papers_valid_until == date(2025, 1, 2), "a refusal changes nothing"
    await request.unfreeze(manager, facility_id=row.id, reason="新证", papers_valid_until=date(2035, 1, 1))
    await agreed(lender, row.id)
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE


async def test_a_lender_chooses_what_freezes(lender: LenderAtWork, lending: Lending):
    await set_parameter(lender, "facility_freeze_causes", ["REVIEW"])
    row = await granted(lender, papers_valid_until=date(2025, 1, 2))
    await drawn(lender, row.id, "80000.00", lending.account_id)
    await close(lender, date(2025, 1, 25))
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE, "overdue, and out of date"
    await change(lender, row.id, next_review_on=date(2025, 1, 26))
    await close(lender, date(2025, 1, 26))
    assert (await facility(lender, row.id)).frozen_causes == ["REVIEW"]
    await set_parameter(lender, "facility_freeze_causes", [])
    await request.unfreeze(lender.account_manager, facility_id=row.id, reason="制度调整")


# ---------------------------------------------------------------- reviews and the end


async def test_a_review_that_comes_due_is_a_task_of_others(lender: LenderAtWork):
    row = await granted(lender)
    await change(lender, row.id, next_review_on=date(2025, 2, 2))
    await close(lender, date(2025, 1, 1))
    assert await waiting(lender, row.id) == [], "31 days before"
    await close(lender, date(2025, 1, 3))
    assert await waiting(lender, row.id) == ["FACILITY_REVIEW"], "30 days before, and once"
    for who in (lender.account_manager, lender.business_manager, lender.cashier):
        with pytest.raises(Denied):
            await review.review(who, facility_id=row.id, opinion="良好", outcome=ReviewOutcome.KEEP)
    await review.review(lender.risk_officer, facility_id=row.id, opinion="经营良好", outcome=ReviewOutcome.KEEP)
    assert await waiting(lender, row.id) == []
    shown = await facility(lender, row.id)
    assert (shown.state, shown.next_review_on) == (FacilityState.ACTIVE, date(2026, 1, 4))
    (filed,) = await lender.rows(FacilityReview)
    assert (filed.outcome, filed.opinion, filed.reviewed_on) == (ReviewOutcome.KEEP, "经营良好", date(2025, 1, 4))


async def test_nobody_reviews_what_he_manages(lender: LenderAtWork):
    row = await granted(lender)
    await change(lender, row.id, co_manager_id=lender.risk_officer.actor.id)
    with pytest.raises(SamePerson):
        await review.review(lender.risk_officer, facility_id=row.id, opinion="良好", outcome=ReviewOutcome.KEEP)
    assert await lender.rows(FacilityReview) == []


async def test_a_review_lowers_freezes_or_ends(lender: LenderAtWork):
    row = await granted(lender)
    risk = lender.risk_officer
    await review.review(
        risk, facility_id=row.id, opinion="负债上升\n建议下调", outcome=ReviewOutcome.LOWER, new_limit=D("90000.00")
    )
    assert (await facility(lender, row.id)).credit_limit == D("200000.00"), "others decide on a limit"
    with pytest.raises(SamePerson):
        await decide(risk, row.id)
    await decide(lender.second_risk_officer, row.id)
    await decide(lender.business_manager, row.id)
    assert (await facility(lender, row.id)).credit_limit == D("90000.00")
    await review.review(risk, facility_id=row.id, opinion="流水下降", outcome=ReviewOutcome.FREEZE)
    assert (await facility(lender, row.id)).frozen_causes == ["REVIEW"]
    await request.unfreeze(lender.account_manager, facility_id=row.id, reason="已改善")
    await review.review(risk, facility_id=row.id, opinion="停业", outcome=ReviewOutcome.CANCEL)
    shown = await facility(lender, row.id)
    assert (shown.state, shown.ended_on, shown.next_review_on) == (FacilityState.CANCELLED, OPENED, None)
    assert await waiting(lender, row.id) == [], "what was asked about it is over"
    with pytest.raises(InvalidState):
        await review.review(risk, facility_id=row.id, opinion="–", outcome=ReviewOutcome.KEEP)


async def test_its_term_ends_and_what_was_drawn_runs_on(lender: LenderAtWork, lending: Lending):
    row = await granted(lender, ends_on=date(2025, 1, 10))
    tail = await a_revolving_product(lender, "TAIL", drawdown_tail_days=366)
    long = await granted(
        lender, ends_on=date(2025, 1, 10), product_id=tail.id,
        customer_id=(await a_person(lender.account_manager, serial=2)).id,
    )  # fmt: skip
    loan_id = await drawn(lender, long.id, "50000.00", lending.account_id)
    await request.change_limit(lender.account_manager, facility_id=long.id, new_limit=D("300000.00"), reason="旺季备货")
    await close(lender, date(2025, 1, 9))
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE
    await close(lender, date(2025, 1, 10))
    for key in (row.id, long.id):
        shown = await facility(lender, key)
        assert (shown.state, shown.ended_on) == (FacilityState.EXPIRED, date(2025, 1, 10))
        assert await waiting(lender, key) == []
    assert (await lending.loan(loan_id)).state == "ACTIVE"
    assert (await usage(lender, long.id)).available == D("0.00")


async def test_the_step_of_end_of_day_is_safe_to_repeat(lender: LenderAtWork):
    row = await granted(lender, papers_valid_until=OPENED)
    async with lender.system.writing() as ctx:
        await ctx.connection.execute(update(CreditFacility).values(next_review_on=date(2025, 1, 20)))
        first = await closing.close_day(ctx, OPENED)
        assert first == {"expired": 0, "frozen": 1, "reviews": 1}
    async with lender.system.writing() as ctx:
        assert await closing.close_day(ctx, OPENED) == {"expired": 0, "frozen": 0, "reviews": 0}
    assert await waiting(lender, row.id) == ["FACILITY_REVIEW"]


async def test_what_nobody_sees_is_not_found(lender: LenderAtWork):
    row = await granted(lender)
    outsider = lender.second_account_manager
    given = {"facility_id": row.id}
    for call in (
        freezing.freeze(outsider, **given, reason="–"),
        request.change_limit(outsider, **given, new_limit=D("1.00"), reason="–"),
        request.withdraw(outsider, **given),
        freezing.freeze(lender.risk_officer, facility_id=uuid7(), reason="–"),
    ):
        with pytest.raises(NotFound):
            await call
    assert (await facility(lender, row.id)).state == FacilityState.ACTIVE
