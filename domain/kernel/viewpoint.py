"""时点 · Two time axes: the day a figure is of, and the moment of what was known of it.

A day is asked as it is known now, or as it was known at an earlier moment (loan_engine.md §6): what was booked later, however
far back its value date lies, is not in that answer. Moments are the lender's (`ctx.now`), as the history of a loan shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from domain.kernel.refusals import BadInput
from domain.kernel.table import TenantTable

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """A day at its close, seen from a moment (`known_at`, None: now). `open_day` is the business day open at that moment."""

    day: date
    known_at: datetime | None
    open_day: date

    @property
    def reached(self) -> bool:
        """Had the day been opened by then? Nothing is known of a later one."""
        return self.day <= self.open_day


async def viewpoint(ctx: Context, on: date | None = None, known_at: datetime | None = None) -> Viewpoint:
    """The day asked for (default: the one open at the moment), seen from the moment asked for (default: now).

    Raises BadInput for a moment that has not come, or before the lender was opened."""
    if known_at is None:
        return Viewpoint(on or ctx.today, None, ctx.today)
    if known_at > ctx.now:
        raise BadInput("knownAt has not come yet")
    days = TenantTable.metadata.tables["business_days"].c
    opened = select(func.max(days.date)).where(days.created_at <= known_at)
    open_day = (await ctx.connection.execute(opened)).scalar_one()
    if open_day is None:
        raise BadInput("knownAt is before the lender was opened")
    return Viewpoint(on or open_day, known_at, open_day)


async def reached(ctx: Context, on: date | None = None, known_at: datetime | None = None) -> Viewpoint:
    """The same, of a day that had been opened by then. Raises BadInput for a later one, too."""
    view = await viewpoint(ctx, on, known_at)
    if not view.reached:
        raise BadInput("this day is not open yet" if known_at is None else "this day was not open at knownAt")
    return view
