"""贷款申请 · Loan application (F10), its assignment (F09) and survey."""

from __future__ import annotations

from dataclasses import fields
from uuid import UUID

import strawberry

from domain.configuration import document
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.lending import assignment, guards, loan_application, loan_contract, survey_report
from domain.lending.loan_application import Request
from domain.workflow import instance
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation, reads
from schema.configuration.document import Document
from schema.configuration.loan_product import LoanProduct
from schema.customers.customer import Customer
from schema.kernel import ID
from schema.lending.loan_application import (
    AssignLoanApplicationInput,
    Assignment,
    CreateLoanApplicationInput,
    CreateLoanApplicationPayload,
    GuardResult,
    LoanApplication,
    LoanApplicationActionInput,
    LoanApplicationConnection,
    LoanApplicationFilter,
    LoanApplicationPayload,
    LoanApplicationTermsInput,
    SubmitSurveyReportInput,
    SurveyReport,
    UpdateLoanApplicationInput,
    guard_result,
)
from schema.lending.loan_contract import LoanContract
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

CUSTOMERS = ("IndividualCustomer", "EnterpriseCustomer")


@strawberry.type
class LoanApplicationQueries:
    @reads(loan_application.page)
    async def loan_applications(
        self,
        info: Info,
        filter: LoanApplicationFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> LoanApplicationConnection:
        """贷款申请 Applications that I may see, newest first."""
        wanted = filter or LoanApplicationFilter()
        page = await loan_application.page(
            await info.context.reading(),
            columns=LoanApplication.columns(),
            window=Window(first, after, last, before),
            states=wanted.states,
            customer_id=key(wanted.customer_id, *CUSTOMERS),
        )
        return LoanApplicationConnection.of(LoanApplication, page)

    @reads(guards.preview)
    async def guard_check(self, info: Info, application_id: ID) -> list[GuardResult]:
        """护栏试算 What the guards would say to an application as it stands, before it is submitted; nothing is logged."""
        results = await guards.preview(
            await info.context.reading(), application_id=key(application_id, "LoanApplication")
        )
        return [guard_result(result.stored()) for result in results]


@strawberry.type
class LoanApplicationMutations:
    @mutation(loan_application.create)
    async def create_loan_application(
        self, info: Info, input: CreateLoanApplicationInput
    ) -> CreateLoanApplicationPayload:
        """新增贷款申请 Write a draft for a customer."""
        row = await loan_application.create(
            info.context.ctx,
            customer_id=key(input.customer_id, *CUSTOMERS),
            product_id=key(input.product_id, "LoanProduct"),
            request=_request(input),
            entrusted_contract_id=key(input.entrusted_contract_id, "EntrustedContract"),
        )
        return CreateLoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(loan_application.update)
    async def update_loan_application(self, info: Info, input: UpdateLoanApplicationInput) -> LoanApplicationPayload:
        """修改贷款申请 Change a draft or a returned application."""
        row = await loan_application.update(
            info.context.ctx,
            application_id=key(input.application_id, "LoanApplication"),
            expected_version=input.expected_version,
            request=_request(input),
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(loan_application.submit)
    async def submit_loan_application(self, info: Info, input: LoanApplicationActionInput) -> LoanApplicationPayload:
        """提交贷款申请 Check all guards and ask the business managers to assign it."""
        row = await loan_application.submit(
            info.context.ctx, application_id=key(input.application_id, "LoanApplication")
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(loan_application.withdraw)
    async def withdraw_loan_application(self, info: Info, input: LoanApplicationActionInput) -> LoanApplicationPayload:
        """撤回贷款申请 Take an application back; its tasks and its approval end."""
        row = await loan_application.withdraw(
            info.context.ctx,
            application_id=key(input.application_id, "LoanApplication"),
            comment=input.comment,
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(assignment.assign)
    async def assign_loan_application(self, info: Info, input: AssignLoanApplicationInput) -> LoanApplicationPayload:
        """贷款分单 Give a submitted application to an account manager."""
        row = await assignment.assign(
            info.context.ctx,
            application_id=key(input.application_id, "LoanApplication"),
            manager_id=key(input.account_manager_id, "Employee"),
            co_manager_id=key(input.co_manager_id, "Employee"),
            reason=input.reason,
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(assignment.accept)
    async def accept_loan_application(self, info: Info, input: LoanApplicationActionInput) -> LoanApplicationPayload:
        """接收贷款申请 The account manager takes it and begins the survey."""
        row = await assignment.accept(
            info.context.ctx,
            application_id=key(input.application_id, "LoanApplication"),
            comment=input.comment,
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(assignment.refuse)
    async def refuse_loan_application(self, info: Info, input: LoanApplicationActionInput) -> LoanApplicationPayload:
        """拒收贷款申请 The account manager gives it back to be assigned anew, with a reason."""
        row = await assignment.refuse(
            info.context.ctx,
            application_id=key(input.application_id, "LoanApplication"),
            comment=input.comment,
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))

    @mutation(survey_report.submit)
    async def submit_survey_report(self, info: Info, input: SubmitSurveyReportInput) -> LoanApplicationPayload:
        """提交贷前调查 File the survey; the approval begins."""
        row = await survey_report.submit(
            info.context.ctx,
            application_id=key(input.application_id, "LoanApplication"),
            findings=input.findings,
            proposed_amount=input.proposed_amount,
            monthly_income=input.monthly_income,
            monthly_debt_service=input.monthly_debt_service,
            attachment_ids=keys(input.attachment_ids, "Document"),
        )
        return LoanApplicationPayload(application=LoanApplication.of(row))


def _request(input: LoanApplicationTermsInput) -> Request:
    """The input's fields bear the names of the request."""
    return Request(**{part.name: getattr(input, part.name) for part in fields(Request)})


answers_by_key("LoanApplication.customer", Customer)
answers_by_key("LoanApplication.product", LoanProduct)
answers_by_key("LoanApplication.maker", Employee)
answers_by_key("LoanApplication.account_manager", Employee)
answers_by_key("LoanApplication.co_manager", Employee)
answers_by_key("Assignment.account_manager", Employee)
answers_by_key("Assignment.assigner", Employee)
answers_by_key("SurveyReport.surveyor", Employee)


@answers("LoanApplication.assignments")
async def assignments(ctx: Context, application_ids: list[UUID]) -> dict[UUID, list[Assignment]]:
    found = await assignment.by_application(ctx, application_ids, Assignment.columns())
    return {application_id: [Assignment.of(row) for row in rows] for application_id, rows in found.items()}


@answers("LoanApplication.survey")
async def survey(ctx: Context, application_ids: list[UUID]) -> dict[UUID, SurveyReport]:
    found = await survey_report.latest_by_application(ctx, application_ids, SurveyReport.columns())
    return {application_id: SurveyReport.of(row) for application_id, row in found.items()}


@answers("LoanApplication.workflow")
async def workflow(ctx: Context, application_ids: list[UUID]) -> dict[UUID, WorkflowInstance]:
    found = await instance.latest_by_subject(ctx, application_ids, WorkflowInstance.columns())
    return {application_id: WorkflowInstance.of(row) for application_id, row in found.items()}


@answers("LoanApplication.contract")
async def contract(ctx: Context, application_ids: list[UUID]) -> dict[UUID, LoanContract]:
    found = await loan_contract.by_application(ctx, application_ids, LoanContract.columns())
    return {application_id: LoanContract.of(row) for application_id, row in found.items()}


@answers("SurveyReport.attachments")
async def attachments(ctx: Context, report_ids: list[UUID]) -> dict[UUID, list[Document]]:
    found = await document.by_subject(ctx, report_ids, Document.columns())
    return {report_id: [Document.of(row) for row in rows] for report_id, rows in found.items()}
