"""客户银行卡 · Customer account (F27)."""

from __future__ import annotations

import strawberry

from domain.post_loan import customer_account
from resolvers.kernel import Info, key, mutation
from schema.post_loan.customer_account import (
    CreateCustomerAccountInput,
    CreateCustomerAccountPayload,
    CustomerAccount,
)


@strawberry.type
class CustomerAccountMutations:
    @mutation(customer_account.create)
    async def create_customer_account(
        self, info: Info, input: CreateCustomerAccountInput
    ) -> CreateCustomerAccountPayload:
        """新增客户银行卡 Enter an account of a customer."""
        created = await customer_account.create(
            info.context.ctx,
            customer_id=key(input.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
            holder=input.holder,
            account_number=input.account_number,
            bank=input.bank,
            purposes=input.purposes,
        )
        return CreateCustomerAccountPayload(account=CustomerAccount.of(created))
