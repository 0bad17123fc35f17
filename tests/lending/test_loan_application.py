"""贷款申请: drafts, the guards at submission, states, exposure of what is pending, and the API (F10)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from domain.configuration import parameter
from domain.customers import blacklist
from domain.home.pending_task import Task, TaskState
from domain.kernel.audit import GuardEntry
from domain.kernel.refusals import (
    AgeOutOfRange,
    Blacklisted,
    Conflict,
    ConsentMissing,
    CostCapExceeded,
    Denied,
    ForbiddenPurpose,
    GroupLimitExceeded,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    ProductRuleViolated,
    SingleBorrowerLimitExceeded,
)
from domain.kernel.table import uuid7
from domain.lending import loan_application
from domain.lending.loan_application import MOVES, ApplicationState, LoanApplication, check_request, move
from domain.workflow.instance import Decision, WorkflowInstance, WorkflowState
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person, an_enterprise, id_number
from tests.support.lending import S01, a_draft, a_product, approved, decide, prepared, reviewing, submitted

# ------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"amount": D("0.00")}, InvalidAmount, "amount"),
        ({"amount": D("-1.00")}, InvalidAmount, "amount"),
        ({"periods": 0}, InvalidInput, "periods"),
        ({"annual_rate": D("-0.01")}, InvalidInput, "annualRate"),
        ({"purpose": "  "}, InvalidInput, "purpose"),
        ({"purpose": "长" * 501}, InvalidInput, "purpose"),
    ],
)
def test_what_no_application_says(changes, refusal, field):
    check_request(S01)
    with pytest.raises(refusal) as refused:
        check_request(replace(S01, **changes))
    assert refused.value.field == (field,)


@pytest.mark.parametrize("action", MOVES)
@pytest.mark.parametrize("state", ApplicationState)
def test_every_state_takes_every_action_or_refuses_it(state, action):
    row = LoanApplication(state=state)
    allowed, then = MOVES[action]
    if state in allowed:
        move(row, action)
        assert row.state is then
    else:
        with pytest.raises(InvalidState):
            move(row, action)
        assert row.state is state


# ------------------------------------------------------------------ drafts


async def test_a_draft_is_its_makers(lender: LenderAtWork):
    row = await a_draft(lender)
    assert (row.state, row.number) == (ApplicationState.DRAFT, "SQ2025010100001")
    assert (row.maker_id, row.manager_id) == (lender.account_manager.actor.id, None)
    assert await lender.rows(Task) == []
    with pytest.raises(NotFound):
        await loan_application.submit(lender.second_account_manager, application_id=row.id)


async def test_what_a_draft_needs(lender: LenderAtWork):
    manager, customer, product = lender.account_manager, await a_person(lender.account_manager), await a_product(lender)
    theirs = await a_person(lender.second_account_manager, 2)
    for customer_id, product_id, request, refusal in (
        (uuid7(), product.id, S01, NotFound),
        (theirs.id, product.id, S01, NotFound),
        (customer.id, uuid7(), S01, NotFound),
        (customer.id, product.id, replace(S01, purpose_code="HOLIDAYS"), InvalidInput),
    ):
        with pytest.raises(refusal):
            await loan_application.create(manager, customer_id=customer_id, product_id=product_id, request=request)
    with pytest.raises(Denied):
        await loan_application.create(lender.cashier, customer_id=customer.id, product_id=product.id, request=S01)
    assert await lender.rows(LoanApplication) == []


async def test_a_draft_is_changed_on_its_latest_version(lender: LenderAtWork):
    row = await a_draft(lender)
    changed = replace(S01, amount=D("90000.00"))
    manager = lender.account_manager
    await loan_application.update(manager, application_id=row.id, expected_version=1, request=changed)
    with pytest.raises(Conflict):
        await loan_application.update(manager, application_id=row.id, expected_version=1, request=S01)
    (now,) = await lender.rows(LoanApplication)
    assert (now.amount, now.version) == (D("90000.00"), 2)
    await loan_application.submit(manager, application_id=row.id)
    with pytest.raises(InvalidState):
        await loan_application.update(manager, application_id=row.id, expected_version=2, request=S01)


# ------------------------------------------------------------------ guards at submission


async def still_a_draft(lender: LenderAtWork, row: LoanApplication, code: str) -> dict:
    """Nothing changed, and one guard-log row tells why; answers its figures."""
    (now,) = await lender.rows(LoanApplication, LoanApplication.id == row.id)
    assert (now.state, now.guards) == (ApplicationState.DRAFT, [])
    assert await lender.rows(Task, Task.subject_id == row.id) == []
    (entry,) = await lender.rows(GuardEntry, GuardEntry.code == code, GuardEntry.severity == "REFUSE")
    return entry.params


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"purpose_code": "STOCK_INVESTMENT"}, ForbiddenPurpose),
        ({"amount": D("999.99")}, ProductRuleViolated),
        ({"annual_rate": D("0.2401")}, ProductRuleViolated),
        ({"amount": D("10000000.01")}, SingleBorrowerLimitExceeded),
    ],
)
async def test_a_refused_application_stays_a_draft(lender: LenderAtWork, changes, refusal):
    row = await a_draft(lender, **changes)
    with pytest.raises(refusal):
        await loan_application.submit(lender.account_manager, application_id=row.id)
    await still_a_draft(lender, row, refusal.code)


async def test_a_minor_and_a_listed_party_get_nothing(lender: LenderAtWork):
    manager, product = lender.account_manager, await a_product(lender)
    minor = await a_person(manager, 2, id_number=id_number(2, born="20101001"))
    row = await a_draft(lender, customer_id=minor.id, product_id=product.id)
    with pytest.raises(AgeOutOfRange):
        await loan_application.submit(manager, application_id=row.id)
    assert (await still_a_draft(lender, row, "AGE_OUT_OF_RANGE"))["age"] == 14

    listed = await a_person(manager, 3)
    await blacklist.add(lender.risk_officer, name="某人", id_number=id_number(3), reason="欺诈")
    row = await a_draft(lender, customer_id=listed.id, product_id=product.id)
    with pytest.raises(Blacklisted):
        await loan_application.submit(manager, application_id=row.id)


async def test_a_person_agrees_first_an_enterprise_by_its_contract(lender: LenderAtWork):
    manager, product = lender.account_manager, await a_product(lender)
    silent = await a_person(manager, consents=())
    row = await a_draft(lender, customer_id=silent.id, product_id=product.id)
    with pytest.raises(ConsentMissing):
        await loan_application.submit(manager, application_id=row.id)
    assert (await still_a_draft(lender, row, "CONSENT_MISSING"))["consents"] == ["PERSONAL_DATA", "CREDIT_BUREAU"]
    enterprise = await an_enterprise(manager)
    row = await a_draft(lender, customer_id=enterprise.id, product_id=product.id)
    assert (await loan_application.submit(manager, application_id=row.id)).state is ApplicationState.SUBMITTED


async def test_what_is_pending_counts_towards_the_limits(lender: LenderAtWork):
    manager, product = lender.account_manager, await a_product(lender)
    one = await an_enterprise(manager, 1, controller_name="赵六")
    other = await an_enterprise(manager, 2, controller_name="赵六")
    await submitted(lender, customer_id=one.id, product_id=product.id, amount=D("9000000.00"))
    row = await a_draft(lender, customer_id=one.id, product_id=product.id, amount=D("1000000.01"))
    with pytest.raises(SingleBorrowerLimitExceeded) as refused:
        await loan_application.submit(manager, application_id=row.id)
    assert refused.value.params == {"limit": "10000000.00", "after": "10000000.01"}
    row = await a_draft(lender, customer_id=other.id, product_id=product.id, amount=D("6000000.01"))
    with pytest.raises(GroupLimitExceeded) as refused:
        await loan_application.submit(manager, application_id=row.id)
    assert refused.value.params == {"limit": "15000000.00", "after": "15000000.01"}


async def test_a_limit_is_a_parameter(lender: LenderAtWork):
    proposed = await parameter.propose(
        lender.tenant_admin,
        code="cost_cap",
        value="0.11",
        effective_from=lender.lender.business_date,
        reason="本省上限",
    )
    await parameter.approve(lender.general_manager, parameter_id=proposed.id)
    row = await a_draft(lender, product_id=(await a_product(lender, max_rate=D("0.11"))).id, annual_rate=D("0.11"))
    (accepted,) = [await loan_application.submit(lender.account_manager, application_id=row.id)]
    assert accepted.state is ApplicationState.SUBMITTED
    lower = await parameter.propose(
        lender.tenant_admin, code="cost_cap", value="0.10", effective_from=lender.lender.business_date, reason="下调"
    )
    await parameter.approve(lender.general_manager, parameter_id=lower.id)
    await decide_refused(lender, row)


async def decide_refused(lender: LenderAtWork, row: LoanApplication) -> None:
    """The guards are checked again with the last word."""
    from domain.lending import assignment, survey_report

    manager = lender.account_manager
    await assignment.assign(lender.business_manager, application_id=row.id, manager_id=manager.actor.id)
    await assignment.accept(manager, application_id=row.id)
    await survey_report.submit(manager, application_id=row.id, findings="正常", proposed_amount=row.amount)
    await decide(lender.risk_officer, row.id)
    with pytest.raises(CostCapExceeded):
        await decide(lender.business_manager, row.id)
    (now,) = await lender.rows(LoanApplication, LoanApplication.id == row.id)
    assert (now.state, now.approved_amount) == (ApplicationState.APPROVING, None)


async def test_a_warning_passes_and_is_kept(lender: LenderAtWork):
    row = await submitted(lender, annual_rate=D("0.15"))
    (warned,) = [result for result in row.guards if not result["passed"]]
    assert (warned["code"], warned["severity"], warned["params"]["cap"]) == ("COST_CAP_EXCEEDED", "WARN", "0.12")
    (entry,) = await lender.rows(GuardEntry)
    assert (entry.code, entry.severity, entry.subject_id) == ("COST_CAP_EXCEEDED", "WARN", row.id)


# ------------------------------------------------------------------ withdrawing, expiring


async def test_withdrawing_ends_tasks_and_workflow(lender: LenderAtWork):
    row = await reviewing(lender)
    await loan_application.withdraw(lender.account_manager, application_id=row.id)
    assert await lender.rows(Task, Task.state == TaskState.OPEN) == []
    assert [run.state for run in await lender.rows(WorkflowInstance)] == [WorkflowState.WITHDRAWN]
    with pytest.raises(InvalidState):
        await loan_application.withdraw(lender.account_manager, application_id=row.id)


async def test_returned_it_can_be_changed_and_submitted_anew(lender: LenderAtWork):
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id, Decision.RETURN, opinion="金额偏高")
    less = replace(S01, amount=D("60000.00"))
    await loan_application.update(lender.account_manager, application_id=row.id, expected_version=1, request=less)
    again = await loan_application.submit(lender.account_manager, application_id=row.id)
    assert (again.state, again.amount) == (ApplicationState.SUBMITTED, D("60000.00"))
    (task,) = await lender.rows(Task, Task.state == TaskState.OPEN)
    assert task.type == "ASSIGNMENT"


async def test_an_approval_not_used_in_time_expires(lender: LenderAtWork):
    product = await a_product(lender)
    row = await approved(lender, product_id=product.id, customer_id=(await a_person(lender.account_manager, 1)).id)
    used = await prepared(lender, product_id=product.id, customer_id=(await a_person(lender.account_manager, 2)).id)
    last = row.approved_valid_until
    for day, ended in ((last - timedelta(days=1), 0), (last, 1), (last, 0)):
        async with lender.system.writing() as ctx:
            assert await loan_application.expire(ctx, day) == ended
    states = {row.id: row.state for row in await lender.rows(LoanApplication)}
    assert states == {row.id: ApplicationState.EXPIRED, used.application_id: ApplicationState.APPROVED}
    assert [task.type for task in await lender.rows(Task, Task.state == TaskState.OPEN)] == ["CONTRACT_SIGNING"]
