"""The queue of one lender: claimed once, safe to kill, tried again, given up at last."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain.kernel.clock import machine_now
from domain.kernel.context import Context
from domain.kernel.job import HANDLERS, Job, resume
from tests.jobs.conftest import ask, rows
from xiaodai.jobs import queue


async def make_due(ctx: Context) -> None:
    async with ctx.ports.door.enter(ctx.lender, write=True) as connection:
        await connection.execute(update(Job).values(due_at=machine_now() - timedelta(seconds=1)))


async def test_a_job_runs_once_and_is_done(ctx: Context, handle) -> None:
    seen = []

    async def handler(inner: Context, payload: dict) -> None:
        seen.append((inner.lender.code, payload["loan"]))

    handle(handler)
    await ask(ctx, "first", loan="L1")
    await ask(ctx, "first", loan="L1")
    assert await queue.run_due(ctx, HANDLERS, most=10) is None
    assert await queue.run_due(ctx, HANDLERS, most=10) is None
    assert seen == [("alpha", "L1")]
    assert (await rows(ctx))["first"].state == "DONE"


async def test_parallel_workers_share_the_jobs(ctx: Context, handle) -> None:
    seen = []

    async def handler(_ctx: Context, payload: dict) -> None:
        await asyncio.sleep(0.01)
        seen.append(payload["number"])

    handle(handler)
    for number in range(12):
        await ask(ctx, f"job {number}", number=number)
    await asyncio.gather(*(queue.run_due(ctx, HANDLERS, most=20) for _ in range(4)))
    assert sorted(seen) == list(range(12))


async def test_a_failure_is_tried_again_later_and_at_last_given_up(ctx: Context, handle) -> None:
    async def handler(_ctx: Context, _payload: dict) -> None:
        raise ValueError("138 0000 0000 must not lie in the row")

    handle(handler)
    await ask(ctx, "fails")
    next_at = await queue.run_due(ctx, HANDLERS, most=5)
    row = (await rows(ctx))["fails"]
    assert (row.state, row.attempts, row.error) == ("WAITING", 1, "ValueError")
    assert next_at == row.due_at > machine_now()
    for _ in range(queue.MOST_ATTEMPTS - 1):
        await make_due(ctx)
        await queue.run_due(ctx, HANDLERS, most=1)
    row = (await rows(ctx))["fails"]
    assert (row.state, row.attempts) == ("FAILED", queue.MOST_ATTEMPTS)
    await make_due(ctx)
    assert await queue.claim(ctx) is None


async def test_a_handler_may_ask_to_look_again(ctx: Context, handle) -> None:
    tomorrow = machine_now() + timedelta(days=1)

    async def handler(_ctx: Context, _payload: dict):
        return tomorrow

    handle(handler)
    await ask(ctx, "daily")
    assert await queue.run_due(ctx, HANDLERS, most=5) == tomorrow
    assert (await rows(ctx))["daily"].attempts == 0


async def test_a_killed_workers_job_comes_up_when_the_lease_is_over(ctx: Context, handle) -> None:
    async def handler(_ctx: Context, _payload: dict) -> None:
        return None

    handle(handler)
    await ask(ctx, "killed")
    claimed = await queue.claim(ctx)  # and the worker dies here
    assert claimed is not None
    assert await queue.claim(ctx) is None, "leased"
    left = await queue.next_due(ctx)
    assert left is not None
    assert timedelta(seconds=20) < left - machine_now() <= queue.LEASE
    await make_due(ctx)
    again = await queue.claim(ctx)
    assert again is not None
    assert (again.id, again.attempts) == (claimed.id, 2)


async def test_a_job_that_kills_each_worker_is_given_up(ctx: Context, handle) -> None:
    """Nobody lives to write down a failure, so an attempt counts when the job is taken."""
    begun = []

    async def handler(_ctx: Context, _payload: dict) -> None:
        begun.append(True)

    handle(handler)
    await ask(ctx, "deadly")
    for _ in range(queue.MOST_ATTEMPTS):
        await make_due(ctx)
        assert await queue.claim(ctx) is not None  # and the worker dies here
    await make_due(ctx)
    assert await queue.run_due(ctx, HANDLERS, most=5) is None
    row = (await rows(ctx))["deadly"]
    assert (row.state, row.error, begun) == ("FAILED", queue.KILLED, [])


async def test_a_job_that_was_given_up_may_be_asked_for_again(ctx: Context, handle, monkeypatch) -> None:
    monkeypatch.setattr(queue, "MOST_ATTEMPTS", 1)
    broken, begun = [True], []

    async def handler(_ctx: Context, _payload: dict) -> None:
        begun.append(True)
        if broken:
            raise ValueError("broken")

    handle(handler)
    await ask(ctx, "mended")
    await queue.run_due(ctx, HANDLERS, most=5)
    assert (await rows(ctx))["mended"].state == "FAILED"
    broken.clear()
    for expected in (True, False):  # the second time it waits already
        async with ctx.writing() as inner:
            assert await resume(inner, "mended") is expected
            assert await resume(inner, "unknown") is False
            assert len(inner.bound.jobs_due) == expected
    assert await queue.run_due(ctx, HANDLERS, most=5) is None
    row = (await rows(ctx))["mended"]
    assert (row.state, row.attempts, row.error, len(begun)) == ("DONE", 1, None, 2)


async def test_a_lease_is_renewed_while_the_handler_works(ctx: Context, handle, monkeypatch) -> None:
    monkeypatch.setattr(queue, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(queue, "LEASE", timedelta(seconds=0.2))
    stolen = []

    async def handler(_ctx: Context, _payload: dict) -> None:
        for _ in range(8):
            await asyncio.sleep(0.05)
            stolen.append(await queue.claim(ctx))

    handle(handler)
    await ask(ctx, "long")
    await queue.run_due(ctx, HANDLERS, most=1)
    assert stolen == [None] * 8


async def test_a_worker_that_lost_its_lease_changes_nothing(ctx: Context, handle) -> None:
    """It was away too long; another has the job in hand, and says what becomes of it."""

    async def handler(_ctx: Context, _payload: dict) -> None:
        await make_due(ctx)
        assert await queue.claim(ctx) is not None
        raise ValueError("late")

    handle(handler)
    await ask(ctx, "slow")
    await queue.run_due(ctx, HANDLERS, most=1)
    row = (await rows(ctx))["slow"]
    assert (row.state, row.attempts, row.error) == ("WAITING", 2, None)
    assert row.due_at > machine_now() + timedelta(seconds=20), "still leased to the other"


async def test_a_renewal_under_way_does_not_move_the_next_time(ctx: Context, handle, monkeypatch) -> None:
    """Of a job that is due again tomorrow, a lease written a moment too late would make one that is due at once."""
    monkeypatch.setattr(queue, "RENEW_SECONDS", 0.05)
    write, tomorrow = queue._write, machine_now() + timedelta(days=1)

    async def slow_lease(ctx: Context, job: Any, **values: Any) -> None:
        if set(values) == {"due_at"}:
            await asyncio.sleep(0.2)
        await write(ctx, job, **values)

    async def handler(_ctx: Context, _payload: dict) -> datetime:
        await asyncio.sleep(0.1)
        return tomorrow

    async def slow_done(ctx: Context, job: Any, **values: Any) -> None:
        await slow_lease(ctx, job, **values)
        await asyncio.sleep(0.3 if len(values) > 1 else 0)  # the connection is slow to come back

    monkeypatch.setattr(queue, "_write", slow_done)
    handle(handler)
    await ask(ctx, "daily")
    await queue.run_due(ctx, HANDLERS, most=1)
    assert (await rows(ctx))["daily"].due_at == tomorrow


async def test_a_cancelled_job_is_handed_back(ctx: Context, handle) -> None:
    async def handler(_ctx: Context, _payload: dict) -> None:
        await asyncio.sleep(60)

    handle(handler)
    await ask(ctx, "stopped")
    running = asyncio.create_task(queue.run_due(ctx, HANDLERS, most=1))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    row = (await rows(ctx))["stopped"]
    assert (row.state, row.attempts) == ("WAITING", 0)
    assert row.due_at <= machine_now()
