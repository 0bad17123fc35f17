"""数字由来 · How the figures of a position came about, the provision it requires among them: parts that add up to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from domain.calculation.loan.explain import LoanFigure as FoldFigure
from domain.calculation.loan.explain import explain as explain_fold
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Figures
from domain.calculation.money import yuan
from domain.calculation.provision import POLICIES, Provision, provision
from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.lending.loan import figures
from domain.lending.loan.tables import Loan

if TYPE_CHECKING:
    from domain.kernel.context import Context


Place = tuple[UUID, date, datetime | None]
"""A loan, a day, and the moment of what was known of it (None: now)."""


class LoanFigure(StrEnum):
    """The figures of a position that explain themselves: those of the fold, and the provision."""

    PRINCIPAL_OUTSTANDING = "PRINCIPAL_OUTSTANDING"
    """本金余额 Principal not yet repaid."""
    OVERDUE_PRINCIPAL = "OVERDUE_PRINCIPAL"
    """逾期本金 Principal due and unpaid."""
    ACCRUED_INTEREST = "ACCRUED_INTEREST"
    """应计利息 Interest earned and not due yet."""
    DUE_UNPAID_INTEREST = "DUE_UNPAID_INTEREST"
    """应收未收利息 Interest due and unpaid."""
    PENALTY = "PENALTY"
    """罚息 Penalty interest unpaid."""
    COMPOUND = "COMPOUND"
    """复利 Compound interest unpaid."""
    FEES = "FEES"
    """费用 Fees unpaid."""
    UNAPPLIED = "UNAPPLIED"
    """待冲账 Money received and not yet applied."""
    ON_BALANCE_INTEREST = "ON_BALANCE_INTEREST"
    """表内利息 Interest on the balance sheet."""
    OFF_BALANCE_INTEREST = "OFF_BALANCE_INTEREST"
    """表外利息 Interest off the balance sheet."""
    PROVISION = "PROVISION"
    """减值准备 Set aside for losses."""


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """One part of a figure, in fen; `formula` worked out with `inputs` (yuan, rates) gives `amount`."""

    amount: int
    rule: str
    formula: str
    inputs: dict[str, str]
    event_id: UUID | None


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
    if figure is LoanFigure.PROVISION:
        return {place: await _explain_provision(ctx, *place) for place in places}
    known = await _known(ctx, places)
    return {
        place: [
            ExplainedPart(
                part.amount, part.rule.value, part.formula, part.inputs, UUID(part.event) if part.event else None
            )
            for part in explain_fold(known[place], FoldFigure(figure.value), place[1])
        ]
        for place in places
    }


async def _known(ctx: Context, places: Sequence[Place]) -> dict[Place, Fold]:
    """The fold behind each place, from the events booked by its moment; as many statements as there are moments."""
    found: dict[Place, Fold] = {}
    for moment in {known_at for *_, known_at in places}:
        here = [place for place in places if place[2] == moment]
        until = max(day for _, day, _ in here)
        folds = await figures.folds(ctx, [loan_id for loan_id, *_ in here], until, known_at=moment)
        found |= {place: folds[place[0]] for place in here}
    return found


async def _explain_provision(ctx: Context, loan_id: UUID, day: date, known_at: datetime | None) -> list[ExplainedPart]:
    shown = await figures.positions(ctx, [loan_id], day, known_at=known_at)
    required = (await provisions(ctx, shown))[loan_id]
    policy = POLICIES[await parameter.value(ctx, "provision_policy")]
    principal = str(yuan(shown[loan_id].principal_outstanding))
    five_class = shown[loan_id].five_class
    rates = (
        ("GENERAL_PROVISION", required.general, policy.general_rate),
        ("SPECIFIC_PROVISION", required.specific, policy.specific[five_class.rank]),
    )
    return [
        ExplainedPart(
            amount,
            rule,
            "round_half_up(principal * rate)",
            {
                "principal": principal,
                "rate": str(Decimal(rate.numerator) / rate.denominator),
                "class": five_class.value,
            },
            None,
        )
        for rule, amount, rate in rates
        if amount
    ]
