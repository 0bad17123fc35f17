"""Random loans for the laws: terms, up to ten events of every kind, and a last day (hypothesis)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from domain.calculation.allocation import Component, Strategy
from domain.calculation.loan.events import (
    Acceleration,
    Amendment,
    Event,
    Extension,
    Fee,
    MisuseRate,
    PayOut,
    PrepaymentMode,
    Receipt,
    Refund,
    Waiver,
    WriteOff,
)
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Basis, Method, PeriodUnit, PlanTerms, period_end

START = date(2026, 1, 31)
WAIVABLE = (Component.FEE, Component.PENALTY, Component.COMPOUND, Component.INTEREST)
SHORTENABLE = (Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL)


@dataclass(frozen=True)
class Case:
    terms: LoanTerms
    events: tuple[Event, ...]
    until: date

    @property
    def fold(self) -> Fold:
        return loan(self.terms, self.events, self.until)

    @property
    def days(self) -> list[date]:
        return [START + timedelta(days=number) for number in range((self.until - START).days + 1)]


rates = st.integers(1, 3600).map(lambda basis_points: Fraction(basis_points, 10_000))


@st.composite
def loan_terms(draw: st.DrawFn) -> LoanTerms:
    plan = PlanTerms(
        principal=draw(st.integers(1, 20_000_000)),
        annual_rate=draw(rates),
        method=draw(st.sampled_from([*SHORTENABLE, Method.INTEREST_ONLY])),
        value_date=START,
        basis=draw(st.sampled_from(Basis)),
        periods=draw(st.integers(1, 6)),
    )
    return LoanTerms(
        plan=plan,
        penalty_multiplier=Fraction(draw(st.integers(130, 150)), 100),
        compound=draw(st.booleans()),
        grace_days=draw(st.sampled_from([0, 0, 1, 5])),
        order=tuple(draw(st.permutations(Component))),
        strategy=draw(st.sampled_from(Strategy)),
        prepayment_fee_rate=draw(st.sampled_from([Fraction(0), Fraction(1, 100)])),
    )


def rare(
    name: str, days: st.SearchStrategy[date], amounts: st.SearchStrategy[int], plan: PlanTerms
) -> list[st.SearchStrategy[Event]]:
    """What happens to a loan once at most."""
    maturity = period_end(START, PeriodUnit.MONTH, plan.periods or 0)
    until_maturity = st.integers(0, (maturity - START).days).map(lambda before: maturity - timedelta(days=before))
    later = tuple(maturity + timedelta(days=31 * number) for number in (1, 2, 3))
    added = st.sampled_from([later[:1], later[:2], later])
    multipliers = st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(2)])
    own = {"id": st.just(name), "value_date": days}
    return [
        st.builds(PayOut, **own, amount=amounts),
        st.builds(MisuseRate, **own, multiplier=multipliers, amount=st.none() | amounts),
        st.builds(Refund, **own, amount=st.integers(1, 1000)),
        st.builds(
            Extension,
            id=st.just(name),
            value_date=until_maturity,
            due_dates=added,
            annual_rate=st.none() | rates,
        ),
    ]


def possible(terms: LoanTerms, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Without the refund, extension or further pay-out that the fold refuses in this history."""
    try:
        loan(terms, events, START + timedelta(days=500))
    except ValueError:
        first, *others = events
        return (first, *(event for event in others if not isinstance(event, Refund | Extension | PayOut)))
    return events


@st.composite
def cases(draw: st.DrawFn, plain: bool = False) -> Case:
    """A loan and up to ten events over up to 300 days; `plain` keeps to what the naive day loop knows."""
    terms = draw(loan_terms())
    if plain:
        terms = replace(terms, prepayment_fee_rate=Fraction(0))
    principal = terms.plan.principal
    days = st.integers(0, 250).map(lambda number: START + timedelta(days=number))
    amounts = st.one_of(
        st.integers(1, principal), st.integers(1, principal // 6 + 1), st.integers(1, max(1, principal // 100))
    )
    modes = [None, None, None, PrepaymentMode.REDUCE_INSTALLMENT]
    if not plain:
        modes += [PrepaymentMode.SETTLE, *([PrepaymentMode.SHORTEN_TERM] if terms.plan.method in SHORTENABLE else [])]

    def one_event(number: int) -> st.SearchStrategy[Event]:
        name = f"event {number:02}"
        kinds: list[st.SearchStrategy[Event]] = [
            st.builds(Receipt, id=st.just(name), value_date=days, amount=amounts, prepayment=st.sampled_from(modes)),
            st.builds(Receipt, id=st.just(name), value_date=days, amount=amounts),
            st.builds(Amendment, id=st.just(name), value_date=days, annual_rate=rates),
            st.builds(
                Waiver,
                id=st.just(name),
                value_date=days,
                amount=amounts,
                component=st.sampled_from(WAIVABLE),
                seq=st.none() if plain else st.one_of(st.none(), st.integers(1, 6)),
                void_unless_paid_by=st.none() if plain else st.one_of(st.none(), days),
            ),
        ]
        if number == 1:
            kinds.append(st.builds(Acceleration, id=st.just(name), value_date=days))
            kinds.append(st.builds(WriteOff, id=st.just(name), value_date=days))
        if number == 2:
            kinds += rare(name, days, amounts, terms.plan)
        if not plain:
            kinds.append(
                st.builds(Fee, id=st.just(name), value_date=days, amount=amounts, seq=st.integers(1, 6)),
            )
        return st.one_of(kinds)

    events = [draw(one_event(number)) for number in range(1, draw(st.integers(1, 11)))]
    for number, event in enumerate(events):
        if isinstance(event, Waiver) and event.void_unless_paid_by and event.void_unless_paid_by < event.value_date:
            events[number] = replace(event, void_unless_paid_by=event.value_date)
    pay_out = PayOut(id="pay-out", value_date=START, amount=principal)
    return Case(terms, possible(terms, (pay_out, *events)), START + timedelta(days=draw(st.integers(30, 300))))
