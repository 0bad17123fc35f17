"""循环贷款业务 · What is asked of facilities (F11): filters, and the inputs of each mutation."""

from __future__ import annotations

import strawberry

from schema.configuration.loan_product import LendingMode
from schema.kernel import ID, Date, DateRange, Money, MoneyRange, Rate, SortDirection
from schema.lending.repayment_plan import Method
from schema.lending.revolving_loan import FacilityOrderField, FacilityState, FreezeCause, ReviewOutcome


@strawberry.input(description="授信筛选 Only facilities that meet all that is given.")
class CreditFacilityFilter:
    search: str | None = None
    """关键字 Part of the number or of the customer's name."""
    states: list[FacilityState] | None = None
    """状态 Any of these."""
    frozen_causes: list[FreezeCause] | None = None
    """冻结原因 Frozen for any of these."""
    customer_id: ID | None = None
    """客户 Of this customer."""
    product_id: ID | None = None
    """产品 On this version of a product."""
    manager_id: ID | None = None
    """客户经理 Managed or co-managed by this employee."""
    ends_on: DateRange | None = None
    """到期日 Ending between these days."""
    next_review_on: DateRange | None = None
    """年审日 To be reviewed between these days."""
    limit: MoneyRange | None = None
    """额度 The limit."""
    min_usage_rate: Rate | None = None
    """最低使用率 Used ÷ limit at least so much."""


@strawberry.input(description="授信排序 How facilities are sorted.")
class CreditFacilityOrder:
    field: FacilityOrderField
    """字段 By what."""
    direction: SortDirection = SortDirection.DESC
    """顺序 Which end comes first."""


@strawberry.input(description="授信条件 What a facility is to say.")
class CreditFacilityTermsInput:
    limit: Money
    """授信额度 The most that may be drawn at one time."""
    annual_rate: Rate
    """年利率 Interest a year on what is drawn."""
    ends_on: Date
    """到期日 Last day on which it can be drawn on."""
    max_periods: int
    """单笔最长期数 Most periods of one drawdown."""
    lending_mode: LendingMode
    """贷款方式 What secures it."""
    purpose_code: str
    """用途代码 Code of the purpose."""
    purpose: str
    """用途 What the money is for."""
    starts_on: Date | None = None
    """生效日 First day; the day of the grant when left out, or when it is past by then."""
    min_drawdown: Money | None = None
    """单笔最低 Least amount of one drawdown; any when left out."""
    max_drawdown: Money | None = None
    """单笔最高 Largest amount of one drawdown; the limit when left out."""
    papers_valid_until: Date | None = None
    """证件有效期 Last day of the customer's papers as they were seen."""


@strawberry.input(description="申请授信 A facility to ask for.")
class ApplyCreditFacilityInput(CreditFacilityTermsInput):
    customer_id: ID
    """客户 Who is to draw on it."""
    product_id: ID
    """产品 A revolving product on offer."""
    idempotency_key: str | None = None
    """幂等键 A repeat with the same key gets the first answer."""


@strawberry.input(description="重新提交授信 A facility that was given back, with the terms as they are to be.")
class ResubmitCreditFacilityInput(CreditFacilityTermsInput):
    facility_id: ID
    """授信 The facility."""
    expected_version: int
    """预期版本 The version that was read; a stale one is CONFLICT."""


@strawberry.input(description="授信操作 The facility.")
class CreditFacilityActionInput:
    facility_id: ID
    """授信 The facility."""


@strawberry.input(description="支用 What is to be drawn.")
class DrawDownInput:
    facility_id: ID
    """授信 The facility."""
    amount: Money
    """金额 How much, at most what is available."""
    periods: int | None = None
    """期数 Number of the product's periods; as many as fit when left out."""
    method: Method | None = None
    """还款方式 Interest settled every month, or with the principal; monthly when left out, if the product offers it."""
    purpose_code: str | None = None
    """用途代码 The facility's when left out."""
    purpose: str | None = None
    """用途 The facility's when left out."""
    repayment_source: str | None = None
    """还款来源 From what it is paid back."""
    idempotency_key: str | None = None
    """幂等键 A repeat with the same key gets the first answer."""


@strawberry.input(description="额度调整 Another limit to ask for.")
class ChangeCreditLimitInput:
    facility_id: ID
    """授信 The facility."""
    new_limit: Money
    """新额度 The limit asked for."""
    reason: str
    """原因 Why."""


@strawberry.input(description="冻结授信 A facility to freeze at once.")
class FreezeCreditFacilityInput:
    facility_id: ID
    """授信 The facility."""
    reason: str
    """原因 Why."""


@strawberry.input(description="解冻授信 A freeze whose end is asked for.")
class UnfreezeCreditFacilityInput:
    facility_id: ID
    """授信 The facility."""
    reason: str
    """原因 Why."""
    papers_valid_until: Date | None = None
    """证件有效期 New papers were seen that hold until this day."""


@strawberry.input(description="授信年审 What a review found, and what follows.")
class ReviewCreditFacilityInput:
    facility_id: ID
    """授信 The facility."""
    opinion: str
    """意见 What was found."""
    outcome: ReviewOutcome
    """结论 What it says."""
    new_limit: Money | None = None
    """新额度 With LOWER: the lower limit to ask for."""
    next_review_on: Date | None = None
    """下次年审日 At the latest the lender's interval from today; that day when left out."""
    papers_valid_until: Date | None = None
    """证件有效期 New papers were seen that hold until this day."""
