"""利息减免: never principal, never more than is due, decided by others, void when its condition is missed (F14)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from domain import end_of_day
from domain.home.pending_task import Task, TaskState
from domain.kernel.feed import FeedRow
from domain.kernel.refusals import (
    AmountExceedsDue,
    ApprovalLimitExceeded,
    Denied,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.ledger.proof import differences
from domain.lending import interest_waiver
from domain.lending.interest_waiver import (
    InterestWaiver,
    WaiverComponent,
    WaiverState,
    asked_amount,
    check_condition,
    granted_amount,
)
from domain.lending.loan import figures
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from schema.kernel.node import global_id
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api, statements
from tests.support.desk import receive
from tests.support.lending import decide, task_on
from tests.support.loans import Lending, lending_at

TODAY = date(2025, 1, 1)
TWENTY_DAYS_LATE = date(2024, 11, 12)
"""A loan of this value date owes 78.85 of penalty and 10.00 of compound on 2025-01-01."""


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def ask(lender: LenderAtWork, loan_id: Any, component: str = "PENALTY", **given: Any) -> InterestWaiver:
    amount = given.pop("amount", None)
    return await interest_waiver.request(
        given.pop("by", lender.account_manager),
        loan_id=loan_id,
        component=WaiverComponent(component),
        reason=given.pop("reason", "经营困难"),
        amount=D(amount) if amount else None,
        **given,
    )


async def row(lender: LenderAtWork) -> Any:
    (found,) = await lender.rows(InterestWaiver)
    return found


async def differences_of(lender: LenderAtWork) -> list[str]:
    async with lender.system.reading() as ctx:
        return [str(found) for found in await differences(ctx)]


# ---------------------------------------------------------------- rules


def test_an_amount_or_a_ratio_and_at_most_what_is_due():
    due = D("841.51")
    assert asked_amount(D("841.51"), None, due) == due
    assert asked_amount(None, D("0.5"), due) == D("420.76"), "half up, golden S40"
    assert asked_amount(None, D("1"), due) == due
    for amount, ratio in ((None, None), (D("1.00"), D("0.5")), (None, D("0")), (None, D("1.01"))):
        with pytest.raises(InvalidInput):
            asked_amount(amount, ratio, due)
    with pytest.raises(AmountExceedsDue) as caught:
        asked_amount(D("841.52"), None, due)
    assert caught.value.params == {"asked": "841.52", "due": "841.51"}
    for amount in (D("0.00"), D("-1.00")):
        with pytest.raises(InvalidAmount):
            asked_amount(amount, None, due)
    with pytest.raises(AmountExceedsDue):
        asked_amount(None, D("0.5"), D("0.00"))


def test_what_is_granted_is_at_most_what_is_outstanding_by_then():
    by_amount = InterestWaiver(amount=D("100.00"), ratio=None)
    assert granted_amount(by_amount, None, D("200.00")) == D("100.00")
    assert granted_amount(by_amount, None, D("60.00")) == D("60.00")
    assert granted_amount(by_amount, D("40.00"), D("60.00")) == D("40.00")
    by_ratio = InterestWaiver(amount=D("100.00"), ratio=D("0.5"))
    assert granted_amount(by_ratio, None, D("300.00")) == D("150.00"), "a share of what is due at the approval"
    assert granted_amount(by_ratio, D("40.00"), D("300.00")) == D("40.00")
    with pytest.raises(AmountExceedsDue):
        granted_amount(by_amount, None, D("0.00"))


def test_a_condition_lies_ahead():
    check_condition(None, TODAY)
    check_condition(TODAY, TODAY)
    with pytest.raises(InvalidInput):
        check_condition(date(2024, 12, 31), TODAY)


# ---------------------------------------------------------------- asked, decided, effective


async def test_half_of_the_third_interest_is_420_76(lender: LenderAtWork, lending: Lending):
    """Golden S40: given up on an installment that has not begun to run, once a second person agrees."""
    loan_id = await lending.pay_out()
    asked = await ask(lender, loan_id, "INTEREST", ratio=D("0.5"), installment_seq=3)
    assert (asked.number, asked.state, asked.amount) == ("JM-2025-0001", WaiverState.IN_REVIEW, D("420.76"))
    assert await unpaid_interest(lender, loan_id) == 84151
    await decide(lender.business_manager, asked.id)
    approved = await row(lender)
    assert (approved.state, approved.amount, approved.effective_on) == (WaiverState.APPROVED, D("420.76"), TODAY)
    assert await unpaid_interest(lender, loan_id) == 84151 - 42076
    with pytest.raises(AmountExceedsDue) as caught:
        await ask(lender, loan_id, "INTEREST", amount="420.76", installment_seq=3)
    assert caught.value.params == {"asked": "420.76", "due": "420.75"}
    assert await differences_of(lender) == []


async def unpaid_interest(lender: LenderAtWork, loan_id: Any) -> int:
    """Of the third installment, in fen."""
    async with lender.system.reading() as ctx:
        fold = (await figures.folds(ctx, [loan_id]))[loan_id]
    return fold.installments_on(TODAY)[2].unpaid_interest


async def test_penalty_is_given_up_oldest_first(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    await decide(lender.business_manager, (await ask(lender, loan_id, amount="78.85")).id)
    shown = await lending.figures(loan_id)
    assert (shown.penalty, shown.compound) == (0, 1000)
    assert await differences_of(lender) == []


async def test_approvers_may_lower_it_and_a_ratio_is_of_what_is_due_then(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, ratio=D("0.5"))
    assert asked.amount == D("39.43")
    await lending.close(TODAY)
    await decide(lender.business_manager, asked.id)
    assert (await row(lender)).amount == D("41.40"), "82.79 on the next day"
    second = await ask(lender, loan_id, amount="41.39")
    await decide(lender.business_manager, second.id, terms=ApprovedTerms(amount=D("1.39")))
    (granted,) = await lender.rows(InterestWaiver, InterestWaiver.id == second.id)
    assert granted.amount == D("1.39")
    assert (await lending.figures(loan_id)).penalty == 4000


async def test_from_ten_thousand_up_the_general_manager_decides_too(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(amount="5000000.00")
    asked = await ask(lender, loan_id, "INTEREST", amount="10000.00", installment_seq=1)
    await decide(lender.business_manager, asked.id)
    assert (await row(lender)).state is WaiverState.IN_REVIEW
    await decide(lender.general_manager, asked.id)
    assert (await row(lender)).state is WaiverState.APPROVED


async def test_a_ratio_that_grew_needs_who_decides_such_amounts(lender: LenderAtWork, lending: Lending):
    """Below 10,000.00 when it was asked for, above it a day later: the general manager has not decided."""
    loan_id = await lending.pay_out(amount="12500000.00", value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, ratio=D("1"))
    assert asked.amount < D("10000.00")
    await lending.close(TODAY)
    with pytest.raises(ApprovalLimitExceeded) as refused:
        await decide(lender.business_manager, asked.id)
    assert D(refused.value.params["amount"]) > D("10000.00")
    assert ((await row(lender)).state, (await row(lender)).amount) == (WaiverState.IN_REVIEW, asked.amount)
    await decide(lender.business_manager, asked.id, terms=ApprovedTerms(amount=asked.amount))
    assert ((await row(lender)).state, (await row(lender)).amount) == (WaiverState.APPROVED, asked.amount)


async def test_a_ratio_that_grew_needs_the_authority_for_it(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, ratio=D("0.5"))
    await lending.close(TODAY)
    manager = lender.business_manager
    junior = replace(manager, actor=replace(manager.actor, approval_limit=D("40.00")))
    with pytest.raises(ApprovalLimitExceeded) as refused:
        await decide(junior, asked.id)
    assert refused.value.params == {"limit": "40.00", "amount": "41.40"}


async def test_rejected_and_returned_change_nothing(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    for decision in (Decision.REJECT, Decision.RETURN):
        asked = await ask(lender, loan_id, amount="1.00")
        await decide(lender.business_manager, asked.id, decision, opinion="理由不足")
        (found,) = await lender.rows(InterestWaiver, InterestWaiver.id == asked.id)
        assert (found.state, found.event_id) == (WaiverState.REJECTED, None)
    assert (await lending.figures(loan_id)).penalty == 7885


# ---------------------------------------------------------------- refused


async def test_refused_requests(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    with pytest.raises(AmountExceedsDue):
        await ask(lender, loan_id, amount="78.86")
    with pytest.raises(AmountExceedsDue):
        await ask(lender, loan_id, "FEE", amount="0.01")
    with pytest.raises(AmountExceedsDue):
        await ask(lender, loan_id, "INTEREST", amount="1.00", installment_seq=99)
    with pytest.raises(InvalidInput):
        await ask(lender, loan_id, amount="1.00", reason=" ")
    with pytest.raises(InvalidInput):
        await ask(lender, loan_id, amount="1.00", void_unless_paid_by=date(2024, 12, 31))
    with pytest.raises(NotFound):
        await ask(lender, uuid7(), amount="1.00")
    assert await lender.rows(InterestWaiver) == []


async def test_who_may_ask(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    for person in (lender.cashier, lender.collector, lender.tenant_admin, lender.auditor, lender.general_manager):
        with pytest.raises(Denied):
            await ask(lender, loan_id, amount="1.00", by=person)
    with pytest.raises(NotFound):  # another manager's loan
        await ask(lender, loan_id, amount="1.00", by=lender.second_account_manager)
    await ask(lender, loan_id, amount="1.00", by=lender.post_loan_officer)


async def test_the_maker_does_not_decide(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, amount="1.00")
    with pytest.raises(SamePerson):
        await decide(lender.account_manager, asked.id)


async def test_only_who_asked_takes_it_back_and_only_before_the_decision(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, amount="1.00", by=lender.post_loan_officer)
    with pytest.raises(Denied):
        await interest_waiver.withdraw(lender.account_manager, waiver_id=asked.id)
    own = await ask(lender, loan_id, amount="1.00")
    taken_back = await interest_waiver.withdraw(lender.account_manager, waiver_id=own.id)
    assert taken_back.state is WaiverState.WITHDRAWN
    assert [task.subject_id for task in await lender.rows(Task, Task.state == TaskState.OPEN)] == [asked.id]
    with pytest.raises(InvalidState):
        await interest_waiver.withdraw(lender.account_manager, waiver_id=own.id)


async def test_what_was_paid_meanwhile_is_not_given_up(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, amount="78.85")
    await receive(lender, loan_id, lending.account_id, "9000.00", TODAY)
    with pytest.raises(AmountExceedsDue):
        await decide(lender.business_manager, asked.id)
    assert (await row(lender)).state is WaiverState.IN_REVIEW


async def test_a_foreign_lender_finds_nothing(
    lender: LenderAtWork, lending: Lending, place: Any, ports: Any, blueprint: Any
):
    asked = await ask(lender, await lending.pay_out(value_date=TWENTY_DAYS_LATE), amount="1.00")
    other = await a_lender(place, ports, blueprint)
    with pytest.raises(NotFound):
        await ask(other, asked.loan_id, amount="1.00")
    with pytest.raises(NotFound):
        await interest_waiver.withdraw(other.account_manager, waiver_id=asked.id)


# ---------------------------------------------------------------- conditions


async def conditional(lender: LenderAtWork, loan_id: Any, until: date = TODAY, amount: str = "78.85") -> InterestWaiver:
    asked = await ask(lender, loan_id, amount=amount, void_unless_paid_by=until)
    await decide(lender.business_manager, asked.id)
    return asked


async def test_a_missed_condition_brings_the_amount_back(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    await conditional(lender, loan_id)
    assert (await lending.figures(loan_id)).penalty == 0
    await lending.close(TODAY)
    assert (await row(lender)).state is WaiverState.LAPSED
    assert (await lending.figures(loan_id)).penalty == 8279, "21 days of 7,884.88, as if nothing had been waived"
    assert await differences_of(lender) == []


async def test_many_conditions_take_the_statements_of_one(lender: LenderAtWork, lending: Lending):
    """A missed one is told once, with its loan; a met one is not."""
    tomorrow = TODAY + timedelta(days=1)
    met = await conditional(lender, await lending.pay_out(value_date=TWENTY_DAYS_LATE))
    missed = [await conditional(lender, await lending.pay_out(value_date=TWENTY_DAYS_LATE)) for _ in range(3)]
    alone = await conditional(lender, await lending.pay_out(value_date=TWENTY_DAYS_LATE), tomorrow)
    await receive(lender, met.loan_id, lending.account_id, "8894.88", TODAY)
    counts = []
    for day in (TODAY, tomorrow):
        async with lender.system.writing() as ctx:
            with statements() as seen:
                lapsed = await interest_waiver.lapse(ctx, day)
                await ctx.session.flush()
            counts.append((lapsed, len(seen)))
    assert [lapsed for lapsed, _ in counts] == [3, 1]
    assert counts[0][1] == counts[1][1]
    assert {waiver.id: waiver.state for waiver in await lender.rows(InterestWaiver)} == {
        met.id: WaiverState.APPROVED
    } | {waiver.id: WaiverState.LAPSED for waiver in (*missed, alone)}
    told = await lender.rows(FeedRow, FeedRow.kind == "lending.interest_waiver.lapsed")
    assert {(row.subject_id, row.facts["loan_id"]) for row in told} == {
        (waiver.id, str(waiver.loan_id)) for waiver in (*missed, alone)
    }
    assert len(told) == 4


async def test_each_condition_of_a_loan_is_asked_for_its_own_day(lender: LenderAtWork, lending: Lending):
    """The later receipt meets the later condition only."""
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    first = await conditional(lender, loan_id, amount="40.00")
    second = await conditional(lender, loan_id, date(2025, 1, 3), amount="38.85")
    await lending.close(date(2025, 1, 4))
    due = (await lending.figures(loan_id, date(2025, 1, 4))).overdue_principal
    assert due > 0
    await receive(lender, loan_id, lending.account_id, "9100.00", date(2025, 1, 3))
    found = {waiver.id: waiver.state for waiver in await lender.rows(InterestWaiver)}
    assert found == {first.id: WaiverState.LAPSED, second.id: WaiverState.APPROVED}
    assert await differences_of(lender) == []


async def test_a_condition_that_was_met_holds(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    await conditional(lender, loan_id)
    await receive(lender, loan_id, lending.account_id, "8894.88", TODAY)
    await lending.close(TODAY)
    assert (await row(lender)).state is WaiverState.APPROVED


async def test_a_receipt_keyed_late_meets_the_condition_after_all(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    await conditional(lender, loan_id)
    await lending.close(date(2025, 1, 2))
    assert (await row(lender)).state is WaiverState.LAPSED
    await receive(lender, loan_id, lending.account_id, "8894.88", TODAY)
    assert (await row(lender)).state is WaiverState.APPROVED
    shown = await lending.figures(loan_id)
    assert (shown.penalty, shown.overdue_principal) == (0, 0)
    assert await differences_of(lender) == []


async def test_an_approval_after_the_condition_is_refused(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(value_date=TWENTY_DAYS_LATE)
    asked = await ask(lender, loan_id, amount="78.85", void_unless_paid_by=TODAY)
    await end_of_day.run(lender.system, through=TODAY)
    with pytest.raises(InvalidState):
        await decide(lender.business_manager, asked.id)
    await decide(lender.business_manager, asked.id, Decision.REJECT, opinion="已过期")
    assert (await row(lender)).state is WaiverState.REJECTED


# ---------------------------------------------------------------- the API

ASK = """mutation($input: RequestInterestWaiverInput!) { requestInterestWaiver(input: $input) {
  waiver { id number state amount component ratio loan { number } requestedBy { name }
           workflow { state openTasks { type title } } }
  userErrors { code field params } } }"""
DECIDE = """mutation($input: DecideTaskInput!) { decideTask(input: $input) { task { state } userErrors { code } } }"""


async def test_a_waiver_through_the_api(api: Api, lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out()
    loan = global_id("Loan", loan_id)
    wanted = {"loanId": loan, "component": "INTEREST", "installmentSeq": 3, "ratio": "0.5", "reason": "经营困难"}
    waiver = (await api.as_("account_manager").run(ASK, input=wanted))["waiver"]
    assert (waiver["number"], waiver["state"], waiver["amount"]) == ("JM-2025-0001", "IN_REVIEW", "420.76")
    assert waiver["workflow"]["state"] == "RUNNING"
    assert [task["type"] for task in waiver["workflow"]["openTasks"]] == ["APPROVAL"]
    task = await task_on(lender.business_manager, (await row(lender)).id)
    approve = {"taskId": global_id("Task", task.id), "decision": "APPROVE", "opinion": "同意"}
    await api.as_("business_manager").run(DECIDE, input=approve)
    listed = await api.as_("account_manager").data(
        "query($loan: ID!) { interestWaivers(filter: {loanId: $loan}) { totalCount nodes { id state effectiveOn } } }",
        loan=loan,
    )
    assert listed["interestWaivers"] == {
        "totalCount": 1,
        "nodes": [{"id": waiver["id"], "state": "APPROVED", "effectiveOn": "2025-01-01"}],
    }
    (error,) = await api.as_("account_manager").refused(ASK, input=wanted | {"ratio": None, "amount": "420.76"})
    assert error == {
        "code": "AMOUNT_EXCEEDS_DUE",
        "field": ["input", "amount"],
        "params": {"asked": "420.76", "due": "420.75"},
    }


async def test_principal_is_no_choice(api: Api, lender: LenderAtWork, lending: Lending):
    wanted = {"loanId": global_id("Loan", uuid7()), "component": "PRINCIPAL", "amount": "1.00", "reason": "–"}
    assert (await api.as_("account_manager").ask(ASK, input=wanted)).codes == ["BAD_USER_INPUT"]
