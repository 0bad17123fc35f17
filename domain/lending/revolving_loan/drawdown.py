"""支用 · Drawing on a facility (F11): a short application of its own, then contract, pay-out and loan as any other.

What is free is counted under the facility's row lock when a drawdown is asked for, when it is approved and when it is paid,
so drawdowns that come at once never exceed it together; what was asked for stays reserved until it is paid out or ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain import workflow
from domain.calculation.schedule import Method, PeriodUnit, period_end
from domain.configuration.loan_product import LoanKind, LoanProduct
from domain.customers.customer import Customer
from domain.kernel.command import command, lock
from domain.kernel.numbering import next_number
from domain.kernel.refusals import ProductRuleViolated
from domain.lending import approval, guards, loan_application
from domain.lending.guard_rules import Case, Exposure, GuardResult
from domain.lending.loan_application import ApplicationState, LoanApplication, Request, check_request
from domain.lending.offer import priced_on
from domain.lending.revolving_loan import limit
from domain.lending.revolving_loan.limit import Usage
from domain.lending.revolving_loan.tables import LIVE, CreditFacility, FacilityState
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "DRAWDOWN"


# ---------------------------------------------------------------- rules


def longest_periods(facility: Any, product: Any, today: date) -> int:
    """The most periods of a drawdown of today that mature in time. Raises PRODUCT_RULE_VIOLATED where not even one does."""
    unit, latest = PeriodUnit(product.period_unit), latest_maturity(facility, product)
    for periods in range(facility.max_periods, 0, -1):
        if period_end(today, unit, periods) <= latest:
            return periods
    raise ProductRuleViolated(
        "facilityId", rule="maturityDate", value=period_end(today, unit, 1), allowed=f"≤ {latest}"
    )


def latest_maturity(facility: Any, product: Any) -> date:
    """The last day on which a drawdown may mature: the end of the facility and the product's tail."""
    ends_on: date = facility.ends_on
    return ends_on + timedelta(days=product.drawdown_tail_days or 0)


def results(
    facility: Any, product: Any, usage: Usage, amount: Decimal, on: date, maturity: date
) -> Iterator[GuardResult]:
    """What a facility says to a drawdown of that day: not frozen, in force, in time, and within what is free."""
    frozen = facility.state == FacilityState.FROZEN
    shown = {"since": facility.frozen_on, "causes": facility.frozen_causes} if frozen else {}
    yield GuardResult("FACILITY_FROZEN", not frozen, params=shown, field="facilityId")
    yield GuardResult("INVALID_STATE", facility.state in LIVE, params={"state": facility.state}, field="facilityId")
    latest = latest_maturity(facility, product)
    for rule, day, first, last in (
        ("drawdownDate", on, facility.starts_on, facility.ends_on),
        ("maturityDate", maturity, facility.starts_on, latest),
    ):
        params = {"rule": rule, "value": day, "allowed": f"{first}–{last}"}
        yield GuardResult("PRODUCT_RULE_VIOLATED", first <= day <= last, params=params, field="periods")
    figures = {
        "available": usage.free,
        "amount": amount,
        "limit": usage.limit,
        "used": usage.used,
        "inApproval": usage.in_approval,
    }
    yield GuardResult("CREDIT_LIMIT_EXCEEDED", amount <= usage.free, params=figures, field="amount")


def narrowed(facility: Any, product: Any) -> Any:
    """What a drawdown may be: the product, within what the facility says of amount, periods, rate and security."""
    return SimpleNamespace(
        min_amount=facility.min_drawdown,
        max_amount=facility.max_drawdown,
        min_periods=product.min_periods,
        max_periods=facility.max_periods,
        min_rate=facility.annual_rate,
        max_rate=facility.annual_rate,
        methods=product.methods,
        lending_modes=[str(facility.lending_mode)],
    )


# ---------------------------------------------------------------- guards


async def hold(ctx: Context, subject: Any) -> None:
    """Locks the facility that a drawdown hangs on; the figures read from here on are those of this transaction."""
    if isinstance(subject, LoanApplication):
        held = select(CreditFacility.id).where(CreditFacility.id == subject.facility_id)
        await ctx.connection.execute(held.with_for_update())


