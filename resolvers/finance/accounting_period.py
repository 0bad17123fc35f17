"""会计期间 · Accounting periods: months and years of the books."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.finance import accounting_period
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, mutation, reads
from schema.finance.accounting_period import (
    AccountingPeriod,
    AccountingPeriodConnection,
    AccountingPeriodPayload,
    CloseMonthInput,
    CloseYearInput,
    ReopenMonthInput,
    ReopenYearInput,
)
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance


@strawberry.type
class AccountingPeriodQueries:
    @reads(accounting_period.page)
    async def accounting_periods(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> AccountingPeriodConnection:
        """会计期间 Months and years of the books, the latest first."""
        page = await accounting_period.page(
            await info.context.reading(), columns=AccountingPeriod.columns(), window=Window(first, after, last, before)
        )
        return AccountingPeriodConnection.of(AccountingPeriod, page)


@strawberry.type
class AccountingPeriodMutations:
    @mutation(accounting_period.close_month)
    async def close_month(self, info: Info, input: CloseMonthInput) -> AccountingPeriodPayload:
        """月结 Ask for closing a month: from then on nothing is dated into it. Another person decides."""
        row = await accounting_period.close_month(info.context.ctx, month=input.month)
        return AccountingPeriodPayload(period=AccountingPeriod.of(row))

    @mutation(accounting_period.reopen_month)
    async def reopen_month(self, info: Info, input: ReopenMonthInput) -> AccountingPeriodPayload:
        """反月结 Ask for reopening the month closed last. Another person decides."""
        row = await accounting_period.reopen_month(info.context.ctx, month=input.month, reason=input.reason)
        return AccountingPeriodPayload(period=AccountingPeriod.of(row))

    @mutation(accounting_period.close_year)
    async def close_year(self, info: Info, input: CloseYearInput) -> AccountingPeriodPayload:
        """年结 Ask for closing a year: income and expense go to 利润分配. Another person decides."""
        row = await accounting_period.close_year(info.context.ctx, year=input.year)
        return AccountingPeriodPayload(period=AccountingPeriod.of(row))

    @mutation(accounting_period.reopen_year)
    async def reopen_year(self, info: Info, input: ReopenYearInput) -> AccountingPeriodPayload:
        """反年结 Ask for reopening the year closed last, by opposite vouchers. Another person decides."""
        row = await accounting_period.reopen_year(info.context.ctx, year=input.year, reason=input.reason)
        return AccountingPeriodPayload(period=AccountingPeriod.of(row))


answers_by_key("AccountingPeriod.requested_by", Employee)
answers_by_key("AccountingPeriod.decided_by", Employee)


@answers("AccountingPeriod.unregistered_receipts")
async def unregistered_receipts(ctx: Context, period_ids: list[UUID]) -> dict[UUID, int]:
    return await accounting_period.unregistered(ctx, period_ids)


@answers("AccountingPeriod.workflow")
async def workflow(ctx: Context, period_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, period_ids, WorkflowInstance.columns())
    return {period_id: WorkflowInstance.of(row) for period_id, row in found.items()}
