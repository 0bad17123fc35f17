"""抵押担保 · Mortgages (F24): made, registered, released."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.collateral import mortgage
from domain.collateral.mortgage import Asset, Wanted
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, mutation, reads
from schema.collateral.mortgage import (
    CreateMortgageInput,
    Mortgage,
    MortgageConnection,
    MortgageFilter,
    MortgagePayload,
    MortgageStanding,
    RegisterMortgageInput,
    RequestMortgageReleaseInput,
)
from schema.customers.customer import Customer
from schema.kernel import Money
from schema.lending.loan_contract import LoanContract
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

CUSTOMERS = ("IndividualCustomer", "EnterpriseCustomer")


@strawberry.type
class MortgageQueries:
    @reads(mortgage.page)
    async def mortgages(
        self,
        info: Info,
        filter: MortgageFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> MortgageConnection:
        """抵押 Mortgages that I may see, newest first."""
        asked = filter or MortgageFilter()
        page = await mortgage.page(
            await info.context.reading(),
            columns=Mortgage.columns(),
            window=Window(first, after, last, before),
            wanted=Wanted(
                states=asked.states,
                certificate_number=asked.certificate_number,
                contract_id=key(asked.contract_id, "LoanContract"),
                loan_id=key(asked.loan_id, "Loan"),
                customer_id=key(asked.customer_id, *CUSTOMERS),
            ),
        )
        return MortgageConnection.of(Mortgage, page)


@strawberry.type
class MortgageMutations:
    @mutation(mortgage.create)
    async def create_mortgage(self, info: Info, input: CreateMortgageInput) -> MortgagePayload:
        """新增抵押 An asset secures a contract; it is effective when another person has registered it."""
        asset = Asset(
            asset_type=input.asset_type,
            owner=input.owner,
            certificate_number=input.certificate_number,
            secured_amount=input.secured_amount,
            appraised_value=input.appraised_value,
            appraised_on=input.appraised_on,
        )
        row = await mortgage.create(
            info.context.ctx,
            asset=asset,
            contract_id=key(input.contract_id, "LoanContract"),
            loan_id=key(input.loan_id, "Loan"),
        )
        return MortgagePayload(mortgage=Mortgage.of(row))

    @mutation(mortgage.register)
    async def register_mortgage(self, info: Info, input: RegisterMortgageInput) -> MortgagePayload:
        """抵押登记 Enter the registration of a mortgage that somebody else made; from then on it is effective."""
        row = await mortgage.register(
            info.context.ctx,
            mortgage_id=key(input.mortgage_id, "Mortgage"),
            registration_number=input.registration_number,
            registered_on=input.registered_on,
        )
        return MortgagePayload(mortgage=Mortgage.of(row))

    @mutation(mortgage.request_release)
    async def request_mortgage_release(self, info: Info, input: RequestMortgageReleaseInput) -> MortgagePayload:
        """申请解押 Ask that a mortgage is released; it takes effect when others have approved it."""
        row = await mortgage.request_release(
            info.context.ctx, mortgage_id=key(input.mortgage_id, "Mortgage"), comment=input.comment
        )
        return MortgagePayload(mortgage=Mortgage.of(row))


answers_by_key("Mortgage.contract", LoanContract)
answers_by_key("Mortgage.customer", Customer)
answers_by_key("Mortgage.maker", Employee)
answers_by_key("Mortgage.registered_by", Employee)


@answers("Mortgage.standing")
async def standing(ctx: Context, mortgage_ids: list[UUID]) -> dict[UUID, MortgageStanding]:
    found = await mortgage.standing(ctx, mortgage_ids)
    return {key: MortgageStanding(rank=one.rank, cover=Money(one.cover)) for key, one in found.items()}


@answers("Mortgage.workflow")
async def workflow(ctx: Context, mortgage_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, mortgage_ids, WorkflowInstance.columns())
    return {mortgage_id: WorkflowInstance.of(row) for mortgage_id, row in found.items()}
