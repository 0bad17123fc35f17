"""订阅入口 · `@subscription` makes a field of Subscription from a method; `follow` turns rows of the feed into its events.

Permission and data scope are those in force when an event is delivered. Each event carries a cursor that names lender,
person and place; a subscription that is resumed with it goes on exactly there.
"""

from __future__ import annotations

import base64
import binascii
import functools
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, Protocol
from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.kernel.feed_reading import Happened, Place
from domain.kernel.refusals import BadInput
from resolvers.kernel.access import access, check, describe
from resolvers.kernel.operation import Operation
from schema.kernel import Cursor
from tenancy.current import Lender

_CURSOR = struct.Struct(">16s16sQ16s")

Deliver = Callable[[Context, list[Happened]], Awaitable[list[Any]]]
"""Rows of the feed → the events that this viewer is to see of them, in order, each with its cursor (`cursor_at`)."""


class Live(Protocol):
    """The port `live` (`xiaodai.live.feeds`)."""

    def follow(self, lender: Lender, kinds: frozenset[str], after: Place | None) -> AsyncGenerator[list[Happened]]: ...
    def changes(self, lender: Lender, modules: tuple[str, ...]) -> AsyncGenerator[None]: ...
    def turn(self) -> AbstractAsyncContextManager[None]: ...
    async def shared(self, lender: Lender, name: Hashable, work: Callable[[], Awaitable[Any]]) -> Any: ...


class Gap(Exception):
    """The client is too slow: the subscription ends (GAP), `extensions.cursor` says from where to go on."""

    code = "GAP"

    def __init__(self, place: Place, cursor: str = "") -> None:
        super().__init__("the feed has a gap")
        self.place = place
        self.extensions = {"cursor": cursor}


def subscription(
    declared: Callable[..., Any] | None = None,
    *,
    permission: str | None = None,
    signed_in: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """`@subscription(pending_task.page)`: whoever may run that query may follow its changes. The method answers the events."""
    needed = access(declared, permission=permission, signed_in=signed_in, public=False)

    def wrap(method: Callable[..., Any]) -> Any:
        @functools.wraps(method)
        def run(self: Any, info: Any, **arguments: Any) -> Any:
            check(info.context, needed)
            return _while_allowed(info.context, needed, method(self, info, **arguments))

        return strawberry.subscription(resolver=run, description=describe(method, needed), metadata={"needs": needed})

    return wrap


async def _while_allowed(operation: Operation, needed: str, events: Any) -> AsyncIterator[Any]:
    """Ends with FORBIDDEN when the person lost the permission meanwhile."""
    async with aclosing(events):
        async for event in events:
            check(operation, needed)
            yield event


def follow(operation: Operation, kinds: frozenset[str], after: str | None, deliver: Deliver) -> AsyncIterator[Any]:
    """The events of these kinds behind the cursor `after`, or from now on. Raises BadInput for a cursor that is none of this
    person's."""
    return _events(operation, kinds, None if after is None else place_of(operation.ctx, after), deliver)


async def _events(
    operation: Operation, kinds: frozenset[str], after: Place | None, deliver: Deliver
) -> AsyncIterator[Any]:
    live: Live = operation.ports.live
    lender = operation.ctx.lender
    try:
        async with aclosing(live.follow(lender, kinds, after)) as portions:
            async for rows in portions:
                async with live.turn(), operation.ctx.reading() as ctx:
                    events = await deliver(ctx, rows)
                for event in events:
                    yield event
    except Gap as gap:
        raise Gap(gap.place, cursor_at(operation.ctx, gap.place)) from None


def cursor_at(ctx: Context, place: Place) -> Cursor:
    """A place in the feed as this person holds it."""
    packed = _CURSOR.pack(ctx.lender.id.bytes, ctx.actor.id.bytes, place.xid, place.id.bytes)
    return Cursor(base64.urlsafe_b64encode(packed).decode())


def place_of(ctx: Context, cursor: str) -> Place:
    """The place that a cursor names. Raises BadInput for what is none, and for another lender's or person's."""
    try:
        lender, person, xid, row = _CURSOR.unpack(
            base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        )
    except (UnicodeError, binascii.Error, struct.error):
        raise BadInput("this is no cursor of a feed") from None
    if (lender, person) != (ctx.lender.id.bytes, ctx.actor.id.bytes):
        raise BadInput("this is no cursor of yours")
    return Place(xid, UUID(bytes=row))
