"""重算入库 · From one fold of a loan to the next: which stored rows are cut, closed and added.

A row that merely ends on a day not known before is cut in place (time went on). Everything else is a correction: the old
row keeps what we knew and until when, the new one says what we know now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from uuid import UUID

from sqlalchemy import ARRAY, Row, Table, Uuid, any_, delete, func, insert, literal, select, text, tuple_

from domain.calculation.loan.balances import extended_on
from domain.calculation.loan.events import Event, Reversal
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import FOREVER, Movement, OverdueLine, Position
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import yuan
from domain.calculation.schedule import PlannedInstallment
from domain.kernel import bulk
from domain.kernel.table import uuid7
from domain.lending.loan import terms as agreed
from domain.lending.loan.events import engine_event, grace_ends
from domain.lending.loan.tables import (
    AllocationRow,
    InstallmentRow,
    Loan,
    LoanEventRow,
    LoanState,
    MovementRow,
    OverdueLineRow,
    PlannedRow,
    PositionRow,
)

if TYPE_CHECKING:
    from domain.kernel.context import Context

Line = TypeVar("Line", Position, OverdueLine)

LOANS = cast(Table, Loan.__table__)
POSITIONS = cast(Table, PositionRow.__table__)
OVERDUE_LINES = cast(Table, OverdueLineRow.__table__)
MOVEMENTS = cast(Table, MovementRow.__table__)
INSTALLMENTS = cast(Table, InstallmentRow.__table__)
ALLOCATIONS = cast(Table, AllocationRow.__table__)
PLANS = cast(Table, PlannedRow.__table__)


@dataclass(slots=True)
class Book:
    """A loan as it is read from the database: its row, its terms and its events in the order of booking."""

    loan: Loan
    terms: LoanTerms
    events: list[Any] = field(default_factory=list)
    _read: list[Event | Reversal] = field(default_factory=list)  # as the engine takes them, so far

    def fold(self, until: date) -> Fold:
        """The loan at the close of `until`, as known now. Events are only ever added."""
        self._read += map(engine_event, self.events[len(self._read) :])
        added = grace_ends(self.events)
        terms = replace(self.terms, grace_ends={**self.terms.grace_ends, **added}) if added else self.terms
        return loan(terms, self._read, until)


@dataclass(frozen=True, slots=True)
class Step:
    """A loan before and after something happened to it; `before` is None when it begins. `event_id` is what happened."""

    loan: Loan
    before: Fold | None
    after: Fold
    event_id: UUID | None = None


class Difference(NamedTuple):
    """Rows of one loan: `cut` get the new row's end, `closed` are no longer what we know, `added` are new knowledge."""

    cut: list[Any]
    closed: list[Any]
    added: list[Any]


# --------------------------------------------------------------------------- rules


def difference(before: Sequence[Line], after: Sequence[Line], known_until: date) -> Difference:
    """What becomes of the rows of one loan; `known_until` is the last day the old ones were read for."""
    gone, new = Counter(before), Counter(after)
    gone, new = gone - new, new - gone
    cut = [row for row in new if row.to_date > known_until and gone.pop(row._replace(to_date=FOREVER), 0)]
    for row in cut:
        del new[row]
    return Difference(cut, list(gone), list(new))


def moved(before: Sequence[Movement], after: Sequence[Movement]) -> tuple[list[Movement], list[Movement]]:
    """The movements that never were, and those we did not know of; equal ones count by their number."""
    old, new = Counter(before), Counter(after)
    return list((old - new).elements()), list((new - old).elements())


def state_of(fold: Fold) -> LoanState:
    """借据状态 at the close of the day to which the loan is folded."""
    last, state = fold.positions[-1], fold.state
    if state.claim is not None:
        return LoanState.WRITTEN_OFF
    if last.settled:
        return LoanState.SETTLED
    if last.non_accrual:
        return LoanState.NON_ACCRUAL
    return LoanState.OVERDUE if last.overdue_since else LoanState.ACTIVE


# --------------------------------------------------------------------------- reading


