"""撤销合同变更: undone, a loan is what its untouched twin is, whatever came in between (F28, decision 0035)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.money import yuan
from domain.calculation.schedule import Method
from domain.kernel.refusals import Denied, InvalidInput, InvalidState, SamePerson
from domain.ledger import account
from domain.ledger.journal import VoucherLine
from domain.lending.loan import EventType, LoanState, figures, posting, preview, queries, tax
from domain.post_loan import contract_amendment_reversal
from domain.post_loan.contract_amendment import AmendmentState
from domain.post_loan.contract_amendment_rules import AmendmentType, Change
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.lending.test_loan_golden_days import proved
from tests.lending.test_preview import lines_of, posted_since, vouchers
from tests.support.actors import LenderAtWork, a_lender
from tests.support.amendments import OPENED, S36, approve, ask, everything, row, terms
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at

CHANGES = {
    "extension": Change(type=AmendmentType.EXTENSION, extension_periods=3, annual_rate=D("0.132")),
    "rate": Change(type=AmendmentType.RATE, annual_rate=D("0.108"), effective_date=date(2026, 3, 2)),
    "method": Change(type=AmendmentType.METHOD, method=Method.EQUAL_INSTALLMENT),
    "acceleration": Change(type=AmendmentType.ACCELERATION, effective_date=date(2026, 3, 2)),
    "misuse": Change(type=AmendmentType.MISUSE_RATE, multiplier=D("2"), amount=D("100000.00")),
}


@pytest.fixture
async def lender(place: Any, ports: Any, blueprint: Any) -> LenderAtWork:
    """A lender that opened on the value date of S36."""
    return await a_lender(place, ports, blueprint, open_on=OPENED)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def undo(lender: LenderAtWork, amendment_id: UUID, reason: str = "录入错误") -> Any:
    return await contract_amendment_reversal.request_reversal(
        lender.account_manager, amendment_id=amendment_id, reason=reason
    )


async def undone(lender: LenderAtWork, amendment_id: UUID) -> Any:
    await undo(lender, amendment_id)
    await decide(lender.risk_officer, amendment_id)
    await decide(lender.business_manager, amendment_id)
    return await row(lender, amendment_id)


async def stands(lending: Lending, loan_id: UUID) -> dict[str, Any]:
    """Everything that can be seen of a loan today."""
    loan = await lending.loan(loan_id)
    async with lending.lender.system.reading() as ctx:
        rows = (await queries.installments(ctx, [loan_id]))[loan_id]
    return {
        "figures": await lending.figures(loan_id),
        "installments": list(rows),
        "terms": await terms(lending.lender, loan_id),
        "loan": (loan.state, loan.five_class, loan.days_past_due_since, loan.principal_outstanding),
    }


async def booked_like(lending: Lending, twin: UUID) -> None:
    """All vouchers of a lender with two loans come to twice what the accounts should hold of the untouched one."""
    sums: dict[str, D] = defaultdict(D)
    for line in await lending.lender.rows(VoucherLine):
        sums[line.account] += line.debit - line.credit
    async with lending.lender.system.reading() as ctx:
        vat = (await tax.rules(ctx)).of(await lending.loan(twin))
        held = posting.ledger((await figures.folds(ctx, [twin]))[twin], ctx.today, vat)
    for lenders_own in (account.BANK, account.ALLOWANCE):  # what he began with, and his monthly provision
        del held[lenders_own]
    assert {code: sums[code] for code in held} == {code: 2 * yuan(fen) for code, fen in held.items()}


async def alike(lending: Lending, loan_id: UUID, twin: UUID) -> None:
    assert await stands(lending, loan_id) == await stands(lending, twin)
    await booked_like(lending, twin)


@pytest.mark.parametrize("kind", CHANGES)
async def test_undone_it_is_its_untouched_twin(lender: LenderAtWork, lending: Lending, kind: str) -> None:
    loan_id, twin = await lending.pay_out(**S36), await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 11))
    approved = await approve(lender, await ask(lender, loan_id, CHANGES[kind]))
    await lending.close(date(2026, 3, 24))
    for one in (loan_id, twin):
        await lending.receive(one, "1500.00", date(2026, 3, 20))
    await lending.close(date(2026, 4, 2))
    assert await stands(lending, loan_id) != await stands(lending, twin)

    assert (await undone(lender, approved.id)).state is AmendmentState.REVERSED

    await alike(lending, loan_id, twin)
    assert [event.type for event in await lending.events(loan_id)][-1] is EventType.REVERSAL
    assert len(await lending.events(loan_id)) == 4, "payout, amendment, receipt and the opposite: nothing is wiped out"
    await lending.close(date(2026, 8, 24))
    for one in (loan_id, twin):
        await lending.receive(one, "9000.00", date(2026, 5, 2))
    await alike(lending, loan_id, twin)
    assert (await lending.loan(loan_id)).state is not LoanState.ACTIVE, "the old maturity has passed"
    assert await proved(lending) == []


async def test_the_request_and_the_decision_show_what_is_posted(lender: LenderAtWork, lending: Lending) -> None:
    loan_id = await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 11))
    approved = await approve(lender, await ask(lender, loan_id, CHANGES["rate"]))
    asked: dict[str, Any] = {"amendment_id": approved.id, "reason": "录入错误"}
    before = await everything(lender)
    found = await preview.of_request(lender.account_manager, contract_amendment_reversal.request_reversal, **asked)
    assert await everything(lender) == before
    assert (found.final, [one.loan_id for one in found.loans]) == (False, [loan_id])
    known = await vouchers(lending)
    await undone(lender, approved.id)
    assert lines_of(found) == await posted_since(lending, known)
    assert lines_of(found), "71.43 of interest come back"


async def test_of_two_extensions_either_is_undone_first(lender: LenderAtWork, lending: Lending) -> None:
    """The second was agreed in the first one's added month: without the first it lies behind the maturity."""
    short = S36 | {"periods": 2}
    loan_id, twin = await lending.pay_out(**short), await lending.pay_out(**short)
    longer = Change(type=AmendmentType.EXTENSION, extension_periods=1)
    first = await approve(lender, await ask(lender, loan_id, longer))
    await lending.close(date(2026, 4, 20))
    for one in (loan_id, twin):
        await lending.receive(one, "2000.00", date(2026, 3, 20))
        await lending.receive(one, "2000.00", date(2026, 4, 20))
    second = await approve(lender, await ask(lender, loan_id, longer))
    await lending.close(date(2026, 4, 29))
    await undo(lender, first.id)
    await decide(lender.risk_officer, first.id)
    before = await everything(lender)
    with pytest.raises(InvalidState) as refused:
        await decide(lender.business_manager, first.id)
    assert refused.value.field == ("taskId",)
    assert await everything(lender) == before
    await undone(lender, second.id)
    await decide(lender.business_manager, first.id)
    await alike(lending, loan_id, twin)
    assert await proved(lending) == []


