"""出纳放款 · Disbursement (F15)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import strawberry

from domain.configuration import document
from domain.finance import disbursement, payment
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.loan import preview as previews
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.configuration.company_account import CompanyAccount
from schema.configuration.document import Document
from schema.finance.disbursement import (
    AskBankAgainInput,
    ConfirmDisbursementInput,
    Disbursement,
    DisbursementActionInput,
    DisbursementConnection,
    DisbursementFilter,
    DisbursementPayload,
    PayDisbursementInput,
)
from schema.lending.loan import Loan
from schema.lending.loan_contract import LoanContract
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount


@strawberry.type
class DisbursementQueries:
    @reads(disbursement.page)
    async def disbursements(
        self,
        info: Info,
        filter: DisbursementFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> DisbursementConnection:
        """放款 Pay-outs that I may see, newest first."""
        wanted = filter or DisbursementFilter()
        page = await disbursement.page(
            await info.context.reading(),
            columns=Disbursement.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            customer_id=key(wanted.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
        )
        return DisbursementConnection.of(Disbursement, page)


@strawberry.type
class DisbursementMutations:
    @mutation(disbursement.review)
    async def review_disbursement(self, info: Info, input: DisbursementActionInput) -> DisbursementPayload:
        """放款复核 Accountant: the conditions of payment hold (four eyes with the cashier)."""
        row = await disbursement.review(
            info.context.ctx, disbursement_id=key(input.disbursement_id, "Disbursement"), comment=input.comment
        )
        return DisbursementPayload(disbursement=Disbursement.of(row))

    @mutation(payment.pay)
    async def pay_disbursement(
        self, info: Info, input: PayDisbursementInput, preview: bool = False
    ) -> DisbursementPayload:
        """付款 Cashier: pays through the bank; PAID when the bank says so. The schedule starts on the value date."""
        asked: dict[str, Any] = {
            "disbursement_id": key(input.disbursement_id, "Disbursement"),
            "company_account_id": key(input.company_account_id, "CompanyAccount"),
            "customer_account_id": key(input.customer_account_id, "CustomerAccount"),
            "amount": input.amount,
            "value_date": input.value_date,
            "slip_ids": keys(input.attachment_ids, "Document"),
            "idempotency_key": input.idempotency_key,
        }
        if preview:
            found = await previews.of_command(info.context.ctx, payment.pay, follows=disbursement.paid, **asked)
            return DisbursementPayload(preview=shown(found))
        row = await payment.pay(info.context.ctx, **asked)
        return DisbursementPayload(disbursement=Disbursement.of(row))

    @mutation(payment.ask_bank_again)
    async def ask_bank_again(self, info: Info, input: AskBankAgainInput) -> DisbursementPayload:
        """再次查询银行 Cashier: the bank's word on a payment was given up on; it is asked anew, and nothing is paid twice."""
        row = await payment.ask_bank_again(info.context.ctx, disbursement_id=key(input.disbursement_id, "Disbursement"))
        return DisbursementPayload(disbursement=Disbursement.of(row))

    @mutation(payment.confirm)
    async def confirm_disbursement(
        self, info: Info, input: ConfirmDisbursementInput, preview: bool = False
    ) -> DisbursementPayload:
        """放款确认 Accountant: a payment by hand has left, or has not."""
        said: dict[str, Any] = {
            "disbursement_id": key(input.disbursement_id, "Disbursement"),
            "paid": input.paid,
            "comment": input.comment,
        }
        if preview:
            return DisbursementPayload(
                preview=shown(await previews.of_command(info.context.ctx, payment.confirm, **said))
            )
        row = await payment.confirm(info.context.ctx, **said)
        return DisbursementPayload(disbursement=Disbursement.of(row))

    @mutation(disbursement.cancel)
    async def cancel_disbursement(self, info: Info, input: DisbursementActionInput) -> DisbursementPayload:
        """取消放款 It will not be paid; its contract ends."""
        row = await disbursement.cancel(
            info.context.ctx, disbursement_id=key(input.disbursement_id, "Disbursement"), comment=input.comment
        )
        return DisbursementPayload(disbursement=Disbursement.of(row))


answers_by_key("Disbursement.contract", LoanContract)
answers_by_key("Disbursement.loan", Loan)
answers_by_key("Disbursement.reviewer", Employee)
answers_by_key("Disbursement.cashier", Employee)
answers_by_key("Disbursement.company_account", CompanyAccount)
answers_by_key("Disbursement.customer_account", CustomerAccount)


@answers("LoanContract.disbursements")
async def disbursements(ctx: Context, contract_ids: list[UUID]) -> dict[UUID, list[Disbursement]]:
    found = await disbursement.by_contract(ctx, contract_ids, Disbursement.columns())
    return {contract_id: [Disbursement.of(row) for row in rows] for contract_id, rows in found.items()}


@answers("Disbursement.slips")
async def slips(ctx: Context, disbursement_ids: list[UUID]) -> dict[UUID, list[Document]]:
    found = await document.by_subject(ctx, disbursement_ids, Document.columns())
    return {disbursement_id: [Document.of(row) for row in rows] for disbursement_id, rows in found.items()}
