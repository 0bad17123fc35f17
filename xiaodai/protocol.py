"""半截请求 · uvicorn waits for ever for the rest of a request; this protocol cuts the connection instead."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from xiaodai.settings import get_settings

BYTES_PER_SECOND = 65_536  # the least pace of an upload


def receive_seconds() -> float:
    """How long a request may take to arrive."""
    return get_settings().receive_seconds


class GuardedHttpProtocol(HttpToolsProtocol):
    """A request must have arrived whole `receive_seconds` after its connection was made or its first byte came; a long body
    gets the time that it needs at a modest pace."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = receive_seconds()
        self._began, self._got = 0.0, 0
        self._cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._got += len(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arrived()

    def handle_websocket_upgrade(self) -> None:
        self._arrived()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._cut is None:
            self._began, self._got = self.loop.time(), 0
            self._cut = self.loop.call_later(self._patience, self._look)

    def _look(self) -> None:
        left = self._began + self._patience + self._got / BYTES_PER_SECOND - self.loop.time()
        if left > 0.01:
            self._cut = self.loop.call_later(left, self._look)
        else:
            self.transport.abort()

    def _arrived(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
