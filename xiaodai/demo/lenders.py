"""The three lenders of the demo (domain.md §8): who works there and what they offer. Data only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

PASSWORD = "xiaodai-demo-2026"  # of every log-in of these sandboxes
OPENED = date(2026, 5, 25)  # 124 working days of the Chinese calendar before the last day
OPENED_IN_FULL = date(2025, 1, 1)
LAST_DAY = date(2026, 11, 20)  # the business day that is open when the story is told


@dataclass(frozen=True)
class Colleague:
    """员工 · One person: how to sign in, where, and with which roles."""

    username: str
    name: str
    department: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Offer:
    """How a product is typically used: what an ordinary customer asks for."""

    amounts: tuple[str, ...]
    periods: tuple[int, ...]
    rates: tuple[str, ...]
    method: str
    mode: str
    purpose: tuple[str, str]
    enterprise: bool = False


@dataclass(frozen=True)
class Product:
    """产品 · `terms` as the API takes them."""

    code: str
    name: str
    terms: dict[str, Any]
    offer: Offer


@dataclass(frozen=True)
class Habits:
    """How many of a hundred customers pay in time or some days late; the others stop paying after a while."""

    punctual: int = 84
    late: int = 10


@dataclass(frozen=True)
class Size:
    """规模 · How much is told: from when on, `loans` to `customers` beside the stories, who ask for the products in turn.

    `pace`: a share of the loans is made within that share of the time to this power; below 1 the book grows, so that most of
    its loans live in the end. `seed`: which habits are drawn, so that the book is a sound one (domain.md §8).
    `own_money`: what is in the bank on the first day, in CNY.
    """

    opened: date
    loans: int
    customers: int
    products: tuple[Product, ...]
    habits: Habits = Habits()
    pace: float = 1.0
    seed: int = 0
    own_money: str = "80000000.00"


GENERAL_TAXPAYER: tuple[tuple[date | None, str], ...] = ((None, "0.06"),)
SMALL_SCALE_TAXPAYER: tuple[tuple[date | None, str], ...] = ((None, "0.01"), (date(2028, 1, 1), "0.03"))
"""Sales of up to five million a year: 3 %, until the end of 2027 reduced to 1 % (财政部 税务总局公告2023年第19号)."""


@dataclass(frozen=True)
class LenderPlan:
    """机构 · One lender, at the size of a first look and at that of two years.

    `waiting`: the states of applications that are there in the end, for the work lists. `lines`: revolving and entrusted products.
    `vat`: which rate holds from which day on (None: the first one).
    """

    code: str
    name: str
    licence: str
    net_assets: str
    series: int
    departments: tuple[tuple[str, str], ...]
    staff: tuple[Colleague, ...]
    products: tuple[Product, ...]
    usual: Size
    in_full: Size
    waiting: tuple[str, ...] = ("SUBMITTED", "REVIEWING", "APPROVED")
    farmers: bool = False
    vat: tuple[tuple[date | None, str], ...] = GENERAL_TAXPAYER
    lines: tuple[Product, ...] = ()

    def size(self, full: bool) -> Size:
        return self.in_full if full else self.usual


def _terms(amount: tuple[str, str], periods: tuple[int, int], rate: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "minAmount": amount[0], "maxAmount": amount[1],
        "minPeriods": periods[0], "maxPeriods": periods[1],
        "minRate": rate[0], "maxRate": rate[1],
        **more,
    }  # fmt: skip


EVERY_STATE = (
    "DRAFT", "SUBMITTED", "ASSIGNED", "INVESTIGATING", "REVIEWING", "APPROVING", "APPROVED", "REJECTED", "RETURNED",
    "WITHDRAWN", "EXPIRED",
)  # fmt: skip

WORKING_CAPITAL = ("WORKING_CAPITAL", "进货与周转")
EQUIPMENT = ("EQUIPMENT", "购置设备")
CONSUMPTION = ("CONSUMPTION", "家庭装修")
AGRICULTURE = ("AGRICULTURE", "购买种苗与农资")

MORTGAGE_LOAN = Product(
    "FDJYD", "房抵经营贷",
    _terms(("300000.00", "10000000.00"), (12, 36), ("0.108", "0.132"),
           methods=["INTEREST_ONLY", "EQUAL_INSTALLMENT"], lendingModes=["MORTGAGE", "COMBINED"]),
    Offer(("600000.00", "1200000.00", "2500000.00"), (12, 24), ("0.108", "0.12"), "INTEREST_ONLY", "MORTGAGE",
          WORKING_CAPITAL, enterprise=True),
)  # fmt: skip
GUARANTEED_LOAN = Product(
    "QYXBD", "企业信保贷",
    _terms(("200000.00", "3000000.00"), (6, 12), ("0.12", "0.156"),
           methods=["INTEREST_ONLY", "EQUAL_INSTALLMENT"], lendingModes=["GUARANTEE"]),
    Offer(("400000.00", "900000.00", "1800000.00"), (6, 12), ("0.12", "0.144"), "INTEREST_ONLY", "GUARANTEE",
          EQUIPMENT, enterprise=True),
)  # fmt: skip
VEHICLE_LOAN = Product(
    "CLZYD", "车辆质押贷",
    _terms(("30000.00", "300000.00"), (3, 12), ("0.168", "0.168"), methods=["EQUAL_PRINCIPAL"], lendingModes=["PLEDGE"]),
    Offer(("60000.00", "120000.00"), (6, 12), ("0.168",), "EQUAL_PRINCIPAL", "PLEDGE", WORKING_CAPITAL),
)  # fmt: skip
CREDIT_LOAN = Product(
    "GRXYD", "个人信用贷",
    _terms(("10000.00", "200000.00"), (6, 24), ("0.096", "0.156"),
           methods=["EQUAL_INSTALLMENT"], lendingModes=["CREDIT"]),
    Offer(("50000.00", "80000.00"), (12,), ("0.144",), "EQUAL_INSTALLMENT", "CREDIT", WORKING_CAPITAL),
)  # fmt: skip
FLAT_LOAN = Product(
    "DBDX", "等本等息分期",
    _terms(("10000.00", "100000.00"), (6, 12), ("0.096", "0.12"),
           methods=["EQUAL_PRINCIPAL_EQUAL_INTEREST"], lendingModes=["CREDIT"]),
    Offer(("20000.00", "50000.00"), (12,), ("0.096",), "EQUAL_PRINCIPAL_EQUAL_INTEREST", "CREDIT", EQUIPMENT),
)  # fmt: skip
FARM_LOAN = Product(
    "ZNXED", "助农小额贷",
    _terms(("10000.00", "100000.00"), (6, 12), ("0.096", "0.12"),
           methods=["INTEREST_ONLY", "BULLET"], lendingModes=["CREDIT", "GUARANTEE"]),
    Offer(("30000.00", "50000.00", "80000.00"), (6, 12), ("0.096", "0.108"), "INTEREST_ONLY", "CREDIT", AGRICULTURE),
)  # fmt: skip
TRADER_LOAN = Product(
    "GTLSD", "个体户流水贷",
    _terms(("20000.00", "200000.00"), (6, 24), ("0.119", "0.119"), methods=["EQUAL_INSTALLMENT"], lendingModes=["CREDIT"]),
    Offer(("60000.00", "100000.00", "150000.00"), (6, 12), ("0.119",), "EQUAL_INSTALLMENT", "CREDIT", WORKING_CAPITAL),
)  # fmt: skip
CONSUMER_LOAN = Product(
    "XFFQ", "消费分期",
    _terms(("3000.00", "50000.00"), (3, 12), ("0.119", "0.119"), methods=["EQUAL_INSTALLMENT"], lendingModes=["CREDIT"]),
    Offer(("6000.00", "12000.00", "24000.00"), (3, 6, 12), ("0.119",), "EQUAL_INSTALLMENT", "CREDIT", CONSUMPTION),
)  # fmt: skip

REVOLVING_LINE = Product(
    "XHED", "循环经营额度",
    _terms(("50000.00", "2000000.00"), (1, 12), ("0.126", "0.126"), kind="REVOLVING", interestBasis="ACTUAL_360",
           settlementDay=20, methods=["INTEREST_ONLY", "BULLET"], lendingModes=["MORTGAGE"], facilityMonths=12),
    Offer(("500000.00",), (3, 6), ("0.126",), "INTEREST_ONLY", "MORTGAGE", WORKING_CAPITAL, enterprise=True),
)  # fmt: skip
ENTRUSTED_LOAN = Product(
    "WTDK", "委托贷款",
    _terms(("100000.00", "10000000.00"), (6, 36), ("0.06", "0.12"), kind="ENTRUSTED", methods=["INTEREST_ONLY"],
           lendingModes=["CREDIT", "GUARANTEE"]),
    Offer(("1000000.00",), (12,), ("0.10",), "INTEREST_ONLY", "CREDIT", WORKING_CAPITAL, enterprise=True),
)  # fmt: skip

TOWN_PRODUCTS = (MORTGAGE_LOAN, GUARANTEED_LOAN, VEHICLE_LOAN, CREDIT_LOAN, FLAT_LOAN)
FARM_PRODUCTS = (FARM_LOAN, TRADER_LOAN)
ONLINE_PRODUCTS = (CONSUMER_LOAN, TRADER_LOAN)


def asked_for(product: Product, *amounts: str) -> Product:
    """The product, where customers ask for these amounts."""
    return replace(product, offer=replace(product.offer, amounts=amounts))


JINJIANG = LenderPlan(
    code="jinjiang", name="锦江惠民小额贷款有限公司", licence="TRADITIONAL", net_assets="200000000.00",
    series=1,
    departments=(
        ("OFFICE", "总经理室"), ("SALES1", "业务一部"), ("SALES2", "业务二部"), ("RISK", "风险管理部"),
        ("FINANCE", "财务部"), ("ASSETS", "贷后资产部"), ("RECORDS", "综合档案部"),
    ),
    staff=(
        Colleague("gm", "陈立诚", "OFFICE", ("GENERAL_MANAGER",)),
        Colleague("committee", "陶若谷", "OFFICE", ("COMMITTEE_MEMBER",)),
        Colleague("auditor", "严知秋", "OFFICE", ("AUDITOR",)),
        Colleague("risk", "周敏", "RISK", ("RISK_OFFICER",)),
        Colleague("legal", "沈书航", "RISK", ("LEGAL",)),
        Colleague("business1", "蒋明远", "SALES1", ("BUSINESS_MANAGER",)),
        Colleague("business2", "韩清和", "SALES2", ("BUSINESS_MANAGER",)),
        Colleague("manager1", "许言蹊", "SALES1", ("ACCOUNT_MANAGER",)),
        Colleague("manager2", "吕向暖", "SALES1", ("ACCOUNT_MANAGER",)),
        Colleague("manager3", "曹星野", "SALES2", ("ACCOUNT_MANAGER",)),
        Colleague("manager4", "魏佳禾", "SALES2", ("ACCOUNT_MANAGER",)),
        Colleague("accountant", "何静", "FINANCE", ("ACCOUNTANT",)),
        Colleague("cashier", "唐小雨", "FINANCE", ("CASHIER",)),
        Colleague("postloan", "秦望舒", "ASSETS", ("POST_LOAN_OFFICER",)),
        Colleague("collector", "金长风", "ASSETS", ("COLLECTOR",)),
        Colleague("archivist", "姜兰溪", "RECORDS", ("ARCHIVIST",)),
    ),
    products=TOWN_PRODUCTS, lines=(REVOLVING_LINE, ENTRUSTED_LOAN), waiting=EVERY_STATE,
    usual=Size(OPENED, 6, 6, TOWN_PRODUCTS),
    in_full=Size(
        OPENED_IN_FULL, 60, 100,
        (
            asked_for(MORTGAGE_LOAN, "4000000.00", "6000000.00", "10000000.00"),
            asked_for(GUARANTEED_LOAN, "1800000.00", "2400000.00", "3000000.00"),
            VEHICLE_LOAN,
            asked_for(MORTGAGE_LOAN, "3000000.00", "5000000.00", "8000000.00"),
            CREDIT_LOAN,
            FLAT_LOAN,
        ),
        Habits(punctual=90, late=8), pace=0.5, seed=2, own_money="180000000.00",
    ),
)  # fmt: skip
YUNSHUI = LenderPlan(
    code="yunshui", name="云水农贷小额贷款股份有限公司", licence="AGRICULTURAL", net_assets="60000000.00",
    series=2,
    departments=(("OFFICE", "管理部"), ("SALES", "信贷部"), ("FINANCE", "财务部")),
    staff=(
        Colleague("gm", "孔安禾", "OFFICE", ("GENERAL_MANAGER",)),
        Colleague("risk", "朱丹枫", "OFFICE", ("RISK_OFFICER", "LEGAL")),  # a small company: compatible roles in one hand
        Colleague("business1", "杨恩泽", "SALES", ("BUSINESS_MANAGER",)),
        Colleague("manager1", "赵谷雨", "SALES", ("ACCOUNT_MANAGER",)),
        Colleague("manager2", "冯田田", "SALES", ("ACCOUNT_MANAGER", "COLLECTOR")),
        Colleague("accountant", "郑开颜", "FINANCE", ("ACCOUNTANT",)),
        Colleague("cashier", "吴南星", "FINANCE", ("CASHIER", "ARCHIVIST")),
    ),
    products=FARM_PRODUCTS, farmers=True, vat=SMALL_SCALE_TAXPAYER,
    usual=Size(OPENED, 11, 11, FARM_PRODUCTS),
    in_full=Size(
        OPENED_IN_FULL, 150, 130,
        (
            asked_for(FARM_LOAN, "50000.00", "80000.00", "100000.00"),
            asked_for(TRADER_LOAN, "100000.00", "150000.00", "200000.00"),
        ),
        Habits(punctual=90, late=9), pace=0.5, seed=193,
    ),
)  # fmt: skip
RONGCHENG = LenderPlan(
    code="rongcheng", name="蓉城网络小额贷款有限公司", licence="ONLINE", net_assets="500000000.00",
    series=3,
    departments=(("OFFICE", "总经办"), ("SALES", "线上业务部"), ("RISK", "风控部"), ("FINANCE", "财务部")),
    staff=(
        Colleague("gm", "李方舟", "OFFICE", ("GENERAL_MANAGER",)),
        Colleague("risk", "钱初晴", "RISK", ("RISK_OFFICER",)),
        Colleague("business1", "孙海棠", "SALES", ("BUSINESS_MANAGER",)),
        Colleague("manager1", "张云帆", "SALES", ("ACCOUNT_MANAGER",)),
        Colleague("manager2", "华雪松", "SALES", ("ACCOUNT_MANAGER",)),
        Colleague("collector", "陈平川", "RISK", ("COLLECTOR",)),
        Colleague("accountant", "王子衿", "FINANCE", ("ACCOUNTANT",)),
        Colleague("cashier", "何春山", "FINANCE", ("CASHIER",)),
    ),
    products=ONLINE_PRODUCTS,
    usual=Size(OPENED, 14, 14, ONLINE_PRODUCTS),
    in_full=Size(
        OPENED_IN_FULL, 400, 300, (CONSUMER_LOAN, asked_for(TRADER_LOAN, "100000.00", "150000.00", "200000.00")),
        Habits(punctual=88, late=10), pace=0.5, seed=18,
    ),
)  # fmt: skip
LENDERS = (JINJIANG, YUNSHUI, RONGCHENG)
