"""Two axes: whatever is asked as of a day and as known at a moment is what was answered then (loan_engine.md §6)."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.loan.explain import LoanFigure
from domain.calculation.money import yuan
from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.home import statistics
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.ports import Ports
from domain.kernel.refusals import BadInput, Refusal
from domain.ledger import journal
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan, LoanState, book, explanation, figures, posting, queries
from domain.lending.loan.queries import LoanFilter, LoanOrderField
from domain.lending.loan.tables import PositionRow
from tests.lending.test_loan_golden_days import proved
from tests.support.actors import a_lender
from tests.support.client import statements
from tests.support.loans import Lending, lending_at

OPENED = date(2026, 1, 15)
E04: dict[str, Any] = {"amount": "12000.00", "rate": "0.12", "periods": 3}
TEN_DAYS: dict[str, Any] = {
    "amount": "3000.00",
    "rate": "0.12",
    "periods": 10,
    "unit": PeriodUnit.DAY,
    "method": Method.BULLET,
}
SHORT: dict[str, Any] = TEN_DAYS | {"basis": Basis.ACTUAL_360}
COLUMNS = [Loan.__table__.c[name] for name in ("id", "state", "five_class", "principal_outstanding", "settled_on")]


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=OPENED))


@dataclass(frozen=True)
class Seen:
    """All that can be asked about a lender's loans, as it was answered."""

    loans: list[tuple[Any, ...]]
    order: list[UUID]
    statistics: statistics.Statistics
    trial_balance: list[tuple[Any, ...]]
    positions: dict[UUID, Any]


async def seen(ctx: Context, on: date | None = None, known_at: datetime | None = None) -> Seen:
    axes: dict[str, Any] = {"as_of": on, "known_at": known_at}

    async def listed(order: LoanOrderField) -> list[Any]:
        page = await queries.loans(
            ctx, columns=COLUMNS, wanted=LoanFilter(), order=order, window=Window(first=100), **axes
        )
        assert len(page.rows) == await page.total(ctx)
        return page.rows

    rows = await listed(LoanOrderField.NUMBER)
    return Seen(
        loans=[tuple(row)[: len(COLUMNS)] for row in rows],
        order=[row.id for row in await listed(LoanOrderField.DAYS_PAST_DUE)],
        statistics=await statistics.of_day(ctx, on=on, known_at=known_at),
        trial_balance=[tuple(row) for row in await journal.trial_balance(ctx, on, known_at)],
        positions=await figures.positions(ctx, [row.id for row in rows], on, known_at=known_at),
    )


async def asked(lending: Lending, on: date | None = None, known_at: datetime | None = None) -> Seen:
    async with lending.lender.general_manager.reading() as ctx:
        return await seen(ctx, on, known_at)


async def moment(lending: Lending) -> datetime:
    async with lending.lender.system.reading() as ctx:
        return ctx.now


def adds_up(found: Seen) -> bool:
    """List, statistics and positions hold the same principal; returned beside it is what the ledger holds."""
    listed = sum(outstanding for _, _, _, outstanding, _ in found.loans)
    held = yuan(sum(shown.principal_outstanding for shown in found.positions.values()))
    return bool(listed == held == found.statistics.outstanding)


def booked_principal(found: Seen) -> Decimal:
    return sum(
        (debit - credit for code, _, debit, credit in found.trial_balance if code in posting.PRINCIPAL_ACCOUNTS),
        Decimal(0),
    )


# ---------------------------------------------------------------- month end


async def test_a_month_end_before_and_after_a_late_receipt(lending: Lending) -> None:
    month_end = date(2026, 2, 28)
    loan_id = await lending.pay_out(**E04)
    await lending.pay_out(**E04)
    await lending.close(date(2026, 3, 9))
    then = await moment(lending)
    before = await asked(lending, month_end)
    await lending.receive(loan_id, "4080.27", date(2026, 2, 15))
    now, known_then = await asked(lending, month_end), await asked(lending, month_end, then)

    assert known_then == before
    assert adds_up(now)
    assert adds_up(known_then)
    paid = Decimal("3960.27")
    assert known_then.statistics.outstanding - now.statistics.outstanding == paid
    assert (known_then.statistics.overdue_principal, now.statistics.overdue_principal) == (2 * paid, paid)
    assert [state for _, state, *_ in known_then.loans] == [LoanState.OVERDUE, LoanState.OVERDUE]
    assert sorted(state for _, state, *_ in now.loans) == [LoanState.ACTIVE, LoanState.OVERDUE]
    # The ledger of a closed day stays: it is the month end as known then, and today's voucher brings today's knowledge.
    assert booked_principal(now) == booked_principal(known_then) == known_then.statistics.outstanding
    today = await asked(lending)
    assert booked_principal(today) == today.statistics.outstanding == now.statistics.outstanding
    assert await proved(lending) == []


