"""额度日终 · The step of end of day for facilities (F11): whose term is over ends, what has a cause is frozen, reviews come due."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from domain.lending.revolving_loan import freezing, review
from domain.lending.revolving_loan.tables import LIVE, CreditFacility, FacilityEventType

if TYPE_CHECKING:
    from domain.kernel.context import Context


FACILITIES_TO_LOOK_AT = select(CreditFacility.id).where(CreditFacility.state.in_(LIVE)).exists()
"""Whether there is any that could expire, freeze or come up for review."""


async def close_day(ctx: Context, day: date) -> dict[str, int]:
    """After overdue loans, classes and alerts of `day` are known; answers how many of each. Repeating it changes nothing."""
    return {
        "expired": await expire(ctx, day),
        "frozen": await freezing.freeze_found(ctx, day),
        "reviews": await review.ask_for_reviews(ctx, day),
    }


async def expire(ctx: Context, day: date) -> int:
    """到期 · Ends the facilities whose last day this was; answers how many."""
    over = select(CreditFacility).where(CreditFacility.state.in_(LIVE), CreditFacility.ends_on <= day)
    rows = (await ctx.session.execute(over.order_by(CreditFacility.id).with_for_update())).scalars().all()
    for row in rows:
        await review.finish(ctx, row, "expire", FacilityEventType.EXPIRED)
    return len(rows)
