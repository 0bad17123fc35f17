"""借据 · The loan as people read it: terms, position on any day, installments, history, and how figures came about (F13)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.calculation import classification
from domain.calculation.loan import debt
from domain.lending.loan import queries, tables
from domain.lending.loan.explanation_of_rows import InstallmentPlace
from schema.configuration.loan_product import LendingMode, LoanKind, LoanProduct
from schema.kernel import (
    ID,
    JSON,
    Connection,
    Date,
    DateRange,
    DateTime,
    Hidden,
    Money,
    MoneyRange,
    Node,
    Rate,
    SortDirection,
    column,
    entity,
    relation,
)
from schema.lending.explained_figure import ExplainedFigure, InstallmentFigure, LoanFigure, PayoffFigure
from schema.lending.loan_contract import LoanContract
from schema.lending.repayment_plan import Method, PlannedInstallment
from schema.organization.department import Department
from schema.organization.employee import Employee

if TYPE_CHECKING:
    from domain.calculation.classification import AccrualStatus as AccrualStatus
    from domain.calculation.classification import FiveClass as FiveClass
    from domain.calculation.loan.debt import InstallmentState as InstallmentState
    from domain.lending.loan.queries import LoanOrderField as LoanOrderField
    from domain.lending.loan.tables import LoanState as LoanState
    from schema.customers.customer import Customer
    from schema.finance.receipt import ReceiptConnection
    from schema.lending.entrusted_loan import EntrustedContract
    from schema.lending.revolving_loan import CreditFacility
else:
    AccrualStatus = strawberry.enum(
        classification.AccrualStatus, description="应计状态 Whether interest is kept on balance or beside it."
    )
    FiveClass = strawberry.enum(classification.FiveClass, description="五级分类 From the best class to the worst.")
    InstallmentState = strawberry.enum(debt.InstallmentState, description="期状态 Where an installment stands.")
    LoanOrderField = strawberry.enum(queries.LoanOrderField, description="排序字段 What loans are sorted by.")
    LoanState = strawberry.enum(tables.LoanState, description="借据状态 Overdue means beyond grace.")

READING = "lending.loan.read"


@entity("loan_events", reading=READING)
class LoanEvent(Node):
    """贷款事件 One thing that happened to a loan; it is never changed."""

    type: str
    """类型 PAYOUT, RECEIPT, REVERSAL, WAIVER, FEE, AMENDMENT or ACCELERATION."""
    value_date: Date
    """起息日 The day from which it counts."""
    business_date: Date
    """记账日 The business day on which it was booked."""
    booked_at: DateTime = column("created_at")
    """记账时间 When it was booked."""
    payload: JSON
    """内容 What was said, by type."""
    actor_id: Hidden[UUID]

    @relation(by="actor_id")
    def actor(self) -> Employee | None:
        """操作人 Who booked it; null for the system."""

    @relation
    def entries(self) -> list[LedgerEntry]:
        """分录 Its entries in the ledger."""

    @relation
    def lapse(self) -> WaiverLapse | None:
        """减免失效 Of a conditional waiver: when it lapsed, as known now; null while it holds, and of every other event."""


@strawberry.type(description="减免失效 The end of a conditional waiver whose condition was not met.")
class WaiverLapse:
    on: Date
    """失效日 The day from which the amount is due again."""
    amount: Money
    """金额 What had been given up and counts again."""


@strawberry.type(description="分录 One line of a voucher.")
class LedgerEntry:
    voucher: str
    """凭证号 Number of the voucher."""
    account: str
    """科目 Code of the account."""
    debit: Money
    """借方 Debit."""
    credit: Money
    """贷方 Credit."""


@strawberry.type(description="事件列表 One page of a loan's events.")
class LoanEventConnection(Connection[LoanEvent]):
    pass


@strawberry.type(description="余额 What a loan stands at, at the close of one day.")
class LoanPosition:
    on: Date
    """日期 The day."""
    principal_outstanding: Money
    """本金余额 Principal not paid back."""
    overdue_principal: Money
    """逾期本金 Principal of installments beyond their grace."""
    accrued_interest: Money
    """当期应计利息 Running interest of the current period."""
    due_unpaid_interest: Money
    """应收未收利息 Interest that is due and unpaid."""
    penalty: Money
    """罚息 Penalty interest."""
    compound: Money
    """复利 Compound interest."""
    fees: Money
    """费用 Fees due and unpaid."""
    unapplied: Money
    """暂收款 Money kept for the next installment."""
    days_past_due: int
    """逾期天数 Days since the oldest due date beyond its grace; 0 when not overdue."""
    five_class: FiveClass
    """五级分类 The system class: days past due under the rules in force."""
    accrual: AccrualStatus
    """应计状态 Whether interest is kept on balance."""
    on_balance_interest: Money
    """表内利息 Interest, penalty and compound on balance."""
    off_balance_interest: Money
    """表外利息 The same beside the balance sheet."""
    provision: Money
    """拨备 What the provision policy requires."""
    place: Hidden[tuple[UUID, date, datetime | None]]

    @relation(by="place")
    def explain(self, figure: LoanFigure) -> list[ExplainedFigure]:
        """数字由来 How a figure came about: the rule, its inputs and the event behind each part."""


@strawberry.type(description="期 One installment as it stands on the open business day.")
class Installment:
    seq: int
    """期次 Number, from 1."""
    start_date: Date
    """起始日 First day that bears interest."""
    due_date: Date
    """到期日 When it falls due."""
    principal: Money
    """应还本金 Principal of the installment."""
    interest: Money
    """应还利息 Its whole interest, also after a waiver."""
    state: InstallmentState
    """状态 Where it stands."""
    unpaid_principal: Money
    """未还本金 Principal not yet paid."""
    unpaid_interest: Money
    """未还利息 Interest neither paid nor waived."""
    penalty: Money
    """罚息 Penalty outstanding."""
    compound: Money
    """复利 Compound interest outstanding."""
    fee: Money
    """费用 Fee outstanding."""
    paid_on: Date | None
    """结清日 When it was paid in full."""
    place: Hidden[InstallmentPlace | None] = None

    @relation(by="place")
    def explain(self, figure: InstallmentFigure) -> list[ExplainedFigure] | None:
        """数字由来 How a field came about, as in a position; null in a preview or a proposal, which is not the loan's own."""


