"""唤醒 · Wake-ups between processes, over one connection of each process (`xiaodai_app`).

NOTIFY takes a global lock through commit, so it is never sent inside a business transaction: what is rung is
collected for 15 ms and sent as one statement of its own. A wake-up is a hint only; whoever hears none looks for
himself after a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from tenancy.address import driver_arguments

log = logging.getLogger(__name__)

FEED, JOBS = "xd_feed", "xd_jobs"
GATHER_SECONDS = 0.015
RETRY_SECONDS = 1.0
Heard = Callable[[str], None]


class Bell:
    """Rings and listens. `heard` gets the payload (a lender's id), or "" after a reconnect: some may be missed."""

    def __init__(self, app_url: str) -> None:
        self._arguments = driver_arguments(app_url)
        self._listeners: dict[str, list[Heard]] = {}
        self._rung: set[tuple[str, str]] = set()
        self._pressed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def listen(self, channel: str, heard: Heard) -> None:
        """Before `start`."""
        self._listeners.setdefault(channel, []).append(heard)

    def ring(self, channel: str, payload: str) -> None:
        """Costs nothing and never fails; equal wake-ups within 15 ms are one."""
        self._rung.add((channel, payload))
        self._pressed.set()

    async def start(self) -> None:
        """Returns when the first connection listens, or failed: it is tried again every second then."""
        listening = asyncio.Event()
        self._task = asyncio.create_task(self._run(listening), name="bell")
        await listening.wait()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, listening: asyncio.Event) -> None:
        while True:
            connection = None
            try:
                connection = await asyncpg.connect(**self._arguments)
                await self._subscribe(connection)
                listening.set()
                await self._send(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("wake-ups are interrupted: %s", type(error).__name__)
            finally:
                if connection:
                    connection.terminate()
                listening.set()
            await asyncio.sleep(RETRY_SECONDS)

    async def _subscribe(self, connection: asyncpg.Connection) -> None:
        # A connection that breaks while nothing is rung must be noticed as well.
        connection.add_termination_listener(lambda _: self._pressed.set())
        for channel, heard in self._listeners.items():
            await connection.add_listener(channel, partial(_tell, heard))
            _tell(heard)

    async def _send(self, connection: asyncpg.Connection) -> None:
        while not connection.is_closed():
            await self._pressed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._pressed.clear()
            rung, self._rung = self._rung, set()
            if rung and not connection.is_closed():
                channels, payloads = zip(*rung, strict=True)
                await connection.execute(
                    "SELECT pg_notify(c, p) FROM unnest($1::text[], $2::text[]) AS w (c, p)", channels, payloads
                )


def _tell(heard: list[Heard], _connection: Any = None, _pid: int = 0, _channel: str = "", payload: str = "") -> None:
    """The shape the driver calls; without a payload it means: look for yourself."""
    for one in heard:
        one(payload)