async def books(ctx: Context, loans: Iterable[Loan | Row[Any]], known_at: datetime | None = None) -> list[Book]:
    """Terms and events of loans (those booked by a moment, if one is given), two statements for all of them.

    A row of all columns serves where the loan is only read."""
    by_id = {loan.id: cast(Loan, loan) for loan in loans}
    plan = select(PlannedRow.__table__).where(PlannedRow.loan_id.in_(by_id), PlannedRow.version == 1)
    planned: dict[UUID, list[Any]] = {loan_id: [] for loan_id in by_id}
    for row in (await ctx.connection.execute(plan.order_by(PlannedRow.loan_id, PlannedRow.seq))).all():
        planned[row.loan_id].append(row)
    found = [Book(loan, agreed.loan_terms(loan, planned[loan.id])) for loan in by_id.values()]
    events: dict[UUID, list[Any]] = {book.loan.id: book.events for book in found}
    statement = select(LoanEventRow.__table__).where(LoanEventRow.loan_id.in_(by_id))
    if known_at is not None:
        statement = statement.where(LoanEventRow.created_at <= known_at)
    for row in (await ctx.connection.execute(statement.order_by(LoanEventRow.loan_id, LoanEventRow.sequence))).all():
        events[row.loan_id].append(row)
    return found


# --------------------------------------------------------------------------- writing


def later(ctx: Context, loans: Iterable[Loan]) -> None:
    """Moves the moment of this transaction behind what is known of loans that it has locked.

    It may have begun before the one it waited for; what became known later must not seem known earlier."""
    ctx.bound.now = max([ctx.now, *(loan.known_from for loan in loans if loan.known_from)])


async def write(ctx: Context, steps: Sequence[Step]) -> None:
    """Brings the stored rows of many loans to their new fold, a fixed number of statements for all of them."""
    await _write_lines(ctx, POSITIONS, ("from_date",), {step.loan.id: _lines(step, "positions") for step in steps})
    await _write_lines(
        ctx, OVERDUE_LINES, ("seq", "from_date"), {step.loan.id: _lines(step, "overdue_lines") for step in steps}
    )
    await _write_movements(ctx, steps)
    await _write_installments(ctx, steps)
    await _write_allocations(ctx, steps)
    await _write_plans(ctx, steps)
    await _write_loans(ctx, steps)


def _lines(step: Step, name: str) -> Difference:
    before = getattr(step.before, name) if step.before else ()
    return difference(before, getattr(step.after, name), step.before.until if step.before else date.min)


async def _write_lines(ctx: Context, table: Table, key: tuple[str, ...], found: dict[UUID, Difference]) -> None:
    def place(loan_id: UUID, row: Any) -> dict[str, Any]:
        return {"loan_id": loan_id, **{name: getattr(row, name) for name in key}}

    cuts = [place(loan_id, row) | {"to_date": row.to_date} for loan_id, rows in found.items() for row in rows.cut]
    closed = [place(loan_id, row) for loan_id, rows in found.items() for row in rows.closed]
    added = [
        {"id": uuid7(), "loan_id": loan_id, **row._asdict()} for loan_id, rows in found.items() for row in rows.added
    ]
    here: dict[str, Any] = {"keys": ("loan_id", *key), "where": "t.known_to = 'infinity'"}
    await bulk.update(ctx, table, cuts, **here)
    await bulk.update(ctx, table, closed, **here, known_to=ctx.now)
    await bulk.insert(ctx, table, added, known_from=ctx.now)


async def _write_movements(ctx: Context, steps: Sequence[Step]) -> None:
    added: list[dict[str, Any]] = []
    for step in steps:
        gone, new = moved(step.before.movements if step.before else (), step.after.movements)
        if gone:
            await _close_movements(ctx, step.loan.id, gone)
        added += [
            {
                "id": uuid7(),
                "loan_id": step.loan.id,
                "value_date": row.value_date,
                "seq": row.seq,
                "component": row.component,
                "kind": row.kind,
                "amount": row.amount,
                "event_id": UUID(row.event) if row.event else None,
            }
            for row in new
        ]
    await bulk.insert(ctx, MOVEMENTS, added, known_from=ctx.now)


async def _close_movements(ctx: Context, loan_id: UUID, gone: Sequence[Movement]) -> None:
    """Closes as many stored movements as there are equal ones gone, by one statement and without reading them."""
    counted = Counter(gone)
    values: dict[str, Any] = {name: [getattr(row, name) for row in counted] for name in Movement._fields[:-1]}
    values["event"] = [UUID(row.event) if row.event else None for row in counted]
    values |= {"loan_id": loan_id, "now": ctx.now, "count": list(counted.values())}
    await ctx.connection.execute(_CLOSE_MOVEMENTS, values)


_CLOSE_MOVEMENTS = text(
    """
    with stored as (
        select id, value_date, seq, component, kind, amount, event_id, row_number() over (
                   partition by value_date, seq, component, kind, amount, event_id order by id) as nth
        from movements where loan_id = :loan_id and known_to = 'infinity'
    )
    update movements m set known_to = cast(:now as timestamptz)
    from stored s join unnest(
        cast(:value_date as date[]), cast(:seq as int[]), cast(:component as text[]), cast(:kind as text[]),
        cast(:amount as bigint[]), cast(:event as uuid[]), cast(:count as int[])
    ) as g(value_date, seq, component, kind, amount, event_id, count)
        on s.value_date = g.value_date and s.kind = g.kind and s.amount = g.amount and s.seq is not distinct from g.seq
           and s.component is not distinct from g.component and s.event_id is not distinct from g.event_id
    where m.id = s.id and s.nth <= g.count
    """
)


