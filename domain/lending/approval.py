"""贷款审批 · What the workflow of a normal loan means for its application: review, approval with its terms, refusal, return.

Approvers may lower the amount and change periods, rate and method within the product; the guards are checked with the new
terms at once and again with the last word, so nothing is approved that could not be paid out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain import workflow
from domain.home import pending_task
from domain.kernel.refusals import InvalidInput, Refusal
from domain.lending import guards
from domain.lending.guard_rules import TERMS
from domain.lending.loan_application import (
    PREPARATION,
    PREPARATION_HOURS,
    SURVEY,
    SURVEY_HOURS,
    LoanApplication,
    move,
    valid_until,
)
from domain.lending.offer import Offer
from domain.workflow.instance import WorkflowInstance, WorkflowState, nodes_of
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "NORMAL_LOAN"
LONGEST_CONDITIONS = 2000


def offer_of(row: LoanApplication, instance: WorkflowInstance, terms: ApprovedTerms) -> Offer:
    """The terms in force: what approvers set on top of the surveyed amount and what was asked."""
    return Offer(
        terms.amount or instance.amount or row.amount,
        terms.periods or row.periods,
        row.annual_rate if terms.annual_rate is None else terms.annual_rate,
        terms.method or row.method,
    )


@workflow.outcome(PURPOSE)
async def decided(ctx: Context, instance: WorkflowInstance, approved: bool, terms: ApprovedTerms) -> None:
    """Approved: the guards once more, then the terms, valid for a number of days, and the contract to prepare. Given back:
    a new survey. Raises what the guards refuse."""
    row = await ctx.session.get_one(LoanApplication, instance.subject_id)
    if approved:
        await approve(ctx, row, offer_of(row, instance, terms), terms.conditions)
        ctx.announce("lending.loan_application.approved", row)
        return
    if instance.state is WorkflowState.REJECTED:
        move(row, "reject")
        ctx.announce("lending.loan_application.rejected", row)
        return
    move(row, "return")
    await _ask_manager(ctx, row, SURVEY, f"补充调查 Survey again {row.number}", SURVEY_HOURS)
    ctx.announce("lending.loan_application.returned", row)


async def approve(ctx: Context, row: LoanApplication, offer: Offer, conditions: str | None) -> None:
    """The guards once more, then the terms, and the contract to prepare. Raises what the guards refuse."""
    move(row, "approve")
    checked = await guards.check(ctx, row, offer)
    kept = [result for result in row.guards if result["code"] == "REPAYMENT_CAPACITY_EXCEEDED"]
    row.guards = [*checked, *kept]
    row.approved_amount, row.approved_periods = offer.amount, offer.periods
    row.approved_annual_rate, row.approved_method = offer.annual_rate, offer.method
    row.approved_conditions = conditions
    row.approved_valid_until = await valid_until(ctx)
    await _ask_manager(ctx, row, PREPARATION, f"制作合同 Prepare the contract {row.number}", PREPARATION_HOURS)


async def _ask_manager(ctx: Context, row: LoanApplication, type: str, title: str, hours: int) -> None:
    await pending_task.open(
        ctx,
        type=type,
        title=title,
        subject=row,
        employees=[row.manager_id or row.maker_id],
        amount=row.agreed.amount,
        customer_id=row.customer_id,
        due_at=ctx.now + timedelta(hours=hours),
    )


@workflow.advanced(PURPOSE)
async def advanced(ctx: Context, instance: WorkflowInstance) -> None:
    """REVIEWING at the first node of the definition, APPROVING behind it."""
    row = await ctx.session.get_one(LoanApplication, instance.subject_id)
    first = (await nodes_of(ctx, instance))[0]
    move(row, "review" if instance.node == first.code else "advance")


@workflow.terms_check(PURPOSE)
async def check_terms(ctx: Context, instance: WorkflowInstance, terms: ApprovedTerms) -> None:
    """Changed terms must keep the product's rules, the limits and the cap. Raises the refusal of the guard."""
    if len(terms.conditions or "") > LONGEST_CONDITIONS:
        raise InvalidInput(("terms", "conditions"), zh="条件不超过 2000 字。", en="At most 2,000 characters.")
    row = await ctx.session.get_one(LoanApplication, instance.subject_id)
    try:
        await guards.check(ctx, row, offer_of(row, instance, terms), TERMS)
    except Refusal as refusal:
        refusal.field = ("terms", *refusal.field)
        raise
