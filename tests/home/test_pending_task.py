"""待办: who sees what, claiming, urgency, and what stays readable (F01)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.home import pending_task
from domain.home.pending_task import Task, TaskUrgency, urgency
from domain.kernel.feed import FeedRow
from domain.kernel.paging import Window
from domain.kernel.refusals import Denied, InvalidState, NotFound, SamePerson
from domain.kernel.scope import scope
from domain.lending import assignment
from tests.support.actors import LenderAtWork
from tests.support.lending import reviewing, submitted, task_on

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (None, TaskUrgency.NORMAL),
        (timedelta(hours=24, seconds=1), TaskUrgency.NORMAL),
        (timedelta(hours=24), TaskUrgency.DUE_SOON),
        (timedelta(0), TaskUrgency.DUE_SOON),
        (timedelta(seconds=-1), TaskUrgency.OVERDUE),
    ],
)
def test_urgency_is_the_time_left(due, expected):
    assert urgency(None if due is None else NOW + due, NOW) is expected


async def pending(ctx, **wanted) -> list[str]:
    async with ctx.reading() as reading:
        table = Task.__table__.c
        page = await pending_task.page(reading, columns=[table.type], window=Window(), **wanted)
        assert await page.total(reading) == len(page.rows)
        return [row.type for row in page.rows]


async def test_submitting_makes_one_task_for_the_managers_and_none_for_the_maker(lender: LenderAtWork):
    await submitted(lender)
    assert await pending(lender.business_manager) == ["ASSIGNMENT"]
    for person in (lender.account_manager, lender.risk_officer, lender.general_manager, lender.tenant_admin):
        assert await pending(person) == []
    added = await lender.rows(FeedRow, FeedRow.kind == "home.pending_task.added")
    assert len(added) == 1


async def test_assigning_removes_it_everywhere_and_asks_the_account_manager(lender: LenderAtWork):
    row = await submitted(lender)
    task = await task_on(lender.business_manager, row.id)
    await assignment.assign(lender.business_manager, application_id=row.id, manager_id=lender.account_manager.actor.id)
    assert await pending(lender.business_manager) == []
    assert await pending(lender.account_manager) == ["ACCEPTANCE"]
    assert await pending(lender.second_account_manager) == []
    removed = await lender.rows(FeedRow, FeedRow.kind == "home.pending_task.removed")
    assert [row.subject_id for row in removed] == [task.id]
    async with lender.business_manager.reading() as ctx:  # once offered, readable for good
        seen = await ctx.connection.execute(Task.__table__.select().where(Task.id == task.id, scope(ctx, Task)))
        assert seen.one().closed_by == lender.business_manager.actor.id
        done = await pending_task.done_page(ctx, columns=[Task.__table__.c.id], window=Window())
        assert [row.id for row in done.rows] == [task.id]


async def test_a_filter_by_type_and_urgency(lender: LenderAtWork):
    await submitted(lender)
    manager = lender.business_manager
    assert await pending(manager, types=["ASSIGNMENT"]) == ["ASSIGNMENT"]
    assert await pending(manager, types=["SURVEY"]) == []
    assert await pending(manager, urgencies=[TaskUrgency.DUE_SOON]) == ["ASSIGNMENT"]  # due in 24 hours
    assert await pending(manager, urgencies=[TaskUrgency.NORMAL, TaskUrgency.OVERDUE]) == []


async def test_a_claimed_task_is_gone_for_the_others(lender: LenderAtWork):
    row = await reviewing(lender)
    task = await task_on(lender.risk_officer, row.id)
    claims = await asyncio.gather(
        pending_task.claim(lender.risk_officer, task_id=task.id),
        pending_task.claim(lender.second_risk_officer, task_id=task.id),
        return_exceptions=True,
    )
    won = [claim for claim in claims if isinstance(claim, Task)]
    lost = [claim for claim in claims if isinstance(claim, InvalidState)]
    assert (len(won), len(lost)) == (1, 1)
    by_person = {person.actor.id: await pending(person) for person in (lender.risk_officer, lender.second_risk_officer)}
    assert by_person.pop(won[0].assignee_id) == ["APPROVAL"]
    assert list(by_person.values()) == [[]]


async def test_who_may_not_claim(lender: LenderAtWork, shared_lender: LenderAtWork):
    row = await submitted(lender)
    task = await task_on(lender.business_manager, row.id)
    for person, refusal in (
        (lender.account_manager, SamePerson),  # the maker
        (lender.general_manager, Denied),  # sees it, but it was not offered to him
        (lender.second_account_manager, NotFound),
        (shared_lender.business_manager, NotFound),
    ):
        with pytest.raises(refusal):
            await pending_task.claim(person, task_id=task.id)
    assert (await task_on(lender.business_manager, row.id)).assignee_id is None
