"""企业客户 · Enterprise customers (F07)."""

from __future__ import annotations

import strawberry

from domain.customers import enterprise_customer
from resolvers.kernel import Info, mutation
from schema.customers.enterprise_customer import (
    CreateEnterpriseCustomerInput,
    CreateEnterpriseCustomerPayload,
    EnterpriseCustomer,
)


@strawberry.type
class EnterpriseCustomerMutations:
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
