"""拨备 · Provision for loan losses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from domain.calculation.money import yuan
from domain.finance import provision
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, mutation, reads
from schema.finance.provision import (
    ProvisionFigures,
    ProvisionItem,
    ProvisionItemConnection,
    ProvisionRun,
    ProvisionRunConnection,
    ProvisionRunPayload,
    RunProvisionInput,
)
from schema.kernel import Date, Money, Rate
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance


@strawberry.type
class ProvisionQueries:
    @reads(provision.of_month)
    async def provisions(self, info: Info, month: Date) -> ProvisionRun | None:
        """拨备 The run that counts for a month (any day of it): the one booked last; null where none is."""
        row = await provision.of_month(await info.context.reading(), columns=ProvisionRun.columns(), month=month)
        return ProvisionRun.of(row) if row else None

    @reads(provision.runs)
    async def provision_runs(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ProvisionRunConnection:
        """拨备计提 All runs, newest first."""
        window = Window(first, after, last, before)
        page = await provision.runs(await info.context.reading(), columns=ProvisionRun.columns(), window=window)
        return ProvisionRunConnection.of(ProvisionRun, page)

    @reads(provision.preview)
    async def provision_preview(self, info: Info, month: Date) -> ProvisionFigures | None:
        """拨备试算 What a run of this month would book now; nothing is written. Null for a month to come."""
        found = await provision.preview(await info.context.reading(), month)
        return _shown(found) if found else None


@strawberry.type
class ProvisionMutations:
    @mutation(provision.run)
    async def run_provision(self, info: Info, input: RunProvisionInput) -> ProvisionRunPayload:
        """计提拨备 Propose the run of a month; it is booked when another person has agreed."""
        row = await provision.run(info.context.ctx, month=input.month, reason=input.reason)
        return ProvisionRunPayload(run=ProvisionRun.of(row))


def _shown(found: provision.ProvisionFigures) -> ProvisionFigures:
    whole = found.portfolio
    return ProvisionFigures(
        policy=found.policy,
        as_of=found.as_of,
        principal=_money(whole.principal),
        npl_principal=_money(whole.npl_principal),
        general_required=_money(whole.general_required),
        specific_required=_money(whole.specific_required),
        required=_money(whole.required),
        additional=_money(found.additional),
        booked_before=_money(found.booked_before),
        change=_money(found.change),
        booked=_money(found.booked_before + found.change),
        npl_ratio=_rate(whole.npl_ratio),
        provision_coverage_ratio=_rate(whole.provision_coverage_ratio),
        loan_provision_ratio=_rate(whole.loan_provision_ratio),
        adequacy_ratio=_rate(whole.adequacy_ratio),
    )


def _money(fen: int) -> Money:
    return Money(yuan(fen))


def _rate(ratio: Decimal | None) -> Rate | None:
    return None if ratio is None else Rate(ratio)


answers_by_key("ProvisionItem.loan", Loan)
answers_by_key("ProvisionRun.requested_by", Employee)


@answers("ProvisionRun.figures")
async def figures(ctx: Context, run_ids: list[UUID]) -> dict[UUID, ProvisionFigures]:
    return {run_id: _shown(found) for run_id, found in (await provision.figures_by_run(ctx, run_ids)).items()}


@answers("ProvisionRun.items")
async def items(
    ctx: Context, run_ids: list[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, ProvisionItemConnection]:
    found = await provision.items_by_run(ctx, run_ids, Window(first, after))
    return {
        run_id: ProvisionItemConnection.over([_item(row) for row in page.rows], page) for run_id, page in found.items()
    }


def _item(row: Any) -> ProvisionItem:
    return ProvisionItem(
        five_class=row.five_class,
        principal=row.principal,
        general=row.general,
        specific=row.specific,
        loan_id=row.loan_id,
    )


@answers("ProvisionRun.workflow")
async def workflow(ctx: Context, run_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, run_ids, WorkflowInstance.columns())
    return {run_id: WorkflowInstance.of(row) for run_id, row in found.items()}