async def test_only_what_is_in_force_is_undone_once_with_a_reason(lender: LenderAtWork, lending: Lending) -> None:
    loan_id = await lending.pay_out(**S36)
    asked = await ask(lender, loan_id)
    with pytest.raises(InvalidState):
        await undo(lender, asked.id)
    await approve(lender, asked)
    with pytest.raises(InvalidInput):
        await undo(lender, asked.id, reason=" ")
    before = await everything(lender)
    with pytest.raises(Denied):
        await contract_amendment_reversal.request_reversal(lender.cashier, amendment_id=asked.id, reason="错")
    assert await everything(lender) == before
    await undo(lender, asked.id)
    before = await everything(lender)
    with pytest.raises(InvalidState):
        await undo(lender, asked.id)
    with pytest.raises(InvalidInput):
        await decide(lender.risk_officer, asked.id, terms=ApprovedTerms(amount=D("1.00")))
    assert await everything(lender) == before
    await decide(lender.risk_officer, asked.id, Decision.REJECT, opinion="变更属实")
    refused = await row(lender, asked.id)
    assert (refused.state, refused.reversal_id) == (AmendmentState.APPROVED, None)
    assert (await undone(lender, asked.id)).state is AmendmentState.REVERSED
    with pytest.raises(InvalidState):
        await undo(lender, asked.id)


async def test_another_lender_lets_one_person_decide_but_never_the_maker(
    lender: LenderAtWork, lending: Lending
) -> None:
    steps = [{"code": "CHECK", "name": "复核 Check", "roles": ["ACCOUNT_MANAGER", "RISK_OFFICER"]}]
    await definition.publish(
        lender.tenant_admin,
        code=contract_amendment_reversal.REVERSAL,
        purpose=contract_amendment_reversal.REVERSAL,
        name="一人复核",
        nodes=steps,
    )
    approved = await approve(lender, await ask(lender, await lending.pay_out(**S36)))
    await undo(lender, approved.id)
    with pytest.raises((SamePerson, Denied)):
        await decide(lender.account_manager, approved.id)
    await decide(lender.risk_officer, approved.id)
    assert (await row(lender, approved.id)).state is AmendmentState.REVERSED
