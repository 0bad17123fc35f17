"""还款 · Receipts: keyed (F19), registered and reversed (F20)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.calculation.loan import events
from domain.finance import receipt
from domain.lending.loan.explanation_of_rows import LinePlace
from schema.configuration.company_account import CompanyAccount
from schema.configuration.loan_product import ReceivableComponent
from schema.kernel import ID, Connection, Date, DateRange, DateTime, Hidden, Money, Node, Payload, entity, relation
from schema.lending.explained_figure import ExplainedFigure
from schema.lending.loan import Loan
from schema.lending.loan_preview import LoanChangePreview
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.calculation.loan.events import PrepaymentMode as PrepaymentMode
    from domain.finance.receipt import ReceiptMethod as ReceiptMethod
    from domain.finance.receipt import ReceiptState as ReceiptState
else:
    PrepaymentMode = strawberry.enum(
        events.PrepaymentMode,
        description="提前还款方式 Smaller installments (减额), fewer of them (缩期), or all at once (结清).",
    )
    ReceiptMethod = strawberry.enum(receipt.ReceiptMethod, description="还款方式 How the money came.")
    ReceiptState = strawberry.enum(receipt.ReceiptState, description="还款状态 Where a receipt stands.")


@strawberry.type(description="分配明细 What one component of one installment gets.")
class AllocationLine:
    installment_seq: int | None
    """期次 The installment; null for a prepayment and the fee on it."""
    component: ReceivableComponent
    """应收项目 What it is for."""
    amount: Money
    """金额 How much."""
    place: Hidden[LinePlace | None] = None

    @relation(by="place")
    def explain(self) -> list[ExplainedFigure] | None:
        """数字由来 How the amount came about: what was left of the money, and what there was to pay. Null while the receipt is not
        registered, and once it is reversed."""


@entity("receipts", reading="finance.receipt.read")
class Receipt(Node):
    """还款 Money that came in on a loan."""

    number: str
    """还款编号 The number people read: HK-2026-0001."""
    state: ReceiptState
    """状态 Where it stands."""
    amount: Money
    """金额 What came in."""
    value_date: Date
    """入账日 The day it came in; it counts from then."""
    payer_name: str
    """付款人 Who paid, as the bank says."""
    bank_reference: str
    """银行流水号 What the bank calls the credit."""
    method: ReceiptMethod
    """还款方式 How the money came."""
    prepayment: PrepaymentMode | None
    """提前还款 What is done with money that is not due; null: it is kept."""
    comment: str | None
    """备注 What the checker said."""
    decided_at: DateTime | None
    """登记时间 When it was registered or rejected."""
    loan_id: Hidden[UUID]
    company_account_id: Hidden[UUID]
    entered_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "entered_by"})
    decided_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "decided_by"})

    @relation(by="loan_id")
    def loan(self) -> Loan | None:
        """借据 The loan."""

    @relation
    def allocation(self) -> list[AllocationLine]:
        """分配 What it paid, as the loan is known now; before it is registered, what it would pay. Empty once rejected."""

    @relation
    def unapplied(self) -> Money:
        """暂收 What of it nothing has taken: it is kept until something falls due, or refunded."""

    @relation
    def refundable(self) -> Money:
        """可退 What of it may be asked back: what is kept, less what open requests speak for."""

    @relation(by="company_account_id")
    def company_account(self) -> CompanyAccount:
        """收款账户 The account it came in on."""

    @relation(by="entered_by_id")
    def entered_by(self) -> Employee:
        """录入人 Who keyed it."""

    @relation(by="decided_by_id")
    def registered_by(self) -> Employee | None:
        """登记人 Who registered or rejected it."""

    @relation
    def reversal(self) -> WorkflowInstance | None:
        """冲正 The latest workflow about undoing it."""


@strawberry.type(description="还款列表 One page of receipts.")
class ReceiptConnection(Connection[Receipt]):
    pass


@strawberry.input(description="还款筛选 Only receipts that meet all that is given.")
class ReceiptFilter:
    search: str | None = None
    """搜索 How the number or the bank reference begins."""
    states: list[ReceiptState] | None = None
    """状态 In one of these states."""
    loan_id: ID | None = None
    """借据 On this loan."""
    customer_id: ID | None = None
    """客户 Of this borrower."""
    value_date: DateRange | None = None
    """入账日 Days on which the money came in."""


@strawberry.input(description="提前还款 What is done with money that is not due.")
class PrepaymentInput:
    mode: PrepaymentMode
    """方式 Smaller installments, fewer, or all at once."""


@strawberry.input(description="还款录入 What the bank's advice says.")
class EnterReceiptInput:
    loan_id: ID
    """借据 The loan it is for."""
    amount: Money
    """金额 What came in."""
    value_date: Date
    """入账日 The day it came in: from the loan's value date to today."""
    company_account_id: ID
    """收款账户 An account of the lender that takes repayments."""
    payer_name: str
    """付款人 Who paid."""
    bank_reference: str
    """银行流水号 What the bank calls the credit; each comes once on an account."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""
    method: ReceiptMethod = receipt.ReceiptMethod.TRANSFER
    """还款方式 How the money came."""
    prepayment: PrepaymentInput | None = None
    """提前还款 Prepay: what is not due is used for principal on the value date. Left out: it is kept."""


@strawberry.input(description="还款操作 With idempotencyKey a repeat after a lost answer gets the first answer.")
class ReceiptActionInput:
    receipt_id: ID
    """还款 The receipt."""
    comment: str | None = None
    """备注 What is to be said about it."""
    idempotency_key: str | None = None
    """幂等键 The same key and input answer the first result again."""


@strawberry.type(description="还款结果 The receipt, or why nothing changed.")
class ReceiptPayload(Payload):
    receipt: Receipt | None = None
    """还款 The receipt; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: what would change on its loan."""


@strawberry.input(description="分配试算 Money that might come in.")
class ReceiptAllocationPreviewInput:
    loan_id: ID
    """借据 The loan."""
    amount: Money
    """金额 How much."""
    value_date: Date
    """入账日 The day it would come in."""
    prepayment: PrepaymentInput | None = None
    """提前还款 What would be done with money that is not due."""


@strawberry.type(description="分配试算结果 What the money would pay; nothing is written.")
class ReceiptAllocationPreview:
    allocation: list[AllocationLine]
    """分配 What it would pay."""
    unapplied: Money
    """暂收 What would be kept."""
