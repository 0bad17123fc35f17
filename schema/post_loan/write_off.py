"""核销管理 · Write-off (F34)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.post_loan import write_off
from schema.configuration.document import Document
from schema.finance.receipt import ReceiptMethod
from schema.kernel import (
    ID,
    Connection,
    Date,
    DateRange,
    DateTime,
    Hidden,
    Money,
    Node,
    Payload,
    entity,
    relation,
)
from schema.lending.loan import Loan
from schema.lending.loan_preview import LoanChangePreview
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.post_loan.write_off import WriteOffCondition as WriteOffCondition
    from domain.post_loan.write_off import WriteOffState as WriteOffState
else:
    WriteOffCondition = strawberry.enum(
        write_off.WriteOffCondition, description="核销条件 What makes a claim hopeless enough to be written off."
    )
    WriteOffState = strawberry.enum(
        write_off.WriteOffState, description="核销状态 REVERSED: undone by an opposite entry, so it never was."
    )


@entity("write_offs", reading="post_loan.write_off.read")
class WriteOff(Node):
    """核销 A loan of the class LOSS that leaves the books; the claim stays."""

    number: str
    """核销编号 The number people read: HX-2026-0001."""
    state: WriteOffState
    """状态 Where it stands."""
    principal: Money
    """本金 What the loan owed of it when it was asked; once written off, on that day."""
    on_balance_interest: Money
    """表内利息 Interest, penalty and compound on balance then."""
    off_balance_interest: Money
    """表外利息 The same beside the balance sheet."""
    fees: Money
    """费用 Fees due then."""
    condition: WriteOffCondition
    """核销条件 What makes the claim hopeless."""
    evidence: list[str]
    """证据清单 The papers that prove it, by name."""
    responsibility: str
    """责任认定 Who answers for the loss, as was found."""
    effective_on: Date | None
    """核销日 The business date on which it left the books."""
    decided_at: DateTime | None
    """审批时间 When it was decided."""
    comment: str | None
    """备注 Why it is to be undone."""
    loan_id: Hidden[UUID]
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})
    decided_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "decided_by"})

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee:
        """申请人 Who asked."""

    @relation(by="decided_by_id")
    def decided_by(self) -> Employee | None:
        """审批人 Who gave the last word."""

    @relation
    def documents(self) -> list[Document]:
        """附件 The papers as they were uploaded."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The latest workflow about it."""


@strawberry.type(description="核销列表 One page of write-offs.")
class WriteOffConnection(Connection[WriteOff]):
    pass


@strawberry.type(
    description="已核销贷款 One line of the register: what left the books, what came in since, what is still claimed."
)
class WrittenOffLoan:
    written_off_on: Date
    """核销日 When it left the books."""
    principal: Money
    """核销本金 Principal that left the books."""
    interest: Money
    """核销利息 Interest, penalty, compound and fees that were claimed with it."""
    recovered_principal: Money
    """收回本金 What came in of the principal."""
    recovered_interest: Money
    """收回利息 What came in of the rest."""
    claimed_principal: Money
    """未收回本金 Principal still claimed."""
    claimed_interest: Money
    """未收回利息 The rest still claimed."""
    loan_id: Hidden[UUID]

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan."""

    @relation(by="loan_id")
    def write_off(self) -> WriteOff:
        """核销 The decision behind it."""


@strawberry.type(description="已核销登记簿 One page of the register.")
class WrittenOffLoanConnection(Connection[WrittenOffLoan]):
    pass


@strawberry.input(description="核销筛选 Only write-offs that meet all that is given.")
class WriteOffFilter:
    states: list[WriteOffState] | None = None
    """状态 In one of these states."""
    loan_id: ID | None = None
    """借据 Of this loan."""
    customer_id: ID | None = None
    """客户 Of this borrower."""


@strawberry.input(description="登记簿筛选 Only lines that meet all that is given.")
class WrittenOffFilter:
    customer_id: ID | None = None
    """客户 Of this borrower."""
    written_off_on: DateRange | None = None
    """核销日 Written off on these days."""
    only_open: bool = False
    """仅未收回 Only where something is still claimed."""


@strawberry.input(description="申请核销 The loan, and why it may be written off.")
class RequestWriteOffInput:
    loan_id: ID
    """借据 A loan of the class LOSS."""
    condition: WriteOffCondition
    """核销条件 What makes the claim hopeless."""
    evidence: list[str]
    """证据清单 The papers that prove it, by name; at least one."""
    responsibility: str
    """责任认定 Who answers for the loss, as was found."""
    attachment_ids: list[ID] | None = None
    """附件 Own uploads."""


@strawberry.input(description="核销操作 The write-off.")
class WriteOffActionInput:
    write_off_id: ID
    """核销 The write-off."""
    comment: str | None = None
    """备注 Why; needed to undo it."""


@strawberry.type(description="核销结果 The write-off, or why nothing changed.")
class WriteOffPayload(Payload):
    write_off: WriteOff | None = None
    """核销 The write-off; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: what would change on its loan."""


@strawberry.input(description="收回已核销贷款 What the bank's advice says of money that came in on a written-off loan.")
class RecordRecoveryInput:
    loan_id: ID
    """借据 A loan that is written off."""
    amount: Money
    """金额 What came in."""
    value_date: Date
    """入账日 The day it came in; before the write-off it shrinks that."""
    company_account_id: ID
    """收款账户 An account of the lender that takes repayments."""
    payer_name: str
    """付款人 Who paid."""
    bank_reference: str
    """银行流水号 What the bank calls the credit."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""
    method: ReceiptMethod = ReceiptMethod.TRANSFER
    """还款方式 How the money came."""
