"""审批: four eyes by person, terms, limits, return, transfer, one more approver."""

import asyncio
from dataclasses import replace
from decimal import Decimal as D

import pytest

from domain.calculation.schedule import Method
from domain.home.pending_task import Task, TaskState
from domain.kernel.audit import GuardEntry
from domain.kernel.ports import Ports
from domain.kernel.refusals import (
    ApprovalLimitExceeded,
    Denied,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    ProductRuleViolated,
    Refusal,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.organization import employee, role
from domain.workflow import decision
from domain.workflow.decision import check_amount, check_limit, check_opinion
from domain.workflow.definition import DEFAULTS, codes_before, read_nodes
from domain.workflow.instance import Decision, WorkflowAction, WorkflowInstance, WorkflowState
from domain.workflow.terms import ApprovedTerms
from tenancy.provision import Blueprint
from tests.support.actors import LenderAtWork, a_lender
from tests.support.customers import a_person
from tests.support.lenders import Platform
from tests.support.lending import a_product, decide, reviewing, task_on

# ------------------------------------------------------------------ rules


@pytest.mark.parametrize("approved", ["0.00", "-1.00", "100000.01"])
def test_an_amount_is_lowered_never_raised(approved):
    with pytest.raises(InvalidAmount):
        check_amount(D("100000.00"), D(approved))
    check_amount(D("100000.00"), D("100000.00"))
    check_amount(D("100000.00"), None)


def test_the_limit_itself_is_allowed():
    check_limit(D("50000.00"), D("50000.00"))
    check_limit(None, D("99999999.00"))
    with pytest.raises(ApprovalLimitExceeded):
        check_limit(D("50000.00"), D("50000.01"))


def test_refusing_needs_a_reason():
    check_opinion(Decision.APPROVE, "")
    for what in (Decision.REJECT, Decision.RETURN):
        with pytest.raises(InvalidInput):
            check_opinion(what, "  ")
    with pytest.raises(InvalidInput):
        check_opinion(Decision.APPROVE, "长" * 2001)


def test_only_earlier_nodes_can_be_returned_to():
    nodes = read_nodes(DEFAULTS[0][2])
    assert codes_before(nodes, "RISK_REVIEW") == []
    assert codes_before(nodes, "GENERAL_APPROVAL") == ["RISK_REVIEW", "BUSINESS_APPROVAL"]


def test_later_terms_lie_over_earlier_ones():
    first = ApprovedTerms(amount=D("90000.00"), conditions="先办抵押")
    second = ApprovedTerms(amount=D("80000.00"), method=Method.BULLET)
    both = second.over(first)
    assert both == ApprovedTerms(amount=D("80000.00"), conditions="先办抵押", method=Method.BULLET)
    assert ApprovedTerms.read(both.stored()) == both


# ------------------------------------------------------------------ the way to an approval


async def application(lender: LenderAtWork, key) -> LoanApplication:
    return (await lender.rows(LoanApplication, LoanApplication.id == key))[0]


async def instance(lender: LenderAtWork) -> WorkflowInstance:
    return (await lender.rows(WorkflowInstance))[0]


async def test_different_persons_approve_in_order(lender: LenderAtWork):
    row = await reviewing(lender)
    assert row.state is ApplicationState.REVIEWING
    first = await decide(lender.risk_officer, row.id)
    assert first.state is TaskState.DONE
    assert (await application(lender, row.id)).state == ApplicationState.APPROVING
    await decide(lender.business_manager, row.id)
    done, run = await application(lender, row.id), await instance(lender)
    assert (done.state, run.state, run.node) == (ApplicationState.APPROVED, WorkflowState.APPROVED, None)
    assert (done.approved_amount, done.approved_periods) == (D("100000.00"), 12)
    assert str(done.approved_valid_until) == "2025-04-01"  # 90 days after 2025-01-01
    log = await lender.rows(WorkflowAction)
    assert [(one.node, one.actor_id, one.decision) for one in log] == [
        ("RISK_REVIEW", lender.risk_officer.actor.id, Decision.APPROVE),
        ("BUSINESS_APPROVAL", lender.business_manager.actor.id, Decision.APPROVE),
    ]


async def test_a_large_loan_needs_the_general_manager(place: Platform, ports: Ports, blueprint: Blueprint):
    lender = await a_lender(place, ports, blueprint, net_assets=D("200000000.00"))
    row = await reviewing(lender, amount=D("15000000.00"))
    await decide(lender.risk_officer, row.id)
    await decide(lender.business_manager, row.id)
    assert (await application(lender, row.id)).state == ApplicationState.APPROVING
    await decide(lender.general_manager, row.id)
    assert (await application(lender, row.id)).state == ApplicationState.APPROVED


async def test_makers_decide_nothing(lender: LenderAtWork):
    row = await reviewing(lender)
    task = await task_on(lender.risk_officer, row.id)
    with pytest.raises(SamePerson):
        await decision.decide(lender.account_manager, task_id=task.id, decision=Decision.APPROVE, opinion="")
    refused = await lender.rows(GuardEntry, GuardEntry.code == "SAME_PERSON")
    assert [entry.actor_id for entry in refused] == [lender.account_manager.actor.id]
    assert (await task_on(lender.risk_officer, row.id)).id == task.id


async def test_nobody_decides_two_nodes(lender: LenderAtWork):
    both = await employee.create(
        lender.tenant_admin,
        name="王五",
        department_id=lender.business_manager.actor.department_id,
        role_ids=[*lender.risk_officer.actor.role_ids, *lender.business_manager.actor.role_ids],
        username="wangwu",
        initial_password="correct horse battery",
    )
    person = await lender.context_of(both.id)
    row = await reviewing(lender)
    await decide(person, row.id)
    with pytest.raises(SamePerson):
        await decide(person, row.id)
    await decide(lender.business_manager, row.id)


async def test_a_task_of_another_role_is_denied_and_one_out_of_sight_unknown(lender: LenderAtWork):
    row = await reviewing(lender)
    with pytest.raises(Denied):
        await decide(lender.general_manager, row.id)  # sees it, but is no risk officer
    task = await task_on(lender.risk_officer, row.id)
    with pytest.raises(NotFound):
        await decision.decide(lender.second_account_manager, task_id=task.id, decision=Decision.APPROVE, opinion="")
    with pytest.raises(NotFound):
        await decision.decide(lender.risk_officer, task_id=uuid7(), decision=Decision.APPROVE, opinion="")


async def test_of_two_at_once_one_decides(lender: LenderAtWork):
    row = await reviewing(lender)
    task = await task_on(lender.risk_officer, row.id)
    answers = await asyncio.gather(
        *(
            decision.decide(person, task_id=task.id, decision=Decision.APPROVE, opinion="同意")
            for person in (lender.risk_officer, lender.second_risk_officer)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Task) for answer in answers) == 1
    assert sum(isinstance(answer, (InvalidState, SamePerson)) for answer in answers) == 1
    assert len(await lender.rows(WorkflowAction)) == 1


# ------------------------------------------------------------------ terms and limits


async def test_terms_are_lowered_on_the_way_and_kept(lender: LenderAtWork):
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id, terms=ApprovedTerms(amount=D("80000.00"), conditions="补充对账单"))
    assert (await task_on(lender.business_manager, row.id)).amount == D("80000.00")
    await decide(lender.business_manager, row.id, terms=ApprovedTerms(periods=10, annual_rate=D("0.10")))
    done = await application(lender, row.id)
    assert (done.approved_amount, done.approved_periods, done.approved_annual_rate) == (D("80000.00"), 10, D("0.10"))
    assert (done.approved_method, done.approved_conditions) == (Method.EQUAL_INSTALLMENT, "补充对账单")
    assert done.amount == D("100000.00")


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (ApprovedTerms(amount=D("100000.01")), InvalidAmount),
        (ApprovedTerms(amount=D("999.99")), ProductRuleViolated),
        (ApprovedTerms(periods=37), ProductRuleViolated),
        (ApprovedTerms(annual_rate=D("0.2401")), ProductRuleViolated),
        (ApprovedTerms(method=Method.BALLOON), ProductRuleViolated),
    ],
)
async def test_terms_keep_the_rules(lender: LenderAtWork, terms, refusal):
    row = await reviewing(lender)
    with pytest.raises(refusal) as refused:
        await decide(lender.risk_officer, row.id, terms=terms)
    assert refused.value.field[0] == "terms"
    assert refused.value.field[1] in ("amount", "periods", "annualRate", "method")
    assert (await task_on(lender.risk_officer, row.id)).state == TaskState.OPEN
    assert (await instance(lender)).terms == {}


