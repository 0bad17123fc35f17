"""抵押担保 · Mortgages (F24)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.collateral import mortgage
from schema.customers.customer import Customer
from schema.kernel import ID, Connection, Date, Hidden, Money, Node, Payload, entity, relation
from schema.lending.loan_contract import LoanContract
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.collateral.mortgage import AssetType as AssetType
    from domain.collateral.mortgage import MortgageState as MortgageState
else:
    AssetType = strawberry.enum(mortgage.AssetType, description="抵押物类型 What is mortgaged.")
    MortgageState = strawberry.enum(
        mortgage.MortgageState, description="抵押状态 It secures loans from its registration to its release."
    )


@strawberry.type(description="顺位与覆盖 Where a mortgage stands among all on its certificate.")
class MortgageStanding:
    rank: int
    """顺位 1 comes first: by the day of registration."""
    cover: Money
    """覆盖金额 What the asset leaves for this claim after those before it, at most the secured amount."""


@entity("mortgages", reading="collateral.mortgage.read")
class Mortgage(Node):
    """抵押 An asset that stays with its owner and secures the loans of a contract."""

    number: str
    """抵押编号 The number people read: DY-2026-0001."""
    state: MortgageState
    """状态 Where it stands."""
    asset_type: AssetType
    """抵押物类型 What is mortgaged."""
    owner: str
    """所有权人 Who owns it."""
    certificate_number: str
    """权证号 That of the title (不动产权证)."""
    secured_amount: Money
    """担保债权数额 For how much it stands."""
    appraised_value: Money
    """评估价值 What it was found to be worth; the register beside the balance sheet holds this."""
    appraised_on: Date
    """评估日 When it was."""
    registration_number: str | None
    """登记证明号 That of the mortgage registration certificate (他项权证)."""
    registered_on: Date | None
    """登记日 From this day on it ranks."""
    ended_on: Date | None
    """终止日 The business date on which it was released, or the asset taken over."""
    comment: str | None
    """备注 What was said when its release was asked."""
    contract_id: Hidden[UUID]
    customer_id: Hidden[UUID]
    maker_id: Hidden[UUID]
    registered_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "registered_by"})

    @relation
    def standing(self) -> MortgageStanding | None:
        """顺位与覆盖 Among all mortgages on its certificate; null once it has ended."""

    @relation(by="contract_id")
    def contract(self) -> LoanContract:
        """合同 Whose loans it secures."""

    @relation(by="customer_id")
    def customer(self) -> Customer:
        """客户 The borrower."""

    @relation(by="maker_id")
    def maker(self) -> Employee:
        """经办人 Who made it."""

    @relation(by="registered_by_id")
    def registered_by(self) -> Employee | None:
        """登记人 Who entered its registration, another person."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The latest workflow about it."""


@strawberry.type(description="抵押列表 One page of mortgages.")
class MortgageConnection(Connection[Mortgage]):
    pass


@strawberry.input(description="抵押筛选 Only mortgages that meet all that is given.")
class MortgageFilter:
    states: list[MortgageState] | None = None
    """状态 In one of these states."""
    certificate_number: str | None = None
    """权证号 On this certificate, whichever loans they secure."""
    contract_id: ID | None = None
    """合同 Of this contract."""
    loan_id: ID | None = None
    """借据 That secure this loan."""
    customer_id: ID | None = None
    """客户 Of this borrower."""


@strawberry.input(description="新增抵押 The asset, and what it secures: either a contract or a loan.")
class CreateMortgageInput:
    asset_type: AssetType
    """抵押物类型 What is mortgaged."""
    owner: str
    """所有权人 Who owns it."""
    certificate_number: str
    """权证号 That of the title."""
    secured_amount: Money
    """担保债权数额 For how much it stands."""
    appraised_value: Money
    """评估价值 What it was found to be worth."""
    appraised_on: Date
    """评估日 At most a year ago."""
    contract_id: ID | None = None
    """合同 Whose loans it secures."""
    loan_id: ID | None = None
    """借据 A loan, whose contract is meant."""


@strawberry.input(description="抵押登记 What the registration office has certified.")
class RegisterMortgageInput:
    mortgage_id: ID
    """抵押 A mortgage that somebody else made."""
    registration_number: str
    """登记证明号 That of the mortgage registration certificate."""
    registered_on: Date
    """登记日 When it was registered."""


@strawberry.input(description="申请解押 The mortgage that secures nothing any more.")
class RequestMortgageReleaseInput:
    mortgage_id: ID
    """抵押 An effective mortgage."""
    comment: str | None = None
    """备注 What others should know."""


@strawberry.type(description="抵押结果 The mortgage, or why nothing changed.")
class MortgagePayload(Payload):
    mortgage: Mortgage | None = None
    """抵押 The mortgage."""
