"""贷后预警 · Early warnings (F31)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import strawberry

from domain.kernel.context import Context
from domain.kernel.feed_reading import FeedChange, Happened
from domain.kernel.paging import Window
from domain.post_loan import early_warning
from domain.post_loan.early_warning import AlertLevel as Level
from resolvers.kernel import Info, answers_by_key, key, mutation, reads
from resolvers.kernel.subscribing import cursor_at, follow, subscription
from schema.customers.customer import Customer
from schema.kernel import Cursor
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.post_loan.early_warning import (
    Alert,
    AlertConnection,
    AlertEvent,
    AlertFilter,
    AlertLevel,
    AlertPayload,
    AssignAlertInput,
    DisposeAlertInput,
    WarningRule,
)


@strawberry.type
class EarlyWarningQueries:
    @reads(early_warning.page)
    async def alerts(
        self,
        info: Info,
        filter: AlertFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> AlertConnection:
        """预警 Alerts on the loans I see, newest first."""
        wanted = filter or AlertFilter()
        page = await early_warning.page(
            await info.context.reading(),
            columns=Alert.columns(),
            window=Window(first, after, last, before),
            levels=wanted.levels,
            open=wanted.open,
        )
        return AlertConnection.of(Alert, page)

    @reads(early_warning.rules)
    async def warning_rules(self, info: Info) -> list[WarningRule]:
        """预警规则 When there is an alert and who is told; few, so no connection."""
        rows = await early_warning.rules(await info.context.reading(), columns=WarningRule.columns())
        return [WarningRule.of(row) for row in rows]


@strawberry.type
class EarlyWarningMutations:
    @mutation(early_warning.assign)
    async def assign_alert(self, info: Info, input: AssignAlertInput) -> AlertPayload:
        """指派预警 Say who is to dispose of an alert."""
        alert = await early_warning.assign(
            info.context.ctx,
            alert_id=key(input.alert_id, "Alert"),
            employee_id=key(input.employee_id, "Employee"),
        )
        return AlertPayload(alert=Alert.of(alert))

    @mutation(early_warning.dispose)
    async def dispose_alert(self, info: Info, input: DisposeAlertInput) -> AlertPayload:
        """处置预警 Write down what is done about an alert, and end it."""
        alert = await early_warning.dispose(
            info.context.ctx, alert_id=key(input.alert_id, "Alert"), state=input.state, remark=input.remark
        )
        return AlertPayload(alert=Alert.of(alert))


@strawberry.type
class EarlyWarningSubscriptions:
    @subscription(early_warning.page)
    def alert_raised(
        self, info: Info, after: Cursor | None = None, min_level: AlertLevel | None = None
    ) -> AsyncIterator[AlertEvent]:
        """新预警 Alerts that I am to know of, at least of this level (YELLOW when left out)."""
        least = (min_level or Level.YELLOW).rank

        async def deliver(ctx: Context, rows: list[Happened]) -> list[AlertEvent]:
            grave = [row for row in rows if Level(row.facts["level"]).rank >= least]
            return await _alert_events(ctx, [row for row in grave if early_warning.may_be_told(ctx, row.facts)])

        return follow(info.context, early_warning.KINDS, after, deliver)


async def _alert_events(ctx: Context, rows: list[Happened]) -> list[AlertEvent]:
    told = await early_warning.told(ctx, [row.subject_id for row in rows], Alert.columns()) if rows else {}
    return [
        AlertEvent(
            cursor=cursor_at(ctx, row.place),
            change=FeedChange.ADDED if row.kind == early_warning.RAISED else FeedChange.CHANGED,
            alert=Alert.of(told[row.subject_id]),
        )
        for row in rows
        if row.subject_id in told
    ]


answers_by_key("Alert.loan", Loan)
answers_by_key("Alert.customer", Customer)
answers_by_key("Alert.assignee", Employee)
