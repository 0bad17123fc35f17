"""借款合同 · Loan contract (F10)."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.configuration import document
from domain.kernel.context import Context
from domain.lending import loan_contract
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation
from schema.configuration.document import Document
from schema.configuration.loan_product import LoanProduct
from schema.customers.customer import Customer
from schema.lending.loan_application import LoanApplication
from schema.lending.loan_contract import (
    LoanContract,
    LoanContractActionInput,
    LoanContractPayload,
    PrepareContractInput,
    SignContractInput,
)


@strawberry.type
class LoanContractMutations:
    @mutation(loan_contract.prepare)
    async def prepare_contract(self, info: Info, input: PrepareContractInput) -> LoanContractPayload:
        """制作合同 Print the contract pack of an approved application from its templates, cost sheet included."""
        row = await loan_contract.prepare(info.context.ctx, application_id=key(input.application_id, "LoanApplication"))
        return LoanContractPayload(contract=LoanContract.of(row))

    @mutation(loan_contract.acknowledge_cost_sheet)
    async def acknowledge_cost_sheet(self, info: Info, input: LoanContractActionInput) -> LoanContractPayload:
        """确认综合融资成本明示表 The borrower has read and confirmed what the loan costs. Doing it again before the signing changes
        nothing."""
        row = await loan_contract.acknowledge_cost_sheet(
            info.context.ctx, contract_id=key(input.contract_id, "LoanContract")
        )
        return LoanContractPayload(contract=LoanContract.of(row))

    @mutation(loan_contract.sign)
    async def sign_contract(self, info: Info, input: SignContractInput) -> LoanContractPayload:
        """签署合同 The contract takes effect; its disbursement goes to the accountant."""
        row = await loan_contract.sign(
            info.context.ctx,
            contract_id=key(input.contract_id, "LoanContract"),
            signed_on=input.signed_on,
            way=input.way,
            attachment_ids=keys(input.attachment_ids, "Document"),
        )
        return LoanContractPayload(contract=LoanContract.of(row))


answers_by_key("LoanContract.application", LoanApplication)
answers_by_key("LoanContract.customer", Customer)
answers_by_key("LoanContract.product", LoanProduct)


@answers("LoanContract.documents")
async def documents(ctx: Context, contract_ids: list[UUID]) -> dict[UUID, list[Document]]:
    found = await document.by_subject(ctx, contract_ids, Document.columns())
    return {contract_id: [Document.of(row) for row in rows] for contract_id, rows in found.items()}