async def test_the_open_day_as_known_in_the_morning(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    morning, shown = await moment(lending), await asked(lending)
    await lending.receive(loan_id, "100.00")
    later = await lending.pay_out(**E04)
    assert await asked(lending, OPENED, morning) == shown
    assert later in (await asked(lending)).positions
    assert later not in (await asked(lending, known_at=morning)).positions
    await lending.close(date(2026, 3, 1))
    assert await asked(lending, known_at=morning) == shown, "by default the day that was open then"
    assert await asked(lending, OPENED, morning) == shown


async def test_a_day_that_was_not_open_and_moments_without_knowledge(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    then = await moment(lending)
    await lending.close(date(2026, 2, 1))
    early, late = then - timedelta(days=2), await moment(lending) + timedelta(hours=1)
    async with lending.lender.general_manager.reading() as ctx:
        for on, known_at in (
            (OPENED + timedelta(days=1), then),
            (OPENED, early),
            (OPENED, late),
            (date(2026, 2, 3), None),
        ):
            with pytest.raises(BadInput):
                await queries.loans(
                    ctx, columns=COLUMNS, wanted=LoanFilter(), window=Window(), as_of=on, known_at=known_at
                )
            with pytest.raises(BadInput):
                await statistics.of_day(ctx, on=on, known_at=known_at)
            if known_at is not None:
                with pytest.raises(BadInput):
                    await journal.trial_balance(ctx, on, known_at)
        assert await figures.positions(ctx, [loan_id], OPENED + timedelta(days=1), known_at=then) == {}
        assert await figures.positions(ctx, [loan_id], OPENED - timedelta(days=1)) == {}
        with pytest.raises(BadInput):
            await figures.positions(ctx, [loan_id], OPENED, known_at=late)


async def test_loans_that_had_not_begun_and_such_that_ended(lending: Lending) -> None:
    short = await lending.pay_out(**SHORT)
    await lending.close(date(2026, 1, 18))
    second = await lending.pay_out(**E04)
    await lending.close(date(2026, 1, 24))
    due = await lending.figures(short)
    await lending.receive(short, f"{(due.principal_outstanding + due.due_unpaid_interest) / 100:.2f}")
    await lending.close(date(2026, 1, 30))

    first = await asked(lending, OPENED)
    assert [row[:2] for row in first.loans] == [(short, LoanState.ACTIVE)]
    in_the_end = {row[0]: row[1:] for row in (await asked(lending, date(2026, 1, 30))).loans}
    assert in_the_end[short] == (LoanState.SETTLED, "NORMAL", Decimal("0.00"), date(2026, 1, 25))
    assert in_the_end[second][0] is LoanState.ACTIVE
    async with lending.lender.general_manager.reading() as ctx:

        async def ids(**axes: Any) -> set[UUID]:
            wanted = LoanFilter(states=[LoanState.ACTIVE])
            page = await queries.loans(ctx, columns=COLUMNS, wanted=wanted, window=Window(), **axes)
            return {row.id for row in page.rows}

        assert await ids(as_of=date(2026, 1, 24)) == {short, second}
        assert await ids(as_of=date(2026, 1, 25)) == await ids() == {second}


async def test_written_off_and_back(lending: Lending) -> None:
    loan_id = await lending.pay_out(**SHORT)
    await lending.close(date(2026, 5, 10))
    bad = await moment(lending)
    event_id = await lending.record(loan_id, EventType.WRITE_OFF, None, None)
    given_up = await moment(lending)
    await lending.reverse(loan_id, event_id)
    await lending.close(date(2026, 5, 12))
    on = date(2026, 5, 11)
    states = [(await asked(lending, on, known_at)).loans[0][1:4] for known_at in (bad, given_up, None)]
    assert states == [
        (LoanState.NON_ACCRUAL, "SUBSTANDARD", Decimal("3000.00")),
        (LoanState.WRITTEN_OFF, "LOSS", Decimal("0.00")),
        (LoanState.NON_ACCRUAL, "SUBSTANDARD", Decimal("3000.00")),
    ]
    assert (await asked(lending, on, given_up)).statistics.loan_count == 0


# ---------------------------------------------------------------- how rows came about


async def test_a_row_cut_when_time_went_on_was_known_before(lending: Lending) -> None:
    """Its end was set in place when the due date came, after the moment asked for."""
    loan_id = await lending.pay_out(**E04)
    then = await moment(lending)
    await lending.close(date(2026, 2, 20))
    rows = await lending.lender.rows(PositionRow, PositionRow.loan_id == loan_id, PositionRow.from_date == OPENED)
    assert [row.to_date for row in rows] == [date(2026, 2, 15)]
    for day in (OPENED, date(2026, 2, 14), date(2026, 2, 16)):
        shown = await asked_positions(lending, loan_id, day, then)
        assert (shown is not None) is (day == OPENED), "of later days nothing was known"


async def test_a_loan_that_was_set_aside_is_asked_as_known_then(
    lending: Lending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carried late, its row was cut in place on a day that was open long before: that changes no earlier answer."""
    loan_id = await lending.pay_out(**E04)
    whole, other = await lending.pay_out(**E04), await lending.pay_out(**SHORT)
    await lending.close(date(2026, 1, 20))

    async def broken(*_: Any) -> None:
        raise RuntimeError("broken for a while")

    with monkeypatch.context() as patched:
        patched.setattr(book, "carry", broken)
        await lending.close(date(2026, 2, 16))
        aside = await asked(lending)
        then = await moment(lending)
    assert aside.positions[loan_id].overdue_since == date(2026, 2, 15), "folded, as no row says so"
    await lending.close(date(2026, 2, 18))
    await lending.receive(whole, "1.00")
    for _ in range(2):
        assert await asked(lending, known_at=then) == aside
        assert await asked(lending, date(2026, 2, 17), then) == aside
        await lending.receive(loan_id, "4080.27", date(2026, 2, 15))
        await lending.reverse(other, await lending.receive(other, "500.00", date(2026, 1, 25)))


async def test_who_waited_for_a_loan_knows_no_earlier_moment(lending: Lending) -> None:
    """Two commands on one loan, the first to begin the last to write: at no moment two rows hold for one day."""
    loan_id = await lending.pay_out(**E04)
    async with lending.lender.system.writing() as slow:
        begun = slow.now
        await lending.receive(loan_id, "100.00")
        loan = await loans.lock(slow, loan_id)
        await loans.record(
            slow, loan, type=EventType.RECEIPT, value_date=OPENED, payload={"amount": "50.00"},
            company_account_id=lending.account_id, reference=loan,
        )  # fmt: skip
        assert slow.now > begun
    first, second = (await lending.events(loan_id))[1:]
    assert first.created_at <= second.created_at
    kept = [(await asked(lending, OPENED, at)).positions[loan_id].unapplied for at in (begun, second.created_at)]
    assert kept == [0, 15000]
    rows = await lending.lender.rows(PositionRow, PositionRow.loan_id == loan_id)
    assert all(row.known_from <= row.known_to.replace(tzinfo=UTC) for row in rows)


# ---------------------------------------------------------------- any history


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_was_answered_is_answered_again(lending: Lending, seed: int) -> None:
    """Random histories with late receipts, reversals, waivers, a write-off: every answer of the way, asked again at the end."""
    rng = random.Random(seed)
    loan_ids = [await lending.pay_out(**E04), await lending.pay_out(**SHORT)]
    answers: list[tuple[date | None, datetime, Seen]] = []
    for _ in range(9):
        with suppress(Refusal):  # it may not fit this loan; then nothing has changed
            await something(lending, rng, loan_ids)
        today = await asked(lending)
        past = OPENED + timedelta(days=rng.randint(0, (today.statistics.on - OPENED).days))
        answers += [(None, await moment(lending), today), (past, await moment(lending), await asked(lending, past))]
    for on, known_at, answer in answers:
        assert await asked(lending, on, known_at) == answer, (seed, on, known_at)
        assert adds_up(answer), (seed, on, known_at)
    assert await proved(lending) == []


async def something(lending: Lending, rng: random.Random, loan_ids: list[UUID]) -> None:
    """One thing happens: days pass, money comes in for a day gone by, what came in never did, interest is given up …"""
    async with lending.lender.system.reading() as ctx:
        today = ctx.today
    loan_id = rng.choice(loan_ids)
    day = OPENED + timedelta(days=rng.randint(0, (today - OPENED).days))
    match rng.choice(("days", "days", "days", "receipt", "receipt", "receipt", "reversal", "waiver", "pay out", "end")):
        case "days":
            await lending.close(today + timedelta(days=rng.choice((0, 3, 11, 29, 60))))
        case "receipt":
            await lending.receive(loan_id, f"{rng.choice((50, 700, 2000, 4080))}.27", day)
        case "reversal":
            events = [row for row in await lending.events(loan_id) if row.type in ("RECEIPT", "REVERSAL")]
            if events:
                await lending.reverse(loan_id, rng.choice(events).id)
        case "waiver":
            given = {"component": "INTEREST", "installment_seq": 1, "amount": "10.00"}
            await lending.record(loan_id, EventType.WAIVER, day, None, **given)
        case "pay out":
            loan_ids.append(await lending.pay_out(value_date=day, **SHORT))
        case "end":
            kind = rng.choice((EventType.WRITE_OFF, EventType.ACCELERATION))
            await lending.record(loan_id, kind, day, None)


async def test_figures_as_known_then_explain_themselves(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 3, 9))
    on, then = date(2026, 2, 28), await moment(lending)
    await lending.receive(loan_id, "4080.27", date(2026, 2, 15))
    async with lending.lender.system.reading() as ctx:
        for known_at in (then, None):
            shown = (await figures.positions(ctx, [loan_id], on, known_at=known_at))[loan_id]
            place = (loan_id, on, known_at)
            for figure, amount in (
                (LoanFigure.PENALTY, shown.penalty),
                (LoanFigure.OVERDUE_PRINCIPAL, shown.overdue_principal),
                (LoanFigure.DUE_UNPAID_INTEREST, shown.due_unpaid_interest),
            ):
                parts = (await explanation.explain(ctx, [place], figure))[place]
                assert sum(part.amount for part in parts) == amount, (known_at, figure)
                assert bool(parts) is (known_at is not None)


async def test_as_many_statements_for_many_loans_as_for_one(lending: Lending) -> None:
    then, counts = None, []
    for _ in range(2):
        for _ in range(1 if then is None else 4):
            await lending.pay_out(**E04)
        if then is None:
            await lending.close(date(2026, 2, 20))
            then = await moment(lending)
        async with lending.lender.general_manager.reading() as ctx:
            with statements() as sent:
                await seen(ctx, date(2026, 2, 20), then)
        counts.append(len(sent))
    assert counts[0] == counts[1]


async def test_an_earlier_day_shows_nobody_more_loans(lending: Lending) -> None:
    await lending.pay_out(**E04)
    then = await moment(lending)
    await lending.close(date(2026, 2, 20))
    for person, may in (("account_manager", 1), ("second_account_manager", 0), ("general_manager", 1)):
        async with getattr(lending.lender, person).reading() as ctx:
            for on, known_at in ((OPENED, None), (OPENED, then), (None, then), (date(2026, 2, 20), None)):
                page = await queries.loans(
                    ctx, columns=COLUMNS, wanted=LoanFilter(), window=Window(), as_of=on, known_at=known_at
                )
                assert len(page.rows) == await page.total(ctx) == may
                assert (await statistics.of_day(ctx, on=on, known_at=known_at)).loan_count == may


async def asked_positions(lending: Lending, loan_id: UUID, on: date, known_at: datetime | None) -> Any:
    async with lending.lender.system.reading() as ctx:
        return (await figures.positions(ctx, [loan_id], on, known_at=known_at)).get(loan_id)
