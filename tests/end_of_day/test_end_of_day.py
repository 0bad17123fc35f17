"""End of day: steps that resume after a kill, runners side by side, payments meanwhile, loans set aside, who may run it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain import end_of_day
from domain.business_day import BusinessDay, DayStep
from domain.kernel import clock, portion
from domain.kernel.context import Context
from domain.kernel.feed import FeedRow
from domain.kernel.job import Job
from domain.kernel.ports import Ports
from domain.kernel.refusals import Denied, InvalidInput
from domain.ledger import journal, proof
from domain.ledger.journal import Voucher
from domain.lending.loan import carrying
from domain.lending.loan.tables import AllocationRow, Loan, LoanEventRow, QuarantinedLoan
from domain.post_loan.early_warning import Alert, AlertState, WarningRule
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import statements
from tests.support.kills import Killed, killed_before
from tests.support.loans import Lending, lending_at

FIRST = date(2026, 1, 15)
DAY = timedelta(days=1)
SHORT: dict[str, Any] = {"amount": "12000.00", "periods": 3}


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await another(place, ports, blueprint)


async def another(place: Any, ports: Ports, blueprint: Any, **changes: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, **{"open_on": FIRST} | changes))


async def trial_balance(lender: LenderAtWork, on: date | None = None) -> dict[str, Decimal]:
    async with lender.system.reading() as ctx:
        return {row.code: row.debit - row.credit for row in await journal.trial_balance(ctx, on)}


async def differences(lending: Lending) -> list[str]:
    async with lending.lender.system.reading() as ctx:
        return [str(found) for found in await proof.differences(ctx)]


async def story(lending: Lending) -> list[UUID]:
    """Three loans: one that pays, one that pays too little, one that never pays."""
    return [await lending.pay_out(**SHORT) for _ in range(3)]


async def test_a_day_closes_once(lending: Lending) -> None:
    await story(lending)
    (closed,) = await lending.close(FIRST)
    assert (closed.date, closed.state, closed.loans_advanced, closed.became_overdue) == (FIRST, "CLOSED", 3, 0)
    assert closed.ledger_balanced
    vouchers = len(await lending.lender.rows(Voucher))
    assert await lending.close(FIRST) == [closed], "a repeat answers the same and changes nothing"
    assert len(await lending.lender.rows(Voucher)) == vouchers
    days = await lending.lender.rows(BusinessDay)
    assert {(day.date, day.state.value) for day in days} == {(FIRST, "CLOSED"), (FIRST + DAY, "OPEN")}


async def test_operators_are_told_which_day_is_open(lending: Lending) -> None:
    heard: list[tuple[UUID, date]] = []

    async def listen(lender_id: UUID, day: date) -> None:
        heard.append((lender_id, day))

    system = lending.lender.system
    await end_of_day.run(replace(system, ports=replace(system.ports, day_opened=listen)), through=FIRST + 2 * DAY)
    assert heard == [(system.lender.id, FIRST + 3 * DAY)]


async def test_a_loan_becomes_overdue_once_in_each_spell(lending: Lending) -> None:
    loan_id = await lending.pay_out(grace_days=2, **SHORT)
    days = await lending.close(date(2026, 2, 20))
    counted = {day.date: day.became_overdue for day in days if day.became_overdue}
    assert counted == {date(2026, 2, 18): 1}, "due on the 15th, two days of grace"
    announced = await lending.lender.rows(FeedRow, FeedRow.kind == "lending.loan.became_overdue")
    assert [(row.subject_id, row.facts["on"], row.business_date) for row in announced] == [
        (loan_id, "2026-02-18", date(2026, 2, 18))
    ]
    await lending.receive(loan_id, "4100.00")
    again = await lending.close(date(2026, 3, 20))
    assert [day.date for day in again if day.became_overdue] == [date(2026, 3, 18)]


async def test_a_receipt_of_the_day_itself_keeps_a_loan_from_being_overdue(lending: Lending) -> None:
    loan_id = await lending.pay_out(**SHORT)
    await lending.close(date(2026, 2, 15))
    assert (await lending.figures(loan_id)).days_past_due == 1, "opened as overdue"
    await lending.receive(loan_id, "4083.00")
    (day,) = await lending.close(date(2026, 2, 16))
    assert day.became_overdue == 0


async def test_every_day_the_ledger_equals_the_loans(lending: Lending) -> None:
    payer, slow, never = await story(lending)
    on = FIRST
    for offset in range(130):
        on = FIRST + offset * DAY
        if on in (date(2026, 2, 15), date(2026, 3, 15)):
            await lending.receive(payer, "4080.27")
        if on.day == 25:
            await lending.receive(slow, "1500.00")
        figures = [await lending.figures(loan_id) for loan_id in (payer, slow, never)]
        held = await trial_balance(lending.lender)
        sums = {
            "1303": sum(shown.principal_outstanding for shown in figures),
            "1132": sum(shown.on_balance_interest for shown in figures),
            "2241": -sum(shown.unapplied for shown in figures),
            "9001": sum(shown.off_balance_interest for shown in figures),
        }
        for account, fen in sums.items():
            booked = sum((amount for code, amount in held.items() if code.startswith(account)), Decimal(0))
            assert booked == Decimal(fen).scaleb(-2), (on, account)
        (day,) = await lending.close(on)
        assert day.ledger_balanced, on
    assert (await lending.figures(never)).non_accrual
    assert await differences(lending) == []


@pytest.mark.parametrize("chunk", [500, 1], ids=["few transactions", "many transactions"])
async def test_killed_anywhere_it_comes_to_the_same_figures(
    place: Any, ports: Ports, blueprint: Any, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(carrying, "LOANS_IN_A_CHUNK", chunk)
    monkeypatch.setattr(carrying, "MANY_LOANS", chunk)
    monkeypatch.setattr(portion, "MOST", chunk)
    calm, killed = [await another(place, ports, blueprint) for _ in range(2)]
    loans = {lending: await story(lending) for lending in (calm, killed)}
    for lending in (calm, killed):
        await lending.close(date(2026, 2, 13))
        await lending.receive(loans[lending][1], "1000.00")
    through = date(2026, 2, 16)
    expected = await calm.close(through)

    kills = 0
    for day in (date(2026, 2, 14) + offset * DAY for offset in range(3)):
        for statement in range(3, 400, 7):
            try:
                with killed_before(statement):
                    await killed.close(day)
                break
            except Killed:
                kills += 1
    assert kills >= 3 * 5
    figures = ("date", "state", "loans_advanced", "became_overdue", "ledger_balanced")
    got = [day for day in await killed.lender.rows(BusinessDay) if day.date <= through]
    shown = {day.date: [getattr(day, name) for name in figures] for day in got}
    assert all(shown[day.date] == [getattr(day, name) for name in figures] for day in expected)
    for one, other in zip(loans[calm], loans[killed], strict=True):
        assert await calm.figures(one) == await killed.figures(other)
    assert await trial_balance(calm.lender) == await trial_balance(killed.lender)
    assert await differences(killed) == []


@pytest.mark.parametrize("chunk", [500, 1], ids=["few transactions", "many transactions"])
async def test_two_runners_do_it_once(
    place: Any, ports: Ports, blueprint: Any, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(carrying, "LOANS_IN_A_CHUNK", chunk)
    monkeypatch.setattr(carrying, "MANY_LOANS", chunk)
    monkeypatch.setattr(portion, "MOST", chunk)
    alone, both = [await another(place, ports, blueprint) for _ in range(2)]
    for lending in (alone, both):
        await story(lending)
    through = date(2026, 2, 17)
    await alone.close(through)
    await asyncio.gather(both.close(through), both.close(through))
    assert await trial_balance(alone.lender) == await trial_balance(both.lender)
    steps = await both.lender.rows(DayStep)
    assert len(steps) == len(await alone.lender.rows(DayStep))
    assert await differences(both) == []


async def test_payments_go_on_meanwhile(lending: Lending) -> None:
    loan_ids = await story(lending)
    run = asyncio.create_task(lending.close(date(2026, 2, 20)))
    paid = 0
    while not run.done():
        for loan_id in loan_ids:
            await lending.receive(loan_id, "1.00")
            paid += 1
        await asyncio.sleep(0)
    await run
    assert paid > 3
    receipts = await lending.lender.rows(LoanEventRow, LoanEventRow.type == "RECEIPT")
    lines = await lending.lender.rows(AllocationRow)
    kept = sum([(await lending.figures(loan_id)).unapplied for loan_id in loan_ids])
    assert len(receipts) == paid
    assert sum(line.amount for line in lines) + Decimal(kept).scaleb(-2) == paid * Decimal("1.00")
    assert await differences(lending) == []


async def test_a_broken_loan_is_set_aside_and_comes_back(lending: Lending) -> None:
    loan_ids = await story(lending)
    await lending.close(date(2026, 2, 13))
    broken = loan_ids[1]
    await _edit_terms(lending, broken, '"RECKLESS"')
    days = await lending.close(date(2026, 2, 15))
    assert [(day.loans_advanced, day.loans_set_aside) for day in days] == [(2, 1), (2, 1)]
    assert all(day.ledger_balanced for day in days)
    aside = await lending.lender.rows(QuarantinedLoan)
    assert [(row.loan_id, row.on, row.reason) for row in aside] == [
        (broken, date(2026, 2, 15), "KeyError: 'RECKLESS'"),
        (broken, date(2026, 2, 16), "KeyError: 'RECKLESS'"),
    ]
    assert (await lending.figures(loan_ids[0])).days_past_due == 1
    await _edit_terms(lending, broken, '"NATIONAL_2023"')
    (day,) = await lending.close(date(2026, 2, 16))
    assert day.loans_advanced == 3
    assert all(row.released_at for row in await lending.lender.rows(QuarantinedLoan))
    assert await lending.figures(broken) == await lending.figures(loan_ids[0])
    assert await differences(lending) == []


async def _edit_terms(lending: Lending, loan_id: UUID, ruleset: str) -> None:
    async with lending.lender.system.writing() as ctx:
        edit = text(
            "update loans set terms = jsonb_set(terms, '{classification_ruleset}', cast(:value as jsonb)) where id = :id"
        )
        await ctx.connection.execute(edit, {"value": ruleset, "id": loan_id})


async def test_a_step_that_fails_stops_the_day_and_the_next_run_goes_on(
    lending: Lending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story(lending)

    async def fails(_ctx: Context, _day: date) -> None:
        raise RuntimeError("the step is broken")

    with monkeypatch.context() as broken:
        broken.setattr(end_of_day, "STEPS", [*end_of_day.STEPS[:1], end_of_day.Step("broken", fails)])
        with pytest.raises(RuntimeError):
            await lending.close(FIRST)
    (day,) = await lending.lender.rows(BusinessDay)
    assert (day.state, day.failure) == ("FAILED", "RuntimeError")
    (closed,) = await lending.close(FIRST)
    assert (closed.state, closed.failure) == ("CLOSED", None)


async def test_a_run_that_stopped_after_the_turn_is_asked_for_by_its_day(
    lending: Lending, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, before = date(2026, 2, 15), date(2026, 2, 14)
    loan_id = await lending.pay_out(**SHORT)
    await lending.close(before - DAY)

    async def fails(_ctx: Context, _day: date) -> None:
        raise RuntimeError("the loans were not reached")

    with monkeypatch.context() as broken:
        broken.setattr(end_of_day, "_carry_few", fails)
        with pytest.raises(RuntimeError):
            await lending.close(before)
    row = await end_of_day.request(lending.lender.accountant, through=before)
    assert (row.date, row.state) == (before, "FAILED")
    (job,) = await lending.lender.rows(Job, Job.handler == "end_of_day.close")
    await end_of_day.close(lending.lender.system, job.payload)
    states = {day.date: day.state for day in await lending.lender.rows(BusinessDay)}
    assert (states[before], states[due]) == ("CLOSED", "OPEN")
    assert (await lending.loan(loan_id)).next_action_on > due


async def test_a_night_takes_the_same_statements_for_many_loans(place: Any, ports: Ports, blueprint: Any) -> None:
    async def counts(loans: int) -> list[int]:
        """Statements of a quiet night, of the night into the due date, and of the one in which all turn overdue."""
        lending = await another(place, ports, blueprint)
        for _ in range(loans):
            await lending.pay_out(**SHORT)
        found = []
        for day in (FIRST, date(2026, 2, 14), date(2026, 2, 15)):
            await lending.close(day - DAY)
            with statements() as seen:
                await lending.close(day)
            found.append(len(seen))
        return found

    assert await counts(1) == await counts(10)


async def test_a_quiet_day_takes_one_transaction(lending: Lending) -> None:
    await story(lending)
    await lending.close(FIRST)
    with statements() as seen:
        await lending.close(FIRST + 10 * DAY)
    clocks_read = sum("business_clock" in statement and "FOR" not in statement.split() for statement in seen)
    at_both_ends, moved = 2, 1
    assert clocks_read == at_both_ends + 10 * (1 + moved)


async def test_a_quiet_day_asks_once_what_there_is_to_do(lending: Lending) -> None:
    """The steps that found nothing are written down as done, and none of their statements is sent."""
    await story(lending)
    await lending.close(FIRST)
    with statements() as seen:
        await lending.close(FIRST + DAY)
    assert len(seen) <= 36
    days = await lending.lender.rows(BusinessDay, BusinessDay.date == FIRST + DAY)
    steps = await lending.lender.rows(DayStep, DayStep.day_id == days[0].id)
    assert {step.step for step in steps} == {step.name for step in end_of_day.STEPS} | {"turn"}
    assert all(step.finished_at for step in steps)


async def test_what_a_posting_under_way_brings_is_done_in_the_same_night(lending: Lending) -> None:
    """The night was quiet when it began to wait, and is not when it may go on."""
    (loan_id, *_) = await story(lending)
    await lending.close(FIRST)
    (rule,) = await lending.lender.rows(WarningRule, WarningRule.threshold == 90)
    async with lending.lender.system.writing() as ctx:
        await clock.hold_day(ctx)
        closing = asyncio.create_task(lending.close(FIRST + DAY))
        await lending.lender.until_somebody_waits()
        ctx.add(
            Alert(
                rule_id=rule.id, rule=rule.code, level=rule.level, business_date=FIRST, loan_id=loan_id, spell_from=FIRST,
                message="–", value="90", threshold="90", recipients=rule.recipients, act_by=FIRST + DAY,
            )
        )  # fmt: skip
    await closing
    (alert,) = await lending.lender.rows(Alert, Alert.rule_id == rule.id)
    assert alert.state is AlertState.ESCALATED


async def test_who_may_run_it_and_how_far(place: Any, ports: Ports, blueprint: Any, lending: Lending) -> None:
    with pytest.raises(Denied):
        await end_of_day.request(lending.lender.account_manager)
    with pytest.raises(InvalidInput):
        await end_of_day.request(lending.lender.accountant, through=date(2126, 1, 1))
    row = await end_of_day.request(lending.lender.accountant)
    assert row.date == FIRST
    real = (await another(place, ports, blueprint, sandbox=False)).lender
    with pytest.raises(InvalidInput):
        await end_of_day.request(real.accountant, through=date(2126, 1, 1))
    jobs = await real.rows(Job, Job.handler == "end_of_day.close")
    assert [(job.key, job.due_at.isoformat()) for job in jobs] == [
        ("end_of_day/2026-01-15", "2026-01-15T15:30:00+00:00")
    ], "outside a sandbox a day closes by itself at 23:30 in Shanghai"
    await end_of_day.close(real.system, jobs[0].payload)
    assert len(await real.rows(Job, Job.handler == "end_of_day.close")) == 2
    assert len(await real.rows(Loan)) == 0
