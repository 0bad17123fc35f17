"""后台任务 · A job row, written in the lender's schema in the transaction of its cause and taken by a worker later.

A handler loads by ids, calls one command and is safe to repeat. Payloads are ids and codes, never personal data. A row says
whose job it is and who asked for it: one that got into the schema of another lender (copied, restored in the wrong place) is
given up before it begins, and an id in a payload that is not this lender's is found nowhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.clock import machine_now
from domain.kernel.feed import Json
from domain.kernel.refusals import plain
from domain.kernel.table import TenantTable, choice, uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context


class JobState(StrEnum):
    """A job waits, is done, or was given up after its last attempt (`error` says why)."""

    WAITING = "WAITING"
    DONE = "DONE"
    FAILED = "FAILED"


class Job(TenantTable):
    """One thing to do later. `key` makes it unique, so the same cause asks for it once. `actor_id` asked for it; the system
    carries it out. Times are the machine's."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("key"), Index("ix_jobs_due", "state", "due_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    handler: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(200))
    lender_id: Mapped[UUID]
    actor_id: Mapped[UUID]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[JobState] = mapped_column(choice(JobState), default=JobState.WAITING)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


Handler = Callable[["Context", dict[str, Any]], Awaitable[datetime | None]]
HANDLERS: dict[str, Handler] = {}


def job(name: str) -> Callable[[Handler], Handler]:
    """Registers the handler of a kind of job. It gets an unbound system context and calls commands or opens its own
    transactions; it answers None when done, or a moment (the machine's clock) at which to look again."""

    def register(handler: Handler) -> Handler:
        if name in HANDLERS:
            raise ValueError(f"two handlers for the job {name}")
        HANDLERS[name] = handler
        return handler

    return register


async def enqueue(ctx: Context, handler: str, key: str, *, due_at: datetime | None = None, **payload: Any) -> None:
    """Asks for a job in this transaction; asking again under the same key changes nothing."""
    if handler not in HANDLERS:
        raise ValueError(f"no handler for the job {handler}")
    now = machine_now()
    due = due_at or now
    values = {
        "id": uuid7(), "handler": handler, "key": key, "lender_id": ctx.lender.id, "actor_id": ctx.actor.id,
        "payload": plain(payload), "state": JobState.WAITING, "due_at": due, "attempts": 0, "created_at": now,
    }  # fmt: skip
    await ctx.connection.execute(insert(Job).values(**values).on_conflict_do_nothing(index_elements=[Job.key]))
    ctx.bound.jobs_due.append(due)


async def resume(ctx: Context, key: str) -> bool:
    """Lets a job that was given up wait again, due now, as if it had not been tried yet; answers whether it was given up."""
    now = machine_now()
    given_up = update(Job).where(Job.key == key, Job.state == JobState.FAILED)
    anew = given_up.values(state=JobState.WAITING, due_at=now, attempts=0, error=None, finished_at=None)
    resumed = (await ctx.connection.execute(anew.returning(Job.id))).one_or_none() is not None
    if resumed:
        ctx.bound.jobs_due.append(now)
    return resumed
