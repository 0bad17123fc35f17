"""数据统计 · Statistics (F02)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import aclosing
from typing import Any

import strawberry

from domain.home import pending_task, statistics
from domain.kernel.context import Context, DataScope
from resolvers.kernel import Info, Operation, key, reads
from resolvers.kernel.subscribing import Live, subscription
from schema.home.statistics import ClassShare, Statistics, StatisticsFilter


@strawberry.type
class StatisticsQueries:
    @reads(statistics.of_day)
    async def statistics(self, info: Info, filter: StatisticsFilter | None = None) -> Statistics:
        """数据统计 The loans I see, in figures of one day."""
        ctx = await info.context.reading()
        found = await statistics.of_day(ctx, **_wanted(filter))
        return _shown(found, await pending_task.pending_count(ctx))


@strawberry.type
class StatisticsSubscriptions:
    @subscription(statistics.of_day)
    def statistics_changed(self, info: Info, filter: StatisticsFilter | None = None) -> AsyncIterator[Statistics]:
        """数据统计 The current figures at once, then again as they change, at most once a second."""
        return _as_they_change(info.context, _wanted(filter))


async def _as_they_change(operation: Operation, wanted: dict[str, Any]) -> AsyncIterator[Statistics]:
    live: Live = operation.ports.live
    lender = operation.ctx.lender

    async def compute() -> statistics.Statistics:
        async with live.turn(), operation.ctx.reading() as ctx:
            return await statistics.of_day(ctx, **wanted)

    told: Statistics | None = None
    async with aclosing(live.changes(lender, statistics.MODULES)) as changes:
        async for _ in changes:
            found = await live.shared(lender, _view(operation.ctx, wanted), compute)
            async with live.turn(), operation.ctx.reading() as ctx:
                current = _shown(found, await pending_task.pending_count(ctx))
            if current != told:
                yield current
                told = current


def _view(ctx: Context, wanted: dict[str, Any]) -> Hashable:
    """Viewers who see the same loans share the figures: all who see the whole lender do."""
    viewer = None if ctx.actor.scope is DataScope.TENANT else ctx.actor.id
    return "statistics", viewer, *wanted.values()


def _wanted(filter: StatisticsFilter | None) -> dict[str, Any]:
    asked = filter or StatisticsFilter()
    return {"on": asked.on, "known_at": asked.known_at, "department_id": key(asked.department_id, "Department")}


def _shown(found: statistics.Statistics, pending_task_count: int) -> Statistics:
    shares = [ClassShare(**vars(share)) for share in found.by_class]
    return Statistics(**vars(found) | {"by_class": shares}, pending_task_count=pending_task_count)