async def refine(ctx: Context, subject: Any, case: Case, on: date) -> Case:
    """A facility counts as if all of it were drawn; a drawdown is looked at within its facility."""
    if isinstance(subject, CreditFacility):
        usage = (await limit.usages(ctx, [subject.id]))[subject.id]
        counted = usage.used + usage.in_approval  # its own drawdowns are part of the limit
        exposure = Exposure(single=case.exposure.single - counted, group=case.exposure.group - counted)
        return replace(case, exposure=exposure)
    table = CreditFacility.__table__
    facility = (await ctx.connection.execute(select(table).where(table.c.id == subject.facility_id))).one()
    usage = await limit.free_since(ctx, facility, on, but=subject.id)
    priced = case.priced if on == ctx.today else await priced_on(ctx, case.product, case.offer, on)
    found = tuple(results(facility, case.product, usage, case.offer.amount, on, priced.maturity))
    return replace(case, product=narrowed(facility, case.product), of_kind=found)


guards.KINDS[LoanKind.REVOLVING] = guards.OfKind(hold, refine)


# ---------------------------------------------------------------- command


@command("lending.credit_facility.draw", idempotent=True)
async def draw_down(
    ctx: Context,
    *,
    facility_id: UUID,
    amount: Decimal,
    periods: int | None = None,
    method: Method | None = None,
    purpose_code: str | None = None,
    purpose: str | None = None,
    repayment_source: str | None = None,
    idempotency_key: str | None = None,
) -> LoanApplication:
    """支用 · Asks for a part of the limit and sends it to approval (the lender's workflow DRAWDOWN). Without `periods` it
    runs as long as it may, without `method` it is settled every month where the product offers that; rate and security are
    the facility's, the purpose too where none is said.

    Raises NOT_FOUND, FACILITY_FROZEN, INVALID_STATE (not in force), CREDIT_LIMIT_EXCEEDED, PRODUCT_RULE_VIOLATED (amount,
    periods, method, maturity), INVALID_AMOUNT, INVALID_INPUT, and what the other guards refuse."""
    facility = await lock(ctx, CreditFacility, facility_id, "facilityId")
    product = await ctx.session.get_one(LoanProduct, facility.product_id)
    asked = Request(
        amount=amount,
        periods=longest_periods(facility, product, ctx.today) if periods is None else periods,
        annual_rate=facility.annual_rate,
        method=method or Method(sorted(product.methods, reverse=True)[0]),
        purpose_code=purpose_code or facility.purpose_code,
        purpose=facility.purpose if purpose is None else purpose,
        lending_mode=facility.lending_mode,
        repayment_source=repayment_source,
    )
    check_request(asked)
    await loan_application.check_purpose(ctx, asked.purpose_code)
    row = ctx.add(
        LoanApplication(
            number=f"SQ{ctx.today:%Y%m%d}{await next_number(ctx, 'SQ'):05d}",
            state=ApplicationState.DRAFT,
            customer_id=facility.customer_id,
            product_id=facility.product_id,
            facility_id=facility.id,
            maker_id=ctx.actor.id,
            manager_id=facility.manager_id,
            co_manager_id=facility.co_manager_id,
            department_id=facility.department_id,
            guards=[],
            **loan_application.columns_of(asked),
        )
    )
    await ctx.session.flush()
    row.guards = await guards.check(ctx, row, row.asked)
    await _start(ctx, row, facility, product)
    ctx.announce("lending.credit_facility.drawn", facility, application_id=row.id)
    return row


async def _start(ctx: Context, row: LoanApplication, facility: CreditFacility, product: LoanProduct) -> None:
    loan_application.move(row, "draw")
    customer = await ctx.session.get_one(Customer, row.customer_id)
    await workflow.start(
        ctx,
        purpose=PURPOSE,
        subject=row,
        title=f"支用审批 Approve the drawdown {row.number}",
        amount=row.amount,
        customer_id=row.customer_id,
        makers={row.maker_id, *facility.makers},
        facts={
            "annual_rate": row.annual_rate,
            "periods": row.periods,
            "product": product.code,
            "lending_mode": row.lending_mode,
            "customer_kind": customer.kind,
        },
    )


# ---------------------------------------------------------------- decisions


@workflow.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, terms: ApprovedTerms) -> None:
    """Approved: the guards once more, and the contract to prepare, at the latest while the facility runs. Given back counts
    as refused: it is drawn anew. Raises what the guards refuse."""
    row = await ctx.session.get_one(LoanApplication, running.subject_id)
    if not approved:
        loan_application.move(row, "reject")
        ctx.announce("lending.loan_application.rejected", row)
        return
    await approval.approve(ctx, row, approval.offer_of(row, running, terms), terms.conditions)
    facility = await ctx.session.get_one(CreditFacility, row.facility_id)
    assert row.approved_valid_until is not None
    row.approved_valid_until = min(row.approved_valid_until, facility.ends_on)
    ctx.announce("lending.loan_application.approved", row)


workflow.advanced(PURPOSE)(approval.advanced)
workflow.terms_check(PURPOSE)(approval.check_terms)
