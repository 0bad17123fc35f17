"""贷款申请 · Loan application (F10), its assignment (F09) and survey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from domain.lending import assignment, guard_rules, loan_application
from schema.configuration.document import Document
from schema.configuration.loan_product import LendingMode, LoanProduct
from schema.customers.customer import Customer
from schema.kernel import (
    ID,
    JSON,
    Connection,
    DateTime,
    ErrorCode,
    Hidden,
    Money,
    Node,
    Payload,
    Rate,
    entity,
    relation,
)
from schema.lending.repayment_plan import Method
from schema.organization.employee import Employee
from schema.workflow.workflow import ApprovedTerms, WorkflowInstance

if TYPE_CHECKING:
    from domain.lending.assignment import AssignmentState as AssignmentState
    from domain.lending.guard_rules import GuardSeverity as GuardSeverity
    from domain.lending.loan_application import ApplicationState as ApplicationState
    from schema.lending.entrusted_loan import EntrustedContract
    from schema.lending.loan_contract import LoanContract
    from schema.lending.revolving_loan import CreditFacility
else:
    ApplicationState = strawberry.enum(loan_application.ApplicationState, description="申请状态 Where it stands.")
    AssignmentState = strawberry.enum(assignment.AssignmentState, description="分单状态 What became of a hand-over.")
    GuardSeverity = strawberry.enum(guard_rules.GuardSeverity, description="护栏级别 Refuses, or only warns.")

READING = "lending.loan_application.read"


@strawberry.type(description="护栏结果 One rule checked: what it compared with what, and the outcome.")
class GuardResult:
    code: ErrorCode
    """规则 The refusal that the rule would be."""
    passed: bool
    """通过 Whether it holds."""
    severity: GuardSeverity
    """级别 Refuses or warns."""
    params: JSON | None
    """数值 The figures compared."""


def guard_result(stored: dict[str, Any]) -> GuardResult:
    """A result as the application keeps it."""
    return GuardResult(
        code=ErrorCode(stored["code"]),
        passed=stored["passed"],
        severity=GuardSeverity(stored["severity"]),
        params=JSON(stored["params"]) if stored["params"] else None,
    )


@entity("loan_applications", reading=READING)
class LoanApplication(Node):
    """贷款申请 What a customer asks for, from the draft to the decision."""

    number: str
    """申请编号 The number people read: SQ2026112400001."""
    state: ApplicationState
    """状态 Where it stands."""
    amount: Money
    """申请金额 Amount asked for."""
    periods: int
    """期数 Number of periods."""
    annual_rate: Rate
    """年利率 Interest a year."""
    method: Method
    """还款方式 How it is paid back."""
    purpose_code: str
    """用途代码 Code of the purpose."""
    purpose: str
    """用途 What the money is for."""
    lending_mode: LendingMode
    """贷款方式 What secures it."""
    repayment_source: str | None
    """还款来源 From what it is paid back."""
    version: int
    """版本 Counts the edits; give it as expectedVersion."""
    created_at: DateTime
    """创建时间 When it was written."""
    customer_id: Hidden[UUID]
    product_id: Hidden[UUID]
    maker_id: Hidden[UUID]
    manager_id: Hidden[UUID | None]
    co_manager_id: Hidden[UUID | None]
    facility_id: Hidden[UUID | None]
    entrusted_contract_id: Hidden[UUID | None]
    approved_amount: Hidden[Any]
    approved_periods: Hidden[int | None]
    approved_annual_rate: Hidden[Any]
    approved_method: Hidden[Any]
    approved_conditions: Hidden[str | None]
    approved_valid_until: Hidden[Any]
    checked: Hidden[list[Any]] = strawberry.field(metadata={"column": "guards"})

    @strawberry.field(description="批准条件 The approved terms; null as long as nothing is approved.")
    def approved_terms(self) -> ApprovedTerms | None:
        if self.approved_valid_until is None:
            return None
        return ApprovedTerms(
            amount=self.approved_amount,
            periods=self.approved_periods or self.periods,
            annual_rate=self.approved_annual_rate,
            method=self.approved_method,
            valid_until=self.approved_valid_until,
            conditions=self.approved_conditions,
        )

    @strawberry.field(description="护栏 The rules checked at submission, or at approval; empty before.")
    def guards(self) -> list[GuardResult]:
        return [guard_result(found) for found in self.checked]

    @relation(by="customer_id")
    def customer(self) -> Customer:
        """客户 Who asks."""

    @relation(by="product_id")
    def product(self) -> LoanProduct:
        """产品 The version of the product it is on."""

    @relation(by="facility_id")
    def facility(self) -> Annotated[CreditFacility, strawberry.lazy("schema.lending.revolving_loan")] | None:
        """授信 The facility it draws on; null unless it is a drawdown."""

    @relation(by="entrusted_contract_id")
    def entrusted_contract(
        self,
    ) -> Annotated[EntrustedContract, strawberry.lazy("schema.lending.entrusted_loan")] | None:
        """委托合同 Whose money is to be lent; null unless it is for an entrusted loan."""

    @relation(by="maker_id")
    def maker(self) -> Employee:
        """经办 Who wrote it."""

    @relation(by="manager_id")
    def account_manager(self) -> Employee | None:
        """客户经理 To whom it is assigned."""

    @relation(by="co_manager_id")
    def co_manager(self) -> Employee | None:
        """协办客户经理 The second account manager, if there is one."""

    @relation
    def assignments(self) -> list[Assignment]:
        """分单记录 Every hand-over, in order."""

    @relation
    def survey(self) -> SurveyReport | None:
        """贷前调查 The latest survey report."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The latest run of its approval."""

    @relation
    def contract(self) -> Annotated[LoanContract, strawberry.lazy("schema.lending.loan_contract")] | None:
        """合同 Its contract; null before there is one, and after one that was void or terminated."""


