"""还款计划试算 · Repayment plans: a pure calculator, and the words of every plan (method, basis, period, cost)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.calculation import cost, schedule
from domain.lending.loan.explanation_of_rows import PlannedPlace
from schema.kernel import Date, Hidden, Money, Rate, relation
from schema.lending.explained_figure import ExplainedFigure, PlannedFigure

if TYPE_CHECKING:
    from domain.calculation.cost import FeePayer as FeePayer
    from domain.calculation.schedule import Basis as Basis
    from domain.calculation.schedule import HolidayRule as HolidayRule
    from domain.calculation.schedule import Method as Method
    from domain.calculation.schedule import PeriodUnit as PeriodUnit
else:
    FeePayer = strawberry.enum(cost.FeePayer, description="费用承担方 Who pays a fee; only the borrower's is a cost.")
    Basis = strawberry.enum(
        schedule.Basis, name="InterestBasis", description="计息基准 By whole periods or actual days."
    )
    HolidayRule = strawberry.enum(schedule.HolidayRule, description="节假日规则 Whether due dates on holidays move.")
    Method = strawberry.enum(schedule.Method, name="RepaymentMethod", description="还款方式 How a loan is paid back.")
    PeriodUnit = strawberry.enum(schedule.PeriodUnit, description="期限单位 What a period is.")


@strawberry.input(description="费用 A fee paid in cash; it is never deducted from the pay-out.")
class FeeInput:
    date: Date
    """日期 When it is paid."""
    amount: Money
    """金额 How much."""
    payer: FeePayer = FeePayer.BORROWER
    """承担方 Who pays it."""


@strawberry.input(description="试算条件 The terms to plan.")
class RepaymentPlanInput:
    principal: Money
    """本金 Principal."""
    annual_rate: Rate
    """年利率 Interest a year."""
    periods: int | None = None
    """期数 Left out where dueDates or settlementDay decide the count."""
    period_unit: PeriodUnit = PeriodUnit.MONTH
    """期限单位 What a period is."""
    method: Method
    """还款方式 How it is paid back."""
    interest_basis: Basis = Basis.PERIODIC
    """计息基准 By whole periods or actual days."""
    value_date: Date
    """起息日 The day of the pay-out."""
    due_dates: list[Date] | None = None
    """到期日列表 The due dates themselves."""
    settlement_day: int | None = None
    """结息日 The day of the month on which interest is settled."""
    settlement_months: list[int] | None = None
    """结息月 The months in which interest is settled; all of them when left out."""
    first_settlement_min_days: int | None = None
    """首期最短天数 A first settlement day nearer than this is skipped (15 when left out)."""
    maturity_date: Date | None = None
    """到期日 The last day."""
    term_days: int | None = None
    """天数 The term in days."""
    amortization_periods: int | None = None
    """摊还期数 Periods over which a balloon loan's installments are computed."""
    principal_grace_periods: int | None = None
    """本金宽限期数 Installments of interest only at the beginning."""
    custom_principal: list[Money] | None = None
    """自定义本金 The principal of each installment."""
    holiday_rule: HolidayRule = HolidayRule.NONE
    """节假日规则 Whether due dates on holidays move."""
    holidays: list[Date] | None = None
    """节假日 Default: the lender's calendar."""
    makeup_workdays: list[Date] | None = None
    """调休工作日 Working days on weekends, with `holidays`."""
    fees: list[FeeInput] | None = None
    """费用 Fees beside the interest."""


@strawberry.type(description="计划期次 One installment of a plan.")
class PlannedInstallment:
    seq: int
    """期次 Its number, from 1."""
    start_date: Date
    """起始日 First day that bears interest."""
    due_date: Date
    """到期日 When it is due; bears no interest."""
    days: int
    """天数 Days from start to due date."""
    principal: Money
    """本金 Principal."""
    interest: Money
    """利息 Interest."""
    payment: Money
    """应还 Principal and interest."""
    balance_after: Money
    """剩余本金 Principal left afterwards."""
    place: Hidden[PlannedPlace | None] = None

    @relation(by="place")
    def explain(self, figure: PlannedFigure) -> list[ExplainedFigure] | None:
        """数字由来 How a field of a loan's plan came about; null where there is no loan yet."""


@strawberry.type(
    description="综合融资成本 All-in cost a year: interest and the borrower's fees. Null where a measure is not defined."
)
class FinancingCost:
    period_irr: Rate | None
    """期内部收益率 Internal rate of return of one period."""
    apr_nominal: Rate | None
    """年化（单利）period IRR × periods a year."""
    apr_effective: Rate | None
    """年化（复利）(1 + period IRR) ^ periods a year − 1."""
    xirr_act365: Rate | None
    """内部收益率（XIRR） Effective annual rate of the dated cash flows."""
    simple_apr_act365: Rate | None
    """单利年化 All costs × 365 ÷ (principal in use × days) (PBoC notice 2021 No. 3)."""
    cap: Rate
    """上限 Above it a loan is refused."""
    exceeds_cap: bool
    """超过上限 Whether the measured cost is above the cap."""
    warn_above: Rate | None
    """预警线 Four times the one-year LPR."""
    exceeds_warning: bool
    """超过预警线 Whether the measured cost is above the warning line."""


@strawberry.type(description="还款计划 The plan of these terms.")
class RepaymentPlan:
    installments: list[PlannedInstallment]
    """期次 The installments in order."""
    total_principal: Money
    """本金合计 Sum of the principal."""
    total_interest: Money
    """利息合计 Sum of the interest."""
    total_payment: Money
    """应还合计 Sum of all payments."""
    installment_amount: Money | None
    """每期还款额 The level installment (PMT) where the method has one."""
    cost: FinancingCost
    """综合融资成本 What it costs the borrower a year."""
