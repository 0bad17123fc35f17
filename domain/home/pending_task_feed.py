"""待办推送 · What happens to tasks, as one person is told: added to, changed in, or gone from his pending tasks.

A task that a colleague takes is gone for all others it was offered to. Who was excluded is never told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Uuid, all_, literal, select

from domain.home.pending_task import Task, TaskOffer
from domain.kernel.feed_reading import FeedChange, Happened
from domain.kernel.scope import offered_to

if TYPE_CHECKING:
    from domain.kernel.context import Context

ADDED, CHANGED, REMOVED = (f"home.pending_task.{what}" for what in ("added", "changed", "removed"))
KINDS = frozenset({ADDED, CHANGED, REMOVED})


def change_for(person: UUID, happened: Happened) -> FeedChange | None:
    """What a row of the feed means for somebody the task was offered to; None when it is nothing to him."""

    def waits_for_him(assignee: str | None) -> bool:
        return assignee is None or assignee == str(person)

    before = happened.kind != ADDED and waits_for_him(happened.facts.get("was_with"))
    after = happened.kind != REMOVED and waits_for_him(happened.facts.get("assignee_id"))
    if before and after:
        return FeedChange.CHANGED
    if after:
        return FeedChange.ADDED
    return FeedChange.REMOVED if before else None


async def offered(ctx: Context, task_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """Those of the tasks that were ever offered to the actor, open or not, and that he is not excluded from."""
    offers = TaskOffer.__table__.c
    named = select(offers.task_id).where(offers.task_id.in_(task_ids), offered_to(ctx, offers))
    allowed = literal(ctx.actor.id, Uuid()) != all_(Task.excluded)
    statement = select(*columns, Task.id.label("__id")).where(Task.id.in_(named), allowed)
    return {row._mapping["__id"]: row for row in (await ctx.connection.execute(statement)).all()}
