"""循环贷款业务 · Revolving loans (F11)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.revolving_loan import drawdown, freezing, limit, outcome, queries, request, review
from domain.lending.revolving_loan.terms import FacilityTerms
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, by_keys, key, mutation, reads
from schema.configuration.loan_product import LoanProduct
from schema.customers.customer import Customer
from schema.kernel import ID, Money, Rate, SortDirection
from schema.lending.facility_input import (
    ApplyCreditFacilityInput,
    ChangeCreditLimitInput,
    CreditFacilityActionInput,
    CreditFacilityFilter,
    CreditFacilityOrder,
    CreditFacilityTermsInput,
    DrawDownInput,
    FreezeCreditFacilityInput,
    ResubmitCreditFacilityInput,
    ReviewCreditFacilityInput,
    UnfreezeCreditFacilityInput,
)
from schema.lending.loan import Loan, LoanConnection
from schema.lending.loan_application import LoanApplication, LoanApplicationConnection
from schema.lending.revolving_loan import (
    CreditFacility,
    CreditFacilityConnection,
    CreditFacilityPayload,
    CreditFacilityTotals,
    DrawDownPayload,
    FacilityEvent,
    FacilityEventConnection,
    FacilityOrderField,
    FacilityRequest,
    FacilityReview,
    FacilityUsage,
)
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

__all__ = ["RevolvingLoanMutations", "RevolvingLoanQueries", "outcome"]  # importing `outcome` says what decisions mean

CUSTOMERS = ("IndividualCustomer", "EnterpriseCustomer")
BY_NUMBER = CreditFacilityOrder(field=FacilityOrderField.NUMBER)


@strawberry.type
class RevolvingLoanQueries:
    @reads(queries.facilities)
    async def credit_facilities(
        self,
        info: Info,
        filter: CreditFacilityFilter | None = None,
        order_by: CreditFacilityOrder | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> CreditFacilityConnection:
        """授信 Facilities that I may see, by default the latest number first."""
        order = order_by or BY_NUMBER
        page = await queries.facilities(
            await info.context.reading(),
            columns=CreditFacility.columns(),
            wanted=_wanted(filter or CreditFacilityFilter()),
            order=order.field,
            descending=order.direction is SortDirection.DESC,
            window=Window(first, after, last, before),
        )
        return CreditFacilityConnection.of(CreditFacility, page)

    @reads(queries.totals)
    async def credit_facility_totals(
        self, info: Info, filter: CreditFacilityFilter | None = None
    ) -> CreditFacilityTotals:
        """授信合计 The sums over all facilities that I may see and the filter leaves."""
        found = await queries.totals(await info.context.reading(), wanted=_wanted(filter or CreditFacilityFilter()))
        return CreditFacilityTotals(
            count=found.count,
            limit=Money(found.credit_limit),
            used=Money(found.used),
            in_approval=Money(found.in_approval),
            available=Money(found.available),
        )

    @reads(queries.one)
    async def credit_facility(
        self, info: Info, id: ID | None = None, number: str | None = None
    ) -> CreditFacility | None:
        """授信 One facility by its id or its number; null when there is none, or none for this viewer."""
        ctx, wanted = await info.context.reading(), key(id, "CreditFacility")
        row = await queries.one(ctx, columns=CreditFacility.columns(), facility_id=wanted, number=number)
        return CreditFacility.of(row) if row else None


def _wanted(asked: CreditFacilityFilter) -> queries.FacilityFilter:
    dates = {
        name: (given.from_, given.to) if (given := getattr(asked, name)) else (None, None)
        for name in ("ends_on", "next_review_on")
    }
    return queries.FacilityFilter(
        search=asked.search,
        states=asked.states,
        causes=asked.frozen_causes,
        customer_id=key(asked.customer_id, *CUSTOMERS),
        product_id=key(asked.product_id, "LoanProduct"),
        manager_id=key(asked.manager_id, "Employee"),
        credit_limit=(asked.limit.min, asked.limit.max) if asked.limit else (None, None),
        min_usage_rate=asked.min_usage_rate,
        **dates,
    )


@strawberry.type
class RevolvingLoanMutations:
    @mutation(request.apply)
    async def apply_credit_facility(self, info: Info, input: ApplyCreditFacilityInput) -> CreditFacilityPayload:
        """申请授信 Ask for a facility; it comes into force when others have approved it."""
        row = await request.apply(
            info.context.ctx,
            customer_id=key(input.customer_id, *CUSTOMERS),
            product_id=key(input.product_id, "LoanProduct"),
            terms=_terms(input),
            idempotency_key=input.idempotency_key,
        )
        return CreditFacilityPayload(facility=CreditFacility.of(row))

    @mutation(request.resubmit)
    async def resubmit_credit_facility(self, info: Info, input: ResubmitCreditFacilityInput) -> CreditFacilityPayload:
        """重新提交授信 Ask again for a facility that was given back."""
        row = await request.resubmit(
            info.context.ctx,
            facility_id=key(input.facility_id, "CreditFacility"),
            expected_version=input.expected_version,
            terms=_terms(input),
        )
        return CreditFacilityPayload(facility=CreditFacility.of(row))

    @mutation(request.withdraw)
    async def withdraw_credit_facility(self, info: Info, input: CreditFacilityActionInput) -> CreditFacilityPayload:
        """撤回授信申请 Take back what waits for a decision: the facility, or the request about it."""
        row = await request.withdraw(info.context.ctx, facility_id=key(input.facility_id, "CreditFacility"))
        return CreditFacilityPayload(facility=CreditFacility.of(row))

    @mutation(drawdown.draw_down)
    async def draw_down(self, info: Info, input: DrawDownInput) -> DrawDownPayload:
        """支用 Draw on a facility: an application in approval, whose contract, pay-out and loan follow as for any other."""
        row = await drawdown.draw_down(
            info.context.ctx,
            facility_id=key(input.facility_id, "CreditFacility"),
            amount=input.amount,
            periods=input.periods,
            method=input.method,
            purpose_code=input.purpose_code,
            purpose=input.purpose,
            repayment_source=input.repayment_source,
            idempotency_key=input.idempotency_key,
        )
        # Whoever draws on a facility sees it.
        ctx = await info.context.reading()
        found: Any = await by_keys(ctx, CreditFacility, [row.facility_id] if row.facility_id else [], scoped=False)
        return DrawDownPayload(application=LoanApplication.of(row), facility=next(iter(found.values()), None))

    @mutation(request.change_limit)
    async def change_credit_limit(self, info: Info, input: ChangeCreditLimitInput) -> CreditFacilityPayload:
        """额度调整 Ask for another limit; it holds when others have approved it."""
        row = await request.change_limit(
            info.context.ctx,
            facility_id=key(input.facility_id, "CreditFacility"),
            new_limit=input.new_limit,
            reason=input.reason,
        )
        return CreditFacilityPayload(facility=CreditFacility.of(row))

    @mutation(freezing.freeze)
    async def freeze_credit_facility(self, info: Info, input: FreezeCreditFacilityInput) -> CreditFacilityPayload:
        """冻结授信 Stop drawing at once; what was drawn runs on."""
        row = await freezing.freeze(
            info.context.ctx, facility_id=key(input.facility_id, "CreditFacility"), reason=input.reason
        )
        return CreditFacilityPayload(facility=CreditFacility.of(row))

    @mutation(request.unfreeze)
    async def unfreeze_credit_facility(self, info: Info, input: UnfreezeCreditFacilityInput) -> CreditFacilityPayload:
        """解冻授信 Ask for the end of a freeze; it ends when others have approved it."""
        row = await request.unfreeze(
            info.context.ctx,
            facility_id=key(input.facility_id, "CreditFacility"),
            reason=input.reason,
            papers_valid_until=input.papers_valid_until,
        )
        return CreditFacilityPayload(facility=CreditFacility.of(row))

    @mutation(review.review)
    async def review_credit_facility(self, info: Info, input: ReviewCreditFacilityInput) -> CreditFacilityPayload:
        """授信年审 File the annual review of a facility that others brought about, and do what it says."""
        row = await review.review(
            info.context.ctx,
            facility_id=key(input.facility_id, "CreditFacility"),
            opinion=input.opinion,
            outcome=input.outcome,
            new_limit=input.new_limit,
            next_review_on=input.next_review_on,
            papers_valid_until=input.papers_valid_until,
        )
        return CreditFacilityPayload(facility=CreditFacility.of(row))


def _terms(input: CreditFacilityTermsInput) -> FacilityTerms:
    """The input's fields bear the names of the terms, but for the limit, which is a word of SQL."""
    said = {part.name: getattr(input, part.name) for part in fields(FacilityTerms) if part.name != "credit_limit"}
    return FacilityTerms(credit_limit=input.limit, **said)


