"""余额查询 · The figures of loans on any day: from the stored rows, as we know them now or as we knew them then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.calculation.allocation import Component
from domain.calculation.loan.debt import InstallmentState
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.installments import Installment
from domain.calculation.loan.lines import Figures, OverdueLine, Position
from domain.calculation.loan.lines import figures as read
from domain.calculation.loan.quote import Quote
from domain.calculation.money import yuan
from domain.kernel.viewpoint import viewpoint
from domain.lending.loan import as_known, refold
from domain.lending.loan.tables import Loan, OverdueLineRow, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

_POSITION = tuple(PositionRow.__table__.c[name] for name in Position._fields)
_LINE = tuple(OverdueLineRow.__table__.c[name] for name in OverdueLine._fields)


async def positions(
    ctx: Context, loan_ids: Sequence[UUID], on: date | None = None, *, known_at: datetime | None = None
) -> dict[UUID, Figures]:
    """The figures at the close of a day (default: the one open then), in fen, as known now or at a moment. A loan that had not
    begun by then, and a day that was not open yet, answer nothing. Two statements for all loans, one more for a moment.

    Raises BadInput for a moment that has not come, or before the lender was opened."""
    view = await viewpoint(ctx, on, known_at)
    if not view.reached:
        return {}
    lines: dict[UUID, list[OverdueLine]] = {}
    statement = select(OverdueLineRow.loan_id, *_LINE).where(OverdueLineRow.loan_id.in_(loan_ids))
    for loan_id, *row in (await ctx.connection.execute(statement.where(*as_known.lines(view)))).all():
        lines.setdefault(loan_id, []).append(OverdueLine(*map(_whole, row)))
    statement = as_known.positions(
        view, select(PositionRow.loan_id, *_POSITION).where(PositionRow.loan_id.in_(loan_ids))
    )
    found: dict[UUID, Figures] = {}
    behind: list[UUID] = []
    for loan_id, *row in (await ctx.connection.execute(statement)).all():
        position = Position(*map(_whole, row))
        if position.next_action_on and position.next_action_on <= view.day:
            behind.append(loan_id)  # end of day had not reached it yet: the line must not run over that day
        else:
            found[loan_id] = read(position, lines.get(loan_id, ()), view.day)
    if behind:
        known = await folds(ctx, behind, view.day, known_at=known_at)
        found |= {loan_id: fold.position_on(view.day) for loan_id, fold in known.items()}
    return found


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


async def folds(
    ctx: Context, loan_ids: Sequence[UUID], until: date | None = None, *, known_at: datetime | None = None
) -> dict[UUID, Fold]:
    """The loans folded to the close of a day (default: the open one) from their events, or from those booked by a moment;
    three statements for all. A loan that had not begun by then is left out."""
    day = until or ctx.today
    rows = (await ctx.connection.execute(select(Loan.__table__).where(Loan.id.in_(loan_ids)))).all()
    found = await refold.books(ctx, rows, known_at)
    return {book.loan.id: book.fold(day) for book in found if book.events and book.loan.value_date <= day}


async def quotes(ctx: Context, loan_ids: Sequence[UUID], on: date | None = None) -> dict[UUID, Quote]:
    """提前结清报价 · What settles each loan at the close of a day, in fen; nothing before its value date.

    For a day to come it is what settles it if nothing else happens until then."""
    day = on or ctx.today
    return {loan_id: fold.quote_on(day) for loan_id, fold in (await folds(ctx, loan_ids, day)).items()}


async def quote(ctx: Context, loan_id: UUID, on: date | None = None) -> Quote | None:
    """What settles one loan; None before its value date."""
    return (await quotes(ctx, [loan_id], on)).get(loan_id)


async def due(ctx: Context, loan_id: UUID, component: Component, installment_seq: int | None = None) -> Decimal:
    """What is outstanding of a component today, in CNY: of the due installments together, or of one installment.

    On an installment still running, interest means all it will bear, less earlier waivers (golden S40)."""
    rows = (await folds(ctx, [loan_id]))[loan_id].installments_on(ctx.today)
    if installment_seq is None:
        wanted = [row for row in rows if row.state is not InstallmentState.PENDING]
    else:
        wanted = [row for row in rows if row.seq == installment_seq]
    return yuan(sum(_outstanding(row, component) for row in wanted))


def _outstanding(row: Installment, component: Component) -> int:
    return {
        Component.FEE: row.fee,
        Component.PENALTY: row.penalty,
        Component.COMPOUND: row.compound,
        Component.INTEREST: row.unpaid_interest,
        Component.PRINCIPAL: row.unpaid_principal,
    }[component]