async def test_terms_go_with_an_approval_only(lender: LenderAtWork):
    row = await reviewing(lender)
    with pytest.raises(InvalidInput):
        await decide(lender.risk_officer, row.id, Decision.REJECT, terms=ApprovedTerms(periods=6))


async def test_the_last_word_needs_the_authority(lender: LenderAtWork):
    limited = await role.create(
        lender.tenant_admin,
        code="JUNIOR",
        name="初级审批",
        permissions=["home.pending_task.decide", "home.pending_task.read"],
        data_scope="TENANT",
        approval_limit=D("99999.99"),
    )
    junior = replace(
        lender.business_manager,
        actor=replace(lender.business_manager.actor, approval_limit=limited.approval_limit),
    )
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id)
    with pytest.raises(ApprovalLimitExceeded) as refused:
        await decide(junior, row.id)
    assert refused.value.params == {"limit": "99999.99", "amount": "100000.00"}
    await decide(junior, row.id, terms=ApprovedTerms(amount=D("99999.99")))
    assert (await application(lender, row.id)).state == ApplicationState.APPROVED


# ------------------------------------------------------------------ reject, return, transfer, add


async def test_rejected_ends_everything(lender: LenderAtWork):
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id, Decision.REJECT, opinion="负债过高")
    assert (await application(lender, row.id)).state == ApplicationState.REJECTED
    assert (await instance(lender)).state == WorkflowState.REJECTED
    assert await lender.rows(Task, Task.state == TaskState.OPEN) == []


