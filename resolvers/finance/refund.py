"""出纳退款 · Refund (F18)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from domain.configuration import document
from domain.finance import kept_money, refund, refund_payment
from domain.finance.refund import Wish
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.loan import preview as previews
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.configuration.company_account import CompanyAccount
from schema.configuration.document import Document
from schema.finance.receipt import Receipt, ReceiptConnection
from schema.finance.refund import (
    AskBankAboutRefundInput,
    ConfirmRefundInput,
    PayRefundInput,
    Refund,
    RefundableReceiptFilter,
    RefundActionInput,
    RefundConnection,
    RefundFilter,
    RefundPayload,
    RequestRefundInput,
)
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount
from schema.workflow.workflow import WorkflowInstance

CUSTOMERS = ("IndividualCustomer", "EnterpriseCustomer")


@strawberry.type
class RefundQueries:
    @reads(refund.page)
    async def refunds(
        self,
        info: Info,
        filter: RefundFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> RefundConnection:
        """退款 Refunds that I may see, newest first."""
        wanted = filter or RefundFilter()
        page = await refund.page(
            await info.context.reading(),
            columns=Refund.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            loan_id=key(wanted.loan_id, "Loan"),
            customer_id=key(wanted.customer_id, *CUSTOMERS),
        )
        return RefundConnection.of(Refund, page)

    @reads(kept_money.refundable_receipts)
    async def refundable_receipts(
        self,
        info: Info,
        filter: RefundableReceiptFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ReceiptConnection:
        """待退款 Receipts of which something is kept and may be asked back, newest first."""
        wanted = filter or RefundableReceiptFilter()
        page = await kept_money.refundable_receipts(
            await info.context.reading(),
            columns=Receipt.columns(),
            window=Window(first, after, last, before),
            loan_id=key(wanted.loan_id, "Loan"),
            customer_id=key(wanted.customer_id, *CUSTOMERS),
        )
        return ReceiptConnection.of(Receipt, page)


@strawberry.type
class RefundMutations:
    @mutation(refund.request)
    async def request_refund(self, info: Info, input: RequestRefundInput, preview: bool = False) -> RefundPayload:
        """申请退款 Ask that kept money goes back to who paid it; it is paid when others have approved it."""
        wish = Wish(
            amount=input.amount,
            reason=input.reason,
            note=input.note,
            customer_account_id=key(input.customer_account_id, "CustomerAccount"),
            offset_consent=input.offset_consent,
        )
        asked: dict[str, Any] = {
            "receipt_id": key(input.receipt_id, "Receipt"),
            "wish": wish,
            "idempotency_key": input.idempotency_key,
        }
        if preview:
            paying = refund_payment.foresee
            found = await previews.of_request(info.context.ctx, refund.request, follows=paying, **asked)
            return RefundPayload(preview=shown(found))
        row = await refund.request(info.context.ctx, **asked)
        return RefundPayload(refund=Refund.of(row))

    @mutation(refund_payment.pay)
    async def pay_refund(self, info: Info, input: PayRefundInput, preview: bool = False) -> RefundPayload:
        """付退款 Cashier: arrears on other loans first, the rest through the bank; PAID when the bank says so."""
        asked: dict[str, Any] = {
            "refund_id": key(input.refund_id, "Refund"),
            "company_account_id": key(input.company_account_id, "CompanyAccount"),
            "slip_ids": keys(input.attachment_ids, "Document"),
            "idempotency_key": input.idempotency_key,
        }
        if preview:
            return RefundPayload(
                preview=shown(await previews.of_command(info.context.ctx, refund_payment.pay, **asked))
            )
        row = await refund_payment.pay(info.context.ctx, **asked)
        return RefundPayload(refund=Refund.of(row))

    @mutation(refund_payment.ask_bank_again)
    async def ask_bank_about_refund(self, info: Info, input: AskBankAboutRefundInput) -> RefundPayload:
        """再次查询银行 Cashier: the bank's word on a refund was given up on; it is asked anew, and nothing is paid twice."""
        row = await refund_payment.ask_bank_again(info.context.ctx, refund_id=key(input.refund_id, "Refund"))
        return RefundPayload(refund=Refund.of(row))

    @mutation(refund_payment.confirm)
    async def confirm_refund(self, info: Info, input: ConfirmRefundInput, preview: bool = False) -> RefundPayload:
        """退款确认 Accountant: a payment by hand has left, or has not."""
        said: dict[str, Any] = {
            "refund_id": key(input.refund_id, "Refund"),
            "paid": input.paid,
            "comment": input.comment,
        }
        if preview:
            found = await previews.of_command(info.context.ctx, refund_payment.confirm, **said)
            return RefundPayload(preview=shown(found))
        row = await refund_payment.confirm(info.context.ctx, **said)
        return RefundPayload(refund=Refund.of(row))

    @mutation(refund.cancel)
    async def cancel_refund(self, info: Info, input: RefundActionInput) -> RefundPayload:
        """取消退款 It will not be paid; what it spoke for is refundable again."""
        row = await refund.cancel(info.context.ctx, refund_id=key(input.refund_id, "Refund"), comment=input.comment)
        return RefundPayload(refund=Refund.of(row))


answers_by_key("Refund.receipt", Receipt)
answers_by_key("Refund.loan", Loan)
answers_by_key("Refund.customer_account", CustomerAccount)
answers_by_key("Refund.company_account", CompanyAccount)
answers_by_key("Refund.requested_by", Employee)
answers_by_key("Refund.cashier", Employee)


@answers("Refund.slips")
async def slips(ctx: Context, refund_ids: list[UUID]) -> dict[UUID, list[Document]]:
    found = await document.by_subject(ctx, refund_ids, Document.columns())
    return {refund_id: [Document.of(row) for row in rows] for refund_id, rows in found.items()}


@answers("Refund.workflow")
async def workflow(ctx: Context, refund_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, refund_ids, WorkflowInstance.columns())
    return {refund_id: WorkflowInstance.of(row) for refund_id, row in found.items()}


@answers("Receipt.unapplied")
async def unapplied(ctx: Context, receipt_ids: list[UUID]) -> dict[UUID, Decimal]:
    return await kept_money.unapplied(ctx, receipt_ids)


@answers("Receipt.refundable")
async def refundable(ctx: Context, receipt_ids: list[UUID]) -> dict[UUID, Decimal]:
    return await kept_money.refundable(ctx, receipt_ids)