answers_by_key("CreditFacility.customer", Customer)
answers_by_key("CreditFacility.product", LoanProduct)
answers_by_key("CreditFacility.maker", Employee)
answers_by_key("CreditFacility.account_manager", Employee)
answers_by_key("CreditFacility.co_manager", Employee)
answers_by_key("FacilityRequest.requested_by", Employee)
answers_by_key("FacilityReview.reviewed_by", Employee)
answers_by_key("FacilityEvent.actor", Employee)
answers_by_key("LoanApplication.facility", CreditFacility)


@answers("CreditFacility.usage")
async def usage(ctx: Context, facility_ids: list[UUID]) -> dict[UUID, FacilityUsage]:
    found = await limit.usages(ctx, facility_ids)
    return {
        facility_id: FacilityUsage(
            used=Money(counted.used),
            in_approval=Money(counted.in_approval),
            available=Money(counted.available),
            rate=Rate(counted.rate),
        )
        for facility_id, counted in found.items()
    }


@answers("CreditFacility.available")
async def available(ctx: Context, facility_ids: list[UUID]) -> dict[UUID, Money]:
    found = await limit.usages(ctx, facility_ids)
    return {facility_id: Money(counted.available) for facility_id, counted in found.items()}


@answers("CreditFacility.workflow")
async def workflow(ctx: Context, facility_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, facility_ids, WorkflowInstance.columns())
    return {facility_id: WorkflowInstance.of(row) for facility_id, row in found.items()}


