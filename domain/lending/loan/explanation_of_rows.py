"""数字由来 · How the figures of installments, plans and allocations came about: the same parts as those of a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain.calculation.loan.explain_allocation import explain_allocation
from domain.calculation.loan.explain_installment import (
    InstallmentFigure,
    PlannedFigure,
    explain_installment,
    explain_planned,
)
from domain.calculation.loan.fold import Fold
from domain.lending.loan import refold
from domain.lending.loan.explanation import ExplainedPart, folded, parts_of
from domain.lending.loan.tables import AllocationRow, Loan

if TYPE_CHECKING:
    from domain.kernel.context import Context


class InstallmentPlace(NamedTuple):
    """An installment as it stands on the open day."""

    loan_id: UUID
    seq: int


class PlannedPlace(NamedTuple):
    """A row of the plan that an event made."""

    loan_id: UUID
    event_id: UUID
    seq: int


class LinePlace(NamedTuple):
    """A line, from 0, of what the receipt of that event paid."""

    event_id: UUID
    line: int


async def explain_installments(
    ctx: Context, places: Sequence[InstallmentPlace], figure: InstallmentFigure
) -> dict[InstallmentPlace, list[ExplainedPart]]:
    """How a figure of installments came about: one part, or none where penalty, compound or fee is nothing."""
    known = await folded(ctx, [(loan_id, ctx.today, None) for loan_id in {place.loan_id for place in places}])
    found = {}
    for place in places:
        loan = known[place.loan_id, ctx.today, None]
        found[place] = parts_of(loan.product_id, explain_installment(loan.fold, figure, place.seq, ctx.today))
    return found


async def explain_plans(
    ctx: Context, places: Sequence[PlannedPlace], figure: PlannedFigure
) -> dict[PlannedPlace, list[ExplainedPart]]:
    """How a figure of plans came about, each as the loan was known when the event was booked that made it."""
    loans = select(Loan.__table__).where(Loan.id.in_({place.loan_id for place in places}))
    books = await refold.books(ctx, (await ctx.connection.execute(loans)).all())  # type: ignore[arg-type]
    by_id = {book.loan.id: book for book in books}
    versions: dict[tuple[UUID, UUID], Fold] = {}
    found = {}
    for place in places:
        book = by_id[place.loan_id]
        if place[:2] not in versions:
            versions[place[:2]] = _as_booked(book, place.event_id)
        parts = explain_planned(versions[place[:2]], figure, place.seq)
        explained = parts_of(book.loan.product_id, parts)
        found[place] = [_made_by(part, place.event_id) for part in explained]
    return found


async def explain_allocations(ctx: Context, places: Sequence[LinePlace]) -> dict[LinePlace, list[ExplainedPart]]:
    """How lines of posted receipts came about; those of a reversed one, which the loan no longer knows, are left out."""
    table = AllocationRow.__table__.c
    statement = select(table.event_id, table.loan_id).where(table.event_id.in_({place.event_id for place in places}))
    loans = {row.event_id: row.loan_id for row in (await ctx.connection.execute(statement)).all()}
    known = await folded(ctx, [(loan_id, ctx.today, None) for loan_id in set(loans.values())])
    found = {}
    for place in places:
        loan = known[loans[place.event_id], ctx.today, None]
        receipt = str(place.event_id)
        if receipt in loan.fold.allocations:
            found[place] = parts_of(loan.product_id, explain_allocation(loan.fold, receipt, place.line))
    return found


def _as_booked(book: refold.Book, event_id: UUID) -> Fold:
    """The loan at the close of the day on which an event was booked, as known by then."""
    last = next(k for k, event in enumerate(book.events) if event.id == event_id)
    return refold.Book(book.loan, book.terms, book.events[: last + 1]).fold(book.events[last].business_date)


def _made_by(part: ExplainedPart, event_id: UUID) -> ExplainedPart:
    """With the event that made the plan, which is a reversal where it was made by taking another event back."""
    if event_id in part.event_ids:
        return part
    return replace(part, event_ids=(*part.event_ids, event_id))
