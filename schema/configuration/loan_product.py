"""产品管理 · Loan product (F40)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import strawberry

from domain.calculation import allocation
from domain.configuration import loan_product
from schema.kernel import ID, Connection, Money, Node, Payload, Rate, entity
from schema.lending.repayment_plan import Basis, HolidayRule, Method, PeriodUnit

if TYPE_CHECKING:
    from domain.calculation.allocation import Strategy as Strategy
    from domain.configuration.loan_product import LendingMode as LendingMode
    from domain.configuration.loan_product import LoanKind as LoanKind
    from domain.configuration.loan_product import ProductState as ProductState
else:
    LendingMode = strawberry.enum(loan_product.LendingMode, description="贷款方式 What secures a loan.")
    LoanKind = strawberry.enum(loan_product.LoanKind, description="贷款类型 Normal, revolving or entrusted.")
    ProductState = strawberry.enum(loan_product.ProductState, description="产品状态 Whether a version is on offer.")
    Strategy = strawberry.enum(
        allocation.Strategy, name="AllocationStrategy", description="冲账顺序 By installment or by component."
    )


@strawberry.enum(description="应收项目 What a receivable, and a line of an allocation, is for.")
class ReceivableComponent(StrEnum):
    FEE = "FEE"
    """费用 Fees and costs of realizing the claim."""
    PENALTY = "PENALTY"
    """罚息 Penalty interest."""
    COMPOUND = "COMPOUND"
    """复利 Compound interest."""
    INTEREST = "INTEREST"
    """利息 Interest."""
    PRINCIPAL = "PRINCIPAL"
    """本金 Principal."""
    WRITTEN_OFF_PRINCIPAL = "WRITTEN_OFF_PRINCIPAL"
    """已核销本金 Principal recovered after a write-off."""
    OFF_BALANCE_INTEREST = "OFF_BALANCE_INTEREST"
    """表外利息 Interest kept off the balance sheet."""


DEFAULT_ORDER = [ReceivableComponent(str(component)) for component in allocation.DEFAULT_ORDER]


@entity("loan_products", reading="configuration.loan_product.read")
class LoanProduct(Node):
    """产品 One version of what the lender offers; never edited, loans keep the version they were made with."""

    code: str
    """编码 The code all versions share."""
    name: str
    """名称 Name."""
    kind: LoanKind
    """类型 Normal, revolving or entrusted."""
    version: int
    """版本 Version, from 1."""
    state: ProductState
    """状态 Whether this version is on offer."""
    min_amount: Money
    """最低金额 Least amount."""
    max_amount: Money
    """最高金额 Largest amount."""
    min_periods: int
    """最短期数 Fewest periods."""
    max_periods: int
    """最长期数 Most periods."""
    period_unit: PeriodUnit
    """期限单位 What a period is."""
    min_rate: Rate
    """最低年利率 Lowest interest a year."""
    max_rate: Rate
    """最高年利率 Highest interest a year."""
    methods: list[Method]
    """还款方式 Methods on offer."""
    interest_basis: Basis
    """计息基准 By whole periods or actual days."""
    grace_days: int
    """宽限天数 Days after the due date without penalty."""
    penalty_multiplier: Rate
    """罚息倍数 Penalty rate ÷ contract rate."""
    compound: bool
    """复利 Whether unpaid interest bears interest."""
    allocation_order: list[ReceivableComponent]
    """冲账顺序 In which order a receipt pays."""
    allocation_strategy: Strategy
    """冲账方式 By installment or by component."""
    lending_modes: list[LendingMode]
    """贷款方式 Ways of securing it on offer."""
    prepayment_fee_rate: Rate
    """提前还款违约金率 Share of the principal that is prepaid."""
    amortization_periods: int | None
    """摊还期数 Periods over which a balloon loan's installments are computed."""
    settlement_day: int | None
    """结息日 The day of the month on which interest is settled; null: the day of the pay-out."""
    first_settlement_min_days: int | None
    """首期最短天数 A first settlement day after fewer days is left out; null: 15 days."""
    holiday_rule: HolidayRule
    """节假日规则 Whether due dates on holidays move."""
    workflow_code: str | None
    """审批流 The workflow that decides; null: the lender's usual one."""
    facility_months: int | None
    """授信最长月数 Longest term of a facility; null unless revolving."""
    drawdown_tail_days: int | None
    """支用顺延天数 Days after the end of the facility within which a drawdown must mature; null unless revolving."""


