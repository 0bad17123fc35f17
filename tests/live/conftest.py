"""Followers of a lender's feed: each has a door, a bell and a reader of his own, as each API process does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from starlette.applications import Starlette

from domain.kernel.context import Context
from domain.kernel.feed_reading import Happened, Place
from domain.kernel.table import uuid7
from domain.lending.loan import Loan
from tenancy.wake import Bell
from tests.live.screens import Screen, watching
from tests.support.actors import LenderAtWork
from tests.support.client import KnownPeople, an_app
from xiaodai.jobs.wakeups import Wakeups
from xiaodai.live.feeds import Feeds
from xiaodai.protocol import GuardedHttpProtocol

KIND = "tests.thing.happened"
KINDS = frozenset({KIND})


@dataclass
class Process:
    """What one API process has of the live side."""

    feeds: Feeds
    bell: Bell


@asynccontextmanager
async def a_process(lender: LenderAtWork) -> AsyncIterator[Process]:
    bell = Bell(lender.platform.addresses.app)
    feeds = Feeds(lender.ports.door, bell)
    await bell.start()
    try:
        yield Process(feeds, bell)
    finally:
        feeds.close()
        await bell.close()


@pytest.fixture
async def process(lender: LenderAtWork) -> AsyncIterator[Process]:
    async with a_process(lender) as opened:
        yield opened


def ringing(lender: LenderAtWork, process: Process) -> Context:
    """The system of this lender in that process: its commits are told to the others."""
    ports = replace(lender.ports, after_commit=Wakeups(lender.platform.catalog, process.bell))
    return replace(lender.system, ports=ports)


async def announce(ctx: Context, *kinds: str) -> list[UUID]:
    """One transaction that announces these kinds, each about a thing of its own."""
    subjects = [uuid7() for _ in kinds or (KIND,)]
    async with ctx.writing() as inner:
        for subject, kind in zip(subjects, kinds or (KIND,), strict=True):
            inner.announce(kind, Loan(id=subject))
    return subjects


@dataclass
class Follower:
    """Takes events in a task of its own until it is stopped."""

    events: list[Happened] = field(default_factory=list)
    error: Exception | None = None
    task: asyncio.Task[None] | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def subjects(self) -> list[UUID]:
        return [event.subject_id for event in self.events]

    @property
    def place(self) -> Place:
        return self.events[-1].place

    async def has(self, count: int, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while len(self.events) < count:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def following(
    feeds: Feeds, lender: LenderAtWork, after: Place | None = None, kinds: frozenset[str] = KINDS
) -> AsyncIterator[Follower]:
    """A follower that has begun."""
    follower = Follower()

    async def run() -> None:
        async for rows in feeds.follow(lender.lender, kinds, after):
            follower.events += rows
            follower.came.set()

    follower.task = asyncio.create_task(run())
    await until_begun(feeds, lender)
    try:
        yield follower
    finally:
        follower.task.cancel()
        await asyncio.gather(follower.task, return_exceptions=True)


async def until_begun(feeds: Feeds, lender: LenderAtWork) -> None:
    """Followers that were started have read what there was: the present is behind them."""
    await asyncio.sleep(0.01)
    feed: Any = feeds._open[lender.lender.id]
    await feed.begun()
    await asyncio.sleep(0.1)


@dataclass
class Office:
    """A lender at work whose people have screens: the application over a real socket, in this process."""

    lender: LenderAtWork
    port: int
    sessions: KnownPeople
    live: Feeds

    def token(self, name: str) -> str:
        return self.sessions.introduce(name, self.lender.people[name])

    def screen(self, name: str, document: str, **variables: Any) -> AbstractAsyncContextManager[Screen]:
        """A screen of somebody by attribute of `lender`: "business_manager" …"""
        return watching(self.port, self.token(name), document, **variables)


@pytest.fixture
async def office(lender: LenderAtWork) -> AsyncIterator[Office]:
    async with an_office(lender) as opened:
        yield opened


@asynccontextmanager
async def an_office(lender: LenderAtWork, **settings: Any) -> AsyncIterator[Office]:
    """`settings` as xiaodai.settings.Settings has them."""
    async with a_process(lender) as process:
        ports = replace(lender.ports, live=process.feeds, after_commit=Wakeups(lender.platform.catalog, process.bell))
        lender.ports = ports
        lender.people = {name: replace(ctx, ports=ports) for name, ctx in lender.people.items()}
        sessions = KnownPeople()
        app = an_app(ports, sessions, catalog=lender.platform.catalog, **settings)
        async with on_the_loopback(app) as port:
            yield Office(lender, port, sessions, process.feeds)


@asynccontextmanager
async def on_the_loopback(app: Starlette) -> AsyncIterator[int]:
    """uvicorn in this process; answers the port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    kind: Any = GuardedHttpProtocol
    server = uvicorn.Server(uvicorn.Config(app, http=kind, server_header=False, access_log=False, log_config=None))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running
