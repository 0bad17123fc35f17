"""已核销贷款登记簿 · Register of written-off loans (F34, 账销案存): what left the books, came in since, and is still claimed.

All of it is read from the movements as they are known now, so a receipt found late, or one undone, is in it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true

from domain.calculation.allocation import Component
from domain.calculation.loan.lines import MovementKind
from domain.finance import repayment_entry
from domain.finance.receipt import Receipt
from domain.finance.repayment_entry import Entry
from domain.kernel import paging
from domain.kernel.command import command, find, query
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import InvalidState
from domain.kernel.scope import scope
from domain.lending.loan import Loan, LoanState
from domain.lending.loan.tables import STILL_KNOWN, MovementRow
from domain.post_loan.write_off import WriteOff, WriteOffState

if TYPE_CHECKING:
    from domain.kernel.context import Context

MOVED: Any = MovementRow.__table__.c
WRITE_OFF: Any = WriteOff.__table__.c
IS_PRINCIPAL: ColumnElement[bool] = MOVED.component == Component.PRINCIPAL


def _sum(kind: MovementKind, which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(MOVED.amount).filter(MOVED.kind == kind, which), 0)


@query("post_loan.write_off.read")
async def register(
    ctx: Context,
    *,
    window: Window,
    customer_id: UUID | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
    only_open: bool = False,
) -> Page:
    """Loans that are written off, the latest first: (id of the write-off, loan_id, effective_on) and in fen principal, interest
    (with penalty, compound and fees), recovered_principal, recovered_interest. `only_open`: something is still claimed."""
    sums = (
        select(
            _sum(MovementKind.WRITTEN_OFF, IS_PRINCIPAL).label("principal"),
            _sum(MovementKind.WRITTEN_OFF, ~IS_PRINCIPAL).label("interest"),
            _sum(MovementKind.RECOVERED, IS_PRINCIPAL).label("recovered_principal"),
            _sum(MovementKind.RECOVERED, ~IS_PRINCIPAL).label("recovered_interest"),
        )
        .where(MOVED.loan_id == WRITE_OFF.loan_id, MOVED.known_to == STILL_KNOWN)
        .correlate(WriteOff)
        .lateral("sums")
    )
    statement = (
        select(WRITE_OFF.id, WRITE_OFF.loan_id, WRITE_OFF.effective_on, *sums.c)
        .join_from(WriteOff, sums, true())
        .where(scope(ctx, WriteOff), WRITE_OFF.state == WriteOffState.APPROVED)
    )
    if customer_id is not None:
        statement = statement.where(WRITE_OFF.customer_id == customer_id)
    if first_day is not None:
        statement = statement.where(WRITE_OFF.effective_on >= first_day)
    if last_day is not None:
        statement = statement.where(WRITE_OFF.effective_on <= last_day)
    if only_open:
        claimed, recovered = sums.c.principal + sums.c.interest, sums.c.recovered_principal + sums.c.recovered_interest
        statement = statement.where(claimed > recovered)
    return await paging.page(ctx, statement, [Order(WRITE_OFF.id, descending=True)], window)


async def by_loan(ctx: Context, loan_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """The write-off in force of each loan that has one. `columns` must hold `loan_id`."""
    statement = select(*columns).where(WRITE_OFF.loan_id.in_(loan_ids), WRITE_OFF.state == WriteOffState.APPROVED)
    return {row.loan_id: row for row in (await ctx.connection.execute(statement)).all()}


@command("finance.receipt.record_recovery", idempotent=True)
async def record_recovery(ctx: Context, *, loan_id: UUID, entry: Entry, idempotency_key: str) -> Receipt:
    """收回已核销贷款 · The entry of a receipt (F19) on a loan that must have been written off; it is registered like any other.

    Raises INVALID_STATE (not written off) and what the entry does."""
    loan = await find(ctx, Loan, loan_id, "loanId")
    if loan.state is not LoanState.WRITTEN_OFF:
        raise InvalidState("loanId", state=loan.state)
    return await repayment_entry.enter(ctx, loan_id=loan.id, entry=entry, idempotency_key=idempotency_key)