async def _write_installments(ctx: Context, steps: Sequence[Step]) -> None:
    changed: list[dict[str, Any]] = []
    gone: list[tuple[UUID, int]] = []
    for step in steps:
        before = standing(step.before) if step.before else {}
        after = standing(step.after)
        changed += [{"loan_id": step.loan.id, **row} for seq, row in after.items() if before.get(seq) != row]
        gone += [(step.loan.id, seq) for seq in before.keys() - after.keys()]
    if gone:
        here = tuple_(INSTALLMENTS.c.loan_id, INSTALLMENTS.c.seq).in_(gone)
        await ctx.connection.execute(delete(INSTALLMENTS).where(here))
    await bulk.upsert(ctx, INSTALLMENTS, changed, keys=("loan_id", "seq"))


def standing(fold: Fold) -> dict[int, dict[str, Any]]:
    """The rows of `installments` at the close of the day to which the loan is folded, by seq."""
    rows = fold.installments_on(fold.until)
    names = [column.name for column in INSTALLMENTS.c if column.name != "loan_id"]
    return {row.seq: {name: getattr(row, name) for name in names} for row in rows}


async def _write_allocations(ctx: Context, steps: Sequence[Step]) -> None:
    restated: list[UUID] = []
    rows: list[dict[str, Any]] = []
    for step in steps:
        before = step.before.allocations if step.before else {}
        for event, lines in step.after.allocations.items():
            if list(before.get(event, ())) == list(lines):
                continue
            restated.append(UUID(event))
            rows += [
                {
                    "event_id": UUID(event),
                    "line": number,
                    "loan_id": step.loan.id,
                    "seq": line.seq,
                    "component": line.component,
                    "amount": yuan(line.amount),
                }
                for number, line in enumerate(lines, 1)
            ]
    if restated:
        of_them = ALLOCATIONS.c.event_id == any_(literal(restated, ARRAY(Uuid())))
        await ctx.connection.execute(delete(ALLOCATIONS).where(of_them))
    await bulk.insert(ctx, ALLOCATIONS, rows)


async def _write_plans(ctx: Context, steps: Sequence[Step]) -> None:
    """The first plan, and a further version where an event made another one."""
    changed = [step for step in steps if step.event_id is not None and _planned(step.after) != _planned(step.before)]
    if not changed:
        return
    ids = [step.loan.id for step in changed]
    statement = select(PlannedRow.loan_id, func.max(PlannedRow.version).label("version")).where(
        PlannedRow.loan_id.in_(ids)
    )
    found = await ctx.connection.execute(statement.group_by(PlannedRow.loan_id))
    latest = {row.loan_id: row.version for row in found.all()}
    rows = [
        row
        for step in changed
        for row in agreed.planned_rows(
            step.loan, step.after.terms, latest.get(step.loan.id, 0) + 1, _planned(step.after), step.event_id
        )
    ]
    await ctx.connection.execute(insert(PLANS), rows)


def _planned(fold: Fold | None) -> Sequence[PlannedInstallment]:
    return fold.state.version.installments if fold else ()


def description(fold: Fold) -> dict[str, Any]:
    """The columns of the loan that lists are filtered and sorted by."""
    last, state = fold.positions[-1], state_of(fold)
    return {
        "state": state,
        "five_class": last.five_class,
        "principal_outstanding": yuan(last.principal),
        "days_past_due_since": last.overdue_since,
        "next_action_on": last.next_action_on,
        "settled_on": last.from_date if state is LoanState.SETTLED else None,
        "extended": extended_on(fold, fold.until),
    }


def describe(row: Loan, fold: Fold) -> None:
    """Writes them to a loan of the session."""
    for name, value in description(fold).items():
        setattr(row, name, value)


async def _write_loans(ctx: Context, steps: Sequence[Step]) -> None:
    """A loan of the session is changed there; of loans that were only read, all are written by one statement."""
    read: list[dict[str, Any]] = []
    for step in steps:
        if isinstance(step.loan, Loan):
            describe(step.loan, step.after)
            step.loan.known_from = ctx.now
        else:
            read.append({"id": step.loan.id, **description(step.after)})
    await bulk.update(ctx, LOANS, read, keys=("id",), known_from=ctx.now)
    await ctx.session.flush()
