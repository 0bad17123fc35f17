"""The worker: requests and jobs of many lenders, whatever wakes it, whoever is suspended (promises T8, T12)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.kernel.clock import machine_now
from domain.kernel.context import Context
from domain.kernel.job import HANDLERS
from tenancy.provision import Blueprint
from tenancy.wake import JOBS, Bell
from tests.jobs.conftest import ask, context, rows
from tests.support.lenders import MASTER_SECRET, Platform, a_request
from xiaodai.jobs import worker as worker_module
from xiaodai.jobs.wakeups import Wakeups
from xiaodai.jobs.worker import Worker, Workshop


@asynccontextmanager
async def working(place: Platform, blueprint: Blueprint) -> AsyncIterator[Worker]:
    """A worker at work for the length of the block."""
    bell = Bell(place.addresses.app)
    ports = context(place, None).ports  # type: ignore[arg-type]
    worker = Worker(Workshop(place.owner, place.catalog, bell, ports, blueprint, HANDLERS, MASTER_SECRET))
    await bell.start()
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running
        await bell.close()


async def soon(condition: Callable[[], bool], seconds: float = 30) -> float:
    """Waits until it is so; answers the seconds it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not happen"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def test_a_provisioning_request_is_ready_while_one_waits(place: Platform, blueprint: Blueprint) -> None:
    bell = Bell(place.addresses.app)
    await bell.start()
    async with working(place, blueprint):
        begun = time.monotonic()
        request = await place.catalog.file_provisioning(a_request("wished"))
        bell.ring(JOBS, "")
        while (await place.catalog.provisioning_result(request)).state == "PENDING":
            assert time.monotonic() - begun < 20, "2 s on a quiet machine"
            await asyncio.sleep(0.02)
    await bell.close()
    assert await place.catalog.find("wished") is not None


async def test_a_commit_with_a_job_wakes_the_worker(
    place: Platform, blueprint: Blueprint, ctx: Context, handle
) -> None:
    seen: list[str] = []

    async def handler(inner: Context, payload: dict) -> None:
        async with inner.reading() as reading:
            seen.append(f"{inner.lender.code} {reading.today} {payload['loan']}")

    handle(handler)
    bell = Bell(place.addresses.app)
    await bell.start()
    told = replace(ctx, ports=replace(ctx.ports, after_commit=Wakeups(place.catalog, bell)))
    async with working(place, blueprint):
        await asyncio.sleep(0.3)
        await ask(told, "one", loan="L1")
        await soon(lambda: bool(seen), worker_module.SWEEP_SECONDS / 2)  # long before a sweep would find it
    await bell.close()
    assert seen == ["alpha 2025-01-01 L1"]


async def test_a_sweep_finds_what_a_lost_hint_left(place: Platform, blueprint: Blueprint, ctx: Context, handle) -> None:
    seen: list[str] = []

    async def handler(inner: Context, _payload: dict) -> None:
        seen.append(inner.lender.code)

    handle(handler)
    await ask(ctx, "nobody was told")
    async with working(place, blueprint):
        await soon(lambda: seen == ["alpha"])


async def test_a_lender_out_of_reach_does_not_hide_those_behind_him(
    place: Platform, blueprint: Blueprint, ctx: Context, handle
) -> None:
    seen: list[str] = []

    async def handler(inner: Context, _payload: dict) -> None:
        seen.append(inner.lender.code)

    handle(handler)
    other = context(place, await place.provision("beta", blueprint))
    await ask(other, "nobody was told")
    async with place.owner.begin() as connection:
        await connection.execute(text(f"ALTER ROLE {ctx.lender.role} NOLOGIN"))
    async with working(place, blueprint):
        await soon(lambda: seen == ["beta"], seconds=20)  # the door is patient with him first


async def test_each_job_runs_for_its_own_lender(place: Platform, blueprint: Blueprint, ctx: Context, handle) -> None:
    """T8: two workers, two lenders, one killed between: the union is what a run of each alone gives."""
    seen: list[tuple[str, str]] = []

    async def handler(inner: Context, payload: dict) -> None:
        await asyncio.sleep(0.005)
        seen.append((inner.lender.code, payload["of"]))

    handle(handler)
    other = context(place, await place.provision("beta", blueprint))
    for number in range(15):
        await ask(ctx, f"job {number}", of="alpha")
        await ask(other, f"job {number}", of="beta")
    async with working(place, blueprint):
        async with working(place, blueprint):
            await soon(lambda: len(seen) > 5)
        await soon(lambda: len(seen) >= 30)
    assert sorted(seen) == [("alpha", "alpha")] * 15 + [("beta", "beta")] * 15


async def test_a_broken_handler_does_not_hold_up_the_others(
    place: Platform, blueprint: Blueprint, ctx: Context, handle
) -> None:
    seen: list[str] = []

    async def handler(_ctx: Context, payload: dict) -> None:
        if payload["number"] == 0:
            raise ValueError("broken")
        seen.append(payload["number"])

    handle(handler)
    for number in range(3):
        await ask(ctx, f"job {number}", number=number)
    async with working(place, blueprint):
        await soon(lambda: sorted(seen) == [1, 2])
    assert (await rows(ctx))["job 0"].error == "ValueError"


async def test_jobs_of_a_suspended_lender_stop_and_go_on_when_he_is_resumed(
    place: Platform, blueprint: Blueprint, ctx: Context, handle
) -> None:
    """T12."""
    begun, ended = [], []

    async def handler(_ctx: Context, _payload: dict) -> None:
        begun.append(time.monotonic())
        try:
            await asyncio.sleep(60 if len(begun) == 1 else 0)
        finally:
            ended.append(time.monotonic())

    handle(handler)
    await ask(ctx, "long")
    async with working(place, blueprint):
        await soon(lambda: bool(begun))
        await place.catalog.suspend(ctx.lender.id)
        assert await soon(lambda: bool(ended)) < 5
        await asyncio.sleep(1.2)
        assert len(begun) == 1
        await place.catalog.resume(ctx.lender.id)
        await soon(lambda: len(ended) == 2)


async def test_stopping_hands_back_what_is_unfinished(
    place: Platform, blueprint: Blueprint, ctx: Context, handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "GRACE_SECONDS", 0.2)
    begun: list[bool] = []

    async def handler(_ctx: Context, _payload: dict) -> None:
        begun.append(True)
        await asyncio.sleep(60)

    handle(handler)
    await ask(ctx, "unfinished")
    async with working(place, blueprint):
        await soon(lambda: bool(begun))
        stopped_at = time.monotonic()
    assert time.monotonic() - stopped_at < 30, "the handler would sleep twice as long"
    row = (await rows(ctx))["unfinished"]
    assert (row.state, row.attempts) == ("WAITING", 0)
    assert row.due_at < machine_now() + timedelta(seconds=1)


async def test_the_files_of_every_lender_are_cleaned_whatever_happens_to_one(
    place: Platform, blueprint: Blueprint, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "CLEAN_FIRST_SECONDS", 0.1)
    cleaned: list[str] = []

    async def collect(inner: Context) -> int:
        cleaned.append(inner.lender.code)
        if inner.lender.code == "alpha":
            raise OSError("the disk is away")
        return 1

    monkeypatch.setattr(worker_module.document, "collect", collect)
    await place.provision("beta", blueprint)
    suspended = await place.provision("gamma", blueprint)
    await place.catalog.suspend(suspended.id)
    async with working(place, blueprint):
        await soon(lambda: "beta" in cleaned)
        await asyncio.sleep(0.2)
    assert cleaned == ["alpha", "beta"], "once a day, and nobody who is suspended"
