"""Replay from the first event equals what is stored: loans that were carried day by day and told of things late, any order.

Each loan gets a random history through `record` while days are closed; at the end its events alone, folded once, must give
every row, movement, installment and allocation that is known now.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.loan.lines import Movement, OverdueLine, Position
from domain.calculation.money import yuan
from domain.calculation.schedule import Method
from domain.kernel.ports import Ports
from domain.kernel.refusals import Refusal
from domain.lending.loan import EventType, figures, queries
from domain.lending.loan.tables import STILL_KNOWN, AllocationRow, MovementRow, OverdueLineRow, PositionRow
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at

OPENED = date(2026, 1, 15)
STEPS, DAYS_A_STEP = 32, 5
ENDS = {(29, 0): EventType.ACCELERATION, (30, 1): EventType.WRITE_OFF}
"""By step and place of the loan: what would leave nothing to tell of if it came earlier."""
METHODS = (Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY)


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=OPENED))


def something(chance: random.Random, booked: list[UUID]) -> tuple[EventType, dict[str, Any]]:
    """An event of any kind that people or the bank may tell of."""
    amount = f"{chance.randint(1, 600_000) / 100:.2f}"
    seq = chance.choice([None, 1, 2, 3])
    component = chance.choice(["FEE", "PENALTY", "COMPOUND", "INTEREST"])
    weighted: list[tuple[int, EventType, dict[str, Any]]] = [
        (9, EventType.RECEIPT, {"amount": amount}),
        (2, EventType.RECEIPT, {"amount": amount, "prepayment": "REDUCE_INSTALLMENT"}),
        (2, EventType.FEE, {"installment_seq": chance.randint(1, 6), "amount": "55.00"}),
        (3, EventType.WAIVER, {"component": component, "installment_seq": seq, "amount": "12.34"}),
        (3, EventType.REVERSAL, {"target_event_id": str(chance.choice(booked))} if booked else {}),
        (1, EventType.AMENDMENT, {"annual_rate": chance.choice(["0.09", "0.15"])}),
        (1, EventType.MISUSE_RATE, {"multiplier": "2", "amount": "1000.00"}),
        (1, EventType.REFUND, {"amount": "1.00"}),
        (1, EventType.EXTENSION, {"due_dates": ["2026-08-15"], "grace_ends": ["2026-08-15"], "annual_rate": None}),
    ]
    [(_, kind, payload)] = chance.choices(weighted, [weight for weight, *_ in weighted])
    return (kind, payload) if payload or kind is not EventType.REVERSAL else (EventType.RECEIPT, {"amount": amount})


async def live(lending: Lending, loans: list[UUID], chance: random.Random) -> Counter[EventType]:
    """Days are closed, and at each step every loan hears of something of that day or earlier; what is refused is passed over."""
    booked: dict[UUID, list[UUID]] = {loan_id: [] for loan_id in loans}
    happened: Counter[EventType] = Counter()
    today = OPENED
    for step in range(STEPS):
        for place, loan_id in enumerate(loans):
            kind, payload = something(chance, booked[loan_id])
            on = today - timedelta(days=chance.choice([0, 0, chance.randint(0, (today - OPENED).days)]))
            if end := ENDS.get((step, place)):
                kind, payload, on = end, {}, today
            money = lending.account_id if kind in (EventType.RECEIPT, EventType.REFUND) else None
            try:
                booked[loan_id].append(await lending.record(loan_id, kind, on, money, **payload))
            except (Refusal, ValueError):
                continue
            happened[kind] += 1
        await lending.close(today + timedelta(days=DAYS_A_STEP - 1))
        today += timedelta(days=DAYS_A_STEP)
    return happened


async def stored_and_replayed(lending: Lending, loan_id: UUID) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is known now of a loan as it is stored, and as its events give it when they are folded once."""
    async with lending.lender.system.reading() as ctx:
        fold = (await figures.folds(ctx, [loan_id]))[loan_id]
        installments = (await queries.installments(ctx, [loan_id]))[loan_id]
        today = ctx.today
    stored: dict[str, Any] = {
        "positions": sorted((plain(Position, row) for row in await known(lending, PositionRow, loan_id)), key=str),
        "lines": sorted((plain(OverdueLine, row) for row in await known(lending, OverdueLineRow, loan_id)), key=str),
        "movements": Counter(
            Movement(row.value_date, row.seq, row.component, row.kind, row.amount, row.event_id and str(row.event_id))
            for row in await known(lending, MovementRow, loan_id)
        ),
        "installments": installments,
    }
    replayed = {
        "positions": sorted(map(tuple, fold.positions), key=str),
        "lines": sorted(map(tuple, fold.overdue_lines), key=str),
        "movements": Counter(fold.movements),
        "installments": fold.installments_on(today),
    }
    standing = {event.id for event in fold.events}
    lines = [
        row
        for row in await lending.lender.rows(AllocationRow, AllocationRow.loan_id == loan_id)
        if str(row.event_id) in standing
    ]
    stored["allocations"] = Counter((str(row.event_id), row.seq, row.component, row.amount) for row in lines)
    replayed["allocations"] = Counter(
        (event_id, line.seq, line.component, yuan(line.amount))
        for event_id, paid in fold.allocations.items()
        for line in paid
    )
    return stored, replayed


async def known(lending: Lending, table: Any, loan_id: UUID) -> list[Any]:
    """The rows of a loan that are still what we know."""
    return await lending.lender.rows(table, table.loan_id == loan_id, table.known_to == STILL_KNOWN)


def plain(kind: Any, row: Any) -> tuple[Any, ...]:
    """A stored row as the fold writes it: whole numbers as int, its end open where it is open."""
    values = [getattr(row, name) for name in kind._fields]
    return tuple(int(value) if isinstance(value, Decimal) else value for value in values)


async def replay_equals_what_is_stored(lending: Lending, seed: int, loans: int) -> Counter[EventType]:
    chance = random.Random(seed)
    ids = [
        await lending.pay_out(
            amount="30000.00", periods=6, grace_days=chance.choice([0, 3]), method=chance.choice(METHODS)
        )
        for _ in range(loans)
    ]
    happened = await live(lending, ids, chance)
    for loan_id in ids:
        stored, replayed = await stored_and_replayed(lending, loan_id)
        for name, rows in replayed.items():
            assert stored[name] == rows, (seed, loan_id, name)
    return happened


async def test_replay_equals_what_is_stored(lending: Lending) -> None:
    happened = await replay_equals_what_is_stored(lending, seed=1, loans=3)
    assert sum(happened.values()) >= 60, happened
    assert set(happened) == set(EventType) - {EventType.PAYOUT}, happened


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 12))
async def test_replay_equals_what_is_stored_for_long(lending: Lending, seed: int) -> None:
    """Fifty histories of some thirty events."""
    happened = await replay_equals_what_is_stored(lending, seed=seed, loans=5)
    assert sum(happened.values()) >= 100, happened
