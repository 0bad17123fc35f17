"""还款计划试算 · Repayment plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import TypeVar

import strawberry

from domain.calculation.cost import Fee
from domain.calculation.money import fen, yuan
from domain.calculation.schedule import PlannedInstallment as Row
from domain.calculation.schedule import PlanTerms
from domain.lending import repayment_plan
from domain.lending.loan.explanation_of_rows import PlannedPlace
from domain.lending.repayment_plan import Calculated
from resolvers.kernel import Info, reads
from schema.kernel import Money
from schema.lending.repayment_plan import FinancingCost, PlannedInstallment, RepaymentPlan, RepaymentPlanInput

T = TypeVar("T")


@strawberry.type
class RepaymentPlanQueries:
    @reads(repayment_plan.calculate)
    async def repayment_plan(self, info: Info, input: RepaymentPlanInput) -> RepaymentPlan:
        """还款计划试算 The plan of these terms and what it costs; nothing is stored."""
        calculated = await repayment_plan.calculate(
            await info.context.reading(),
            terms=_terms(input),
            fees=[Fee(fee.date, fen(fee.amount), fee.payer) for fee in input.fees or ()],
            own_calendar=input.holidays is None and input.makeup_workdays is None,
        )
        return _answer(calculated)


def _terms(input: RepaymentPlanInput) -> PlanTerms:
    return PlanTerms(
        principal=fen(input.principal),
        annual_rate=Fraction(input.annual_rate),
        method=input.method,
        value_date=input.value_date,
        basis=input.interest_basis,
        periods=input.periods,
        period_unit=input.period_unit,
        due_dates=_tuple(input.due_dates),
        settlement_day=input.settlement_day,
        settlement_months=_tuple(input.settlement_months),
        first_settlement_min_days=input.first_settlement_min_days,
        maturity_date=input.maturity_date,
        term_days=input.term_days,
        amortization_periods=input.amortization_periods,
        principal_grace_periods=input.principal_grace_periods or 0,
        custom_principal=_tuple([fen(part) for part in input.custom_principal] if input.custom_principal else None),
        holiday_rule=input.holiday_rule,
        holidays=frozenset(input.holidays or ()),
        makeup_workdays=frozenset(input.makeup_workdays or ()),
    )


def _tuple(given: Sequence[T] | None) -> tuple[T, ...] | None:
    return None if given is None else tuple(given)


def _answer(calculated: Calculated) -> RepaymentPlan:
    plan = calculated.plan
    return RepaymentPlan(
        installments=[planned_installment(row) for row in plan.installments],
        total_principal=_money(plan.total_principal),
        total_interest=_money(plan.total_interest),
        total_payment=_money(plan.total_payment),
        installment_amount=None if plan.installment_amount is None else _money(plan.installment_amount),
        cost=financing_cost(calculated),
    )


def planned_installment(row: Row, place: PlannedPlace | None = None) -> PlannedInstallment:
    """One installment of a plan, in CNY; `place` where it is a loan's."""
    return PlannedInstallment(
        seq=row.seq,
        start_date=row.start_date,
        due_date=row.due_date,
        days=row.days,
        principal=_money(row.principal),
        interest=_money(row.interest),
        payment=_money(row.payment),
        balance_after=_money(row.balance_after),
        place=place,
    )


def financing_cost(calculated: Calculated) -> FinancingCost:
    """The measures with the lender's limits beside them."""
    return FinancingCost(
        **asdict(calculated.cost),
        **asdict(calculated.limits),
        exceeds_cap=calculated.exceeds_cap,
        exceeds_warning=calculated.exceeds_warning,
    )


def _money(amount: int) -> Money:
    return Money(yuan(amount))
