"""日终判定 · What is announced when a day closes, after its receipts: loans newly overdue, classes that changed.

Decided once per spell, from the positions of that day, so that a receipt later on the same day counts.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from domain.lending.loan.tables import STILL_KNOWN, Loan, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context


async def announce_overdue(ctx: Context, day: date) -> int:
    """转逾期 · Loans beyond grace at the close of `day` that the close before did not find so; answers how many.

    A loan that has paid ends its spell, and a later default begins another."""
    overdue = (
        select(PositionRow.loan_id)
        .where(PositionRow.known_to == STILL_KNOWN, PositionRow.overdue_since.is_not(None))
        .where(PositionRow.from_date <= day, PositionRow.to_date > day)
    )
    ended = update(Loan).where(Loan.overdue_spell_from.is_not(None), Loan.id.not_in(overdue))
    await ctx.connection.execute(ended.values(overdue_spell_from=None))
    begun = update(Loan).where(Loan.overdue_spell_from.is_(None), Loan.id.in_(overdue))
    begun = begun.values(overdue_spell_from=day).returning(Loan.id)
    ids = (await ctx.connection.execute(begun)).scalars().all()
    for loan_id in sorted(ids):
        ctx.announce("lending.loan.became_overdue", Loan(id=loan_id), on=day)
    return len(ids)


async def announce_classes(ctx: Context, day: date) -> int:
    """五级分类变动 · Loans whose system class at the close of `day` is another than at the close before."""
    then, now = aliased(PositionRow), aliased(PositionRow)
    before = day - timedelta(days=1)
    changed = (
        select(now.loan_id, then.five_class.label("old"), now.five_class.label("new"))
        .join(then, (then.loan_id == now.loan_id) & (then.known_to == STILL_KNOWN))
        .where(now.known_to == STILL_KNOWN, now.from_date == day, now.to_date > day)
        .where(then.from_date <= before, then.to_date > before, then.five_class != now.five_class)
        .order_by(now.loan_id)
    )
    found = (await ctx.connection.execute(changed)).all()
    for row in found:
        ctx.announce("lending.loan.class_changed", Loan(id=row.loan_id), on=day, old=row.old, new=row.new)
    return len(found)
