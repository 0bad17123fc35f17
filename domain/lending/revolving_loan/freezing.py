"""额度冻结 · Freezing a facility (F11): at once and by one person, or by end of day for a cause that the lender's list names.

Nothing more is drawn on a frozen facility; what was drawn runs on. The end of a freeze is asked for and decided by others,
and never while one of the causes is still there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal, select

from domain.calculation.classification import FiveClass
from domain.configuration import parameter
from domain.kernel.command import command, lock
from domain.kernel.refusals import InvalidState
from domain.lending.loan.tables import Loan, LoanState
from domain.lending.loan_contract import LoanContract
from domain.lending.revolving_loan.history import note
from domain.lending.revolving_loan.tables import (
    CreditFacility,
    FacilityEventType,
    FacilityState,
    FreezeCause,
    move,
)
from domain.organization.department import check_text
from domain.post_loan.early_warning import OPEN, Alert, AlertLevel

if TYPE_CHECKING:
    from domain.kernel.context import Context

LONGEST_REASON = 500
FACILITY: Any = CreditFacility.__table__.c


# ---------------------------------------------------------------- causes


def causes_of(day: date, level: AlertLevel) -> dict[FreezeCause, ColumnElement[bool]]:
    """What freezes a facility, as predicates over facilities, at the close of `day`; alerts count from `level` up."""
    drawn = select(literal(1)).select_from(Loan).join(LoanContract, Loan.contract_id == LoanContract.id)
    drawn = drawn.where(LoanContract.facility_id == FACILITY.id, Loan.state != LoanState.SETTLED)
    grave = [one for one in AlertLevel if one.rank >= level.rank]
    told = select(Alert.id).where(
        Alert.customer_id == FACILITY.customer_id, Alert.level.in_(grave), Alert.state.in_(OPEN)
    )
    return {
        FreezeCause.OVERDUE: drawn.where(Loan.days_past_due_since.is_not(None)).exists(),
        FreezeCause.CLASS: drawn.where(Loan.five_class != FiveClass.NORMAL).exists(),
        FreezeCause.WARNING: told.exists(),
        FreezeCause.PAPERS: and_(FACILITY.papers_valid_until.is_not(None), FACILITY.papers_valid_until <= day),
        FreezeCause.REVIEW: and_(FACILITY.next_review_on.is_not(None), FACILITY.next_review_on <= day),
    }


async def causes_that_count(ctx: Context, day: date) -> dict[FreezeCause, ColumnElement[bool]]:
    """Those of the causes that the lender has chosen (parameters `facility_freeze_causes`, `facility_freeze_level`)."""
    chosen = await parameter.values(ctx, ("facility_freeze_causes", "facility_freeze_level"))
    known = causes_of(day, AlertLevel(chosen["facility_freeze_level"]))
    return {cause: holds for cause, holds in known.items() if cause in chosen["facility_freeze_causes"]}


async def standing_causes(ctx: Context, day: date, *conditions: ColumnElement[bool]) -> dict[UUID, list[FreezeCause]]:
    """The facilities that meet the conditions and have a cause at the close of `day`, with their causes."""
    causes = await causes_that_count(ctx, day)
    if not causes:
        return {}
    columns = [holds.label(f"cause_{cause.lower()}") for cause, holds in causes.items()]
    rows = (await ctx.connection.execute(select(FACILITY.id, *columns).where(*conditions).order_by(FACILITY.id))).all()
    found = {row[0]: [cause for cause, holds in zip(causes, row[1:], strict=True) if holds] for row in rows}
    return {key: named for key, named in found.items() if named}


async def check_causes_gone(ctx: Context, row: CreditFacility, field: str = "facilityId") -> None:
    """What end of day would freeze it for again must be gone first. Raises INVALID_STATE with the causes."""
    # The day before: papers that hold today and a review that is due today do not stand in the way.
    found = await standing_causes(ctx, date.fromordinal(ctx.today.toordinal() - 1), FACILITY.id == row.id)
    if row.id in found:
        raise InvalidState(
            field,
            zh="冻结原因仍存在：{causes}。",
            en="What froze it is still there: {causes}.",
            state=row.state,
            causes=found[row.id],
        )


# ---------------------------------------------------------------- freezing


@command("lending.credit_facility.freeze")
async def freeze(ctx: Context, *, facility_id: UUID, reason: str) -> CreditFacility:
    """冻结 · Nothing more can be drawn, from this moment. Raises NOT_FOUND, INVALID_STATE (not ACTIVE), INVALID_INPUT."""
    row = await lock(ctx, CreditFacility, facility_id, "facilityId")
    frozen(ctx, row, [FreezeCause.MANUAL], check_text("reason", reason, LONGEST_REASON))
    return row


def frozen(ctx: Context, row: CreditFacility, causes: Sequence[FreezeCause], reason: str | None = None) -> None:
    """Freezes a facility that is locked. Raises INVALID_STATE."""
    move(row, "freeze")
    row.frozen_on, row.frozen_causes, row.frozen_reason = ctx.today, [str(cause) for cause in causes], reason
    note(ctx, row, FacilityEventType.FROZEN, reason=reason, causes=causes)
    ctx.announce("lending.credit_facility.frozen", row, causes=list(causes))


async def freeze_found(ctx: Context, day: date) -> int:
    """Freezes what has a cause at the close of `day`; answers how many. Repeating it freezes nothing."""
    found = await standing_causes(ctx, day, FACILITY.state == FacilityState.ACTIVE)
    if not found:
        return 0
    wanted = select(CreditFacility).where(CreditFacility.id.in_(found), CreditFacility.state == FacilityState.ACTIVE)
    rows = (await ctx.session.execute(wanted.order_by(CreditFacility.id).with_for_update())).scalars().all()
    for row in rows:
        frozen(ctx, row, found[row.id])
    return len(rows)
