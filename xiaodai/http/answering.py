"""作答 · One operation run to its answer: limits, permissions, time, errors. HTTP and sockets share it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, OperationType, execute

from domain.kernel.context import Request
from domain.kernel.ports import Ports
from domain.kernel.refusals import Denied, Unauthenticated
from resolvers.kernel.access import INTROSPECT
from resolvers.kernel.operation import Caller, Operation
from tenancy.current import Overloaded
from xiaodai.http.documents import Documents, Malformed, Runnable, public_only
from xiaodai.http.errors import code_of, formatted, plain_error
from xiaodai.http.limits import Limits, TooComplex
from xiaodai.http.running import Running
from xiaodai.observability import OPERATION_SECONDS, OPERATIONS


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client sent: a document, which of its operations, and the variables."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is what goes out. `request_error`: nothing was executed, so there is no data."""

    body: dict[str, Any]
    code: str = ""
    request_error: bool = False


class Answering:
    """One for each process."""

    def __init__(
        self,
        schema: GraphQLSchema,
        ports: Ports,
        limits: Limits,
        running: Running,
        *,
        seconds: float = 10,
        at_once: int = 64,
    ) -> None:
        self.schema = schema
        self.ports = ports
        self.limits = limits
        self.documents = Documents(schema, limits)
        self.seconds = seconds
        self._at_once = at_once
        self._running = running
        self._places_taken = 0

    def prepare(self, asked: Asked, caller: Caller | None) -> tuple[Runnable, int]:
        """The operation and its cost. Raises Unauthenticated, Denied, TooComplex and Malformed."""
        if caller is None and not public_only(self.documents, asked.query, asked.operation_name):
            raise Unauthenticated
        try:
            runnable = self.documents.runnable(asked.query, asked.operation_name)
        except Malformed:
            if caller is None:
                raise Unauthenticated from None  # what is wrong with it would tell what there is
            raise
        if runnable.introspects and not (caller and caller.actor.may(INTROSPECT)):
            raise Denied(INTROSPECT)
        cost = runnable.cost(asked.variables)
        if cost > self.limits.cost:
            raise TooExpensive(cost, self.limits.cost)
        return runnable, cost

    async def answer(
        self, asked: Asked, request: Request, caller: Caller | None, *, reading_only: bool = False
    ) -> Answer:
        """Runs a query or a mutation. `reading_only` (GET) refuses a mutation: see `WrongMethod`."""
        begun = time.monotonic()
        kind = "unknown"
        try:
            runnable, cost = self.prepare(asked, caller)
            kind = runnable.kind.value
            if reading_only and runnable.kind is not OperationType.QUERY:
                raise WrongMethod
            if runnable.kind is OperationType.SUBSCRIPTION:
                raise NoSubscriptionHere
            answer = await self._run(runnable, asked, request, caller)
            answer.body["extensions"] = {"cost": cost}
        except (Unauthenticated, Denied, TooComplex, Malformed, NoSubscriptionHere, Overloaded) as error:
            answer = refusal(error, request)
        OPERATIONS.labels(kind, answer.code or "OK").inc()
        OPERATION_SECONDS.labels(kind).observe(time.monotonic() - begun)
        return answer

    async def _run(self, runnable: Runnable, asked: Asked, request: Request, caller: Caller | None) -> Answer:
        lender_id = caller.lender.id if caller and caller.lender else None
        async with self.place():
            limit = asyncio.timeout(None if runnable.unlimited else self.seconds)
            try:
                async with limit, Operation(self.ports, request, caller) as operation:
                    with self._running.noted(lender_id, limit):
                        result = await self.execute(runnable, asked, operation)
            except TimeoutError:
                code = "UNAUTHENTICATED" if self._running.was_stopped(limit) else "TIMEOUT"
                return Answer({"data": None, "errors": [plain_error(code, request.language)]}, code)
        return shown(result, request)

    async def execute(
        self, runnable: Runnable, asked: Asked, operation: Operation, event: Any = None
    ) -> ExecutionResult:
        """Under graphql-core; `event` is what a subscription shows."""
        result: Any = execute(
            self.schema,
            runnable.document,
            root_value=event,
            context_value=operation,
            variable_values=asked.variables,
            operation_name=runnable.name,
            max_coercion_errors=5,
            hide_suggestions=True,
        )
        finished: ExecutionResult = await result if inspect.isawaitable(result) else result
        return finished

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places for operations that run at once. Raises Overloaded when all are taken."""
        if self._places_taken >= self._at_once:
            raise Overloaded
        self._places_taken += 1
        try:
            yield
        finally:
            self._places_taken -= 1


class TooExpensive(TooComplex):
    """The answer could hold more objects than one may."""

    def __init__(self, cost: int, limit: int) -> None:
        super().__init__(f"The answer may hold {cost} objects; {limit} are allowed. Ask for smaller pages.")
        self.cost = cost


class WrongMethod(Exception):
    """A mutation by GET."""


class NoSubscriptionHere(Exception):
    """A subscription over HTTP."""


def refusal(error: Exception, request: Request) -> Answer:
    """The answer to what was refused before anything ran."""
    if isinstance(error, Malformed):
        errors = formatted(error.errors, request.language, request.id)
        return Answer({"errors": errors}, "BAD_USER_INPUT", request_error=True)
    if isinstance(error, NoSubscriptionHere):
        shown_error = plain_error("BAD_USER_INPUT", request.language, "Subscriptions run over a WebSocket.")
        return Answer({"errors": [shown_error]}, "BAD_USER_INPUT", request_error=True)
    code = code_of(error)
    message = str(error) if isinstance(error, TooComplex) else None
    body: dict[str, Any] = {"errors": [plain_error(code, request.language, message)]}
    if isinstance(error, TooExpensive):
        body["extensions"] = {"cost": error.cost}
    return Answer(body, code, request_error=True)


def shown(result: ExecutionResult, request: Request) -> Answer:
    """What graphql-core found, as it goes out."""
    if not result.errors:
        return Answer({"data": result.data})
    errors = formatted(result.errors, request.language, request.id)
    codes = [error["extensions"]["code"] for error in errors]
    if "OVERLOADED" in codes and not any((result.data or {}).values()):
        return refusal(Overloaded(), request)  # nothing was done or found: the client may simply ask again
    code = codes[0]
    if result.data is None and all(error.path is None for error in result.errors):
        return Answer({"errors": errors}, code, request_error=True)  # variables that cannot be: nothing ran
    return Answer({"errors": errors, "data": result.data}, code)
