"""Two API processes as `serve` starts them, and a client whose socket is cut 200 times: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from websockets.exceptions import WebSocketException

from domain.home.message import SENT, Message, MessageCategory
from domain.kernel.context import Context
from domain.kernel.table import uuid7
from schema.kernel.node import global_id
from tests.live.conftest import Process, ringing
from tests.live.screens import MESSAGES, TASKS, a_socket, watching
from tests.support.actors import PASSWORD, LenderAtWork
from tests.support.lenders import MASTER_SECRET, Platform
from tests.support.lending import a_draft
from xiaodai import api_process
from xiaodai.settings import REPOSITORY

KILLS = 200
SIGN_IN = """mutation ($input: SignInInput!) { signIn(input: $input) { token userErrors { code } } }"""


@pytest.fixture(scope="module")
def ports_of_two(place: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Two processes that answer requests, on a port each, over the database of the tests."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "XIAODAI_HOME": str(tmp_path_factory.mktemp("home")),
        "XIAODAI_DATABASE_URL": place.addresses.app,
        "XIAODAI_MASTER_SECRET": MASTER_SECRET.decode(),
        "XIAODAI_PERSONAL_DATA_KEY": "a key for personal data that is used by tests only",
        "XIAODAI_INSTALLATION": place.installation,
        "XIAODAI_LOG_LEVEL": "ERROR",
    }
    processes = [
        subprocess.Popen(api_process.command(one), env=environment, pass_fds=[one.fileno()]) for one in listeners
    ]
    ports = [one.getsockname()[1] for one in listeners]
    try:
        for port in ports:  # the sockets are open already, so this waits until somebody answers
            assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=90).status_code == 200
        yield ports
    finally:
        for process in processes:
            process.terminate()
        for process, listener in zip(processes, listeners, strict=True):
            process.wait(15)
            listener.close()


async def sign_in(port: int, lender: LenderAtWork, name: str) -> str:
    wanted = {"tenant": lender.lender.code, "username": name, "password": PASSWORD}
    async with httpx.AsyncClient() as client:
        asked = {"query": SIGN_IN, "variables": {"input": wanted}}
        answer = (await client.post(f"http://127.0.0.1:{port}/graphql", json=asked)).json()
    return str(answer["data"]["signIn"]["token"])


class Writers:
    """Several transactions at once, of different lengths, some of which are rolled back."""

    def __init__(self, ctx: Context, recipient: Context) -> None:
        self._ctx, self._recipient = ctx, recipient.actor.id
        self.committed: list[str] = []
        self.stopped = False

    async def run(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.stopped:
            ids = [uuid7() for _ in range(chance.randint(1, 3))]
            with suppress(ZeroDivisionError):
                async with self._ctx.writing() as ctx:
                    for key in ids:
                        await ctx.connection.execute(insert(Message).values(**self._values(ctx, key)))
                        ctx.announce(SENT, Message(id=key), recipient_id=self._recipient)
                    await asyncio.sleep(chance.random() / 20)
                    if chance.random() < 0.2:
                        raise ZeroDivisionError
                self.committed += [global_id("Message", key) for key in ids]
            await asyncio.sleep(chance.random() / 10)

    def _values(self, ctx: Context, key: Any) -> dict[str, Any]:
        return {
            "id": key, "created_at": ctx.now, "recipient_id": self._recipient, "category": MessageCategory.SYSTEM,
            "title": "–", "body": "–", "subject_table": "employees", "subject_id": self._recipient,
        }  # fmt: skip


class Client:
    """Remembers what it saw and its cursor, as a front end does."""

    def __init__(self, ports: list[int], token: str) -> None:
        self._ports, self._token = ports, token
        self.seen: list[str] = []
        self.cursor: str | None = None
        self.kills = 0

    async def watch(self, seconds: float, until: int | None = None) -> None:
        """One socket at a random process, for a while or until so much was seen; then it is cut without a goodbye."""
        with suppress(TimeoutError, WebSocketException, OSError):
            async with asyncio.timeout(seconds):
                async with a_socket(random.choice(self._ports), self._token) as screen:
                    try:
                        await screen.subscribe(MESSAGES, after=self.cursor)
                        while until is None or len(self.seen) < until:
                            event = await screen.hear()
                            self.seen.append(event["message"]["id"])
                            self.cursor = event["cursor"]
                    finally:
                        screen.socket.transport.abort()
                        self.kills += 1


async def test_two_hundred_kills(lender: LenderAtWork, process: Process, ports_of_two: list[int]) -> None:
    token = await sign_in(ports_of_two[0], lender, "account_manager")
    client = Client(ports_of_two, token)
    writers = Writers(ringing(lender, process), lender.account_manager)
    # Before the first event there is no cursor: begin with one that is whole.
    async with watching(ports_of_two[0], token, MESSAGES) as screen:
        writing = [asyncio.create_task(writers.run(seed)) for seed in range(4)]
        first = await screen.hear()
        client.seen.append(first["message"]["id"])
        client.cursor = first["cursor"]
    while client.kills < KILLS:
        await client.watch(0.02 + random.random() / 5)
    writers.stopped = True
    await asyncio.gather(*writing)
    for _ in range(20):
        await client.watch(5, until=len(writers.committed))
        if len(client.seen) >= len(writers.committed):
            break
    assert len(client.seen) == len(set(client.seen)), "doubled"
    assert set(client.seen) == set(writers.committed), "lost"
    assert len(writers.committed) > KILLS


async def test_what_one_process_writes_the_other_shows(lender: LenderAtWork, ports_of_two: list[int]) -> None:
    one, other = ports_of_two
    boss, maker = [await sign_in(one, lender, name) for name in ("business_manager", "account_manager")]
    waiting = await drafts(lender)
    async with watching(other, boss, TASKS) as screen:
        for key in waiting:
            async with httpx.AsyncClient(headers={"authorization": f"Bearer {maker}"}) as client:
                asked = {
                    "query": """mutation ($input: LoanApplicationActionInput!) {
                      submitLoanApplication(input: $input) { userErrors { code message } } }""",
                    "variables": {"input": {"applicationId": global_id("LoanApplication", key)}},
                }
                answer = (await client.post(f"http://127.0.0.1:{one}/graphql", json=asked)).json()
                assert answer["data"]["submitLoanApplication"] == {"userErrors": []}, answer
            assert (await screen.hear())["change"] == "ADDED"


async def drafts(lender: LenderAtWork) -> list[Any]:
    first = await a_draft(lender)
    again = {"customer_id": first.customer_id, "product_id": first.product_id}
    return [first.id, *[(await a_draft(lender, **again)).id for _ in range(4)]]
