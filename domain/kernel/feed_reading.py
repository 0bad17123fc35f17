"""读动态 · Reading the feed in commit order: a place is `(transaction id, row id)`, read only where nothing can come before it.

Rows become readable when every older transaction has ended (`pg_snapshot_xmin`), so whoever goes on from the last place he
saw misses nothing and sees nothing twice, whatever the order in which transactions commit (speed.md §4).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, cast, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.kernel.feed import FeedRow

NO_ROW = UUID(int=0)


class FeedChange(StrEnum):
    """What an event means for the list of whoever is told."""

    ADDED = "ADDED"
    """新增 Comes onto the list."""
    CHANGED = "CHANGED"
    """变更 Stays on the list, and changed."""
    REMOVED = "REMOVED"
    """移除 Leaves the list."""


class Place(NamedTuple):
    """A place in a lender's feed; places compare in the order of the feed."""

    xid: int
    id: UUID


@dataclass(frozen=True, slots=True)
class Happened:
    """One row of the feed as readers need it."""

    place: Place
    kind: str
    subject_id: UUID
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a follower begins: behind a place. From now on, rows that were committed already but wait for an older
    transaction lie behind it too: they are left out."""

    place: Place
    next_xid: int = 0
    running: frozenset[int] = frozenset()

    def leaves_out(self, row: Happened) -> bool:
        """Had this row been committed before?"""
        return row.place.xid < self.next_xid and row.place.xid not in self.running


@dataclass(frozen=True, slots=True)
class Read:
    """Rows in order. `held_back`: more are committed but wait for an older transaction, so it pays to look again soon."""

    rows: list[Happened]
    held_back: bool


_PRESENT = text("select cast(pg_current_snapshot() as text)")  # xmin:xmax:running,running …
_AFTER = text("(feed.xid, feed.id) > (cast(cast(:after_xid as text) as xid8), cast(:after_id as uuid))")
_ROW = FeedRow.__table__.c
_COLUMNS: tuple[Any, ...] = (
    cast(_ROW.xid, String).label("xid"),
    _ROW.id,
    _ROW.kind,
    _ROW.subject_id,
    _ROW.facts,
    literal_column("feed.xid < pg_snapshot_xmin(pg_current_snapshot())").label("settled"),
)


async def present(connection: AsyncConnection) -> Beginning:
    """From now on: from the moment of the snapshot in hand."""
    oldest, following, running = (await connection.execute(_PRESENT)).scalar_one().split(":")
    return Beginning(Place(int(oldest), NO_ROW), int(following), frozenset(map(int, filter(None, running.split(",")))))


async def read(connection: AsyncConnection, after: Place, most: int, kinds: Collection[str] | None = None) -> Read:
    """At most `most` rows behind a place (of some kinds only, if given)."""
    statement = select(*_COLUMNS).where(_AFTER).order_by(_ROW.xid, _ROW.id).limit(most)
    if kinds is not None:
        statement = statement.where(_ROW.kind.in_(kinds))
    found = (await connection.execute(statement, {"after_xid": str(after.xid), "after_id": str(after.id)})).all()
    rows = [
        Happened(Place(int(row.xid), row.id), row.kind, row.subject_id, row.facts or {}) for row in found if row.settled
    ]
    return Read(rows, len(rows) < len(found))
