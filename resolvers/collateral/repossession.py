"""抵押担保 · Taking collateral over for the debt (F24): asked for, withdrawn, undone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import strawberry

from domain.collateral import repossession
from domain.collateral.repossession import Agreement
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.loan import preview as previews
from domain.lending.loan.explanation_of_rows import LinePlace
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.collateral.mortgage import Mortgage
from schema.collateral.repossession import (
    DisposeCollateralInput,
    RepossessedAsset,
    RepossessedAssetActionInput,
    RepossessedAssetConnection,
    RepossessedAssetFilter,
    RepossessedAssetPayload,
)
from schema.configuration.loan_product import ReceivableComponent
from schema.finance.receipt import AllocationLine
from schema.kernel import Money
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance


@strawberry.type
class RepossessionQueries:
    @reads(repossession.page)
    async def repossessed_assets(
        self,
        info: Info,
        filter: RepossessedAssetFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> RepossessedAssetConnection:
        """抵债资产 Assets taken over, or asked to be, that I may see, newest first."""
        wanted = filter or RepossessedAssetFilter()
        page = await repossession.page(
            await info.context.reading(),
            columns=RepossessedAsset.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            loan_id=key(wanted.loan_id, "Loan"),
        )
        return RepossessedAssetConnection.of(RepossessedAsset, page)


@strawberry.type
class RepossessionMutations:
    @mutation(repossession.request)
    async def dispose_collateral(
        self, info: Info, input: DisposeCollateralInput, preview: bool = False
    ) -> RepossessedAssetPayload:
        """以物抵债 Ask that a mortgaged asset is taken over for what a loan owes; it takes effect when others have approved it."""
        asked: dict[str, Any] = {
            "mortgage_id": key(input.mortgage_id, "Mortgage"),
            "loan_id": key(input.loan_id, "Loan"),
            "agreement": Agreement(
                amount=input.amount, agreed_on=input.agreed_on, agreement_number=input.agreement_number
            ),
        }
        if preview:
            found = await previews.of_request(info.context.ctx, repossession.request, **asked)
            return RepossessedAssetPayload(preview=shown(found))
        row = await repossession.request(info.context.ctx, **asked)
        return RepossessedAssetPayload(asset=RepossessedAsset.of(row))

    @mutation(repossession.withdraw)
    async def withdraw_repossession(self, info: Info, input: RepossessedAssetActionInput) -> RepossessedAssetPayload:
        """撤回抵债 Take a request back before it is decided."""
        row = await repossession.withdraw(info.context.ctx, asset_id=key(input.asset_id, "RepossessedAsset"))
        return RepossessedAssetPayload(asset=RepossessedAsset.of(row))

    @mutation(repossession.request_reversal)
    async def request_repossession_reversal(
        self, info: Info, input: RepossessedAssetActionInput
    ) -> RepossessedAssetPayload:
        """申请撤销抵债 Undo of a taking over by opposite entries, through its own four-eyes task; the mortgage stands again."""
        row = await repossession.request_reversal(
            info.context.ctx, asset_id=key(input.asset_id, "RepossessedAsset"), comment=input.comment
        )
        return RepossessedAssetPayload(asset=RepossessedAsset.of(row))


answers_by_key("RepossessedAsset.mortgage", Mortgage)
answers_by_key("RepossessedAsset.loan", Loan)
answers_by_key("RepossessedAsset.requested_by", Employee)
answers_by_key("RepossessedAsset.decided_by", Employee)


@answers("RepossessedAsset.allocation")
async def allocation(ctx: Context, asset_ids: list[UUID]) -> dict[UUID, list[AllocationLine]]:
    found = await repossession.paid(ctx, asset_ids)
    return {
        asset_id: [
            AllocationLine(
                installment_seq=line.seq,
                component=ReceivableComponent(str(line.component)),
                amount=Money(line.amount),
                place=LinePlace(one.event_id, number),
            )
            for number, line in enumerate(one.lines)
        ]
        for asset_id, one in found.items()
    }


@answers("RepossessedAsset.workflow")
async def workflow(ctx: Context, asset_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, asset_ids, WorkflowInstance.columns())
    return {asset_id: WorkflowInstance.of(row) for asset_id, row in found.items()}
