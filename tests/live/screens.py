"""Screens: clients of the sockets as a front end has them. They subscribe, remember their cursor, and may be cut off."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PROTOCOL = Subprotocol("graphql-transport-ws")
SETTLE_SECONDS = 0.3  # the protocol does not say when a subscription has begun

TASKS = """subscription ($after: Cursor) { pendingTaskChanged(after: $after) {
  cursor change pendingCount task { id type state title } } }"""
CROWDED = """subscription { pendingTaskChanged { cursor change task { id subject { id } customer { id } } } }"""
ALERTS = """subscription ($after: Cursor, $minLevel: AlertLevel) { alertRaised(after: $after, minLevel: $minLevel) {
  cursor change alert { id rule level state loan { number } } } }"""
MESSAGES = """subscription ($after: Cursor) { messageReceived(after: $after) {
  cursor unreadCount message { id category title body readAt } } }"""
STATISTICS = """subscription ($filter: StatisticsFilter) { statisticsChanged(filter: $filter) {
  on loanCount outstanding collectedToday pendingTaskCount } }"""


class Refused(Exception):
    """The subscription ended with an error; `extensions` are those of the first one."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.extensions = errors[0]["extensions"]

    @property
    def code(self) -> str:
        return str(self.extensions["code"])


class Screen:
    """One subscription on a socket of its own."""

    _names = itertools.count(1)

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def subscribe(self, document: str, **variables: Any) -> None:
        name = f"s{next(self._names)}"
        await self._say(type="subscribe", id=name, payload={"query": document, "variables": variables})

    async def hear(self, seconds: float = 30) -> Any:
        """The next event. Raises Refused, and TimeoutError where none comes."""
        async with asyncio.timeout(seconds):
            while True:
                message = json.loads(await self.socket.recv())
                if message["type"] == "error":
                    raise Refused(message["payload"])
                if message["type"] == "next":
                    assert "errors" not in message["payload"], message
                    (event,) = message["payload"]["data"].values()
                    return event

    async def silent(self, seconds: float = 0.5) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.hear(seconds)
        except TimeoutError:
            return True
        return False

    async def _say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))


@asynccontextmanager
async def a_socket(port: int, token: str) -> AsyncIterator[Screen]:
    """A socket that is signed in."""
    url = f"ws://127.0.0.1:{port}/graphql"
    async with connect(url, proxy=None, subprotocols=[PROTOCOL], close_timeout=1) as socket:
        screen = Screen(socket)
        await screen._say(type="connection_init", payload={"authorization": f"Bearer {token}"})
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        yield screen


@asynccontextmanager
async def watching(
    port: int, token: str, document: str, settle: float = SETTLE_SECONDS, **variables: Any
) -> AsyncIterator[Screen]:
    """A screen whose subscription has begun."""
    async with a_socket(port, token) as screen:
        await screen.subscribe(document, **variables)
        await asyncio.sleep(settle)
        yield screen
