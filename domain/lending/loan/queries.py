"""借据查询 · Loans as lists, one by id or number, and what belongs to many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, func, literal_column, or_, select

from domain.calculation.classification import FiveClass
from domain.calculation.loan.installments import Installment
from domain.calculation.money import div_half_up
from domain.configuration.loan_product import LoanKind
from domain.customers.customer import Customer
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.paging_by_parent import pages_by_parent
from domain.kernel.refusals import BadInput
from domain.kernel.scope import scope
from domain.kernel.table import TenantTable
from domain.lending.loan import as_known, figures
from domain.lending.loan.as_known import Standing
from domain.lending.loan.tables import STILL_KNOWN, InstallmentRow, Loan, LoanEventRow, LoanState, OverdueLineRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

LOAN: Any = Loan.__table__.c
NEVER = literal_column("'9999-01-01'::date", Date)  # written out, as the index has it


class LoanOrderField(StrEnum):
    """What loans may be sorted by."""

    NUMBER = "NUMBER"
    """编号 By the number people read."""
    VALUE_DATE = "VALUE_DATE"
    """起息日 By the first day that bears interest."""
    MATURITY_DATE = "MATURITY_DATE"
    """到期日 By the last due day."""
    PRINCIPAL = "PRINCIPAL"
    """本金 By the amount lent."""
    OUTSTANDING = "OUTSTANDING"
    """余额 By the principal not yet repaid."""
    DAYS_PAST_DUE = "DAYS_PAST_DUE"
    """逾期天数 By the days past due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanFilter:
    """Only loans that meet all that is given. `search` is part of the number or of the customer's name."""

    search: str | None = None
    states: Sequence[LoanState] | None = None
    kinds: Sequence[LoanKind] | None = None
    five_classes: Sequence[FiveClass] | None = None
    customer_id: UUID | None = None
    manager_id: UUID | None = None
    department_id: UUID | None = None
    product_id: UUID | None = None
    value_date: tuple[date | None, date | None] = (None, None)
    maturity_date: tuple[date | None, date | None] = (None, None)
    principal: tuple[Decimal | None, Decimal | None] = (None, None)
    min_days_past_due: int | None = None


# --------------------------------------------------------------------------- lists


