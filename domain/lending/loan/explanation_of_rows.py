"""数字由来 · How the figures of installments, plans and allocations came about: the same parts as those of a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain.calculation.loan import explain_installment as engine
from domain.calculation.loan.explain_allocation import explain_allocation
from domain.calculation.loan.explain_installment import InstallmentFigure, PlannedFigure
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
    parts = {
        loan_id: engine.explain_installments(loan.fold, figure, ctx.today) for (loan_id, *_), loan in known.items()
    }
    return {
        place: parts_of(known[place.loan_id, ctx.today, None].product_id, parts[place.loan_id][place.seq])
        for place in places
    }


async def explain_plans(
    ctx: Context, places: Sequence[PlannedPlace], figure: PlannedFigure
) -> dict[PlannedPlace, list[ExplainedPart]]:
    """How a figure of plans came about, each as the loan was known when the event was booked that made it."""
    loans = select(Loan.__table__).where(Loan.id.in_({place.loan_id for place in places}))
    books = await refold.books(ctx, (await ctx.connection.execute(loans)).all())
    by_id = {book.loan.id: book for book in books}
    plans = {place[:2] for place in places}
    parts = {
        (loan_id, event_id): engine.explain_planned(_as_booked(by_id[loan_id], event_id), figure)
        for loan_id, event_id in plans
    }
    found = {}
    for place in places:
        explained = parts_of(by_id[place.loan_id].loan.product_id, parts[place[:2]][place.seq])
        found[place] = [_made_by(part, place.event_id) for part in explained]
    return found


async def explain_allocations(ctx: Context, places: Sequence[LinePlace]) -> dict[LinePlace, list[ExplainedPart]]:
    """How lines of posted receipts came about; those of a reversed one, which the loan no longer knows, are left out."""
    table = AllocationRow.__table__.c
    statement = select(table.event_id, table.loan_id).where(table.event_id.in_({place.event_id for place in places}))
    loans = {row.event_id: row.loan_id for row in (await ctx.connection.execute(statement)).all()}
    known = await folded(ctx, [(loan_id, ctx.today, None) for loan_id in set(loans.values())])
    parts = {}
    for event_id, loan_id in loans.items():
        loan = known[loan_id, ctx.today, None]
        if str(event_id) in loan.fold.allocations:
            parts[event_id] = parts_of(loan.product_id, explain_allocation(loan.fold, str(event_id)))
    return {place: [parts[place.event_id][place.line]] for place in places if place.event_id in parts}


def _as_booked(book: refold.Book, event_id: UUID) -> Fold:
    """The loan at the close of the day on which an event was booked, as known by then."""
    last = next(k for k, event in enumerate(book.events) if event.id == event_id)
    return refold.Book(book.loan, book.terms, book.events[: last + 1]).fold(book.events[last].business_date)


def _made_by(part: ExplainedPart, event_id: UUID) -> ExplainedPart:
    """With the event that made the plan, which is a reversal where it was made by taking another event back."""
    if event_id in part.event_ids:
        return part
    return replace(part, event_ids=(*part.event_ids, event_id))