@strawberry.type(description="产品列表 One page of products.")
class LoanProductConnection(Connection[LoanProduct]):
    pass


@strawberry.input(description="产品要素 What a version of a product says.")
class LoanProductTermsInput:
    name: str
    """名称 Name."""
    kind: LoanKind = LoanKind.NORMAL
    """类型 Normal, revolving or entrusted."""
    min_amount: Money
    """最低金额 Least amount; of a facility where the product is revolving."""
    max_amount: Money
    """最高金额 Largest amount; of a facility where the product is revolving."""
    min_periods: int
    """最短期数 Fewest periods; of a drawdown where the product is revolving."""
    max_periods: int
    """最长期数 Most periods; of a drawdown where the product is revolving."""
    period_unit: PeriodUnit = PeriodUnit.MONTH
    """期限单位 What a period is."""
    min_rate: Rate
    """最低年利率 Lowest interest a year."""
    max_rate: Rate
    """最高年利率 Highest interest a year; the all-in cost it leads to may not exceed the cap."""
    methods: list[Method]
    """还款方式 Methods on offer."""
    interest_basis: Basis = Basis.PERIODIC
    """计息基准 By whole periods or actual days."""
    grace_days: int = 0
    """宽限天数 Days after the due date without penalty."""
    penalty_multiplier: Rate = Rate(Decimal("1.5"))
    """罚息倍数 Between 1.3 and 1.5."""
    compound: bool = True
    """复利 Whether unpaid interest bears interest."""
    allocation_order: list[ReceivableComponent] = strawberry.field(default_factory=lambda: list(DEFAULT_ORDER))
    """冲账顺序 FEE, PENALTY, COMPOUND, INTEREST and PRINCIPAL in the order in which a receipt pays them."""
    allocation_strategy: Strategy = Strategy.BY_INSTALLMENT
    """冲账方式 By installment or by component."""
    lending_modes: list[LendingMode]
    """贷款方式 Ways of securing it on offer."""
    prepayment_fee_rate: Rate = Rate(Decimal(0))
    """提前还款违约金率 Share of the principal that is prepaid."""
    amortization_periods: int | None = None
    """摊还期数 For balloon loans; the longest term when left out."""
    settlement_day: int | None = None
    """结息日 1 to 31; the day of the pay-out when left out."""
    first_settlement_min_days: int | None = None
    """首期最短天数 0 to 31; when left out 15, of a revolving product 0."""
    holiday_rule: HolidayRule = HolidayRule.NONE
    """节假日规则 Whether due dates on holidays move."""
    workflow_code: str | None = None
    """审批流 The workflow that decides; the lender's usual one when left out."""
    facility_months: int | None = None
    """授信最长月数 For revolving products; 36 when left out."""
    drawdown_tail_days: int | None = None
    """支用顺延天数 For revolving products; 0 when left out: a drawdown matures within the facility."""


@strawberry.input(description="新产品 A product to create; it can be used at once.")
class CreateLoanProductInput(LoanProductTermsInput):
    code: str
    """编码 Its code, unique within the lender."""


@strawberry.type(description="新产品结果 The product created.")
class CreateLoanProductPayload(Payload):
    product: LoanProduct | None = None
    """产品 Version 1."""


@strawberry.input(description="产品改版 The next version of a product, all of its terms as they are to be.")
class ReviseLoanProductInput(LoanProductTermsInput):
    product_id: ID
    """产品 The version on offer."""
    expected_version: int
    """版本 Its number; an older one is CONFLICT."""


@strawberry.input(description="产品下架 A product to take off the offer.")
class RetireLoanProductInput:
    product_id: ID
    """产品 The version on offer."""
    expected_version: int
    """版本 Its number; an older one is CONFLICT."""


@strawberry.type(description="产品结果 The version made or retired.")
class LoanProductPayload(Payload):
    product: LoanProduct | None = None
    """产品 The version."""
