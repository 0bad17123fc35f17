"""个人客户 · Individual customers (F08)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.customers import individual_customer
from domain.customers.consent import Consent
from domain.customers.individual_customer import Contact
from domain.customers.related_party import Party
from domain.kernel.context import Context
from resolvers.kernel import Info, answers, mutation
from schema.customers.individual_customer import (
    CreateIndividualCustomerInput,
    CreateIndividualCustomerPayload,
    IndividualCustomer,
)


@strawberry.type
class IndividualCustomerMutations:
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
            consents=[Consent(given.type, given.version) for given in input.consents or ()],
        )
        return CreateIndividualCustomerPayload(customer=IndividualCustomer.of(created))


@answers("IndividualCustomer.id_number")
async def id_numbers(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    return await individual_customer.id_numbers(ctx, customer_ids)
