"""授信审批 · What the decision on a facility, its limit or its freeze means (F11): the other side of `request`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from domain import workflow
from domain.calculation.dates import add_months
from domain.configuration import parameter
from domain.configuration.loan_product import FACILITY_PURPOSE as PURPOSE
from domain.configuration.loan_product import LoanProduct
from domain.kernel.refusals import InvalidAmount, InvalidInput, Refusal
from domain.lending import guards
from domain.lending.guard_rules import TERMS
from domain.lending.revolving_loan import freezing
from domain.lending.revolving_loan.history import note
from domain.lending.revolving_loan.request import check_new_limit, open_request
from domain.lending.revolving_loan.tables import (
    CreditFacility,
    FacilityEventType,
    FacilityRequest,
    RequestKind,
    RequestState,
    check_live,
    move,
)
from domain.lending.revolving_loan.terms import check_term, offer_of
from domain.workflow.instance import WorkflowInstance, WorkflowState
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

LONGEST_CONDITIONS = 2000


@workflow.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, terms: ApprovedTerms) -> None:
    """Granted, changed or unfrozen from today; or not. Raises what the guards refuse by now, and INVALID_STATE where the
    facility's term is over or what froze it is back."""
    row = await ctx.session.get_one(CreditFacility, running.subject_id)
    request = await open_request(ctx, row.id)
    assert request is not None, "a running workflow is about a request"
    request.decided_on, request.decided_at = ctx.today, ctx.now
    if approved:
        request.state = RequestState.APPROVED
        request.limit_after = terms.amount or request.limit_after
        await APPROVED[request.kind](ctx, row, request, terms)
        return
    returned = running.state is WorkflowState.RETURNED
    request.state = RequestState.RETURNED if returned else RequestState.REJECTED
    if request.kind is RequestKind.GRANT:
        move(row, "return" if returned else "reject")
        row.ended_on = None if returned else ctx.today
    ctx.announce(f"lending.credit_facility.{'returned' if returned else 'rejected'}", row, request=request.kind)


async def _grant(ctx: Context, row: CreditFacility, request: FacilityRequest, terms: ApprovedTerms) -> None:
    move(row, "grant")
    row.credit_limit = request.limit_after
    row.max_drawdown = min(row.max_drawdown, row.credit_limit)
    row.max_periods = terms.periods or row.max_periods
    row.annual_rate = row.annual_rate if terms.annual_rate is None else terms.annual_rate
    row.conditions = terms.conditions
    _check_smallest(row, ("terms", "amount"))
    product = await ctx.session.get_one(LoanProduct, row.product_id)
    row.starts_on = max(row.starts_on, ctx.today)
    check_term(row.starts_on, row.ends_on, product.facility_months or 0)
    await ctx.session.flush()
    row.guards = await guards.check(ctx, row, offer_of(row, product))
    months: int = await parameter.value(ctx, "facility_review_months")
    row.granted_on, row.next_review_on = ctx.today, add_months(ctx.today, months)
    note(ctx, row, FacilityEventType.GRANTED, reason=request.reason)
    ctx.announce("lending.credit_facility.granted", row)


async def _change_limit(ctx: Context, row: CreditFacility, request: FacilityRequest, terms: ApprovedTerms) -> None:
    check_live(row)
    if request.limit_after > row.credit_limit:
        await check_new_limit(ctx, row, request.limit_after, "taskId")
    largest_was_the_limit = row.max_drawdown == row.credit_limit
    row.credit_limit = request.limit_after
    row.max_drawdown = row.credit_limit if largest_was_the_limit else min(row.max_drawdown, row.credit_limit)
    _check_smallest(row, ("terms", "amount"))
    note(ctx, row, FacilityEventType.LIMIT_CHANGED, reason=request.reason)
    ctx.announce("lending.credit_facility.limit_changed", row)


async def _unfreeze(ctx: Context, row: CreditFacility, request: FacilityRequest, terms: ApprovedTerms) -> None:
    await freezing.check_causes_gone(ctx, row, "taskId")
    move(row, "unfreeze")
    row.frozen_on, row.frozen_causes, row.frozen_reason = None, [], None
    note(ctx, row, FacilityEventType.UNFROZEN, reason=request.reason)
    ctx.announce("lending.credit_facility.unfrozen", row)


Approved = Callable[["Context", CreditFacility, FacilityRequest, ApprovedTerms], Awaitable[None]]
APPROVED: dict[RequestKind, Approved] = {
    RequestKind.GRANT: _grant,
    RequestKind.LIMIT_CHANGE: _change_limit,
    RequestKind.UNFREEZE: _unfreeze,
}


def _check_smallest(row: CreditFacility, field: tuple[str, ...]) -> None:
    if row.credit_limit < row.min_drawdown:
        raise InvalidAmount(field, amount=row.credit_limit)


@workflow.terms_check(PURPOSE)
async def check_approved(ctx: Context, running: WorkflowInstance, terms: ApprovedTerms) -> None:
    """Approvers may lower the limit, and of a new facility change rate and longest drawdown within the product.

    Raises INVALID_INPUT and the refusal of the guard."""
    row = await ctx.session.get_one(CreditFacility, running.subject_id)
    request = await open_request(ctx, row.id)
    assert request is not None
    may: dict[RequestKind, set[str]] = {
        RequestKind.GRANT: {"amount", "periods", "annual_rate", "conditions"},
        RequestKind.LIMIT_CHANGE: {"amount"},
        RequestKind.UNFREEZE: set(),
    }
    if terms.given().keys() - may[request.kind]:
        raise InvalidInput("terms", zh="此事项不能调整这些条件。", en="These terms cannot be changed here.")
    if len(terms.conditions or "") > LONGEST_CONDITIONS:
        raise InvalidInput(("terms", "conditions"), zh="条件不超过 2000 字。", en="At most 2,000 characters.")
    if request.kind is RequestKind.GRANT:
        product = await ctx.session.get_one(LoanProduct, row.product_id)
        try:
            await guards.check(ctx, row, offer_of(row, product, terms), TERMS)
        except Refusal as refusal:
            refusal.field = ("terms", *refusal.field)
            raise
