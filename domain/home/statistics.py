"""数据统计 · Statistics (F02): the loans a viewer sees, in figures of one day (domain.md §6.1), by three statements.

Own loans only: entrusted ones bear no risk of the lender, written-off and transferred ones are out. Outstanding is unpaid
principal; PAR is the whole balance of loans more than 30 or 90 days past due. Coverage measures the allowance that the
provision policy requires of the loans in view, since a booked allowance belongs to the whole lender.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import case, distinct, func, literal, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from domain.calculation.classification import FiveClass
from domain.calculation.loan.lines import MovementKind
from domain.calculation.money import div_half_up, yuan
from domain.calculation.provision import POLICIES, ProvisionPolicy
from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.kernel.command import query
from domain.kernel.refusals import BadInput
from domain.kernel.scope import scope
from domain.kernel.table import TenantTable
from domain.lending.loan.tables import STILL_KNOWN, InstallmentRow, Loan, LoanState, MovementRow, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

MODULES = ("lending.loan.", "finance.", "end_of_day.", "home.pending_task.")
"""What in the feed may change these figures, or the viewer's count of tasks beside them."""
OUT_OF_THE_BOOKS = (LoanState.WRITTEN_OFF, LoanState.TRANSFERRED)


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


def share(amount: Any, numerator: int, denominator: int) -> Any:
    """`amount × numerator / denominator` in fen, half up, as SQL: `calculation.provision` for many loans at once."""
    return (2 * amount * numerator + denominator) // (2 * denominator)


def required_allowance(policy: ProvisionPolicy, principal: Any, five_class: Any) -> Any:
    """General and specific provision of a position, each rounded by itself, as SQL over these columns."""
    rates = zip(FiveClass, policy.specific, strict=True)
    specific = case(
        *((five_class == named, share(principal, rate.numerator, rate.denominator)) for named, rate in rates)
    )
    return share(principal, policy.general_rate.numerator, policy.general_rate.denominator) + specific


# ---------------------------------------------------------------- query


@query("home.statistics.read")
async def of_day(ctx: Context, *, on: date | None = None, department_id: UUID | None = None) -> Statistics:
    """The figures at the close of a day (default: the open one), of a department and those below it, if given.

    Raises BadInput for a day that is not open yet."""
    day = on or ctx.today
    if day > ctx.today:
        raise BadInput("this day is not open yet")
    mine = _loans_in_view(ctx, department_id)
    classes = await _balances(ctx, day, mine)
    whole = classes.pop(None, _Balance())
    bad = sum(found.outstanding for five_class, found in classes.items() if five_class and five_class.non_performing)
    disbursed, collected, due = await _flows(ctx, day, mine)
    return Statistics(
        on=day,
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
    wanted = scope(ctx, Loan) & (Loan.kind != LoanKind.ENTRUSTED) & Loan.state.not_in(OUT_OF_THE_BOOKS)
    if department_id is None:
        return wanted
    departments = TenantTable.metadata.tables["departments"].c
    path = select(departments.path).where(departments.id == department_id).scalar_subquery()
    below = select(departments.id).where(departments.path.startswith(path))
    return wanted & Loan.department_id.in_(below)


async def _balances(ctx: Context, day: date, mine: ColumnElement[bool]) -> dict[FiveClass | None, _Balance]:
    """Sums of each class, and under None of all together."""
    policy = POLICIES[await parameter.value(ctx, "provision_policy")]
    position = PositionRow
    days_past_due = literal(day) - position.overdue_since

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
        .select_from(position)
        .join(Loan, Loan.id == position.loan_id)
        .where(position.from_date <= day, position.to_date > day, position.known_to == STILL_KNOWN)
        .where(position.principal > 0, mine)
        .group_by(func.grouping_sets(tuple_(position.five_class), tuple_()))
    )
    rows = (await ctx.connection.execute(statement)).all()
    return {five_class: _Balance(*(int(figure or 0) for figure in sums)) for five_class, *sums in rows}


async def _flows(ctx: Context, day: date, mine: ColumnElement[bool]) -> tuple[Decimal, int, int]:
    """Paid out on the day (CNY), received with that value date, and what falls due on it by plan (fen)."""
    paid_out = select(func.coalesce(func.sum(Loan.principal), 0)).where(Loan.value_date == day, mine)
    received = (
        select(func.coalesce(func.sum(MovementRow.amount), 0))
        .join(Loan, Loan.id == MovementRow.loan_id)
        .where(MovementRow.value_date == day, MovementRow.kind == MovementKind.RECEIVED)
        .where(MovementRow.known_to == STILL_KNOWN, mine)
    )
    due = (
        select(func.coalesce(func.sum(InstallmentRow.principal + InstallmentRow.interest), 0))
        .join(Loan, Loan.id == InstallmentRow.loan_id)
        .where(InstallmentRow.due_date == day, mine)
    )
    together = select(*(part.scalar_subquery() for part in (paid_out, received, due)))
    disbursed, collected, falls_due = (await ctx.connection.execute(together)).one()
    return disbursed, int(collected), int(falls_due)
