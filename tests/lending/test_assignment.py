"""贷款分单: who may be given an application, accepting, refusing, giving it to another (F09)."""

import pytest

from domain.customers.customer import Customer
from domain.home.pending_task import Task, TaskState
from domain.kernel.refusals import Denied, InvalidInput, InvalidState, NotFound
from domain.kernel.table import uuid7
from domain.lending import assignment, loan_application
from domain.lending.assignment import Assignment, AssignmentState
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.organization import department, employee
from tests.support.actors import LenderAtWork
from tests.support.lending import submitted


async def open_tasks(lender: LenderAtWork) -> list[tuple[str, object]]:
    return [(task.type, task.assignee_id) for task in await lender.rows(Task, Task.state == TaskState.OPEN)]


async def test_the_assigned_manager_becomes_manager_and_sees_it(lender: LenderAtWork):
    row, other = await submitted(lender), lender.second_account_manager
    assigned = await assignment.assign(
        lender.business_manager, application_id=row.id, manager_id=other.actor.id, reason="本区域"
    )
    assert (assigned.state, assigned.manager_id) == (ApplicationState.ASSIGNED, other.actor.id)
    assert await open_tasks(lender) == [("ACCEPTANCE", other.actor.id)]
    accepted = await assignment.accept(other, application_id=row.id)
    assert accepted.state is ApplicationState.INVESTIGATING
    assert await open_tasks(lender) == [("SURVEY", other.actor.id)]
    (customer,) = await lender.rows(Customer)
    assert (customer.manager_id, customer.co_manager_id) == (lender.account_manager.actor.id, other.actor.id)
    (record,) = await lender.rows(Assignment)
    assert (record.state, record.assigned_by) == (AssignmentState.ACCEPTED, lender.business_manager.actor.id)


async def test_refused_it_goes_back_to_the_pool_with_a_reason(lender: LenderAtWork):
    row, manager = await submitted(lender), lender.second_account_manager
    await assignment.assign(lender.business_manager, application_id=row.id, manager_id=manager.actor.id)
    with pytest.raises(InvalidInput):
        await assignment.refuse(manager, application_id=row.id)
    refused = await assignment.refuse(manager, application_id=row.id, comment="业务已满")
    assert (refused.state, refused.manager_id) == (ApplicationState.SUBMITTED, None)
    assert await open_tasks(lender) == [("ASSIGNMENT", None)]
    (record,) = await lender.rows(Assignment)
    assert (record.state, record.answer) == (AssignmentState.REFUSED, "业务已满")


async def test_not_accepted_yet_it_can_be_given_to_another(lender: LenderAtWork):
    row = await submitted(lender)
    for manager in (lender.account_manager, lender.second_account_manager):
        await assignment.assign(lender.business_manager, application_id=row.id, manager_id=manager.actor.id)
    states = [record.state for record in await lender.rows(Assignment)]
    assert states == [AssignmentState.REASSIGNED, AssignmentState.ASSIGNED]
    with pytest.raises(Denied):
        await assignment.accept(lender.account_manager, application_id=row.id)  # its maker sees it, but has it no more
    await assignment.accept(lender.second_account_manager, application_id=row.id)
    with pytest.raises(InvalidState):
        await assignment.assign(
            lender.business_manager, application_id=row.id, manager_id=lender.account_manager.actor.id
        )


async def test_who_cannot_be_given_one(lender: LenderAtWork):
    row, manager = await submitted(lender), lender.account_manager.actor.id
    for manager_id, co_manager_id, refusal in (
        (uuid7(), None, NotFound),
        (lender.cashier.actor.id, None, NotFound),
        (manager, lender.auditor.actor.id, NotFound),
        (manager, manager, InvalidInput),
    ):
        with pytest.raises(refusal):
            await assignment.assign(
                lender.business_manager, application_id=row.id, manager_id=manager_id, co_manager_id=co_manager_id
            )
    (now,) = await lender.rows(LoanApplication)
    assert (now.state, now.manager_id) == (ApplicationState.SUBMITTED, None)
    assert await open_tasks(lender) == [("ASSIGNMENT", None)]


async def test_who_assigns(lender: LenderAtWork, shared_lender: LenderAtWork):
    row, manager_id = await submitted(lender), lender.account_manager.actor.id
    for person in (lender.account_manager, lender.risk_officer, lender.general_manager):
        with pytest.raises(Denied):
            await assignment.assign(person, application_id=row.id, manager_id=manager_id)
    with pytest.raises(NotFound):
        await assignment.assign(shared_lender.business_manager, application_id=row.id, manager_id=manager_id)


async def test_a_manager_of_another_department_assigns_too(lender: LenderAtWork):
    elsewhere = await department.create(lender.tenant_admin, code="WEST", name="西区")
    hired = await employee.create(
        lender.tenant_admin,
        name="孙七",
        department_id=elsewhere.id,
        role_ids=list(lender.business_manager.actor.role_ids),
        username="sunqi",
        initial_password="correct horse battery",
    )
    row, manager = await submitted(lender), await lender.context_of(hired.id)
    given = await assignment.assign(manager, application_id=row.id, manager_id=lender.account_manager.actor.id)
    assert given.state is ApplicationState.ASSIGNED


async def test_a_draft_cannot_be_assigned(lender: LenderAtWork):
    from tests.support.lending import a_draft

    row = await a_draft(lender)
    with pytest.raises((InvalidState, NotFound)):
        await assignment.assign(
            lender.business_manager, application_id=row.id, manager_id=lender.account_manager.actor.id
        )
    with pytest.raises(InvalidState):
        await assignment.accept(lender.account_manager, application_id=row.id)
    assert (await loan_application.submit(lender.account_manager, application_id=row.id)).version == 1
