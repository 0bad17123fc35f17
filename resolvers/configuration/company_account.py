"""公司账户 · Company account (F39)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import strawberry

from domain.configuration import company_account
from domain.kernel.context import Context
from domain.kernel.paging import Window
from resolvers.kernel import Info, answers, key, mutation, reads
from schema.configuration.company_account import (
    CompanyAccount,
    CompanyAccountConnection,
    CompanyAccountPayload,
    CreateCompanyAccountInput,
    CreateCompanyAccountPayload,
    UpdateCompanyAccountInput,
)


@strawberry.type
class CompanyAccountQueries:
    @reads(company_account.accounts)
    async def company_accounts(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> CompanyAccountConnection:
        """公司账户 The lender's own accounts by name."""
        ctx, window = await info.context.reading(), Window(first, after, last, before)
        page = await company_account.accounts(ctx, columns=CompanyAccount.columns(), window=window)
        return CompanyAccountConnection.of(CompanyAccount, page)


@strawberry.type
class CompanyAccountMutations:
    @mutation(company_account.create)
    async def create_company_account(self, info: Info, input: CreateCompanyAccountInput) -> CreateCompanyAccountPayload:
        """新增公司账户 Enter an account of the lender with what is on it."""
        created = await company_account.create(
            info.context.ctx,
            name=input.name,
            account_number=input.account_number,
            bank=input.bank,
            uses=input.uses,
            opening_balance=input.opening_balance,
        )
        return CreateCompanyAccountPayload(account=CompanyAccount.of(created))

    @mutation(company_account.update)
    async def update_company_account(self, info: Info, input: UpdateCompanyAccountInput) -> CompanyAccountPayload:
        """修改公司账户 Change name, uses, or whether the account is in use."""
        changed = await company_account.update(
            info.context.ctx,
            account_id=key(input.account_id, "CompanyAccount"),
            expected_version=input.expected_version,
            name=input.name,
            uses=input.uses,
            enabled=input.enabled,
        )
        return CompanyAccountPayload(account=CompanyAccount.of(changed))


@answers("CompanyAccount.balance")
async def balances(ctx: Context, account_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    return await company_account.balances(ctx, account_ids)