@strawberry.type(
    description="还款计划版本 A plan as it was agreed; a later version begins with the installment it changes."
)
class PlanVersion:
    version: int
    """版本 1 is the plan as signed."""
    installments: list[PlannedInstallment]
    """期次 Its installments."""
    total_principal: Money
    """本金合计 Sum of their principal."""
    total_interest: Money
    """利息合计 Sum of their interest."""
    event_id: Hidden[UUID]

    @relation(by="event_id")
    def event(self) -> LoanEvent:
        """事件 What made it: the pay-out, an amendment, a prepayment."""


@strawberry.type(description="现行条件 What holds on the open business day, after every amendment.")
class CurrentTerms:
    annual_rate: Rate
    """年利率 Interest a year in force."""
    method: Method
    """还款方式 How it is paid back."""
    maturity_date: Date
    """到期日 The last due date of the plan as it stands."""
    extensions: int
    """展期次数 How often the maturity was moved."""


@strawberry.type(description="提前结清报价 total settles the loan; toPay is total less the kept money.")
class PayoffQuote:
    on: Date
    """日期 The day of the payment."""
    principal: Money
    """本金 Principal outstanding."""
    interest: Money
    """利息 Interest due, and running by days."""
    penalty: Money
    """罚息 Penalty."""
    compound: Money
    """复利 Compound interest."""
    fee: Money
    """费用 Fees, the prepayment fee included."""
    total: Money
    """合计 What settles the loan."""
    unapplied: Money
    """暂收款 Money kept already."""
    to_pay: Money
    """应付 What is still to be paid."""
    place: Hidden[tuple[UUID, date]]

    @relation(by="place")
    def explain(self, figure: PayoffFigure) -> list[ExplainedFigure]:
        """数字由来 How a field of the quote came about, as in a position; the parts add up to it."""


