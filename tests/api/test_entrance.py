"""门口 · Tokens that nobody has are counted by address, and from the limit on not looked up; good ones are not kept out."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from domain.kernel.table import uuid7
from tests.live.conftest import on_the_loopback
from tests.live.screens import PROTOCOL
from tests.support.actors import PASSWORD, LenderAtWork
from tests.support.client import Client, an_app, serving, statements
from tests.support.shared_limits import SharedLimitsInMemory
from xiaodai.auth.sessions import Sessions
from xiaodai.http.entrance import Entrance
from xiaodai.http.rates import Rates, TooMany

SIGN_IN = "mutation($i: SignInInput!) { signIn(input: $i) { token userErrors { code } } }"
READ = "{ viewer { employee { name } } }"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
MOST = 20


def made_up(code: str = "alpha") -> str:
    """A token as this lender hands them out, and nobody's."""
    return f"xd_{code}_{secrets.token_urlsafe(32)}"


# ---------------------------------------------------------------- the rule


class Lookups:
    """Sessions that know some tokens and count how often they are asked."""

    def __init__(self, *known: str) -> None:
        self.known, self.asked = set(known), Counter[str]()

    async def resolve(self, token: str) -> Any:
        self.asked[token] += 1
        await asyncio.sleep(0)
        return f"whoever has {token}" if token in self.known else None


class Office:
    """An entrance with a clock that only moves when it is told to."""

    def __init__(self, *known: str) -> None:
        self.now = 1_000.0
        self.lookups = Lookups(*known)
        rates = Rates(SharedLimitsInMemory(self.clock), unknown_tokens_per_second=MOST)
        rates._unknown_tokens._clock = self.clock
        self.entrance = Entrance(self.lookups, rates, self.clock)

    def clock(self) -> float:
        return self.now

    async def come(self, token: str | None, address: str = HERE) -> Any:
        try:
            return await self.entrance.caller(token, address)
        except TooMany:
            return "too many"

    async def flood(self, times: int, address: str = HERE) -> Counter[Any]:
        """So many tokens of nobody's at one moment."""
        return Counter(await asyncio.gather(*(self.come(made_up(), address) for _ in range(times))))


async def test_from_the_limit_on_nothing_is_looked_up() -> None:
    office = Office()
    assert await office.flood(500) == {None: MOST, "too many": 500 - MOST}
    assert office.lookups.asked.total() == MOST
    office.now += 1.001
    assert (await office.flood(500))[None] == MOST


async def test_each_address_has_a_limit_of_its_own() -> None:
    office = Office()
    await office.flood(500)
    assert await office.flood(5, ELSEWHERE) == {None: 5}


async def test_a_token_that_was_good_lately_gets_in_through_a_flood() -> None:
    wang, li = made_up(), made_up()
    office = Office(wang, li)
    assert await office.come(wang) is not None
    await office.flood(500)
    for _ in range(3 * MOST):
        assert await office.come(wang) == f"whoever has {wang}"
    assert await office.come(li) == "too many", "nobody here has seen it yet"
    office.now += 1.001
    assert await office.come(li) == f"whoever has {li}"
    office.now += 600
    await office.flood(500)
    assert await office.come(wang) == "too many", "that was long ago"


async def test_a_token_that_ended_is_strange_again() -> None:
    wang = made_up()
    office = Office(wang)
    await office.come(wang)
    office.lookups.known.clear()
    await office.flood(500)
    assert await office.come(wang) is None
    assert await office.come(wang) == "too many"


async def test_good_tokens_never_count() -> None:
    """A whole office whose server has just been restarted, all at one moment."""
    tokens = [made_up() for _ in range(300)]
    office = Office(*tokens)
    found = await asyncio.gather(*(office.come(token) for token in tokens))
    assert found == [f"whoever has {token}" for token in tokens]
    assert await office.flood(MOST) == {None: MOST}


async def test_what_cannot_be_a_token_costs_nothing_and_is_not_counted() -> None:
    office = Office()
    assert {await office.come("nonsense") for _ in range(100)} == {None}
    assert await office.come(None) is None
    assert await office.flood(MOST) == {None: MOST}


# ---------------------------------------------------------------- through the application


FEW = 2
"""So few that the slowest machine reaches it."""


def app_of(lender: LenderAtWork, most: int = FEW) -> Starlette:
    sessions: Any = Sessions(lender.platform.catalog, lender.platform.door)
    return an_app(lender.ports, sessions, catalog=lender.platform.catalog, unknown_tokens_per_second=most)


async def signed_in(http: httpx.AsyncClient, lender: LenderAtWork) -> str:
    given = {"tenant": lender.lender.code, "username": "cashier", "password": PASSWORD}
    return str((await Client(http).run(SIGN_IN, i=given))["token"])


async def flooded(http: httpx.AsyncClient, code: str, times: int) -> Counter[int]:
    """The statuses of so many requests, one after the other."""
    answers = [await Client(http, made_up(code)).ask(READ) for _ in range(times)]
    assert {(one.status, *one.codes) for one in answers} <= {(401, "UNAUTHENTICATED"), (429, "RATE_LIMITED")}
    return Counter(one.status for one in answers)


async def a_file(http: httpx.AsyncClient, token: str) -> httpx.Response:
    return await http.get(f"/documents/{uuid7()}", headers={"authorization": f"Bearer {token}"})


async def test_a_flood_does_not_reach_the_lenders_door(lender: LenderAtWork) -> None:
    code = lender.lender.code
    async with serving(app_of(lender)) as http:
        wang = Client(http, await signed_in(http, lender))
        assert (await wang.ask(READ)).status == 200
        began = time.monotonic()
        with statements() as sent:
            found = await flooded(http, code, 150)
        seconds = int(time.monotonic() - began) + 2
        looked_up = sum("sessions" in statement for statement in sent)
        assert 0 < looked_up == found[401] <= seconds * FEW
        assert found[429] > 0
        assert (await wang.ask(READ)).status == 200, "who works here goes on"
        files = await asyncio.gather(*(a_file(http, made_up(code)) for _ in range(20)))
        assert {(one.status_code, one.headers.get("retry-after")) for one in files} >= {(429, "1")}
        await asyncio.sleep(1.1)
        li = Client(http, await signed_in(http, lender))
        assert (await li.ask(READ)).status == 200


async def test_without_the_limit_every_token_is_looked_up(lender: LenderAtWork) -> None:
    """The control of the test above."""
    async with serving(app_of(lender, most=100_000)) as http:
        with statements() as sent:
            assert await flooded(http, lender.lender.code, 150) == {401: 150}
    assert sum("sessions" in statement for statement in sent) == 150


async def closed_with(port: int, token: str) -> int | None:
    async with connect(f"ws://127.0.0.1:{port}/graphql", proxy=None, subprotocols=[PROTOCOL]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        return socket.close_code


async def test_sockets_come_in_by_the_same_entrance(lender: LenderAtWork) -> None:
    async with on_the_loopback(app_of(lender)) as port:
        codes = await asyncio.gather(*(closed_with(port, made_up(lender.lender.code)) for _ in range(40)))
    assert set(codes) == {4403, 4429}
