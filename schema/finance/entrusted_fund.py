"""委托资金录入 · Entrusted funds (F16): what came in and went back, and the statement of a fund."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.finance import entrusted_fund
from domain.lending.entrusted_loan import queries
from schema.configuration.company_account import CompanyAccount
from schema.kernel import ID, Connection, Date, DateTime, Hidden, Money, Node, Payload, entity, relation
from schema.lending.entrusted_loan import EntrustedContract
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount

if TYPE_CHECKING:
    from domain.finance.entrusted_fund import FundKind as FundKind
    from domain.finance.entrusted_fund import FundState as FundState
    from domain.lending.entrusted_loan.queries import FundMovement as FundMovement
else:
    FundKind = strawberry.enum(
        entrusted_fund.FundKind, name="EntrustedFundKind", description="委托资金方向 Into the fund, or back."
    )
    FundState = strawberry.enum(
        entrusted_fund.FundState, name="EntrustedFundState", description="委托资金状态 Whether it is posted."
    )
    FundMovement = strawberry.enum(
        queries.FundMovement, name="EntrustedFundMovement", description="委托资金流水 What moved a fund."
    )


@entity("entrusted_funds", reading="finance.entrusted_fund.read")
class EntrustedFund(Node):
    """委托资金 One amount of an entrustor that came in, or that goes back to him."""

    number: str
    """编号 The number people read: WZ-2026-0001."""
    kind: FundKind
    """方向 Into the fund, or back."""
    state: FundState
    """状态 Whether a second person has confirmed it."""
    amount: Money
    """金额 The amount."""
    value_date: Date
    """起息日 The day on which the money moved."""
    payer_name: str | None
    """付款人 Who paid it in."""
    bank_reference: str
    """银行流水号 What the bank calls it."""
    source_proof: str | None
    """资金来源证明 Where the money is from."""
    purpose: str
    """用途 What it is for."""
    comment: str | None
    """备注 What the second person said."""
    created_at: DateTime
    """录入时间 When it was entered."""
    decided_at: DateTime | None
    """确认时间 When it was confirmed or rejected."""
    entrusted_contract_id: Hidden[UUID]
    company_account_id: Hidden[UUID]
    customer_account_id: Hidden[UUID | None]
    entered_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "entered_by"})
    decided_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "decided_by"})

    @relation(by="entrusted_contract_id")
    def entrusted_contract(self) -> EntrustedContract:
        """委托合同 Whose fund it is."""

    @relation(by="company_account_id")
    def company_account(self) -> CompanyAccount:
        """公司账户 The account that holds the money."""

    @relation(by="customer_account_id")
    def customer_account(self) -> CustomerAccount | None:
        """收款账户 The entrustor's account that it goes to."""

    @relation(by="entered_by_id")
    def entered_by(self) -> Employee:
        """录入人 Who entered it."""

    @relation(by="decided_by_id")
    def decided_by(self) -> Employee | None:
        """确认人 Who confirmed or rejected it."""


@strawberry.type(description="委托资金列表 One page of what came in and went back.")
class EntrustedFundConnection(Connection[EntrustedFund]):
    pass


@strawberry.type(description="委托资金对账单行 One movement of a fund.")
class EntrustedFundStatementLine:
    on: Date
    """营业日 The business day on which it was booked."""
    value_date: Date
    """起息日 The day from which it counts."""
    movement: FundMovement
    """类型 What moved it."""
    amount: Money
    """金额 To the fund above zero."""
    balance: Money
    """余额 What is left after it."""
    voucher_number: str
    """凭证号 The voucher."""


@strawberry.type(description="委托资金对账单 What moved a fund between two business days, from its vouchers.")
class EntrustedFundStatement:
    first: Date
    """起始日 The first day."""
    last: Date
    """截止日 The last day."""
    opening: Money
    """期初余额 At the close of the day before the first."""
    closing: Money
    """期末余额 At the close of the last day."""
    lines: list[EntrustedFundStatementLine]
    """流水 Its movements, in the order of the vouchers."""


@strawberry.input(description="委托资金录入 Money that the entrustor has paid in.")
class RecordEntrustedFundInput:
    entrusted_contract_id: ID
    """委托合同 Whose fund it is."""
    amount: Money
    """金额 The amount."""
    value_date: Date
    """起息日 The day on which it came in."""
    company_account_id: ID
    """收款账户 An account for entrusted money."""
    payer_name: str
    """付款人 Who paid it: the entrustor."""
    bank_reference: str
    """银行流水号 What the bank calls it."""
    source_proof: str
    """资金来源证明 Where the money is from."""
    purpose: str
    """用途 What it is for."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""


@strawberry.input(description="转付委托资金 Money that goes to the entrustor.")
class ReturnEntrustedFundInput:
    entrusted_contract_id: ID
    """委托合同 Whose fund it is."""
    amount: Money
    """金额 At most what is left."""
    value_date: Date
    """起息日 The day on which it leaves."""
    company_account_id: ID
    """付款账户 An account for entrusted money."""
    customer_account_id: ID
    """收款账户 An account of the entrustor, in his name."""
    bank_reference: str
    """银行流水号 What the bank calls it."""
    purpose: str
    """用途 What it is."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""


@strawberry.input(description="委托资金确认 What waits for a second person.")
class ConfirmEntrustedFundInput:
    fund_id: ID
    """委托资金 What was entered."""
    comment: str | None = None
    """备注 A remark; rejecting needs one."""


@strawberry.input(description="委托资金拒绝 What is not on the bank's statement.")
class RejectEntrustedFundInput:
    fund_id: ID
    """委托资金 What was entered."""
    comment: str
    """理由 Why."""


@strawberry.type(description="委托资金结果 What was entered, or why nothing changed.")
class EntrustedFundPayload(Payload):
    fund: EntrustedFund | None = None
    """委托资金 What was entered."""