@entity("loans", reading=READING)
class Loan(Node):
    """借据 One loan, paid out under a contract."""

    number: str
    """借据编号 The number people read: JJ-2026-0001."""
    kind: LoanKind
    """类型 Normal, revolving or entrusted."""
    state: LoanState
    """状态 As it stands on the open business day."""
    five_class: FiveClass
    """五级分类 The system class on the open business day."""
    principal: Money
    """本金 Amount paid out."""
    principal_outstanding: Money
    """本金余额 Principal not paid back, on the open business day."""
    annual_rate: Rate
    """年利率 Agreed interest a year."""
    method: Method
    """还款方式 How it is paid back."""
    lending_mode: LendingMode
    """贷款方式 What secures it."""
    value_date: Date
    """起息日 The day of the pay-out."""
    maturity_date: Date
    """到期日 The last due date of the signed plan."""
    settled_on: Date | None
    """结清日 When it was paid back in full."""
    customer_id: Hidden[UUID]
    contract_id: Hidden[UUID]
    entrusted_contract_id: Hidden[UUID | None]
    product_id: Hidden[UUID]
    manager_id: Hidden[UUID | None]
    department_id: Hidden[UUID | None]

    @relation(by="customer_id")
    def customer(self) -> Annotated[Customer, strawberry.lazy("schema.customers.customer")]:
        """借款人 The borrower."""

    @relation(by="product_id")
    def product(self) -> LoanProduct:
        """产品 The version of the product."""

    @relation(by="contract_id")
    def contract(self) -> LoanContract:
        """合同 The contract."""

    @relation(by="contract_id")
    def facility(self) -> Annotated[CreditFacility, strawberry.lazy("schema.lending.revolving_loan")] | None:
        """授信 The facility it was drawn on; null unless it is revolving."""

    @relation(by="entrusted_contract_id")
    def entrusted_contract(
        self,
    ) -> Annotated[EntrustedContract, strawberry.lazy("schema.lending.entrusted_loan")] | None:
        """委托合同 Whose money it is; null unless it is an entrusted loan."""

    @relation(by="manager_id")
    def manager(self) -> Employee | None:
        """客户经理 The account manager."""

    @relation(by="department_id")
    def department(self) -> Department | None:
        """部门 The department that manages it."""

    @relation
    def position(self, on: Date | None = None, known_at: DateTime | None = None) -> LoanPosition | None:
        """余额 At the close of a day, as known now or at a moment (knownAt): what was booked later is not in it, however early
        its value date. By default the day open then; null before the value date and after the day open then."""

    @relation
    def installments(self) -> list[Installment]:
        """还款计划 The installments as they stand."""

    @relation
    def receipts(
        self, first: int | None = None, after: str | None = None
    ) -> Annotated[ReceiptConnection, strawberry.lazy("schema.finance.receipt")]:
        """还款 Money that came in on it, in the order in which it was keyed."""

    @relation
    def plans(self) -> list[PlanVersion]:
        """计划版本 The plan as signed and every one that followed it."""

    @relation
    def current_terms(self) -> CurrentTerms | None:
        """现行条件 Rate, method and maturity after every amendment; null before the value date."""

    @relation
    def payoff_quote(self, on: Date) -> PayoffQuote | None:
        """提前结清报价 What settles the loan on a day; null before the value date."""

    @relation
    def history(self, first: int | None = None, after: str | None = None) -> LoanEventConnection:
        """历史 Every event of the loan's life in the order of booking."""


@strawberry.type(description="借据列表 One page of loans.")
class LoanConnection(Connection[Loan]):
    pass


@strawberry.input(description="借据筛选 Only loans that meet all that is given.")
class LoanFilter:
    search: str | None = None
    """关键字 Part of the loan's number or of the customer's name."""
    states: list[LoanState] | None = None
    """状态 Any of these."""
    kinds: list[LoanKind] | None = None
    """类型 Any of these."""
    five_classes: list[FiveClass] | None = None
    """五级分类 Any of these."""
    customer_id: ID | None = None
    """客户 Of this customer."""
    manager_id: ID | None = None
    """客户经理 Managed or co-managed by this employee."""
    department_id: ID | None = None
    """部门 Of this department and those below it."""
    product_id: ID | None = None
    """产品 On this version of a product."""
    value_date: DateRange | None = None
    """起息日 Paid out between these days."""
    maturity_date: DateRange | None = None
    """到期日 Ending between these days."""
    principal: MoneyRange | None = None
    """本金 Amount paid out."""
    min_days_past_due: int | None = None
    """最少逾期天数 At least so many days past due."""


@strawberry.input(description="借据排序 How loans are sorted.")
class LoanOrder:
    field: LoanOrderField
    """字段 By what."""
    direction: SortDirection = SortDirection.DESC
    """顺序 Which end comes first."""
