"""核销管理 · Write-off (F34): asked for, decided, undone; the register, and what is recovered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import strawberry

from domain.calculation.money import yuan
from domain.configuration import document
from domain.finance import repayment_registration
from domain.finance.repayment_entry import Entry
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending.loan import preview as previews
from domain.post_loan import write_off, written_off_register
from domain.post_loan.write_off import Grounds
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.configuration.document import Document
from schema.finance.receipt import Receipt, ReceiptPayload
from schema.kernel import DateRange, Money
from schema.lending.loan import Loan
from schema.organization.employee import Employee
from schema.post_loan.write_off import (
    RecordRecoveryInput,
    RequestWriteOffInput,
    WriteOff,
    WriteOffActionInput,
    WriteOffConnection,
    WriteOffFilter,
    WriteOffPayload,
    WrittenOffFilter,
    WrittenOffLoan,
    WrittenOffLoanConnection,
)
from schema.workflow.workflow import WorkflowInstance

CUSTOMERS = ("IndividualCustomer", "EnterpriseCustomer")


@strawberry.type
class WriteOffQueries:
    @reads(write_off.page)
    async def write_offs(
        self,
        info: Info,
        filter: WriteOffFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> WriteOffConnection:
        """核销 Write-offs that I may see, newest first."""
        wanted = filter or WriteOffFilter()
        page = await write_off.page(
            await info.context.reading(),
            columns=WriteOff.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            loan_id=key(wanted.loan_id, "Loan"),
            customer_id=key(wanted.customer_id, *CUSTOMERS),
        )
        return WriteOffConnection.of(WriteOff, page)

    @reads(written_off_register.register)
    async def written_off_register(
        self,
        info: Info,
        filter: WrittenOffFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> WrittenOffLoanConnection:
        """已核销登记簿 Loans that are written off, the latest first, with what was recovered and what is still claimed."""
        wanted = filter or WrittenOffFilter()
        days = wanted.written_off_on or DateRange()
        page = await written_off_register.register(
            await info.context.reading(),
            window=Window(first, after, last, before),
            customer_id=key(wanted.customer_id, *CUSTOMERS),
            first_day=days.from_,
            last_day=days.to,
            only_open=wanted.only_open,
        )
        return WrittenOffLoanConnection.over([_line(row) for row in page.rows], page)


def _line(row: Any) -> WrittenOffLoan:
    return WrittenOffLoan(
        loan_id=row.loan_id,
        written_off_on=row.effective_on,
        principal=_money(row.principal),
        interest=_money(row.interest),
        recovered_principal=_money(row.recovered_principal),
        recovered_interest=_money(row.recovered_interest),
        claimed_principal=_money(row.principal - row.recovered_principal),
        claimed_interest=_money(row.interest - row.recovered_interest),
    )


def _money(amount: Any) -> Money:
    return Money(yuan(int(amount)))


@strawberry.type
class WriteOffMutations:
    @mutation(write_off.request)
    async def request_write_off(
        self, info: Info, input: RequestWriteOffInput, preview: bool = False
    ) -> WriteOffPayload:
        """申请核销 Ask that a loan of the class LOSS is written off; it takes effect when others have approved it."""
        grounds = Grounds(
            condition=input.condition,
            evidence=input.evidence,
            responsibility=input.responsibility,
            attachment_ids=keys(input.attachment_ids, "Document"),
        )
        asked: dict[str, Any] = {"loan_id": key(input.loan_id, "Loan"), "grounds": grounds}
        if preview:
            return WriteOffPayload(
                preview=shown(await previews.of_request(info.context.ctx, write_off.request, **asked))
            )
        row = await write_off.request(info.context.ctx, **asked)
        return WriteOffPayload(write_off=WriteOff.of(row))

    @mutation(write_off.withdraw)
    async def withdraw_write_off(self, info: Info, input: WriteOffActionInput) -> WriteOffPayload:
        """撤回核销 Take a request back before it is decided."""
        row = await write_off.withdraw(info.context.ctx, write_off_id=key(input.write_off_id, "WriteOff"))
        return WriteOffPayload(write_off=WriteOff.of(row))

    @mutation(write_off.request_reversal)
    async def request_write_off_reversal(
        self, info: Info, input: WriteOffActionInput, preview: bool = False
    ) -> WriteOffPayload:
        """申请撤销核销 Undo of a write-off by an opposite entry, through its own four-eyes task."""
        asked: dict[str, Any] = {"write_off_id": key(input.write_off_id, "WriteOff"), "comment": input.comment}
        if preview:
            found = await previews.of_request(info.context.ctx, write_off.request_reversal, **asked)
            return WriteOffPayload(preview=shown(found))
        row = await write_off.request_reversal(info.context.ctx, **asked)
        return WriteOffPayload(write_off=WriteOff.of(row))

    @mutation(written_off_register.record_recovery)
    async def record_recovery(self, info: Info, input: RecordRecoveryInput, preview: bool = False) -> ReceiptPayload:
        """收回已核销贷款 Cashier keys money that came in on a written-off loan; an accountant registers it like any receipt."""
        entry = Entry(
            amount=input.amount,
            value_date=input.value_date,
            company_account_id=key(input.company_account_id, "CompanyAccount"),
            payer_name=input.payer_name,
            bank_reference=input.bank_reference,
            method=input.method,
        )
        asked: dict[str, Any] = {
            "loan_id": key(input.loan_id, "Loan"),
            "entry": entry,
            "idempotency_key": input.idempotency_key,
        }
        if preview:
            command, posting = written_off_register.record_recovery, repayment_registration.post
            found = await previews.of_command(info.context.ctx, command, follows=posting, **asked)
            return ReceiptPayload(preview=shown(found))
        row = await written_off_register.record_recovery(info.context.ctx, **asked)
        return ReceiptPayload(receipt=Receipt.of(row))


answers_by_key("WriteOff.loan", Loan)
answers_by_key("WriteOff.requested_by", Employee)
answers_by_key("WriteOff.decided_by", Employee)
answers_by_key("WrittenOffLoan.loan", Loan)


@answers("WriteOff.documents")
async def documents(ctx: Context, write_off_ids: list[UUID]) -> dict[UUID, list[Document]]:
    found = await document.by_subject(ctx, write_off_ids, Document.columns())
    return {write_off_id: [Document.of(row) for row in rows] for write_off_id, rows in found.items()}


@answers("WriteOff.workflow")
async def workflow(ctx: Context, write_off_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, write_off_ids, WorkflowInstance.columns())
    return {write_off_id: WorkflowInstance.of(row) for write_off_id, row in found.items()}


@answers("WrittenOffLoan.write_off")
async def write_off_of_loan(ctx: Context, loan_ids: list[UUID]) -> dict[UUID, WriteOff]:
    found = await written_off_register.by_loan(ctx, loan_ids, WriteOff.columns())
    return {loan_id: WriteOff.of(row) for loan_id, row in found.items()}
