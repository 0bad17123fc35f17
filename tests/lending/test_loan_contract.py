"""借款合同: printed when approved, signed when the cost sheet is acknowledged, and what each step leaves (F10)."""

import json
from datetime import date, timedelta

import pytest

from domain.configuration.document import Document
from domain.finance.disbursement import Disbursement, DisbursementState
from domain.home.pending_task import Task, TaskState
from domain.kernel.clock import open_day
from domain.kernel.refusals import (
    ApprovalExpired,
    CostSheetNotAcknowledged,
    Denied,
    InvalidInput,
    InvalidState,
    NotFound,
)
from domain.lending import loan_application, loan_contract
from domain.lending.loan_contract import ContractState, LoanContract, SigningWay, check_signing_day
from tests.support.actors import LenderAtWork
from tests.support.lending import approved, prepared, reviewing, signed

TODAY = date(2025, 1, 1)


def test_it_is_signed_between_its_printing_and_today():
    for day in (date(2025, 1, 1), date(2025, 1, 3)):
        check_signing_day(day, date(2025, 1, 1), date(2025, 1, 3))
    for day in (date(2024, 12, 31), date(2025, 1, 4)):
        with pytest.raises(InvalidInput):
            check_signing_day(day, date(2025, 1, 1), date(2025, 1, 3))


async def open_tasks(lender: LenderAtWork) -> list[str]:
    return [task.type for task in await lender.rows(Task, Task.state == TaskState.OPEN)]


async def test_preparing_prints_the_pack_and_plans_the_pay_out(lender: LenderAtWork):
    contract = await prepared(lender)
    assert (contract.number, contract.state) == ("JK-2025-0001", ContractState.SIGNING)
    assert (contract.amount_in_words, contract.cost["apr_nominal"]) == ("壹拾万元整", "0.120000")
    assert not contract.cost["exceeds_cap"]
    documents = await lender.rows(Document)
    assert [document.name for document in documents] == [
        f"{name} JK-2025-0001.pdf" for name in ("借款合同", "借据", "综合融资成本明示表", "还款计划表")
    ]
    assert {document.template_version for document in documents} == {1}
    for document in documents:
        content = b"".join([piece async for piece in lender.ports.storage.read(lender.lender, document.sha256)])
        assert content.startswith(b"%PDF-")
        assert len(content) == document.size
        opened = lender.ports.keys.open(lender.lender, f"documents/data/{document.id}", document.data_sealed)
        assert json.loads(opened)["contract"]["number"] == "JK-2025-0001"
    (payout,) = await lender.rows(Disbursement)
    assert (payout.state, payout.amount) == (DisbursementState.PENDING, contract.amount)
    assert await open_tasks(lender) == ["CONTRACT_SIGNING"]


async def test_only_an_approved_application_gets_one_contract(lender: LenderAtWork):
    row = await reviewing(lender)
    with pytest.raises(InvalidState):
        await loan_contract.prepare(lender.account_manager, application_id=row.id)
    with pytest.raises(Denied):
        await loan_contract.prepare(lender.cashier, application_id=row.id)
    with pytest.raises(NotFound):
        await loan_contract.prepare(lender.second_account_manager, application_id=row.id)
    assert await lender.rows(LoanContract) == []


async def test_a_second_contract_is_refused_and_nothing_is_withdrawn(lender: LenderAtWork):
    contract = await prepared(lender)
    with pytest.raises(InvalidState):
        await loan_contract.prepare(lender.account_manager, application_id=contract.application_id)
    with pytest.raises(InvalidState):
        await loan_application.withdraw(lender.account_manager, application_id=contract.application_id)
    assert len(await lender.rows(LoanContract)) == 1
    assert len(await lender.rows(Document)) == 4


async def test_an_old_approval_is_worth_nothing(lender: LenderAtWork):
    row = await approved(lender)
    async with lender.system.writing() as ctx:
        await open_day(ctx, TODAY + timedelta(days=91))
    with pytest.raises(ApprovalExpired):
        await loan_contract.prepare(lender.account_manager, application_id=row.id)


async def test_the_cost_sheet_comes_before_the_signature(lender: LenderAtWork):
    contract, manager = await prepared(lender), lender.account_manager
    with pytest.raises(CostSheetNotAcknowledged):
        await loan_contract.sign(manager, contract_id=contract.id, signed_on=TODAY, way=SigningWay.PAPER)
    first = await loan_contract.acknowledge_cost_sheet(manager, contract_id=contract.id)
    again = await loan_contract.acknowledge_cost_sheet(manager, contract_id=contract.id)
    assert first.cost_sheet_acknowledged_at == again.cost_sheet_acknowledged_at
    with pytest.raises(InvalidInput):
        await loan_contract.sign(
            manager, contract_id=contract.id, signed_on=TODAY + timedelta(days=1), way=SigningWay.PAPER
        )
    (now,) = await lender.rows(LoanContract)
    assert (now.state, now.signed_on) == (ContractState.SIGNING, None)


async def test_signing_sends_the_pay_out_to_the_accountants(lender: LenderAtWork):
    contract = await signed(lender)
    assert (contract.state, contract.signed_on) == (ContractState.EFFECTIVE, TODAY)
    assert await open_tasks(lender) == ["DISBURSEMENT_REVIEW"]
    for again in (
        loan_contract.acknowledge_cost_sheet(lender.account_manager, contract_id=contract.id),
        loan_contract.sign(lender.account_manager, contract_id=contract.id, signed_on=TODAY, way=SigningWay.PAPER),
    ):
        with pytest.raises(InvalidState):
            await again


async def test_another_lender_knows_no_contract(lender: LenderAtWork, shared_lender: LenderAtWork):
    contract = await prepared(lender)
    with pytest.raises(NotFound):
        await loan_contract.acknowledge_cost_sheet(shared_lender.account_manager, contract_id=contract.id)
