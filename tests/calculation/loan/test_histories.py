"""Long histories, entered in any order and late: what is posted on the way adds up to the history entered in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calculation.allocation import Component
from domain.calculation.loan.balances import Balances, balances
from domain.calculation.loan.events import (
    Acceleration,
    Amendment,
    Event,
    Fee,
    MisuseRate,
    PayOut,
    PrepaymentMode,
    Receipt,
    Reversal,
    Waiver,
    WriteOff,
)
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import FOREVER
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Method, PlanTerms

START = date(2026, 1, 31)
UNTIL = START + timedelta(days=400)
PRINCIPAL = 5_000_000


@dataclass(frozen=True)
class History:
    """`entered` is the order of entry: shuffled, but nothing is reversed before it was entered."""

    terms: LoanTerms
    entered: tuple[Event | Reversal, ...]

    def known_after(self, count: int, until: date = UNTIL) -> Fold:
        return loan(self.terms, self.entered[:count], until)

    @property
    def in_time(self) -> Fold:
        """Entered day by day, without what was undone."""
        undone = {entry.target for entry in self.entered if isinstance(entry, Reversal)}
        events = [entry for entry in self.entered if isinstance(entry, Event) and entry.id not in undone]
        return loan(self.terms, sorted(events, key=lambda event: event.sort_key), UNTIL)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """30 to 45 events over a year, up to six of them reversed later."""
    plan = PlanTerms(
        principal=PRINCIPAL,
        annual_rate=Fraction(draw(st.integers(300, 2400)), 10_000),
        method=draw(st.sampled_from([Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY])),
        value_date=START,
        periods=12,
    )
    terms = LoanTerms(plan=plan, penalty_multiplier=Fraction(3, 2), grace_days=draw(st.sampled_from([0, 3])))
    days = st.integers(0, 390).map(lambda number: START + timedelta(days=number))
    modes = st.sampled_from([None, None, None, PrepaymentMode.REDUCE_INSTALLMENT, PrepaymentMode.SETTLE])
    common = [
        st.builds(Receipt, id=st.just(""), value_date=days, amount=st.integers(1, 600_000), prepayment=modes),
        st.builds(Receipt, id=st.just(""), value_date=days, amount=st.integers(1, 600_000)),
        st.builds(Fee, id=st.just(""), value_date=days, seq=st.integers(1, 12), amount=st.integers(1, 50_000)),
        st.builds(
            Waiver,
            id=st.just(""),
            value_date=days,
            component=st.sampled_from([c for c in Component if c is not Component.PRINCIPAL]),
            amount=st.integers(1, 50_000),
            seq=st.none() | st.integers(1, 12),
        ),
    ]
    rare: list[st.SearchStrategy[Event]] = [
        st.builds(Amendment, id=st.just(""), value_date=days, annual_rate=st.just(Fraction(9, 100))),
        st.builds(MisuseRate, id=st.just(""), value_date=days, multiplier=st.just(Fraction(2)), amount=st.none()),
        st.builds(Acceleration, id=st.just(""), value_date=days.filter(lambda day: day > START)),
        st.builds(WriteOff, id=st.just(""), value_date=days.filter(lambda day: day > START)),
    ]
    drawn = draw(st.lists(st.one_of(common), min_size=28, max_size=40)) + draw(
        st.lists(st.one_of(rare), min_size=2, max_size=5)
    )
    events: list[Event] = [replace(event, id=f"{number:02}") for number, event in enumerate(drawn)]
    entered: list[Event | Reversal] = list(draw(st.permutations(events)))
    for number in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(events) - 1))
        if isinstance(entered[place], Event) and not any(
            isinstance(e, Reversal) and e.target == entered[place].id for e in entered
        ):
            entered.append(Reversal(id=f"undo {number}", target=entered[place].id))
    return History(terms, (PayOut(id="pay-out", value_date=START, amount=PRINCIPAL), *entered))


def added_up(posted: Sequence[Balances]) -> Balances:
    return Balances(**{f.name: sum(getattr(part, f.name) for part in posted) for f in fields(Balances)})


def vouchers_add_up(history: History) -> None:
    """Each entry posts the difference to what was known before; all of them together are the history in time."""
    posted, before = [], Balances()
    for count in range(1, len(history.entered) + 1):
        now = balances(history.known_after(count), UNTIL)
        posted.append(now.minus(before))
        before = now
    assert added_up(posted) == balances(history.in_time, UNTIL)


def rows_are_the_same(history: History) -> None:
    """Replayed from the first event in time: every row, movement and allocation is the one stored at the last entry."""
    stored, replayed = history.known_after(len(history.entered)), history.in_time
    assert stored.positions == replayed.positions
    assert stored.overdue_lines == replayed.overdue_lines
    assert stored.movements == replayed.movements
    assert stored.allocations == replayed.allocations
    assert stored.installments_on(UNTIL) == replayed.installments_on(UNTIL)


def stepping_equals_jumping(history: History) -> None:
    """Opened day by day, folding only where `next_action_on` or an event asks for it, and jumped to the end at once."""
    jumped = history.in_time
    event_days = {event.value_date for event in jumped.events}
    stepped = jumped.on(START)
    for number in range(1, (UNTIL - START).days + 1):
        day = START + timedelta(days=number)
        next_action = stepped.positions[-1].next_action_on or FOREVER
        if day >= next_action or day in event_days:
            stepped = jumped.on(day)
        row = stepped.positions[-1].moved_to(day)
        known = next(row for row in reversed(jumped.positions) if row.from_date <= day)
        assert row._replace(to_date=FOREVER) == known.moved_to(day)._replace(to_date=FOREVER), day
    assert stepped.movements == jumped.movements
    assert stepped.overdue_lines == jumped.overdue_lines


def reversing_the_last_entry_restores_what_was_known(history: History) -> None:
    """reverse(register(x)) is the identity, wherever in the past x lies."""
    count = len(history.entered) - 1
    last = history.entered[count]
    before = history.known_after(count)
    after = loan(history.terms, [*history.entered, Reversal(id="undo last", target=last.id)], UNTIL)
    assert after == before


LAWS = [vouchers_add_up, rows_are_the_same, stepping_equals_jumping, reversing_the_last_entry_restores_what_was_known]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(max_examples=25, deadline=None)
@given(history=histories())
def test_law(law: Callable[[History], None], history: History) -> None:
    law(history)


@pytest.mark.nightly
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@settings(max_examples=1000, deadline=None)
@given(history=histories())
def test_law_for_long(law: Callable[[History], None], history: History) -> None:
    law(history)
