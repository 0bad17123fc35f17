"""核销: a hopeless loan leaves the books against the allowance, is still claimed, and what comes in later is counted (F34)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from domain.calculation.classification import FiveClass
from domain.configuration import document, parameter
from domain.configuration.document import Document
from domain.configuration.loan_product import LoanKind
from domain.finance import repayment_registration
from domain.finance.receipt import Receipt, ReceiptState
from domain.finance.repayment_entry import Entry
from domain.home.pending_task import Task, TaskState
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    AllowanceInsufficient,
    Denied,
    InvalidInput,
    InvalidState,
    NotFound,
    NotLossClass,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.ledger import account, journal
from domain.ledger.journal import Voucher
from domain.ledger.proof import differences
from domain.lending import interest_waiver
from domain.lending.interest_waiver import InterestWaiver, WaiverComponent, WaiverState
from domain.lending.loan import Loan, LoanEventRow, LoanState
from domain.lending.loan.tables import AllocationRow
from domain.post_loan import write_off, written_off_register
from domain.post_loan.write_off import (
    Grounds,
    WriteOff,
    WriteOffCondition,
    WriteOffState,
    check_allowance,
    check_class,
    check_in_the_books,
    check_years,
    plain_evidence,
)
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.support import desk
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import statements
from tests.support.desk import a_key
from tests.support.lending import decide
from tests.support.loans import A21, Lending, lending_at, provide

TODAY = date(2025, 1, 1)
ZERO = D("0.00")
LOST = A21 | {"value_date": date(2023, 12, 4)}
"""394 days old: 364 past due."""
GROUNDS = Grounds(
    condition=WriteOffCondition.ENFORCEMENT_ENDED,
    evidence=["法院终结执行裁定书", "财产调查报告"],
    responsibility="调查充分，无责任人。",
)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


@pytest.fixture
async def lost(lending: Lending) -> UUID:
    """A loan of golden A21, 364 days past due, and an allowance of just its principal."""
    await provide(lending.lender, "80000.00")
    return await lending.pay_out(**LOST)


async def ask(lender: LenderAtWork, loan_id: UUID, by: Context | None = None, **changes: Any) -> WriteOff:
    who = by or lender.post_loan_officer
    return await write_off.request(who, loan_id=loan_id, grounds=replace(GROUNDS, **changes))


async def written_off(lender: LenderAtWork, loan_id: UUID) -> Any:
    asked = await ask(lender, loan_id)
    await decide(lender.general_manager, asked.id)
    return await row(lender, asked.id)


async def row(lender: LenderAtWork, key: UUID) -> Any:
    (found,) = await lender.rows(WriteOff, WriteOff.id == key)
    return found


async def register(lender: LenderAtWork, window: Window | None = None, **wanted: Any) -> Sequence[Any]:
    async with lender.auditor.reading() as ctx:
        page = await written_off_register.register(ctx, window=window or Window(), **wanted)
        return page.rows


async def line(lender: LenderAtWork) -> tuple[D, ...]:
    """The one line of the register: written off and recovered, principal and the rest of each, in CNY."""
    (found,) = await register(lender)
    fen = (found.principal, found.interest, found.recovered_principal, found.recovered_interest)
    return tuple(D(int(amount)) / 100 for amount in fen)


async def balance(lender: LenderAtWork, code: str) -> D:
    async with lender.system.reading() as ctx:
        return await journal.balance(ctx, code)


async def proved(lender: LenderAtWork) -> list[str]:
    async with lender.system.reading() as ctx:
        return [str(found) for found in await differences(ctx)]


async def counts(lender: LenderAtWork) -> tuple[int, ...]:
    return tuple([len(await lender.rows(table)) for table in (WriteOff, Voucher, LoanEventRow, Task, Receipt)])


async def recover(lending: Lending, loan_id: UUID, amount: str, on: date) -> Receipt:
    """Keyed by the cashier as a recovery, registered by the accountant."""
    entry = Entry(
        amount=D(amount), value_date=on, company_account_id=lending.account_id, payer_name="张三",
        bank_reference=f"REF-{a_key()}",
    )  # fmt: skip
    keyed = await written_off_register.record_recovery(
        lending.lender.cashier, loan_id=loan_id, entry=entry, idempotency_key=a_key()
    )
    return await repayment_registration.register(lending.lender.accountant, receipt_id=keyed.id)


# ---------------------------------------------------------------- rules


def test_only_the_class_loss():
    check_class("loanId", FiveClass.LOSS)
    for better in set(FiveClass) - {FiveClass.LOSS}:
        with pytest.raises(NotLossClass) as refused:
            check_class("loanId", better)
        assert refused.value.params == {"five_class": better.value}


def test_the_allowance_covers_the_principal():
    check_allowance("loanId", D("80000.00"), D("80000.00"))
    with pytest.raises(AllowanceInsufficient) as refused:
        check_allowance("loanId", D("80000.00"), D("79999.99"))
    assert refused.value.params == {"allowance": "79999.99", "principal": "80000.00"}


def test_for_years_is_for_as_many_as_the_parameter_says():
    years = WriteOffCondition.OVERDUE_FOR_YEARS
    check_years(years, date(2022, 1, 1), 3, TODAY)
    check_years(WriteOffCondition.FRAUD_CLOSED, TODAY, 3, TODAY)
    for since in (date(2022, 1, 2), None):
        with pytest.raises(InvalidInput):
            check_years(years, since, 3, TODAY)


def test_what_is_not_in_the_books_or_not_ours_is_not_written_off():
    check_in_the_books("loanId", Loan(state=LoanState.NON_ACCRUAL, kind=LoanKind.REVOLVING))
    for state in (LoanState.PENDING, LoanState.SETTLED, LoanState.WRITTEN_OFF, LoanState.TRANSFERRED):
        with pytest.raises(InvalidState):
            check_in_the_books("loanId", Loan(state=state, kind=LoanKind.NORMAL))
    with pytest.raises(InvalidInput):
        check_in_the_books("loanId", Loan(state=LoanState.NON_ACCRUAL, kind=LoanKind.ENTRUSTED))


def test_without_evidence_nothing_is_proved():
    assert plain_evidence([" 判决书 "]) == ["判决书"]
    for evidence in ([], [""], ["x"] * 51):
        with pytest.raises(InvalidInput):
            plain_evidence(evidence)


# ---------------------------------------------------------------- asked for


async def test_it_waits_for_the_general_manager(lender: LenderAtWork, lost: UUID):
    asked = await ask(lender, lost)
    assert (asked.number, asked.state, asked.principal) == ("HX-2025-0001", WriteOffState.IN_REVIEW, D("80000.00"))
    assert (asked.on_balance_interest, asked.off_balance_interest, asked.fees) == (ZERO, D("9600.00"), ZERO)
    assert asked.evidence == ["法院终结执行裁定书", "财产调查报告"]
    (task,) = await lender.rows(Task, Task.state == TaskState.OPEN)
    assert (task.type, task.subject_id, task.amount) == ("APPROVAL", asked.id, D("80000.00"))
    (loan,) = await lender.rows(Loan)
    assert (loan.state, loan.principal_outstanding) == (LoanState.NON_ACCRUAL, D("80000.00"))
    with pytest.raises(InvalidState):
        await ask(lender, lost)


async def test_a_better_class_and_a_small_allowance_are_refused(lender: LenderAtWork, lending: Lending):
    await provide(lender, "79999.99")
    lost = await lending.pay_out(**LOST)
    doubtful = await lending.pay_out(**LOST | {"value_date": date(2023, 12, 8)})  # 360 days past due
    before = await counts(lender)
    with pytest.raises(NotLossClass) as refused:
        await ask(lender, doubtful)
    assert refused.value.params == {"five_class": "DOUBTFUL"}
    with pytest.raises(AllowanceInsufficient) as short:
        await ask(lender, lost)
    assert short.value.params == {"allowance": "79999.99", "principal": "80000.00"}
    assert await counts(lender) == before
    await provide(lender, "0.01")
    assert (await ask(lender, lost)).state is WriteOffState.IN_REVIEW


async def test_what_is_said_is_checked(lender: LenderAtWork, lost: UUID):
    before = await counts(lender)
    for changes in (
        {"evidence": []},
        {"responsibility": " "},
        {"condition": WriteOffCondition.OVERDUE_FOR_YEARS},
    ):
        with pytest.raises(InvalidInput):
            await ask(lender, lost, **changes)
    with pytest.raises(NotFound):
        await ask(lender, lost, attachment_ids=[uuid7()])
    with pytest.raises(NotFound):
        await ask(lender, uuid7())
    assert await counts(lender) == before


async def test_another_lender_says_otherwise_what_years_are(
    place: Any, ports: Any, blueprint: Any, lender: LenderAtWork, lost: UUID
):
    impatient = await a_lender(place, ports, blueprint)
    proposed = await parameter.propose(
        impatient.tenant_admin, code="write_off_overdue_years", value=0, effective_from=TODAY, reason="从严"
    )  # fmt: skip
    await parameter.approve(impatient.general_manager, parameter_id=proposed.id)
    await provide(impatient, "80000.00")
    theirs = await (await lending_at(impatient)).pay_out(**LOST)
    asked = await ask(impatient, theirs, condition=WriteOffCondition.OVERDUE_FOR_YEARS)
    assert asked.state is WriteOffState.IN_REVIEW
    with pytest.raises(InvalidInput):
        await ask(lender, lost, condition=WriteOffCondition.OVERDUE_FOR_YEARS)
    with pytest.raises(NotFound):
        await ask(lender, theirs)


async def test_papers_go_with_the_request(lender: LenderAtWork, lost: UUID):
    async with lender.system.writing() as ctx:
        key = uuid7()
        paper = {"name": "裁定书.pdf", "content_type": "application/pdf", "sha256": "0" * 64, "size": 9}
        officer = lender.post_loan_officer.actor.id
        await ctx.connection.execute(
            insert(Document).values(id=key, created_at=ctx.now, uploaded_by=officer, **paper)
        )  # fmt: skip
    asked = await ask(lender, lost, attachment_ids=[key])
    async with lender.general_manager.reading() as ctx:
        found = await document.by_subject(ctx, [asked.id], list(Document.__table__.c))
    assert [paper.id for paper in found[asked.id]] == [key]


async def test_roles(lender: LenderAtWork, lost: UUID):
    for person in ("cashier", "accountant", "account_manager", "auditor", "collector"):
        with pytest.raises(Denied):
            await ask(lender, lost, by=getattr(lender, person))
    asked = await ask(lender, lost)
    with pytest.raises(SamePerson):
        await decide(lender.post_loan_officer, asked.id)
    with pytest.raises(Denied):
        await written_off_register.record_recovery(
            lender.post_loan_officer, loan_id=lost, entry=None, idempotency_key="x"  # type: ignore[arg-type]
        )  # fmt: skip


async def test_withdrawn_and_rejected_requests_change_nothing(lender: LenderAtWork, lost: UUID):
    withdrawn = await ask(lender, lost)
    await write_off.withdraw(lender.post_loan_officer, write_off_id=withdrawn.id)
    assert await lender.rows(Task, Task.state == TaskState.OPEN) == []
    with pytest.raises(InvalidState):
        await write_off.withdraw(lender.post_loan_officer, write_off_id=withdrawn.id)
    rejected = await ask(lender, lost)
    with pytest.raises(InvalidInput):
        await decide(lender.general_manager, rejected.id, terms=ApprovedTerms(amount=D("1.00")))
    await decide(lender.general_manager, rejected.id, Decision.REJECT, opinion="继续追索")
    assert [(await row(lender, one.id)).state for one in (withdrawn, rejected)] == [
        WriteOffState.WITHDRAWN, WriteOffState.REJECTED,
    ]  # fmt: skip
    assert (await register(lender), await balance(lender, account.ALLOWANCE)) == ([], D("-80000.00"))


# ---------------------------------------------------------------- written off, recovered


async def test_a21_principal_first_then_the_interest_beside_the_balance(
    lender: LenderAtWork, lending: Lending, lost: UUID
):
    """80,000.00 and 9,600.00 are claimed; 85,000.00 pays 80,000.00 and 5,000.00, and 4,600.00 are left."""
    decided = await written_off(lender, lost)
    assert (decided.state, decided.effective_on) == (WriteOffState.APPROVED, TODAY)
    loan = await lending.loan(lost)
    assert (loan.state, loan.principal_outstanding) == (LoanState.WRITTEN_OFF, ZERO)
    assert (await balance(lender, account.ALLOWANCE), await balance(lender, account.CLAIMED_PRINCIPAL)) == (
        ZERO, D("80000.00"),
    )  # fmt: skip
    assert await line(lender) == (D("80000.00"), D("9600.00"), ZERO, ZERO)
    assert await proved(lender) == []
    await lending.close(TODAY)
    came = await recover(lending, lost, "85000.00", date(2025, 1, 2))
    lines = await lender.rows(AllocationRow, AllocationRow.event_id == came.event_id)
    assert [(paid.component, paid.amount) for paid in lines] == [
        ("WRITTEN_OFF_PRINCIPAL", D("80000.00")), ("OFF_BALANCE_INTEREST", D("5000.00")),
    ]  # fmt: skip
    assert await line(lender) == (D("80000.00"), D("9600.00"), D("80000.00"), D("5000.00"))
    assert await balance(lender, account.CLAIMED_INTEREST) == D("4600.00")
    assert await balance(lender, account.ALLOWANCE) == D("-80000.00")
    assert await proved(lender) == []


async def test_a_receipt_found_late_shrinks_the_write_off(lender: LenderAtWork, lending: Lending, lost: UUID):
    """1,000.00 that came in five days before: so much less penalty was written off."""
    decided = await written_off(lender, lost)
    late = await desk.receive(lender, lost, lending.account_id, "1000.00", date(2024, 12, 27))
    assert late.state is ReceiptState.REGISTERED
    assert await line(lender) == (D("80000.00"), D("8600.00"), ZERO, ZERO)
    assert (await row(lender, decided.id)).off_balance_interest == D("9600.00"), "what was known when it was decided"
    assert await proved(lender) == []


async def test_more_than_is_claimed_is_kept(lender: LenderAtWork, lending: Lending, lost: UUID):
    await written_off(lender, lost)
    await lending.close(TODAY)
    await recover(lending, lost, "90000.00", date(2025, 1, 2))
    assert await line(lender) == (D("80000.00"), D("9600.00"), D("80000.00"), D("9600.00"))
    assert await balance(lender, account.KEPT_MONEY) == D("-400.00")
    assert await register(lender, only_open=True) == []


async def test_a_recovery_is_a_receipt_on_a_loan_written_off(lender: LenderAtWork, lending: Lending, lost: UUID):
    with pytest.raises(InvalidState):
        await recover(lending, lost, "100.00", TODAY)
    assert await lender.rows(Receipt) == []
    await written_off(lender, lost)
    entry = Entry(
        amount=D("100.00"), value_date=TODAY, company_account_id=lending.account_id, payer_name="张三",
        bank_reference="REF-1",
    )  # fmt: skip
    given = {"loan_id": lost, "entry": entry, "idempotency_key": "once"}
    first = await written_off_register.record_recovery(lender.cashier, **given)
    again = await written_off_register.record_recovery(lender.cashier, **given)
    assert (first.id, first.state) == (again.id, ReceiptState.ENTERED)
    assert await balance(lender, account.CLAIMED_PRINCIPAL) == D("80000.00"), "nothing is posted yet"


async def test_what_has_changed_since_the_request_is_checked_again(lender: LenderAtWork, lending: Lending, lost: UUID):
    """Paid down, it is no loss any more; the allowance may have gone elsewhere."""
    asked = await ask(lender, lost)
    await provide(lender, "-0.01")
    before = await counts(lender)
    with pytest.raises(AllowanceInsufficient):
        await decide(lender.general_manager, asked.id)
    assert (await counts(lender), (await row(lender, asked.id)).state) == (before, WriteOffState.IN_REVIEW)
    await provide(lender, "0.01")
    await desk.receive(lender, lost, lending.account_id, "89600.00", TODAY)
    with pytest.raises(InvalidState):
        await decide(lender.general_manager, asked.id)


async def test_two_at_once_do_not_share_one_allowance(lender: LenderAtWork, lending: Lending, lost: UUID):
    second = await lending.pay_out(**LOST)
    both = [await ask(lender, lost), await ask(lender, second)]
    decisions = [decide(lender.general_manager, asked.id) for asked in both]
    answers = await asyncio.gather(*decisions, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["AllowanceInsufficient", "Task"]
    assert (await balance(lender, account.ALLOWANCE), await proved(lender)) == (ZERO, [])


async def test_a_condition_still_open_lapses_with_it(lender: LenderAtWork, lending: Lending, lost: UUID):
    asked = await interest_waiver.request(
        lender.account_manager, loan_id=lost, component=WaiverComponent.PENALTY, amount=D("100.00"), reason="协商",
        void_unless_paid_by=date(2025, 1, 3),
    )  # fmt: skip
    await decide(lender.business_manager, asked.id)
    await written_off(lender, lost)
    await lending.close(date(2025, 1, 3))
    (waiver,) = await lender.rows(InterestWaiver)
    assert waiver.state is WaiverState.LAPSED
    assert (await line(lender))[1] == D("9600.00"), "what was given up on a condition is claimed"


# ---------------------------------------------------------------- undone


async def test_undone_it_never_was(lender: LenderAtWork, lending: Lending, lost: UUID):
    decided = await written_off(lender, lost)
    await lending.close(TODAY)
    await recover(lending, lost, "10000.00", date(2025, 1, 2))
    with pytest.raises(InvalidInput):
        await write_off.request_reversal(lender.post_loan_officer, write_off_id=decided.id)
    asked = await write_off.request_reversal(
        lender.post_loan_officer, write_off_id=decided.id, comment="发现可执行财产"
    )  # fmt: skip
    with pytest.raises(InvalidState):
        await write_off.request_reversal(lender.post_loan_officer, write_off_id=decided.id, comment="再次")
    with pytest.raises(SamePerson):
        await decide(lender.post_loan_officer, asked.id)
    vouchers = len(await lender.rows(Voucher))
    await decide(lender.general_manager, asked.id)
    assert len(await lender.rows(Voucher)) == vouchers + 1, "an opposite entry; the first one is kept"
    loan = await lending.loan(lost)
    assert (loan.state, (await row(lender, decided.id)).state) == (LoanState.NON_ACCRUAL, WriteOffState.REVERSED)
    # 10,000.00 of 2025-01-02 pay 9,600.00 of that day before, one more day of penalty 25.00, and 375.00 of principal.
    assert loan.principal_outstanding == D("79625.00")
    assert (await balance(lender, account.ALLOWANCE), await balance(lender, account.CLAIMED_PRINCIPAL)) == (
        D("-80000.00"), ZERO,
    )  # fmt: skip
    assert (await register(lender), await proved(lender)) == ([], [])
    with pytest.raises(InvalidState):
        await write_off.request_reversal(lender.post_loan_officer, write_off_id=decided.id, comment="再次")
    await decide(lender.general_manager, (await ask(lender, lost)).id)
    assert (await line(lender))[:2] == (D("79625.00"), ZERO)


async def test_a_reversal_that_is_refused_leaves_it(lender: LenderAtWork, lost: UUID):
    decided = await written_off(lender, lost)
    await write_off.request_reversal(lender.post_loan_officer, write_off_id=decided.id, comment="有误")
    await decide(lender.general_manager, decided.id, Decision.REJECT, opinion="依据不足")
    found = await row(lender, decided.id)
    assert (found.state, found.reversal_id) == (WriteOffState.APPROVED, None)


# ---------------------------------------------------------------- other flows, lists


async def test_another_lenders_board_decides_after_risk(lender: LenderAtWork, lost: UUID):
    nodes = [
        {"code": "RISK", "name": "风控", "roles": ["RISK_OFFICER"]},
        {"code": "BOARD", "name": "贷审会", "roles": ["COMMITTEE_MEMBER"]},
    ]
    await definition.publish(lender.tenant_admin, code="WRITE_OFF", purpose="WRITE_OFF", name="两级核销", nodes=nodes)
    asked = await ask(lender, lost)
    await decide(lender.risk_officer, asked.id)
    assert (await row(lender, asked.id)).state is WriteOffState.IN_REVIEW
    await decide(lender.committee_member, asked.id)
    assert (await row(lender, asked.id)).state is WriteOffState.APPROVED


async def test_the_register_is_one_statement_for_any_number(lender: LenderAtWork, lending: Lending, lost: UUID):
    async def asked(window: Window) -> tuple[list[UUID], int]:
        async with lender.auditor.reading() as ctx:
            with statements() as seen:
                page = await written_off_register.register(ctx, window=window)
            return [found.loan_id for found in page.rows], len(seen)

    await written_off(lender, lost)
    assert await asked(Window()) == ([lost], 1)
    await provide(lender, "160000.00")
    others = [await lending.pay_out(**LOST) for _ in range(2)]
    for loan_id in others:
        await written_off(lender, loan_id)
    newest = [others[1], others[0], lost]
    assert await asked(Window()) == (newest, 1)
    async with lender.auditor.reading() as ctx:
        first = await written_off_register.register(ctx, window=Window(first=2))
        after = await written_off_register.register(ctx, window=Window(first=2, after=first.cursors[-1]))
        last = await written_off_register.register(ctx, window=Window(last=1))
        assert await first.total(ctx) == 3
    assert [found.loan_id for page in (first, after) for found in page.rows] == newest
    assert [found.loan_id for found in last.rows] == [lost]
    assert (first.has_next, after.has_next) == (True, False)
    (customer_id,) = {loan.customer_id for loan in await lender.rows(Loan, Loan.id == lost)}
    assert [found.loan_id for found in await register(lender, customer_id=customer_id)] == [lost]
    assert await register(lender, first_day=date(2025, 1, 2)) == []
    assert len(await register(lender, first_day=TODAY, last_day=TODAY)) == 3
    async with lender.second_account_manager.reading() as ctx:
        assert (await written_off_register.register(ctx, window=Window())).rows == []
