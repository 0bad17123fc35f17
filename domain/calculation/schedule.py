"""还款计划 · Repayment plan: installments, principal and interest for each repayment method (golden cases S01–S31)."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from domain.calculation.dates import add_months, next_business_day, settlement_dates
from domain.calculation.money import div_half_up

MAX_PERIODS = 1200
FIRST_SETTLEMENT_MIN_DAYS = 15
EVERY_MONTH = frozenset(range(1, 13))


class Method(StrEnum):
    """还款方式 · How principal and interest are paid back."""

    EQUAL_INSTALLMENT = "EQUAL_INSTALLMENT"
    """等额本息 The same sum each period."""
    EQUAL_PRINCIPAL = "EQUAL_PRINCIPAL"
    """等额本金 The same principal each period, falling interest."""
    INTEREST_ONLY = "INTEREST_ONLY"
    """先息后本 Interest each period, principal at the end."""
    BULLET = "BULLET"
    """一次性还本付息 Everything at the end."""
    EQUAL_PRINCIPAL_EQUAL_INTEREST = "EQUAL_PRINCIPAL_EQUAL_INTEREST"
    """等本等息 The same principal and the same interest each period."""
    BALLOON = "BALLOON"
    """气球贷 Small installments and a large last one."""
    CUSTOM = "CUSTOM"
    """自定义 A plan written by hand."""


class PeriodUnit(StrEnum):
    DAY = "DAY"
    """日 Days."""
    WEEK = "WEEK"
    """周 Weeks."""
    MONTH = "MONTH"
    """月 Months."""
    QUARTER = "QUARTER"
    """季 Three months."""
    HALF_YEAR = "HALF_YEAR"
    """半年 Six months."""


class Basis(StrEnum):
    """计息基准 · Interest by whole periods, or by actual days over 360 or 365."""

    PERIODIC = "PERIODIC"
    """按期 Each period bears the same share of the annual rate."""
    ACTUAL_360 = "ACTUAL_360"
    """实际/360 Actual days over 360."""
    ACTUAL_365 = "ACTUAL_365"
    """实际/365 Actual days over 365."""


class HolidayRule(StrEnum):
    NONE = "NONE"
    """不顺延 Due days stay where they fall."""
    NEXT_BUSINESS_DAY = "NEXT_BUSINESS_DAY"
    """顺延 A due day on a holiday moves to the next working day."""


MONTHS_IN_PERIOD = {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.HALF_YEAR: 6}
DAYS_IN_PERIOD = {PeriodUnit.DAY: 1, PeriodUnit.WEEK: 7}
BY_DAYS_ONLY = frozenset({Method.BULLET, Method.CUSTOM})


class PlanError(ValueError):
    """These terms give no plan; `field` is the one of `PlanTerms` to correct."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What a plan is made from. Principal is in fen, `annual_rate` a fraction (12 % a year is 3/25).

    Due dates: `due_dates` as given, or each `settlement_day` (of `settlement_months`) up to the maturity, or every
    period from the value date. The maturity is `maturity_date`, or the value date plus `term_days`, or plus `periods`.
    """

    principal: int
    annual_rate: Fraction
    method: Method
    value_date: date
    basis: Basis = Basis.PERIODIC
    periods: int | None = None
    period_unit: PeriodUnit = PeriodUnit.MONTH
    due_dates: tuple[date, ...] | None = None
    settlement_day: int | None = None
    settlement_months: tuple[int, ...] | None = None
    first_settlement_min_days: int | None = None
    maturity_date: date | None = None
    term_days: int | None = None
    amortization_periods: int | None = None
    principal_grace_periods: int = 0
    custom_principal: tuple[int, ...] | None = None
    holiday_rule: HolidayRule = HolidayRule.NONE
    holidays: frozenset[date] = frozenset()
    makeup_workdays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInstallment:
    """期 · One installment, in fen. The start day bears interest, the due day does not (算头不算尾)."""

    seq: int
    start_date: date
    due_date: date
    principal: int
    interest: int
    balance_after: int

    @property
    def days(self) -> int:
        return (self.due_date - self.start_date).days

    @property
    def payment(self) -> int:
        return self.principal + self.interest


@dataclass(frozen=True, slots=True)
class Plan:
    """The installments in order, and the level installment (PMT) where the method has one."""

    installments: tuple[PlannedInstallment, ...]
    installment_amount: int | None = None

    @property
    def total_principal(self) -> int:
        return sum(row.principal for row in self.installments)

    @property
    def total_interest(self) -> int:
        return sum(row.interest for row in self.installments)

    @property
    def total_payment(self) -> int:
        return self.total_principal + self.total_interest


def plan(terms: PlanTerms) -> Plan:
    """The repayment plan of these terms: every figure in fen, rounded half up once.

    The last installment takes what is left of the principal, so the principal parts always add up.
    Raises PlanError where the terms are impossible or contradict each other. Golden cases S01–S31.
    """
    _check(terms)
    dates = _due_dates(terms)
    _check_count(terms, len(dates))
    pmt = _installment_amount(terms, len(dates))

    installments = []
    start, balance = terms.value_date, terms.principal
    for seq, due in enumerate(dates, 1):
        base = terms.principal if terms.method is Method.EQUAL_PRINCIPAL_EQUAL_INTEREST else balance
        interest = _interest(terms, base, (due - start).days)
        last = seq == len(dates)
        wanted = balance if last else _principal_part(terms, seq, len(dates), pmt, interest)
        principal = max(0, min(wanted, balance))
        balance -= principal
        installments.append(
            PlannedInstallment(
                seq=seq, start_date=start, due_date=due, principal=principal, interest=interest, balance_after=balance
            )
        )
        start = due
    return Plan(tuple(installments), pmt)


def period_rate(annual_rate: Fraction, unit: PeriodUnit) -> Fraction:
    """The rate of one period: a twelfth, a quarter or a half of the annual one, unrounded.

    Raises PlanError for days and weeks: they have no period rate, their interest goes by actual days.
    """
    if unit not in MONTHS_IN_PERIOD:
        raise PlanError(f"a {unit} has no period rate", "period_unit")
    return annual_rate * MONTHS_IN_PERIOD[unit] / 12


def level_payment(principal: int, rate: Fraction, n: int) -> int:
    """等额本息每期还款额 · PMT in fen: principal x rate / (1 - (1 + rate)^-n), exact, then rounded half up once."""
    if rate == 0:
        return div_half_up(principal, n)
    # With rate = a/b and growth (1 + rate)^n = (a+b)^n / b^n everything stays whole numbers.
    grown, base = (rate.numerator + rate.denominator) ** n, rate.denominator**n
    return div_half_up(principal * rate.numerator * grown, rate.denominator * (grown - base))


def period_end(anchor: date, unit: PeriodUnit, periods: int) -> date:
    """The end of that many periods, counted from the anchor: the day of the month returns after a short month."""
    if unit in MONTHS_IN_PERIOD:
        return add_months(anchor, periods * MONTHS_IN_PERIOD[unit])
    return anchor + timedelta(days=periods * DAYS_IN_PERIOD[unit])


def _installment_amount(terms: PlanTerms, count: int) -> int | None:
    if terms.method is Method.BALLOON:
        n = terms.amortization_periods
        if n is None or n < count - terms.principal_grace_periods:
            raise PlanError("a balloon needs an amortization no shorter than its periods", "amortization_periods")
    elif terms.method is Method.EQUAL_INSTALLMENT:
        n = count - terms.principal_grace_periods
    else:
        return None
    return level_payment(terms.principal, period_rate(terms.annual_rate, terms.period_unit), n)


def _principal_part(terms: PlanTerms, seq: int, count: int, pmt: int | None, interest: int) -> int:
    """The principal of an installment before the last one."""
    if seq <= terms.principal_grace_periods:
        return 0
    if pmt is not None:
        return pmt - interest
    if terms.method is Method.CUSTOM and terms.custom_principal is not None:
        return terms.custom_principal[seq - 1]
    if terms.method is Method.INTEREST_ONLY:
        return 0
    return div_half_up(terms.principal, count - terms.principal_grace_periods)


def _interest(terms: PlanTerms, base: int, days: int) -> int:
    rate = terms.annual_rate
    if terms.basis is Basis.PERIODIC and terms.method not in BY_DAYS_ONLY:
        return div_half_up(base * rate.numerator * MONTHS_IN_PERIOD[terms.period_unit], rate.denominator * 12)
    return div_half_up(base * rate.numerator * days, rate.denominator * days_in_year(terms.basis))


def days_in_year(basis: Basis) -> int:
    """The divisor of a daily rate: 365 on ACTUAL_365, else 360 (also where a PERIODIC loan counts days)."""
    return 365 if basis is Basis.ACTUAL_365 else 360


def _due_dates(terms: PlanTerms) -> list[date]:
    try:
        nominal = _nominal_due_dates(terms)
        if terms.holiday_rule is HolidayRule.NONE:
            return nominal
        # Each nominal date rolls by itself; the anchor stays, so the next one is not pushed along.
        return [next_business_day(day, terms.holidays, terms.makeup_workdays) for day in nominal]
    except PlanError:
        raise
    except (ValueError, OverflowError) as error:
        raise PlanError("the due dates run out of the calendar", "value_date") from error


def _nominal_due_dates(terms: PlanTerms) -> list[date]:
    if terms.due_dates is not None:
        return list(terms.due_dates)
    maturity = _maturity(terms)
    if terms.method is Method.BULLET:
        return [maturity]
    if terms.settlement_day is not None:
        return _settled_due_dates(terms, terms.settlement_day, maturity)
    if terms.periods is None:
        raise PlanError("the number of periods is missing", "periods")
    dates = [period_end(terms.value_date, terms.period_unit, k) for k in range(1, terms.periods + 1)]
    if dates[-1] != maturity:
        raise PlanError(f"{terms.periods} periods end on {dates[-1]}, not on {maturity}", "maturity_date")
    return dates


def _maturity(terms: PlanTerms) -> date:
    if terms.term_days is not None:
        maturity = terms.value_date + timedelta(days=terms.term_days)
        if terms.maturity_date not in (None, maturity):
            raise PlanError(f"{terms.term_days} days end on {maturity}, not on {terms.maturity_date}", "maturity_date")
        return maturity
    if terms.maturity_date is not None:
        return terms.maturity_date
    if terms.periods is None:
        raise PlanError("neither periods nor a maturity date are given", "periods")
    return period_end(terms.value_date, terms.period_unit, terms.periods)


def _settled_due_dates(terms: PlanTerms, day: int, maturity: date) -> list[date]:
    """The settlement days (结息日) before the maturity, then the maturity; a first stub too short is dropped."""
    months = EVERY_MONTH if terms.settlement_months is None else frozenset(terms.settlement_months)
    min_days = terms.first_settlement_min_days
    if min_days is None:
        min_days = FIRST_SETTLEMENT_MIN_DAYS
    dates = list(settlement_dates(terms.value_date, maturity, day, months))
    if dates and (dates[0] - terms.value_date).days < min_days:
        del dates[0]
    return [*dates, maturity]


def _check(terms: PlanTerms) -> None:
    """Each field by itself; a None is a field left out."""
    one_to_max = range(1, MAX_PERIODS + 1)
    months = terms.settlement_months
    rules = {
        "principal": terms.principal > 0,
        "annual_rate": terms.annual_rate >= 0,
        "periods": terms.periods is None or terms.periods in one_to_max,
        "term_days": terms.term_days is None or terms.term_days > 0,
        "maturity_date": terms.maturity_date is None or terms.maturity_date > terms.value_date,
        "due_dates": terms.due_dates is None or _ascending((terms.value_date, *terms.due_dates)),
        "settlement_day": terms.settlement_day is None or 1 <= terms.settlement_day <= 31,
        "settlement_months": months is None or (len(months) > 0 and EVERY_MONTH.issuperset(months)),
        "first_settlement_min_days": (terms.first_settlement_min_days or 0) >= 0,
        "amortization_periods": terms.amortization_periods is None or terms.amortization_periods in one_to_max,
        "principal_grace_periods": terms.principal_grace_periods >= 0,
    }
    for field, holds in rules.items():
        if not holds:
            raise PlanError(f"{field} is out of range: {getattr(terms, field)}", field)
    if terms.basis is Basis.PERIODIC and terms.period_unit not in MONTHS_IN_PERIOD:
        raise PlanError(f"a {terms.period_unit} has no period rate: interest goes by actual days", "basis")


def _ascending(days: tuple[date, ...]) -> bool:
    return len(days) > 1 and all(earlier < later for earlier, later in pairwise(days))


def _check_count(terms: PlanTerms, count: int) -> None:
    """The fields against the number of installments they lead to."""
    if count > MAX_PERIODS:
        raise PlanError(f"{count} installments are more than {MAX_PERIODS}", "periods")
    if terms.method is Method.BULLET and count != 1:
        raise PlanError("a bullet loan is repaid on one date", "due_dates")
    if terms.due_dates is not None and terms.method is not Method.BULLET and terms.periods not in (None, count):
        raise PlanError(f"{terms.periods} periods, but {count} due dates", "periods")
    if terms.principal_grace_periods >= count:
        raise PlanError("principal is repaid in one installment at least", "principal_grace_periods")
    if terms.method is not Method.CUSTOM:
        return
    parts = terms.custom_principal
    if parts is None or len(parts) != count or min(parts) < 0 or sum(parts) != terms.principal:
        raise PlanError("the principal of each installment must be given and add up", "custom_principal")
    if terms.principal_grace_periods:
        raise PlanError("a custom plan says itself where no principal is paid", "principal_grace_periods")
