"""订阅的隔离 · A subscription opens nothing of the neighbour's, whatever id or cursor is sent, and tells nothing of what
happens there (promise T2)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from domain.kernel.context import Context
from domain.kernel.feed_reading import NO_ROW, Place
from domain.kernel.table import uuid7
from resolvers.kernel import subscribing
from resolvers.kernel.subscribing import cursor_at
from schema.kernel.node import global_id
from tenancy.current import Door
from tests.promises.neighbours import Neighbour, almighty
from tests.promises.sockets import Heard, Line, Sockets
from tests.promises.whole_schema import Leaf, Root, leaves, roots, sampling, type_of, variables
from tests.support.actors import LenderAtWork

BEGINNING = Place(1, NO_ROW)


def everything(lender: LenderAtWork) -> Context:
    """The account manager, with all permissions: messages, tasks and alerts come to them in an ordinary day."""
    return almighty(lender, lender.account_manager)


def cursor_of(ctx: Context) -> str:
    """A cursor as this person holds it, behind which the whole feed of their lender lies."""
    return str(cursor_at(ctx, BEGINNING))


@dataclass
class Asked:
    """Values for one argument of a subscription: the asker's own, the neighbour's, and nobody's."""

    leaf: Leaf
    own: str
    foreign: str
    unknown: str

    def given(self, sent: str) -> dict[str, Any]:
        """Variables with this one value, and for the rest what is required."""
        plain = sampling({})
        return variables(
            self.leaf.root, lambda leaf: sent if leaf.path == self.leaf.path else plain(leaf), [self.leaf.path]
        )


async def arguments(here: Neighbour, there: Neighbour) -> list[Asked]:
    """Every argument of a subscription that is an id or a cursor."""
    ours, theirs = await here.ids(), await there.ids()
    us, them = everything(here.lender), everything(there.lender)
    found = []
    for leaf in [leaf for root in roots("Subscription") for leaf in leaves(root)]:
        if leaf.scalar == "ID":
            name = type_of(leaf)
            found.append(Asked(leaf, ours[name], theirs[name], global_id(name, uuid7())))
        elif leaf.scalar == "Cursor":
            found.append(Asked(leaf, cursor_of(us), cursor_of(them), cursor_of(nobody(us))))
    return found


def nobody(ctx: Context) -> Context:
    """A person who does not exist, at a lender that does not either."""
    return replace(ctx, lender=replace(ctx.lender, id=uuid7()), actor=replace(ctx.actor, id=uuid7()))


async def first_answer(line: Line, asked: Asked, sent: str) -> str:
    """What is told at the beginning, without the value that was sent."""
    heard = await line.subscribe(asked.leaf.root.document(2), **asked.given(sent))
    await line.quiet()
    return f"{heard.errors} {heard.events}".replace(sent, "<sent>")


async def opened(here: Neighbour, there: Neighbour, sockets: Sockets) -> list[str]:
    """The arguments where the neighbour's value is told from nobody's."""
    found = []
    async with sockets.line(everything(here.lender)) as line:
        for asked in await arguments(here, there):
            told, unknown = [await first_answer(line, asked, sent) for sent in (asked.foreign, asked.unknown)]
            if told != unknown:
                found.append(f"{asked.leaf.name}: {told[:300]}, not {unknown[:300]}")
    return found


async def test_an_id_or_a_cursor_of_the_neighbour_is_an_unknown_one(
    here: Neighbour, there: Neighbour, sockets: Sockets
) -> None:
    assert await opened(here, there, sockets) == []


async def test_every_argument_of_that_test_is_read(here: Neighbour, there: Neighbour, sockets: Sockets) -> None:
    """One's own value is answered otherwise than an unknown one, and so is the neighbour's in the neighbour's hands."""
    async with sockets.line(everything(here.lender)) as ours, sockets.line(everything(there.lender)) as theirs:
        for asked in await arguments(here, there):
            unknown = await first_answer(ours, asked, asked.unknown)
            assert await first_answer(ours, asked, asked.own) != unknown, asked.leaf.name
            assert await first_answer(theirs, asked, asked.foreign) != unknown, asked.leaf.name


