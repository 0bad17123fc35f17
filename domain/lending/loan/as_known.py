"""所知 · Which stored rows of a loan are those of a day, as known now or at a moment: for one loan, for lists and for sums.

A row may have been cut in place since (`to_date`: time went on), which at the moment was not known. So of what was known then
the row that began last by the day is the one that ran; `to_date` is looked at only for what is known now, and for overdue
lines, which end without another one beginning. Where a line was cut after the moment, the position waits for that day, too
(`next_action_on`), and who reads figures folds the loan instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, Numeric, Select, and_, case, cast, join, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import distinct_on

from domain.calculation.classification import FiveClass
from domain.kernel.viewpoint import Viewpoint, reached
from domain.lending.loan.tables import STILL_KNOWN, Loan, LoanState, OverdueLineRow, PositionRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

POSITION: Any = PositionRow.__table__.c


def known(table: Any, view: Viewpoint) -> ColumnElement[bool]:
    """The rows that are what we know now, or what we knew at the moment. Each side of the `or` has an index of its own."""
    if view.known_at is None:
        return table.known_to == STILL_KNOWN  # type: ignore[no-any-return]
    kept = or_(table.known_to == STILL_KNOWN, and_(table.known_to != STILL_KNOWN, table.known_to > view.known_at))
    return and_(table.known_from <= view.known_at, kept)


def lines(view: Viewpoint) -> tuple[ColumnElement[bool], ...]:
    """The conditions of the overdue lines of the day."""
    line = OverdueLineRow
    return line.from_date <= view.day, line.to_date > view.day, known(line, view)


def positions(view: Viewpoint, statement: Select[Any]) -> Select[Any]:
    """`statement` over `positions`, left with the row of the day of each loan."""
    statement = statement.where(PositionRow.from_date <= view.day, known(PositionRow, view))
    if view.known_at is None:
        return statement.where(PositionRow.to_date > view.day)
    return statement.ext(distinct_on(PositionRow.loan_id)).order_by(PositionRow.loan_id, PositionRow.from_date.desc())


def position_of_each(view: Viewpoint) -> FromClause:
    """The row of the day of each loan, to be joined with `loans` on `loan_id`: lists read as many as they show."""
    table = select(PositionRow.__table__).where(POSITION.from_date <= view.day, known(POSITION, view))
    if view.known_at is None:
        return table.where(POSITION.to_date > view.day).subquery("of_day")
    here = table.where(POSITION.loan_id == Loan.__table__.c.id).correlate(Loan.__table__)
    return here.order_by(POSITION.from_date.desc()).limit(1).lateral("of_day")


def written_off(of_day: Any) -> ColumnElement[bool]:
    """核销 · Nothing is left in the books because it was given up: only then a loan without arrears is of the class LOSS."""
    return and_(of_day.settled, of_day.five_class == FiveClass.LOSS)


def state(of_day: Any) -> ColumnElement[Any]:
    """借据状态 on the day, from its row: what `refold.state_of` says of a fold."""
    stands = case(
        (written_off(of_day), LoanState.WRITTEN_OFF.value),
        (of_day.settled, LoanState.SETTLED.value),
        (of_day.non_accrual, LoanState.NON_ACCRUAL.value),
        (of_day.overdue_since.is_not(None), LoanState.OVERDUE.value),
        else_=LoanState.ACTIVE.value,
    )
    return type_coerce(stands, Loan.__table__.c.state.type)


@dataclass(frozen=True, slots=True)
class Standing:
    """How loans stand: on the open day as their columns say, or on a day as it was known. `source` is what is selected from,
    `columns` replace the loan's own of the same name."""

    day: date
    source: FromClause
    columns: Mapping[str, ColumnElement[Any]]

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self.columns.get(name, Loan.__table__.c[name])

    def select(self, columns: Sequence[Any]) -> Select[Any]:
        """Columns of loans, those that change from day to day as they stood."""
        return select(*(self[column.name].label(column.name) for column in columns)).select_from(self.source)


async def standing(ctx: Context, as_of: date | None = None, known_at: datetime | None = None) -> Standing:
    """How loans stand on a day, as known now or at a moment; on the open day now if neither is given. Loans that had not
    begun by then are not in it. Raises BadInput for a day or a moment of which nothing is known."""
    if as_of is None and known_at is None:
        return Standing(ctx.today, Loan.__table__, {})
    view = await reached(ctx, as_of, known_at)
    rows = position_of_each(view)
    of_day: Any = rows.c
    columns = {
        "state": state(of_day),
        "five_class": of_day.five_class,
        "principal_outstanding": cast(cast(of_day.principal, Numeric) / 100, Numeric(18, 2)),
        "days_past_due_since": of_day.overdue_since,
        "next_action_on": of_day.next_action_on,
        "settled_on": case((state(of_day) == LoanState.SETTLED, of_day.from_date)),
    }
    return Standing(view.day, join(Loan.__table__, rows, of_day.loan_id == Loan.__table__.c.id), columns)
