"""授信查询 · Facilities as lists with their totals, and what belongs to many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, cast, false, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.customers.customer import Customer
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.paging_by_parent import pages_by_parent
from domain.kernel.refusals import BadInput
from domain.kernel.scope import scope
from domain.lending.loan.tables import Loan
from domain.lending.loan_application import LoanApplication
from domain.lending.loan_contract import LoanContract
from domain.lending.revolving_loan.limit import NOTHING, outstanding, with_usage
from domain.lending.revolving_loan.tables import (
    CreditFacility,
    FacilityEvent,
    FacilityRequest,
    FacilityReview,
    FacilityState,
    FreezeCause,
)

if TYPE_CHECKING:
    from domain.kernel.context import Context

FACILITY: Any = CreditFacility.__table__.c
CONTRACT: Any = LoanContract.__table__.c


class FacilityOrderField(StrEnum):
    """What facilities may be sorted by."""

    NUMBER = "NUMBER"
    """编号 By the number people read."""
    ENDS_ON = "ENDS_ON"
    """到期日 By the last day of the term."""
    CREDIT_LIMIT = "CREDIT_LIMIT"
    """额度 By the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityFilter:
    """Only facilities that meet all that is given. `search` is part of the number or of the customer's name; a usage rate is
    principal outstanding ÷ limit."""

    search: str | None = None
    states: Sequence[FacilityState] | None = None
    causes: Sequence[FreezeCause] | None = None
    customer_id: UUID | None = None
    product_id: UUID | None = None
    manager_id: UUID | None = None
    ends_on: tuple[date | None, date | None] = (None, None)
    next_review_on: tuple[date | None, date | None] = (None, None)
    credit_limit: tuple[Decimal | None, Decimal | None] = (None, None)
    min_usage_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """合计 · Of all facilities that a filter leaves; `available` counts ACTIVE ones only. Money in CNY."""

    count: int
    credit_limit: Decimal
    used: Decimal
    in_approval: Decimal
    available: Decimal


# ---------------------------------------------------------------- lists


@query("lending.credit_facility.read")
async def facilities(
    ctx: Context,
    *,
    columns: Sequence[Any],
    wanted: FacilityFilter,
    order: FacilityOrderField = FacilityOrderField.NUMBER,
    descending: bool = True,
    window: Window,
) -> Page:
    """Facilities the actor may see, filtered and sorted."""
    statement = select(*columns).where(scope(ctx, CreditFacility), *_conditions(wanted))
    column = {
        FacilityOrderField.NUMBER: FACILITY.number,
        FacilityOrderField.ENDS_ON: FACILITY.ends_on,
        FacilityOrderField.CREDIT_LIMIT: FACILITY.credit_limit,
    }[order]
    return await page(ctx, statement, [Order(column, descending), Order(FACILITY.id, descending)], window)


@query("lending.credit_facility.read")
async def totals(ctx: Context, *, wanted: FacilityFilter) -> Totals:
    """The sums over the facilities that the actor may see and the filter leaves. One statement."""
    each = with_usage(ctx.today).where(scope(ctx, CreditFacility), *_conditions(wanted)).subquery()
    free = func.greatest(each.c.credit_limit - each.c.used - each.c.in_approval, NOTHING)
    sums = (each.c.credit_limit, each.c.used, each.c.in_approval)
    statement = select(
        func.count(),
        *(func.coalesce(func.sum(column), NOTHING) for column in sums),
        func.coalesce(func.sum(free).filter(each.c.state == FacilityState.ACTIVE), NOTHING),
    )
    return Totals(*(await ctx.connection.execute(statement.select_from(each))).one())


@query("lending.credit_facility.read")
async def one(
    ctx: Context, *, columns: Sequence[Any], facility_id: UUID | None = None, number: str | None = None
) -> Any:
    """The facility with this id, or with this number; None when there is none, or none for this viewer."""
    if number is not None and not number.isprintable():
        raise BadInput("the number holds control characters")
    wanted = FACILITY.id == facility_id if facility_id is not None else FACILITY.number == number
    statement = select(*columns).where(scope(ctx, CreditFacility), wanted)
    return (await ctx.connection.execute(statement)).one_or_none()


