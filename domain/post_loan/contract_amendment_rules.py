"""合同变更规则 · What an amendment must meet: the lender's policy, the product, the terms in force. No database (F28).

Extension (贷款通则 art. 12 and 13, 现金贷 notice of 2017): applied for before the maturity, in all no longer than the term
(up to a year), half of it (up to five years) or three years, not below the old rate, with the consent of whoever secures
the loan in writing (民法典 695). Each of these figures is a parameter of the lender.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

from domain.calculation.classification import LendingMode
from domain.calculation.dates import add_months
from domain.calculation.loan.fold import Fold
from domain.calculation.money import fen, yuan
from domain.calculation.schedule import Method, PlanTerms, period_end, plan
from domain.kernel.refusals import (
    AmountExceedsDue,
    ArrearsExist,
    ExtensionTooLong,
    GuarantorConsentMissing,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    ProductRuleViolated,
    plain_rate,
)
from domain.lending.loan.plans import decimal_rate, maturity


class AmendmentType(StrEnum):
    """变更类型 · What is changed."""

    EXTENSION = "EXTENSION"
    """展期 A later maturity."""
    RATE = "RATE"
    """利率 Another rate."""
    METHOD = "METHOD"
    """还款方式 Another method of repayment."""
    ACCELERATION = "ACCELERATION"
    """提前到期 Everything falls due on the day of the notice."""
    MISUSE_RATE = "MISUSE_RATE"
    """挪用罚息 Misused money bears more."""


NEW_TERMS = (AmendmentType.EXTENSION, AmendmentType.RATE, AmendmentType.METHOD)
"""What is agreed with the borrower; the others are a right of the lender under the contract (民法典 673)."""

FIELDS_OF: Mapping[AmendmentType, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # what must be given, what may be
    AmendmentType.EXTENSION: (("extension_periods",), ("annual_rate", "method")),
    AmendmentType.RATE: (("annual_rate",), ()),
    AmendmentType.METHOD: (("method",), ()),
    AmendmentType.ACCELERATION: ((), ()),
    AmendmentType.MISUSE_RATE: (("multiplier",), ("amount",)),
}
MISUSE_MULTIPLIERS = (Decimal("1.5"), Decimal(2))
"""银发〔2003〕251号: misused money bears 50 % to 100 % more; 1 ends it."""
MOST_PERIODS = 20_000  # half a century of days; the policy says what is allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """担保人同意 · Somebody who secures the loan agrees in writing: the number of the paper, or its scan."""

    name: str
    document_number: str | None = None
    attachment_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is asked for. `annual_rate` is a fraction, `amount` the misused part in CNY (None: all), `extension_periods`
    are periods of the loan's unit. `effective_date` is the day of the agreement or of the notice (None: today)."""

    type: AmendmentType
    effective_date: date | None = None
    annual_rate: Decimal | None = None
    method: Method | None = None
    extension_periods: int | None = None
    multiplier: Decimal | None = None
    amount: Decimal | None = None
    because_of_difficulty: bool = False
    consents: tuple[Consent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The lender's parameters in force, by their codes."""

    extension_apply_days: int
    extension_most: int
    extension_short_months: int
    extension_short_share: Decimal
    extension_medium_months: int
    extension_medium_share: Decimal
    extension_long_months: int
    extension_rate_may_fall: bool
    amendment_in_arrears: bool
    guarantor_consent_modes: tuple[str, ...]


PARAMETERS = tuple(field.name for field in fields(Policy))


# ---------------------------------------------------------------- what is asked


def check_fields(change: Change) -> None:
    """Each type says what it needs and no more. Raises INVALID_INPUT with the first field that is wrong."""
    needed, possible = FIELDS_OF[change.type]
    for name in dict.fromkeys(name for parts in FIELDS_OF.values() for part in parts for name in part):
        given = getattr(change, name) is not None
        if name in needed and not given:
            raise InvalidInput(name, zh="此类变更必须填写该项。", en="This kind of amendment needs it.")
        if given and name not in (*needed, *possible):
            raise InvalidInput(name, zh="此类变更不能填写该项。", en="This kind of amendment does not take it.")
    if change.because_of_difficulty and change.type not in NEW_TERMS:
        raise InvalidInput(
            "becauseOfDifficulty", zh="只有新的还款条件才是重组。", en="Only new terms can be a restructuring."
        )


def check_effective_date(effective: date, value_date: date, today: date) -> None:
    """From the loan's first day to the open one. Raises INVALID_INPUT."""
    if not value_date <= effective <= today:
        raise InvalidInput(
            "effectiveDate",
            zh="生效日应在 {earliest} 至 {latest} 之间。",
            en="It takes effect between {earliest} and {latest}.",
            earliest=value_date,
            latest=today,
        )


def check_product(change: Change, product: Any) -> None:
    """Rate and method as the loan's version of the product allows. Raises PRODUCT_RULE_VIOLATED."""
    rate, method = change.annual_rate, change.method
    if rate is not None and not product.min_rate <= rate <= product.max_rate:
        raise _product_rule(
            "annualRate", plain_rate(rate), f"{plain_rate(product.min_rate)}–{plain_rate(product.max_rate)}"
        )
    if method is not None and (method not in product.methods or method is Method.CUSTOM):
        offered = [name for name in product.methods if name != Method.CUSTOM]  # its amounts no amendment carries
        raise _product_rule("method", method, ", ".join(offered))


def check_difference(change: Change, fold: Fold) -> None:
    """Something changes. `fold`: the loan on the effective date, without the amendment. Raises INVALID_INPUT."""
    terms = fold.state.version.terms
    same_rate = change.annual_rate is not None and Fraction(change.annual_rate) == terms.annual_rate
    if (change.type is AmendmentType.RATE and same_rate) or (
        change.type is AmendmentType.METHOD and change.method is terms.method
    ):
        field = "annualRate" if change.type is AmendmentType.RATE else "method"
        raise InvalidInput(field, zh="与现行条件相同。", en="That is what holds already.")


# ---------------------------------------------------------------- extension


def periods_until(terms: PlanTerms, day: date) -> int:
    """How many periods from the value date have ended by a day; a maturity that rolled over a holiday counts as itself."""
    count = 0
    while count < MOST_PERIODS and period_end(terms.value_date, terms.period_unit, count + 1) <= day:
        count += 1
    return count


def added_dates(terms: PlanTerms, last: date, periods: int, method: Method) -> tuple[date, ...]:
    """The due dates that follow the maturity `last` when it moves by that many periods, by the rules of the signed plan:
    the day of the month returns after a short month, settlement days stay, holidays roll. Raises PlanError for too many."""
    done = periods_until(terms, last)
    ends = [period_end(terms.value_date, terms.period_unit, done + count) for count in range(1, periods + 1)]
    if method is Method.BULLET:
        ends = ends[-1:]
    settled = terms.settlement_day is not None and method is not Method.BULLET
    asked = replace(
        terms,
        method=Method.INTEREST_ONLY,
        value_date=last,
        periods=None,
        due_dates=None if settled else tuple(ends),
        settlement_day=terms.settlement_day if settled else None,
        maturity_date=ends[-1] if settled else None,
        term_days=None,
        amortization_periods=None,
        principal_grace_periods=0,
        custom_principal=None,
    )
    return tuple(row.due_date for row in plan(asked).installments)


def most_periods(policy: Policy, terms: PlanTerms) -> int:
    """展期期限 · By how many periods a loan may be extended in all, by its signed term."""
    assert terms.periods is not None
    end = period_end(terms.value_date, terms.period_unit, terms.periods)
    if end <= add_months(terms.value_date, policy.extension_short_months):
        return int(terms.periods * policy.extension_short_share)
    if end <= add_months(terms.value_date, policy.extension_medium_months):
        return int(terms.periods * policy.extension_medium_share)
    limit = add_months(end, policy.extension_long_months)
    return periods_until(terms, limit) - terms.periods


def check_extension(change: Change, policy: Policy, fold: Fold, earlier: Sequence[int]) -> None:
    """`fold`: the loan on the effective date, without the amendment; `earlier`: the periods of each extension it has had.

    Raises INVALID_INPUT, EXTENSION_TOO_LONG, PRODUCT_RULE_VIOLATED (too late, too often, a lower rate)."""
    periods = change.extension_periods
    assert periods is not None
    if not 1 <= periods <= MOST_PERIODS:
        raise InvalidInput("extensionPeriods", zh="展期期数应大于零。", en="An extension has one period or more.")
    last_day = maturity(fold) - timedelta(days=policy.extension_apply_days)
    if fold.until > last_day:
        raise _product_rule("applyBy", fold.until, f"– {last_day}", field="effectiveDate")
    if len(earlier) >= policy.extension_most:
        raise _product_rule("extensions", len(earlier) + 1, policy.extension_most, field="type")
    allowed = max(0, most_periods(policy, fold.terms.plan) - sum(earlier))
    if periods > allowed:
        raise ExtensionTooLong(
            "extensionPeriods",
            zh="展期 {asked} 期超过允许的 {allowed} 期。",
            en="An extension of {asked} periods is longer than the {allowed} allowed.",
            asked=periods,
            allowed=allowed,
            extended=sum(earlier),
            unit=fold.terms.plan.period_unit,
        )
    old = fold.state.version.terms.annual_rate
    if change.annual_rate is not None and Fraction(change.annual_rate) < old and not policy.extension_rate_may_fall:
        raise _product_rule("annualRate", plain_rate(change.annual_rate), f"{plain_rate(decimal_rate(old))} –")


# ---------------------------------------------------------------- security


def burdens(change: Change, fold: Fold) -> bool:
    """Whether it makes the debt heavier for whoever secures it: later, dearer, or repaid in another way."""
    if change.type is AmendmentType.RATE:
        assert change.annual_rate is not None
        return Fraction(change.annual_rate) > fold.state.version.terms.annual_rate
    return change.type in (AmendmentType.EXTENSION, AmendmentType.METHOD)


def check_consents(change: Change, policy: Policy, lending_mode: LendingMode, fold: Fold) -> None:
    """民法典 695 · Who secures the loan is not liable for what was added without his written consent.

    Raises GUARANTOR_CONSENT_MISSING without one, or for one without a paper."""
    without_paper = [one.name for one in change.consents if not (one.document_number or one.attachment_id)]
    if without_paper:
        raise GuarantorConsentMissing(
            "guarantorConsents",
            zh="缺少书面同意：{guarantors}。",
            en="There is no written consent of: {guarantors}.",
            guarantors=without_paper,
        )
    if lending_mode in policy.guarantor_consent_modes and burdens(change, fold) and not change.consents:
        raise GuarantorConsentMissing("guarantorConsents", lending_mode=lending_mode)


# ---------------------------------------------------------------- arrears, misuse, acceleration


def arrears(fold: Fold, day: date) -> Decimal:
    """欠款 · What is owed at the close of a day once something is beyond its grace, in CNY."""
    shown = fold.position_on(day)
    if not shown.days_past_due:
        return Decimal("0.00")
    interest = shown.due_unpaid_interest + shown.penalty + shown.compound
    return yuan(shown.overdue_principal + interest + shown.fees)


def check_arrears(change: Change, policy: Policy, owed: Iterable[Decimal]) -> None:
    """New terms are for who has paid what is due, unless the lender's policy says otherwise. Raises ARREARS_EXIST."""
    most = max(owed)
    if change.type in NEW_TERMS and most and not policy.amendment_in_arrears:
        raise ArrearsExist("loanId", arrears=most)


def check_misuse(change: Change, fold: Fold) -> None:
    """Raises PRODUCT_RULE_VIOLATED (multiplier), INVALID_AMOUNT, AMOUNT_EXCEEDS_DUE (more than is outstanding)."""
    least, most = MISUSE_MULTIPLIERS
    assert change.multiplier is not None
    if change.multiplier != 1 and not least <= change.multiplier <= most:
        raise _product_rule("multiplier", plain_rate(change.multiplier), f"1, {least}–{most}")
    owed = yuan(fold.state.principal)
    if change.amount is not None and change.amount <= 0:
        raise InvalidAmount("amount", amount=change.amount)
    if change.amount is not None and fen(change.amount) > fold.state.principal:
        raise AmountExceedsDue("amount", asked=change.amount, due=owed)


def check_acceleration(fold: Fold) -> None:
    """Something is not due yet. Raises INVALID_STATE."""
    if fold.state.running is None:
        raise InvalidState("type", zh="贷款已全部到期。", en="Everything has fallen due already.", state="DUE")


# ---------------------------------------------------------------- words


def _product_rule(rule: str, value: Any, allowed: Any, *, field: str | None = None) -> ProductRuleViolated:  # type: ignore[valid-type]
    return ProductRuleViolated(field or rule, rule=rule, value=value, allowed=allowed)
