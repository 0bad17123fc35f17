"""出纳退款 · Refund (F18)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.finance import refund
from schema.configuration.company_account import CompanyAccount
from schema.configuration.document import Document
from schema.finance.receipt import Receipt
from schema.kernel import ID, Connection, Date, DateTime, Hidden, Money, Node, Payload, entity, relation
from schema.lending.loan import Loan
from schema.lending.loan_preview import LoanChangePreview
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.finance.refund import RefundReason as RefundReason
    from domain.finance.refund import RefundState as RefundState
else:
    RefundReason = strawberry.enum(
        refund.RefundReason, description="退款原因 Why the lender holds money that is not his."
    )
    RefundState = strawberry.enum(
        refund.RefundState, description="退款状态 Where a refund stands; one that failed is asked for anew."
    )


@entity("refunds", reading="finance.refund.read")
class Refund(Node):
    """退款 Money of a receipt that goes back to who paid it."""

    number: str
    """退款编号 The number people read: TK-2026-0001."""
    state: RefundState
    """状态 Where it stands."""
    amount: Money
    """金额 What is asked; once approved, what was approved."""
    reason: RefundReason
    """原因 Why the money is given back."""
    note: str | None
    """说明 What was said about it."""
    offset_consent: bool
    """抵扣同意 Whether the customer agrees that arrears on other loans are paid out of it first."""
    offset_amount: Money
    """抵扣金额 What of it has paid arrears on other loans; the rest is paid out."""
    value_date: Date | None
    """付款日 The business day on which the cashier paid it."""
    by_hand: bool
    """人工付款 Paid by hand: a second person confirms it."""
    bank_reference: str | None
    """银行流水号 What the bank calls the payment."""
    comment: str | None
    """备注 What was said when it was confirmed or cancelled."""
    failure_reason: str | None = strawberry.field(
        metadata={"column": "failure"}, description="失败原因 Why the payment failed."
    )
    decided_at: DateTime | None
    """审批时间 When it was approved or rejected."""
    paid_at: DateTime | None
    """付款时间 When the lender knew that it was paid."""
    receipt_id: Hidden[UUID]
    loan_id: Hidden[UUID]
    customer_account_id: Hidden[UUID]
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})
    cashier_id: Hidden[UUID | None]
    company_account_id: Hidden[UUID | None]

    @relation(by="receipt_id")
    def receipt(self) -> Receipt:
        """还款 The receipt whose money it is."""

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan that it was paid on."""

    @relation(by="customer_account_id")
    def customer_account(self) -> CustomerAccount:
        """收款账户 The payer's account."""

    @relation(by="company_account_id")
    def company_account(self) -> CompanyAccount | None:
        """付款账户 The account it is paid from."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee:
        """申请人 Who asked."""

    @relation(by="cashier_id")
    def cashier(self) -> Employee | None:
        """出纳 Who paid it."""

    @relation
    def slips(self) -> list[Document]:
        """付款回单 Slips of a payment by hand."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The workflow that decides it."""


@strawberry.type(description="退款列表 One page of refunds.")
class RefundConnection(Connection[Refund]):
    pass


@strawberry.input(description="退款筛选 Only refunds that meet all that is given.")
class RefundFilter:
    states: list[RefundState] | None = None
    """状态 In one of these states."""
    loan_id: ID | None = None
    """借据 Of money paid on this loan."""
    customer_id: ID | None = None
    """客户 Of this borrower."""


@strawberry.input(description="待退款筛选 Only receipts that meet all that is given.")
class RefundableReceiptFilter:
    loan_id: ID | None = None
    """借据 On this loan."""
    customer_id: ID | None = None
    """客户 Of this borrower."""


@strawberry.input(description="申请退款 How much of which receipt goes back, and to which account.")
class RequestRefundInput:
    receipt_id: ID
    """还款 A posted receipt that has something left."""
    amount: Money
    """金额 At most what is refundable of it."""
    reason: RefundReason = refund.RefundReason.OVERPAYMENT
    """原因 Why the money is given back."""
    note: str | None = None
    """说明 What is to be said about it."""
    customer_account_id: ID | None = None
    """收款账户 An account in the payer's name. Left out: the one that is known."""
    offset_consent: bool = False
    """抵扣同意 The customer agrees that arrears on other loans are paid out of it first."""
    idempotency_key: str | None = None
    """幂等键 The same key and input answer the first result again."""


@strawberry.input(description="付退款 From where an approved refund is paid.")
class PayRefundInput:
    refund_id: ID
    """退款 An approved refund."""
    company_account_id: ID
    """付款账户 An account of the lender that pays out."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""
    attachment_ids: list[ID] | None = None
    """付款回单 Own uploads: it was paid by hand, and a second person confirms it. Left out: through the bank link."""


@strawberry.input(description="再次查询银行 The refund whose end the bank has not told.")
class AskBankAboutRefundInput:
    refund_id: ID
    """退款 A refund that is being paid through the bank."""


@strawberry.input(description="退款确认 Whether a payment by hand has left.")
class ConfirmRefundInput:
    refund_id: ID
    """退款 A refund that was paid by hand."""
    paid: bool = True
    """已付 False: the money has not left; say why."""
    comment: str | None = None
    """备注 The reason, where it was not paid."""


@strawberry.input(description="退款操作 The refund.")
class RefundActionInput:
    refund_id: ID
    """退款 The refund."""
    comment: str | None = None
    """备注 What is to be said about it."""


@strawberry.type(description="退款结果 The refund, or why nothing changed.")
class RefundPayload(Payload):
    refund: Refund | None = None
    """退款 The refund; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: what would change on its loan, and on others whose arrears it pays."""
