"""贷款形状 · Loans that are alike are folded once and written many times, by one statement a table.

What the engine makes of a loan (events, plan, installments, positions, lines, movements, allocations) depends on its shape
only: amount, value date, and whether it is paid. So a lender of a million loans needs some hundred folds, and the rows are
the same as if the engine had written each loan.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, text
from sqlalchemy.dialects import postgresql

from domain.calculation.entrusted import Agency
from domain.calculation.loan.events import Event, PayOut, Receipt
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import yuan
from domain.calculation.vat import Rates
from domain.kernel.context import Context
from domain.kernel.refusals import plain
from domain.kernel.table import uuid7
from domain.lending.loan import posting, refold, terms
from domain.lending.loan.tables import EventType, Loan, LoanEventRow

EVENTS = LoanEventRow.__table__
DIALECT = postgresql.dialect()


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of loan. `loan` stands for all of them; `ledger` is what each adds to the accounts, in fen."""

    number: int
    loan: Loan
    terms: LoanTerms
    fold: Fold
    taken_over: date
    spell_from: date | None
    ledger: dict[str, int]
    terms_written: str


def shape(number: int, stands_for: Loan, signed: LoanTerms, today: date, vat: Rates | Agency, *, pays: bool) -> Shape:
    """Paid out; who pays has paid every installment due by now on its day, who does not has paid nothing."""
    events: list[Event] = [PayOut(id="1", value_date=stands_for.value_date, amount=signed.plan.principal)]
    due = [row for row in signed.installments if pays and row.due_date <= today]
    for sequence, row in enumerate(due, 2):
        events.append(Receipt(id=str(sequence), value_date=row.due_date, amount=row.principal + row.interest))
    fold = loan(signed, events, today)
    since = fold.positions[-1].overdue_since
    first_close = since + timedelta(days=1) if since else today
    stands_for.maturity_date = terms.maturity(signed)
    refold.describe(stands_for, fold)
    spell_from = first_close if first_close < today else None
    held = posting.ledger(fold, today, vat)
    return Shape(number, stands_for, signed, fold, today, spell_from, held, json.dumps(stands_for.terms))


# --------------------------------------------------------------------------- rows of the tables, ids left out


async def write(
    ctx: Context, shapes: Mapping[int, Shape], loans: Sequence[tuple[UUID, int]], company_account: UUID
) -> None:
    """All that belongs to these loans, which are stored already: (id, number of its shape)."""
    wanted = [shapes[number] for number in sorted({number for _, number in loans})]
    shared = {"created_at": ctx.now, "company_account_id": company_account}
    shared |= {"reference_table": "loans", "actor_id": ctx.actor.id}
    known = {"known_from": ctx.now, "known_to": "infinity"}
    parts: list[tuple[Any, list[dict[str, Any]]]] = [
        (EVENTS, [row | shared for one in wanted for row in _events(one)]),
        (refold.PLANS, [row for one in wanted for row in _plan(one)]),
        (refold.INSTALLMENTS, [row for one in wanted for row in _installments(one)]),
        (refold.ALLOCATIONS, [row for one in wanted for row in _allocations(one)]),
        (refold.MOVEMENTS, [row | known for one in wanted for row in _movements(one)]),
        (refold.POSITIONS, [row._asdict() | known | _of(one) for one in wanted for row in one.fold.positions]),
        (refold.OVERDUE_LINES, [row._asdict() | known | _of(one) for one in wanted for row in one.fold.overdue_lines]),
    ]
    for table, rows in parts:
        if rows:
            await _multiply(ctx, table, rows, loans)


def _of(one: Shape) -> dict[str, Any]:
    return {"shape": one.number}


def _events(one: Shape) -> Iterable[dict[str, Any]]:
    """As another system had booked them by the day before the loans were taken over."""
    for sequence, event in enumerate(one.fold.events, 1):
        assert isinstance(event, PayOut | Receipt)
        booked = min(event.value_date, one.taken_over - timedelta(days=1))
        yield _of(one) | {
            "id": sequence, "sequence": sequence, "value_date": event.value_date, "business_date": booked,
            "type": EventType.PAYOUT if isinstance(event, PayOut) else EventType.RECEIPT,
            "payload": {"amount": str(yuan(event.amount))}, "reference_id": None,
        }  # fmt: skip


def _plan(one: Shape) -> Iterable[dict[str, Any]]:
    for row in terms.planned_rows(one.loan, one.terms, 1, one.terms.installments, 1):
        yield _of(one) | row


def _installments(one: Shape) -> Iterable[dict[str, Any]]:
    for row in refold.standing(one.fold).values():
        yield _of(one) | row


def _allocations(one: Shape) -> Iterable[dict[str, Any]]:
    for event, lines in one.fold.allocations.items():
        for number, line in enumerate(lines, 1):
            amount = yuan(line.amount)
            yield _of(one) | {
                "event_id": int(event), "line": number, "seq": line.seq, "component": line.component, "amount": amount,
            }  # fmt: skip


def _movements(one: Shape) -> Iterable[dict[str, Any]]:
    for row in one.fold.movements:
        event = int(row.event) if row.event else None
        yield _of(one) | {name: value for name, value in row._asdict().items() if name != "event"} | {"event_id": event}


# --------------------------------------------------------------------------- one statement a table


async def _multiply(ctx: Context, table: Table, rows: list[dict[str, Any]], loans: Sequence[tuple[UUID, int]]) -> None:
    """Inserts the rows of each shape for each of its loans."""
    columns = [column for column in table.c if column.name in rows[0] or column.name in ("id", "loan_id")]
    given = [column for column in columns if column.name in rows[0] and column.name != "loan_id"]
    shown = ", ".join(f'"{column.name}" {_type(column)}' for column in given)
    statement = text(
        f"""
        insert into {table.name} ({", ".join(f'"{column.name}"' for column in columns)})
        select {", ".join(_value(column, table) for column in columns)}
        from unnest(cast(:loan_ids as uuid[]), cast(:shapes as int[])) as m(loan_id, shape)
        join jsonb_to_recordset(cast(:rows as jsonb)) as s(shape int, {shown}) on s.shape = m.shape
        """
    )
    stem = str(uuid7())[:24]
    values = {"loan_ids": [key for key, _ in loans], "shapes": [number for _, number in loans]}
    written = json.dumps(rows, default=_written)
    await ctx.connection.execute(statement, values | {"rows": written} | ({"stem": stem} if _numbered(table) else {}))


def _numbered(table: Table) -> bool:
    return "id" in table.c and table is not EVENTS


def _type(column: Column[Any]) -> str:
    """How the value stands in the shape; of an event it is its place among the loan's events."""
    return "int" if _is_event(column) else column.type.compile(DIALECT)


def _is_event(column: Column[Any]) -> bool:
    return column.name == "event_id" or (column.table is EVENTS and column.name == "id")


def _value(column: Column[Any], table: Table) -> str:
    if column.name == "loan_id" or (table is EVENTS and column.name == "reference_id"):
        return "m.loan_id"
    if _is_event(column):  # the loan's own id, its last byte being the place of the event
        return f"cast(overlay(cast(m.loan_id as text) placing lpad(to_hex(s.{column.name}), 2, '0') from 35) as uuid)"
    if column.name == "id":
        return "cast(:stem || lpad(to_hex(row_number() over ()), 12, '0') as uuid)"
    return f's."{column.name}"'


def _written(value: Any) -> Any:
    if value == date.max:
        return "infinity"
    return str(value) if isinstance(value, Decimal) else plain(value)
