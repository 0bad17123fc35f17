"""The golden schedules as plan terms, and any plan terms for hypothesis."""

import json
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from domain.calculation.cost import Fee, FeePayer
from domain.calculation.money import fen
from domain.calculation.schedule import Basis, HolidayRule, Method, PeriodUnit, PlanTerms

GOLDEN = Path(__file__).parent.parent / "golden"
SCHEDULES: dict[str, dict[str, Any]] = {
    case["id"]: case for case in json.loads((GOLDEN / "schedules.json").read_text())["cases"]
}
PLAIN = [case for case in SCHEDULES if case <= "S31"]

READERS: dict[str, Callable[[Any], Any]] = {
    "principal": fen,
    "annual_rate": Fraction,
    "periods": int,
    "period_unit": PeriodUnit,
    "method": Method,
    "value_date": date.fromisoformat,
    "due_dates": lambda days: tuple(map(date.fromisoformat, days)),
    "settlement_day": int,
    "settlement_months": tuple,
    "maturity_date": date.fromisoformat,
    "term_days": int,
    "amortization_periods": int,
    "principal_grace_periods": int,
    "custom_principal": lambda parts: tuple(map(fen, parts)),
    "holiday_rule": HolidayRule,
    "holidays": lambda days: frozenset(map(date.fromisoformat, days)),
    "makeup_workdays": lambda days: frozenset(map(date.fromisoformat, days)),
}


def terms_of(case_id: str, without: frozenset[str] = frozenset()) -> PlanTerms:
    """The terms of a golden case, some fields of its input left out."""
    given = SCHEDULES[case_id]["input"]
    read = {name: reader(given[name]) for name, reader in READERS.items() if name in given and name not in without}
    return PlanTerms(basis=Basis(given["interest_basis"]), **read)


def fees_of(case_id: str) -> list[Fee]:
    return [
        Fee(date.fromisoformat(fee["date"]), fen(fee["amount"]), FeePayer(fee["payer"]))
        for fee in SCHEDULES[case_id]["input"].get("fees", [])
    ]


@st.composite
def any_terms(draw: st.DrawFn) -> PlanTerms:
    """Terms of every method, unit and basis that go together; rates to 60 % with four decimals, also zero."""
    unit = draw(st.sampled_from(PeriodUnit))
    by_days = unit in (PeriodUnit.DAY, PeriodUnit.WEEK)
    level = {Method.EQUAL_INSTALLMENT, Method.BALLOON} if by_days else set()
    method = draw(st.sampled_from([m for m in Method if m not in level]))
    basis = draw(st.sampled_from([b for b in Basis if not (by_days and b is Basis.PERIODIC)]))
    principal = draw(st.integers(1, 10**12))
    periods = draw(st.integers(1, 48))
    custom = None
    if method is Method.CUSTOM:
        cuts = sorted(draw(st.lists(st.integers(0, principal), min_size=periods - 1, max_size=periods - 1)))
        custom = tuple(b - a for a, b in zip([0, *cuts], [*cuts, principal], strict=True))
    grace = 0 if method in (Method.CUSTOM, Method.BULLET) else draw(st.integers(0, periods - 1))
    return PlanTerms(
        principal=principal,
        annual_rate=Fraction(draw(st.integers(0, 6000)), 10_000),
        method=method,
        value_date=draw(st.dates(date(2000, 1, 1), date(2060, 12, 31))),
        basis=basis,
        periods=periods,
        period_unit=unit,
        amortization_periods=periods - grace + draw(st.integers(0, 60)) if method is Method.BALLOON else None,
        principal_grace_periods=grace,
        custom_principal=custom,
        holiday_rule=draw(st.sampled_from(HolidayRule)),
    )
