"""贷前调查: what a report says, who files it, the repayment capacity, and that it starts the workflow (F10)."""

from datetime import date
from decimal import Decimal as D

import pytest

from domain.configuration import parameter
from domain.kernel.audit import GuardEntry
from domain.kernel.refusals import (
    Denied,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    RepaymentCapacityExceeded,
)
from domain.kernel.table import uuid7
from domain.lending import survey_report
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.lending.survey_report import SurveyReport, check_report
from domain.workflow.instance import Decision, WorkflowInstance
from tests.support.actors import LenderAtWork
from tests.support.lending import decide, investigating, reviewing, submitted, task_on

REPORT = {"findings": "经营稳定", "proposed_amount": D("100000.00")}


@pytest.mark.parametrize(
    ("proposed", "findings", "monthly", "refusal"),
    [
        ("100000.01", "可", (), InvalidAmount),
        ("0.00", "可", (), InvalidAmount),
        ("1.00", " ", (), InvalidInput),
        ("1.00", "可", (D("-0.01"),), InvalidAmount),
    ],
)
def test_what_no_report_says(proposed, findings, monthly, refusal):
    check_report(D("100000.00"), D("100000.00"), "可", (D("0.00"), None))
    with pytest.raises(refusal):
        check_report(D("100000.00"), D(proposed), findings, monthly)


async def test_filing_starts_the_workflow_with_the_proposed_amount(lender: LenderAtWork):
    row = await investigating(lender)
    filed = await survey_report.submit(
        lender.account_manager, application_id=row.id, findings="建议压缩额度", proposed_amount=D("80000.00")
    )
    assert filed.state is ApplicationState.REVIEWING
    task = await task_on(lender.risk_officer, row.id)
    assert (task.type, task.node, task.amount) == ("APPROVAL", "RISK_REVIEW", D("80000.00"))
    (run,) = await lender.rows(WorkflowInstance)
    assert set(run.makers) == {lender.account_manager.actor.id}
    assert run.facts["lending_mode"] == "CREDIT"
    await decide(lender.risk_officer, row.id)
    await decide(lender.business_manager, row.id)
    (done,) = await lender.rows(LoanApplication)
    assert (done.amount, done.approved_amount) == (D("100000.00"), D("80000.00"))


async def test_only_its_managers_file_it_and_only_then(lender: LenderAtWork):
    early = await submitted(lender)
    with pytest.raises(InvalidState):
        await survey_report.submit(lender.account_manager, application_id=early.id, **REPORT)
    with pytest.raises(NotFound):
        await survey_report.submit(lender.second_account_manager, application_id=early.id, **REPORT)
    with pytest.raises(Denied):
        await survey_report.submit(lender.risk_officer, application_id=early.id, **REPORT)
    assert await lender.rows(SurveyReport) == []


async def test_once_filed_it_is_filed(lender: LenderAtWork):
    row = await reviewing(lender)
    with pytest.raises(InvalidState):
        await survey_report.submit(lender.account_manager, application_id=row.id, **REPORT)


async def test_a_returned_application_gets_a_second_report(lender: LenderAtWork):
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id, Decision.RETURN, opinion="补充流水")
    await survey_report.submit(lender.account_manager, application_id=row.id, **REPORT)
    assert [report.version for report in await lender.rows(SurveyReport)] == [1, 2]
    assert len(await lender.rows(WorkflowInstance)) == 2


async def test_a_tight_budget_warns(lender: LenderAtWork):
    row = await investigating(lender)
    filed = await survey_report.submit(
        lender.account_manager,
        application_id=row.id,
        monthly_income=D("19000.00"),
        monthly_debt_service=D("1000.00"),
        **REPORT,
    )
    found = [result for result in filed.guards if result["code"] == "REPAYMENT_CAPACITY_EXCEEDED"]
    assert [(result["passed"], result["severity"], result["params"]["ratio"]) for result in found] == [
        (False, "WARN", "0.5203")  # (8,884.88 + 1,000.00) / 19,000.00
    ]
    (entry,) = await lender.rows(GuardEntry, GuardEntry.code == "REPAYMENT_CAPACITY_EXCEEDED")
    assert entry.severity == "WARN"


async def test_above_the_lender_s_own_limit_it_is_refused(lender: LenderAtWork):
    proposed = await parameter.propose(
        lender.tenant_admin, code="dsr_limit", value="0.52", effective_from=date(2025, 1, 1), reason="内部规定"
    )
    await parameter.approve(lender.general_manager, parameter_id=proposed.id)
    row = await investigating(lender)
    tight = {"monthly_income": D("19000.00"), "monthly_debt_service": D("1000.00")}
    with pytest.raises(RepaymentCapacityExceeded) as refused:
        await survey_report.submit(lender.account_manager, application_id=row.id, **tight, **REPORT)
    assert (refused.value.field, refused.value.params["ratio"]) == (("monthlyIncome",), "0.5203")
    assert await lender.rows(SurveyReport) == []
    await survey_report.submit(lender.account_manager, application_id=row.id, monthly_income=D("19100.00"), **REPORT)


async def test_a_stranger_s_upload_is_not_attached(lender: LenderAtWork):
    row = await investigating(lender)
    with pytest.raises(NotFound):
        await survey_report.submit(lender.account_manager, application_id=row.id, attachment_ids=[uuid7()], **REPORT)
    assert await lender.rows(SurveyReport) == []
