"""还款计划试算 · Repayment plan calculator: the plan of any terms with its all-in cost, held against the lender's limits.

Nothing is stored. Every loan is planned and priced by the same calculation (golden cases S01–S31).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from domain.calculation.cost import Cost, Fee, cost, exceeds
from domain.calculation.schedule import HolidayRule, Plan, PlanError, PlanTerms, plan
from domain.configuration import calendar, parameter
from domain.kernel.command import query
from domain.kernel.refusals import BadInput
from domain.lending.offer import Limits

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class Calculated:
    """A plan, what it costs, and the lender's limits on the day of asking."""

    plan: Plan
    cost: Cost
    limits: Limits

    @property
    def exceeds_cap(self) -> bool:
        return exceeds(self.cost, self.limits.cap)

    @property
    def exceeds_warning(self) -> bool:
        return exceeds(self.cost, self.limits.warn_above)


async def cost_limits(ctx: Context, on: date | None = None) -> Limits:
    """综合融资成本上限与预警线 · The cap (24 %) and the warning line (4 × 1Y LPR) in force on a day (default: today)."""
    found = await parameter.values(ctx, ("cost_cap", "lpr_1y", "cost_warning_multiple"), on)
    return Limits(cap=found["cost_cap"], warn_above=found["lpr_1y"] * found["cost_warning_multiple"])


@query("lending.repayment_plan.read")
async def calculate(
    ctx: Context, *, terms: PlanTerms, fees: Sequence[Fee] = (), own_calendar: bool = False
) -> Calculated:
    """Plans and prices terms. `own_calendar`: due dates roll by the lender's calendar, not by days in the terms.

    Raises BadInput where the terms give no plan; a question that makes no sense is no business refusal.
    """
    if own_calendar and terms.holiday_rule is not HolidayRule.NONE:
        days = await calendar.holidays(ctx, terms.value_date, date.max)
        terms = replace(terms, holidays=days.holidays, makeup_workdays=days.makeup_workdays)
    if any(fee.amount <= 0 for fee in fees):
        raise BadInput("a fee is more than nothing")
    try:
        planned = plan(terms)
    except PlanError as error:
        raise BadInput(str(error)) from error
    return Calculated(planned, cost(terms, planned, fees), await cost_limits(ctx))
