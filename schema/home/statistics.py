"""数据统计 · Statistics (F02)."""

from __future__ import annotations

import strawberry

from schema.kernel import ID, Date, DateTime, Money, Rate
from schema.lending.loan import FiveClass


@strawberry.type(description="分类占比 The loans of one class.")
class ClassShare:
    five_class: FiveClass
    """五级分类 The class."""
    loan_count: int
    """笔数 Loans with principal outstanding."""
    outstanding: Money
    """贷款余额 Their unpaid principal."""


@strawberry.type(description="数据统计 The lender's own loans that the viewer sees, in figures of one day.")
class Statistics:
    on: Date
    """日期 The day, at its close."""
    loan_count: int
    """贷款笔数 Loans with principal outstanding."""
    customer_count: int
    """客户数 Borrowers of these loans."""
    outstanding: Money
    """贷款余额 Unpaid principal."""
    overdue_principal: Money
    """逾期本金 Unpaid principal of installments beyond due date and grace."""
    overdue_ratio: Rate
    """逾期率 Overdue principal / outstanding."""
    par30: Money
    """逾期30天以上贷款余额（PAR30） Whole balance of loans more than 30 days past due."""
    par90: Money
    """逾期90天以上贷款余额（PAR90） Whole balance of loans more than 90 days past due."""
    npl_ratio: Rate
    """不良率 Outstanding of the last three classes / outstanding."""
    provision_coverage: Rate | None
    """拨备覆盖率 Allowance required of these loans / their non-performing outstanding; null without such loans."""
    disbursed_today: Money
    """当日放款 Paid out on the day."""
    collected_today: Money
    """当日回款 Received with this value date; reversed receipts are out."""
    due_today: Money
    """当日应还 Principal and interest that fall due on the day by plan."""
    by_class: list[ClassShare]
    """五级分类结构 One line for each class, the best first."""
    pending_task_count: int
    """待办数 Tasks that wait for the viewer now."""


@strawberry.input(description="统计范围 Which day and whose loans.")
class StatisticsFilter:
    on: Date | None = None
    """日期 The day; the open business day when left out."""
    known_at: DateTime | None = None
    """所知时点 Only what was booked by this moment counts; now when left out."""
    department_id: ID | None = None
    """部门 Only loans of this department and those below it."""
