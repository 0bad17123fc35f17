"""合同变更 · Contract amendment (F28)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from domain.calculation.classification import FiveClass as Class
from domain.calculation.money import yuan
from domain.calculation.schedule import Method as RepaymentMethod
from domain.post_loan import contract_amendment, contract_amendment_rules
from schema.configuration.document import Document
from schema.kernel import (
    ID,
    Connection,
    Date,
    DateTime,
    Hidden,
    Money,
    Node,
    Payload,
    Rate,
    UserError,
    entity,
    relation,
)
from schema.lending.loan import FiveClass, Installment, InstallmentState, Loan, LoanEvent
from schema.lending.loan_preview import LoanChangePreview, PreviewedEntry
from schema.lending.repayment_plan import FinancingCost, Method
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.post_loan.contract_amendment import AmendmentState as AmendmentState
    from domain.post_loan.contract_amendment_rules import AmendmentType as AmendmentType
else:
    AmendmentState = strawberry.enum(
        contract_amendment.AmendmentState, description="变更状态 Where an amendment stands."
    )
    AmendmentType = strawberry.enum(contract_amendment_rules.AmendmentType, description="变更类型 What is changed.")


@strawberry.type(description="变更前后 A loan at the close of the day on which it was looked at.")
class AmendedLoan:
    annual_rate: Rate
    """年利率 Interest a year as last agreed; that of an extension holds from the old maturity on."""
    method: Method
    """还款方式 How it is paid back, as last agreed."""
    maturity_date: Date
    """到期日 The last due date of the plan."""
    total_interest: Money
    """利息合计 Interest of all installments, from the first to the last."""
    on: Date
    """日期 The day of the figures."""
    principal_outstanding: Money
    """本金余额 Principal not paid back."""
    overdue_principal: Money
    """逾期本金 Principal of installments beyond their grace."""
    accrued_interest: Money
    """当期应计利息 Running interest of the current period."""
    due_unpaid_interest: Money
    """应收未收利息 Interest that is due and unpaid."""
    penalty: Money
    """罚息 Penalty interest."""
    compound: Money
    """复利 Compound interest."""
    fees: Money
    """费用 Fees due and unpaid."""
    unapplied: Money
    """暂收款 Money kept for the next installment."""
    days_past_due: int
    """逾期天数 Days since the oldest due date beyond its grace."""
    five_class: FiveClass
    """五级分类 The system class."""
    installments: list[Installment]
    """还款计划 The installments as they stand."""
    cost: FinancingCost | None
    """综合融资成本 What the whole loan costs the borrower a year; null for what is no new term."""

    @classmethod
    def of(cls, kept: dict[str, Any]) -> AmendedLoan:
        """From `contract_amendment_effect.snapshot`."""
        figures = kept["figures"]
        money = (
            "principal_outstanding", "overdue_principal", "accrued_interest", "due_unpaid_interest", "penalty",
            "compound", "fees", "unapplied",
        )  # fmt: skip
        return cls(
            annual_rate=Rate(Decimal(kept["annual_rate"])),
            method=RepaymentMethod(kept["method"]),
            maturity_date=date.fromisoformat(kept["maturity_date"]),
            total_interest=_money(kept["total_interest"]),
            on=date.fromisoformat(figures["on"]),
            days_past_due=figures["days_past_due"],
            five_class=Class(figures["five_class"]),
            installments=[_installment(row) for row in kept["installments"]],
            cost=_cost(kept["cost"]),
            **{name: _money(figures[name]) for name in money},
        )


def _installment(row: dict[str, Any]) -> Installment:
    money = ("principal", "interest", "unpaid_principal", "unpaid_interest", "penalty", "compound", "fee")
    return Installment(
        seq=row["seq"],
        start_date=date.fromisoformat(row["start_date"]),
        due_date=date.fromisoformat(row["due_date"]),
        state=InstallmentState(row["state"]),
        paid_on=date.fromisoformat(row["paid_on"]) if row["paid_on"] else None,
        place=None,
        **{name: _money(row[name]) for name in money},
    )


def _cost(shown: dict[str, Any] | None) -> FinancingCost | None:
    if shown is None:
        return None
    return FinancingCost(
        **{name: Decimal(value) if isinstance(value, str) else value for name, value in shown.items()}  # type: ignore[arg-type]
    )


def _money(amount: int) -> Money:
    return Money(yuan(amount))


@strawberry.type(description="担保人同意 Somebody who secures the loan agreed in writing.")
class GuarantorConsent:
    name: str
    """担保人 Who agreed: guarantor, mortgagor or pledgor."""
    document_number: str | None
    """文件编号 Number of the paper."""
    attachment_id: Hidden[UUID | None]

    @relation(by="attachment_id")
    def attachment(self) -> Document | None:
        """扫描件 The scanned paper."""


@entity("contract_amendments", reading="post_loan.contract_amendment.read")
class ContractAmendment(Node):
    """合同变更 New terms of a living loan, or what a breach of the contract brings."""

    number: str
    """补充协议编号 The number people read: BG-2026-0001."""
    state: AmendmentState
    """状态 Where it stands."""
    type: AmendmentType
    """变更类型 What is changed."""
    effective_date: Date
    """生效日 The day of the agreement, or of the notice."""
    annual_rate: Rate | None
    """年利率 The new rate."""
    method: Method | None
    """还款方式 The new method."""
    extension_periods: int | None
    """展期期数 By how many periods of the loan the maturity moves."""
    multiplier: Rate | None
    """挪用倍数 How many times the contract rate misused money bears."""
    amount: Money | None
    """挪用金额 The misused part of the principal; null: all of it."""
    because_of_difficulty: bool
    """因困难变更 Agreed because the borrower is in difficulty: a restructuring."""
    reason: str
    """原因 Why."""
    decided_at: DateTime | None
    """审批时间 When it was decided."""
    reversal_reason: str | None
    """撤销原因 Why it is to be undone, or was; null where nobody asked."""
    loan_id: Hidden[UUID]
    event_id: Hidden[UUID | None]
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})
    kept_consents: Hidden[list[dict[str, Any]]] = strawberry.field(metadata={"column": "consents"})
    kept_before: Hidden[dict[str, Any]] = strawberry.field(metadata={"column": "before"})
    kept_after: Hidden[dict[str, Any]] = strawberry.field(metadata={"column": "after"})

    @strawberry.field(description="变更前 The loan without it, at the request, then at the approval.")
    def before(self) -> AmendedLoan:
        return AmendedLoan.of(self.kept_before)

    @strawberry.field(description="变更后 The loan with it, at the request, then at the approval.")
    def after(self) -> AmendedLoan:
        return AmendedLoan.of(self.kept_after)

    @strawberry.field(description="担保人同意 Who secures the loan and agreed in writing.")
    def guarantor_consents(self) -> list[GuarantorConsent]:
        return [
            GuarantorConsent(
                name=one["name"],
                document_number=one["document_number"],
                attachment_id=UUID(one["attachment_id"]) if one["attachment_id"] else None,
            )
            for one in self.kept_consents
        ]

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee:
        """申请人 Who asked."""

    @relation(by="event_id")
    def event(self) -> LoanEvent | None:
        """事件 The loan's event, once it is approved."""

    @relation
    def documents(self) -> list[Document]:
        """附件 The supplement agreement and the papers of those who secure the loan."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The workflow that decides it, or the last one about undoing it."""


