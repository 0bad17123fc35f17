"""合同变更: who may ask and decide, and what is refused with its figures while nothing changes (F28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.classification import LendingMode
from domain.calculation.loan.events import PrepaymentMode
from domain.calculation.schedule import Method
from domain.home.pending_task import Task, TaskState
from domain.kernel.clock import close_through
from domain.kernel.refusals import (
    ArrearsExist,
    ClosedBusinessDay,
    Denied,
    GuarantorConsentMissing,
    InvalidInput,
    InvalidState,
    NotFound,
    ProductRuleViolated,
    Refusal,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.post_loan import contract_amendment
from domain.post_loan.contract_amendment import AmendmentState
from domain.post_loan.contract_amendment_rules import AmendmentType, Change, Consent
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.lending.test_loan_golden_days import proved
from tests.support.actors import LenderAtWork, a_lender
from tests.support.amendments import LONGER, OPENED, S36, ask, everything, row
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at


@pytest.fixture
async def lender(place: Any, ports: Any, blueprint: Any) -> LenderAtWork:
    """A lender that opened on the value date of S36."""
    return await a_lender(place, ports, blueprint, open_on=OPENED)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


# ---------------------------------------------------------------- people


async def test_the_maker_does_not_decide_and_nobody_twice(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    asked = await ask(lender, loan_id, by=lender.post_loan_officer)
    with pytest.raises(SamePerson):
        await decide(lender.post_loan_officer, asked.id)
    await decide(lender.risk_officer, asked.id)
    assert (await row(lender, asked.id)).state is AmendmentState.IN_REVIEW, "one more must agree"
    with pytest.raises(SamePerson):
        await decide(lender.risk_officer, asked.id)
    await decide(lender.business_manager, asked.id)
    assert (await row(lender, asked.id)).state is AmendmentState.APPROVED


async def test_a_large_loan_goes_to_the_general_manager_too(
    lender: LenderAtWork, lending: Lending, place: Any, ports: Any, blueprint: Any
):
    """And at another lender, whose workflow says so, everything that is called in, and nothing else."""
    own = await a_lender(place, ports, blueprint, open_on=OPENED)
    nodes = [
        {"code": "LEGAL", "name": "法务", "roles": ["LEGAL"]},
        {"code": "BOSS", "name": "总经理", "roles": ["GENERAL_MANAGER"],
         "when": {"field": "request", "operator": "EQ", "value": "ACCELERATION"}},
    ]  # fmt: skip
    await definition.publish(own.tenant_admin, code="AMENDMENT", purpose="AMENDMENT", name="变更", nodes=nodes)
    theirs = await lending_at(own)
    first = await ask(own, await theirs.pay_out(**S36))
    await decide(own.legal, first.id)
    assert (await row(own, first.id)).state is AmendmentState.APPROVED
    called_in = await ask(own, first.loan_id, Change(type=AmendmentType.ACCELERATION))
    await decide(own.legal, called_in.id)
    assert (await row(own, called_in.id)).state is AmendmentState.IN_REVIEW
    await decide(own.general_manager, called_in.id)
    assert (await row(own, called_in.id)).state is AmendmentState.APPROVED

    here = await ask(lender, await lending.pay_out(**S36))
    with pytest.raises(Denied):
        await decide(lender.legal, here.id)


async def test_who_may_ask(lender: LenderAtWork, lending: Lending, place: Any, ports: Any, blueprint: Any):
    loan_id = await lending.pay_out(**S36)
    for person in (lender.cashier, lender.accountant, lender.collector, lender.auditor, lender.general_manager):
        with pytest.raises(Denied):
            await ask(lender, loan_id, by=person)
    with pytest.raises(NotFound):  # another manager's loan
        await ask(lender, loan_id, by=lender.second_account_manager)
    other = await a_lender(place, ports, blueprint, open_on=OPENED)
    with pytest.raises(NotFound):
        await ask(other, loan_id)
    asked = await ask(lender, loan_id)
    with pytest.raises(NotFound):
        await contract_amendment.withdraw(other.account_manager, amendment_id=asked.id)


async def test_one_at_a_time_and_only_who_asked_takes_it_back(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    asked = await ask(lender, loan_id)
    before = await everything(lender)
    with pytest.raises(InvalidState):
        await ask(lender, loan_id, Change(type=AmendmentType.ACCELERATION), by=lender.post_loan_officer)
    with pytest.raises(Denied):
        await contract_amendment.withdraw(lender.post_loan_officer, amendment_id=asked.id)
    assert await everything(lender) == before
    taken_back = await contract_amendment.withdraw(lender.account_manager, amendment_id=asked.id)
    assert taken_back.state is AmendmentState.WITHDRAWN
    assert await lender.rows(Task, Task.state == TaskState.OPEN) == []
    with pytest.raises(InvalidState):
        await contract_amendment.withdraw(lender.account_manager, amendment_id=asked.id)
    await ask(lender, loan_id, by=lender.post_loan_officer)


async def test_rejected_and_returned_change_nothing(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    for decision in (Decision.REJECT, Decision.RETURN):
        asked = await ask(lender, loan_id)
        await decide(lender.risk_officer, asked.id, decision, opinion="材料不足")
        found = await row(lender, asked.id)
        assert (found.state, found.event_id) == (AmendmentState.REJECTED, None)
    assert len(await lending.events(loan_id)) == 1


async def test_what_the_borrower_signed_is_not_changed_in_approval(lender: LenderAtWork, lending: Lending):
    asked = await ask(lender, await lending.pay_out(**S36))
    for changed in (ApprovedTerms(annual_rate=D("0.14")), ApprovedTerms(amount=D("1.00"))):
        with pytest.raises(InvalidInput):
            await decide(lender.risk_officer, asked.id, terms=changed)


# ---------------------------------------------------------------- refused


async def test_what_changed_since_the_request_is_refused_at_the_approval(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    asked = await ask(lender, loan_id)
    await decide(lender.risk_officer, asked.id)
    await lending.close(date(2026, 3, 20))
    before = await everything(lender)
    with pytest.raises(ArrearsExist) as refused:
        await decide(lender.business_manager, asked.id)
    # 2,000.00 of interest one day late; its compound is 2,000.00 x 18 % / 360 = 1.00 (and at 12 %, the old rate, still).
    assert (refused.value.field, refused.value.params) == (("taskId",), {"arrears": "2001.00"})
    assert await everything(lender) == before
    await lending.receive(loan_id, "2001.00")
    await decide(lender.business_manager, asked.id)
    assert (await row(lender, asked.id)).state is AmendmentState.APPROVED
    assert await proved(lending) == []


async def test_refused_requests(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    guaranteed = await lending.pay_out(**S36, lending_mode=LendingMode.GUARANTEE)
    gone = await lending.pay_out(**S36)
    await lending.receive(gone, "200000.00", prepayment=PrepaymentMode.SETTLE)
    await lending.close(date(2026, 3, 9))
    before = await everything(lender)
    rate = Change(type=AmendmentType.RATE, annual_rate=D("0.13"))
    long_name = Consent(name="长" * 101, document_number="BZ-1")
    wrong: list[tuple[type[Refusal], UUID, Change, dict[str, Any]]] = [
        (NotFound, uuid7(), LONGER, {}),
        (InvalidState, gone, rate, {}),
        (InvalidInput, loan_id, rate, {"reason": " "}),
        (InvalidInput, loan_id, Change(type=AmendmentType.RATE, annual_rate=D("0.12")), {}),
        (InvalidInput, loan_id, Change(type=AmendmentType.RATE, annual_rate=D("0.13"), consents=(long_name,)), {}),
        (InvalidInput, loan_id, Change(type=AmendmentType.RATE, effective_date=date(2026, 3, 9)), {}),
        (ProductRuleViolated, loan_id, Change(type=AmendmentType.RATE, annual_rate=D("0.25")), {}),
        (ProductRuleViolated, loan_id, Change(type=AmendmentType.METHOD, method=Method.EQUAL_PRINCIPAL), {}),
        (GuarantorConsentMissing, guaranteed, rate, {}),
        (NotFound, loan_id, rate, {"attachment_ids": [uuid7()]}),
    ]
    for kind, key, change, given in wrong:
        with pytest.raises(kind):
            await ask(lender, key, change, **given)
        assert await everything(lender) == before, (kind, change)
    with pytest.raises(NotFound) as refused:
        await ask(lender, loan_id, replace(rate, consents=(Consent(name="李担保", attachment_id=uuid7()),)))
    assert refused.value.field == ("guarantorConsents", "attachmentId")
    for day in (date(2026, 2, 19), date(2026, 3, 11)):
        with pytest.raises(InvalidInput) as refused:
            await ask(lender, loan_id, Change(type=AmendmentType.RATE, annual_rate=D("0.13"), effective_date=day))
        assert refused.value.field == ("effectiveDate",)


async def test_nothing_takes_effect_in_a_closed_month(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 4))
    async with lender.system.writing() as ctx:
        await close_through(ctx, date(2026, 2, 28))
    change = Change(type=AmendmentType.RATE, annual_rate=D("0.108"), effective_date=date(2026, 2, 28))
    async with lender.account_manager.reading() as ctx:
        foreseen = await contract_amendment.preview(ctx, loan_id=loan_id, change=change)
    assert isinstance(foreseen, ClosedBusinessDay)
    with pytest.raises(ClosedBusinessDay) as refused:
        await ask(lender, loan_id, change)
    assert (refused.value.field, refused.value.params) == (foreseen.field, foreseen.params)
    assert refused.value.field == ("effectiveDate",)
