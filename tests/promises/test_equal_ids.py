"""同号 · Nothing kept between requests mixes two lenders up, even when all of their rows bear the same ids (promise T3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from resolvers.kernel.operation import Operation
from tenancy.naming import quote
from tests.promises.conftest import NewJourney
from tests.promises.neighbours import TABLES, Neighbour, almighty
from tests.support.actors import LenderAtWork
from tests.support.client import Client, KnownPeople, an_app, serving
from tests.support.database import sql

REQUESTS = 100
QUESTIONS = (
    "query($loan: ID!) { loan(id: $loan) { id number customer { id name } product { name } } }",
    "query($customer: ID!) { node(id: $customer) { ... on Customer { id name loans { nodes { number } } } } }",
    "{ customers(first: 50) { nodes { id name manager { name } } totalCount } loans { nodes { id customer { name } } } }",
)


@dataclass
class Twins:
    """Somebody at each of two lenders, asking one server that has one connection to the database."""

    clients: tuple[Client, Client]
    variables: dict[str, str]

    async def ask(self, who: int, question: str) -> Any:
        return await self.clients[who].data(
            question, **{name: key for name, key in self.variables.items() if f"${name}" in question}
        )

    async def mixed_up(self) -> int:
        """How many of many interleaved requests get another answer than when each lender asks alone."""
        alone = [[await self.ask(who, question) for question in QUESTIONS] for who in (0, 1)]
        assert all("乙" in str(answer) for answer in alone[1])
        assert not any("乙" in str(answer) for answer in alone[0])
        asked = [(number % 2, number // 2 % len(QUESTIONS)) for number in range(REQUESTS)]
        answers = await asyncio.gather(*(self.ask(who, QUESTIONS[which]) for who, which in asked))
        return sum(answer != alone[who][which] for (who, which), answer in zip(asked, answers, strict=True))


async def copied(original: Neighbour, new_journey: NewJourney) -> LenderAtWork:
    """A lender with all rows of another, ids included; its names begin with 乙."""
    twin = (await new_journey()).lender
    ours, theirs = quote(original.lender.lender.schema), quote(twin.lender.schema)
    tables = [row[0] for row in await original.sql(TABLES.format(schema=original.lender.lender.schema))]
    copies = [f"insert into {theirs}.{quote(name)} select * from {ours}.{quote(name)};" for name in tables]
    emptied = ", ".join(f"{theirs}.{quote(name)}" for name in tables)
    marked = [
        f"update {theirs}.{name} set name = '乙' || name;" for name in ("customers", "employees", "loan_products")
    ]
    sql(
        original.lender.platform.addresses,
        f"set session_replication_role = replica; truncate {emptied}; {' '.join(copies + marked)}"
        f"update {theirs}.loans set number = '乙' || number;",
    )
    return twin


@pytest.fixture
async def twins(here: Neighbour, new_journey: NewJourney) -> AsyncIterator[Twins]:
    twin = await copied(here, new_journey)
    door = here.lender.platform.new_door(cap=1, patience_seconds=60)
    people = KnownPeople()
    first = almighty(here.lender, here.lender.account_manager)
    tokens = [people.introduce("first", first), people.introduce("second", replace(first, lender=twin.lender))]
    limits = {"requests_per_second": 100_000, "concurrent_operations": 200}
    app = an_app(replace(here.lender.ports, door=door), people, catalog=here.lender.platform.catalog, **limits)
    async with serving(app) as http:
        clients = (Client(http, tokens[0]), Client(http, tokens[1]))
        yield Twins(clients, {"loan": here.loan.id, "customer": here.loan.customer})
    await door.close()


async def test_each_gets_its_own_answer(twins: Twins) -> None:
    assert await twins.mixed_up() == 0


async def test_a_cache_by_row_is_found_out(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[Any, Any] = {}
    load = Operation.load

    def remembering(self: Operation, relation: str, key: Any, arguments: dict[str, Any]) -> Any:
        place = (relation, key, repr(arguments), self.actor.id)
        kept[place] = kept.get(place) or asyncio.ensure_future(load(self, relation, key, arguments))
        return kept[place]

    monkeypatch.setattr(Operation, "load", remembering)
    await twins.ask(0, QUESTIONS[2])
    found = await twins.ask(1, QUESTIONS[2])
    assert any("乙" not in loan["customer"]["name"] for loan in found["loans"]["nodes"])
