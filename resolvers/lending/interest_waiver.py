"""利息减免 · Interest waiver (F14)."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending import interest_waiver
from domain.lending.loan import preview as previews
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.lending.interest_waiver import (
    InterestWaiver,
    InterestWaiverActionInput,
    InterestWaiverConnection,
    InterestWaiverFilter,
    InterestWaiverPayload,
    RequestInterestWaiverInput,
)
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance


@strawberry.type
class InterestWaiverQueries:
    @reads(interest_waiver.page)
    async def interest_waivers(
        self,
        info: Info,
        filter: InterestWaiverFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> InterestWaiverConnection:
        """利息减免 Waivers that I may see, newest first."""
        wanted = filter or InterestWaiverFilter()
        page = await interest_waiver.page(
            await info.context.reading(),
            columns=InterestWaiver.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            loan_id=key(wanted.loan_id, "Loan"),
        )
        return InterestWaiverConnection.of(InterestWaiver, page)


@strawberry.type
class InterestWaiverMutations:
    @mutation(interest_waiver.request)
    async def request_interest_waiver(
        self, info: Info, input: RequestInterestWaiverInput, preview: bool = False
    ) -> InterestWaiverPayload:
        """申请利息减免 Ask for a waiver; it takes effect when others have approved it."""
        asked = vars(input) | {"loan_id": key(input.loan_id, "Loan")}
        if preview:
            found = await previews.of_request(info.context.ctx, interest_waiver.request, **asked)
            return InterestWaiverPayload(preview=shown(found))
        row = await interest_waiver.request(info.context.ctx, **asked)
        return InterestWaiverPayload(waiver=InterestWaiver.of(row))

    @mutation(interest_waiver.withdraw)
    async def withdraw_interest_waiver(self, info: Info, input: InterestWaiverActionInput) -> InterestWaiverPayload:
        """撤回利息减免 Take an own request back before it is decided."""
        row = await interest_waiver.withdraw(info.context.ctx, waiver_id=key(input.waiver_id, "InterestWaiver"))
        return InterestWaiverPayload(waiver=InterestWaiver.of(row))


answers_by_key("InterestWaiver.loan", Loan)
answers_by_key("InterestWaiver.requested_by", Employee)


@answers("InterestWaiver.workflow")
async def workflow(ctx: Context, waiver_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, waiver_ids, WorkflowInstance.columns())
    return {waiver_id: WorkflowInstance.of(row) for waiver_id, row in found.items()}
