"""还款计划版本 · The plans of a loan: the one signed, those that followed it, and the terms in force by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.calculation.loan.events import Extension
from domain.calculation.loan.fold import Fold
from domain.calculation.schedule import Method, PlannedInstallment
from domain.lending.loan import figures
from domain.lending.loan.tables import PlannedRow

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One version, in fen: the whole plan as signed, later ones from the installment on with which they begin."""

    version: int
    event_id: UUID
    installments: tuple[PlannedInstallment, ...]


@dataclass(frozen=True, slots=True)
class CurrentTerms:
    """What holds on the open day. `annual_rate` a fraction; `extensions` is how often the maturity was moved."""

    annual_rate: Decimal
    method: Method
    maturity_date: date
    extensions: int


async def plans(ctx: Context, loan_ids: Sequence[UUID]) -> dict[UUID, list[StoredPlan]]:
    """Every version of each loan's plan, the signed one first; one statement for all."""
    table: Any = PlannedRow.__table__.c
    statement = select(PlannedRow.__table__).where(table.loan_id.in_(loan_ids))
    rows = (await ctx.connection.execute(statement.order_by(table.loan_id, table.version, table.seq))).all()
    found: dict[UUID, list[StoredPlan]] = {loan_id: [] for loan_id in loan_ids}
    for (loan_id, version), group in groupby(rows, key=lambda row: (row.loan_id, row.version)):
        part = list(group)
        found[loan_id].append(StoredPlan(version, part[0].event_id, tuple(map(_planned, part))))
    return found


def _planned(row: Any) -> PlannedInstallment:
    return PlannedInstallment(
        seq=row.seq,
        start_date=row.start_date,
        due_date=row.due_date,
        principal=row.principal,
        interest=row.interest,
        balance_after=row.balance_after,
    )


async def current_terms(ctx: Context, loan_ids: Sequence[UUID]) -> dict[UUID, CurrentTerms]:
    """Rate, method and maturity as they are after every amendment; three statements for all loans."""
    return {loan_id: terms_in_force(fold) for loan_id, fold in (await figures.folds(ctx, loan_ids)).items()}


def terms_in_force(fold: Fold) -> CurrentTerms:
    """The terms at the close of the day to which the loan is folded; an extension agreed has moved the maturity already,
    its rate and method hold from the old maturity on."""
    terms = fold.state.version.terms
    return CurrentTerms(
        annual_rate=decimal_rate(terms.annual_rate),
        method=terms.method,
        maturity_date=maturity(fold),
        extensions=sum(isinstance(event, Extension) for event in fold.events),
    )


def maturity(fold: Fold) -> date:
    """The last due date of the plan as it stands."""
    return fold.installments_on(fold.until)[-1].due_date


def decimal_rate(rate: Fraction) -> Decimal:
    """A contract rate as a decimal fraction; contracts know eight places."""
    return Decimal(rate.numerator) / Decimal(rate.denominator)
