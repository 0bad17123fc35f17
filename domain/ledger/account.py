"""会计科目 · The chart of accounts a lender starts with (企业会计准则 numbers, domain.md §5).

Codes begin with the four digits of the standard; further digits are sub-accounts. Off-balance registers (表外) are kept in
double entry too, against one contra account, so that every voucher balances.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import String, insert
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import TenantTable, choice


class AccountKind(StrEnum):
    """On which side an account grows, and whether it stands in the balance sheet at all."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"
    OFF_BALANCE = "OFF_BALANCE"


class Account(TenantTable):
    """One account of the chart. `by_sub`: its balance is kept per sub-ledger key (a company account, an entrusted fund)."""

    __tablename__ = "accounts"
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[AccountKind] = mapped_column(choice(AccountKind))
    by_sub: Mapped[bool] = mapped_column(default=False)


BANK = "1002"
LOAN_NORMAL = "130301"
LOAN_OVERDUE = "130302"
LOAN_EXTENDED = "130303"
LOAN_NON_ACCRUAL = "130304"
LOAN_IMPAIRED = "130305"
INTEREST_RECEIVABLE = "113201"
PENALTY_RECEIVABLE = "113202"
COMPOUND_RECEIVABLE = "113203"
FEE_RECEIVABLE = "122101"
REPOSSESSED_ASSET = "1441"
ALLOWANCE = "1304"
ENTRUSTED_LOAN = "1321"
KEPT_MONEY = "224101"
OUTPUT_VAT = "222101"
ENTRUSTED_FUND = "2314"
CAPITAL = "4001"
YEARS_PROFIT = "4103"
PROFIT_DISTRIBUTION = "4104"
INTEREST_INCOME = "601101"
PENALTY_INCOME = "601102"
COMPOUND_INCOME = "601103"
RECOVERED_INTEREST = "601104"
VAT_ON_INTEREST = "601109"
FEE_INCOME = "6021"
VAT_ON_FEES = "602109"
IMPAIRMENT_LOSS = "6702"
OFF_BALANCE_INTEREST = "9001"
CLAIMED_PRINCIPAL = "9002"
CLAIMED_INTEREST = "9003"
COLLATERAL_HELD = "9004"
TITLE_DOCUMENTS_HELD = "9005"
OFF_BALANCE_CONTRA = "9999"

CHART: tuple[tuple[str, str, AccountKind], ...] = (
    (BANK, "银行存款", AccountKind.ASSET),
    (INTEREST_RECEIVABLE, "应收利息", AccountKind.ASSET),
    (PENALTY_RECEIVABLE, "应收罚息", AccountKind.ASSET),
    (COMPOUND_RECEIVABLE, "应收复利", AccountKind.ASSET),
    (FEE_RECEIVABLE, "其他应收款-费用", AccountKind.ASSET),
    (LOAN_NORMAL, "贷款-正常本金", AccountKind.ASSET),
    (LOAN_OVERDUE, "贷款-逾期本金", AccountKind.ASSET),
    (LOAN_EXTENDED, "贷款-展期本金", AccountKind.ASSET),
    (LOAN_NON_ACCRUAL, "贷款-非应计本金", AccountKind.ASSET),
    (LOAN_IMPAIRED, "贷款-已减值本金", AccountKind.ASSET),
    (ALLOWANCE, "贷款损失准备", AccountKind.ASSET),
    (ENTRUSTED_LOAN, "代理业务资产-委托贷款", AccountKind.ASSET),
    (REPOSSESSED_ASSET, "抵债资产", AccountKind.ASSET),
    ("2001", "短期借款", AccountKind.LIABILITY),
    ("2003", "拆入资金", AccountKind.LIABILITY),
    (OUTPUT_VAT, "应交税费-应交增值税-销项税额", AccountKind.LIABILITY),
    ("2231", "应付利息", AccountKind.LIABILITY),
    (KEPT_MONEY, "其他应付款-暂收款", AccountKind.LIABILITY),
    (ENTRUSTED_FUND, "代理业务负债-委托资金", AccountKind.LIABILITY),
    (CAPITAL, "实收资本", AccountKind.EQUITY),
    ("4102", "一般风险准备", AccountKind.EQUITY),
    (YEARS_PROFIT, "本年利润", AccountKind.EQUITY),
    (PROFIT_DISTRIBUTION, "利润分配-未分配利润", AccountKind.EQUITY),
    (INTEREST_INCOME, "利息收入", AccountKind.INCOME),
    (PENALTY_INCOME, "罚息收入", AccountKind.INCOME),
    (COMPOUND_INCOME, "复利收入", AccountKind.INCOME),
    (RECOVERED_INTEREST, "已核销利息收回", AccountKind.INCOME),
    (VAT_ON_INTEREST, "利息收入-价税分离", AccountKind.INCOME),
    (FEE_INCOME, "手续费收入", AccountKind.INCOME),
    (VAT_ON_FEES, "手续费收入-价税分离", AccountKind.INCOME),
    ("6411", "利息支出", AccountKind.EXPENSE),
    ("6701", "资产减值损失", AccountKind.EXPENSE),
    (IMPAIRMENT_LOSS, "信用减值损失", AccountKind.EXPENSE),
    (OFF_BALANCE_INTEREST, "表外-未收利息", AccountKind.OFF_BALANCE),
    (CLAIMED_PRINCIPAL, "表外-已核销贷款本金", AccountKind.OFF_BALANCE),
    (CLAIMED_INTEREST, "表外-已核销贷款利息", AccountKind.OFF_BALANCE),
    (COLLATERAL_HELD, "表外-抵质押物", AccountKind.OFF_BALANCE),
    (TITLE_DOCUMENTS_HELD, "表外-代保管权证", AccountKind.OFF_BALANCE),
    (OFF_BALANCE_CONTRA, "表外-对方科目", AccountKind.OFF_BALANCE),
)

BY_SUB = (BANK, ENTRUSTED_FUND)


async def fill(connection: Any, _request: Any) -> None:
    """The chart of a fresh lender."""
    await connection.execute(
        insert(Account),
        [{"code": code, "name": name, "kind": kind, "by_sub": code in BY_SUB} for code, name, kind in CHART],
    )
