"""贷款条件 · What is asked for or approved on a product: amount, periods, rate, method — and what that costs the borrower."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from domain.calculation.cost import Cost, cost, exceeds, measured
from domain.calculation.money import fen
from domain.calculation.schedule import Basis, HolidayRule, Method, PeriodUnit, Plan, PlanError, PlanTerms, plan
from domain.configuration import calendar
from domain.kernel.refusals import ProductRuleViolated

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class Offer:
    """Money in CNY, `annual_rate` a fraction. `periods` are those of the product's period unit."""

    amount: Decimal
    periods: int
    annual_rate: Decimal
    method: Method


@dataclass(frozen=True, slots=True)
class Priced:
    """An offer worked out: its plan and its all-in cost."""

    terms: PlanTerms
    plan: Plan
    cost: Cost

    @property
    def measure(self) -> Decimal:
        """The all-in cost in one figure, a fraction a year with six places."""
        return measured(self.cost)

    def exceeds(self, line: Decimal) -> bool:
        """Whether the cost is above a line, to a hundredth of a per cent."""
        return exceeds(self.cost, line)

    @property
    def maturity(self) -> date:
        return self.plan.installments[-1].due_date


@dataclass(frozen=True, slots=True)
class Limits:
    """综合融资成本 · The cap above which a loan is refused and the line above which it warns (银发〔2025〕247号)."""

    cap: Decimal
    warn_above: Decimal


def plan_terms(product: Any, offer: Offer, value_date: date) -> PlanTerms:
    """The calculation's terms for an offer on a product (a row of `loan_products`) paid out on `value_date`; holidays are
    not in it yet."""
    return PlanTerms(
        principal=fen(offer.amount),
        annual_rate=Fraction(offer.annual_rate),
        method=Method(offer.method),
        value_date=value_date,
        basis=Basis(product.interest_basis),
        periods=offer.periods,
        period_unit=PeriodUnit(product.period_unit),
        settlement_day=product.settlement_day,
        first_settlement_min_days=product.first_settlement_min_days,
        amortization_periods=product.amortization_periods,
        holiday_rule=HolidayRule(product.holiday_rule),
    )


def price(terms: PlanTerms) -> Priced:
    """Plan and all-in cost. Raises PRODUCT_RULE_VIOLATED where the terms give no plan: a custom method needs dates and
    amounts that no application carries, a balloon the amortization of a product that offers it."""
    try:
        planned = plan(terms)
    except PlanError as error:
        rule = "periods" if error.field == "periods" else "method"
        raise ProductRuleViolated(rule, rule=rule, value=f"{terms.method}: {error}", allowed="–") from error
    return Priced(terms, planned, cost(terms, planned))


async def priced_today(ctx: Context, product: Any, offer: Offer) -> Priced:
    """The offer as if it were paid out today, with the lender's calendar where the product rolls due dates."""
    return await priced_on(ctx, product, offer, ctx.today)


async def priced_on(ctx: Context, product: Any, offer: Offer, day: date) -> Priced:
    """The offer as if it were paid out on that day."""
    terms = plan_terms(product, offer, day)
    if terms.holiday_rule is not HolidayRule.NONE:
        days = await calendar.holidays(ctx, day, date.max)
        terms = replace(terms, holidays=days.holidays, makeup_workdays=days.makeup_workdays)
    return price(terms)


def stored_cost(priced: Priced, limits: Limits) -> dict[str, Any]:
    """The four measures with cap and warning line, as a contract keeps them (texts; None where not defined)."""
    figures = priced.cost
    return {
        "period_irr": _text(figures.period_irr),
        "apr_nominal": _text(figures.apr_nominal),
        "apr_effective": _text(figures.apr_effective),
        "xirr_act365": _text(figures.xirr_act365),
        "simple_apr_act365": _text(figures.simple_apr_act365),
        "cap": _text(limits.cap),
        "exceeds_cap": priced.exceeds(limits.cap),
        "warn_above": _text(limits.warn_above),
        "exceeds_warning": priced.exceeds(limits.warn_above),
    }


def _text(rate: Decimal | None) -> str | None:
    return None if rate is None else str(rate)
