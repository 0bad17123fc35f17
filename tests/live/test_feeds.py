"""The feed of a lender: order, seams, lost notices, slow followers. Nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import text

from domain.kernel.table import uuid7
from domain.lending.loan import Loan
from resolvers.kernel.subscribing import Gap
from tests.live.conftest import KIND, KINDS, Process, a_process, announce, following, ringing
from tests.support.actors import LenderAtWork
from tests.support.database import sql
from xiaodai.live import backlog


async def test_what_happens_is_told_in_order_and_only_what_is_followed(lender: LenderAtWork, process: Process) -> None:
    await announce(lender.system)  # before: from now on means from now on
    async with following(process.feeds, lender) as follower:
        first = await announce(lender.system, KIND, "tests.thing.other", KIND)
        second = await announce(lender.system)
        await follower.has(3)
    assert follower.subjects == [first[0], first[2], *second]


async def test_from_now_on_while_an_older_transaction_holds_everything_back(
    lender: LenderAtWork, process: Process
) -> None:
    async with AsyncExitStack() as older:
        ctx = await older.enter_async_context(lender.system.writing())
        await ctx.connection.execute(text("select pg_current_xact_id()"))
        await announce(lender.system)  # committed, and unreadable as long as the older one runs
        async with following(process.feeds, lender) as follower:
            told = await announce(lender.system)
            await asyncio.sleep(0.2)
            assert follower.events == []
            await older.aclose()
            await follower.has(1)
            assert follower.subjects == told


async def test_a_wake_up_between_processes_takes_no_poll(
    lender: LenderAtWork, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xiaodai.live.lender_feed.POLL_SECONDS", 600.0)  # what comes, came by the bell
    async with a_process(lender) as writer, following(process.feeds, lender) as follower:
        for count in range(1, 9):
            await announce(ringing(lender, writer))
            await follower.has(count, seconds=30)


async def test_a_lost_notice_costs_a_second_and_no_event(lender: LenderAtWork, process: Process) -> None:
    await process.bell.close()  # the listener is dead
    async with following(process.feeds, lender) as follower:
        told = await announce(lender.system)
        await follower.has(1, seconds=5)
    assert follower.subjects == told


async def test_a_listener_that_is_killed_comes_back(lender: LenderAtWork, process: Process) -> None:
    async with following(process.feeds, lender) as follower:
        for count in (1, 2):
            await announce(ringing(lender, process))
            await follower.has(count)
            sql(
                lender.platform.addresses,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
                "AND datname = current_database();",
            )
            await asyncio.sleep(0.1)
        await announce(ringing(lender, process))
        await follower.has(3)


async def test_reordered_commits_and_rollbacks_lose_nothing(lender: LenderAtWork, process: Process) -> None:
    """Transactions that begin in one order and end in another, some of them not at all."""
    kept: list[Any] = []

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        subject = uuid7()
        try:
            async with lender.system.writing() as ctx:
                ctx.announce(KIND, Loan(id=subject))
                await ctx.connection.execute(text("select pg_current_xact_id()"))  # its number is given out here
                await asyncio.sleep(chance.random() / 5)
                if chance.random() < 0.25:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return
        kept.append(subject)

    async with following(process.feeds, lender) as follower:
        for batch in range(6):
            await asyncio.gather(*(write(batch * 100 + number) for number in range(8)))
        await follower.has(len(kept))
        await asyncio.sleep(0.1)
    assert sorted(follower.subjects) == sorted(kept)
    assert [event.place for event in follower.events] == sorted(event.place for event in follower.events)


async def test_every_place_is_one_to_go_on_from(lender: LenderAtWork, process: Process) -> None:
    async with following(process.feeds, lender) as follower:
        for _ in range(4):
            await announce(lender.system, KIND, KIND, KIND)
        await follower.has(12)
    for index, event in enumerate(follower.events):
        async with following(process.feeds, lender, after=event.place) as again:
            await again.has(11 - index)
            assert again.subjects == follower.subjects[index + 1 :]


async def test_the_seam_between_the_table_and_the_reader(lender: LenderAtWork, process: Process) -> None:
    """Followers that join again and again while others write, from the place they had."""
    written: list[Any] = []

    async def write() -> None:
        for number in range(150):
            written.extend(await announce(ringing(lender, process), *([KIND] * (1 + number % 3))))

    async with following(process.feeds, lender) as steady:
        first = await announce(lender.system)
        await steady.has(1)
        place, seen = steady.events[0].place, []  # from now on would be from some event of those to come
        writing = asyncio.create_task(write())
        while not (writing.done() and len(seen) >= len(written)):
            stream: Any = process.feeds.follow(lender.lender, KINDS, place)
            try:
                async with asyncio.timeout(random.random() / 4):
                    async for rows in stream:
                        seen += [row.subject_id for row in rows]
                        place = rows[-1].place
            except TimeoutError:
                pass
            finally:
                await stream.aclose()
        await steady.has(1 + len(written))
    assert seen == written
    assert steady.subjects == [*first, *written]


async def test_a_burst_is_read_on_from_the_table(
    lender: LenderAtWork, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a backlog holds at once: who keeps taking is told everything."""
    monkeypatch.setattr(backlog, "MOST_EVENTS", 20)
    async with following(process.feeds, lender) as follower:
        told = [*await announce(lender.system, *[KIND] * 300), *await announce(lender.system, *[KIND] * 900)]
        await follower.has(1200)
    assert follower.subjects == told


async def test_who_takes_nothing_gets_a_gap_and_may_go_on(
    lender: LenderAtWork, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MOST_EVENTS", 20)
    monkeypatch.setattr(backlog, "PATIENCE_SECONDS", 0.3)
    stream: Any = process.feeds.follow(lender.lender, KINDS, None)
    first = asyncio.ensure_future(anext(stream))
    async with following(process.feeds, lender) as witness:
        told = await announce(ringing(lender, process))
        assert [row.subject_id for row in await first] == told
        await asyncio.sleep(0.4)  # the client stopped reading
        missed = await announce(ringing(lender, process), *[KIND] * 21)
        await witness.has(22)
    with pytest.raises(Gap) as gap:
        await anext(stream)
    async with following(process.feeds, lender, after=gap.value.place) as again:
        await again.has(21)
    assert again.subjects == missed


async def test_nobody_follows_nobody_reads(lender: LenderAtWork, process: Process) -> None:
    async with following(process.feeds, lender):
        assert process.feeds._open
    assert not process.feeds._open