@query("lending.loan.read")
async def loans(
    ctx: Context,
    *,
    columns: Sequence[Any],
    wanted: LoanFilter,
    order: LoanOrderField = LoanOrderField.NUMBER,
    descending: bool = True,
    window: Window,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> Page:
    """Loans the actor may see, filtered and sorted: as they stand, or as they stood on a day, as known now or at a moment.

    Whose they are (manager, department) is as of now, so nobody sees another's loans by asking for an earlier day.
    Raises BadInput for a day that was not open by then, and for a moment that has not come or before the lender."""
    stood = await as_known.standing(ctx, as_of, known_at)
    statement = stood.select(columns).where(scope(ctx, Loan), *_conditions(ctx, wanted, stood))
    return await page(ctx, statement, _order(order, descending, stood), window)


def _order(field: LoanOrderField, descending: bool, stood: Standing) -> list[Order]:
    # Who is longest past due was overdue first, so that order runs the other way; who is not comes last.
    column, reverse = {
        LoanOrderField.NUMBER: (LOAN.number, False),
        LoanOrderField.VALUE_DATE: (LOAN.value_date, False),
        LoanOrderField.MATURITY_DATE: (LOAN.maturity_date, False),
        LoanOrderField.PRINCIPAL: (LOAN.principal, False),
        LoanOrderField.OUTSTANDING: (stood["principal_outstanding"], False),
        LoanOrderField.DAYS_PAST_DUE: (func.coalesce(stood["days_past_due_since"], NEVER), True),
    }[field]
    down = descending != reverse
    return [Order(column, descending=down), Order(LOAN.id, descending=down)]


def _conditions(ctx: Context, wanted: LoanFilter, stood: Standing) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, values in (
        (stood["state"], wanted.states),
        (LOAN.kind, wanted.kinds),
        (stood["five_class"], wanted.five_classes),
    ):
        if values is not None:
            found.append(column.in_(values))
    for column, value in ((LOAN.customer_id, wanted.customer_id), (LOAN.product_id, wanted.product_id)):
        if value is not None:
            found.append(column == value)
    for column, (least, most) in (
        (LOAN.value_date, wanted.value_date),
        (LOAN.maturity_date, wanted.maturity_date),
        (LOAN.principal, wanted.principal),
    ):
        if least is not None:
            found.append(column >= least)
        if most is not None:
            found.append(column <= most)
    if wanted.manager_id is not None:
        found.append(or_(LOAN.manager_id == wanted.manager_id, LOAN.co_manager_id == wanted.manager_id))
    if wanted.department_id is not None:
        found.append(LOAN.department_id.in_(_department_and_below(wanted.department_id)))
    if wanted.min_days_past_due is not None and wanted.min_days_past_due > 0:
        days = min(wanted.min_days_past_due, (stood.day - date.min).days)
        found.append(stood["days_past_due_since"] <= stood.day - timedelta(days=days))
    if wanted.search and not wanted.search.isprintable():
        raise BadInput("what is searched for holds control characters")
    if wanted.search:
        named = select(Customer.id).where(Customer.name.contains(wanted.search, autoescape=True))
        number = LOAN.number.icontains(wanted.search.strip(), autoescape=True)
        found.append(or_(number, LOAN.customer_id.in_(named)))
    return found


def _department_and_below(department_id: UUID) -> Select[Any]:
    departments = TenantTable.metadata.tables["departments"].c
    path = select(departments.path).where(departments.id == department_id).scalar_subquery()
    return select(departments.id).where(departments.path.startswith(path))


@query("lending.loan.read")
async def one(ctx: Context, *, columns: Sequence[Any], loan_id: UUID | None = None, number: str | None = None) -> Any:
    """The loan with this id, or with this number; None when there is none, or none for this viewer."""
    if number is not None and not number.isprintable():
        raise BadInput("the number holds control characters")
    wanted = LOAN.id == loan_id if loan_id is not None else LOAN.number == number
    statement = select(*columns).where(scope(ctx, Loan), wanted)
    return (await ctx.connection.execute(statement)).one_or_none()


async def of_customers(
    ctx: Context, customer_ids: Sequence[UUID], columns: Sequence[Any], window: Window
) -> dict[UUID, Page]:
    """The loans of each customer that the actor may see, the latest first."""
    statement = select(*columns).where(scope(ctx, Loan))
    order = [Order(LOAN.value_date, descending=True), Order(LOAN.id, descending=True)]
    return await pages_by_parent(ctx, statement, LOAN.customer_id, customer_ids, order, window)


async def histories(ctx: Context, loan_ids: Sequence[UUID], columns: Sequence[Any], window: Window) -> dict[UUID, Page]:
    """The events of each loan in the order of booking."""
    event: Any = LoanEventRow.__table__.c
    order = [Order(event.sequence), Order(event.id)]
    return await pages_by_parent(ctx, select(*columns), event.loan_id, loan_ids, order, window)


# --------------------------------------------------------------------------- installments


async def installments(ctx: Context, loan_ids: Sequence[UUID]) -> dict[UUID, list[Installment]]:
    """The installments of loans as they stand on the open day, by seq, in fen. Three statements for all.

    A loan that end of day has not reached yet is folded: its lines must not be read over the day of its next action."""
    line: Any = OverdueLineRow.__table__.c
    valid = (line.from_date <= ctx.today, line.to_date > ctx.today, line.known_to == STILL_KNOWN)
    statement = select(OverdueLineRow.__table__).where(line.loan_id.in_(loan_ids), *valid)
    arrears = {(row.loan_id, row.seq): row for row in (await ctx.connection.execute(statement)).all()}
    table: Any = InstallmentRow.__table__.c
    statement = select(InstallmentRow.__table__).where(table.loan_id.in_(loan_ids)).order_by(table.loan_id, table.seq)
    found: dict[UUID, list[Installment]] = {loan_id: [] for loan_id in loan_ids}
    for row in (await ctx.connection.execute(statement)).all():
        standing = row._asdict()
        loan_id = standing.pop("loan_id")
        penalty, compound = _on(arrears.get((loan_id, row.seq)), ctx.today)
        found[loan_id].append(Installment(**standing, penalty=penalty, compound=compound))
    behind = select(Loan.id).where(Loan.id.in_(loan_ids), Loan.next_action_on <= ctx.today)
    if late := (await ctx.connection.execute(behind)).scalars().all():
        folds = await figures.folds(ctx, late)
        found |= {loan_id: fold.installments_on(ctx.today) for loan_id, fold in folds.items()}
    return found


def _on(line: Any, day: date) -> tuple[int, int]:
    """Penalty and compound of an overdue line on a day."""
    if line is None:
        return 0, 0
    days = (day - line.from_date).days
    sums = (line.pen_num + line.pen_step * days, line.comp_num + line.comp_step * days)
    return div_half_up(int(sums[0]), int(line.den)), div_half_up(int(sums[1]), int(line.den))
