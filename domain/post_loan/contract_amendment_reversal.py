"""合同变更撤销 · Undoing an approved amendment (F28): an opposite event, so that the loan stands as if it had never been agreed.

Asked for by one person with a reason, decided by others through a workflow of its own. What came in since is replayed on the
old terms, the difference is booked today; the amendment, its event and the opposite one stay in the history (decision 0035).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from domain.kernel.clock import hold_day
from domain.kernel.command import command, lock
from domain.kernel.refusals import InvalidInput, InvalidState, ProductRuleViolated
from domain.lending import interest_waiver, settlement
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan
from domain.organization.department import check_text
from domain.post_loan.contract_amendment import LONGEST_REASON, AmendmentState, ContractAmendment
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

REVERSAL = "AMENDMENT_REVERSAL"


@command("post_loan.contract_amendment.request_reversal")
async def request_reversal(ctx: Context, *, amendment_id: UUID, reason: str) -> ContractAmendment:
    """申请撤销变更 · Asks others to undo an amendment that is in force; it stands until they agree.

    Raises NOT_FOUND, INVALID_STATE (not in force, or asked for already), INVALID_INPUT (reason)."""
    row = await lock(ctx, ContractAmendment, amendment_id, "amendmentId")
    if row.state is not AmendmentState.APPROVED:
        raise InvalidState("amendmentId", state=row.state)
    if row.reversal_id is not None:
        raise InvalidState("amendmentId", zh="撤销正在审批。", en="Its undoing is being decided.", state=row.state)
    row.reversal_reason = check_text("reason", reason, LONGEST_REASON)
    loan = await ctx.session.get_one(Loan, row.loan_id)
    running = await instance.start(
        ctx,
        purpose=REVERSAL,
        subject=row,
        title=f"撤销合同变更 Undo the amendment {row.number}",
        amount=loan.principal_outstanding,
        customer_id=row.customer_id,
        makers={row.requested_by},
    )
    row.reversal_id = running.id
    ctx.announce("post_loan.contract_amendment.reversal_requested", row, loan_id=row.loan_id)
    return row


@instance.outcome(REVERSAL)
async def reversal_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Undoes the amendment by an opposite event of its own effective date, or leaves it in force.

    Raises INVALID_STATE where later terms build on it: they are undone first."""
    row = await ctx.session.get_one(ContractAmendment, running.subject_id)
    row.reversal_id = None
    if not approved:
        return
    await hold_day(ctx)  # before the loan, as whoever posts and end of day do
    loan = await ctx.session.get_one(Loan, row.loan_id, with_for_update=True)
    try:
        await loans.record(
            ctx,
            loan,
            type=EventType.REVERSAL,
            value_date=row.effective_date,
            payload={"target_event_id": row.event_id},
            reference=row,
        )
    except ProductRuleViolated as broken:
        raise InvalidState(
            "taskId",
            zh="后来的变更以此为基础，须先撤销后者。",
            en="Later terms build on it; they are undone first.",
            state=row.state,
        ) from broken
    row.state = AmendmentState.REVERSED
    await interest_waiver.restate(ctx, loan.id)
    await settlement.follow_loans(ctx, [loan.contract_id])
    ctx.announce("post_loan.contract_amendment.reversed", row, loan_id=loan.id)


@instance.terms_check(REVERSAL)
async def no_terms(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """An amendment is undone as a whole. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="变更只能整体撤销。", en="An amendment is undone as a whole.")
