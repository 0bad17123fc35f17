"""A schema for tests of the edge itself: fields that are slow, that break, that page, that stream. No database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import strawberry

from domain.kernel.refusals import AmountExceedsDue, BadInput
from resolvers.kernel import Info, mutation, reads
from resolvers.kernel.ids import key
from schema.kernel import ID, JSON, Connection, Date, Money, Payload, Rate
from tenancy.current import Overloaded

RUNNING: set[str] = set()  # subscriptions that have begun and not ended


@strawberry.type
class Thing:
    """物 A thing."""

    number: str
    """编号 Its number."""

    @strawberry.field(description="部分 Its parts.")
    def parts(self) -> list[Thing]:
        return []

    @strawberry.field(description="列表 Its list.")
    def more(self, first: int = 20) -> ThingConnection:
        return ThingConnection.of(Numbered, Page(first))


@strawberry.type
class ThingConnection(Connection[Thing]):
    """物 Things."""


class Numbered:
    @staticmethod
    def of(row: int) -> Thing:
        return Thing(number=str(row))


class Page:
    """Rows that are numbers."""

    def __init__(self, size: int) -> None:
        self.rows = list(range(min(size, 3)))
        self.cursors = [str(row) for row in self.rows]
        self.has_next, self.has_previous = False, False

    async def total(self, _ctx: object) -> int:
        return 3


@strawberry.type
class SmallQueries:
    @reads(signed_in=True)
    async def things(self, info: Info, first: int | None = None) -> ThingConnection:
        """物 Things."""
        return ThingConnection.of(Numbered, Page(first or 20))

    @reads(signed_in=True)
    async def slow(self, info: Info, seconds: int = 60) -> str:
        """慢 Takes its time."""
        await asyncio.sleep(seconds)
        return "done"

    @reads(signed_in=True)
    async def boom(self, info: Info) -> str | None:
        """坏 Breaks."""
        raise RuntimeError("select password from credentials -- /srv/secret.py")

    @reads(signed_in=True)
    async def busy(self, info: Info) -> str | None:
        """忙 Finds no connection."""
        raise Overloaded

    @reads(permission="tests.thing.touch")
    async def forbidden(self, info: Info) -> str | None:
        """禁 Needs a permission."""
        return "seen"

    @reads(signed_in=True)
    async def by_id(self, info: Info, id: ID) -> str | None:
        """按标识 Reads an id."""
        return str(key(id, "Thing"))

    @reads(signed_in=True)
    async def echo(
        self,
        info: Info,
        money: Money | None = None,
        rate: Rate | None = None,
        day: Date | None = None,
        json: JSON | None = None,
    ) -> str | None:
        """回显 Shows what was read."""
        return " ".join(str(value) for value in (money, rate, day, json) if value is not None)


@strawberry.input
class PayInput:
    """付款 What is paid."""

    paid_amount: Money = Money(Decimal("1.00"))
    """金额 How much."""


@strawberry.type
class PayPayload(Payload):
    thing: Thing | None = None
    """物 The thing."""


@strawberry.type
class SmallMutations:
    @mutation(public=True)
    async def sign_in(self, info: Info, name: str) -> PayPayload:
        """登录 Anybody may."""
        return PayPayload(thing=Thing(number=name))

    @mutation(signed_in=True)
    async def pay(self, info: Info, input: PayInput) -> PayPayload:
        """付款 Refuses more than two."""
        if input.paid_amount > 2:
            raise AmountExceedsDue("paid_amount", asked=input.paid_amount, due=Decimal("2.00"))
        if input.paid_amount < 0:
            raise BadInput("less than nothing")
        return PayPayload(thing=Thing(number="paid"))

    @mutation(signed_in=True, unlimited=True)
    async def long_work(self, info: Info, seconds: int) -> PayPayload:
        """长任务 Takes as long as it takes."""
        await asyncio.sleep(seconds)
        return PayPayload(thing=Thing(number="worked"))


class Gap(Exception):
    code = "GAP"
    extensions = {"cursor": "abc"}


@strawberry.type
class SmallSubscriptions:
    @strawberry.subscription(description="计数 Counts.", metadata={"needs": "signed in"})
    async def counted(self, info: Info, to: int, gap: bool = False, name: str = "") -> AsyncIterator[Thing]:
        RUNNING.add(name)
        try:
            for number in range(to):
                yield Thing(number=str(number))
            if gap:
                raise Gap
            if name:
                await asyncio.sleep(60)
        finally:
            RUNNING.discard(name)

    @strawberry.subscription(description="观察 Looks whether the viewer may still.", metadata={"needs": "signed in"})
    async def watched(self, info: Info) -> AsyncIterator[Thing]:
        info.context.require("tests.thing.touch")
        yield Thing(number="allowed")
        while True:
            await asyncio.sleep(0.05)
            info.context.require("tests.thing.touch")
