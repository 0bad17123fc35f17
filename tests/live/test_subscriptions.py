"""The four subscriptions over real sockets: who is told what, cursors, and the figures as they change."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError
from sqlalchemy import update

from domain.home import pending_task
from domain.home.pending_task import Task
from domain.home.pending_task_feed import ADDED, CHANGED, REMOVED, change_for
from domain.kernel.context import Request
from domain.kernel.feed_reading import FeedChange, Happened, Place
from domain.kernel.table import uuid7
from domain.lending import assignment
from domain.lending.loan import Loan
from resolvers.kernel import Operation
from resolvers.kernel.subscribing import Gap, cursor_at, follow
from tenancy.current import Overloaded
from tenancy.provision import Blueprint
from tests.live.conftest import KIND, KINDS, Office, an_office, announce, following, until_begun
from tests.live.screens import ALERTS, CROWDED, MESSAGES, STATISTICS, TASKS, Refused, Screen
from tests.support.actors import LenderAtWork, Ports, a_lender
from tests.support.customers import a_person
from tests.support.lenders import Platform
from tests.support.lending import a_product, approved, decide, reviewing, submitted, task_on
from tests.support.loans import lending_at
from xiaodai.http.answering import Answering
from xiaodai.live import backlog

ME, OTHER = uuid7(), uuid7()


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("kind", "was_with", "assignee", "expected"),
    [
        (ADDED, None, None, FeedChange.ADDED),
        (ADDED, None, ME, FeedChange.ADDED),
        (ADDED, None, OTHER, None),
        (CHANGED, None, ME, FeedChange.CHANGED),  # I took it
        (CHANGED, None, OTHER, FeedChange.REMOVED),  # a colleague took it
        (CHANGED, OTHER, ME, FeedChange.ADDED),  # it was handed to me
        (CHANGED, ME, OTHER, FeedChange.REMOVED),
        (CHANGED, OTHER, uuid7(), None),
        (REMOVED, None, None, FeedChange.REMOVED),
        (REMOVED, ME, None, FeedChange.REMOVED),
        (REMOVED, OTHER, None, None),  # I was told when he took it
    ],
)
def test_what_a_change_of_a_task_means_for_me(kind: str, was_with: Any, assignee: Any, expected: FeedChange | None):
    facts = {
        name: str(value) if value else None for name, value in {"was_with": was_with, "assignee_id": assignee}.items()
    }
    assert change_for(ME, Happened(Place(1, uuid7()), kind, uuid7(), facts)) is expected


# ---------------------------------------------------------------- tasks


async def test_tasks_come_and_go_for_everybody_they_are_offered_to(office: Office):
    lender = office.lender
    async with office.screen("business_manager", TASKS) as boss, office.screen("account_manager", TASKS) as maker:
        row = await submitted(lender)
        added = await boss.hear()
        assert (added["change"], added["task"]["type"], added["pendingCount"]) == ("ADDED", "ASSIGNMENT", 1)
        assert row.number in added["task"]["title"]
        await assignment.assign(
            lender.business_manager, application_id=row.id, manager_id=lender.account_manager.actor.id
        )
        removed = await boss.hear()
        assert (removed["change"], removed["pendingCount"]) == ("REMOVED", 0)
        assert removed["task"] == added["task"] | {"state": "DONE"}  # readable still
        # The maker was never told of the assignment, only of what waits for him.
        own = await maker.hear()
        assert (own["change"], own["task"]["type"], own["pendingCount"]) == ("ADDED", "ACCEPTANCE", 1)
        assert await boss.silent()
        assert await maker.silent()


async def test_a_task_that_a_colleague_takes_is_gone(office: Office):
    lender = office.lender
    async with AsyncExitStack() as stack:
        screens = [
            await stack.enter_async_context(office.screen(name, TASKS))
            for name in ("risk_officer", "second_risk_officer")
        ]
        row = await reviewing(lender)
        assert [(await screen.hear())["change"] for screen in screens] == ["ADDED", "ADDED"]
        task = await task_on(lender.risk_officer, row.id)
        await pending_task.claim(lender.risk_officer, task_id=task.id)
        told = [await screen.hear() for screen in screens]
        assert [(event["change"], event["pendingCount"]) for event in told] == [("CHANGED", 1), ("REMOVED", 0)]
        await decide(lender.risk_officer, row.id)
        assert (await screens[0].hear())["change"] == "REMOVED"
        assert await screens[1].silent()


async def test_what_was_missed_is_told_from_the_cursor_on(office: Office):
    async with office.screen("business_manager", TASKS) as boss:
        await applications(office, 3)
        events = [await boss.hear() for _ in range(3)]
    for seen in range(3):
        async with office.screen("business_manager", TASKS, after=events[seen]["cursor"]) as again:
            missed = [await again.hear() for _ in range(2 - seen)]
            assert [event["task"]["id"] for event in missed] == [event["task"]["id"] for event in events[seen + 1 :]]
            assert [event["cursor"] for event in missed] == [event["cursor"] for event in events[seen + 1 :]]
            assert await again.silent()


async def applications(office: Office, count: int) -> None:
    """So many applications of one person on one product, each a task for the business managers."""
    lender = office.lender
    given = {"customer_id": (await a_person(lender.account_manager)).id, "product_id": (await a_product(lender)).id}
    await asyncio.gather(*[submitted(lender, **given) for _ in range(count)])


async def test_all_sockets_of_a_person_see_the_same_order(office: Office):
    async with AsyncExitStack() as stack:
        screens = [await stack.enter_async_context(office.screen("business_manager", TASKS)) for _ in range(3)]
        await applications(office, 5)
        seen = [[(await screen.hear())["cursor"] for _ in range(5)] for screen in screens]
    assert seen[0] == seen[1] == seen[2]
    assert len(set(seen[0])) == 5


# ---------------------------------------------------------------- cursors


async def test_a_cursor_of_somebody_else_opens_nothing(
    office: Office, place: Platform, ports: Ports, blueprint: Blueprint
):
    lender = office.lender
    async with lender.business_manager.reading() as ctx:
        good = cursor_at(ctx, Place(5, uuid7()))
        foreign = await a_lender(place, ports, blueprint)
        another_lender = cursor_at(replace(ctx, lender=foreign.lender), Place(5, uuid7()))
        another_person = cursor_at(replace(ctx, actor=lender.cashier.actor), Place(5, uuid7()))
    broken = ["x", "é", "=" * 76, base64.b64encode(b"short").decode(), good[:-4], good + "AAAA"]
    for cursor in (another_lender, another_person, *broken):
        async with office.screen("business_manager", TASKS, after=cursor) as screen:
            with pytest.raises(Refused) as refused:
                await screen.hear()
            assert refused.value.code == "BAD_USER_INPUT", cursor
    async with office.screen("business_manager", TASKS, after=good) as screen:
        assert await screen.silent(0.2)


async def test_whoever_may_not_read_may_not_follow(office: Office):
    async with office.screen("tenant_admin", TASKS) as screen:
        assert await screen.silent(0.2)  # may read tasks, has none
    office.lender.people["nobody"] = replace(
        office.lender.cashier, actor=replace(office.lender.cashier.actor, permissions=frozenset())
    )
    for document in (TASKS, ALERTS, MESSAGES, STATISTICS):
        async with office.screen("nobody", document) as screen:
            with pytest.raises(Refused) as refused:
                await screen.hear()
            assert refused.value.code == "FORBIDDEN"


# ---------------------------------------------------------------- messages, alerts


async def test_one_approval_is_one_message_to_the_maker(office: Office):
    async with office.screen("account_manager", MESSAGES) as maker, office.screen("risk_officer", MESSAGES) as other:
        row = await approved(office.lender)
        event = await maker.hear()
        assert event["unreadCount"] == 1
        assert event["message"]["category"] == "APPROVAL"
        assert row.number in event["message"]["body"]
        assert await maker.silent()
        assert await other.silent()


async def test_alerts_reach_those_the_rule_names_in_their_scope_at_delivery(office: Office):
    lender = office.lender
    lending = await lending_at(lender)
    first, second = [await lending.pay_out(value_date=date(2024, 12, 2)) for _ in range(2)]
    names = ("account_manager", "second_account_manager", "risk_officer", "general_manager", "business_manager")
    async with AsyncExitStack() as stack:
        screens = {name: await stack.enter_async_context(office.screen(name, ALERTS)) for name in names}
        async with lender.system.writing() as ctx:  # handed over while the screens are open
            to = lender.second_account_manager.actor.id
            await ctx.connection.execute(update(Loan).where(Loan.id == second).values(manager_id=to))
        await lending.close(date(2025, 1, 3))
        numbers = {loan_id: (await lending.loan(loan_id)).number for loan_id in (first, second)}
        for name, loans in {
            "account_manager": {first}, "second_account_manager": {second}, "risk_officer": {first, second},
        }.items():  # fmt: skip
            told = [await screens[name].hear() for _ in loans]
            assert {event["alert"]["loan"]["number"] for event in told} == {numbers[loan_id] for loan_id in loans}
            assert {(event["change"], event["alert"]["rule"]) for event in told} == {("ADDED", "OVERDUE_1")}
        for screen in screens.values():
            assert await screen.silent(0.2)


async def test_alerts_from_a_level_on(office: Office):
    lending = await lending_at(office.lender)
    await lending.pay_out(value_date=date(2024, 11, 1))
    async with (
        office.screen("risk_officer", ALERTS, minLevel="ORANGE") as screen,
        office.screen("general_manager", ALERTS) as boss,
    ):
        await lending.close(date(2025, 1, 1))  # 31 days past due: three rules at once
        assert (await screen.hear())["alert"]["rule"] == "OVERDUE_30"
        assert (await boss.hear())["alert"]["rule"] == "OVERDUE_30"
        assert await screen.silent()
        assert await boss.silent()


# ---------------------------------------------------------------- statistics


async def test_figures_at_once_and_as_they_change(office: Office):
    lending = await lending_at(office.lender)
    loan_id = await lending.pay_out(value_date=date(2024, 12, 1))
    async with office.screen("account_manager", STATISTICS) as screen, office.screen("cashier", STATISTICS) as other:
        first = await screen.hear()
        assert (first["loanCount"], first["outstanding"], first["collectedToday"]) == (1, "100000.00", "0.00")
        assert await other.hear() == first
        began, count = time.monotonic(), 0
        for _ in range(12):
            await lending.receive(loan_id, "10.00")
        latest = first
        while latest["collectedToday"] != "120.00":
            latest = await screen.hear()
            count += 1
        assert count <= 1 + time.monotonic() - began  # at most once a second
        await asyncio.sleep(1.1)
        async with office.lender.system.writing() as ctx:
            ctx.announce("lending.loan.changed", Loan(id=loan_id))
        assert await screen.silent(1.5)  # nothing changed, nothing is told


async def test_figures_within_the_viewers_scope(office: Office):
    lending = await lending_at(office.lender)
    await lending.pay_out()
    async with office.screen("second_account_manager", STATISTICS) as screen:
        assert (await screen.hear())["loanCount"] == 0
    async with office.screen("cashier", STATISTICS, filter={"on": "2024-12-31"}) as screen:
        assert await screen.hear() == {
            "on": "2024-12-31", "loanCount": 0, "outstanding": "0.00", "collectedToday": "0.00", "pendingTaskCount": 0,
        }  # fmt: skip


# ---------------------------------------------------------------- slow clients


async def test_a_gap_carries_the_cursor_to_go_on_from(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backlog, "MOST_EVENTS", 20)
    monkeypatch.setattr(backlog, "PATIENCE_SECONDS", 0.2)
    lender = office.lender

    async def deliver(_: Any, rows: list[Happened]) -> list[Any]:
        return [row.subject_id for row in rows]

    operation = Operation(lender.ports, Request(), await office.sessions.resolve(office.token("cashier")))
    async with (
        following(office.live, lender) as witness,
        aclosing(follow(operation, KINDS, None, deliver)) as slow,  # type: ignore[type-var]
    ):
        first = asyncio.ensure_future(anext(slow))
        await until_begun(office.live, lender)
        told = await announce(lender.system)
        assert await first == told[0]
        await asyncio.sleep(0.3)
        missed = await announce(lender.system, *[KIND] * 30)
        await witness.has(31)
        with pytest.raises(Gap) as gap:
            await anext(slow)
    async with aclosing(follow(operation, KINDS, gap.value.extensions["cursor"], deliver)) as again:  # type: ignore[type-var]
        assert [await anext(again) for _ in missed] == missed


async def test_an_event_that_cannot_be_shown_leaves_no_hole(office: Office, monkeypatch: pytest.MonkeyPatch):
    """The subscription ends there, and resumed from the last cursor it shows what it could not show before."""
    lender = office.lender
    shown: list[Any] = []
    execute = Answering.execute

    async def sometimes(self: Answering, *given: Any, **named: Any) -> ExecutionResult:
        shown.append(given)
        if len(shown) == 2:
            return ExecutionResult(None, [GraphQLError("busy", original_error=Overloaded())])
        return await execute(self, *given, **named)

    monkeypatch.setattr(Answering, "execute", sometimes)
    async with office.screen("business_manager", TASKS) as boss:
        await applications(office, 3)
        first = await boss.hear()
        with pytest.raises(Refused) as refused:
            await boss.hear()
        assert refused.value.code == "OVERLOADED"
    async with office.screen("business_manager", TASKS, after=first["cursor"]) as again:
        events = [first, *[await again.hear() for _ in range(2)]]
    open_tasks = await lender.rows(Task)
    assert len({event["task"]["id"] for event in events}) == len(open_tasks) == 3


async def test_a_crowd_is_served_in_turn(lender: LenderAtWork):
    """More screens than the door has connections: all are told, none is turned away."""
    door = lender.platform.new_door(cap=13, per_lender=13, patience_seconds=0.05)
    lender.ports = replace(lender.ports, door=door)
    async with an_office(lender, sockets_per_person=200) as office, AsyncExitStack() as stack:
        screens = [
            await stack.enter_async_context(office.screen("business_manager", CROWDED, settle=0.0)) for _ in range(150)
        ]
        await asyncio.sleep(1)
        await applications(office, 3)
        told = await asyncio.gather(*[_three(screen) for screen in screens])
    await door.close()
    assert all(events == told[0] for events in told)
    assert len({event["cursor"] for event in told[0]}) == 3


async def _three(screen: Screen) -> list[Any]:
    return [await screen.hear(60) for _ in range(3)]
