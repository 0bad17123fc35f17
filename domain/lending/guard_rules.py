"""护栏规则 · What must hold before money is lent: each rule a function that gives a result with its figures (domain.md §3.8).

Checked when an application is submitted, when it is approved, and again at the pay-out. A rule of severity REFUSE that does
not hold is raised as its refusal; WARN lets the matter pass, is shown with the application and goes into the guard log.
The figures of a case are gathered once (guards.py); the rules see no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from domain.kernel.refusals import REFUSALS, Refusal, plain, plain_rate
from domain.lending.offer import Limits, Offer, Priced


class GuardSeverity(StrEnum):
    """Refuses, or only warns."""

    REFUSE = "REFUSE"
    """拒绝 The action is not carried out."""
    WARN = "WARN"
    """提示 The action is carried out and the warning recorded."""


@dataclass(frozen=True, slots=True)
class GuardResult:
    """One rule checked: what was compared with what. `code` is the refusal it would be; `field` the input it is about."""

    code: str
    passed: bool
    severity: GuardSeverity = GuardSeverity.REFUSE
    params: dict[str, Any] = field(default_factory=dict)
    field: str = ""

    def refusal(self) -> Refusal:
        """The refusal that this result means, if it did not pass."""
        return REFUSALS[self.code](self.field, **self.params)

    def stored(self) -> dict[str, Any]:
        """As the application keeps it."""
        return {
            "code": self.code,
            "passed": self.passed,
            "severity": str(self.severity),
            "params": plain(self.params),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrower:
    """What the rules need to know of a customer. `birth_date` is None for an enterprise."""

    blacklisted: bool
    birth_date: date | None
    missing_consents: tuple[str, ...]
    region_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """贷款用途 · The code asked for, whether it is forbidden, and CONSUMPTION or BUSINESS."""

    code: str
    forbidden: bool
    use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the customer, and the customer with related parties, would owe after the pay-out, pending matters included."""

    single: Decimal
    group: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The lender's parameters in force. A limit of None does not exist."""

    net_assets: Decimal
    single_borrower_ratio: Decimal
    group_ratio: Decimal
    limit_warning_share: Decimal
    licence_limits: dict[str, Decimal | None]
    region_codes: tuple[str, ...]
    age_minimum: int
    age_maximum: int
    cost: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the rules look at."""

    today: date
    borrower: Borrower
    purpose: Purpose
    product: Any
    offer: Offer
    lending_mode: str
    priced: Priced
    exposure: Exposure
    figures: Figures
    of_kind: tuple[GuardResult, ...] = ()


Guard = Callable[[Case], Iterable[GuardResult]]


def of_kind(case: Case) -> Iterable[GuardResult]:
    """贷款类型 · What the kind of the loan adds (guards.py): the facility that it is drawn under, say."""
    yield from case.of_kind


# ---------------------------------------------------------------- the borrower


def blacklist(case: Case) -> Iterable[GuardResult]:
    """黑名单 · Refused parties get nothing."""
    yield GuardResult("BLACKLISTED", not case.borrower.blacklisted, field="customerId")


def age_on(birth_date: date, day: date) -> int:
    """周岁 · Whole years on a day: one more on the birthday; somebody born on 29 February turns on 1 March."""
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before_birthday


def age(case: Case) -> Iterable[GuardResult]:
    """年龄 · A minor is refused; being past the greatest age at maturity warns (domain.md §3.8)."""
    born = case.borrower.birth_date
    if born is None:
        return
    least, most = case.figures.age_minimum, case.figures.age_maximum
    for day, severity in ((case.today, GuardSeverity.REFUSE), (case.priced.maturity, GuardSeverity.WARN)):
        years = age_on(born, day)
        holds = years >= least if severity is GuardSeverity.REFUSE else years <= most
        yield GuardResult(
            "AGE_OUT_OF_RANGE",
            holds,
            severity,
            {"age": years, "on": day, "minimum": least, "maximum": most},
            "customerId",
        )


def consents(case: Case) -> Iterable[GuardResult]:
    """授权 · An individual agreed to the use of personal data and to the bureau query (PIPL art. 13, 征信业管理条例 art. 18)."""
    missing = case.borrower.missing_consents
    params = {"consents": list(missing)} if missing else {}
    yield GuardResult("CONSENT_MISSING", not missing, params=params, field="customerId")


def covers(allowed: str, code: str) -> bool:
    """Whether a region lies in an allowed one: 510000 is all of Sichuan, 510100 all of Chengdu, 51 as well."""
    prefix = allowed
    while len(prefix) > 2 and prefix.endswith("00"):
        prefix = prefix[:-2]
    return code.startswith(prefix)


def region(case: Case) -> Iterable[GuardResult]:
    """展业地区 · Outside the lender's regions warns; no list means no limit."""
    allowed, code = case.figures.region_codes, case.borrower.region_code
    if not allowed:
        return
    inside = code is not None and any(covers(one, code) for one in allowed)
    yield GuardResult(
        "REGION_NOT_ALLOWED", inside, GuardSeverity.WARN, {"region": code, "allowed": list(allowed)}, "customerId"
    )


# ---------------------------------------------------------------- purpose and product


