"""Limits hold over all processes, and nobody under them is refused, whichever process they reach."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.api.processes import Process, processes
from tests.support.actors import PASSWORD, LenderAtWork
from tests.support.client import Client
from tests.support.lenders import Platform
from xiaodai.http.rates import SHARES

SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }"
LIMIT = 40  # requests a second, fewer than this machine answers
_addresses = (f"127.1.{number // 250}.{number % 250 + 1}" for number in itertools.count())


@pytest.fixture(scope="module")
def two(place: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Process]]:
    """Two processes of one server, with the default limits."""
    with processes(place, tmp_path_factory.mktemp("home"), 2) as started:
        yield started


async def sign_in(process: Process, lender: LenderAtWork, name: str = "cashier", address: str = "127.0.0.1") -> str:
    async with process.client(address) as http:
        wanted = {"tenant": lender.lender.code, "username": name, "password": PASSWORD}
        payload = await Client(http).run(SIGN_IN, input=wanted)
    return str(payload["token"])


async def test_sign_ins_from_one_address(two: list[Process], lender: LenderAtWork) -> None:
    """25 in a row are no trouble; after 60 tries, at whichever process, the address has to wait and others do not."""
    address = next(_addresses)
    for number in range(25):
        await sign_in(two[number % 2], lender, address=address)
    nobody = {"tenant": lender.lender.code, "username": "nobody", "password": PASSWORD}
    async with two[0].client(address) as first, two[1].client(address) as second:
        tries = [Client((first, second)[number % 2]).ask(SIGN_IN, input=nobody) for number in range(40)]
        answers = [await one for one in tries]
    assert Counter(answer.status for answer in answers) == {200: 35, 429: 5}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    await sign_in(two[0], lender, address=next(_addresses))


@pytest.fixture(scope="module")
def slow(place: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Process]]:
    """Two processes with so few requests a second that this machine could answer more."""
    limits = {"requests_per_second": LIMIT, "lender_requests_per_second": LIMIT + 10}
    with processes(place, tmp_path_factory.mktemp("home"), 2, **limits) as started:
        yield started


async def test_requests_of_one_person(slow: list[Process], lender: LenderAtWork) -> None:
    """Each process alone would let all of its half through."""
    token = await sign_in(slow[0], lender, address=next(_addresses))
    async with slow[0].client() as first, slow[1].client() as second:
        await crowd([first, second], [token], 2)
        passed, refused, limit = await crowd([first, second], [token], 2 * LIMIT - 10)
        assert LIMIT <= passed <= limit
        assert refused == (
            {"1"} if passed < 2 * LIMIT - 10 else set()
        )  # on a slow machine it took longer than a second
        for _ in range(3):
            assert (await crowd([first, second], [token], LIMIT))[0] == LIMIT, "nobody under the limit is refused"


async def test_requests_of_one_lender(slow: list[Process], lender: LenderAtWork) -> None:
    """No person alone asks too often."""
    names = ("cashier", "accountant", "account_manager")
    tokens = [await sign_in(slow[0], lender, name, next(_addresses)) for name in names]
    async with slow[0].client() as first, slow[1].client() as second:
        passed, _, limit = await crowd([first, second], tokens, 2 * LIMIT + 10, LIMIT + 10)
    assert LIMIT + 10 <= passed <= limit


async def crowd(
    clients: list[httpx.AsyncClient], tokens: list[str], requests: int, most: int = LIMIT
) -> tuple[int, set[str], int]:
    """So many requests at once, in a second of their own: how many passed, how long the others are to wait, and how many
    may pass in the time it took."""
    await asyncio.sleep(1.1)
    begun = time.monotonic()
    asked = [ask(clients[number % len(clients)], tokens[number % len(tokens)]) for number in range(requests)]
    answers = await asyncio.gather(*asked)
    seconds = 1 + int(time.monotonic() - begun)
    waits = {answer.headers["retry-after"] for answer in answers if answer.status_code == 429}
    passed = sum(answer.status_code == 200 for answer in answers)
    return passed, waits, seconds * (most + 2 * (most // SHARES))


async def ask(http: httpx.AsyncClient, token: str) -> httpx.Response:
    return await http.post(
        "/graphql", json={"query": "{ viewer { businessDate } }"}, headers={"authorization": f"Bearer {token}"}
    )


@asynccontextmanager
async def socket(process: Process, token: str) -> AsyncIterator[ClientConnection]:
    """A socket whose place was granted. Raises ConnectionClosed where it was not."""
    subprotocol = Subprotocol("graphql-transport-ws")
    async with connect(f"ws://127.0.0.1:{process.port}/graphql", proxy=None, subprotocols=[subprotocol]) as opened:
        await opened.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        assert json.loads(await opened.recv()) == {"type": "connection_ack"}
        yield opened


async def is_full(process: Process, token: str) -> bool:
    closed_with = None
    try:
        async with socket(process, token):
            pass
    except ConnectionClosed as closed:
        closed_with = closed.rcvd.code if closed.rcvd else 0
    assert closed_with in (None, 4429)
    return closed_with == 4429


async def test_five_sockets_of_one_person(two: list[Process], lender: LenderAtWork) -> None:
    token = await sign_in(two[0], lender, address=next(_addresses))
    other = await sign_in(two[0], lender, "accountant", address=next(_addresses))
    async with AsyncExitStack() as opened:
        for number in range(4):
            await opened.enter_async_context(socket(two[number % 2], token))
        async with socket(two[0], token):
            assert await is_full(two[0], token)
            assert await is_full(two[1], token)
            assert not await is_full(two[1], other)
        async with asyncio.timeout(5):  # the place of the one that was closed
            while await is_full(two[1], token):
                pass


async def test_places_of_processes_that_are_gone(
    two: list[Process], place: Platform, lender: LenderAtWork, tmp_path: Path
) -> None:
    """One that ends in order frees them at once; one that is killed, within 15 s."""
    here, token = two[0], await sign_in(two[0], lender, address=next(_addresses))
    with processes(place, tmp_path, 2) as (ends, dies):
        async with AsyncExitStack() as opened:
            for process in (ends, dies, dies, dies, dies):
                await opened.enter_async_context(socket(process, token))
            assert await is_full(here, token)
            ends.running.terminate()
            await asyncio.to_thread(ends.running.wait, 12)
            await opened.enter_async_context(socket(here, token))
            dies.kill()
            killed_at = time.monotonic()
            assert await is_full(here, token), "nobody knows of it yet"
            while await is_full(here, token):
                assert time.monotonic() - killed_at < 15
                await asyncio.sleep(0.5)
