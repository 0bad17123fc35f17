"""委托贷款业务 · Entrusted loans (F12)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.entrusted_loan import contract, guarding, queries
from domain.lending.entrusted_loan.contract import EntrustedTerms
from domain.lending.loan import fund
from resolvers.kernel import Info, answers, answers_by_key, by_keys, key, mutation, reads
from schema.customers.customer import Customer
from schema.finance.receipt import Receipt
from schema.kernel import ID, Money
from schema.lending.entrusted_loan import (
    CreateEntrustedContractInput,
    EntrustedContract,
    EntrustedContractConnection,
    EntrustedContractFilter,
    EntrustedContractPayload,
    EntrustedLoanFilter,
    Entrustor,
    InterestSplit,
)
from schema.lending.loan import Loan, LoanConnection
from schema.organization.employee import Employee

# Importing `guarding` puts the guards of entrusted loans in force.
__all__ = ["EntrustedLoanMutations", "EntrustedLoanQueries", "guarding"]

CUSTOMERS = ("IndividualCustomer", "EnterpriseCustomer")


@strawberry.type
class EntrustedLoanQueries:
    @reads(queries.contracts)
    async def entrusted_contracts(
        self,
        info: Info,
        filter: EntrustedContractFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EntrustedContractConnection:
        """委托合同 Entrusted contracts that I may see, newest first."""
        wanted = filter or EntrustedContractFilter()
        page = await queries.contracts(
            await info.context.reading(),
            columns=EntrustedContract.columns(),
            window=Window(first, after, last, before),
            entrustor_id=key(wanted.entrustor_id, *CUSTOMERS),
            borrower_id=key(wanted.borrower_id, *CUSTOMERS),
        )
        return EntrustedContractConnection.of(EntrustedContract, page)

    @reads(queries.one)
    async def entrusted_contract(self, info: Info, id: ID) -> EntrustedContract | None:
        """委托合同 One entrusted contract; null when there is none, or none for this viewer."""
        ctx = await info.context.reading()
        row = await queries.one(ctx, columns=EntrustedContract.columns(), contract_id=key(id, "EntrustedContract"))
        return EntrustedContract.of(row) if row else None

    @reads(queries.loans)
    async def entrusted_loans(
        self,
        info: Info,
        filter: EntrustedLoanFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> LoanConnection:
        """委托贷款 Loans of entrusted money that I may see, newest first."""
        wanted = filter or EntrustedLoanFilter()
        page = await queries.loans(
            await info.context.reading(),
            columns=Loan.columns(),
            window=Window(first, after, last, before),
            contract_id=key(wanted.entrusted_contract_id, "EntrustedContract"),
        )
        return LoanConnection.of(Loan, page)

    @reads(queries.entrustors)
    async def entrustors(self, info: Info) -> list[Entrustor]:
        """委托人 Whose money the lender lends, with what is lent and what is left."""
        ctx = await info.context.reading()
        found = await queries.entrustors(ctx)
        # Whoever sees the contract sees whose money it is.
        people: Any = await by_keys(ctx, Customer, [one.customer_id for one in found], scoped=False)
        return [
            Entrustor(
                customer=people[one.customer_id],
                contracts=one.contracts,
                amount=Money(one.amount),
                lent=Money(one.lent),
                balance=Money(one.balance),
            )
            for one in found
        ]


@strawberry.type
class EntrustedLoanMutations:
    @mutation(contract.create)
    async def create_entrusted_contract(
        self, info: Info, input: CreateEntrustedContractInput
    ) -> EntrustedContractPayload:
        """新增委托合同 Write an entrusted contract that was signed; no money moves by it."""
        row = await contract.create(
            info.context.ctx,
            entrustor_id=key(input.entrustor_id, *CUSTOMERS),
            borrower_id=key(input.borrower_id, *CUSTOMERS),
            terms=EntrustedTerms(**{part.name: getattr(input, part.name) for part in fields(EntrustedTerms)}),
            idempotency_key=input.idempotency_key,
        )
        return EntrustedContractPayload(contract=EntrustedContract.of(row))


answers_by_key("EntrustedContract.entrustor", Customer)
answers_by_key("EntrustedContract.borrower", Customer)
answers_by_key("EntrustedContract.maker", Employee)
answers_by_key("EntrustedContract.account_manager", Employee)
answers_by_key("Loan.entrusted_contract", EntrustedContract)
answers_by_key("LoanApplication.entrusted_contract", EntrustedContract)


@answers("EntrustedContract.fund_balance")
async def fund_balance(ctx: Context, contract_ids: list[UUID]) -> dict[UUID, Money]:
    found = await fund.balances(ctx, contract_ids)
    return {contract_id: Money(amount) for contract_id, amount in found.items()}


@answers("EntrustedContract.outstanding")
async def outstanding(ctx: Context, contract_ids: list[UUID]) -> dict[UUID, Money]:
    found = await queries.outstanding(ctx, contract_ids)
    return {contract_id: Money(amount) for contract_id, amount in found.items()}


@answers("EntrustedContract.interest_splits")
async def interest_splits(ctx: Context, contract_ids: list[UUID]) -> dict[UUID, list[InterestSplit]]:
    found = await queries.splits(ctx, contract_ids)
    wanted = [one.receipt_id for splits in found.values() for one in splits]
    receipts: Any = await by_keys(ctx, Receipt, wanted, scoped=False)
    return {
        contract_id: [
            InterestSplit(
                value_date=one.value_date,
                interest=Money(one.interest),
                handling_fee=Money(one.handling_fee),
                to_entrustor=Money(one.to_entrustor),
                receipt=receipts[one.receipt_id],
            )
            for one in splits
        ]
        for contract_id, splits in found.items()
    }