def purpose(case: Case) -> Iterable[GuardResult]:
    """禁止用途 · Shares, derivatives, property purchase against the rules: no loan (金规〔2024〕26号)."""
    yield GuardResult(
        "FORBIDDEN_PURPOSE", not case.purpose.forbidden, params={"purpose": case.purpose.code}, field="purposeCode"
    )


def product_rules(case: Case) -> Iterable[GuardResult]:
    """产品规则 · Amount, periods, rate, method and lending mode within what the product offers."""
    product, offer = case.product, case.offer
    ranges: tuple[tuple[str, Any, Any, Any], ...] = (
        ("amount", offer.amount, product.min_amount, product.max_amount),
        ("periods", offer.periods, product.min_periods, product.max_periods),
        ("annualRate", plain_rate(offer.annual_rate), plain_rate(product.min_rate), plain_rate(product.max_rate)),
    )
    for rule, value, least, most in ranges:
        yield _product_rule(rule, value, f"{least}–{most}", least <= value <= most)
    lists: tuple[tuple[str, str, list[str]], ...] = (
        ("method", offer.method, product.methods),
        ("lendingMode", case.lending_mode, product.lending_modes),
    )
    for rule, value, offered in lists:
        yield _product_rule(rule, str(value), ", ".join(offered), value in offered)


def _product_rule(rule: str, value: Any, allowed: str, holds: bool) -> GuardResult:
    params = {"rule": rule, "value": value, "allowed": allowed}
    return GuardResult("PRODUCT_RULE_VIOLATED", holds, params=params, field=rule)


# ---------------------------------------------------------------- limits


def single_borrower(case: Case) -> Iterable[GuardResult]:
    """单户集中度 · One borrower owes at most 10 % of the net assets (a parameter)."""
    limit = case.figures.net_assets * case.figures.single_borrower_ratio
    yield from _limit("SINGLE_BORROWER_LIMIT_EXCEEDED", limit, case.exposure.single, case.figures)


def group(case: Case) -> Iterable[GuardResult]:
    """集团集中度 · A borrower with related parties owes at most 15 % of the net assets (a parameter)."""
    limit = case.figures.net_assets * case.figures.group_ratio
    yield from _limit("GROUP_LIMIT_EXCEEDED", limit, case.exposure.group, case.figures)


def licence(case: Case) -> Iterable[GuardResult]:
    """牌照限额 · What an online lender may lend to one customer for consumption or for business."""
    limit = case.figures.licence_limits.get(case.purpose.use)
    if limit is not None:
        yield from _limit("LICENCE_LIMIT_EXCEEDED", limit, case.exposure.single, case.figures)


def _limit(code: str, limit: Decimal, after: Decimal, figures: Figures) -> Iterable[GuardResult]:
    """Refuses above a limit; below it a share of it (80 %) warns."""
    params = {"limit": limit.quantize(Decimal("0.01")), "after": after}
    yield GuardResult(code, after <= limit, params=params, field="amount")
    if after <= limit:
        near = after > limit * figures.limit_warning_share
        shown = {**params, "share": plain_rate(figures.limit_warning_share)}
        yield GuardResult(code, not near, GuardSeverity.WARN, shown, "amount")


# ---------------------------------------------------------------- cost


def cost_cap(case: Case) -> Iterable[GuardResult]:
    """综合融资成本 · Above 24 % a year is refused, above four times the one-year LPR warns (银发〔2025〕247号)."""
    priced, limits = case.priced, case.figures.cost
    for line, severity in ((limits.cap, GuardSeverity.REFUSE), (limits.warn_above, GuardSeverity.WARN)):
        params = {"cost": plain_rate(priced.measure), "cap": plain_rate(line)}
        yield GuardResult("COST_CAP_EXCEEDED", not priced.exceeds(line), severity, params, "annualRate")


def repayment_capacity(
    income: Decimal, asked: Decimal, limit: Decimal | None, warn_above: Decimal
) -> Iterable[GuardResult]:
    """还款能力 · Monthly debt service, the new installment in it, against the monthly income (DSR): above a line it warns,
    above the lender's limit, where there is one, it is refused."""
    ratio = (asked / income).quantize(Decimal("0.0001"), ROUND_HALF_UP) if income > 0 else None
    for line, severity in ((limit, GuardSeverity.REFUSE), (warn_above, GuardSeverity.WARN)):
        if line is not None:
            holds = ratio is not None and ratio <= line
            shown = {"ratio": ratio, "limit": plain_rate(line), "income": income, "debtService": asked}
            yield GuardResult("REPAYMENT_CAPACITY_EXCEEDED", holds, severity, shown, "monthlyIncome")


# ---------------------------------------------------------------- all together

ALL: tuple[Guard, ...] = (
    of_kind, blacklist, age, consents, region, purpose, product_rules, single_borrower, group, licence, cost_cap,
)  # fmt: skip
TERMS: tuple[Guard, ...] = (of_kind, product_rules, single_borrower, group, licence, cost_cap)


def evaluate(case: Case, guards: Sequence[Guard] = ALL) -> list[GuardResult]:
    """The results of these rules, in their order."""
    return [result for guard in guards for result in guard(case)]


def failed(results: Iterable[GuardResult], severity: GuardSeverity) -> list[GuardResult]:
    """What did not pass, of one severity."""
    return [result for result in results if not result.passed and result.severity is severity]
