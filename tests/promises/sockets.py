"""Subscriptions over real sockets, told apart by what comes: an event, an error, or nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection

from domain.kernel.context import Context
from tests.live.screens import a_socket
from tests.support.client import KnownPeople

SOON = 20.0
QUIET = 0.6
_names = itertools.count(1)


@dataclass
class Heard:
    """What one subscription got so far: data of events, then perhaps the errors that ended it."""

    events: list[Any] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


class Line:
    """One socket of one person, with any number of subscriptions on it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._heard: dict[str, Heard] = {}
        self._came = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def subscribe(self, document: str, **variables: Any) -> Heard:
        name = f"p{next(_names)}"
        self._heard[name] = heard = Heard()
        await self._say(type="subscribe", id=name, payload={"query": document, "variables": variables})
        return heard

    async def leave(self) -> None:
        """Ends all subscriptions of this line."""
        for name in self._heard:
            await self._say(type="complete", id=name)

    async def until(self, heard: Heard, count: int) -> bool:
        """Whether so many events come soon, or an error."""
        try:
            async with asyncio.timeout(SOON):
                while len(heard.events) < count and not heard.errors:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return False
        return len(heard.events) >= count

    async def quiet(self, seconds: float = QUIET) -> None:
        """Until nothing has come for a while."""
        while True:
            self._came.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._came.wait()
            except TimeoutError:
                return

    async def answers(self) -> bool:
        """Whether the socket is still served."""
        waiter = await self._socket.ping()
        async with asyncio.timeout(SOON):
            await waiter
        return not self._reading.done()

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            heard = self._heard.get(message.get("id", ""))
            if heard is not None and message["type"] == "next":
                assert "errors" not in message["payload"], message
                heard.events.append(message["payload"]["data"])
            elif heard is not None and message["type"] == "error":
                heard.errors += message["payload"]
            self._came.set()

    async def _say(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))


@dataclass
class Sockets:
    """Where sockets are served, for anybody who is introduced."""

    port: int
    people: KnownPeople

    @asynccontextmanager
    async def line(self, ctx: Context) -> AsyncIterator[Line]:
        """A socket of the person that a context stands for."""
        token = self.people.introduce(f"line.{next(_names)}", ctx)
        async with a_socket(self.port, token) as screen:
            line = Line(screen.socket)
            try:
                yield line
            finally:
                await line.close()
