"""合同变更 · Contract amendment (F28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import strawberry

from domain.configuration import document
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import Refusal
from domain.lending.loan import preview as previews
from domain.post_loan import contract_amendment, contract_amendment_reversal
from domain.post_loan.contract_amendment_rules import Change, Consent
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation, reads
from resolvers.kernel.mutation import user_error
from resolvers.lending.loan_preview import shown
from schema.configuration.document import Document
from schema.kernel import Money
from schema.lending.loan import Loan, LoanEvent
from schema.lending.loan_preview import PreviewedEntry
from schema.organization.employee import Employee
from schema.post_loan.contract_amendment import (
    AmendedLoan,
    AmendmentPreview,
    ContractAmendment,
    ContractAmendmentActionInput,
    ContractAmendmentConnection,
    ContractAmendmentFilter,
    ContractAmendmentPayload,
    RequestAmendmentInput,
    RequestAmendmentReversalInput,
)
from schema.workflow.workflow import WorkflowInstance


@strawberry.type
class ContractAmendmentQueries:
    @reads(contract_amendment.page)
    async def contract_amendments(
        self,
        info: Info,
        filter: ContractAmendmentFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ContractAmendmentConnection:
        """合同变更 Amendments that I may see, newest first."""
        wanted = filter or ContractAmendmentFilter()
        page = await contract_amendment.page(
            await info.context.reading(),
            columns=ContractAmendment.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            types=wanted.types,
            loan_id=key(wanted.loan_id, "Loan"),
            customer_id=key(wanted.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
        )
        return ContractAmendmentConnection.of(ContractAmendment, page)

    @reads(contract_amendment.preview)
    async def amendment_preview(self, info: Info, input: RequestAmendmentInput) -> AmendmentPreview | None:
        """合同变更试算 Before and after side by side, nothing being written; null for a loan that I may not see."""
        ctx = await info.context.reading()
        found = await contract_amendment.preview(
            ctx,
            loan_id=key(input.loan_id, "Loan"),
            change=_change(input),
            attachment_ids=keys(input.attachment_ids, "Document"),
        )
        if found is None:
            return None
        if isinstance(found, Refusal):
            error = user_error(found, info.context.request.language)
            return AmendmentPreview(before=None, after=None, entries=[], user_errors=[error])
        return AmendmentPreview(
            before=AmendedLoan.of(found.before),
            after=AmendedLoan.of(found.after),
            entries=[
                PreviewedEntry(account=line.account, debit=Money(line.debit), credit=Money(line.credit))
                for line in found.lines
            ],
            user_errors=[],
        )


@strawberry.type
class ContractAmendmentMutations:
    @mutation(contract_amendment.request)
    async def request_amendment(
        self, info: Info, input: RequestAmendmentInput, preview: bool = False
    ) -> ContractAmendmentPayload:
        """申请合同变更 Ask for an amendment; it takes effect when others have approved it."""
        asked: dict[str, Any] = {
            "loan_id": key(input.loan_id, "Loan"),
            "change": _change(input),
            "reason": input.reason,
            "attachment_ids": keys(input.attachment_ids, "Document"),
        }
        if preview:
            found = await previews.of_request(info.context.ctx, contract_amendment.request, **asked)
            return ContractAmendmentPayload(preview=shown(found))
        row = await contract_amendment.request(info.context.ctx, **asked)
        return ContractAmendmentPayload(amendment=ContractAmendment.of(row))

    @mutation(contract_amendment.withdraw)
    async def withdraw_amendment(self, info: Info, input: ContractAmendmentActionInput) -> ContractAmendmentPayload:
        """撤回合同变更 Take an own request back before it is decided."""
        row = await contract_amendment.withdraw(
            info.context.ctx, amendment_id=key(input.amendment_id, "ContractAmendment")
        )
        return ContractAmendmentPayload(amendment=ContractAmendment.of(row))

    @mutation(contract_amendment_reversal.request_reversal)
    async def request_amendment_reversal(
        self, info: Info, input: RequestAmendmentReversalInput, preview: bool = False
    ) -> ContractAmendmentPayload:
        """申请撤销变更 Undo of an amendment in force by an opposite entry, through its own four-eyes task."""
        asked: dict[str, Any] = {
            "amendment_id": key(input.amendment_id, "ContractAmendment"),
            "reason": input.reason,
        }
        command = contract_amendment_reversal.request_reversal
        if preview:
            found = await previews.of_request(info.context.ctx, command, **asked)
            return ContractAmendmentPayload(preview=shown(found))
        return ContractAmendmentPayload(amendment=ContractAmendment.of(await command(info.context.ctx, **asked)))


def _change(input: RequestAmendmentInput) -> Change:
    return Change(
        type=input.type,
        effective_date=input.effective_date,
        annual_rate=input.annual_rate,
        method=input.method,
        extension_periods=input.extension_periods,
        multiplier=input.multiplier,
        amount=input.amount,
        because_of_difficulty=input.because_of_difficulty,
        consents=tuple(
            Consent(
                name=one.name,
                document_number=one.document_number,
                attachment_id=key(one.attachment_id, "Document"),
            )
            for one in input.guarantor_consents or ()
        ),
    )


answers_by_key("ContractAmendment.loan", Loan)
answers_by_key("ContractAmendment.requested_by", Employee)
answers_by_key("ContractAmendment.event", LoanEvent)
answers_by_key("GuarantorConsent.attachment", Document)


@answers("ContractAmendment.documents")
async def documents(ctx: Context, amendment_ids: list[UUID]) -> dict[UUID, list[Document]]:
    found = await document.by_subject(ctx, amendment_ids, Document.columns())
    return {amendment_id: [Document.of(row) for row in rows] for amendment_id, rows in found.items()}


@answers("ContractAmendment.workflow")
async def workflow(ctx: Context, amendment_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, amendment_ids, WorkflowInstance.columns())
    return {amendment_id: WorkflowInstance.of(row) for amendment_id, row in found.items()}
