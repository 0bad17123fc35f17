"""日终判定 · What is announced when a day closes, after its receipts: loans newly overdue, classes that changed.

Decided once per spell, from what the loans are at that close, so that a receipt later on the same day counts.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import aliased

from domain.calculation.classification import FiveClass
from domain.kernel import bulk, portion
from domain.kernel.clock import CLOSING_DAY
from domain.kernel.portion import Portion
from domain.lending.loan.refold import LOANS
from domain.lending.loan.tables import STILL_KNOWN, Loan, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context


SPELLS_TO_ANNOUNCE = (
    select(Loan.id).where(Loan.days_past_due_since.is_(None) != Loan.overdue_spell_from.is_(None)).exists()
)
"""Whether `announce_overdue` finds a spell that begins or ends."""


async def announce_overdue(ctx: Context, day: date, after: UUID | None) -> Portion:
    """转逾期 · Loans beyond grace at the close of `day` that the close before did not find so; a step in parts.

    A loan that has paid ends its spell, and a later default begins another."""
    if after is None:
        ended = update(Loan).where(Loan.overdue_spell_from.is_not(None), Loan.days_past_due_since.is_(None))
        await ctx.connection.execute(ended.values(overdue_spell_from=None))
    found = select(Loan.id).where(Loan.days_past_due_since.is_not(None), Loan.overdue_spell_from.is_(None))
    if after is not None:
        found = found.where(Loan.id > after)
    found = found.order_by(Loan.id).limit(portion.MOST)
    ids = (await ctx.connection.execute(found.with_for_update())).scalars().all()
    await bulk.update(ctx, LOANS, [{"id": loan_id} for loan_id in ids], keys=("id",), overdue_spell_from=day)
    for loan_id in ids:
        ctx.announce("lending.loan.became_overdue", Loan(id=loan_id), on=day)
    return Portion.of(ids)


THEN, NOW = aliased(PositionRow), aliased(PositionRow)


def _changed_classes(day: date | ColumnElement[date]) -> Select[UUID, FiveClass, FiveClass]:
    return (
        select(NOW.loan_id, THEN.five_class.label("old"), NOW.five_class.label("new"))
        .join(THEN, (THEN.loan_id == NOW.loan_id) & (THEN.known_to == STILL_KNOWN))
        # A position begins where the one before it ends, and by their ends they have an index.
        .where(THEN.to_date == day, NOW.known_to == STILL_KNOWN, NOW.from_date == day)
        .where(THEN.five_class != NOW.five_class)
    )


CLASSES_TO_ANNOUNCE = _changed_classes(CLOSING_DAY).exists()
"""Whether `announce_classes` finds a class that has changed."""


async def announce_classes(ctx: Context, day: date, after: UUID | None) -> Portion:
    """五级分类变动 · Loans whose system class at the close of `day` is another than at the close before; a step in parts."""
    changed = _changed_classes(day)
    if after is not None:
        changed = changed.where(NOW.loan_id > after)
    found = (await ctx.connection.execute(changed.order_by(NOW.loan_id).limit(portion.MOST))).all()
    for row in found:
        ctx.announce("lending.loan.class_changed", Loan(id=row.loan_id), on=day, old=row.old, new=row.new)
    return Portion.of([row.loan_id for row in found])
