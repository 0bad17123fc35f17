"""综合融资成本 · All-in cost of a plan: IRR, its annualizations, XIRR and the simple rate (PBoC notice 2021 No. 3).

The rates are roots of polynomials. They are found with more digits than are shown and rounded half up once, so the last
digit shown is exact.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from domain.calculation.money import half_up
from domain.calculation.schedule import BY_DAYS_ONLY, MONTHS_IN_PERIOD, Basis, Method, Plan, PlanTerms, period_end

WORKING = Context(prec=45)
# A root is known to about 40 digits. Dropping the last ones turns 0.00499…9 into the 0.005 it stands for.
SETTLED = Decimal("1e-30")
STEP_LIMIT = Decimal("1e-38")
# Fees that take most of a pay-out for a day make annual rates with hundreds of digits: they tell nothing.
ABSURD = Decimal("1e10")
HUNDREDTH_OF_A_PERCENT = Decimal("0.0001")


class FeePayer(StrEnum):
    BORROWER = "BORROWER"
    """借款人 Counts towards the annual cost."""
    ENTRUSTOR = "ENTRUSTOR"
    """委托人 Paid by who entrusted the money."""
    LENDER = "LENDER"
    """贷款人 Borne by the lender."""


@dataclass(frozen=True, slots=True)
class Fee:
    """手续费 · A fee in fen, paid in cash on a date; it is never deducted from the pay-out."""

    date: date
    amount: int
    payer: FeePayer = FeePayer.BORROWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The measures as decimal fractions a year (`period_irr` a period); None where a measure is not defined."""

    period_irr: Decimal | None  # 8 decimals, the others 6
    apr_nominal: Decimal | None  # period_irr x periods a year (单利)
    apr_effective: Decimal | None  # (1 + period_irr)^n - 1 (复利)
    xirr_act365: Decimal | None  # effective annual rate of the dated cash flows
    simple_apr_act365: Decimal  # all costs x 365 / (principal in use x days)


def cost(terms: PlanTerms, plan: Plan, fees: Sequence[Fee] = ()) -> Cost:
    """What the plan costs the borrower a year, fees included.

    Only the borrower's own fees count. One paid before the value date counts as paid on it, one paid after the last
    due date as paid on that. Where fees eat up the pay-out or nearly all of it only the simple rate remains.
    Golden cases S01–S31 (rates), S10 and S29 with fees, S39 with a fee of the entrustor.
    """
    own_fees = [fee for fee in fees if fee.payer is FeePayer.BORROWER]
    period_irr = apr_nominal = apr_effective = xirr = None
    with localcontext(WORKING):
        if _has_equal_periods(terms, plan) and (v := _discount(_period_flows(terms, plan, own_fees))):
            per_year = 12 // MONTHS_IN_PERIOD[terms.period_unit]
            period_irr = _shown(1 / v - 1, 8)
            apr_nominal = _shown((1 / v - 1) * per_year, 6)
            apr_effective = _shown((1 / v) ** per_year - 1, 6)
        if v := _discount(_dated_flows(terms, plan, own_fees)):
            xirr = _shown((1 / v) ** 365 - 1, 6)
    return Cost(
        period_irr=period_irr,
        apr_nominal=apr_nominal,
        apr_effective=apr_effective,
        xirr_act365=xirr,
        simple_apr_act365=_simple_apr(plan, own_fees),
    )


def measured(cost: Cost) -> Decimal:
    """The measure held against the cap (24 %): the nominal rate of equal periods, else the simple rate."""
    return cost.simple_apr_act365 if cost.apr_nominal is None else cost.apr_nominal


def exceeds(cost: Cost, line: Decimal) -> bool:
    """Whether the measure is above a line, to a hundredth of a per cent: a rate of 24 % whose installments are rounded to
    whole fen may cost 24.0008 %, and no rule means that."""
    return measured(cost).quantize(HUNDREDTH_OF_A_PERCENT, ROUND_HALF_UP) > line


def _has_equal_periods(terms: PlanTerms, plan: Plan) -> bool:
    """Whether one rate of a period describes the plan."""
    if terms.period_unit not in MONTHS_IN_PERIOD:
        return False
    if terms.basis is Basis.PERIODIC:
        return True
    return terms.method not in BY_DAYS_ONLY and all(
        row.due_date == period_end(terms.value_date, terms.period_unit, row.seq) for row in plan.installments
    )


def _period_flows(terms: PlanTerms, plan: Plan, fees: Iterable[Fee]) -> dict[int, int]:
    """What the borrower pays (the pay-out is negative), in fen, by the number of periods since the value date."""
    # A bullet is paid once, after all its periods.
    periods_each = terms.periods or 1 if terms.method is Method.BULLET else 1
    flows = {0: -plan.total_principal}
    for row in plan.installments:
        flows[row.seq * periods_each] = row.payment
    for fee in fees:
        if fee.date <= terms.value_date:
            flows[0] += fee.amount
        else:
            paid_with = next((row for row in plan.installments if row.due_date >= fee.date), plan.installments[-1])
            flows[paid_with.seq * periods_each] += fee.amount
    return flows


def _dated_flows(terms: PlanTerms, plan: Plan, fees: Iterable[Fee]) -> dict[int, int]:
    """The same by the number of days since the value date."""
    flows = {0: -plan.total_principal}
    payments = [(row.due_date, row.payment) for row in plan.installments]
    for day, amount in [*payments, *((fee.date, fee.amount) for fee in fees)]:
        days = max(0, (day - terms.value_date).days)
        flows[days] = flows.get(days, 0) + amount
    return flows


def _discount(flows: dict[int, int]) -> Decimal | None:
    """The v in (0, 1] for which the sum of flow x v^time is 0; None if the first flow gives the borrower nothing.

    All flows but the first are payments, so the sum is increasing and convex in v, and not negative at v = 1 (nobody
    pays back less than he got): Newton's steps from there come down to the only root without ever passing it.
    """
    if flows[0] >= 0:
        return None
    times = sorted(flows, reverse=True)
    amounts = [Decimal(flows[time]) for time in times]
    gaps = [later - earlier for later, earlier in pairwise(times)]
    v = step = Decimal(1)
    while step > STEP_LIMIT:
        powers = {gap: v ** (gap - 1) for gap in set(gaps)}
        value, slope = amounts[0], Decimal(0)
        for gap, amount in zip(gaps, amounts[1:], strict=True):
            power = powers[gap]
            slope = (slope * v + value * gap) * power
            value = value * power * v + amount
        step = value / slope
        v -= step
    return v


def _simple_apr(plan: Plan, fees: Iterable[Fee]) -> Decimal:
    costs = plan.total_interest + sum(fee.amount for fee in fees)
    in_use = sum((row.balance_after + row.principal) * row.days for row in plan.installments)
    return Decimal(half_up(Fraction(costs * 365 * 10**6, in_use))).scaleb(-6)


def _shown(rate: Decimal, places: int) -> Decimal | None:
    """The rate half up, zero without a sign; None if it is absurd."""
    if rate > ABSURD:
        return None
    return rate.quantize(SETTLED).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0