async def test_a_cursor_that_is_believed_is_found_out(
    here: Neighbour, there: Neighbour, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes any cursor of a lender it knows."""
    strict, known = subscribing.place_of, cursor_of(everything(there.lender))
    monkeypatch.setattr(
        subscribing, "place_of", lambda ctx, cursor: BEGINNING if cursor == known else strict(ctx, cursor)
    )
    found = {one.split(":")[0] for one in await opened(here, there, sockets)}
    assert found == {asked.leaf.name for asked in await arguments(here, there) if asked.leaf.scalar == "Cursor"}


async def test_an_id_that_opens_the_neighbours_figures_is_found_out(
    here: Neighbour, there: Neighbour, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = Door.enter
    monkeypatch.setattr(Door, "enter", lambda self, lender, **how: enter(self, there.lender.lender, **how))
    assert [one.split(":")[0] for one in await opened(here, there, sockets)] == [
        "statisticsChanged.filter.departmentId"
    ]


# ---------------------------------------------------------------- what happens there is not told here


@dataclass
class Watch:
    """All subscriptions of one person, each as it is asked for plainly."""

    line: Line
    heard: dict[str, Heard] = field(default_factory=dict)

    async def begin(self, *more: tuple[str, Root, dict[str, Any]]) -> None:
        for root in roots("Subscription"):
            self.heard[root.name] = await self.line.subscribe(root.document(2))
        for name, root, given in more:
            self.heard[name] = await self.line.subscribe(root.document(2), **given)
        await self.line.quiet()

    def counts(self) -> dict[str, int]:
        assert all(not heard.errors for heard in self.heard.values()), self.heard
        return {name: len(heard.events) for name, heard in self.heard.items()}


async def busy_hour(there: Neighbour) -> None:
    """A task, a message, an alert and figures that change for the account manager; then the day is closed and proved."""
    journey = there.journey
    await journey.approved(await journey.customer("孙七"))
    today = (await journey.by("cashier").data("{ viewer { businessDate } }"))["viewer"]["businessDate"]
    await journey.received(there.loan.id, "10.00", today)
    (alert, *_), manager = (await there.sql("select id from alerts order by id")), there.lender.account_manager.actor
    given = {"alertId": global_id("Alert", alert.id), "employeeId": global_id("Employee", manager.id)}
    await journey.act("risk_officer", "assignAlert", "alert { id }", **given)
    await journey.close(today)


async def told_of_the_neighbour(here: Neighbour, there: Neighbour, sockets: Sockets) -> dict[str, int]:
    """How many events each subscription here brings while something happens there; every one there must bring some."""
    async with AsyncExitStack() as stack:
        us, them = [
            Watch(await stack.enter_async_context(sockets.line(everything(one.lender)))) for one in (here, there)
        ]
        foreign = [
            (asked.leaf.name, asked.leaf.root, asked.given(asked.foreign))
            for asked in await arguments(here, there)
            if asked.leaf.scalar == "ID"
        ]
        await us.begin(*foreign)
        await them.begin()
        before, at_first = us.counts(), them.counts()
        await busy_hour(there)
        for name, heard in them.heard.items():
            assert await them.line.until(heard, at_first[name] + 1), f"{name} is told to nobody"
        await us.line.quiet(2.5)  # feeds are looked at, and figures told, once a second
        return {name: count - before[name] for name, count in us.counts().items() if count != before[name]}


async def test_what_happens_at_the_neighbour_is_told_to_nobody_here(
    here: Neighbour, there: Neighbour, sockets: Sockets
) -> None:
    assert await told_of_the_neighbour(here, there, sockets) == {}


async def test_a_feed_of_the_wrong_lender_is_found_out(
    here: Neighbour, there: Neighbour, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = Door.enter
    monkeypatch.setattr(Door, "enter", lambda self, lender, **how: enter(self, there.lender.lender, **how))
    found = await told_of_the_neighbour(here, there, sockets)
    assert {"statisticsChanged", "statisticsChanged.filter.departmentId"} <= found.keys()
