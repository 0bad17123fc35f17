"""客户 · The list of customers, and what both kinds lead to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.customers import customer_list
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.post_loan import customer_account
from resolvers.kernel import Info, answers, answers_by_key, key, reads
from schema.customers.customer import Customer, CustomerConnection, CustomerFilter, CustomerKind
from schema.customers.enterprise_customer import EnterpriseCustomer
from schema.customers.individual_customer import IndividualCustomer
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


answers_by_key("Customer.manager", Employee)
answers_by_key("Customer.co_manager", Employee)


@answers("Customer.mobile")
async def mobiles(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    return await customer_list.mobiles(ctx, customer_ids)


@answers("Customer.accounts")
async def accounts(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, list[CustomerAccount]]:
    found = await customer_account.by_customer(ctx, customer_ids, CustomerAccount.columns())
    return {owner: [CustomerAccount.of(row) for row in rows] for owner, rows in found.items()}