@answers("CreditFacility.requests")
async def requests(ctx: Context, facility_ids: list[UUID]) -> dict[UUID, list[FacilityRequest]]:
    found = await queries.requests_of(ctx, facility_ids, FacilityRequest.columns())
    return {facility_id: [FacilityRequest.of(row) for row in rows] for facility_id, rows in found.items()}


@answers("CreditFacility.reviews")
async def reviews(ctx: Context, facility_ids: list[UUID]) -> dict[UUID, list[FacilityReview]]:
    found = await queries.reviews_of(ctx, facility_ids, FacilityReview.columns())
    return {facility_id: [FacilityReview.of(row) for row in rows] for facility_id, rows in found.items()}


@answers("CreditFacility.drawdowns")
async def drawdowns(
    ctx: Context, facility_ids: list[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, LoanApplicationConnection]:
    found = await queries.drawdowns_of(ctx, facility_ids, LoanApplication.columns(), Window(first, after))
    return {key_: LoanApplicationConnection.of(LoanApplication, page) for key_, page in found.items()}


@answers("CreditFacility.loans")
async def loans(
    ctx: Context, facility_ids: list[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, LoanConnection]:
    found = await queries.loans_of(ctx, facility_ids, Loan.columns(), Window(first, after))
    return {facility_id: LoanConnection.of(Loan, page) for facility_id, page in found.items()}


@answers("CreditFacility.history")
async def history(
    ctx: Context, facility_ids: list[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, FacilityEventConnection]:
    found = await queries.history_of(ctx, facility_ids, FacilityEvent.columns(), Window(first, after))
    return {facility_id: FacilityEventConnection.of(FacilityEvent, page) for facility_id, page in found.items()}


@answers("Loan.facility")
async def facility_of_loan(ctx: Context, contract_ids: list[UUID]) -> dict[UUID, CreditFacility]:
    found = await queries.of_contracts(ctx, contract_ids, CreditFacility.columns())
    return {contract_id: CreditFacility.of(row) for contract_id, row in found.items()}
