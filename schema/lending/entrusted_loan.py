"""委托贷款业务 · Entrusted loans (F12): the entrusted contract, who entrusts, and how what comes in is shared."""

from __future__ import annotations

from uuid import UUID

import strawberry

from schema.customers.customer import Customer
from schema.finance.receipt import Receipt
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
    entity,
    relation,
)
from schema.organization.employee import Employee


@entity("entrusted_contracts", reading="lending.entrusted_contract.read")
class EntrustedContract(Node):
    """委托合同 Somebody's money, to be lent to a borrower of his choice, at his risk."""

    number: str
    """委托合同编号 The number people read: WT-2026-0001."""
    amount: Money
    """委托金额 The most that is lent under it at one time."""
    annual_rate: Rate
    """年利率 Interest a year, all of it the entrustor's."""
    one_off_fee_rate: Rate
    """一次性手续费率 What the entrustor pays the lender of each pay-out."""
    interest_fee_rate: Rate
    """收息手续费率 What the lender keeps of the interest that comes in."""
    instruction_letter: str
    """委托书编号 The letter in which the entrustor names borrower, use and terms."""
    source_proof: str
    """资金来源证明 Where the money is from: his own, no credit and nobody else's."""
    purpose: str
    """用途 What it is lent for."""
    signed_on: Date
    """签署日期 When it was signed."""
    created_at: DateTime
    """录入时间 When it was written."""
    entrustor_id: Hidden[UUID]
    borrower_id: Hidden[UUID]
    maker_id: Hidden[UUID]
    manager_id: Hidden[UUID | None]

    @relation(by="entrustor_id")
    def entrustor(self) -> Customer:
        """委托人 Whose money and risk it is."""

    @relation(by="borrower_id")
    def borrower(self) -> Customer:
        """借款人 To whom it is lent."""

    @relation(by="maker_id")
    def maker(self) -> Employee:
        """经办 Who wrote it."""

    @relation(by="manager_id")
    def account_manager(self) -> Employee | None:
        """客户经理 Who manages it."""

    @relation
    def fund_balance(self) -> Money:
        """委托资金余额 What is left of the entrustor's money at the lender, from the vouchers."""

    @relation
    def outstanding(self) -> Money:
        """委托贷款余额 Principal outstanding under it."""

    @relation
    def interest_splits(self) -> list[InterestSplit]:
        """收息分配 How each receipt that stands is shared, in the order of the value dates."""


@strawberry.type(description="收息分配 What one receipt brought the entrustor and the lender.")
class InterestSplit:
    value_date: Date
    """起息日 The day on which it came in."""
    interest: Money
    """利息 Interest, penalty, compound and fees that it paid."""
    handling_fee: Money
    """收息手续费 What of it is the lender's fee."""
    to_entrustor: Money
    """应付委托人 What is passed on, principal in it."""
    receipt: Receipt
    """还款 The receipt."""


@strawberry.type(description="委托合同列表 One page of entrusted contracts.")
class EntrustedContractConnection(Connection[EntrustedContract]):
    pass


@strawberry.type(description="委托人 A customer whose money the lender lends.")
class Entrustor:
    customer: Customer
    """客户 Who it is."""
    contracts: int
    """合同数 How many entrusted contracts."""
    amount: Money
    """委托金额 Their amounts."""
    lent: Money
    """委托贷款余额 Principal outstanding."""
    balance: Money
    """委托资金余额 What is left of the money."""


@strawberry.input(description="委托合同筛选 Only contracts that meet all that is given.")
class EntrustedContractFilter:
    entrustor_id: ID | None = None
    """委托人 Of this entrustor."""
    borrower_id: ID | None = None
    """借款人 Lent to this borrower."""


@strawberry.input(description="委托贷款筛选 Only loans that meet all that is given.")
class EntrustedLoanFilter:
    entrusted_contract_id: ID | None = None
    """委托合同 Under this contract."""


@strawberry.input(description="新委托合同 An entrusted contract that was signed.")
class CreateEntrustedContractInput:
    entrustor_id: ID
    """委托人 Whose money it is."""
    borrower_id: ID
    """借款人 To whom it is lent."""
    amount: Money
    """委托金额 The most that is lent at one time."""
    annual_rate: Rate
    """年利率 Interest a year."""
    one_off_fee_rate: Rate
    """一次性手续费率 Of each pay-out; 0 for none."""
    interest_fee_rate: Rate
    """收息手续费率 Of the interest that comes in; 0 for none."""
    instruction_letter: str
    """委托书编号 The entrustor's letter."""
    source_proof: str
    """资金来源证明 Where the money is from."""
    purpose: str
    """用途 What it is lent for."""
    signed_on: Date
    """签署日期 When it was signed."""
    idempotency_key: str | None = None
    """幂等键 A repeat with the same key gets the first answer."""


@strawberry.type(description="委托合同结果 The entrusted contract, or why there is none.")
class EntrustedContractPayload(Payload):
    contract: EntrustedContract | None = None
    """委托合同 The contract."""
