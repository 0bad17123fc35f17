"""出纳放款 · Disbursement (F15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.finance import disbursement
from schema.configuration.company_account import CompanyAccount
from schema.configuration.document import Document
from schema.kernel import ID, Connection, Date, DateTime, Hidden, Money, Node, Payload, entity, relation
from schema.lending.loan import Loan
from schema.lending.loan_preview import LoanChangePreview
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount

if TYPE_CHECKING:
    from domain.finance.disbursement import DisbursementState as DisbursementState
    from schema.lending.loan_contract import LoanContract
else:
    DisbursementState = strawberry.enum(
        disbursement.DisbursementState, description="放款状态 Where a pay-out stands; a failed one is PENDING again."
    )


@entity("disbursements", reading="finance.disbursement.read")
class Disbursement(Node):
    """放款 The pay-out of a contract."""

    number: str
    """放款编号 The number people read: FK-2026-0001."""
    state: DisbursementState
    """状态 Where it stands."""
    amount: Money
    """金额 All of the principal; nothing is deducted."""
    value_date: Date | None
    """起息日 The day on which the money leaves; the schedule begins on it."""
    bank_reference: str | None
    """银行流水号 What the bank calls the payment."""
    comment: str | None
    """备注 What reviewer or accountant said."""
    failure_reason: str | None = strawberry.field(
        metadata={"column": "failure"}, description="失败原因 Why the last payment failed."
    )
    paid_at: DateTime | None
    """付款时间 When the lender knew that it was paid."""
    contract_id: Hidden[UUID]
    loan_id: Hidden[UUID | None]
    reviewer_id: Hidden[UUID | None]
    cashier_id: Hidden[UUID | None]
    company_account_id: Hidden[UUID | None]
    customer_account_id: Hidden[UUID | None]

    @relation(by="contract_id")
    def contract(self) -> Annotated[LoanContract, strawberry.lazy("schema.lending.loan_contract")]:
        """合同 The contract that it fulfils."""

    @relation(by="loan_id")
    def loan(self) -> Loan | None:
        """借据 The loan that began with it; null until it is paid."""

    @relation(by="reviewer_id")
    def reviewer(self) -> Employee | None:
        """复核人 The accountant who reviewed it."""

    @relation(by="cashier_id")
    def cashier(self) -> Employee | None:
        """出纳 Who paid it."""

    @relation(by="company_account_id")
    def company_account(self) -> CompanyAccount | None:
        """付款账户 The account it is paid from."""

    @relation(by="customer_account_id")
    def customer_account(self) -> CustomerAccount | None:
        """收款账户 The borrower's account."""

    @relation
    def slips(self) -> list[Document]:
        """付款回单 Slips of a payment by hand."""


@strawberry.type(description="放款列表 One page of disbursements.")
class DisbursementConnection(Connection[Disbursement]):
    pass


@strawberry.input(description="放款筛选 Only disbursements that meet all that is given.")
class DisbursementFilter:
    states: list[DisbursementState] | None = None
    """状态 In one of these states."""
    customer_id: ID | None = None
    """客户 Of this borrower."""


@strawberry.input(description="放款操作 The disbursement.")
class DisbursementActionInput:
    disbursement_id: ID
    """放款 The disbursement."""
    comment: str | None = None
    """备注 What is to be said about it."""


@strawberry.input(description="付款 From where, to where, how much, when.")
class PayDisbursementInput:
    disbursement_id: ID
    """放款 A reviewed disbursement."""
    company_account_id: ID
    """付款账户 An account of the lender that may pay out loans."""
    customer_account_id: ID
    """收款账户 An account in the borrower's own name."""
    amount: Money
    """金额 The whole amount of the disbursement."""
    value_date: Date
    """起息日 The day on which the money leaves: from the signing to today."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""
    attachment_ids: list[ID] | None = None
    """付款回单 Own uploads: it was paid by hand, and a second person confirms it. Left out: through the bank link."""


@strawberry.input(description="再次查询银行 The payment whose end the bank has not told.")
class AskBankAgainInput:
    disbursement_id: ID
    """放款 A disbursement that is being paid through the bank."""


@strawberry.input(description="放款确认 Whether a payment by hand has left.")
class ConfirmDisbursementInput:
    disbursement_id: ID
    """放款 A disbursement that was paid by hand."""
    paid: bool = True
    """已付 False: the money has not left; say why."""
    comment: str | None = None
    """备注 The reason, where it was not paid."""


@strawberry.type(description="放款结果 The disbursement, or why nothing changed.")
class DisbursementPayload(Payload):
    disbursement: Disbursement | None = None
    """放款 The disbursement; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: the loan that would begin."""