@entity("assignments", reading=READING)
class Assignment(Node):
    """分单 One hand-over of an application to an account manager."""

    state: AssignmentState
    """状态 What became of it."""
    reason: str | None
    """理由 Why to this person."""
    answer: str | None
    """答复 What the account manager said."""
    created_at: DateTime
    """分单时间 When."""
    answered_at: DateTime | None
    """答复时间 When it was accepted, refused or replaced."""
    application_id: Hidden[UUID]
    manager_id: Hidden[UUID]
    assigned_by: Hidden[UUID]

    @relation(by="manager_id")
    def account_manager(self) -> Employee:
        """客户经理 To whom."""

    @relation(by="assigned_by")
    def assigner(self) -> Employee:
        """分单人 By whom."""


@entity("survey_reports", reading=READING)
class SurveyReport(Node):
    """贷前调查报告 What the account manager found."""

    version: int
    """版本 Version, from 1."""
    findings: str
    """调查结论 What was found."""
    proposed_amount: Money
    """建议金额 Amount proposed."""
    monthly_income: Money | None
    """月收入 Income a month."""
    monthly_debt_service: Money | None
    """月还债额 Debt service a month, without this loan."""
    created_at: DateTime
    """提交时间 When it was filed."""
    application_id: Hidden[UUID]
    surveyor_id: Hidden[UUID]

    @relation(by="surveyor_id")
    def surveyor(self) -> Employee:
        """调查人 Who surveyed."""

    @relation
    def attachments(self) -> list[Document]:
        """附件 Photos and papers."""


@strawberry.type(description="申请列表 One page of applications.")
class LoanApplicationConnection(Connection[LoanApplication]):
    pass


@strawberry.input(description="申请筛选 Only applications that meet all that is given.")
class LoanApplicationFilter:
    states: list[ApplicationState] | None = None
    """状态 In one of these states."""
    customer_id: ID | None = None
    """客户 Of this customer."""


@strawberry.input(description="申请内容 What is asked for.")
class LoanApplicationTermsInput:
    amount: Money
    """申请金额 Amount asked for."""
    periods: int
    """期数 Number of the product's periods."""
    annual_rate: Rate
    """年利率 Interest a year."""
    method: Method
    """还款方式 How it is paid back."""
    purpose_code: str
    """用途代码 Code of the purpose."""
    purpose: str
    """用途 What the money is for."""
    lending_mode: LendingMode
    """贷款方式 What secures it."""
    repayment_source: str | None = None
    """还款来源 From what it is paid back."""


@strawberry.input(description="新申请 An application to write.")
class CreateLoanApplicationInput(LoanApplicationTermsInput):
    customer_id: ID
    """客户 Who asks."""
    product_id: ID
    """产品 On which product."""
    entrusted_contract_id: ID | None = None
    """委托合同 Of an entrusted product: under which entrusted contract."""


@strawberry.input(description="修改申请 A draft or a returned application to change.")
class UpdateLoanApplicationInput(LoanApplicationTermsInput):
    application_id: ID
    """申请 The application."""
    expected_version: int
    """预期版本 The version that was read; a stale one is CONFLICT."""


@strawberry.type(description="新申请结果 The draft written.")
class CreateLoanApplicationPayload(Payload):
    application: LoanApplication | None = None
    """申请 The draft."""


@strawberry.input(description="申请操作 The application, and a remark.")
class LoanApplicationActionInput:
    application_id: ID
    """申请 The application."""
    comment: str | None = None
    """说明 A remark; refusing needs one."""


@strawberry.type(description="申请结果 The application, or why nothing changed.")
class LoanApplicationPayload(Payload):
    application: LoanApplication | None = None
    """申请 The application."""


@strawberry.input(description="贷款分单 To whom the application goes.")
class AssignLoanApplicationInput:
    application_id: ID
    """申请 The application."""
    account_manager_id: ID
    """主办客户经理 The account manager."""
    co_manager_id: ID | None = None
    """协办客户经理 The second account manager."""
    reason: str | None = None
    """理由 Why to this person."""


@strawberry.input(description="提交贷前调查 What was found; it starts the approval.")
class SubmitSurveyReportInput:
    application_id: ID
    """申请 The application."""
    findings: str
    """调查结论 What was found."""
    proposed_amount: Money
    """建议金额 At most what was asked for."""
    monthly_income: Money | None = None
    """月收入 Income a month; with it the repayment capacity is checked."""
    monthly_debt_service: Money | None = None
    """月还债额 Debt service a month, without this loan."""
    attachment_ids: list[ID] | None = None
    """附件 Own uploads."""
