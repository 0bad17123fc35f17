"""套接字 · GraphQL over WebSocket, protocol `graphql-transport-ws` only: who may connect, and how long they stay.

Every few seconds the tokens of all open sockets are looked at again, so a session that ended closes its sockets on every
worker. What one socket asks is in `conversation.py`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog
from starlette.websockets import WebSocket

from resolvers.kernel.operation import Caller
from tenancy.shared_limits import Places
from xiaodai.http.answering import Answering
from xiaodai.http.conversation import Conversation, Hangup
from xiaodai.http.entrance import Entrance
from xiaodai.http.places import SocketPlaces
from xiaodai.http.rates import Rates
from xiaodai.http.visitor import Sessions, visit
from xiaodai.observability import OPEN_SOCKETS

log = structlog.get_logger(__name__)

PROTOCOL = "graphql-transport-ws"
NOT_ACCEPTABLE, FORBIDDEN, TOO_MANY, GOING_AWAY = 4406, 4403, 4429, 1001
EVENTS_AT_ONCE = 4  # an event that a thousand sockets follow must not take all connections from requests


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """`places` holds over all processes, the rest for each socket."""

    frame_bytes: int = 262_144
    places: Places = field(default_factory=Places)
    subscriptions: int = 20
    init_seconds: float = 10.0
    recheck_seconds: float = 2.0


class Sockets:
    """All open sockets of one process. `public_host` is the host people use when a proxy stands before the server."""

    def __init__(
        self,
        answering: Answering,
        sessions: Sessions,
        entrance: Entrance,
        rates: Rates,
        places: SocketPlaces,
        limits: SocketLimits,
        *,
        public_host: str | None = None,
    ) -> None:
        self.answering, self.entrance, self.rates, self.limits = answering, entrance, rates, limits
        self._sessions = sessions
        self._places = places
        self._public_host = public_host
        self.showing = asyncio.Semaphore(EVENTS_AT_ONCE)
        self._open: dict[Conversation, str] = {}
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, websocket: WebSocket) -> None:
        if not self._from_here(websocket):
            await websocket.close()  # before it is accepted: the browser gets 403
            return
        if PROTOCOL not in websocket.scope.get("subprotocols", []):
            await websocket.accept()
            await websocket.close(NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        conversation = Conversation(websocket, visit(websocket), self)
        OPEN_SOCKETS.inc()
        try:
            await conversation.run()
        finally:
            self._open.pop(conversation, None)
            OPEN_SOCKETS.dec()
            await self._places.give_back(conversation.id)

    async def register(self, conversation: Conversation, token: str, caller: Caller) -> None:
        """A socket whose token was good. Raises Hangup when the person, or the lender, has enough of them."""
        if not await self._places.take(conversation.id, caller, self.limits.places):
            raise Hangup(TOO_MANY, "Too many sockets")
        self._open[conversation] = token
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._recheck(), name="sockets")

    async def close(self) -> None:
        """The process ends: clients connect again elsewhere."""
        if self._watch:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        for conversation in list(self._open):
            await conversation.hang_up(Hangup(GOING_AWAY, "Going away"))
        await self._places.end()

    async def _recheck(self) -> None:
        while self._open:
            await asyncio.sleep(self.limits.recheck_seconds)
            for token in set(self._open.values()):
                try:
                    caller = await self._sessions.resolve(token)
                except Exception as error:
                    log.warning("a socket's session could not be checked", error=type(error).__name__)
                    continue
                await self._tell(token, caller)

    async def _tell(self, token: str, caller: Caller | None) -> None:
        for conversation in [conversation for conversation, held in self._open.items() if held == token]:
            if caller is None:
                await conversation.hang_up(Hangup(FORBIDDEN, "Forbidden"))
            else:
                conversation.become(caller)

    def _from_here(self, websocket: WebSocket) -> bool:
        """Browsers say which page opens a socket; a page of somebody else's may not. Programs say nothing."""
        origin = websocket.headers.get("origin")
        if origin is None:
            return True
        host = urlsplit(origin).netloc.lower()
        return bool(host) and host in (websocket.headers.get("host", "").lower(), self._public_host)
