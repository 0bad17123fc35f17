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
LIMIT = 40  # requests a second, fewer than this machine answers; so a share is five
SHARE = LIMIT // SHARES
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


async def test_requests_of_one_person(place: Platform, lender: LenderAtWork, tmp_path: Path) -> None:
    """Each process alone would let all of its half through."""
    with processes(place, tmp_path, 2, requests_per_second=LIMIT) as pair:
        token = await sign_in(pair[0], lender)
        async with pair[0].client() as first, pair[1].client() as second:
            await asyncio.gather(ask(first, token), ask(second, token))
            await asyncio.sleep(1.1)
            begun = time.monotonic()
            asked = [ask((first, second)[number % 2], token) for number in range(2 * LIMIT - 10)]
            answers = await asyncio.gather(*asked)
            seconds = 1 + int(time.monotonic() - begun)
            got = Counter(answer.status_code for answer in answers)
            assert LIMIT <= got[200] <= seconds * (LIMIT + 2 * SHARE), got
            assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"1"}
            await asyncio.sleep(1.1)
            for _ in range(3):
                again = await asyncio.gather(*(ask(http, token) for http in (first, second) for _ in range(LIMIT // 2)))
                assert {answer.status_code for answer in again} == {200}
                await asyncio.sleep(1.1)


async def test_requests_of_one_lender(place: Platform, lender: LenderAtWork, tmp_path: Path) -> None:
    with processes(place, tmp_path, 2, lender_requests_per_second=LIMIT) as pair:
        tokens = [await sign_in(pair[0], lender, name) for name in ("cashier", "accountant", "account_manager")]
        async with pair[0].client() as first, pair[1].client() as second:
            await asyncio.sleep(1.1)
            begun = time.monotonic()
            asked = [ask((first, second)[number % 2], tokens[number % 3]) for number in range(2 * LIMIT - 10)]
            got = Counter(answer.status_code for answer in await asyncio.gather(*asked))
            seconds = 1 + int(time.monotonic() - begun)
    assert LIMIT <= got[200] <= seconds * (LIMIT + 2 * SHARE), got


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


async def test_a_killed_process_frees_its_places(place: Platform, lender: LenderAtWork, tmp_path: Path) -> None:
    with processes(place, tmp_path, 2) as (lives, dies):
        token = await sign_in(lives, lender)
        async with AsyncExitStack() as opened:
            for _ in range(5):
                await opened.enter_async_context(socket(dies, token))
            assert await is_full(lives, token)
            dies.kill()
            killed_at = time.monotonic()
            assert await is_full(lives, token), "nobody knows of it yet"
            while await is_full(lives, token):
                assert time.monotonic() - killed_at < 15
                await asyncio.sleep(0.5)


async def test_a_process_that_ends_in_order_frees_them_at_once(
    place: Platform, lender: LenderAtWork, tmp_path: Path
) -> None:
    with processes(place, tmp_path, 2) as (lives, ends):
        token = await sign_in(lives, lender)
        async with AsyncExitStack() as opened:
            for _ in range(5):
                await opened.enter_async_context(socket(ends, token))
            ends.running.terminate()
            await asyncio.to_thread(ends.running.wait, 12)
        assert not await is_full(lives, token)
