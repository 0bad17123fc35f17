"""出纳退款: what a receipt has left goes back to who paid it, once, and only what nobody else has a claim to (F18)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal as D
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from domain.calculation.loan.events import PrepaymentMode
from domain.configuration.company_account import AccountUse
from domain.finance import kept_money, receipt, refund, refund_payment, repayment_registration
from domain.finance.receipt import Receipt, ReceiptMethod, ReceiptState
from domain.finance.refund import Refund, RefundReason, RefundState, Wish, check_amount, check_payee
from domain.home.message import Message
from domain.home.pending_task import Task, TaskState
from domain.kernel.context import Context
from domain.kernel.job import Job, JobState
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    ArrearsExist,
    BadInput,
    Denied,
    IdempotencyKeyReused,
    InsufficientAccountBalance,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    PayeeNotBorrower,
    RefundExceedsBalance,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.account import BANK, KEPT_MONEY
from domain.ledger.journal import Voucher
from domain.ledger.proof import differences
from domain.lending.loan import EventType, Loan, LoanEventRow, LoanState
from domain.lending.loan.tables import AllocationRow
from domain.post_loan import customer_account
from domain.post_loan.customer_account import AccountPurpose, CustomerAccount
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from gateways.bank.port import PaymentResult, PaymentStatus
from tests.support import desk
from tests.support.actors import LenderAtWork, a_lender
from tests.support.customers import CARD
from tests.support.desk import a_bank, a_company_account, a_key, a_slip
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at

TODAY = date(2025, 1, 1)
A_MONTH_AGO = date(2024, 12, 1)
"""A loan of this value date has its first installment of 8,884.88 due today."""
PAYER = "张三1"


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


@dataclass
class Kept:
    """A loan on which 9,000.00 came in for an installment of 8,884.88: 115.12 of it are kept."""

    lending: Lending
    loan_id: UUID
    customer_id: UUID
    receipt: Receipt

    @property
    def lender(self) -> LenderAtWork:
        return self.lending.lender

    async def ask(self, by: Context | None = None, **wish: Any) -> Refund:
        given = {"amount": D("115.12")} | wish
        return await refund.request(by or self.lender.account_manager, receipt_id=self.receipt.id, wish=Wish(**given))

    async def approved(self, **wish: Any) -> Refund:
        asked = await self.ask(**wish)
        await decide(self.lender.business_manager, asked.id)
        return await self.row(asked.id)

    async def row(self, key: UUID) -> Any:
        (found,) = await self.lender.rows(Refund, Refund.id == key)
        return found

    async def pay(self, key: UUID, bank: Any = None, by: Context | None = None, **changes: Any) -> Refund:
        cashier = linked(by or self.lender.cashier, bank)
        given = {"company_account_id": self.lending.account_id, "idempotency_key": a_key()} | changes
        return await refund_payment.pay(cashier, refund_id=key, **given)

    async def settle(self, key: UUID, bank: Any) -> Any:
        """The job behind it, until the bank has said what became of it."""
        for _ in range(10):
            if await refund_payment.settle(linked(self.lender.system, bank), {"refund_id": str(key)}) is None:
                break
        return await self.row(key)

    async def left(self) -> tuple[D, D]:
        """What is kept of the receipt, and what of it may be asked back."""
        async with self.lender.system.reading() as ctx:
            kept = await kept_money.unapplied(ctx, [self.receipt.id])
            free = await kept_money.refundable(ctx, [self.receipt.id])
            return kept[self.receipt.id], free[self.receipt.id]


def linked(person: Context, bank: Any) -> Context:
    return replace(person, ports=replace(person.ports, bank=bank))


async def a_card(lender: LenderAtWork, customer_id: UUID, holder: str = PAYER, **changes: Any) -> CustomerAccount:
    given = {"account_number": CARD, "bank": "测试银行", "purposes": [AccountPurpose.REPAYMENT]} | changes
    return await customer_account.create(lender.account_manager, customer_id=customer_id, holder=holder, **given)


@pytest.fixture
async def kept(lending: Lending) -> Kept:
    loan_id = await lending.pay_out(value_date=A_MONTH_AGO)
    customer_id = (await lending.loan(loan_id)).customer_id
    await a_card(lending.lender, customer_id)
    came = await desk.receive(lending.lender, loan_id, lending.account_id, "9000.00", TODAY, payer_name=PAYER)
    return Kept(lending, loan_id, customer_id, came)


async def balance(lender: LenderAtWork, account: str, sub: UUID | None = None) -> D:
    async with lender.system.reading() as ctx:
        return await journal.balance(ctx, account, sub_id=sub)


async def proved(lender: LenderAtWork) -> list[str]:
    async with lender.system.reading() as ctx:
        return [str(found) for found in await differences(ctx)]


async def open_tasks(lender: LenderAtWork) -> list[str]:
    return [task.type for task in await lender.rows(Task, Task.state == TaskState.OPEN)]


async def counts(lender: LenderAtWork) -> tuple[int, ...]:
    """How much there is of what a refund writes."""
    return tuple([len(await lender.rows(table)) for table in (Refund, Voucher, LoanEventRow, Receipt, Job)])


# ---------------------------------------------------------------- rules


def test_at_most_what_is_left():
    check_amount("amount", D("115.12"), D("115.12"))
    with pytest.raises(RefundExceedsBalance) as refused:
        check_amount("amount", D("115.13"), D("115.12"))
    assert refused.value.params == {"asked": "115.13", "balance": "115.12"}
    for nothing in ("0.00", "-0.01"):
        with pytest.raises(InvalidAmount):
            check_amount("amount", D(nothing), D("115.12"))


def test_the_payee_is_who_paid():
    ours = uuid7()
    card = CustomerAccount(customer_id=ours, holder="张 三1", purposes=["REPAYMENT"])
    check_payee(card, ours, PAYER)
    for account, owner, payer in ((card, uuid7(), PAYER), (card, ours, "张三2")):
        with pytest.raises(PayeeNotBorrower):
            check_payee(account, owner, payer)
    with pytest.raises(InvalidInput):
        check_payee(CustomerAccount(customer_id=ours, holder=PAYER, purposes=["DISBURSEMENT"]), ours, PAYER)


# ---------------------------------------------------------------- asked for


async def test_what_the_receipt_left_is_refundable_and_not_a_fen_more(kept: Kept):
    assert await kept.left() == (D("115.12"), D("115.12"))
    before = await counts(kept.lender)
    with pytest.raises(RefundExceedsBalance) as refused:
        await kept.ask(amount=D("115.13"))
    assert refused.value.params == {"asked": "115.13", "balance": "115.12"}
    assert await counts(kept.lender) == before
    asked = await kept.ask(reason=RefundReason.DOUBLE_PAYMENT, note="多付")
    assert (asked.number, asked.state, asked.amount) == ("TK-2025-0001", RefundState.PENDING, D("115.12"))
    assert await kept.left() == (D("115.12"), D("0.00")), "kept still, and spoken for"
    assert await open_tasks(kept.lender) == ["APPROVAL"]
    with pytest.raises(RefundExceedsBalance):
        await kept.ask(amount=D("0.01"))


async def test_two_at_once_cannot_exceed_it(kept: Kept):
    wishes = [kept.ask(amount=D("60.00")), kept.ask(kept.lender.cashier, amount=D("60.00"))]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Refund", "RefundExceedsBalance"]
    assert await kept.left() == (D("115.12"), D("55.12"))


async def test_many_at_once_get_what_there_is(kept: Kept):
    wishes = [kept.ask(amount=D("30.00")) for _ in range(6)]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    granted = [answer for answer in answers if isinstance(answer, Refund)]
    assert {type(answer) for answer in answers} == {Refund, RefundExceedsBalance}
    assert len(granted) == 3, "3 x 30.00, and 25.12 are left"
    assert len({row.number for row in granted}) == 3


async def test_only_posted_receipts_with_money_left_are_offered(kept: Kept):
    lender, lending = kept.lender, kept.lending
    waiting = await desk.enter(lender, kept.loan_id, lending.account_id, "500.00", TODAY, payer_name=PAYER)
    with pytest.raises(InvalidState):
        await refund.request(lender.cashier, receipt_id=waiting.id, wish=Wish(amount=D("1.00")))
    used = await lending.pay_out(value_date=A_MONTH_AGO)
    await desk.receive(lender, used, lending.account_id, "8884.88", TODAY)
    async with lender.account_manager.reading() as ctx:
        page = await kept_money.refundable_receipts(ctx, columns=[Receipt.__table__.c.id], window=Window())
    assert [row.id for row in page.rows] == [kept.receipt.id]
    await kept.ask()
    async with lender.account_manager.reading() as ctx:
        page = await kept_money.refundable_receipts(ctx, columns=[Receipt.__table__.c.id], window=Window())
    assert page.rows == []


async def test_the_payers_account_is_found_or_named(kept: Kept):
    lender, before = kept.lender, await counts(kept.lender)
    other = await a_card(lender, kept.customer_id, "王五", account_number="6217000000000000004")
    with pytest.raises(PayeeNotBorrower):
        await kept.ask(customer_account_id=other.id)
    for_pay_outs = await a_card(
        lender, kept.customer_id, account_number="6217000000000000020", purposes=[AccountPurpose.DISBURSEMENT]
    )
    with pytest.raises(InvalidInput):
        await kept.ask(customer_account_id=for_pay_outs.id)
    with pytest.raises(NotFound):
        await kept.ask(customer_account_id=uuid7())
    assert await counts(lender) == before
    for_refunds = await a_card(
        lender, kept.customer_id, account_number="6217000000000000038", purposes=[AccountPurpose.REFUND]
    )
    assert (await kept.ask()).customer_account_id == for_refunds.id


async def test_a_payer_without_account_cannot_be_refunded(kept: Kept):
    mother = await desk.receive(
        kept.lender, kept.loan_id, kept.lending.account_id, "20.00", TODAY, payer_name="李梅"
    )  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        await refund.request(kept.lender.cashier, receipt_id=mother.id, wish=Wish(amount=D("20.00")))
    assert refused.value.params == {"payer": "李梅"}
    await a_card(kept.lender, kept.customer_id, "李梅", account_number="6217000000000000004")
    asked = await refund.request(kept.lender.cashier, receipt_id=mother.id, wish=Wish(amount=D("20.00")))
    assert asked.state is RefundState.PENDING


async def test_the_same_key_asks_once(kept: Kept):
    async def ask(amount: str) -> Refund:
        return await refund.request(
            kept.lender.cashier, receipt_id=kept.receipt.id, wish=Wish(amount=D(amount)), idempotency_key="once"
        )

    first, again = await asyncio.gather(ask("50.00"), ask("50.00"))
    assert first.id == again.id
    with pytest.raises(IdempotencyKeyReused):
        await ask("50.01")
    assert len(await kept.lender.rows(Refund)) == 1


# ---------------------------------------------------------------- decided


async def test_rejected_or_cancelled_money_is_free_again(kept: Kept):
    asked = await kept.ask()
    await decide(kept.lender.business_manager, asked.id, Decision.REJECT, opinion="客户要求抵下期")
    assert ((await kept.row(asked.id)).state, await kept.left()) == (RefundState.REJECTED, (D("115.12"), D("115.12")))
    approved = await kept.approved()
    assert await open_tasks(kept.lender) == ["REFUND_PAY"]
    gone = await refund.cancel(kept.lender.cashier, refund_id=approved.id, comment="客户改主意")
    assert (gone.state, await open_tasks(kept.lender)) == (RefundState.CANCELLED, [])
    waiting = await kept.ask()
    await refund.cancel(kept.lender.account_manager, refund_id=waiting.id)
    assert (await open_tasks(kept.lender), await kept.left()) == ([], (D("115.12"), D("115.12")))
    with pytest.raises(InvalidState):
        await refund.cancel(kept.lender.cashier, refund_id=waiting.id)


async def test_approvers_may_lower_the_amount(kept: Kept):
    asked = await kept.ask()
    await decide(kept.lender.business_manager, asked.id, terms=ApprovedTerms(amount=D("100.00")))
    row = await kept.row(asked.id)
    assert (row.state, row.amount, row.decided_by) == (
        RefundState.APPROVED, D("100.00"), kept.lender.business_manager.actor.id,
    )  # fmt: skip
    assert await kept.left() == (D("115.12"), D("15.12"))


async def test_who_asked_does_not_approve(kept: Kept):
    asked = await kept.ask(kept.lender.accountant)
    with pytest.raises(SamePerson):
        await decide(kept.lender.accountant, asked.id)
    await decide(kept.lender.second_accountant, asked.id)
    assert (await kept.row(asked.id)).state is RefundState.APPROVED


async def test_from_the_configured_amount_on_one_more_approves(kept: Kept):
    async def granted_by(amount: str, *people: Context) -> list[Any]:
        more = await desk.receive(
            kept.lender, kept.loan_id, kept.lending.account_id, amount, TODAY, payer_name=PAYER
        )  # fmt: skip
        asked = await refund.request(kept.lender.cashier, receipt_id=more.id, wish=Wish(amount=D(amount)))
        states = []
        for person in people:
            await decide(person, asked.id)
            states.append((await kept.row(asked.id)).state)
        return states

    lender = kept.lender
    assert await granted_by("9999.99", lender.business_manager) == [RefundState.APPROVED]
    both = (lender.business_manager, lender.general_manager)
    assert await granted_by("10000.00", *both) == [RefundState.PENDING, RefundState.APPROVED]


async def test_another_lenders_flow_is_his_own_and_running_refunds_keep_theirs(
    kept: Kept, place: Any, ports: Any, blueprint: Any
):
    running = await kept.ask(amount=D("15.12"))
    nodes = [
        {"code": "RISK", "name": "风控", "roles": ["RISK_OFFICER"]},
        {"code": "BOSS", "name": "总经理", "roles": ["GENERAL_MANAGER"],
         "when": {"field": "amount", "operator": "GE", "value": "50.00"}},
    ]  # fmt: skip
    await definition.publish(kept.lender.tenant_admin, code="REFUND", purpose="REFUND", name="两级退款", nodes=nodes)
    await decide(kept.lender.business_manager, running.id)
    assert (await kept.row(running.id)).state is RefundState.APPROVED
    small, large = await kept.ask(amount=D("49.99")), await kept.ask(amount=D("50.00"))
    for asked in (small, large):
        await decide(kept.lender.risk_officer, asked.id)
    assert [(await kept.row(asked.id)).state for asked in (small, large)] == [RefundState.APPROVED, RefundState.PENDING]
    other = await a_lender(place, ports, blueprint)
    async with other.system.reading() as ctx:
        assert (await definition.latest(ctx, [definition.WorkflowDefinition.__table__.c.version])) != []
    with pytest.raises(NotFound):
        await refund.request(other.cashier, receipt_id=kept.receipt.id, wish=Wish(amount=D("1.00")))
    with pytest.raises(NotFound):
        await refund_payment.pay(
            other.cashier, refund_id=running.id, company_account_id=kept.lending.account_id, idempotency_key="x"
        )


# ---------------------------------------------------------------- paid


async def test_the_bank_pays_it_back_once(kept: Kept, tmp_path: Path):
    lender, account = kept.lender, kept.lending.account_id
    bank_before = await balance(lender, BANK, account)
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        paying = await kept.pay(approved.id, bank)
        assert (paying.state, paying.value_date) == (RefundState.PAYING, TODAY)
        (job,) = await lender.rows(Job, Job.handler == "finance.refund.settle")
        assert set(job.payload) == {"refund_id"}, "personal data stays out of jobs"
        paid = await kept.settle(approved.id, bank)
    assert (paid.state, paid.bank_reference, paid.offset_amount) == (RefundState.PAID, "SIM0000000001", D("0.00"))
    assert await kept.left() == (D("0.00"), D("0.00"))
    assert await balance(lender, BANK, account) == bank_before - D("115.12")
    assert await balance(lender, KEPT_MONEY) == 0
    (event,) = await lender.rows(LoanEventRow, LoanEventRow.type == EventType.REFUND)
    assert event.payload == {
        "amount": "115.12", "receipt_event_id": str(kept.receipt.event_id), "refund_id": str(approved.id),
    }  # fmt: skip
    assert event.actor_id == lender.cashier.actor.id
    assert await proved(lender) == []
    for status in PaymentStatus:  # late and repeated answers
        late = PaymentResult(reference=str(paid.id), status=status, reason="late")
        await refund_payment.answer(lender.system, refund_id=paid.id, result=late)
    assert (await kept.row(paid.id)).state is RefundState.PAID
    with pytest.raises(RefundExceedsBalance):
        await kept.ask(amount=D("0.01"))


@pytest.mark.parametrize("cents", ["14", "15", "16"])
async def test_lost_and_old_answers_pay_once(kept: Kept, tmp_path: Path, cents: str):
    """.14: taken, the answer is lost; .15: not taken the first time; .16: old answers come before the true one."""
    before = await balance(kept.lender, BANK)
    approved = await kept.approved(amount=D(f"100.{cents}"))
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
        paid = await kept.settle(approved.id, bank)
    assert (paid.state, paid.bank_reference) == (RefundState.PAID, "SIM0000000001")
    assert await balance(kept.lender, BANK) == before - D(f"100.{cents}")


async def test_a_payment_that_fails_is_kept_again_and_may_be_asked_for_anew(kept: Kept, tmp_path: Path):
    before = await balance(kept.lender, BANK)
    approved = await kept.approved(amount=D("100.13"))
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
        assert await kept.left() == (D("14.99"), D("14.99")), "nothing else can take it while it is under way"
        failed = await kept.settle(approved.id, bank)
        assert (failed.state, "closed" in failed.failure) == (RefundState.FAILED, True)
        assert await kept.left() == (D("115.12"), D("115.12"))
        assert (await balance(kept.lender, BANK), await proved(kept.lender)) == (before, [])
        reversal = (await kept.lending.events(kept.loan_id))[-1]
        assert (reversal.type, reversal.actor_id) == (EventType.REVERSAL, kept.lender.cashier.actor.id)
        with pytest.raises(InvalidState):
            await kept.pay(approved.id, bank)
        again = await kept.approved(amount=D("100.00"))
        await kept.pay(again.id, bank)
        assert (await kept.settle(again.id, bank)).state is RefundState.PAID


async def test_money_that_fails_to_leave_for_a_month_has_paid_the_installment_meanwhile(kept: Kept, tmp_path: Path):
    """Installment 2 is 8,884.88, due on 2025-02-01: kept money pays its interest of 921.15 on that day after all."""
    approved = await kept.approved(amount=D("100.13"))
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
        await kept.lending.close(date(2025, 1, 31))
        assert [line.amount for line in await _paid_on(kept, 2)] == [D("14.99")]
        await kept.settle(approved.id, bank)
    assert [line.amount for line in await _paid_on(kept, 2)] == [D("115.12")]
    assert (await kept.left(), await proved(kept.lender)) == ((D("0.00"), D("0.00")), [])


async def _paid_on(kept: Kept, seq: int) -> Sequence[Any]:
    return await kept.lender.rows(
        AllocationRow, AllocationRow.event_id == kept.receipt.event_id, AllocationRow.seq == seq
    )


async def test_a_bank_that_was_given_up_on_is_asked_again(kept: Kept, tmp_path: Path):
    lender = kept.lender
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
        with pytest.raises(InvalidState):
            await refund_payment.ask_bank_again(lender.cashier, refund_id=approved.id)
        async with lender.system.writing() as ctx:
            await ctx.connection.execute(
                update(Job).where(Job.handler == "finance.refund.settle").values(state=JobState.FAILED)
            )
        again = await refund_payment.ask_bank_again(lender.cashier, refund_id=approved.id)
        (waiting,) = await lender.rows(Job, Job.handler == "finance.refund.settle")
        assert (again.state, waiting.state, waiting.attempts) == (RefundState.PAYING, JobState.WAITING, 0)
        assert (await kept.settle(approved.id, bank)).state is RefundState.PAID
    with pytest.raises(InvalidState):
        await refund_payment.ask_bank_again(lender.cashier, refund_id=approved.id)


async def test_who_asked_hears_of_it(kept: Kept, tmp_path: Path):
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
        await kept.settle(approved.id, bank)
    told = await kept.lender.rows(Message, Message.recipient_id == kept.lender.account_manager.actor.id)
    assert [(message.title, message.body) for message in told] == [
        ("退款已批准 Refund approved", "TK-2025-0001，115.12 元"),
        ("已退款 Refund paid", "TK-2025-0001，115.12 元"),
    ]


async def test_by_hand_a_second_person_confirms(kept: Kept):
    lender = kept.lender
    approved = await kept.approved(amount=D("15.12"))
    before = await counts(lender)
    with pytest.raises(InvalidInput):
        await kept.pay(approved.id)
    assert await counts(lender) == before
    await kept.pay(approved.id, slip_ids=[await a_slip(lender)])
    assert await open_tasks(lender) == ["REFUND_CONFIRM"]
    with pytest.raises(Denied):
        await refund_payment.confirm(lender.cashier, refund_id=approved.id)
    row = await refund_payment.confirm(lender.second_accountant, refund_id=approved.id, comment="已核对")
    assert (row.state, row.comment, await open_tasks(lender)) == (RefundState.PAID, "已核对", [])
    with pytest.raises(InvalidState):
        await refund_payment.confirm(lender.second_accountant, refund_id=approved.id)
    another = await kept.approved(amount=D("100.00"))
    await kept.pay(another.id, slip_ids=[await a_slip(lender)])
    with pytest.raises(InvalidInput):
        await refund_payment.confirm(lender.accountant, refund_id=another.id, paid=False)
    failed = await refund_payment.confirm(lender.accountant, refund_id=another.id, paid=False, comment="户名不符")
    assert (failed.state, failed.failure) == (RefundState.FAILED, "户名不符")
    assert (await kept.left(), await proved(lender)) == ((D("100.00"), D("100.00")), [])


async def test_who_pays_neither_approved_nor_confirms(kept: Kept):
    lender = kept.lender
    more = {"finance.refund.pay", "finance.refund.confirm", "lending.attachment.upload"}
    both = replace(lender.business_manager.actor, permissions=lender.business_manager.actor.permissions | more)
    manager = replace(lender.business_manager, actor=both)
    approved = await kept.approved()
    with pytest.raises(SamePerson):
        await kept.pay(approved.id, by=manager)
    slip = await a_slip(lender)
    await kept.pay(approved.id, slip_ids=[slip])
    cashier = replace(lender.cashier, actor=replace(lender.cashier.actor, permissions=both.permissions))
    with pytest.raises(SamePerson):
        await refund_payment.confirm(cashier, refund_id=approved.id)


async def test_the_account_pays_out_and_holds_enough(kept: Kept, tmp_path: Path):
    lender = kept.lender
    approved = await kept.approved()
    poor = await a_company_account(lender, "110000000002", opening_balance=D("115.11"))
    collects = await a_company_account(lender, "110000000003", uses=(AccountUse.COLLECT,))
    before = await counts(lender)
    async with a_bank(tmp_path) as bank:
        with pytest.raises(InsufficientAccountBalance) as refused:
            await kept.pay(approved.id, bank, company_account_id=poor.id)
        assert refused.value.params == {"balance": "115.11", "amount": "115.12"}
        with pytest.raises(InvalidInput):
            await kept.pay(approved.id, bank, company_account_id=collects.id)
        assert (await counts(lender), (await kept.row(approved.id)).state) == (before, RefundState.APPROVED)


async def test_the_same_key_pays_once_and_other_keys_too(kept: Kept, tmp_path: Path):
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        tries = [kept.pay(approved.id, bank, idempotency_key="same") for _ in range(3)]
        tries += [kept.pay(approved.id, bank) for _ in range(3)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        kinds = {type(answer).__name__ for answer in answers}
        assert kinds <= {"Refund", "InvalidState"}
        await asyncio.gather(*(kept.settle(approved.id, bank) for _ in range(3)))
    assert len(await kept.lender.rows(LoanEventRow, LoanEventRow.type == EventType.REFUND)) == 1
    assert await balance(kept.lender, KEPT_MONEY) == 0


async def test_roles(kept: Kept):
    approved = await kept.approved()
    for person in ("accountant", "account_manager", "business_manager", "auditor"):
        with pytest.raises(Denied):
            await kept.pay(approved.id, by=getattr(kept.lender, person))
    for person in ("risk_officer", "auditor", "collector"):
        with pytest.raises(Denied):
            await kept.ask(getattr(kept.lender, person))
    with pytest.raises(NotFound):
        await kept.ask(kept.lender.second_account_manager)


# ---------------------------------------------------------------- other claims to the money


async def test_what_an_installment_took_meanwhile_is_not_paid_out(kept: Kept, tmp_path: Path):
    approved = await kept.approved()
    await kept.lending.close(date(2025, 1, 31))  # installment 2 falls due and takes it
    before = await counts(kept.lender)
    async with a_bank(tmp_path) as bank:
        with pytest.raises(RefundExceedsBalance) as refused:
            await kept.pay(approved.id, bank)
    assert refused.value.params == {"asked": "115.12", "balance": "0.00"}
    assert await counts(kept.lender) == before


async def test_a_receipt_whose_money_is_going_back_is_not_reversed(kept: Kept, tmp_path: Path):
    lender = kept.lender
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
        await repayment_registration.request_reversal(lender.accountant, receipt_id=kept.receipt.id)
        before = await counts(lender)
        with pytest.raises(RefundExceedsBalance):
            await decide(lender.general_manager, kept.receipt.id)
        assert await counts(lender) == before
        assert (await kept.settle(approved.id, bank)).state is RefundState.PAID


async def test_a_receipt_that_would_use_up_what_was_refunded_pays_nothing(kept: Kept, tmp_path: Path):
    """On the day before, 100.00 more prepaid would have taken the 115.12 too."""
    lender, lending = kept.lender, kept.lending
    await lending.close(TODAY)
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        await kept.pay(approved.id, bank)
    late = await desk.enter(
        lender, kept.loan_id, lending.account_id, "100.00", TODAY, prepayment=PrepaymentMode.REDUCE_INSTALLMENT
    )  # fmt: skip
    async with lender.system.reading() as ctx:
        assert (await receipt.allocations(ctx, [late.id]))[late.id] == receipt.Allocation((), D("100.00"))
        with pytest.raises(BadInput):
            await receipt.preview(
                ctx, loan_id=kept.loan_id, amount=D("100.00"), value_date=TODAY,
                prepayment=PrepaymentMode.REDUCE_INSTALLMENT,
            )  # fmt: skip
    with pytest.raises(RefundExceedsBalance):
        await repayment_registration.register(lender.accountant, receipt_id=late.id)


async def overdue_elsewhere(kept: Kept, amount: str = "1000.00", rate: str = "0.12", days: int = 10) -> UUID:
    """Another loan of the same borrower, of one month, that was due so many days ago and is unpaid."""
    value_date = {10: date(2024, 11, 22), 20: date(2024, 11, 12)}[days]
    return await kept.lending.pay_out(
        value_date=value_date, amount=amount, rate=rate, periods=1, customer_id=kept.customer_id
    )


async def owed(kept: Kept, loan_id: UUID) -> D:
    shown = await kept.lending.figures(loan_id)
    fen = shown.principal_outstanding + shown.due_unpaid_interest + shown.penalty + shown.compound
    return D(fen) / 100


async def test_who_is_overdue_elsewhere_gets_nothing_back_without_consent(kept: Kept):
    other = await overdue_elsewhere(kept)
    arrears = await owed(kept, other)
    assert arrears == D("1015.05"), "1,010.00 and ten days of penalty 5.00 and compound 0.05"
    before = await counts(kept.lender)
    with pytest.raises(ArrearsExist) as refused:
        await kept.ask()
    assert refused.value.params == {"arrears": "1015.05"}
    assert await counts(kept.lender) == before
    assert (await kept.ask(offset_consent=True)).offset_consent


async def test_arrears_that_arose_since_stop_the_approval_and_the_payment(kept: Kept, tmp_path: Path):
    asked, approved = await kept.ask(amount=D("50.00")), await kept.approved(amount=D("60.00"))
    await overdue_elsewhere(kept)
    with pytest.raises(ArrearsExist):
        await decide(kept.lender.business_manager, asked.id)
    async with a_bank(tmp_path) as bank:
        with pytest.raises(ArrearsExist):
            await kept.pay(approved.id, bank)
    states = [(await kept.row(one.id)).state for one in (asked, approved)]
    assert states == [RefundState.PENDING, RefundState.APPROVED]


async def test_with_consent_arrears_come_first_and_the_bank_pays_nothing(kept: Kept):
    lender = kept.lender
    other = await overdue_elsewhere(kept)
    before = await balance(lender, BANK)
    approved = await kept.approved(offset_consent=True)
    paid = await kept.pay(approved.id)
    assert (paid.state, paid.offset_amount, paid.event_id) == (RefundState.PAID, D("115.12"), None)
    assert await owed(kept, other) == D("899.93")
    (set_off,) = await lender.rows(Receipt, Receipt.refund_id == paid.id)
    assert (set_off.loan_id, set_off.method, set_off.state) == (other, ReceiptMethod.OFFSET, ReceiptState.REGISTERED)
    assert (set_off.entered_by, set_off.decided_by) == (
        lender.account_manager.actor.id, lender.business_manager.actor.id,
    )  # fmt: skip
    assert (await balance(lender, BANK), await kept.left()) == (before, (D("0.00"), D("0.00")))
    assert await proved(lender) == []
    with pytest.raises(InvalidState):
        await repayment_registration.request_reversal(lender.accountant, receipt_id=set_off.id)


async def test_what_arrears_leave_is_paid_out(kept: Kept, tmp_path: Path):
    lender, before = kept.lender, await balance(kept.lender, BANK)
    other = await overdue_elsewhere(kept, amount="50.00")
    arrears = await owed(kept, other)
    paid_out = D("115.12") - arrears
    before -= D("50.00")
    approved = await kept.approved(offset_consent=True)
    async with a_bank(tmp_path) as bank:
        paying = await kept.pay(approved.id, bank)
        assert (paying.state, paying.offset_amount) == (RefundState.PAYING, arrears)
        await kept.settle(approved.id, bank)
    assert (await kept.lending.loan(other)).state is LoanState.SETTLED
    assert await balance(lender, BANK) == before - paid_out
    assert await proved(lender) == []


async def test_several_debts_are_paid_in_the_order_of_the_law(kept: Kept):
    """Civil Code 560 (golden A20): unsecured alike, the heavier burden first, whatever is older."""
    older = await overdue_elsewhere(kept, amount="2000.00", days=20)
    costly = await overdue_elsewhere(kept, amount="50.00", rate="0.24")
    due = await owed(kept, costly)
    approved = await kept.approved(offset_consent=True)
    await kept.pay(approved.id)
    came = {row.loan_id: row.amount for row in await kept.lender.rows(Receipt, Receipt.method == "OFFSET")}
    assert came == {costly: due, older: D("115.12") - due}


async def test_a_loan_written_off_is_a_debt_too(kept: Kept):
    other = await overdue_elsewhere(kept)
    await kept.lending.record(other, EventType.WRITE_OFF, None, None)
    await kept.lending.close(TODAY)  # what comes in on the day itself pays first
    with pytest.raises(ArrearsExist) as refused:
        await kept.ask()
    assert refused.value.params == {"arrears": "1015.05"}
    approved = await kept.approved(offset_consent=True)
    await kept.pay(approved.id)
    (set_off,) = await kept.lender.rows(Receipt, Receipt.refund_id == approved.id)
    lines = await kept.lender.rows(AllocationRow, AllocationRow.event_id == set_off.event_id)
    assert [(line.component, line.amount) for line in lines] == [("WRITTEN_OFF_PRINCIPAL", D("115.12"))]
    assert await proved(kept.lender) == []


async def test_the_debt_of_a_loan_is_what_is_due_of_it(kept: Kept):
    other = await overdue_elsewhere(kept, rate="0.12")
    async with kept.lender.system.writing() as ctx:
        loan = await ctx.session.get_one(Loan, kept.loan_id)
        found = await refund.arrears_elsewhere(ctx, loan)
    (debt,) = found.values()
    assert (debt.loan, debt.amount, debt.due_date) == (str(other), 101505, date(2024, 12, 22))
    assert (debt.security, debt.annual_rate) == (0, Fraction(12, 100))
