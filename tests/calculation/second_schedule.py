"""A second computation of plans, written apart: Decimal with 60 digits and the annuity factor as a plain sum."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

from domain.calculation.schedule import Basis, Method, PeriodUnit, PlanTerms

MONTHS = {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.HALF_YEAR: 6}
LEVEL = (Method.EQUAL_INSTALLMENT, Method.BALLOON)


def fen(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def rows(terms: PlanTerms, days: list[int]) -> list[tuple[int, int]]:
    """(principal, interest) of each installment, in fen; `days` are the lengths of the periods."""
    with localcontext() as context:
        context.prec = 60
        annual = Decimal(terms.annual_rate.numerator) / terms.annual_rate.denominator
        per_period = annual * MONTHS.get(terms.period_unit, 0) / 12
        by_days = terms.basis is not Basis.PERIODIC or terms.method in (Method.BULLET, Method.CUSTOM)
        year = 365 if terms.basis is Basis.ACTUAL_365 else 360
        repaying = len(days) - terms.principal_grace_periods
        n = terms.amortization_periods if terms.method is Method.BALLOON else repaying
        factor = sum((1 / (1 + per_period) ** k for k in range(1, (n or 0) + 1)), Decimal(0))
        level = fen(Decimal(terms.principal) / factor) if terms.method in LEVEL else 0
        equal = fen(Decimal(terms.principal) / repaying)
        balance, made = terms.principal, []
        for index, length in enumerate(days):
            base = terms.principal if terms.method is Method.EQUAL_PRINCIPAL_EQUAL_INTEREST else balance
            interest = fen(base * annual * length / year) if by_days else fen(base * per_period)
            part = _part(terms, index, equal, level - interest)
            principal = balance if index == len(days) - 1 else min(balance, max(0, part))
            balance -= principal
            made.append((principal, interest))
        return made


def _part(terms: PlanTerms, index: int, equal: int, of_level: int) -> int:
    if terms.method is Method.CUSTOM:
        return (terms.custom_principal or ())[index]
    if index < terms.principal_grace_periods or terms.method in (Method.INTEREST_ONLY, Method.BULLET):
        return 0
    return of_level if terms.method in LEVEL else equal
