"""授信申请 · Asking for a facility, for another limit, or for the end of a freeze; others decide (F11).

All three run through the workflow of the product (purpose FACILITY, 授信流程), by persons who did not bring the facility
about. The facility is the subject of the workflow; one matter of a facility is decided at a time. What a decision means is
in `outcome`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from domain import workflow
from domain.configuration.loan_product import FACILITY_PURPOSE as PURPOSE
from domain.configuration.loan_product import LoanKind, LoanProduct, ProductState
from domain.customers.customer import Customer
from domain.kernel.command import check_version, command, find, lock
from domain.kernel.numbering import numbered
from domain.kernel.refusals import Denied, InvalidAmount, InvalidState, ProductRuleViolated, Refusal
from domain.lending import guards, loan_application
from domain.lending.revolving_loan import freezing
from domain.lending.revolving_loan.tables import (
    CreditFacility,
    FacilityRequest,
    FacilityState,
    RequestKind,
    RequestState,
    check_live,
    move,
)
from domain.lending.revolving_loan.terms import FacilityTerms, check_papers, check_terms, offer_of
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context

LONGEST_REASON = 500
TITLES = {
    RequestKind.GRANT: "授信审批 Approve the facility",
    RequestKind.LIMIT_CHANGE: "额度调整审批 Approve another limit of",
    RequestKind.UNFREEZE: "解冻审批 Approve the end of the freeze of",
}


@command("lending.credit_facility.apply", idempotent=True)
async def apply(
    ctx: Context, *, customer_id: UUID, product_id: UUID, terms: FacilityTerms, idempotency_key: str | None = None
) -> CreditFacility:
    """Asks for a facility and sends it to approval. The maker manages it with the customer's managers.

    Raises NOT_FOUND, INVALID_STATE (product not offered), PRODUCT_RULE_VIOLATED (not revolving, the term), INVALID_AMOUNT,
    INVALID_INPUT, and what the guards refuse for a limit drawn in full."""
    customer = await find(ctx, Customer, customer_id, "customerId")
    product = await find(ctx, LoanProduct, product_id, "productId")
    if product.state is not ProductState.ACTIVE:
        raise InvalidState("productId", state=product.state)
    if product.kind is not LoanKind.REVOLVING:
        raise ProductRuleViolated("productId", rule="kind", value=product.kind, allowed=LoanKind.REVOLVING)
    columns = check_terms(terms, product, ctx.today)
    await loan_application.check_purpose(ctx, terms.purpose_code)
    row = ctx.add(
        CreditFacility(
            number=await numbered(ctx, "SX"),
            state=FacilityState.DRAFT,
            customer_id=customer.id,
            product_id=product.id,
            maker_id=ctx.actor.id,
            manager_id=customer.manager_id or ctx.actor.id,
            co_manager_id=customer.co_manager_id,
            department_id=customer.department_id or ctx.actor.department_id,
            frozen_causes=[],
            guards=[],
            **columns,
        )
    )
    await _send_grant(ctx, row, product)
    return row


@command("lending.credit_facility.resubmit")
async def resubmit(ctx: Context, *, facility_id: UUID, expected_version: int, terms: FacilityTerms) -> CreditFacility:
    """Asks again for a facility that was given back, with the terms as they are to be.

    Raises NOT_FOUND, CONFLICT, INVALID_STATE, Denied (another's), and as `apply`."""
    row = await lock(ctx, CreditFacility, facility_id, "facilityId")
    _check_own(ctx, row)
    check_version(row, expected_version)
    if row.state is not FacilityState.DRAFT:
        raise InvalidState("facilityId", state=row.state)
    product = await ctx.session.get_one(LoanProduct, row.product_id)
    await loan_application.check_purpose(ctx, terms.purpose_code)
    for name, value in check_terms(terms, product, ctx.today).items():
        setattr(row, name, value)
    await _send_grant(ctx, row, product)
    return row


async def _send_grant(ctx: Context, row: CreditFacility, product: LoanProduct) -> None:
    move(row, "apply")
    await ctx.session.flush()
    row.guards = await guards.check(ctx, row, offer_of(row, product))
    await _ask(ctx, row, RequestKind.GRANT, row.credit_limit, row.purpose)
    ctx.announce("lending.credit_facility.applied", row, customer_id=row.customer_id)


@command("lending.credit_facility.withdraw")
async def withdraw(ctx: Context, *, facility_id: UUID) -> CreditFacility:
    """Takes back what waits for a decision: the facility itself if it was never granted, else the request about it.

    Raises NOT_FOUND, INVALID_STATE (nothing waits), Denied (neither its maker nor who asked)."""
    row = await lock(ctx, CreditFacility, facility_id, "facilityId")
    open_one = await open_request(ctx, row.id)
    asked_by = {row.maker_id} if open_one is None else {row.maker_id, open_one.requested_by}
    if ctx.actor.id not in asked_by:
        raise Denied(ctx.bound.permission)
    if open_one is None and row.state is not FacilityState.DRAFT:
        raise InvalidState("facilityId", state=row.state)
    if row.state in (FacilityState.DRAFT, FacilityState.APPROVING):
        move(row, "withdraw")
        row.ended_on = ctx.today
    await drop_request(ctx, row)
    ctx.announce("lending.credit_facility.withdrawn", row)
    return row


@command("lending.credit_facility.change_limit")
async def change_limit(ctx: Context, *, facility_id: UUID, new_limit: Decimal, reason: str) -> CreditFacility:
    """额度调整 · Asks for another limit; it holds from its approval. Lowering it never recalls what is drawn.

    Raises NOT_FOUND, INVALID_STATE (not in force, or something waits already), INVALID_AMOUNT (none, or the same), and
    what the guards refuse for a higher limit drawn in full."""
    row = await lock(ctx, CreditFacility, facility_id, "facilityId")
    await ask_for_limit(ctx, row, new_limit, reason)
    return row


async def ask_for_limit(ctx: Context, row: CreditFacility, new_limit: Decimal, reason: str) -> None:
    """The request for another limit on a facility that is locked. Raises as `change_limit`."""
    check_live(row)
    if new_limit <= 0 or new_limit == row.credit_limit or new_limit < row.min_drawdown:
        raise InvalidAmount("newLimit", amount=new_limit)
    plain_reason = check_text("reason", reason, LONGEST_REASON)
    if new_limit > row.credit_limit:
        await check_new_limit(ctx, row, new_limit, "newLimit")
    await _ask(ctx, row, RequestKind.LIMIT_CHANGE, new_limit, plain_reason)
    ctx.announce("lending.credit_facility.change_requested", row)


@command("lending.credit_facility.unfreeze")
async def unfreeze(
    ctx: Context, *, facility_id: UUID, reason: str, papers_valid_until: date | None = None
) -> CreditFacility:
    """解冻 · Asks for the end of a freeze; `papers_valid_until`: new papers were seen.

    Raises NOT_FOUND, INVALID_STATE (not frozen, what froze it is still there, or something waits already), INVALID_INPUT."""
    row = await lock(ctx, CreditFacility, facility_id, "facilityId")
    if row.state is not FacilityState.FROZEN:
        raise InvalidState("facilityId", state=row.state)
    if papers_valid_until is not None:
        check_papers(papers_valid_until, ctx.today)
        row.papers_valid_until = papers_valid_until
        await ctx.session.flush()
    await freezing.check_causes_gone(ctx, row)
    await _ask(ctx, row, RequestKind.UNFREEZE, row.credit_limit, check_text("reason", reason, LONGEST_REASON))
    ctx.announce("lending.credit_facility.unfreeze_requested", row)
    return row


def _check_own(ctx: Context, row: CreditFacility) -> None:
    if ctx.actor.id not in row.makers:
        raise Denied(ctx.bound.permission)


async def check_new_limit(ctx: Context, row: CreditFacility, limit: Decimal, field: str | tuple[str, ...]) -> None:
    """The guards for a limit drawn in full; a refusal about an amount names the input that it came from."""
    product = await ctx.session.get_one(LoanProduct, row.product_id)
    try:
        row.guards = await guards.check(ctx, row, replace(offer_of(row, product), amount=limit))
    except Refusal as refusal:
        if refusal.field == ("amount",):
            refusal.field = (field,) if isinstance(field, str) else field
        raise


async def _ask(ctx: Context, row: CreditFacility, kind: RequestKind, limit: Decimal, reason: str) -> None:
    """One request, and the workflow that decides it."""
    waiting = await open_request(ctx, row.id)
    if waiting is not None:
        raise InvalidState(
            "facilityId",
            zh="该授信已有审批中的申请。",
            en="Something about it waits for a decision.",
            state=waiting.state,
        )
    request = FacilityRequest(
        facility_id=row.id,
        kind=kind,
        state=RequestState.IN_REVIEW,
        limit_before=Decimal(0) if kind is RequestKind.GRANT else row.credit_limit,
        limit_after=limit,
        reason=reason,
        requested_by=ctx.actor.id,
    )
    ctx.add(request)
    product = await ctx.session.get_one(LoanProduct, row.product_id)
    customer = await ctx.session.get_one(Customer, row.customer_id)
    await workflow.start(
        ctx,
        purpose=PURPOSE,
        code=product.workflow_code,
        subject=row,
        title=f"{TITLES[kind]} {row.number}",
        amount=limit,
        customer_id=row.customer_id,
        makers=row.makers,
        facts={
            "annual_rate": row.annual_rate,
            "periods": row.max_periods,
            "product": product.code,
            "lending_mode": row.lending_mode,
            "customer_kind": customer.kind,
            "request": kind,
        },
    )


async def open_request(ctx: Context, facility_id: UUID) -> FacilityRequest | None:
    """What waits for a decision about a facility."""
    waiting = select(FacilityRequest).where(
        FacilityRequest.facility_id == facility_id, FacilityRequest.state == RequestState.IN_REVIEW
    )
    return (await ctx.session.execute(waiting)).scalar_one_or_none()


async def drop_request(ctx: Context, row: CreditFacility) -> None:
    """Ends what waits about a facility, because it was taken back or its cause is gone."""
    waiting = await open_request(ctx, row.id)
    if waiting is not None:
        waiting.state = RequestState.WITHDRAWN
        await workflow.stop(ctx, row)
