"""暂收款 · Kept money: what receipts have left, and what of it may be refunded (F18). From stored rows, many receipts at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select

from domain.finance import receipt
from domain.finance.receipt import Receipt, ReceiptState
from domain.finance.refund import GONE, SPOKEN_FOR, Refund
from domain.kernel import paging
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window
from domain.kernel.scope import scope
from domain.ledger.journal import ZERO
from domain.lending.loan.tables import STILL_KNOWN, AllocationRow, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

RECEIPT: Any = Receipt.__table__.c
REFUND: Any = Refund.__table__.c


def _sum(amount: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(func.coalesce(func.sum(amount), ZERO)).where(*conditions).correlate(Receipt).scalar_subquery()


# What of a refund has left the loan: what was set off, and the rest once the cashier has paid.
OUT = REFUND.offset_amount + case((REFUND.state.in_(GONE), REFUND.amount - REFUND.offset_amount), else_=ZERO)
USED = _sum(AllocationRow.amount, AllocationRow.event_id == RECEIPT.event_id)
REFUNDED = _sum(OUT, REFUND.receipt_id == RECEIPT.id)
PROMISED = _sum(REFUND.amount, REFUND.receipt_id == RECEIPT.id, REFUND.state.in_(SPOKEN_FOR))
REFUNDABLE = RECEIPT.amount - USED - REFUNDED - PROMISED


async def unapplied(ctx: Context, receipt_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """What of each receipt is kept, or would be if it were posted now: what it pays and what was refunded taken off."""
    left = {key: paid.unapplied for key, paid in (await receipt.allocations(ctx, receipt_ids)).items()}
    refunded = select(REFUND.receipt_id, func.sum(OUT).label("amount")).where(REFUND.receipt_id.in_(receipt_ids))
    for row in (await ctx.connection.execute(refunded.group_by(REFUND.receipt_id))).all():
        left[row.receipt_id] -= row.amount
    return left


async def refundable(ctx: Context, receipt_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """What may still be asked back of each receipt: what is kept of it, less what open requests speak for."""
    statement = select(RECEIPT.id, REFUNDABLE.label("amount")).where(
        RECEIPT.id.in_(receipt_ids), RECEIPT.state == ReceiptState.REGISTERED
    )
    found = {row.id: Decimal(row.amount) for row in (await ctx.connection.execute(statement)).all()}
    return {key: found.get(key, ZERO) for key in receipt_ids}


@query("finance.refund.read")
async def refundable_receipts(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    loan_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> Page:
    """待退款 · The receipts that the actor may see and of which something may be asked back, newest first."""
    positions: Any = PositionRow.__table__.c
    keeping = select(positions.loan_id).where(
        positions.known_to == STILL_KNOWN,
        positions.from_date <= ctx.today,
        positions.to_date > ctx.today,
        positions.unapplied > 0,
    )
    statement = select(*columns).where(
        scope(ctx, Receipt),
        RECEIPT.state == ReceiptState.REGISTERED,
        RECEIPT.loan_id.in_(keeping),
        REFUNDABLE > 0,
    )
    if loan_id is not None:
        statement = statement.where(RECEIPT.loan_id == loan_id)
    if customer_id is not None:
        statement = statement.where(RECEIPT.customer_id == customer_id)
    return await paging.page(ctx, statement, [Order(RECEIPT.id, descending=True)], window)
