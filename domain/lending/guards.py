"""护栏 · Gathers the figures of a case and checks the guards on it: at submission, at approval, and at the pay-out.

The rules themselves are in guard_rules.py; here is where their figures come from, and what becomes of the results.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy import case as when

from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind, LoanProduct
from domain.configuration.purpose import Purpose as PurposeRow
from domain.customers import blacklist, consent, related_group
from domain.customers.customer import Customer, CustomerKind
from domain.customers.individual_customer import IndividualCustomer
from domain.kernel import audit
from domain.kernel.command import query
from domain.kernel.refusals import ApprovalExpired
from domain.kernel.scope import scope
from domain.kernel.table import TenantTable
from domain.lending.guard_rules import (
    ALL,
    Borrower,
    Case,
    Exposure,
    Figures,
    Guard,
    GuardResult,
    GuardSeverity,
    Purpose,
    evaluate,
    failed,
)
from domain.lending.loan_application import PENDING, ApplicationState, LoanApplication
from domain.lending.offer import Offer, priced_today
from domain.lending.repayment_plan import cost_limits

if TYPE_CHECKING:
    from domain.kernel.context import Context

PARAMETERS = (
    "net_assets", "single_borrower_ratio", "group_ratio", "limit_warning_share", "consumption_limit", "business_limit",
    "working_region_codes", "age_minimum", "age_maximum",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfKind:
    """What a kind of loan adds to the guards. `hold` locks what its limit hangs on, before any figure is read; `refine`
    changes the case and adds results of its own (`Case.of_kind`), for a pay-out on a day; `pay_out` refuses what holds only
    when a disbursement is paid."""

    hold: Callable[[Context, Any], Awaitable[None]]
    refine: Callable[[Context, Any, Case, date], Awaitable[Case]]
    pay_out: Callable[[Context, Any, UUID | None, date], Awaitable[None]] | None = None


KINDS: dict[LoanKind, OfKind] = {}


async def check(
    ctx: Context, application: Any, offer: Offer, guards: Sequence[Guard] = ALL, on: date | None = None
) -> list[dict[str, Any]]:
    """Checks the guards on an application (or a facility) with these terms, as if it were paid out on a day (default:
    today); answers the results as the application keeps them.

    Raises the refusal of the first rule that does not hold. Warnings go into the guard log."""
    results = evaluate(await gather(ctx, application, offer, on, hold=True), guards)
    for result in failed(results, GuardSeverity.REFUSE):
        raise result.refusal()
    await warn(ctx, application, results)
    return [result.stored() for result in results]


@query("lending.guard_check.read")
async def preview(ctx: Context, *, application_id: UUID) -> list[GuardResult]:
    """What the guards would say to an application as it stands; nothing is refused and nothing logged. Empty where there is
    no such application for the actor."""
    table = LoanApplication.__table__
    found = await ctx.connection.execute(select(table).where(table.c.id == application_id, scope(ctx, LoanApplication)))
    row = found.one_or_none()
    if row is None:
        return []
    return evaluate(await gather(ctx, row, Offer(row.amount, row.periods, row.annual_rate, row.method)))


async def warn(ctx: Context, application: Any, results: Iterable[GuardResult]) -> None:
    """One guard-log row for each warning."""
    for result in failed(results, GuardSeverity.WARN):
        await audit.guard(ctx, result.refusal(), severity="WARN", subject_id=application.id)


async def check_disbursement(
    ctx: Context, contract: Any, value_date: date, disbursement_id: UUID | None = None
) -> None:
    """放款前复核 · The same guards once more when a contract (a row of `loan_contracts`) is paid out: the blacklist, the
    limits and the cost of that day. Raises APPROVAL_EXPIRED and the refusals of the guards."""
    application = await ctx.session.get_one(LoanApplication, contract.application_id)
    check_valid(ctx, application)
    await check(ctx, application, application.agreed, on=value_date)
    product = await ctx.session.get_one(LoanProduct, contract.product_id)
    own = KINDS.get(product.kind)
    if own and own.pay_out:
        await own.pay_out(ctx, contract, disbursement_id, value_date)


def check_valid(ctx: Context, application: LoanApplication) -> None:
    """An approval holds for a number of days (a parameter at the time of approval)."""
    until = application.approved_valid_until
    if until is not None and until < ctx.today:
        raise ApprovalExpired("applicationId", valid_until=until)


# ---------------------------------------------------------------- figures


async def gather(ctx: Context, application: Any, offer: Offer, on: date | None = None, *, hold: bool = False) -> Case:
    """Everything that the rules look at, read in this transaction. `application`: a row of `loan_applications`, or of
    another table with the columns that are used here. `hold`: what its limit hangs on stays locked."""
    products = LoanProduct.__table__
    product = (await ctx.connection.execute(select(products).where(products.c.id == application.product_id))).one()
    own = KINDS.get(LoanKind(product.kind))
    if own and hold:
        await own.hold(ctx, application)
    purpose = PurposeRow.__table__.c
    found = select(purpose.code, purpose.forbidden, purpose.use).where(purpose.code == application.purpose_code)
    asked = (await ctx.connection.execute(found)).one()
    case = Case(
        today=ctx.today,
        borrower=await _borrower(ctx, application.customer_id),
        purpose=Purpose(code=asked.code, forbidden=asked.forbidden, use=str(asked.use)),
        product=product,
        offer=offer,
        lending_mode=str(application.lending_mode),
        priced=await priced_today(ctx, product, offer),
        exposure=await exposure_after(ctx, application, offer.amount),
        figures=await _figures(ctx),
    )
    return await own.refine(ctx, application, case, on or ctx.today) if own else case


async def _borrower(ctx: Context, customer_id: UUID) -> Borrower:
    customers, people = Customer.__table__, IndividualCustomer.__table__
    statement = (
        select(customers.c.kind, customers.c.region_code, people.c.birth_date)
        .select_from(customers.outerjoin(people, people.c.id == customers.c.id))
        .where(customers.c.id == customer_id)
    )
    row = (await ctx.connection.execute(statement)).one()
    # An enterprise agrees in its contract; the consents are those of the law on personal data.
    person = row.kind == CustomerKind.INDIVIDUAL
    return Borrower(
        blacklisted=await blacklist.blacklisted(ctx, customer_id),
        birth_date=row.birth_date,
        missing_consents=tuple(await consent.missing(ctx, customer_id)) if person else (),
        region_code=row.region_code,
    )


async def _figures(ctx: Context) -> Figures:
    values = await parameter.values(ctx, PARAMETERS)
    return Figures(
        net_assets=values["net_assets"],
        single_borrower_ratio=values["single_borrower_ratio"],
        group_ratio=values["group_ratio"],
        limit_warning_share=values["limit_warning_share"],
        licence_limits={"CONSUMPTION": values["consumption_limit"], "BUSINESS": values["business_limit"]},
        region_codes=values["working_region_codes"],
        age_minimum=values["age_minimum"],
        age_maximum=values["age_maximum"],
        cost=await cost_limits(ctx),
    )


async def exposure_after(ctx: Context, application: Any, amount: Decimal) -> Exposure:
    """What would be owed after this application is paid out: outstanding principal, what is pending elsewhere, and `amount`
    less what was paid out under it already."""
    group = await related_group.group_of(ctx, application.customer_id)
    owed = await _outstanding(ctx, group)
    pending = await _pending(ctx, group, application.id)
    own = application.customer_id
    fresh = max(amount - (await _disbursed(ctx, [application.id])).get(application.id, Decimal(0)), Decimal(0))
    return Exposure(
        single=owed.get(own, Decimal(0)) + pending.get(own, Decimal(0)) + fresh,
        group=sum(owed.values(), Decimal(0)) + sum(pending.values(), Decimal(0)) + fresh,
    )


async def _outstanding(ctx: Context, customer_ids: set[UUID]) -> dict[UUID, Decimal]:
    """Principal owed on the lender's own loans, by customer; entrusted money is lent at the entrustor's risk."""
    loans = _table("loans").c
    statement = (
        select(loans.customer_id, func.sum(loans.principal_outstanding))
        .where(loans.customer_id.in_(customer_ids), loans.kind != LoanKind.ENTRUSTED)
        .group_by(loans.customer_id)
    )
    return {row[0]: row[1] for row in await ctx.connection.execute(statement)}


async def _pending(ctx: Context, customer_ids: set[UUID], but: UUID) -> dict[UUID, Decimal]:
    """Applications on the way, by customer: the approved amount (else the amount asked for) not yet paid out; none of
    entrusted money."""
    table = LoanApplication.__table__.c
    expired = and_(table.state == ApplicationState.APPROVED, table.approved_valid_until < ctx.today)
    amount = when((table.approved_amount.is_not(None), table.approved_amount), else_=table.amount)
    statement = select(table.id, table.customer_id, amount.label("amount")).where(
        table.customer_id.in_(customer_ids),
        table.state.in_(PENDING),
        table.id != but,
        or_(~expired, expired.is_(None)),
        table.entrusted_contract_id.is_(None),
    )
    rows = (await ctx.connection.execute(statement)).all()
    disbursed = await _disbursed(ctx, [row.id for row in rows])
    found: dict[UUID, Decimal] = {}
    for row in rows:
        left = max(row.amount - disbursed.get(row.id, Decimal(0)), Decimal(0))
        found[row.customer_id] = found.get(row.customer_id, Decimal(0)) + left
    return found


async def _disbursed(ctx: Context, application_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """Principal paid out so far under each application's contract."""
    loans, contracts = _table("loans"), _table("loan_contracts")
    statement = (
        select(contracts.c.application_id, func.sum(loans.c.principal))
        .join_from(loans, contracts, contracts.c.id == loans.c.contract_id)
        .where(contracts.c.application_id.in_(application_ids))
        .group_by(contracts.c.application_id)
    )
    return {row[0]: row[1] for row in await ctx.connection.execute(statement)}


def _table(name: str) -> Table:
    return TenantTable.metadata.tables[name]
