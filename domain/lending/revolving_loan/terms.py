"""授信条件 · What a facility says: its limit, its term, and what a single drawdown may be. Rules without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.calculation.dates import add_months
from domain.calculation.schedule import Method
from domain.configuration.loan_product import LendingMode
from domain.kernel.refusals import InvalidAmount, InvalidInput, ProductRuleViolated
from domain.lending.offer import Offer
from domain.lending.revolving_loan.tables import CreditFacility
from domain.organization.department import check_text
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.configuration.loan_product import LoanProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityTerms:
    """What is asked for. Money in CNY, `annual_rate` a fraction, `max_periods` in the product's periods.

    Without `starts_on` the term begins with the grant; without a largest drawdown it is the limit."""

    credit_limit: Decimal
    annual_rate: Decimal
    ends_on: date
    max_periods: int
    lending_mode: LendingMode
    purpose_code: str
    purpose: str
    starts_on: date | None = None
    min_drawdown: Decimal | None = None
    max_drawdown: Decimal | None = None
    papers_valid_until: date | None = None


def check_terms(terms: FacilityTerms, product: Any, today: date) -> dict[str, Any]:
    """The columns of a facility with these terms. `product`: a row of `loan_products`; what it allows of amount, rate and
    periods is a guard.

    Raises INVALID_AMOUNT (limit, single drawdowns), INVALID_INPUT (periods, rate, purpose, papers that have run out),
    PRODUCT_RULE_VIOLATED (the term)."""
    least = Decimal("0.01") if terms.min_drawdown is None else terms.min_drawdown
    most = terms.credit_limit if terms.max_drawdown is None else terms.max_drawdown
    amounts = {
        "creditLimit": (terms.credit_limit, terms.credit_limit > 0),
        "minDrawdown": (least, 0 < least <= most),
        "maxDrawdown": (most, 0 < most <= terms.credit_limit),
    }
    for field, (amount, holds) in amounts.items():
        if not holds:
            raise InvalidAmount(field, amount=amount)
    if terms.max_periods < 1:
        raise InvalidInput("maxPeriods", zh="期数至少为 1。", en="There is one period at least.")
    if terms.annual_rate < 0:
        raise InvalidInput("annualRate", zh="利率不能为负。", en="A rate is not negative.")
    if terms.papers_valid_until is not None:
        check_papers(terms.papers_valid_until, today)
    starts_on = max(terms.starts_on or today, today)
    check_term(starts_on, terms.ends_on, product.facility_months)
    return {
        "credit_limit": terms.credit_limit,
        "annual_rate": terms.annual_rate,
        "starts_on": starts_on,
        "ends_on": terms.ends_on,
        "min_drawdown": least,
        "max_drawdown": most,
        "max_periods": terms.max_periods,
        "lending_mode": terms.lending_mode,
        "purpose_code": terms.purpose_code,
        "purpose": check_text("purpose", terms.purpose, 500),
        "papers_valid_until": terms.papers_valid_until,
    }


def check_term(starts_on: date, ends_on: date, months: int) -> None:
    """A facility ends after it begins, and at most so many months later. Raises PRODUCT_RULE_VIOLATED."""
    latest = add_months(starts_on, months)
    if not starts_on < ends_on <= latest:
        raise ProductRuleViolated("endsOn", rule="endsOn", value=ends_on, allowed=f"{starts_on}–{latest}")


def offer_of(facility: CreditFacility, product: LoanProduct, terms: ApprovedTerms | None = None) -> Offer:
    """The facility as the guards look at it: all of the limit drawn at once for the longest term, on the dearest method."""
    set_by = terms or ApprovedTerms()
    methods = sorted(product.methods, reverse=True)  # INTEREST_ONLY before BULLET: interest paid earlier costs more
    return Offer(
        set_by.amount or facility.credit_limit,
        set_by.periods or facility.max_periods,
        facility.annual_rate if set_by.annual_rate is None else set_by.annual_rate,
        Method(methods[0]),
    )


def check_papers(valid_until: date, today: date) -> None:
    """Papers that were seen today have not run out. Raises INVALID_INPUT."""
    if valid_until < today:
        raise InvalidInput(
            "papersValidUntil",
            zh="证件已于 {until} 过期。",
            en="The papers ran out on {until}.",
            until=valid_until,
        )