@strawberry.type(description="合同变更列表 One page of amendments.")
class ContractAmendmentConnection(Connection[ContractAmendment]):
    pass


@strawberry.input(description="合同变更筛选 Only amendments that meet all that is given.")
class ContractAmendmentFilter:
    states: list[AmendmentState] | None = None
    """状态 In one of these states."""
    types: list[AmendmentType] | None = None
    """变更类型 Of one of these types."""
    loan_id: ID | None = None
    """借据 On this loan."""
    customer_id: ID | None = None
    """客户 Of this borrower."""


@strawberry.input(description="担保人同意 Who secures the loan and agreed, with the number of the paper or its scan.")
class GuarantorConsentInput:
    name: str
    """担保人 Who agreed."""
    document_number: str | None = None
    """文件编号 Number of the paper."""
    attachment_id: ID | None = None
    """扫描件 An own upload."""


@strawberry.input(description="合同变更申请 What is to be changed; each type takes its own fields.")
class RequestAmendmentInput:
    loan_id: ID
    """借据 The loan."""
    type: AmendmentType
    """变更类型 What is changed."""
    reason: str
    """原因 Why."""
    effective_date: Date | None = None
    """生效日 The day of the agreement or of the notice, by default today; back to the loan's first day."""
    annual_rate: Rate | None = None
    """年利率 With RATE; with EXTENSION where the rate changes at the old maturity."""
    method: Method | None = None
    """还款方式 With METHOD; with EXTENSION where the method changes at the old maturity."""
    extension_periods: int | None = None
    """展期期数 With EXTENSION: periods of the loan's own unit."""
    multiplier: Rate | None = None
    """挪用倍数 With MISUSE_RATE: times the contract rate, 1.5 to 2; 1 ends it."""
    amount: Money | None = None
    """挪用金额 With MISUSE_RATE: the misused part of the principal; left out: all of it."""
    because_of_difficulty: bool = False
    """因困难变更 Agreed because the borrower is in difficulty: a restructuring."""
    guarantor_consents: list[GuarantorConsentInput] | None = None
    """担保人同意 Needed where the loan is secured and its burden grows."""
    attachment_ids: list[ID] | None = None
    """附件 Own uploads: the supplement agreement, the notice, evidence."""


@strawberry.input(description="合同变更操作 The amendment.")
class ContractAmendmentActionInput:
    amendment_id: ID
    """合同变更 The amendment."""


@strawberry.input(description="撤销合同变更 An amendment in force that is to be undone.")
class RequestAmendmentReversalInput:
    amendment_id: ID
    """合同变更 The amendment."""
    reason: str
    """原因 Why it should never have been."""


@strawberry.type(description="合同变更结果 The amendment, or why nothing changed.")
class ContractAmendmentPayload(Payload):
    amendment: ContractAmendment | None = None
    """合同变更 The amendment; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: what would change on its loan, day by day."""


@strawberry.type(
    description="合同变更试算 What an amendment would do if it were approved now, or why it would be refused."
)
class AmendmentPreview:
    before: AmendedLoan | None
    """变更前 The loan as it stands; null where it would be refused."""
    after: AmendedLoan | None
    """变更后 The loan with the amendment; null where it would be refused."""
    entries: list[PreviewedEntry]
    """分录 The voucher that would be posted today; empty where nothing is to be booked."""
    user_errors: list[UserError]
    """拒绝原因 Why it would be refused; empty where it would not."""
