"""到期提醒: the task comes three days before the due date, once, and goes when the day has closed (F01)."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.home import installment_due
from domain.home.pending_task import Task, TaskState
from domain.kernel.feed import FeedRow
from domain.kernel.ports import Ports
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at

OPENED, DUE = date(2026, 1, 15), date(2026, 2, 15)


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=OPENED))


async def reminders(lending: Lending, state: TaskState = TaskState.OPEN) -> list[Any]:
    return await lending.lender.rows(Task, Task.type == installment_due.TYPE, Task.state == state)


async def test_three_days_before_the_due_date_the_account_manager_is_reminded(lending: Lending) -> None:
    loan_id = await lending.pay_out()
    await lending.close(DUE - timedelta(days=5))
    assert await reminders(lending) == []
    await lending.close(DUE - timedelta(days=4))  # the business date is three days before
    (task,) = await reminders(lending)
    assert (task.subject_id, task.assignee_id) == (loan_id, lending.lender.account_manager.actor.id)
    added = await lending.lender.rows(FeedRow, FeedRow.subject_id == task.id)
    assert [row.kind for row in added] == ["home.pending_task.added"]


async def test_it_comes_once_and_goes_with_the_day(lending: Lending) -> None:
    await lending.pay_out()
    await lending.close(DUE - timedelta(days=1))
    assert len(await reminders(lending)) == 1
    await lending.close(DUE)
    assert await reminders(lending) == []
    assert len(await reminders(lending, TaskState.DONE)) == 1


async def test_whoever_is_overdue_is_not_reminded_but_collected(lending: Lending) -> None:
    await lending.pay_out()
    await lending.close(date(2026, 3, 13))
    assert len(await lending.lender.rows(Task, Task.type == installment_due.TYPE)) == 1
