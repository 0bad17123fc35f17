"""数据统计 · Statistics (F02): the loans a viewer sees, in figures of one day (domain.md §6.1), by three statements.

Of a day and, if a moment is given, as it was known then. Own loans only: entrusted ones bear no risk of the lender, those
written off by that day and transferred ones are out. Outstanding is unpaid
principal; PAR is the whole balance of loans more than 30 or 90 days past due. Coverage measures the allowance that the
provision policy requires of the loans in view, since a booked allowance belongs to the whole lender.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import distinct, exists, func, literal, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from domain.calculation.classification import FiveClass
from domain.calculation.loan.lines import MovementKind
from domain.calculation.money import div_half_up, yuan
from domain.calculation.provision import POLICIES, ProvisionPolicy
from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.finance.provision import general_required, specific_required
from domain.kernel.command import query
from domain.kernel.scope import scope
from domain.kernel.table import TenantTable
from domain.kernel.viewpoint import Viewpoint, reached
from domain.lending.loan import as_known, figures
from domain.lending.loan.tables import InstallmentRow, Loan, LoanEventRow, LoanState, MovementRow, PlannedRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

MODULES = ("lending.loan.", "finance.", "end_of_day.", "home.pending_task.")
"""What in the feed may change these figures, or the viewer's count of tasks beside them."""


