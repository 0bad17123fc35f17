"""借款合同 · Loan contract (F10)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from domain.lending import loan_contract
from schema.configuration.document import Document
from schema.configuration.loan_product import LendingMode, LoanProduct
from schema.customers.customer import Customer
from schema.kernel import ID, Date, DateTime, Hidden, Money, Node, Payload, Rate, entity, relation
from schema.lending.repayment_plan import FinancingCost, Method

if TYPE_CHECKING:
    from domain.lending.loan_contract import ContractState as ContractState
    from domain.lending.loan_contract import SigningWay as SigningWay
    from schema.finance.disbursement import Disbursement
    from schema.lending.loan_application import LoanApplication
else:
    ContractState = strawberry.enum(loan_contract.ContractState, description="合同状态 Where the contract stands.")
    SigningWay = strawberry.enum(loan_contract.SigningWay, description="签署方式 On paper or electronically.")


@entity("loan_contracts", reading="lending.loan_contract.read")
class LoanContract(Node):
    """借款合同 The contract with the terms it was printed with."""

    number: str
    """合同编号 The number people read: JK-2026-0001."""
    state: ContractState
    """状态 Where it stands."""
    amount: Money
    """金额 Amount."""
    amount_in_words: str
    """大写金额 The amount in words."""
    periods: int
    """期数 Number of periods."""
    annual_rate: Rate
    """年利率 Interest a year."""
    method: Method
    """还款方式 How it is paid back."""
    lending_mode: LendingMode
    """贷款方式 What secures it."""
    drawn_up_on: Date
    """制作日期 The business day on which it was printed."""
    cost_sheet_acknowledged_at: DateTime | None
    """明示表确认时间 When the borrower confirmed the cost sheet."""
    signed_on: Date | None
    """签署日期 When it was signed."""
    signing_way: SigningWay | None
    """签署方式 How it was signed."""
    application_id: Hidden[UUID]
    customer_id: Hidden[UUID]
    product_id: Hidden[UUID]
    cost_shown: Hidden[dict[str, Any]] = strawberry.field(metadata={"column": "cost"})

    @strawberry.field(description="综合融资成本 The all-in cost that the borrower was shown.")
    def cost(self) -> FinancingCost:
        shown: dict[str, Any] = {
            name: Decimal(value) if isinstance(value, str) else value for name, value in self.cost_shown.items()
        }
        return FinancingCost(**shown)

    @relation(by="application_id")
    def application(self) -> Annotated[LoanApplication, strawberry.lazy("schema.lending.loan_application")]:
        """申请 The application it fulfils."""

    @relation(by="customer_id")
    def customer(self) -> Customer:
        """借款人 The borrower."""

    @relation(by="product_id")
    def product(self) -> LoanProduct:
        """产品 The version of the product."""

    @relation
    def documents(self) -> list[Document]:
        """文书 The contract pack, and what was attached at the signing."""

    @relation
    def disbursements(self) -> list[Annotated[Disbursement, strawberry.lazy("schema.finance.disbursement")]]:
        """放款 Its pay-outs, in order."""


@strawberry.input(description="制作合同 The approved application.")
class PrepareContractInput:
    application_id: ID
    """申请 The approved application."""


@strawberry.input(description="合同操作 The contract.")
class LoanContractActionInput:
    contract_id: ID
    """合同 The contract."""


@strawberry.input(description="签署合同 When and how it was signed.")
class SignContractInput:
    contract_id: ID
    """合同 The contract."""
    signed_on: Date
    """签署日期 Between its printing and today."""
    way: SigningWay
    """签署方式 On paper or electronically."""
    attachment_ids: list[ID] | None = None
    """附件 Own uploads: the signed pages."""


@strawberry.type(description="合同结果 The contract, or why nothing changed.")
class LoanContractPayload(Payload):
    contract: LoanContract | None = None
    """合同 The contract."""
