"""Long histories, entered in any order and late: what is posted on the way adds up to the history entered in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from domain.calculation.allocation import Component
from domain.calculation.loan.balances import Balances, balances
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
    Reversal,
    Waiver,
    WriteOff,
)
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import FOREVER
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Method, PeriodUnit, PlanTerms, period_end

START = date(2026, 1, 31)
UNTIL = START + timedelta(days=400)
PRINCIPAL = 5_000_000


@dataclass(frozen=True)
class History:
    """`entered` is the order of entry: shuffled, but nothing is reversed before it was entered.

    What the fold refuses when it is entered (more is refunded than is kept by then, an extension after the maturity) is not
    in it, as it would be refused to people.
    """

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
    """Up to 49 events over a year, 32 at least before any is refused, up to six of them reversed later."""
    plan = PlanTerms(
        principal=PRINCIPAL,
        annual_rate=Fraction(draw(st.integers(300, 2400)), 10_000),
        method=draw(st.sampled_from([Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY])),
        value_date=START,
        periods=12,
    )
    terms = LoanTerms(plan=plan, penalty_multiplier=Fraction(3, 2), grace_days=draw(st.sampled_from([0, 3])))
    days = st.integers(0, 390).map(lambda number: START + timedelta(days=number))
    own = {"id": st.just(""), "value_date": days}
    modes = [None, None, None, PrepaymentMode.REDUCE_INSTALLMENT, PrepaymentMode.SETTLE]
    modes += [] if plan.method is Method.INTEREST_ONLY else [PrepaymentMode.SHORTEN_TERM]
    common = [
        st.builds(Receipt, **own, amount=st.integers(1, 600_000), prepayment=st.sampled_from(modes)),
        st.builds(Receipt, **own, amount=st.integers(1, 600_000)),
        st.builds(Fee, **own, seq=st.integers(1, 12), amount=st.integers(1, 50_000)),
        st.builds(
            Waiver,
            **own,
            component=st.sampled_from([c for c in Component if c is not Component.PRINCIPAL]),
            amount=st.integers(1, 50_000),
            seq=st.none() | st.integers(1, 12),
        ),
    ]
    rare = rare_events(own)
    drawn = draw(st.lists(st.one_of(common), min_size=28, max_size=40)) + draw(
        st.lists(st.one_of(rare), min_size=4, max_size=9)
    )
    events: list[Event] = [replace(event, id=f"{number:02}") for number, event in enumerate(drawn)]
    entered: list[Event | Reversal] = list(draw(st.permutations(events)))
    for number in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(events) - 1))
        if isinstance(entered[place], Event) and not any(
            isinstance(e, Reversal) and e.target == entered[place].id for e in entered
        ):
            entered.append(Reversal(id=f"undo {number}", target=entered[place].id))
    return History(terms, accepted(terms, [PayOut(id="pay-out", value_date=START, amount=PRINCIPAL), *entered]))


def rare_events(own: dict[str, st.SearchStrategy[Any]]) -> list[st.SearchStrategy[Event]]:
    """What happens to a loan now and then: one of each kind that is neither money, fee nor plain waiver."""
    days = own["value_date"]
    later = own | {"value_date": days.filter(lambda day: day > START)}
    maturity = period_end(START, PeriodUnit.MONTH, 12)
    added = tuple(period_end(maturity, PeriodUnit.MONTH, number) for number in (1, 2, 3))
    amounts = st.integers(1, 600_000)
    new_methods = st.none() | st.sampled_from([Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY])
    return [
        st.builds(Amendment, **own, annual_rate=st.just(Fraction(9, 100)), method=new_methods),
        st.builds(
            Extension,
            **own | {"value_date": days.filter(lambda day: day <= maturity)},
            due_dates=st.sampled_from([added[:1], added[:2], added]),
            annual_rate=st.none() | st.just(Fraction(11, 100)),
        ),
        st.builds(
            MisuseRate, **own, multiplier=st.sampled_from([Fraction(1), Fraction(2)]), amount=st.none() | amounts
        ),
        st.builds(PayOut, **own, amount=amounts),
        st.builds(Refund, **own, amount=st.integers(1, 5_000)),
        st.builds(conditional, **own, component=st.just(Component.INTEREST), amount=amounts, within=st.integers(0, 60)),
        st.builds(Acceleration, **later),
        st.builds(WriteOff, **later),
    ]


def conditional(*, value_date: date, within: int, **waiver: Any) -> Waiver:
    """A waiver that lapses unless all is paid within some days."""
    return Waiver(value_date=value_date, void_unless_paid_by=value_date + timedelta(days=within), **waiver)


def accepted(terms: LoanTerms, entries: Sequence[Event | Reversal]) -> tuple[Event | Reversal, ...]:
    """The entries without those that the fold refuses at the moment they are entered."""
    kept: list[Event | Reversal] = []
    for entry in entries:
        if isinstance(entry, Reversal) and entry.target not in {before.id for before in kept}:
            continue
        try:
            loan(terms, [*kept, entry], UNTIL)
        except ValueError:
            continue
        kept.append(entry)
    return tuple(kept)


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


KINDS = [PayOut, Receipt, Fee, Waiver, Amendment, Extension, MisuseRate, Acceleration, WriteOff, Refund, Reversal]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_part(kind: type) -> None:
    """A long history has it, accepted: not only the first pay-out, and 30 events in all."""
    find(
        histories(),
        lambda history: len(history.entered) > 30 and any(isinstance(entry, kind) for entry in history.entered[1:]),
        settings=settings(max_examples=300, deadline=None, phases=[Phase.generate], database=None),
    )


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
