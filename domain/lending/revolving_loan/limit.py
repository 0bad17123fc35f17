"""可用额度 · How much of a facility is drawn, on its way, and free. Counted from loans and applications, never stored.

available = limit - principal outstanding - drawdowns in approval or not paid out yet, and nothing below zero: a limit that
was lowered may be less than what is drawn already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, and_, func, or_, select

from domain.calculation import credit_line
from domain.calculation.credit_line import CreditLine
from domain.calculation.money import fen, yuan
from domain.kernel.table import TenantTable
from domain.lending.loan import figures
from domain.lending.loan.tables import Loan
from domain.lending.loan_application import PENDING, ApplicationState, LoanApplication
from domain.lending.loan_contract import LoanContract
from domain.lending.revolving_loan.tables import CreditFacility, FacilityState

if TYPE_CHECKING:
    from domain.kernel.context import Context

NOTHING = Decimal("0.00")
FACILITY: Any = CreditFacility.__table__.c
LOAN: Any = Loan.__table__.c
CONTRACT: Any = LoanContract.__table__.c
APPLICATION: Any = LoanApplication.__table__.c


@dataclass(frozen=True, slots=True)
class Usage:
    """额度占用 · In CNY. `used`: principal outstanding; `in_approval`: drawdowns asked for and not paid out yet."""

    limit: Decimal
    used: Decimal
    in_approval: Decimal
    drawable: bool = True

    @property
    def free(self) -> Decimal:
        """What is left of the limit, whatever the facility's state."""
        return max(self.limit - self.used - self.in_approval, NOTHING)

    @property
    def available(self) -> Decimal:
        """What can be drawn now: nothing unless the facility is ACTIVE."""
        return self.free if self.drawable else NOTHING

    @property
    def rate(self) -> Decimal:
        """使用率 · Share of the limit that is drawn, four places."""
        return (self.used / self.limit).quantize(Decimal("0.0001"))


def outstanding(facility_id: Any) -> ScalarSelect[Any]:
    """Principal outstanding under a facility, as an expression of a statement over facilities."""
    drawn = select(func.coalesce(func.sum(LOAN.principal_outstanding), NOTHING))
    drawn = drawn.join_from(Loan, LoanContract, LOAN.contract_id == CONTRACT.id)
    return drawn.where(CONTRACT.facility_id == facility_id).correlate(CreditFacility).scalar_subquery()


def reserved(today: date, facility_id: Any, but: UUID | None = None) -> ScalarSelect[Any]:
    """Drawdowns on their way under a facility, `but` one: asked or approved, neither expired nor paid out.

    An approval that is over while its payment is with the bank still counts: the money may be gone."""
    payouts = TenantTable.metadata.tables["disbursements"].c
    # The facility is named again, because contracts are indexed by it.
    own = and_(CONTRACT.facility_id == APPLICATION.facility_id, CONTRACT.application_id == APPLICATION.id)
    paying = select(payouts.id).where(own, CONTRACT.id == payouts.contract_id, payouts.state == "PAYING").exists()
    paid_out = select(func.coalesce(func.sum(LOAN.principal), NOTHING))
    paid_out = paid_out.join_from(Loan, LoanContract, LOAN.contract_id == CONTRACT.id)
    paid = paid_out.where(own).correlate(LoanApplication).scalar_subquery()
    left = func.coalesce(APPLICATION.approved_amount, APPLICATION.amount) - paid
    valid = or_(APPLICATION.approved_valid_until.is_(None), APPLICATION.approved_valid_until >= today)
    alive = and_(APPLICATION.state.in_(PENDING), valid)
    asked = select(func.coalesce(func.sum(func.greatest(left, NOTHING)), NOTHING)).where(
        APPLICATION.facility_id == facility_id,
        or_(alive, and_(APPLICATION.state != ApplicationState.WITHDRAWN, paying)),
    )
    if but is not None:
        asked = asked.where(APPLICATION.id != but)
    return asked.correlate(CreditFacility).scalar_subquery()


def with_usage(today: date, *, but: UUID | None = None) -> Select[Any]:
    """A statement over facilities: id, limit, what is used and what is in approval."""
    return select(
        FACILITY.id,
        FACILITY.state,
        FACILITY.credit_limit,
        outstanding(FACILITY.id).label("used"),
        reserved(today, FACILITY.id, but).label("in_approval"),
    )


async def usages(ctx: Context, facility_ids: Sequence[UUID], *, but: UUID | None = None) -> dict[UUID, Usage]:
    """How much of each facility is drawn, on its way and free; `but` leaves one drawdown out. One statement for all."""
    statement = with_usage(ctx.today, but=but).where(FACILITY.id.in_(facility_ids))
    rows = (await ctx.connection.execute(statement)).all()
    return {
        row.id: Usage(row.credit_limit, row.used, row.in_approval, row.state == FacilityState.ACTIVE) for row in rows
    }


async def free_since(ctx: Context, facility: Any, on: date, but: UUID) -> Usage:
    """The same for a drawdown whose money left on `on`: one entered late must leave room for what was drawn since, so the
    day on which most was drawn counts. `facility` is a row of `credit_facilities`."""
    usage = (await usages(ctx, [facility.id], but=but))[facility.id]
    if on >= ctx.today:
        return usage
    under = select(LOAN.id).join_from(Loan, LoanContract, LOAN.contract_id == CONTRACT.id)
    ids = (await ctx.connection.execute(under.where(CONTRACT.facility_id == facility.id))).scalars().all()
    folds = list((await figures.folds(ctx, ids)).values())
    line = CreditLine(
        limit=fen(facility.credit_limit),
        annual_rate=Fraction(facility.annual_rate),
        starts_on=facility.starts_on,
        ends_on=facility.ends_on,
    )
    most = facility.credit_limit - yuan(credit_line.available(line, folds, on, ctx.today))
    return Usage(usage.limit, max(usage.used, most), usage.in_approval, usage.drawable)