@dataclass(frozen=True)
class ClassShare:
    """The loans of one class, in CNY."""

    five_class: FiveClass
    loan_count: int
    outstanding: Decimal


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Money in CNY; ratios with four decimals, 0 where nothing is outstanding. No coverage without bad loans."""

    on: date
    loan_count: int
    customer_count: int
    outstanding: Decimal
    overdue_principal: Decimal
    overdue_ratio: Decimal
    par30: Decimal
    par90: Decimal
    npl_ratio: Decimal
    provision_coverage: Decimal | None
    disbursed_today: Decimal
    collected_today: Decimal
    due_today: Decimal
    by_class: list[ClassShare]


# ---------------------------------------------------------------- rules


def ratio(part: int, whole: int) -> Decimal | None:
    """Four decimals, half up; nothing to measure against is None."""
    return Decimal(div_half_up(part * 10**4, whole)).scaleb(-4) if whole else None


def required_allowance(policy: ProvisionPolicy, principal: Any, five_class: Any) -> Any:
    """General and specific provision of a position, each rounded by itself, as SQL over these columns."""
    return general_required(policy, principal) + specific_required(policy, principal, five_class)


# ---------------------------------------------------------------- query


@query("home.statistics.read")
async def of_day(
    ctx: Context, *, on: date | None = None, known_at: datetime | None = None, department_id: UUID | None = None
) -> Statistics:
    """The figures at the close of a day (default: the one open then), as known now or at a moment, of a department and those
    below it, if given. Whose loans they are is as of now.

    Raises BadInput for a day that was not open yet, and for a moment that has not come or before the lender."""
    view = await reached(ctx, on, known_at)
    mine = _loans_in_view(ctx, department_id)
    classes = await _balances(ctx, view, mine)
    whole = classes.pop(None, _Balance())
    bad = sum(found.outstanding for five_class, found in classes.items() if five_class and five_class.non_performing)
    disbursed, collected, due = await _flows(ctx, view, mine)
    return Statistics(
        on=view.day,
        loan_count=whole.loans,
        customer_count=whole.customers,
        outstanding=yuan(whole.outstanding),
        overdue_principal=yuan(whole.overdue),
        overdue_ratio=ratio(whole.overdue, whole.outstanding) or Decimal(0),
        par30=yuan(whole.par30),
        par90=yuan(whole.par90),
        npl_ratio=ratio(bad, whole.outstanding) or Decimal(0),
        provision_coverage=ratio(whole.required, bad),
        disbursed_today=disbursed,
        collected_today=yuan(collected),
        due_today=yuan(due),
        by_class=[
            ClassShare(five_class, found.loans, yuan(found.outstanding))
            for five_class in FiveClass
            for found in [classes.get(five_class, _Balance())]
        ],
    )


@dataclass(frozen=True, slots=True)
class _Balance:
    """Sums in fen over the loans of one class, or over all."""

    loans: int = 0
    customers: int = 0
    outstanding: int = 0
    overdue: int = 0
    par30: int = 0
    par90: int = 0
    required: int = 0


def _loans_in_view(ctx: Context, department_id: UUID | None) -> ColumnElement[bool]:
    wanted = scope(ctx, Loan) & (Loan.kind != LoanKind.ENTRUSTED) & (Loan.state != LoanState.TRANSFERRED)
    if department_id is None:
        return wanted
    departments = TenantTable.metadata.tables["departments"].c
    path = select(departments.path).where(departments.id == department_id).scalar_subquery()
    below = select(departments.id).where(departments.path.startswith(path))
    return wanted & Loan.department_id.in_(below)


async def _balances(ctx: Context, view: Viewpoint, mine: ColumnElement[bool]) -> dict[FiveClass | None, _Balance]:
    """Sums of each class, and under None of all together. What was written off has no principal left."""
    policy = POLICIES[await parameter.value(ctx, "provision_policy")]
    rows = as_known.position_of_each(view)
    position: Any = rows.c
    days_past_due = literal(view.day) - position.overdue_since

    def par(days: int) -> Any:
        return func.coalesce(func.sum(position.principal).filter(days_past_due > days), 0)

    statement = (
        select(
            position.five_class,
            func.count(),
            func.count(distinct(Loan.customer_id)),
            func.sum(position.principal),
            func.sum(position.overdue_principal),
            par(30),
            par(90),
            func.sum(required_allowance(policy, position.principal, position.five_class)),
        )
        .select_from(Loan)
        .join(rows, position.loan_id == Loan.id)
        .where(position.principal > 0, mine)
        .group_by(func.grouping_sets(tuple_(position.five_class), tuple_()))
    )
    found = (await ctx.connection.execute(statement)).all()
    return {five_class: _Balance(*(int(figure or 0) for figure in sums)) for five_class, *sums in found}


async def _flows(ctx: Context, view: Viewpoint, mine: ColumnElement[bool]) -> tuple[Decimal, int, int]:
    """Paid out on the day (CNY), received with that value date, and what falls due on it by plan (fen)."""
    rows = as_known.position_of_each(view)
    in_the_books = mine & ~as_known.written_off(rows.c)
    movement, installment = MovementRow, InstallmentRow
    known = as_known.known(movement, view)
    paid_out = select(func.sum(Loan.principal)).join(rows, rows.c.loan_id == Loan.id)
    received = (
        select(func.sum(movement.amount))
        .join(Loan, Loan.id == movement.loan_id)
        .join(rows, rows.c.loan_id == Loan.id)
        .where(movement.value_date == view.day, movement.kind == MovementKind.RECEIVED, known)
    )
    due = (
        select(func.sum(installment.principal + installment.interest))
        .join(Loan, Loan.id == installment.loan_id)
        .join(rows, rows.c.loan_id == Loan.id)
        .where(installment.due_date == view.day)
    )
    if view.known_at is not None:
        due = due.where(~_changed_since(view.known_at))
    flows = (paid_out.where(Loan.value_date == view.day), received, due)
    together: Any = select(*(func.coalesce(flow.where(in_the_books).scalar_subquery(), 0) for flow in flows))
    disbursed, collected, falls_due = (await ctx.connection.execute(together)).one()
    if view.known_at is not None:
        falls_due += await _due_as_known_then(ctx, view, view.known_at, in_the_books, rows)
    return Decimal(disbursed), int(collected), int(falls_due)


def _changed_since(moment: datetime) -> ColumnElement[bool]:
    return exists().where(LoanEventRow.loan_id == Loan.id, LoanEventRow.created_at > moment)


async def _due_as_known_then(
    ctx: Context, view: Viewpoint, known_at: datetime, in_the_books: ColumnElement[bool], rows: Any
) -> int:
    """What fell due on the day, in fen, of loans on which something was booked since: installments keep no earlier knowledge,
    so those that a plan or an event of the day names are folded from what was booked by then."""
    of_the_day = or_(
        exists().where(PlannedRow.loan_id == Loan.id, PlannedRow.due_date == view.day),
        exists().where(LoanEventRow.loan_id == Loan.id, LoanEventRow.value_date == view.day),
    )
    changed = (
        select(Loan.id).join(rows, rows.c.loan_id == Loan.id).where(in_the_books, _changed_since(known_at), of_the_day)
    )
    loan_ids = (await ctx.connection.execute(changed)).scalars().all()
    folds = await figures.folds(ctx, loan_ids, view.day, known_at=known_at) if loan_ids else {}
    return sum(
        installment.principal + installment.interest
        for fold in folds.values()
        for installment in fold.installments_on(view.day)
        if installment.due_date == view.day
    )
