"""动态 · The feed: one row for each thing that happened, written in the transaction of the command.

A place in the feed is `(xid, id)`, read only below `pg_snapshot_xmin`, so that concurrent commits lose nothing
(speed.md §4). Rows carry ids, codes and days, never personal data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from sqlalchemy import JSON, FetchedValue, Index, String, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from domain.kernel import bulk
from domain.kernel.refusals import plain
from domain.kernel.table import Keyed, TenantTable, uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context

Json = JSON().with_variant(JSONB(), "postgresql")


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id (xid8)."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class FeedRow(TenantTable):
    """What happened: `kind` is the event (`lending.interest_waiver.approved`), subject the row it happened to."""

    __tablename__ = "feed"
    __table_args__ = (Index("ix_feed_place", "xid", "id"),)
    grants: ClassVar[str] = "append"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    xid: Mapped[int] = mapped_column(
        TransactionId, server_default=text("pg_current_xact_id()"), server_onupdate=FetchedValue()
    )
    kind: Mapped[str] = mapped_column(String(100))
    subject_table: Mapped[str] = mapped_column(String(63))
    subject_id: Mapped[UUID]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    business_date: Mapped[date]
    at: Mapped[datetime]
    actor_id: Mapped[UUID]


def row(ctx: Context, kind: str, subject: Keyed, facts: dict[str, Any]) -> dict[str, Any]:
    """The values of one feed row."""
    return {
        "id": uuid7(),
        "kind": kind,
        "subject_table": subject.__tablename__,
        "subject_id": subject.id,
        "facts": plain(facts),
        "business_date": ctx.today,
        "at": ctx.now,
        "actor_id": ctx.actor.id,
    }


Hearer = Callable[["Context", list[dict[str, Any]]], Awaitable[None]]
HEARERS: list[Hearer] = []


def hears(function: Hearer) -> Hearer:
    """Registers who is told, before the commit and in the same transaction, which feed rows it is going to write."""
    HEARERS.append(function)
    return function


async def flush(ctx: Context) -> None:
    """Writes what was announced; the last statement before the commit."""
    if ctx.bound.feed:
        announced = list(ctx.bound.feed)
        for hear in HEARERS:
            await hear(ctx, announced)
        await bulk.insert(ctx, cast(Table, FeedRow.__table__), ctx.bound.feed)
