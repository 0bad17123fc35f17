"""余额查询 · The figures of loans on any day: from the stored rows, as we know them now or as we knew them then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from domain.calculation.allocation import Component
from domain.calculation.loan.debt import InstallmentState
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.installments import Installment
from domain.calculation.loan.lines import Figures, OverdueLine, Position
from domain.calculation.loan.lines import figures as read
from domain.calculation.loan.quote import Quote
from domain.calculation.money import yuan
from domain.lending.loan import refold
from domain.lending.loan.tables import STILL_KNOWN, Loan, OverdueLineRow, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

_POSITION = tuple(PositionRow.__table__.c[name] for name in Position._fields)
_LINE = tuple(OverdueLineRow.__table__.c[name] for name in OverdueLine._fields)


def _valid(
    table: Any, loan_ids: Sequence[UUID], day: date, known_at: datetime | None
) -> tuple[ColumnElement[bool], ...]:
    return table.loan_id.in_(loan_ids), table.from_date <= day, table.to_date > day, known(table, known_at)


def known(table: Any, known_at: datetime | None) -> ColumnElement[bool]:
    """The rows that are what we know now, or what we knew at a moment."""
    if known_at is None:
        return table.known_to == STILL_KNOWN  # type: ignore[no-any-return]
    return (table.known_from <= known_at) & (table.known_to > known_at)  # type: ignore[no-any-return]


async def positions(
    ctx: Context, loan_ids: Sequence[UUID], on: date | None = None, *, known_at: datetime | None = None
) -> dict[UUID, Figures]:
    """The figures at the close of a day (default: the open one), in fen. A loan that has not begun by then, and a day that
    is not open yet, answer nothing. Two statements for all loans."""
    day = on or ctx.today
    if day > ctx.today:
        return {}
    lines: dict[UUID, list[OverdueLine]] = {}
    statement = select(OverdueLineRow.loan_id, *_LINE).where(*_valid(OverdueLineRow, loan_ids, day, known_at))
    for loan_id, *row in (await ctx.connection.execute(statement)).all():
        lines.setdefault(loan_id, []).append(OverdueLine(*map(_whole, row)))
    statement = select(PositionRow.loan_id, *_POSITION).where(*_valid(PositionRow, loan_ids, day, known_at))
    found: dict[UUID, Figures] = {}
    behind: list[UUID] = []
    for loan_id, *row in (await ctx.connection.execute(statement)).all():
        position = Position(*map(_whole, row))
        if position.next_action_on and position.next_action_on <= day and known_at is None:
            behind.append(loan_id)  # end of day has not reached it yet: the line must not run over that day
        else:
            found[loan_id] = read(position, lines.get(loan_id, ()), day)
    if behind:
        found |= {loan_id: fold.position_on(day) for loan_id, fold in (await folds(ctx, behind)).items()}
    return found


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


async def folds(ctx: Context, loan_ids: Sequence[UUID], until: date | None = None) -> dict[UUID, Fold]:
    """The loans folded to the close of a day (default: the open one) from their events; three statements for all.

    A loan that has not begun by then is left out."""
    day = until or ctx.today
    rows = (await ctx.connection.execute(select(Loan.__table__).where(Loan.id.in_(loan_ids)))).all()
    found = await refold.books(ctx, rows)  # type: ignore[arg-type]
    return {book.loan.id: book.fold(day) for book in found if book.loan.value_date <= day}


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
