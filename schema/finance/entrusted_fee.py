"""委托录入手续费 · Entrusted fees (F17)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.finance import entrusted_fee
from schema.configuration.company_account import CompanyAccount
from schema.kernel import ID, Connection, Date, Hidden, Money, Node, Payload, entity, relation
from schema.lending.entrusted_loan import EntrustedContract
from schema.lending.loan import Loan

if TYPE_CHECKING:
    from domain.finance.entrusted_fee import EntrustedFeeState as EntrustedFeeState
    from domain.finance.entrusted_fee import EntrustedFeeType as EntrustedFeeType
    from domain.finance.entrusted_fee import FeeWay as FeeWay
else:
    EntrustedFeeType = strawberry.enum(entrusted_fee.EntrustedFeeType, description="委托手续费类型 What a fee is for.")
    EntrustedFeeState = strawberry.enum(
        entrusted_fee.EntrustedFeeState, description="委托手续费状态 Whether it is paid."
    )
    FeeWay = strawberry.enum(
        entrusted_fee.FeeWay, name="EntrustedFeeWay", description="委托手续费结算方式 How a fee is paid."
    )


@entity("entrusted_fees", reading="finance.entrusted_fee.read")
class EntrustedFee(Node):
    """委托手续费 One fee that an entrustor owes the lender; it never lowers what the borrower gets."""

    number: str
    """编号 The number people read: WF-2026-0001."""
    type: EntrustedFeeType
    """类型 What it is for."""
    state: EntrustedFeeState
    """状态 Whether it is paid."""
    amount: Money
    """应收金额 What is owed, VAT in it."""
    due_on: Date
    """应收日 Since when it is owed."""
    reason: str
    """说明 What it is for."""
    way: FeeWay | None
    """结算方式 How it was paid."""
    bank_reference: str | None
    """银行流水号 What the bank calls the transfer."""
    settled_on: Date | None
    """结算日 The business day on which it became income."""
    comment: str | None
    """备注 What the second person said."""
    entrusted_contract_id: Hidden[UUID]
    loan_id: Hidden[UUID | None]
    company_account_id: Hidden[UUID | None]

    @relation(by="entrusted_contract_id")
    def entrusted_contract(self) -> EntrustedContract:
        """委托合同 Under which contract."""

    @relation(by="loan_id")
    def loan(self) -> Loan | None:
        """借据 The loan whose pay-out made it due."""

    @relation(by="company_account_id")
    def company_account(self) -> CompanyAccount | None:
        """收款账户 The account it came to."""


@strawberry.type(description="委托手续费列表 One page of fees.")
class EntrustedFeeConnection(Connection[EntrustedFee]):
    pass


@strawberry.input(description="委托手续费筛选 Only fees that meet all that is given.")
class EntrustedFeeFilter:
    entrusted_contract_id: ID | None = None
    """委托合同 Under this contract."""
    states: list[EntrustedFeeState] | None = None
    """状态 In one of these states."""


@strawberry.input(description="委托录入手续费 A further fee that the entrustor owes.")
class RecordEntrustedFeeInput:
    entrusted_contract_id: ID
    """委托合同 Under which contract."""
    amount: Money
    """应收金额 VAT in it."""
    reason: str
    """说明 What it is for."""


@strawberry.input(description="手续费结算 How a fee was paid.")
class SettleEntrustedFeeInput:
    fee_id: ID
    """手续费 A fee that is owed."""
    way: FeeWay
    """结算方式 Transferred, or out of the fund."""
    company_account_id: ID | None = None
    """收款账户 Of a transfer: an account for fees."""
    bank_reference: str | None = None
    """银行流水号 Of a transfer: what the bank calls it."""
    idempotency_key: str
    """幂等键 The same key and input answer the first result again."""


@strawberry.input(description="手续费确认 Whether a fee was paid.")
class ConfirmEntrustedFeeInput:
    fee_id: ID
    """手续费 What waits for a second person."""
    paid: bool = True
    """已收 Whether the money is there."""
    comment: str | None = None
    """备注 A remark; needed where it is not."""


@strawberry.type(description="委托手续费结果 The fee, or why nothing changed.")
class EntrustedFeePayload(Payload):
    fee: EntrustedFee | None = None
    """手续费 The fee."""
