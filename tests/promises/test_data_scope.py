"""数据范围 · Whatever way one looks, one sees the same loans: those of one's scope (promise Z3)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import true

from domain.home import statistics
from domain.kernel.feed_reading import NO_ROW, Place
from domain.lending.loan import queries
from domain.organization.role import BUILT_IN
from domain.post_loan import early_warning
from resolvers.kernel.subscribing import cursor_at
from schema.kernel.node import global_id
from tests.acceptance.journey import Journey
from tests.promises.conftest import NewJourney
from tests.promises.neighbours import OPENED, Neighbour
from tests.promises.sockets import Heard, Line, Sockets
from tests.support.client import Client

CLOSED = OPENED + timedelta(days=2)
OWNERS = ("account_manager", "second_account_manager", "collector")
"""Two of the sales department, and one beside it."""
SEEN = {
    "account_manager": OWNERS[:1],  # SELF
    "second_account_manager": OWNERS[1:2],  # SELF
    "business_manager": OWNERS[:2],  # DEPARTMENT_TREE
    "auditor": OWNERS,  # TENANT
    "risk_officer": OWNERS,  # TENANT
}


@dataclass
class Portfolio:
    """One overdue loan for each of OWNERS."""

    journey: Journey
    loans: dict[str, str]
    sockets: Sockets

    async def ways(self, client: Client) -> dict[str, set[str] | int]:
        """What this person sees by each way: loans by their ids, or how many."""
        found: dict[str, set[str] | int] = {}
        page = (await client.data("{ loans(first: 50) { nodes { id number } edges { node { id } } totalCount } }"))[
            "loans"
        ]
        found["list"] = {loan["id"] for loan in page["nodes"]}
        found["edges"] = {edge["node"]["id"] for edge in page["edges"]}
        found["total"] = page["totalCount"]
        found["statistics"] = (await client.data("{ statistics { loanCount } }"))["statistics"]["loanCount"]
        found |= await self.of_a_day(client)
        for name, ask in self.one_by_one(client).items():
            found[name] = {loan for loan in self.loans.values() if await ask(loan)}
        for name, document in THROUGH.items():
            (answer,) = (await client.data(document)).values()
            found[name] = set(_loan_ids(answer))
        return found

    async def of_a_day(self, client: Client) -> dict[str, set[str] | int]:
        """The same of a day gone by, as it is known now and at this moment."""
        found: dict[str, set[str] | int] = {}
        async with self.journey.lender.system.reading() as ctx:
            day, moment = str(CLOSED), ctx.now.isoformat()
        document = """query($d: Date, $k: DateTime) { loans(first: 50, asOf: $d, knownAt: $k) {
          nodes { id } totalCount } statistics(filter: {on: $d}) { loanCount } }"""
        for axis, known in (("day", None), ("moment", moment)):
            seen = await client.data(document, d=day, k=known)
            found[f"list of a {axis}"] = {loan["id"] for loan in seen["loans"]["nodes"]}
            found[f"total of a {axis}"] = seen["loans"]["totalCount"]
            found[f"statistics of a {axis}"] = seen["statistics"]["loanCount"]
            position = """query($id: ID!, $d: Date, $k: DateTime) { loan(id: $id) {
              position(on: $d, knownAt: $k) { on } } }"""
            answers = {
                loan: (await client.data(position, id=loan, d=day, k=known))["loan"] for loan in self.loans.values()
            }
            found[f"position of a {axis}"] = {loan for loan, one in answers.items() if one and one["position"]}
        return found

    def one_by_one(self, client: Client) -> dict[str, Callable[[str], Awaitable[Any]]]:
        async def node(loan: str) -> Any:
            return (await client.data("query($id: ID!) { node(id: $id) { id } }", id=loan))["node"]

        async def by_id(loan: str) -> Any:
            return (await client.data("query($id: ID!) { loan(id: $id) { id } }", id=loan))["loan"]

        async def by_number(loan: str) -> Any:
            return (await client.data("query($n: String!) { loan(number: $n) { id } }", n=await self.number(loan)))[
                "loan"
            ]

        async def by_search(loan: str) -> Any:
            document = "query($n: String!) { loans(filter: {search: $n}) { totalCount } }"
            return (await client.data(document, n=await self.number(loan)))["loans"]["totalCount"]

        return {"node": node, "id": by_id, "number": by_number, "search": by_search}

    async def number(self, loan: str) -> str:
        document = "query($id: ID!) { loan(id: $id) { number } }"
        return str((await self.journey.by("auditor").data(document, id=loan))["loan"]["number"])

    async def surprises(self) -> list[str]:
        """Who sees by which way other loans than those of their scope."""
        found = []
        for person, owners in SEEN.items():
            wanted = {self.loans[owner] for owner in owners}
            for way, seen in (await self.ways(self.journey.by(person))).items():
                if seen != (len(wanted) if isinstance(seen, int) else wanted):
                    found.append(f"{person} by {way}")
        return found + await self.surprises_of_feeds()

    async def surprises_of_feeds(self) -> list[str]:
        """The same of what everybody is told at once: figures, alerts as they change, and those of old on a resume."""
        found = []
        async with AsyncExitStack() as stack:
            feeds: dict[str, Feed] = {}
            for person in SEEN:
                ctx = getattr(self.journey.lender, person)
                line = await stack.enter_async_context(self.sockets.line(ctx))
                feeds[person] = Feed(
                    line, await line.subscribe(FIGURES), await line.subscribe(ALERTS),
                    await line.subscribe(ALERTS, after=cursor_at(ctx, Place(1, NO_ROW))),
                )  # fmt: skip
                await line.quiet()
            await self.stir()
            for person, owners in SEEN.items():
                wanted = {self.loans[owner] for owner in owners}
                for way, seen in (await feeds[person].ways(len(wanted))).items():
                    if seen != (len(wanted) if isinstance(seen, int) else wanted):
                        found.append(f"{person} by {way}")
        return found

    async def stir(self) -> None:
        """Something happens to the alert of each loan."""
        alerts = (await self.journey.by("auditor").data("{ alerts(first: 50) { nodes { id } } }"))["alerts"]["nodes"]
        assert len(alerts) == len(OWNERS)
        collector = global_id("Employee", self.journey.lender.collector.actor.id)
        for alert in alerts:
            given = {"alertId": alert["id"], "employeeId": collector}
            await self.journey.act("risk_officer", "assignAlert", "alert { id }", **given)


@dataclass
class Feed:
    """What one person follows over a socket."""

    line: Line
    figures: Heard
    live: Heard
    resumed: Heard

    async def ways(self, loans: int) -> dict[str, set[str] | int]:
        """What came; waits until there is something about so many loans, and then until nothing more comes."""
        for heard in (self.figures, self.live, self.resumed):
            await self.line.until(heard, loans if heard is not self.figures else 1)
        await self.line.quiet()
        return {
            "figures told": self.figures.events[-1]["statisticsChanged"]["loanCount"],
            "feed": set(_loan_ids(self.live.events)),
            "feed on resume": set(_loan_ids(self.resumed.events)),
        }


FIGURES = "subscription { statisticsChanged { loanCount } }"
ALERTS = "subscription($after: Cursor) { alertRaised(after: $after) { alert { loan { loanId: id } } } }"


THROUGH = {
    "customers": "{ customers(first: 20) { nodes { loans { nodes { loanId: id } } } } }",
    "alerts": "{ alerts(first: 50) { nodes { loan { loanId: id } } } }",
    "disbursements": "{ disbursements(first: 50) { nodes { loan { loanId: id } } } }",
}


def _loan_ids(answer: Any) -> list[str]:
    """All values called loanId, however deep."""
    if isinstance(answer, list):
        return [found for one in answer for found in _loan_ids(one)]
    if isinstance(answer, dict):
        return [
            found for name, value in answer.items() for found in ([value] if name == "loanId" else _loan_ids(value))
        ]
    return []


@pytest.fixture(scope="session")
async def portfolio(new_journey: NewJourney, sockets: Sockets) -> Portfolio:
    journey = await new_journey()
    by_days = {"periodUnit": "DAY", "methods": ["BULLET"], "interestBasis": "ACTUAL_360"}
    paid = [await journey.paid(name, periods=1, method="BULLET", product=by_days) for name in ("甲某", "乙某", "丙某")]
    lender = Neighbour(journey, paid[0], {})
    for name, owner in zip(("甲某", "乙某", "丙某"), OWNERS, strict=True):
        actor = getattr(journey.lender, owner).actor
        whose = f"manager_id = '{actor.id}', department_id = '{actor.department_id}'"
        for table in ("loans", "loan_contracts", "loan_applications"):
            await lender.sql(
                f"update {table} set {whose} where customer_id = (select id from customers where name = '{name}')"
            )
        await lender.sql(f"update customers set {whose} where name = '{name}'")
    # Whoever made an application, or was offered a task about it, goes on seeing it and what became of it.
    await lender.sql("update loan_applications set maker_id = manager_id")
    await lender.sql("delete from task_offers")
    # Every role is told of alerts, so that nothing but the scope keeps one from somebody.
    await lender.sql(f"update warning_rules set recipients = '{json.dumps(['MANAGER', *BUILT_IN])}'")
    await journey.close(CLOSED)
    return Portfolio(journey, {owner: loan.id for owner, loan in zip(OWNERS, paid, strict=True)}, sockets)


async def test_every_way_shows_the_same_loans(portfolio: Portfolio) -> None:
    assert await portfolio.surprises() == []


async def test_a_list_without_scope_is_found_out(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "scope", lambda *_: true())
    found = await portfolio.surprises()
    assert {"account_manager by list", "account_manager by total", "business_manager by search"} | {
        "account_manager by list of a day",
        "account_manager by total of a moment",
    } <= set(found)
    assert "auditor by list" not in found


async def test_a_feed_without_scope_is_found_out(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_warning, "scope", lambda *_: true())
    monkeypatch.setattr(statistics, "scope", lambda *_: true())
    people = ("account_manager", "second_account_manager", "business_manager")
    ways = ("figures told", "feed", "feed on resume")
    assert set(await portfolio.surprises_of_feeds()) == {f"{person} by {way}" for person in people for way in ways}