async def test_returned_to_the_maker_is_surveyed_again(lender: LenderAtWork):
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id, Decision.RETURN, opinion="补充流水")
    assert (await application(lender, row.id)).state == ApplicationState.RETURNED
    again = await task_on(lender.account_manager, row.id)
    assert (again.type, again.assignee_id) == ("SURVEY", lender.account_manager.actor.id)


async def test_returned_to_a_node_is_decided_there_again(lender: LenderAtWork):
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id)
    with pytest.raises(InvalidInput):
        await decide(lender.business_manager, row.id, Decision.RETURN, opinion="再审", return_to="GENERAL_APPROVAL")
    await decide(lender.business_manager, row.id, Decision.RETURN, opinion="再审", return_to="RISK_REVIEW")
    assert (await application(lender, row.id)).state == ApplicationState.REVIEWING
    await decide(lender.risk_officer, row.id)  # the same person at the same node
    await decide(lender.business_manager, row.id)
    assert (await application(lender, row.id)).state == ApplicationState.APPROVED


async def test_transferred_to_a_colleague_of_the_role(lender: LenderAtWork):
    row = await reviewing(lender)
    for wrong, refusal in (
        (None, InvalidInput),
        (uuid7(), NotFound),
        (lender.cashier.actor.id, NotFound),
        (lender.risk_officer.actor.id, SamePerson),
    ):
        with pytest.raises(refusal):
            await decide(lender.risk_officer, row.id, Decision.TRANSFER, transfer_to_id=wrong)
    colleague = lender.second_risk_officer
    await decide(lender.risk_officer, row.id, Decision.TRANSFER, transfer_to_id=colleague.actor.id)
    with pytest.raises(InvalidState):
        await decide(lender.risk_officer, row.id)
    await decide(colleague, row.id)
    assert (await application(lender, row.id)).state == ApplicationState.APPROVING


async def test_an_added_approver_must_agree_too(lender: LenderAtWork):
    row = await reviewing(lender)
    added = lender.legal
    mine = await decide(lender.risk_officer, row.id, Decision.ADD_APPROVER, transfer_to_id=added.actor.id)
    (other,) = await lender.rows(Task, Task.assignee_id == added.actor.id, Task.state == TaskState.OPEN)
    with pytest.raises(Refusal):
        await decision.decide(
            lender.risk_officer,
            task_id=mine.id,
            decision=Decision.ADD_APPROVER,
            opinion="",
            transfer_to_id=added.actor.id,
        )
    await decision.decide(lender.risk_officer, task_id=mine.id, decision=Decision.APPROVE, opinion="同意")
    assert (await application(lender, row.id)).state == ApplicationState.REVIEWING
    await decision.decide(added, task_id=other.id, decision=Decision.APPROVE, opinion="合同条款无异议")
    assert (await application(lender, row.id)).state == ApplicationState.APPROVING


async def test_another_lender_sees_no_task(lender: LenderAtWork, shared_lender: LenderAtWork):
    row = await reviewing(lender)
    task = await task_on(lender.risk_officer, row.id)
    with pytest.raises(NotFound):
        await decision.decide(shared_lender.risk_officer, task_id=task.id, decision=Decision.APPROVE, opinion="")


async def test_two_tasks_of_one_person_are_told_apart(lender: LenderAtWork):
    product = await a_product(lender)
    rows = [
        await reviewing(lender, product_id=product.id, customer_id=(await a_person(lender.account_manager, serial)).id)
        for serial in (1, 2)
    ]
    await decide(lender.risk_officer, rows[0].id)
    states = [(await application(lender, row.id)).state for row in rows]
    assert states == [ApplicationState.APPROVING, ApplicationState.REVIEWING]
