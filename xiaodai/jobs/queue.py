"""任务队列 · The jobs of one lender, taken from his own schema one at a time.

A job is claimed by moving its `due_at` on by a lease; the lease is renewed while the handler runs, so a job of a
worker that was killed comes up again by itself. Handlers are safe to repeat. No transaction stays open while a
handler works.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, update

from domain.kernel.clock import machine_now
from domain.kernel.context import Context
from domain.kernel.job import Handler, Job, JobState
from xiaodai.observability import JOBS as CARRIED_OUT

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
RENEW_SECONDS = 10.0
MOST_ATTEMPTS = 10
LONGEST_WAIT = timedelta(minutes=10)
FOREIGN = "ForeignJob"
KILLED = "WorkerKilled"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in hand. `attempts` counts this one."""

    id: UUID
    lender_id: UUID
    handler: str
    payload: dict[str, Any]
    attempts: int


async def run_due(ctx: Context, handlers: Mapping[str, Handler], *, most: int) -> datetime | None:
    """Carries out up to `most` due jobs, the longest due first. Answers when the next one is due, or null."""
    for _ in range(most):
        job = await claim(ctx)
        if job is None:
            break
        await carry_out(ctx, job, handlers)
    return await next_due(ctx)


async def claim(ctx: Context) -> Claimed | None:
    """The longest due job, leased. Two workers never get the same one."""
    now = machine_now()
    due = select(Job.id).where(Job.state == JobState.WAITING, Job.due_at <= now)
    first = due.order_by(Job.due_at, Job.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    lease = (
        update(Job)
        .where(Job.id == first)
        .values(due_at=now + LEASE, attempts=Job.attempts + 1)
        .returning(Job.id, Job.lender_id, Job.handler, Job.payload, Job.attempts)
    )
    async with ctx.ports.door.enter(ctx.lender, write=True) as connection:
        row = (await connection.execute(lease)).one_or_none()
    return Claimed(*row) if row else None


async def carry_out(ctx: Context, job: Claimed, handlers: Mapping[str, Handler]) -> None:
    """Runs the handler and writes down what became of it. A failure is tried again later, at most ten times, and so is a
    job whose worker was killed; a job of another lender never begins."""
    if job.lender_id != ctx.lender.id:
        await _give_up(ctx, job, FOREIGN)
        return
    if (
        job.attempts > MOST_ATTEMPTS
    ):  # an attempt counts when the job is taken: nobody lived to write down the last ones
        await _give_up(ctx, job, KILLED)
        return
    try:
        async with _leased(ctx, job):
            again_at = await handlers[job.handler](ctx, job.payload)
    except Exception as error:
        log.exception("a job failed", lender=ctx.lender.code, job=job.handler, id=str(job.id), attempts=job.attempts)
        await _failed(ctx, job, error)
    except asyncio.CancelledError:
        await _write(ctx, job, due_at=machine_now(), attempts=job.attempts - 1)  # handed back: the worker is ending
        raise
    else:
        done = {"state": JobState.DONE, "finished_at": machine_now(), "error": None}
        await _write(ctx, job, **({"due_at": again_at, "attempts": 0, "error": None} if again_at else done))
        CARRIED_OUT.labels(job.handler, "done").inc()


async def _give_up(ctx: Context, job: Claimed, error: str) -> None:
    """Ends a job that does not begin any more."""
    log.error("a job is given up", lender=ctx.lender.code, job=job.handler, id=str(job.id), error=error)
    await _write(ctx, job, state=JobState.FAILED, finished_at=machine_now(), error=error)
    CARRIED_OUT.labels(job.handler, "given_up").inc()


async def next_due(ctx: Context) -> datetime | None:
    """When the first waiting job of this lender is due; a leased one counts with the end of its lease."""
    query = select(func.min(Job.due_at)).where(Job.state == JobState.WAITING)
    async with ctx.ports.door.enter(ctx.lender) as connection:
        due_at: datetime | None = (await connection.execute(query)).scalar_one()
    return due_at


async def _failed(ctx: Context, job: Claimed, error: Exception) -> None:
    """The row keeps the kind of the error only: its text may hold what must not lie in a job."""
    values: dict[str, Any] = {"error": type(error).__name__}
    if job.attempts >= MOST_ATTEMPTS:
        values |= {"state": JobState.FAILED, "finished_at": machine_now()}
    else:
        values["due_at"] = machine_now() + min(timedelta(seconds=2**job.attempts), LONGEST_WAIT)
    await _write(ctx, job, **values)
    CARRIED_OUT.labels(job.handler, "failed").inc()


@asynccontextmanager
async def _leased(ctx: Context, job: Claimed) -> AsyncIterator[None]:
    """The lease is renewed within the block and not after it, when the job may be due at another time."""
    renewing = asyncio.create_task(_renew(ctx, job))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait({renewing})


async def _renew(ctx: Context, job: Claimed) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await _write(ctx, job, due_at=machine_now() + LEASE)
        except Exception as error:
            log.warning("a lease was not renewed", lender=ctx.lender.code, id=str(job.id), error=type(error).__name__)


async def _write(ctx: Context, job: Claimed, **values: Any) -> None:
    """Nothing when the lease ran out and another worker has the job in hand: its attempts are more then."""
    in_hand = (Job.id == job.id, Job.state == JobState.WAITING, Job.attempts == job.attempts)
    async with ctx.ports.door.enter(ctx.lender, write=True) as connection:
        await connection.execute(update(Job).where(*in_hand).values(**values))
