"""贷款条件 · What was agreed, written down with the loan when it is paid out, so that no later edit changes its history.

`Loan.terms` (JSON) holds the product's rules as they were; the plan as signed is version 1 of `plan_installments`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from domain.calculation.allocation import Component, Strategy
from domain.calculation.classification import RULESETS
from domain.calculation.dates import next_business_day
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import fen
from domain.calculation.schedule import (
    Basis,
    HolidayRule,
    Method,
    PeriodUnit,
    PlannedInstallment,
    PlanTerms,
    period_end,
    plan,
)
from domain.configuration import calendar, parameter
from domain.lending.loan.tables import Loan

if TYPE_CHECKING:
    from domain.configuration.loan_product import LoanProduct
    from domain.kernel.context import Context

LONGEST_ROLL = timedelta(days=31)


def written(product: LoanProduct, contract: Any, in_force: dict[str, Any]) -> dict[str, Any]:
    """The rules of a product's version for one contract, with the parameters in force, as JSON."""
    return {
        "periods": contract.periods,
        "period_unit": str(product.period_unit),
        "interest_basis": str(product.interest_basis),
        "settlement_day": product.settlement_day,
        "first_settlement_min_days": product.first_settlement_min_days,
        "amortization_periods": product.amortization_periods,
        "holiday_rule": str(product.holiday_rule),
        "grace_days": product.grace_days,
        "penalty_multiplier": str(product.penalty_multiplier),
        "compound": product.compound,
        "allocation_order": list(product.allocation_order),
        "allocation_strategy": str(product.allocation_strategy),
        "prepayment_fee_rate": str(product.prepayment_fee_rate),
        "classification_ruleset": in_force["classification_ruleset"],
        "non_accrual_days": in_force["non_accrual_days"],
    }


def loan_terms(loan: Loan, planned: Sequence[Any] = ()) -> LoanTerms:
    """The engine's terms of a stored loan; `planned` are the rows of its signed plan (version 1)."""
    agreed = loan.terms
    return LoanTerms(
        plan=PlanTerms(
            principal=fen(loan.principal),
            annual_rate=Fraction(loan.annual_rate),
            method=Method(loan.method),
            value_date=loan.value_date,
            basis=Basis(agreed["interest_basis"]),
            periods=agreed["periods"],
            period_unit=PeriodUnit(agreed["period_unit"]),
            settlement_day=agreed["settlement_day"],
            first_settlement_min_days=agreed["first_settlement_min_days"],
            amortization_periods=agreed["amortization_periods"],
            holiday_rule=HolidayRule(agreed["holiday_rule"]),
        ),
        penalty_multiplier=Fraction(Decimal(agreed["penalty_multiplier"])),
        compound=agreed["compound"],
        installments=tuple(_installment(row) for row in planned),
        grace_days=agreed["grace_days"],
        grace_ends={row.due_date: row.grace_end for row in planned},
        order=tuple(Component(component) for component in agreed["allocation_order"]),
        strategy=Strategy(agreed["allocation_strategy"]),
        prepayment_fee_rate=Fraction(Decimal(agreed["prepayment_fee_rate"])),
        ruleset=RULESETS[agreed["classification_ruleset"]],
        lending_mode=loan.lending_mode,
        non_accrual_after=agreed["non_accrual_days"],
    )


def _installment(row: Any) -> PlannedInstallment:
    return PlannedInstallment(
        seq=row.seq,
        start_date=row.start_date,
        due_date=row.due_date,
        principal=row.principal,
        interest=row.interest,
        balance_after=row.balance_after,
    )


async def signed_terms(ctx: Context, loan: Loan) -> LoanTerms:
    """The terms of a loan about to be paid out, with its plan from the value date and the end of each grace.

    Raises PlanError where the terms give no plan."""
    terms = loan_terms(loan)
    last = period_end(loan.value_date, terms.plan.period_unit, terms.plan.periods or 1) + LONGEST_ROLL
    known = await calendar.holidays(ctx, loan.value_date, last + timedelta(days=terms.grace_days))
    terms_of_plan = replace(terms.plan, holidays=known.holidays, makeup_workdays=known.makeup_workdays)
    installments = plan(terms_of_plan).installments
    rolls = terms.plan.holiday_rule is HolidayRule.NEXT_BUSINESS_DAY and terms.grace_days > 0
    ends = {row.due_date: row.due_date + timedelta(days=terms.grace_days) for row in installments}
    if rolls:
        ends = {due: next_business_day(end, known.holidays, known.makeup_workdays) for due, end in ends.items()}
    return replace(terms, installments=installments, grace_ends=ends)


async def in_force(ctx: Context) -> dict[str, Any]:
    """The parameters that become part of a loan's terms, as they are on the open business day."""
    return await parameter.values(ctx, ("classification_ruleset", "non_accrual_days"))


def planned_rows(
    loan: Loan, terms: LoanTerms, version: int, installments: Iterable[PlannedInstallment], event_id: Any
) -> list[dict[str, Any]]:
    """One version of the plan as rows of `plan_installments`."""
    return [
        {
            "loan_id": loan.id,
            "version": version,
            "seq": row.seq,
            "event_id": event_id,
            "start_date": row.start_date,
            "due_date": row.due_date,
            "grace_end": terms.grace_end(row.due_date),
            "principal": row.principal,
            "interest": row.interest,
            "balance_after": row.balance_after,
        }
        for row in installments
    ]


def maturity(terms: LoanTerms) -> date:
    """The last due date of the signed plan."""
    return terms.installments[-1].due_date
