"""A preview shows exactly what confirming does, and leaves nothing behind."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.calculation.allocation import Component
from domain.calculation.money import yuan
from domain.finance import receipt, repayment_entry, repayment_registration
from domain.home import pending_task
from domain.home.message import Message
from domain.kernel.context import Context
from domain.kernel.ports import Ports
from domain.kernel.refusals import Denied, InvalidState, SamePerson
from domain.kernel.table import TenantTable
from domain.ledger.journal import Voucher, VoucherLine
from domain.lending import interest_waiver
from domain.lending.interest_waiver import WaiverComponent
from domain.lending.loan import EventType, LoanState, figures, preview, queries
from domain.lending.loan.preview import Preview
from domain.workflow import decision
from domain.workflow.instance import Decision
from tests.lending.test_loan_golden_days import proved
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at

OPENED = date(2026, 1, 15)
E04: dict[str, Any] = {"amount": "12000.00", "rate": "0.12", "periods": 3}


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=OPENED))


async def entered(lending: Lending, loan_id: UUID, amount: str, on: date, serial: int = 1) -> UUID:
    entry = repayment_entry.Entry(
        amount=Decimal(amount), value_date=on, company_account_id=lending.account_id, payer_name="王芳",
        bank_reference=f"BANK-{serial}",
    )  # fmt: skip
    row = await repayment_entry.enter(
        lending.lender.cashier, loan_id=loan_id, entry=entry, idempotency_key=f"receipt-{serial}"
    )
    return row.id


async def everything(lending: Lending) -> dict[str, str]:
    """Table → hash of all its rows: what a preview must leave as it is."""
    summed = 'select coalesce(sum(hashtextextended(t::text, 0)), 0)::text from "{}" t'
    async with lending.lender.system.reading() as ctx:
        return {
            table: (await ctx.connection.execute(text(summed.format(table)))).scalar_one()
            for table in TenantTable.metadata.tables
        }


@pytest.fixture
async def unchanged(lending: Lending) -> Any:
    """`await unchanged(preview)` answers what the preview shows, when nothing has changed in any table."""

    async def watch(previewing: Any) -> Preview:
        before = await everything(lending)
        found: Preview = await previewing
        assert await everything(lending) == before
        return found

    return watch


def lines_of(found: Preview) -> list[tuple[str, Decimal, Decimal]]:
    return sorted((line.account, line.debit, line.credit) for posted in found.vouchers for line in posted.lines)


async def posted_since(lending: Lending, known: set[UUID]) -> list[tuple[str, Decimal, Decimal]]:
    new = [row.id for row in await lending.lender.rows(Voucher) if row.id not in known]
    rows = await lending.lender.rows(VoucherLine, VoucherLine.voucher_id.in_(new))
    return sorted((row.account, row.debit, row.credit) for row in rows)


async def vouchers(lending: Lending) -> set[UUID]:
    return {row.id for row in await lending.lender.rows(Voucher)}


async def stands(lending: Lending, loan_id: UUID, first: date) -> tuple[dict[date, Any], list[Any], LoanState]:
    """Figures of every day, installments and state."""
    async with lending.lender.system.reading() as ctx:
        days = [first + timedelta(days=number) for number in range((ctx.today - first).days + 1)]
        found = {day: (await figures.positions(ctx, [loan_id], day)).get(loan_id) for day in days}
        rows = (await queries.installments(ctx, [loan_id]))[loan_id]
    return found, rows, (await lending.loan(loan_id)).state


async def comes_true(lending: Lending, loan_id: UUID, found: Preview, confirm: Any, since: date) -> None:
    """Confirms, and compares every voucher line, day, installment and state with what was shown."""
    before_days, before_rows, before_state = await stands(lending, loan_id, since)
    known = await vouchers(lending)
    await confirm
    after_days, after_rows, after_state = await stands(lending, loan_id, since)
    assert lines_of(found) == await posted_since(lending, known)
    (change,) = found.loans
    assert (change.loan_id, change.state_before, change.state_after) == (loan_id, before_state, after_state)
    shown = {day.on: (day.before, day.after) for day in change.comparison.days()}
    assert shown == {
        day: (before_days[day], after_days[day]) for day in after_days if before_days[day] != after_days[day]
    }
    changed = {row.seq: (row.before, row.after) for row in change.comparison.installments()}
    was, now = ({row.seq: row for row in rows} for rows in (before_rows, after_rows))
    assert changed == {
        seq: (was.get(seq), now.get(seq)) for seq in was.keys() | now.keys() if was.get(seq) != now.get(seq)
    }
    stretches = change.comparison.stretches()
    assert sum(stretch.days for stretch in stretches) == len(shown)
    assert all(shown[end.on] == (end.before, end.after) for one in stretches for end in (one.first, one.last))
    others = {
        day for day, (a, b) in shown.items() if getattr(a, "five_class", None) is not getattr(b, "five_class", None)
    }
    told = change.comparison.classes()
    assert {day for one in told for day in shown if one.from_date <= day <= one.to_date} == others


def registering(lending: Lending, receipt_id: UUID) -> Any:
    return preview.of_command(
        lending.lender.accountant, repayment_registration.register, receipt_id=receipt_id, comment=None
    )


# ---------------------------------------------------------------- receipts


async def test_a_late_receipt_that_brings_a_loan_back_on_balance(lending: Lending, unchanged: Any) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 6, 9))
    assert (await lending.loan(loan_id)).state is LoanState.NON_ACCRUAL
    receipt_id = await entered(lending, loan_id, "8200.00", date(2026, 2, 20))

    found = await unchanged(registering(lending, receipt_id))

    assert found.final
    (change,) = found.loans
    assert (change.state_before, change.state_after) == (LoanState.NON_ACCRUAL, LoanState.OVERDUE)
    classes = {(one.before, one.after) for one in change.comparison.classes()}
    assert ("SUBSTANDARD", "SPECIAL_MENTION") in classes
    assert [row.seq for row in change.comparison.installments()] == [1, 2, 3]
    assert found.announced == ["home.pending_task.removed", "lending.loan.changed", "finance.receipt.registered"]
    confirm = repayment_registration.register(lending.lender.accountant, receipt_id=receipt_id)
    await comes_true(lending, loan_id, found, confirm, OPENED)
    assert await proved(lending) == []


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_shown_comes_true(lending: Lending, seed: int) -> None:
    rng = random.Random(seed)
    loan_id = await lending.pay_out(**E04)
    receipts: list[UUID] = []
    for serial in range(5):
        async with lending.lender.system.reading() as ctx:
            today = ctx.today
        await lending.close(today + timedelta(days=rng.choice((5, 20, 45))))
        on = OPENED + timedelta(days=rng.randint(0, (today - OPENED).days))
        receipt_id = await entered(lending, loan_id, f"{rng.choice((60, 900, 4080))}.27", on, serial)
        found = await registering(lending, receipt_id)
        confirm = repayment_registration.register(lending.lender.accountant, receipt_id=receipt_id)
        await comes_true(lending, loan_id, found, confirm, OPENED)
        receipts.append(receipt_id)
        if serial % 2:
            await reversal_comes_true(lending, loan_id, receipts.pop(rng.randrange(len(receipts))))
    assert await proved(lending) == []


async def reversal_comes_true(lending: Lending, loan_id: UUID, receipt_id: UUID) -> None:
    people = lending.lender
    asked: dict[str, Any] = {"receipt_id": receipt_id, "comment": "重复入账"}
    request = await preview.of_request(people.accountant, repayment_registration.request_reversal, **asked)
    await repayment_registration.request_reversal(people.accountant, **asked)
    task_id = await the_task(lending, people.second_accountant, receipt_id)
    said: dict[str, Any] = {"task_id": task_id, "decision": Decision.APPROVE, "opinion": "同意"}
    found = await preview.of_decision(people.second_accountant, decision.decide, **said)
    assert (request.final, found.final) == (False, True)
    assert lines_of(request) == lines_of(found)
    assert list(request.loans[0].comparison.days()) == list(found.loans[0].comparison.days())
    await comes_true(lending, loan_id, found, decision.decide(people.second_accountant, **said), OPENED)


async def the_task(lending: Lending, person: Context, subject_id: UUID) -> UUID:
    task = pending_task.Task
    rows = await lending.lender.rows(task, task.subject_id == subject_id, task.state == "OPEN")
    (row,) = rows
    return UUID(str(row.id))


async def test_a_settling_receipt_tells_the_manager(lending: Lending, unchanged: Any) -> None:
    loan_id = await lending.pay_out(**E04)
    receipt_id = await entered(lending, loan_id, "20000.00", OPENED)
    async with lending.lender.system.reading() as ctx:
        entry = await receipt.preview(
            ctx, loan_id=loan_id, amount=Decimal("20000.00"), value_date=OPENED, prepayment=None
        )
    assert entry is not None
    found = await unchanged(registering(lending, receipt_id))
    assert found.messages == []
    await lending.close(date(2026, 4, 14))
    found = await unchanged(registering(lending, receipt_id))
    assert "lending.loan.settled" in found.announced
    (told,) = found.messages
    assert (told.recipient_id, told.title) == (lending.lender.account_manager.actor.id, "贷款已结清 Loan settled")
    await repayment_registration.register(lending.lender.accountant, receipt_id=receipt_id)
    assert [(row.recipient_id, row.title, row.body) for row in await lending.lender.rows(Message)] == [
        (told.recipient_id, told.title, told.body)
    ]


# ---------------------------------------------------------------- requests and decisions


async def test_a_waiver_shows_what_its_approval_would_do(lending: Lending, unchanged: Any) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 5, 9))
    people = lending.lender
    async with people.system.reading() as ctx:
        due = await figures.due(ctx, loan_id, Component.PENALTY)
    asked: dict[str, Any] = {"loan_id": loan_id, "component": WaiverComponent.PENALTY, "reason": "困难", "amount": due}
    request = await unchanged(preview.of_request(people.account_manager, interest_waiver.request, **asked))
    assert not request.final
    assert request.announced[-2:] == ["lending.loan.changed", "lending.interest_waiver.approved"]
    assert "lending.interest_waiver.requested" not in request.announced, "that is what asking does"
    assert [told.recipient_id for told in request.messages] == [people.account_manager.actor.id]
    assert request.loans[0].comparison.after.position_on(date(2026, 5, 10)).penalty == 0

    waiver = await interest_waiver.request(people.account_manager, **asked)
    decided = 0
    for person in (people.risk_officer, people.business_manager, people.general_manager):
        rows = await people.rows(pending_task.Task, pending_task.Task.subject_id == waiver.id)
        open_tasks = [row.id for row in rows if row.state == "OPEN"]
        if not open_tasks:
            break
        said: dict[str, Any] = {"task_id": open_tasks[0], "decision": Decision.APPROVE, "opinion": "同意"}
        try:
            found = await unchanged(preview.of_decision(person, decision.decide, **said))
        except Denied:
            continue  # not offered to this role: refused as the decision would be
        assert lines_of(found) == lines_of(request)
        decided += 1
        if found.final:
            await comes_true(lending, loan_id, found, decision.decide(person, **said), OPENED)
        else:
            await decision.decide(person, **said)
    (row,) = await people.rows(interest_waiver.InterestWaiver)
    assert (row.state, decided > 0, yuan(0) < row.amount) == ("APPROVED", True, True)


async def test_refusing_changes_nothing(lending: Lending, unchanged: Any) -> None:
    loan_id = await lending.pay_out(**E04)
    people = lending.lender
    receipt_id = await entered(lending, loan_id, "100.00", OPENED)
    await repayment_registration.register(people.accountant, receipt_id=receipt_id)
    await repayment_registration.request_reversal(people.accountant, receipt_id=receipt_id)
    task_id = await the_task(lending, people.second_accountant, receipt_id)
    said: dict[str, Any] = {"task_id": task_id, "decision": Decision.REJECT, "opinion": "流水属实"}
    found = await unchanged(preview.of_decision(people.second_accountant, decision.decide, **said))
    assert (found.final, found.loans, found.vouchers) == (True, [], [])


# ---------------------------------------------------------------- refusals


async def test_what_would_be_refused_is_refused_and_leaves_no_trace(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    people = lending.lender
    receipt_id = await entered(lending, loan_id, "100.00", OPENED)
    before = await everything(lending)
    for person, refusal in ((people.cashier, Denied), (people.account_manager, Denied)):
        with pytest.raises(refusal):
            await preview.of_command(person, repayment_registration.register, receipt_id=receipt_id)
    with pytest.raises(InvalidState):
        await preview.of_request(people.accountant, repayment_registration.request_reversal, receipt_id=receipt_id)
    assert await everything(lending) == before, "not even a row of the guard log"


async def test_four_eyes_hold_in_a_preview(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    people = lending.lender
    receipt_id = await entered(lending, loan_id, "100.00", OPENED)
    await repayment_registration.register(people.accountant, receipt_id=receipt_id)
    await repayment_registration.request_reversal(people.accountant, receipt_id=receipt_id)
    task_id = await the_task(lending, people.second_accountant, receipt_id)
    with pytest.raises((SamePerson, Denied)):
        await preview.of_decision(
            people.accountant, decision.decide, task_id=task_id, decision=Decision.APPROVE, opinion="同意"
        )
    assert [row.type for row in await lending.events(loan_id)] == [EventType.PAYOUT, EventType.RECEIPT]


async def test_a_key_is_not_used_up(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    receipt_id = await entered(lending, loan_id, "100.00", OPENED)
    key: dict[str, Any] = {"receipt_id": receipt_id, "idempotency_key": "one"}
    accountant = lending.lender.accountant
    await preview.of_command(accountant, repayment_registration.register, **key)
    first = await repayment_registration.register(accountant, **key)
    assert (await repayment_registration.register(accountant, **key)).event_id == first.event_id
