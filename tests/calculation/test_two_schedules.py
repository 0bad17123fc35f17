"""Two independent computations of each plan agree, and principal adds up, for any terms (hypothesis)."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calculation.schedule import Basis, Method, PeriodUnit, PlanTerms, plan
from tests.calculation.second_schedule import rows


@st.composite
def plan_terms(draw: st.DrawFn) -> PlanTerms:
    method = draw(st.sampled_from(Method))
    count = draw(st.integers(1, 60))
    principal = draw(st.integers(1, 1_000_000_000))
    grace = draw(st.integers(0, count - 1)) if method not in (Method.CUSTOM, Method.BULLET) else 0
    parts = None
    if method is Method.CUSTOM:
        marks = sorted(draw(st.lists(st.integers(0, principal), min_size=count - 1, max_size=count - 1)))
        parts = tuple(later - earlier for earlier, later in zip([0, *marks], [*marks, principal], strict=True))
    return PlanTerms(
        principal=principal,
        annual_rate=Fraction(draw(st.integers(0, 3600_00)), 1_000_000),
        method=method,
        value_date=draw(st.dates(date(2024, 1, 1), date(2028, 12, 31))),
        basis=draw(st.sampled_from(Basis)),
        periods=count,
        period_unit=draw(st.sampled_from([PeriodUnit.MONTH, PeriodUnit.QUARTER, PeriodUnit.HALF_YEAR])),
        principal_grace_periods=grace,
        amortization_periods=draw(st.integers(count, 360)) if method is Method.BALLOON else None,
        custom_principal=parts,
    )


def both_agree(terms: PlanTerms) -> None:
    made = plan(terms).installments
    assert [(row.principal, row.interest) for row in made] == rows(terms, [row.days for row in made])
    assert sum(row.principal for row in made) == terms.principal
    assert made[-1].balance_after == 0
    assert min(min(row.principal, row.interest, row.balance_after) for row in made) >= 0


@settings(max_examples=200, deadline=None)
@given(terms=plan_terms())
def test_two_computations_agree(terms: PlanTerms) -> None:
    both_agree(terms)


@pytest.mark.nightly
@settings(max_examples=5000, deadline=None)
@given(terms=plan_terms())
def test_two_computations_agree_for_long(terms: PlanTerms) -> None:
    both_agree(terms)
