"""还款 · Receipts: keyed (F19), registered and reversed (F20)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from uuid import UUID

import strawberry

from domain.finance import receipt, repayment_entry, repayment_registration
from domain.finance.repayment_entry import Entry
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.loan import preview as previews
from domain.lending.loan.explanation_of_rows import LinePlace
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.configuration.company_account import CompanyAccount
from schema.configuration.loan_product import ReceivableComponent
from schema.finance.receipt import (
    AllocationLine,
    EnterReceiptInput,
    Receipt,
    ReceiptActionInput,
    ReceiptAllocationPreview,
    ReceiptAllocationPreviewInput,
    ReceiptConnection,
    ReceiptFilter,
    ReceiptPayload,
)
from schema.kernel import DateRange, Money
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance


@strawberry.type
class ReceiptQueries:
    @reads(receipt.page)
    async def receipts(
        self,
        info: Info,
        filter: ReceiptFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ReceiptConnection:
        """还款 Receipts that I may see, newest first."""
        page = await receipt.page(
            await info.context.reading(),
            columns=Receipt.columns(),
            window=Window(first, after, last, before),
            wanted=_wanted(filter or ReceiptFilter()),
        )
        return ReceiptConnection.of(Receipt, page)

    @reads(repayment_registration.to_register)
    async def receipts_to_register(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> ReceiptConnection:
        """待登记还款 Receipts that wait for a checker, oldest first; those that I keyed are left out."""
        page = await repayment_registration.to_register(
            await info.context.reading(), columns=Receipt.columns(), window=Window(first, after)
        )
        return ReceiptConnection.of(Receipt, page)

    @reads(receipt.preview)
    async def receipt_allocation_preview(
        self, info: Info, input: ReceiptAllocationPreviewInput
    ) -> ReceiptAllocationPreview | None:
        """分配试算 What money would pay; null for a loan that I may not see."""
        found = await receipt.preview(
            await info.context.reading(),
            loan_id=key(input.loan_id, "Loan"),
            amount=input.amount,
            value_date=input.value_date,
            prepayment=input.prepayment.mode if input.prepayment else None,
        )
        if found is None:
            return None
        return ReceiptAllocationPreview(allocation=_lines(found.lines), unapplied=Money(found.unapplied))


def _wanted(asked: ReceiptFilter) -> receipt.Wanted:
    days = asked.value_date or DateRange()
    return receipt.Wanted(
        search=asked.search,
        states=asked.states,
        loan_id=key(asked.loan_id, "Loan"),
        customer_id=key(asked.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
        first_day=days.from_,
        last_day=days.to,
    )


def _lines(lines: Iterable[receipt.Line], event_id: UUID | None = None) -> list[AllocationLine]:
    return [
        AllocationLine(
            installment_seq=line.seq,
            component=ReceivableComponent(str(line.component)),
            amount=Money(line.amount),
            place=LinePlace(event_id, k) if event_id else None,
        )
        for k, line in enumerate(lines)
    ]


@strawberry.type
class ReceiptMutations:
    @mutation(repayment_entry.enter)
    async def enter_receipt(self, info: Info, input: EnterReceiptInput, preview: bool = False) -> ReceiptPayload:
        """还款录入 Cashier keys money that came in: nothing is posted yet."""
        entry = Entry(
            amount=input.amount,
            value_date=input.value_date,
            company_account_id=key(input.company_account_id, "CompanyAccount"),
            payer_name=input.payer_name,
            bank_reference=input.bank_reference,
            method=input.method,
            prepayment=input.prepayment.mode if input.prepayment else None,
        )
        asked: dict[str, Any] = {
            "loan_id": key(input.loan_id, "Loan"),
            "entry": entry,
            "idempotency_key": input.idempotency_key,
        }
        if preview:
            posting = repayment_registration.post
            found = await previews.of_command(info.context.ctx, repayment_entry.enter, follows=posting, **asked)
            return ReceiptPayload(preview=shown(found))
        row = await repayment_entry.enter(info.context.ctx, **asked)
        return ReceiptPayload(receipt=Receipt.of(row))

    @mutation(repayment_registration.register)
    async def register_receipt(self, info: Info, input: ReceiptActionInput, preview: bool = False) -> ReceiptPayload:
        """还款登记 Accountant (another person) checks it against the bank and posts it."""
        if preview:
            return await _previewed(previews.of_command, repayment_registration.register, info, input)
        return await _act(repayment_registration.register, info, input)

    @mutation(repayment_registration.reject)
    async def reject_receipt(self, info: Info, input: ReceiptActionInput) -> ReceiptPayload:
        """退回还款 Accountant: it is not on the bank's statement, or was keyed wrongly."""
        return await _act(repayment_registration.reject, info, input)

    @mutation(repayment_registration.request_reversal)
    async def request_receipt_reversal(
        self, info: Info, input: ReceiptActionInput, preview: bool = False
    ) -> ReceiptPayload:
        """申请冲正 Undo of a posted receipt by an opposite entry, through its own four-eyes task."""
        if preview:
            return await _previewed(previews.of_request, repayment_registration.request_reversal, info, input)
        return await _act(repayment_registration.request_reversal, info, input)


async def _act(
    command: Callable[..., Coroutine[Any, Any, receipt.Receipt]], info: Info, input: ReceiptActionInput
) -> ReceiptPayload:
    row = await command(
        info.context.ctx,
        receipt_id=key(input.receipt_id, "Receipt"),
        comment=input.comment,
        idempotency_key=input.idempotency_key,
    )
    return ReceiptPayload(receipt=Receipt.of(row))


async def _previewed(
    way: previews.Rehearsal, command: Callable[..., object], info: Info, input: ReceiptActionInput
) -> ReceiptPayload:
    found = await way(info.context.ctx, command, receipt_id=key(input.receipt_id, "Receipt"), comment=input.comment)
    return ReceiptPayload(preview=shown(found))


answers_by_key("Receipt.loan", Loan)
answers_by_key("Receipt.company_account", CompanyAccount)
answers_by_key("Receipt.entered_by", Employee)
answers_by_key("Receipt.registered_by", Employee)


@answers("Receipt.allocation")
async def allocation(ctx: Context, receipt_ids: list[UUID]) -> dict[UUID, list[AllocationLine]]:
    found = await receipt.allocations(ctx, receipt_ids)
    return {receipt_id: _lines(paid.lines, paid.event_id) for receipt_id, paid in found.items()}


@answers("Receipt.reversal")
async def reversal(ctx: Context, receipt_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, receipt_ids, WorkflowInstance.columns())
    return {receipt_id: WorkflowInstance.of(row) for receipt_id, row in found.items()}


@answers("Loan.receipts")
async def receipts_of_loans(
    ctx: Context, loan_ids: list[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, ReceiptConnection]:
    found = await receipt.pages_by_loan(ctx, loan_ids, Receipt.columns(), Window(first, after))
    return {loan_id: ReceiptConnection.of(Receipt, page) for loan_id, page in found.items()}
