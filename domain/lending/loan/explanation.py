"""数字由来 · How the figures of a position came about, the provision it requires among them: parts that add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from domain.calculation.loan.explain import LoanFigure, Part
from domain.calculation.loan.explain import explain as explain_fold
from domain.calculation.loan.explain_payoff import PayoffFigure, explain_payoff
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Figures
from domain.calculation.money import yuan
from domain.calculation.provision import POLICIES, Provision, provision
from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.ledger import journal
from domain.lending.loan import figures
from domain.lending.loan.tables import Loan

if TYPE_CHECKING:
    from domain.kernel.context import Context


Place = tuple[UUID, date, datetime | None]
"""A loan, a day, and the moment of what was known of it (None: now)."""


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """One part of a figure, in fen; `formula` worked out with `inputs` (yuan, rates) gives `amount`.

    `event_ids` are what set its base and rate and what moved it, in the order in which they take effect; `product_id` is the
    version of the product whose rules it follows; `seq` the installment, where it belongs to one.
    """

    amount: int
    rule: str
    formula: str
    inputs: dict[str, str]
    event_ids: tuple[UUID, ...]
    seq: int | None
    product_id: UUID


async def provisions(ctx: Context, found: dict[UUID, Figures]) -> dict[UUID, Provision]:
    """拨备 · What each position requires under the policy in force. An entrusted loan bears no risk of the lender."""
    policy = POLICIES[await parameter.value(ctx, "provision_policy")]
    statement = select(Loan.id).where(Loan.id.in_(found), Loan.kind == LoanKind.ENTRUSTED)
    entrusted = set((await ctx.connection.execute(statement)).scalars())
    return {
        loan_id: provision(policy, shown.five_class, 0 if loan_id in entrusted else shown.principal_outstanding)
        for loan_id, shown in found.items()
    }


async def explain(ctx: Context, places: Sequence[Place], figure: LoanFigure) -> dict[Place, list[ExplainedPart]]:
    """How a figure of loans on days came about: parts that add up to it. Folds each loan anew from its events."""
    known = await folded(ctx, places)
    if figure is LoanFigure.PROVISION:
        return await _explain_provisions(ctx, places, known)
    return {
        place: parts_of(known[place].product_id, explain_fold(known[place].fold, figure, place[1])) for place in places
    }


async def explain_quotes(
    ctx: Context, quotes: Sequence[tuple[UUID, date]], figure: PayoffFigure
) -> dict[tuple[UUID, date], list[ExplainedPart]]:
    """How a figure of payoff quotes (loan, day) came about: parts that add up to it, if nothing else happens until then."""
    known = await folded(ctx, [(loan_id, day, None) for loan_id, day in quotes])
    return {
        (loan_id, day): parts_of(
            (found := known[loan_id, day, None]).product_id, explain_payoff(found.fold, figure, day)
        )
        for loan_id, day in quotes
    }


async def vouchers(ctx: Context, groups: Sequence[tuple[UUID, ...]]) -> dict[tuple[UUID, ...], list[str]]:
    """凭证号 · The numbers of the vouchers that the events of each group posted, each once; one statement for all groups.

    What accrues between events is posted for all loans together by end of day and is in no event's voucher."""
    entries = await journal.entries_by_event(ctx, list({event_id for group in groups for event_id in group}))
    return {
        group: list(dict.fromkeys(entry.number for event_id in group for entry in entries[event_id]))
        for group in groups
    }


@dataclass(frozen=True, slots=True)
class Known:
    """A loan as it is folded for its explanation, and the version of its product."""

    fold: Fold
    product_id: UUID


async def folded(ctx: Context, places: Sequence[Place]) -> dict[Place, Known]:
    """The fold behind each place, from the events booked by its moment; as many statements as there are moments."""
    loan_ids = {loan_id for loan_id, *_ in places}
    statement = select(Loan.id, Loan.product_id).where(Loan.id.in_(loan_ids))
    products = {row.id: row.product_id for row in (await ctx.connection.execute(statement)).all()}
    found: dict[Place, Known] = {}
    for moment in {known_at for *_, known_at in places}:
        here = [place for place in places if place[2] == moment]
        until = max(day for _, day, _ in here)
        folds = await figures.folds(ctx, [loan_id for loan_id, *_ in here], until, known_at=moment)
        found |= {place: Known(folds[place[0]], products[place[0]]) for place in here}
    return found


def parts_of(product_id: UUID, parts: Sequence[Part]) -> list[ExplainedPart]:
    """The parts of the engine with the version of the product behind them."""
    return [
        ExplainedPart(
            part.amount,
            part.rule.value,
            part.formula,
            part.inputs,
            tuple(map(UUID, part.events)),
            part.seq,
            product_id,
        )
        for part in parts
    ]


async def _explain_provisions(
    ctx: Context, places: Sequence[Place], known: dict[Place, Known]
) -> dict[Place, list[ExplainedPart]]:
    """What the policy in force asks of each principal; as many statements as there are days and moments."""
    name = await parameter.value(ctx, "provision_policy")
    found: dict[Place, list[ExplainedPart]] = {}
    for day, known_at in {place[1:] for place in places}:
        here = [place for place in places if place[1:] == (day, known_at)]
        shown = await figures.positions(ctx, [loan_id for loan_id, *_ in here], day, known_at=known_at)
        required = await provisions(ctx, shown)
        for place in here:
            found[place] = _provision(known[place], day, shown[place[0]], required[place[0]], name)
    return found


def _provision(known: Known, day: date, shown: Figures, required: Provision, name: str) -> list[ExplainedPart]:
    """General and specific part, rounded apart; behind them is whatever moved the principal."""
    policy, five_class = POLICIES[name], shown.five_class
    moved = explain_fold(known.fold, LoanFigure.PRINCIPAL_OUTSTANDING, day)
    event_ids = tuple(dict.fromkeys(UUID(event) for part in moved for event in part.events))
    inputs = {"principal": str(yuan(shown.principal_outstanding)), "class": five_class.value, "policy": name}
    rates = (
        ("GENERAL_PROVISION", required.general, policy.general_rate),
        ("SPECIFIC_PROVISION", required.specific, policy.specific[five_class.rank]),
    )
    return [
        ExplainedPart(
            amount,
            rule,
            "round_half_up(principal * rate)",
            inputs | {"rate": str(Decimal(rate.numerator) / rate.denominator)},
            event_ids,
            None,
            known.product_id,
        )
        for rule, amount, rate in rates
        if amount
    ]