def _conditions(wanted: FacilityFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states is not None:
        found.append(FACILITY.state.in_(wanted.states))
    if wanted.causes is not None:
        causes = cast(FACILITY.frozen_causes, JSONB)
        found.append(or_(false(), *(causes.contains([str(cause)]) for cause in wanted.causes)))
    for column, value in ((FACILITY.customer_id, wanted.customer_id), (FACILITY.product_id, wanted.product_id)):
        if value is not None:
            found.append(column == value)
    if wanted.manager_id is not None:
        found.append(or_(FACILITY.manager_id == wanted.manager_id, FACILITY.co_manager_id == wanted.manager_id))
    for column, (least, most) in (
        (FACILITY.ends_on, wanted.ends_on),
        (FACILITY.next_review_on, wanted.next_review_on),
        (FACILITY.credit_limit, wanted.credit_limit),
    ):
        if least is not None:
            found.append(column >= least)
        if most is not None:
            found.append(column <= most)
    if wanted.min_usage_rate is not None:
        found.append(outstanding(FACILITY.id) >= wanted.min_usage_rate * FACILITY.credit_limit)
    if wanted.search and not wanted.search.isprintable():
        raise BadInput("what is searched for holds control characters")
    if wanted.search:
        named = select(Customer.id).where(Customer.name.contains(wanted.search, autoescape=True))
        number = FACILITY.number.icontains(wanted.search.strip(), autoescape=True)
        found.append(or_(number, FACILITY.customer_id.in_(named)))
    return found


# ---------------------------------------------------------------- what belongs to many at once


async def loans_of(
    ctx: Context, facility_ids: Sequence[UUID], columns: Sequence[Any], window: Window
) -> dict[UUID, Page]:
    """The loans drawn under each facility that the actor may see, the latest first."""
    loan: Any = Loan.__table__.c
    statement = select(*columns).join_from(Loan, LoanContract, loan.contract_id == CONTRACT.id).where(scope(ctx, Loan))
    order = [Order(loan.value_date, descending=True), Order(loan.id, descending=True)]
    return await pages_by_parent(ctx, statement, CONTRACT.facility_id, facility_ids, order, window)


async def drawdowns_of(
    ctx: Context, facility_ids: Sequence[UUID], columns: Sequence[Any], window: Window
) -> dict[UUID, Page]:
    """What was asked for under each facility that the actor may see, the latest first."""
    table: Any = LoanApplication.__table__.c
    statement = select(*columns).where(scope(ctx, LoanApplication))
    return await pages_by_parent(
        ctx, statement, table.facility_id, facility_ids, [Order(table.id, descending=True)], window
    )


async def history_of(
    ctx: Context, facility_ids: Sequence[UUID], columns: Sequence[Any], window: Window
) -> dict[UUID, Page]:
    """What happened to each facility, in order."""
    table: Any = FacilityEvent.__table__.c
    return await pages_by_parent(ctx, select(*columns), table.facility_id, facility_ids, [Order(table.id)], window)


async def requests_of(ctx: Context, facility_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """What was asked about each facility, in order."""
    return await _in_order(ctx, FacilityRequest, facility_ids, columns)


async def reviews_of(ctx: Context, facility_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """The reviews of each facility, in order."""
    return await _in_order(ctx, FacilityReview, facility_ids, columns)


async def _in_order(
    ctx: Context, entity: Any, facility_ids: Sequence[UUID], columns: Sequence[Any]
) -> dict[UUID, list[Any]]:
    table = entity.__table__.c
    statement = select(*columns, table.facility_id.label("__facility")).where(table.facility_id.in_(facility_ids))
    found: dict[UUID, list[Any]] = {key: [] for key in facility_ids}
    for row in (await ctx.connection.execute(statement.order_by(table.id))).all():
        found[row._mapping["__facility"]].append(row)
    return found


async def of_contracts(ctx: Context, contract_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """The facility that each contract was drawn under."""
    statement = select(*columns, CONTRACT.id.label("__contract"))
    statement = statement.join_from(CreditFacility, LoanContract, CONTRACT.facility_id == FACILITY.id)
    rows = await ctx.connection.execute(statement.where(CONTRACT.id.in_(contract_ids)))
    return {row._mapping["__contract"]: row for row in rows}
