"""操作 · One GraphQL operation as resolvers see it (`info.context`): who asks, one consistent snapshot, the loaders.

All reads of a query share one snapshot, so its figures are of one moment. A mutation drops it before it writes: what its
payload leads to is read anew, as committed.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import strawberry
from aiodataloader import DataLoader

from domain.kernel.context import Actor, Context, Request
from domain.kernel.ports import Ports
from domain.kernel.refusals import Denied, Unauthenticated
from resolvers.kernel.answers import ANSWERS
from tenancy.current import Lender


class Caller(Protocol):
    """Who a token stands for (`xiaodai.auth.sessions`). Operators of the platform have no lender."""

    @property
    def lender(self) -> Lender | None: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def session_id(self) -> UUID: ...
    @property
    def expires_at(self) -> datetime: ...


class Operation:
    """`async with Operation(…)`: its end closes the snapshot. Nothing in it is ever an argument of the API."""

    def __init__(self, ports: Ports, request: Request, caller: Caller | None) -> None:
        self.ports = ports
        self.request = request
        self.caller = caller
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._snapshot: Context | None = None
        self._failure: Exception | None = None
        self._loaders: dict[tuple[str, str], DataLoader[Any, Any]] = {}

    async def __aenter__(self) -> Operation:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller.actor

    @property
    def ctx(self) -> Context:
        """The caller at their lender, for commands. Raises Unauthenticated, and Denied for those who have no lender."""
        actor = self.actor
        if self.caller is None or self.caller.lender is None:
            raise Denied("lender")
        return Context(lender=self.caller.lender, actor=actor, ports=self.ports, request=self.request)

    def require(self, permission: str) -> None:
        """Raises Unauthenticated or Denied unless the caller holds the permission."""
        if not self.actor.may(permission):
            raise Denied(permission)

    def become(self, caller: Caller) -> None:
        """From here on the operation is of this caller (after signIn, for what its payload leads to)."""
        self.caller = caller

    async def reading(self) -> Context:
        """The operation's snapshot, opened by the first that asks."""
        async with self._opening:
            if self._failure is not None:
                raise self._failure  # the others need not wait as long as the first
            if self._snapshot is None:
                try:
                    self._snapshot = await self._stack.enter_async_context(self.ctx.reading())
                except Exception as error:
                    self._failure = error
                    raise
            return self._snapshot

    async def drop_snapshot(self) -> None:
        """Before a write: what is asked afterwards is read anew."""
        self._loaders.clear()
        self._snapshot, self._failure = None, None
        await self._stack.aclose()

    def load(self, relation: str, key: Any, arguments: dict[str, Any]) -> Any:
        """The answer of a relation for one parent, found together with those of all others that ask in this moment."""
        name = (relation, repr(arguments) if arguments else "")
        loader = self._loaders.get(name)
        if loader is None:
            loader = self._loaders[name] = self._loader(relation, arguments)
        return loader.load(key)

    def _loader(self, relation: str, arguments: dict[str, Any]) -> DataLoader[Any, Any]:
        answer = ANSWERS[relation]
        if answer.reading is not None:
            self.require(answer.reading)

        async def batch(keys: list[Any]) -> list[Any]:
            found = await answer.function(await self.reading(), keys, **arguments)
            return [found[key] if key in found else answer.nothing() for key in keys]

        return DataLoader(batch)


Info: TypeAlias = strawberry.Info[Operation, None]
