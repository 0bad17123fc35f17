"""对话 · One socket: its messages in and out, and the operations it runs (graphql-transport-ws)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from graphql import ExecutionResult, OperationType
from graphql.execution import Executor, create_source_event_stream
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from domain.kernel.context import Request
from domain.kernel.refusals import Denied, Unauthenticated
from resolvers.kernel.operation import Caller, Operation
from tenancy.current import Overloaded
from xiaodai.http.answering import Asked, refusal, shown
from xiaodai.http.documents import Malformed, Runnable
from xiaodai.http.endpoint import BadRequest, asked, read_json, to_bytes
from xiaodai.http.errors import code_of, plain_error
from xiaodai.http.limits import TooComplex
from xiaodai.http.rates import TooMany
from xiaodai.http.visitor import bearer

if TYPE_CHECKING:
    from xiaodai.http.socket import Sockets

log = structlog.get_logger(__name__)

INVALID, UNAUTHORIZED, FORBIDDEN, INIT_TIMEOUT = 4400, 4401, 4403, 4408
DUPLICATE_ID, TOO_MANY_INITS, TOO_MANY_REQUESTS, TOO_BIG = 4409, 4429, 4429, 1009


class Hangup(Exception):
    """The socket is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Conversation:
    """Reads in one task; each running operation is a task of its own."""

    def __init__(self, websocket: WebSocket, visitor: Request, sockets: Sockets) -> None:
        self.id = uuid4()
        self._websocket, self._visitor, self._sockets = websocket, visitor, sockets
        self._running: dict[str, asyncio.Task[None]] = {}
        self._streams: set[Operation] = set()
        self.caller: Caller | None = None

    async def run(self) -> None:
        """Until either side closes."""
        try:
            try:
                async with asyncio.timeout(self._sockets.limits.init_seconds):
                    await self._begin()
            except TimeoutError:
                raise Hangup(INIT_TIMEOUT, "Connection initialisation timeout") from None
            while True:
                await self._hear(await self._receive())
        except WebSocketDisconnect:
            pass
        except Hangup as reason:
            await self.hang_up(reason)
        finally:
            await self._stop()

    def become(self, caller: Caller) -> None:
        """The same person with the permissions in force now; subscriptions that run go on with these."""
        self.caller = caller
        for operation in self._streams:
            operation.become(caller)

    async def hang_up(self, reason: Hangup) -> None:
        """Closes the socket; `run` ends by itself."""
        if self._websocket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._websocket.close(reason.code, reason.reason)

    async def _receive(self) -> dict[str, Any]:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1000)
        text = message.get("text")
        if not isinstance(text, str):
            raise Hangup(INVALID, "Invalid message")
        frame = text.encode(errors="surrogatepass")
        if len(frame) > self._sockets.limits.frame_bytes:
            raise Hangup(TOO_BIG, "Message too big")
        try:
            found = read_json(frame)
        except BadRequest:
            raise Hangup(INVALID, "Invalid message") from None
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            raise Hangup(INVALID, "Invalid message")
        return found

    async def _begin(self) -> None:
        """The first message but pings must be connection_init with a good token."""
        while True:
            message = await self._receive()
            if message["type"] == "connection_init":
                break
            if message["type"] == "subscribe":
                raise Hangup(UNAUTHORIZED, "Unauthorized")
            await self._hear(message)
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise Hangup(INVALID, "Invalid message")
        given = [value for name, value in payload.items() if name.lower() == "authorization"]
        token = bearer(given[0]) if given and isinstance(given[0], str) else None
        if token is None:
            raise Hangup(UNAUTHORIZED, "Unauthorized")
        try:
            caller = await self._sockets.entrance.caller(token, self._visitor.ip)
        except TooMany:
            raise Hangup(TOO_MANY_REQUESTS, "Too many requests") from None
        if caller is None:
            raise Hangup(FORBIDDEN, "Forbidden")
        self.caller = caller
        await self._sockets.register(self, token, caller)
        await self._say({"type": "connection_ack"})

    async def _hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "ping":
            await self._say({"type": "pong"})
        elif kind == "complete" and isinstance(message.get("id"), str):
            task = self._running.pop(message["id"], None)
            if task is not None:
                task.cancel()
        elif kind == "subscribe":
            await self._subscribe(message)
        elif kind == "connection_init":
            raise Hangup(TOO_MANY_INITS, "Too many initialisation requests")
        elif kind != "pong":
            raise Hangup(INVALID, "Invalid message")

    async def _subscribe(self, message: dict[str, Any]) -> None:
        name = message.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise Hangup(INVALID, "Invalid message")
        if name in self._running:
            raise Hangup(DUPLICATE_ID, f"Subscriber for {name} already exists")
        try:
            wanted = asked(message.get("payload"))
        except BadRequest:
            raise Hangup(INVALID, "Invalid message") from None
        if len(self._running) >= self._sockets.limits.subscriptions:
            await self._refuse(name, "RATE_LIMITED")  # here: who takes no answers is not listened to meanwhile
            return
        self._running[name] = asyncio.create_task(self._until_done(name, wanted))

    async def _until_done(self, name: str, wanted: Asked) -> None:
        try:
            await self._operate(name, wanted)
        except WebSocketDisconnect:
            pass  # the other side is gone
        except Exception as error:
            log.error("socket operation failed", request_id=self._visitor.id, exc_info=error)
            await self._refuse(name, "INTERNAL")
        finally:
            if self._running.get(name) is asyncio.current_task():
                del self._running[name]

    async def _operate(self, name: str, wanted: Asked) -> None:
        """Runs one operation: one answer, or one for each event."""
        answering = self._sockets.answering
        try:
            await self._sockets.rates.request(self.caller, self._visitor.ip)
            await self._sockets.rates.sign_in(self._visitor.ip, wanted.query)
            runnable, cost = answering.prepare(wanted, self.caller)
        except TooMany:
            await self._refuse(name, "RATE_LIMITED")
            return
        except (Unauthenticated, Denied, TooComplex, Malformed, Overloaded) as error:
            await self._say({"id": name, "type": "error", "payload": refusal(error, self._visitor).body["errors"]})
            return
        if runnable.kind is OperationType.SUBSCRIPTION:
            await self._stream(name, runnable, wanted)
            return
        answer = await answering.answer(wanted, self._visitor, self.caller)
        if answer.request_error:
            await self._say({"id": name, "type": "error", "payload": answer.body["errors"]})
            return
        await self._say({"id": name, "type": "next", "payload": {**answer.body, "extensions": {"cost": cost}}})
        await self._say({"id": name, "type": "complete"})

    async def _stream(self, name: str, runnable: Runnable, wanted: Asked) -> None:
        async with Operation(self._sockets.answering.ports, self._visitor, self.caller) as operation:
            events = await self._events(runnable, wanted, operation)
            if isinstance(events, ExecutionResult):
                await self._say({"id": name, "type": "error", "payload": shown(events, self._visitor).body["errors"]})
                return
            self._streams.add(operation)
            try:
                async for event in events:
                    result = await self._show(runnable, wanted, event)
                    body = shown(result, self._visitor).body
                    if result.data is None:  # what follows would be behind a hole: the client resumes from its last
                        await self._say({"id": name, "type": "error", "payload": body["errors"]})
                        return
                    await self._say({"id": name, "type": "next", "payload": body})
            except Exception as error:
                code = code_of(error)
                if code == "INTERNAL":
                    raise
                told = plain_error(code, self._visitor.language, **(getattr(error, "extensions", None) or {}))
                await self._say({"id": name, "type": "error", "payload": [told]})
                return
            finally:
                self._streams.discard(operation)
                close = getattr(events, "aclose", None)
                if close is not None:
                    await close()
        await self._say({"id": name, "type": "complete"})

    async def _events(
        self, runnable: Runnable, wanted: Asked, operation: Operation
    ) -> AsyncIterable[Any] | ExecutionResult:
        """What the subscription's resolver yields, or why there is nothing."""
        executor = Executor.build(
            runnable.schema,
            runnable.document,
            context_value=operation,
            raw_variable_values=wanted.variables,
            operation_name=runnable.name,
            hide_suggestions=True,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        found = create_source_event_stream(executor)
        return await found if isinstance(found, Awaitable) else found

    async def _show(self, runnable: Runnable, wanted: Asked, event: Any) -> ExecutionResult:
        """One event as the client asked to see it, read in a snapshot of its own when its turn has come."""
        answering = self._sockets.answering
        async with (
            self._sockets.showing,
            asyncio.timeout(answering.seconds),
            Operation(answering.ports, self._visitor, self.caller) as operation,
        ):
            return await answering.execute(runnable, wanted, operation, event)

    async def _refuse(self, name: str, code: str) -> None:
        with suppress(WebSocketDisconnect):
            await self._say({"id": name, "type": "error", "payload": [plain_error(code, self._visitor.language)]})

    async def _say(self, message: dict[str, Any]) -> None:
        """Raises WebSocketDisconnect when the other side is gone, or the socket was closed meanwhile."""
        try:
            await self._websocket.send_text(to_bytes(message).decode())
        except RuntimeError:  # Starlette's word for a closed socket; one of ours must not pass for it
            raise WebSocketDisconnect(1006) from None

    async def _stop(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
