"""业务参数 · Parameters of a lender (F50): effective-dated values, changed by two persons.

A limit of the law or of a province is a value here, never a constant in a rule (domain.md §3.1, §3.8). A value holds from its
day until a later one; what was in force on a past day stays readable, so that a past check can be explained.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, String, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.classification import RULESETS
from domain.calculation.provision import POLICIES
from domain.kernel.command import command, lock, query
from domain.kernel.feed import Json
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import InvalidInput, InvalidState, SamePerson
from domain.kernel.scope import Everyone, Reach, scope
from domain.kernel.table import Keyed, choice, uuid7
from domain.organization.department import check_text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from domain.kernel.context import Context
    from domain.kernel.fresh_lender import FreshLender


class ParameterKind(StrEnum):
    """What a value is, and how JSON shows it: money and rates are strings, counts are whole numbers."""

    MONEY = "MONEY"
    RATE = "RATE"
    COUNT = "COUNT"
    SWITCH = "SWITCH"
    TIME = "TIME"
    CODE = "CODE"
    CODES = "CODES"


class ParameterState(StrEnum):
    """Proposed by one person, approved or rejected by another."""

    PROPOSED = "PROPOSED"
    """待审批 Waits for another person."""
    APPROVED = "APPROVED"
    """已批准 Holds from its day on."""
    REJECTED = "REJECTED"
    """已拒绝 Never holds."""


class Parameter(Keyed):
    """One value of one parameter from one day on. `value` is JSON as `ParameterKind` says; null is "no limit"."""

    __tablename__ = "parameters"
    __table_args__ = (Index("ix_parameters_in_force", "code", "effective_from"),)
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(60))
    value: Mapped[Any] = mapped_column(Json, nullable=False)
    effective_from: Mapped[date]
    state: Mapped[ParameterState] = mapped_column(choice(ParameterState), default=ParameterState.PROPOSED)
    reason: Mapped[str] = mapped_column(String(200))
    proposed_by_id: Mapped[UUID]
    decided_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


# --------------------------------------------------------------------------- definitions


@dataclass(frozen=True, slots=True)
class Definition:
    """What a code means, and the value a fresh lender starts with. `optional`: null is allowed and means no limit."""

    kind: ParameterKind
    title: str
    default: Any
    optional: bool = False
    among: tuple[str, ...] = ()


def _money(title: str, default: str | None, optional: bool = False) -> Definition:
    return Definition(ParameterKind.MONEY, title, default, optional)


def _rate(title: str, default: str) -> Definition:
    return Definition(ParameterKind.RATE, title, default)


def _count(title: str, default: int) -> Definition:
    return Definition(ParameterKind.COUNT, title, default)


DEFINITIONS: dict[str, Definition] = {
    # Limits of 金规〔2024〕26号; provinces may set lower ones.
    "net_assets": _money("净资产 Net assets, the base of the concentration limits", None),
    "single_borrower_ratio": _rate("单户集中度 One borrower's share of the net assets", "0.10"),
    "group_ratio": _rate("集团集中度 The share of a borrower with related parties", "0.15"),
    "limit_warning_share": _rate("限额预警 Share of a limit above which a check warns", "0.80"),
    "consumption_limit": _money("消费贷款单户上限 Most that one person may owe for consumption", None, True),
    "business_limit": _money("经营贷款单户上限 Most that one borrower may owe for business", None, True),
    "related_shareholding": _rate("关联持股比例 A shareholder from this share on ties customers together", "0.20"),
    "working_region_codes": Definition(ParameterKind.CODES, "展业地区 Regions (GB/T 2260 prefixes); empty: all", []),
    # Cost (银发〔2025〕247号).
    "cost_cap": _rate("综合融资成本上限 Cap on the all-in cost a year", "0.24"),
    "lpr_1y": _rate("一年期 LPR One-year loan prime rate", "0.030"),
    "cost_warning_multiple": _rate("成本预警倍数 Warn above this multiple of the LPR", "4"),
    # The borrower.
    "age_minimum": _count("最低年龄 Least age at the application", 18),
    "age_maximum": _count("最高年龄 Greatest age at maturity", 65),
    "dsr_warning": _rate("还款收入比预警 Debt service to income: warn above", "0.50"),
    "dsr_limit": Definition(
        ParameterKind.RATE, "还款收入比上限 Debt service to income: refuse above; empty: only warn", None, optional=True
    ),
    "approval_valid_days": _count("审批有效期（天）Days an approval stays valid", 90),
    # Facilities (授信).
    "facility_review_months": _count("年审周期（月）Months from one review of a facility to the next, at most", 12),
    "facility_review_notice_days": _count("年审提前天数 Days before a review is due that it becomes a task", 30),
    "facility_freeze_causes": Definition(
        ParameterKind.CODES, "自动冻结原因 What freezes a facility at end of day",
        ["OVERDUE", "CLASS", "WARNING", "PAPERS"], among=("OVERDUE", "CLASS", "WARNING", "PAPERS", "REVIEW"),
    ),
    "facility_freeze_level": Definition(
        ParameterKind.CODE, "冻结预警级别 Open alerts from this level on freeze a facility", "ORANGE",
        among=("YELLOW", "ORANGE", "RED"),
    ),
    "entrusted_loans": Definition(ParameterKind.SWITCH, "委托贷款许可 The licence permits entrusted loans", True),
    "entrusted_pass_on_days": _count("转付期限（天）Days within which what came in goes on to the entrustor", 5),
    # Amendments (贷款通则 art. 12 on extension; 民法典 695: who secures a loan agrees to what makes it heavier).
    "extension_apply_days": _count("展期申请提前天数 Days before the maturity by which an extension is agreed", 0),
    "extension_most": _count("展期次数上限 Most extensions of one loan", 2),
    "extension_short_months": _count("短期贷款（月）A loan up to so many months is a short one", 12),
    "extension_short_share": _rate("短期贷款展期比例 Extensions of a short loan to its term, at most", "1"),
    "extension_medium_months": _count("中期贷款（月）A loan up to so many months is a medium one", 60),
    "extension_medium_share": _rate("中期贷款展期比例 Extensions of a medium loan to its term, at most", "0.5"),
    "extension_long_months": _count("长期贷款展期（月）Extensions of a longer loan in all, in months, at most", 36),
    "extension_rate_may_fall": Definition(
        ParameterKind.SWITCH, "展期可降利率 An extension may have a lower rate than before", False
    ),
    "amendment_in_arrears": Definition(
        ParameterKind.SWITCH, "欠款可变更 New terms may be agreed while something is overdue", False
    ),
    "guarantor_consent_modes": Definition(
        ParameterKind.CODES, "须担保人同意的贷款方式 Lending modes whose securers must agree in writing",
        ["GUARANTEE", "MORTGAGE", "PLEDGE", "COMBINED"], among=("CREDIT", "GUARANTEE", "MORTGAGE", "PLEDGE", "COMBINED"),
    ),
    # After the pay-out.
    "classification_ruleset": Definition(
        ParameterKind.CODE, "分类标准 Classification rules", "NATIONAL_2023", among=tuple(RULESETS)
    ),
    "provision_policy": Definition(
        ParameterKind.CODE, "拨备政策 Provision policy", "PBOC_2002_98", among=tuple(POLICIES)
    ),
    "provision_additional": _money("附加准备 Allowance kept beyond what the provision policy requires", "0.00"),
    "write_off_overdue_years": _count("核销逾期年限 Years overdue that are a condition for writing off by themselves", 3),
    "non_accrual_days": _count("非应计天数 Days past due beyond which interest leaves the balance sheet", 90),
    # Tax (财税〔2016〕36号, 财政部 税务总局公告2023年第54号).
    "vat_rate": _rate(
        "增值税率 VAT in the price of interest: 0.06 general, 0.03 or 0.01 small-scale taxpayer; 0: none is booked", "0"
    ),
    "farmer_relief_limit": _money("农户小额贷款免税限额 Loans to farmers up to it are free of VAT", "100000.00", True),
    # The system.
    "batch_time": Definition(ParameterKind.TIME, "日终时间 When end of day runs (Asia/Shanghai)", "23:30"),
    "second_factor_required": Definition(ParameterKind.SWITCH, "二次验证 A second factor for sign-in", False),
    "password_change_required": Definition(ParameterKind.SWITCH, "首次改密 Change the first password", False),
}  # fmt: skip

# 金规〔2024〕26号 limits what an online lender may lend to one customer; other licences have no such figure.
ONLINE = {"consumption_limit": "200000.00", "business_limit": "10000000.00", "entrusted_loans": False}
LICENCE_LIMITS = {"ONLINE": ONLINE}

# What the law says today for a later day: it becomes a value from that day on, and may be replaced like any other.
ENACTED: dict[str, tuple[date, Any]] = {"farmer_relief_limit": (date(2028, 1, 1), None)}


# --------------------------------------------------------------------------- rules


def check_value(code: str, value: Any) -> Any:
    """The JSON of a proposed value in its plain form.

    Raises InvalidInput for an unknown code, another kind of value, or one that cannot be (a negative limit).
    """
    definition = DEFINITIONS.get(code)
    if definition is None:
        raise InvalidInput("code", zh="没有该参数：{code}。", en="There is no parameter {code}.", code=code)
    if value is None and definition.optional:
        return None
    try:
        return _CHECKS[definition.kind](value, definition)
    except (ValueError, TypeError, InvalidOperation) as error:
        raise InvalidInput(
            "value",
            zh="参数值无效：{kind}。",
            en="The value is no {kind} that can be.",
            kind=definition.kind,
            code=code,
        ) from error


CODE = re.compile(r"[A-Za-z0-9_]{1,40}")


def _decimal(value: Any, places: int) -> str:
    number = Decimal(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if number is None or not number.is_finite() or not 0 <= number < 10**15:
        raise ValueError
    if number != round(number, places):
        raise ValueError
    return f"{number:.{places}f}" if places == 2 else format(number, "f")


def _whole(value: Any, _definition: Definition) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100_000:
        raise ValueError
    return value


def _switch(value: Any, _definition: Definition) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _code(value: Any, definition: Definition) -> str:
    if not isinstance(value, str) or not CODE.fullmatch(value) or (definition.among and value not in definition.among):
        raise ValueError
    return value


def _codes(value: Any, definition: Definition) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return [_code(item, definition) for item in value]


_CHECKS: dict[ParameterKind, Callable[[Any, Definition], Any]] = {
    ParameterKind.MONEY: lambda value, _: _decimal(value, 2),
    ParameterKind.RATE: lambda value, _: _decimal(value, 8),
    ParameterKind.COUNT: _whole,
    ParameterKind.SWITCH: _switch,
    ParameterKind.TIME: lambda value, _: time.fromisoformat(value).strftime("%H:%M"),
    ParameterKind.CODE: _code,
    ParameterKind.CODES: _codes,
}


def typed(code: str, value: Any) -> Any:
    """The JSON value as rules use it: Decimal, int, bool, time, str, or a tuple of codes."""
    if value is None:
        return None
    kind = DEFINITIONS[code].kind
    if kind in (ParameterKind.MONEY, ParameterKind.RATE):
        return Decimal(value)
    if kind is ParameterKind.TIME:
        return time.fromisoformat(value)
    return tuple(value) if kind is ParameterKind.CODES else value


# --------------------------------------------------------------------------- commands


@command("configuration.parameter.propose")
async def propose(ctx: Context, *, code: str, value: Any, effective_from: date, reason: str) -> Parameter:
    """Asks for a new value from today or a later day on. Nothing changes until another person approves it.

    Raises InvalidInput (unknown code, impossible value, a day in the past).
    """
    plain_value = check_value(code, value)
    if effective_from < ctx.today:
        raise InvalidInput(
            "effectiveFrom",
            zh="生效日不得早于营业日 {today}。", en="It cannot hold before the business date {today}.", today=ctx.today,
        )  # fmt: skip
    return ctx.add(
        Parameter(
            code=code,
            value=plain_value,
            effective_from=effective_from,
            reason=check_text("reason", reason, 200),
            proposed_by_id=ctx.actor.id,
        )
    )


@command("configuration.parameter.approve")
async def approve(ctx: Context, *, parameter_id: UUID, approved: bool = True) -> Parameter:
    """Another person approves (or rejects) a proposed value. Raises NotFound, InvalidState, SamePerson.

    A value whose day has come meanwhile holds from the day of the approval: the past never changes.
    """
    row = await lock(ctx, Parameter, parameter_id, "parameterId")
    if row.state is not ParameterState.PROPOSED:
        raise InvalidState("parameterId", state=row.state)
    if row.proposed_by_id == ctx.actor.id:
        raise SamePerson("parameterId")
    row.state = ParameterState.APPROVED if approved else ParameterState.REJECTED
    row.decided_by_id, row.decided_at = ctx.actor.id, ctx.now
    row.effective_from = max(row.effective_from, ctx.today)
    if approved:
        ctx.announce("configuration.parameter.approved", row, code=row.code)
    return row


# --------------------------------------------------------------------------- queries


async def values(ctx: Context, codes: Iterable[str], on: date | None = None) -> dict[str, Any]:
    """The typed values of several parameters in force on a day (default: the business date), in one query.

    Raises LookupError for a code that does not exist or a day before the lender's first.
    """
    wanted = sorted(set(codes))
    statement = (
        select(Parameter.code, Parameter.value)
        .where(
            Parameter.code.in_(wanted),
            Parameter.state == ParameterState.APPROVED,
            Parameter.effective_from <= (on or ctx.today),
        )
        .ext(distinct_on(Parameter.code))
        .order_by(Parameter.code, Parameter.effective_from.desc(), Parameter.decided_at.desc(), Parameter.id.desc())
    )
    found = {code: typed(code, value) for code, value in (await ctx.connection.execute(statement)).all()}
    if len(found) != len(wanted):
        raise LookupError(f"no value on {on or ctx.today} for {sorted(set(wanted) - set(found))}")
    return found


async def history(ctx: Context, codes: Iterable[str]) -> dict[str, list[tuple[date, Any]]]:
    """Every value that several parameters have or will have, with the day from which each holds, earliest first."""
    order = [Parameter.code, Parameter.effective_from]
    statement = (
        select(Parameter.code, Parameter.effective_from, Parameter.value)
        .where(Parameter.code.in_(sorted(set(codes))), Parameter.state == ParameterState.APPROVED)
        .ext(distinct_on(*order))
        .order_by(*order, Parameter.decided_at.desc(), Parameter.id.desc())
    )
    found: dict[str, list[tuple[date, Any]]] = {code: [] for code in codes}
    for code, since, plain_value in (await ctx.connection.execute(statement)).all():
        found[code].append((since, typed(code, plain_value)))
    return found


async def value(ctx: Context, code: str, on: date | None = None) -> Any:
    """The typed value of one parameter in force on a day (default: the business date)."""
    return (await values(ctx, (code,), on))[code]


@query("configuration.parameter.read")
async def parameters(ctx: Context, *, columns: list[Any], code: str | None = None, window: Window) -> Page:
    """All values there are and were, the latest day first; of one code when it is given."""
    statement = select(*columns).where(scope(ctx, Parameter))
    if code is not None:
        statement = statement.where(Parameter.code == code)
    order = [Order(Parameter.__table__.c.effective_from, descending=True), Order(Parameter.__table__.c.id, True)]
    return await page(ctx, statement, order, window)


# --------------------------------------------------------------------------- a fresh lender


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The values a fresh lender starts with, those of its licence and its own net assets among them."""
    defaults = {code: definition.default for code, definition in DEFINITIONS.items()}
    defaults |= LICENCE_LIMITS.get(request.licence_type, {})
    defaults |= {code: later for code, (since, later) in ENACTED.items() if since <= request.open_on}
    defaults["net_assets"] = f"{request.net_assets:.2f}"
    first = [(code, default, request.open_on) for code, default in defaults.items()]
    first += [(code, later, since) for code, (since, later) in ENACTED.items() if since > request.open_on]
    nobody = UUID(int=0)
    await connection.execute(
        insert(Parameter),
        [
            {
                "id": uuid7(),
                "created_at": request.moment,
                "code": code,
                "value": plain_value,
                "effective_from": since,
                "state": ParameterState.APPROVED,
                "reason": "开户默认值 Default of a fresh lender",
                "proposed_by_id": nobody,
                "decided_by_id": nobody,
                "decided_at": request.moment,
            }
            for code, plain_value, since in first
        ],
    )
