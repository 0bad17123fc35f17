"""数字由来 · How figures of loans came about (F13)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from typing import TypeVar, cast
from uuid import UUID

from domain.calculation.money import yuan
from domain.kernel.context import Context
from domain.lending.loan import explanation, explanation_of_rows
from domain.lending.loan.explanation_of_rows import InstallmentPlace, LinePlace, PlannedPlace
from resolvers.kernel import answers, answers_by_key, by_keys
from schema.configuration.loan_product import LoanProduct
from schema.kernel import JSON, Money
from schema.lending.explained_figure import (
    ExplainedFigure,
    InstallmentFigure,
    LoanFigure,
    PayoffFigure,
    PlannedFigure,
)
from schema.lending.loan import LoanEvent

Place = TypeVar("Place", bound=Hashable)

answers_by_key("ExplainedFigure.event", LoanEvent)
answers_by_key("ExplainedFigure.product", LoanProduct)


@answers("LoanPosition.explain")
async def explanations(
    ctx: Context, places: Sequence[explanation.Place], figure: LoanFigure
) -> dict[explanation.Place, list[ExplainedFigure]]:
    found = await explanation.explain(ctx, places, figure)
    return _shown(found)


@answers("PayoffQuote.explain")
async def quote_explanations(
    ctx: Context, places: Sequence[tuple[UUID, date]], figure: PayoffFigure
) -> dict[tuple[UUID, date], list[ExplainedFigure]]:
    found = await explanation.explain_quotes(ctx, places, figure)
    return _shown(found)


@answers("Installment.explain")
async def installment_explanations(
    ctx: Context, places: Sequence[InstallmentPlace], figure: InstallmentFigure
) -> dict[InstallmentPlace, list[ExplainedFigure]]:
    return _shown(await explanation_of_rows.explain_installments(ctx, places, figure))


@answers("PlannedInstallment.explain")
async def plan_explanations(
    ctx: Context, places: Sequence[PlannedPlace], figure: PlannedFigure
) -> dict[PlannedPlace, list[ExplainedFigure]]:
    return _shown(await explanation_of_rows.explain_plans(ctx, places, figure))


@answers("AllocationLine.explain")
async def allocation_explanations(ctx: Context, places: Sequence[LinePlace]) -> dict[LinePlace, list[ExplainedFigure]]:
    return _shown(await explanation_of_rows.explain_allocations(ctx, places))


def _shown(found: Mapping[Place, Sequence[explanation.ExplainedPart]]) -> dict[Place, list[ExplainedFigure]]:
    return {place: [_explained(part) for part in parts] for place, parts in found.items()}


def _explained(part: explanation.ExplainedPart) -> ExplainedFigure:
    return ExplainedFigure(
        amount=Money(yuan(part.amount)),
        rule=part.rule,
        formula=part.formula,
        inputs=JSON(part.inputs),
        installment_seq=part.seq,
        event_id=part.event_ids[-1] if part.event_ids else None,
        event_ids=part.event_ids,
        product_id=part.product_id,
    )


@answers("ExplainedFigure.events")
async def explaining_events(
    ctx: Context, groups: Sequence[tuple[UUID, ...]]
) -> dict[tuple[UUID, ...], list[LoanEvent]]:
    event_ids = list({event_id for group in groups for event_id in group})
    found = await by_keys(ctx, LoanEvent, event_ids, scoped=False)
    return {group: [cast(LoanEvent, found[event_id]) for event_id in group] for group in groups}


answers("ExplainedFigure.vouchers")(explanation.vouchers)
