"""客户 · Customers (F07, F08)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.customers import blacklist, consent, customer_list, enterprise_customer, individual_customer, related_party
from domain.customers.consent import Consent
from domain.customers.individual_customer import Contact
from domain.customers.related_party import Party
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.post_loan import customer_account
from resolvers.kernel import Info, answers, answers_by_key, key, mutation, reads
from schema.customers.customer import (
    AddRelatedPartyInput,
    BlacklistedParty,
    BlacklistPartyInput,
    BlacklistPayload,
    ConsentInput,
    ConsentPayload,
    ConsentRecord,
    CreateEnterpriseCustomerInput,
    CreateEnterpriseCustomerPayload,
    CreateIndividualCustomerInput,
    CreateIndividualCustomerPayload,
    Customer,
    CustomerConnection,
    CustomerFilter,
    CustomerKind,
    EnterpriseCustomer,
    IndividualCustomer,
    RecordConsentInput,
    RelatedParty,
    RelatedPartyPayload,
    UnblacklistPartyInput,
    WithdrawConsentInput,
)
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount

TYPES: dict[str, type[Customer]] = {
    CustomerKind.INDIVIDUAL: IndividualCustomer,
    CustomerKind.ENTERPRISE: EnterpriseCustomer,
}
COLUMNS = {column: None for made in TYPES.values() for column in made.columns()}
"""What the list selects: the columns of both kinds, each once."""


@strawberry.type
class CustomerQueries:
    @reads(customer_list.customers)
    async def customers(
        self,
        info: Info,
        filter: CustomerFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> CustomerConnection:
        """客户 Customers in the order of their names."""
        wanted = filter or CustomerFilter()
        page = await customer_list.customers(
            await info.context.reading(),
            columns=list(COLUMNS),
            wanted=customer_list.CustomerFilter(
                search=wanted.search,
                id_number=wanted.id_number,
                uscc=wanted.uscc,
                manager_id=key(wanted.manager_id, "Employee"),
            ),
            window=Window(first, after, last, before),
        )
        return CustomerConnection.over([TYPES[row.kind].of(row) for row in page.rows], page)


@strawberry.type
class CustomerMutations:
    @mutation(individual_customer.create)
    async def create_individual_customer(
        self, info: Info, input: CreateIndividualCustomerInput
    ) -> CreateIndividualCustomerPayload:
        """新建个人客户 Enter an individual customer; whoever enters one manages it."""
        spouse = input.spouse
        created = await individual_customer.create(
            info.context.ctx,
            name=input.name,
            id_number=input.id_number,
            mobile=input.mobile,
            address=input.address,
            region_code=input.region_code,
            farmer=bool(input.farmer),
            employer=input.employer,
            monthly_income=input.monthly_income,
            spouse=None if spouse is None else Party(spouse.name, id_number=spouse.id_number, mobile=spouse.mobile),
            emergency_contacts=[
                Contact(contact.name, contact.relation, contact.mobile) for contact in input.emergency_contacts or ()
            ],
            consents=[_consent(given) for given in input.consents or ()],
        )
        return CreateIndividualCustomerPayload(customer=IndividualCustomer.of(created))

    @mutation(enterprise_customer.create)
    async def create_enterprise_customer(
        self, info: Info, input: CreateEnterpriseCustomerInput
    ) -> CreateEnterpriseCustomerPayload:
        """新建企业客户 Enter an enterprise customer; whoever enters one manages it."""
        created = await enterprise_customer.create(
            info.context.ctx,
            name=input.name,
            uscc=input.uscc,
            legal_representative=input.legal_representative,
            legal_representative_id_number=input.legal_representative_id_number,
            mobile=input.mobile,
            region_code=input.region_code,
            industry_code=input.industry_code,
            registered_capital=input.registered_capital,
            controller_name=input.controller_name,
        )
        return CreateEnterpriseCustomerPayload(customer=EnterpriseCustomer.of(created))

    @mutation(consent.record)
    async def record_consent(self, info: Info, input: RecordConsentInput) -> ConsentPayload:
        """记录授权 Record one more consent of a customer."""
        recorded = await consent.record(
            info.context.ctx,
            customer_id=key(input.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
            consent=_consent(input.consent),
        )
        return ConsentPayload(consent=ConsentRecord.of(recorded))

    @mutation(consent.withdraw)
    async def withdraw_consent(self, info: Info, input: WithdrawConsentInput) -> ConsentPayload:
        """撤回授权 A customer takes a consent back."""
        withdrawn = await consent.withdraw(info.context.ctx, consent_id=key(input.consent_id, "ConsentRecord"))
        return ConsentPayload(consent=ConsentRecord.of(withdrawn))

    @mutation(related_party.create)
    async def add_related_party(self, info: Info, input: AddRelatedPartyInput) -> RelatedPartyPayload:
        """新增关联方 Name a related party of a customer."""
        added = await related_party.create(
            info.context.ctx,
            customer_id=key(input.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
            relation=input.relation,
            party=Party(input.name, id_number=input.id_number, uscc=input.uscc, share=input.share),
        )
        return RelatedPartyPayload(related_party=RelatedParty.of(added))

    @mutation(blacklist.add)
    async def blacklist_party(self, info: Info, input: BlacklistPartyInput) -> BlacklistPayload:
        """列入黑名单 Refuse a party from now on."""
        listed = await blacklist.add(
            info.context.ctx,
            name=input.name,
            id_number=input.id_number,
            uscc=input.uscc,
            reason=input.reason,
            until=input.until,
        )
        return BlacklistPayload(party=BlacklistedParty.of(listed))

    @mutation(blacklist.remove)
    async def unblacklist_party(self, info: Info, input: UnblacklistPartyInput) -> BlacklistPayload:
        """移出黑名单 Take a party off the list."""
        removed = await blacklist.remove(info.context.ctx, party_id=key(input.party_id, "BlacklistedParty"))
        return BlacklistPayload(party=BlacklistedParty.of(removed))


def _consent(given: ConsentInput) -> Consent:
    return Consent(given.type, given.version)


answers_by_key("Customer.manager", Employee)
answers_by_key("Customer.co_manager", Employee)


@answers("Customer.mobile")
async def mobiles(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    return await customer_list.mobiles(ctx, customer_ids)


@answers("IndividualCustomer.id_number")
async def id_numbers(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    return await individual_customer.id_numbers(ctx, customer_ids)


@answers("Customer.accounts")
async def accounts(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, list[CustomerAccount]]:
    found = await customer_account.by_customer(ctx, customer_ids, CustomerAccount.columns())
    return {owner: [CustomerAccount.of(row) for row in rows] for owner, rows in found.items()}


@answers("Customer.related_parties")
async def related_parties(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, list[RelatedParty]]:
    found = await related_party.by_customer(ctx, customer_ids, RelatedParty.columns())
    return {owner: [RelatedParty.of(row) for row in rows] for owner, rows in found.items()}


@answers("Customer.consents")
async def consents(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, list[ConsentRecord]]:
    found = await consent.by_customer(ctx, customer_ids, ConsentRecord.columns())
    return {owner: [ConsentRecord.of(row) for row in rows] for owner, rows in found.items()}
