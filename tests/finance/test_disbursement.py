"""出纳放款: reviewed by one, paid by another, whole, to the borrower, once (F15)."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from domain.configuration.company_account import AccountUse
from domain.customers import blacklist
from domain.finance import disbursement, payment
from domain.finance.disbursement import Disbursement, DisbursementState
from domain.finance.payment import BankOrder, BankOrderState, check_value_date, wait
from domain.home.pending_task import Task, TaskState
from domain.kernel.audit import GuardEntry
from domain.kernel.command import lock
from domain.kernel.job import Job
from domain.kernel.refusals import (
    ApprovalExpired,
    Blacklisted,
    ContractNotSigned,
    Denied,
    IdempotencyKeyReused,
    InsufficientAccountBalance,
    InvalidInput,
    InvalidState,
    NotFound,
    PayeeNotBorrower,
    SamePerson,
    UpfrontDeduction,
)
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.account import BANK, LOAN_NORMAL
from domain.lending import loan_contract
from domain.lending.loan import Loan
from domain.lending.loan_application import LoanApplication
from domain.lending.loan_contract import ContractState, LoanContract
from domain.post_loan import customer_account
from domain.post_loan.customer_account import AccountPurpose
from gateways.bank.port import BankUnavailable, PaymentOrder, PaymentResult, PaymentStatus
from tests.support.actors import LenderAtWork, a_lender
from tests.support.customers import a_person, id_number
from tests.support.desk import a_bank, a_company_account, a_desk, a_key, a_slip
from tests.support.lending import prepared

TODAY = date(2025, 1, 1)


# ---------------------------------------------------------------- rules


def test_the_value_date_lies_between_signing_and_today():
    for day in (date(2025, 1, 1), date(2025, 1, 3)):
        check_value_date(day, date(2025, 1, 1), date(2025, 1, 3))
    for day, signed_on in ((date(2024, 12, 31), TODAY), (date(2025, 1, 4), TODAY), (TODAY, None)):
        with pytest.raises(InvalidInput):
            check_value_date(day, signed_on, date(2025, 1, 3))


def test_the_bank_is_asked_ever_more_seldom():
    waits = [wait(asked) for asked in range(1, 20)]
    assert waits[0] <= timedelta(seconds=1)
    assert waits == sorted(waits)
    assert wait(1000) == timedelta(minutes=1)


# ---------------------------------------------------------------- the way of the money


async def open_tasks(lender: LenderAtWork) -> list[str]:
    return [task.type for task in await lender.rows(Task, Task.state == TaskState.OPEN)]


async def balance(lender: LenderAtWork, account: str, sub: Any = None) -> D:
    async with lender.system.reading() as ctx:
        return await journal.balance(ctx, account, sub_id=sub)


async def test_the_loan_begins_when_the_bank_has_paid(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    assert await open_tasks(lender) == ["DISBURSEMENT_PAY"]
    async with a_bank(tmp_path) as bank:
        row = await desk.pay(bank)
        assert (row.state, await lender.rows(Loan)) == (DisbursementState.PAYING, [])
        assert await open_tasks(lender) == []
        (job,) = await lender.rows(Job, Job.handler == "finance.disbursement.settle")
        assert set(job.payload) == {"order_id"}, "personal data stays out of jobs"
        (order,) = await desk.settle(bank)
    paid = await desk.paid()
    assert (order.state, order.bank_reference) == (BankOrderState.PAID, "SIM0000000001")
    assert (paid.state, paid.value_date, paid.bank_reference) == (DisbursementState.PAID, TODAY, "SIM0000000001")
    (loan,) = await lender.rows(Loan)
    assert (loan.id, loan.principal, loan.value_date) == (paid.loan_id, D("100000.00"), TODAY)
    assert loan.maturity_date == date(2026, 1, 1)
    assert await balance(lender, BANK, desk.account.id) == D("9900000.00")
    assert await balance(lender, LOAN_NORMAL) == D("100000.00")


async def test_the_bank_gets_the_order_as_it_was_checked(lender: LenderAtWork):
    bank = Scripted([PaymentStatus.PROCESSING, PaymentStatus.PAID])
    desk = await a_desk(lender)
    await desk.pay(bank)
    await desk.settle(bank)
    (order,) = bank.orders
    (row,) = await lender.rows(BankOrder)
    assert order.reference == str(row.id)
    assert (order.amount, order.value_date) == (D("100000.00"), TODAY)
    assert (order.payer_account, order.payee_account, order.payee_name) == (
        "110000000001",
        "6217000000000000012",
        "张三1",
    )


async def test_a_failed_payment_begins_anew_with_its_reason(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender, amount=D("100000.13"))
    async with a_bank(tmp_path) as bank:
        await desk.pay(bank)
        await desk.settle(bank)
        back = await desk.paid()
        assert (back.state, back.loan_id, back.reviewer_id) == (DisbursementState.PENDING, None, None)
        assert "closed" in back.failure
        assert await open_tasks(lender) == ["DISBURSEMENT_REVIEW"]
        assert await balance(lender, BANK, desk.account.id) == D("10000000.00")
        await disbursement.review(lender.accountant, disbursement_id=back.id)
        again = await desk.pay(bank)
        assert (again.state, again.failure) == (DisbursementState.PAYING, None)
    assert len(await lender.rows(BankOrder)) == 2


@pytest.mark.parametrize("cents", ["14", "15", "16"])
async def test_lost_and_old_answers_pay_once(lender: LenderAtWork, tmp_path: Path, cents: str):
    """.14: taken, the answer is lost; .15: not taken the first time; .16: old answers come before the true one."""
    desk = await a_desk(lender, amount=D(f"100000.{cents}"))
    async with a_bank(tmp_path) as bank:
        await desk.pay(bank)
        (order,) = await desk.settle(bank)
    assert (order.state, (await desk.paid()).state) == (BankOrderState.PAID, DisbursementState.PAID)
    assert order.bank_reference == "SIM0000000001"
    assert len(await lender.rows(Loan)) == 1


class Scripted:
    """A bank that answers as it is told; None: it does not answer. It notes every order that it was handed."""

    def __init__(self, answers: list[PaymentStatus | None]) -> None:
        self.answers, self.orders, self.calls = answers, [], []

    async def pay(self, order: PaymentOrder) -> PaymentResult:
        self.calls.append("pay")
        self.orders.append(order)
        return self._next(order.reference)

    async def query(self, reference: str) -> PaymentResult | None:
        self.calls.append("query")
        return self._next(reference) if self.orders else None

    def _next(self, reference: str) -> PaymentResult:
        status = self.answers.pop(0)
        if status is None:
            raise BankUnavailable("time-out")
        return PaymentResult(reference=reference, status=status, bank_reference="B-1", reason="no")


async def test_an_unknown_order_is_asked_about_before_anything_else(lender: LenderAtWork):
    desk = await a_desk(lender)
    bank = Scripted([None, None, PaymentStatus.PROCESSING, PaymentStatus.PAID])
    await desk.pay(bank)
    (order,) = await lender.rows(BankOrder)
    system = desk.with_bank(lender.system, bank)
    states = []
    for _ in range(4):
        await payment.settle(system, {"order_id": str(order.id)})
        states += [row.state for row in await lender.rows(BankOrder)]
    assert states == [
        BankOrderState.UNKNOWN,
        BankOrderState.UNKNOWN,
        BankOrderState.PROCESSING,
        BankOrderState.PAID,
    ]
    assert bank.calls == ["query", "pay", "query", "query", "query"]


async def test_late_and_repeated_answers_change_nothing(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        await desk.pay(bank)
        (order,) = await desk.settle(bank)
    for status in PaymentStatus:
        result = PaymentResult(reference=str(order.id), status=status, reason="late")
        await payment.answer(lender.system, order_id=order.id, result=result)
    assert (await desk.paid()).state is DisbursementState.PAID
    assert len(await lender.rows(Loan)) == 1


async def test_two_workers_with_one_order_make_one_loan(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        await desk.pay(bank)
        (order,) = await lender.rows(BankOrder)
        system = desk.with_bank(lender.system, bank)
        for _ in range(3):
            await asyncio.gather(*(payment.settle(system, {"order_id": str(order.id)}) for _ in range(3)))
    assert len(await lender.rows(Loan)) == 1
    assert await balance(lender, BANK, desk.account.id) == D("9900000.00")


# ---------------------------------------------------------------- refused


async def refused(lender: LenderAtWork, code: str) -> bool:
    return code in {row.code for row in await lender.rows(GuardEntry)}


async def test_nothing_is_deducted_and_nothing_added(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        for amount in ("90000.00", "100000.01"):
            with pytest.raises(UpfrontDeduction) as caught:
                await desk.pay(bank, amount=D(amount))
            assert caught.value.params == {"amount": "100000.00", "paid": amount}
    assert await refused(lender, "UPFRONT_DEDUCTION")
    assert (await desk.paid()).state is DisbursementState.REVIEWED


async def test_only_the_borrower_is_paid(lender: LenderAtWork, tmp_path: Path):
    desk, manager = await a_desk(lender), lender.account_manager
    other = await a_person(manager, 2)
    cards = {
        "another's name": (desk.card.customer_id, "李四", "6217000000000000020"),
        "another customer": (other.id, "张三1", "6217000000000000020"),
    }
    async with a_bank(tmp_path) as bank:
        for customer_id, holder, number in cards.values():
            card = await customer_account.create(
                manager,
                customer_id=customer_id,
                holder=holder,
                account_number=number,
                bank="测试银行",
                purposes=[AccountPurpose.DISBURSEMENT],
            )
            with pytest.raises(PayeeNotBorrower):
                await desk.pay(bank, customer_account_id=card.id)
        for_repaying = await customer_account.create(
            manager,
            customer_id=desk.card.customer_id,
            holder="张三1",
            account_number="6217000000000000038",
            bank="测试银行",
            purposes=[AccountPurpose.REPAYMENT],
        )
        with pytest.raises(InvalidInput):
            await desk.pay(bank, customer_account_id=for_repaying.id)
        with pytest.raises(NotFound):
            await desk.pay(bank, customer_account_id=uuid7())


async def test_the_account_must_be_for_paying_out_and_hold_enough(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    collecting = await a_company_account(lender, "110000000002", uses=(AccountUse.COLLECT,))
    poor = await a_company_account(lender, "110000000003", opening_balance=D("99999.99"))
    async with a_bank(tmp_path) as bank:
        with pytest.raises(InvalidInput):
            await desk.pay(bank, company_account_id=collecting.id)
        with pytest.raises(InsufficientAccountBalance) as caught:
            await desk.pay(bank, company_account_id=poor.id)
    assert caught.value.params == {"balance": "99999.99", "amount": "100000.00"}


async def test_money_under_way_is_spoken_for(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    just_enough = await a_company_account(lender, "110000000004", opening_balance=D("150000.00"))
    async with a_bank(tmp_path) as bank:
        await desk.pay(bank, company_account_id=just_enough.id)
        async with lender.system.writing() as ctx:
            with pytest.raises(InsufficientAccountBalance) as caught:
                await payment.payer(ctx, just_enough.id, D("50000.01"))
    assert caught.value.params["balance"] == "50000.00"


async def test_states_and_roles(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        for person in (lender.accountant, lender.account_manager, lender.tenant_admin, lender.auditor):
            with pytest.raises(Denied):
                await payment.pay(desk.with_bank(person, bank), **desk.order, idempotency_key=a_key())
        for person in (lender.cashier, lender.account_manager, lender.business_manager):
            with pytest.raises(Denied):
                await disbursement.review(person, disbursement_id=desk.pay_out.id)
        with pytest.raises(InvalidState):
            await disbursement.review(lender.accountant, disbursement_id=desk.pay_out.id)
        await desk.pay(bank)
        with pytest.raises(InvalidState):
            await desk.pay(bank)
        with pytest.raises(InvalidState):
            await disbursement.cancel(lender.accountant, disbursement_id=desk.pay_out.id)


async def test_the_same_person_does_not_review_and_pay(lender: LenderAtWork, tmp_path: Path):
    """Even if his roles changed in between: four eyes is by person."""
    desk = await a_desk(lender)
    async with lender.system.writing() as ctx:
        (await lock(ctx, Disbursement, desk.pay_out.id)).reviewer_id = lender.cashier.actor.id
    async with a_bank(tmp_path) as bank:
        with pytest.raises(SamePerson):
            await desk.pay(bank)


async def test_before_the_signing_there_is_nothing_to_review(lender: LenderAtWork):
    await prepared(lender)
    (row,) = await lender.rows(Disbursement)
    assert row.state is DisbursementState.PENDING
    with pytest.raises(ContractNotSigned):
        await disbursement.review(lender.accountant, disbursement_id=row.id)


async def test_the_guards_are_checked_again_at_the_pay_out(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        async with lender.system.writing() as ctx:
            (application,) = await lender.rows(LoanApplication)
            (await lock(ctx, LoanApplication, application.id)).approved_valid_until = date(2024, 12, 31)
        with pytest.raises(ApprovalExpired):
            await desk.pay(bank)
        async with lender.system.writing() as ctx:
            (await lock(ctx, LoanApplication, application.id)).approved_valid_until = date(2025, 12, 31)
        await blacklist.add(lender.risk_officer, name="张三1", id_number=id_number(1), reason="失信")
        with pytest.raises(Blacklisted):
            await desk.pay(bank)
    assert await lender.rows(BankOrder) == []


async def test_cancelling_ends_the_contract(lender: LenderAtWork):
    desk = await a_desk(lender)
    row = await disbursement.cancel(lender.accountant, disbursement_id=desk.pay_out.id, comment="客户放弃")
    (contract,) = await lender.rows(LoanContract)
    assert (row.state, contract.state) == (DisbursementState.CANCELLED, ContractState.TERMINATED)
    assert await open_tasks(lender) == []


async def test_a_signing_at_the_same_time_leaves_no_task_behind(lender: LenderAtWork):
    contract = await prepared(lender)
    await loan_contract.acknowledge_cost_sheet(lender.account_manager, contract_id=contract.id)
    (pay_out,) = await lender.rows(Disbursement)
    async with lender.system.writing() as ctx:
        await lock(ctx, LoanContract, contract.id)
        cancelling = asyncio.create_task(disbursement.cancel(lender.accountant, disbursement_id=pay_out.id))
        await asyncio.sleep(0.3)  # it waits for the contract
        await loan_contract.sign(ctx, contract_id=contract.id, signed_on=TODAY, way=loan_contract.SigningWay.PAPER)
    assert (await cancelling).state is DisbursementState.CANCELLED
    (ended,) = await lender.rows(LoanContract)
    assert (ended.state, await open_tasks(lender)) == (ContractState.TERMINATED, [])


async def test_a_foreign_lender_finds_nothing(lender: LenderAtWork, place: Any, ports: Any, blueprint: Any):
    desk = await a_desk(lender)
    other = await a_lender(place, ports, blueprint)
    with pytest.raises(NotFound):
        await payment.pay(other.cashier, **desk.order, idempotency_key=a_key())
    with pytest.raises(NotFound):
        await disbursement.review(other.accountant, disbursement_id=desk.pay_out.id)


# ---------------------------------------------------------------- once


async def test_the_same_key_pays_once(lender: LenderAtWork, tmp_path: Path):
    desk, key = await a_desk(lender), a_key()
    async with a_bank(tmp_path) as bank:
        rows = await asyncio.gather(*(desk.pay(bank, idempotency_key=key) for _ in range(20)))
        assert {(row.id, row.state) for row in rows} == {(desk.pay_out.id, DisbursementState.PAYING)}
        with pytest.raises(IdempotencyKeyReused):
            await desk.pay(bank, idempotency_key=key, amount=D("99999.00"))
        await desk.settle(bank)
    assert len(await lender.rows(BankOrder)) == len(await lender.rows(Loan)) == 1


async def test_twenty_keys_at_once_pay_once(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        results = await asyncio.gather(*(desk.pay(bank) for _ in range(20)), return_exceptions=True)
        await desk.settle(bank)
    assert sum(isinstance(result, Disbursement) for result in results) == 1
    assert sum(isinstance(result, InvalidState) for result in results) == 19
    assert await balance(lender, BANK, desk.account.id) == D("9900000.00")


# ---------------------------------------------------------------- by hand


async def test_without_a_bank_link_a_slip_and_a_second_person(lender: LenderAtWork):
    desk = await a_desk(lender)
    with pytest.raises(InvalidInput):
        await desk.pay(None)
    await desk.pay(None, slip_ids=[await a_slip(lender)])
    assert await open_tasks(lender) == ["DISBURSEMENT_CONFIRM"]
    with pytest.raises(Denied):
        await payment.confirm(lender.cashier, disbursement_id=desk.pay_out.id)
    row = await payment.confirm(lender.second_accountant, disbursement_id=desk.pay_out.id)
    assert row.state is DisbursementState.PAID
    assert await open_tasks(lender) == []
    assert len(await lender.rows(Loan)) == 1
    with pytest.raises(InvalidState):
        await payment.confirm(lender.second_accountant, disbursement_id=desk.pay_out.id)


async def test_a_payment_by_hand_that_never_left_begins_anew(lender: LenderAtWork):
    desk = await a_desk(lender)
    await desk.pay(None, slip_ids=[await a_slip(lender)])
    with pytest.raises(InvalidInput):
        await payment.confirm(lender.accountant, disbursement_id=desk.pay_out.id, paid=False)
    row = await payment.confirm(lender.accountant, disbursement_id=desk.pay_out.id, paid=False, comment="账号有误")
    assert (row.state, row.failure) == (DisbursementState.PENDING, "账号有误")
    assert await lender.rows(Loan) == []


async def test_what_the_bank_does_is_not_confirmed_by_hand(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        await desk.pay(bank)
        with pytest.raises(InvalidState):
            await payment.confirm(lender.accountant, disbursement_id=desk.pay_out.id)
