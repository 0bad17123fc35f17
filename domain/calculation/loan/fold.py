"""贷款折叠 · The fold: terms and events become positions, overdue lines and movements, without a clock or a daily loop.

The next day looked at is the next event or the next day on which something happens by itself: an installment falls
due, a grace ends, a class changes, a conditional waiver lapses. Between two such days nothing happens but days x slope.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from domain.calculation.classification import FiveClass, class_for_dpd, day_limits
from domain.calculation.loan.debt import Debt
from domain.calculation.loan.effects import happen, lapse_promises
from domain.calculation.loan.events import Event, PayOut, Rank, Reversal, happened
from domain.calculation.loan.installments import Installment, installments
from domain.calculation.loan.lines import (
    FOREVER,
    AllocationLine,
    Figures,
    Movement,
    MovementKind,
    OverdueLine,
    Position,
    allocations,
    figures,
    made,
)
from domain.calculation.loan.quote import Quote, payoff
from domain.calculation.loan.replan import first_version
from domain.calculation.loan.state import LoanState, default_rate
from domain.calculation.loan.terms import LoanTerms


@dataclass(frozen=True)
class Fold:
    """A loan as it is known: every row from the first pay-out to `until`, and the state at the close of `until`."""

    terms: LoanTerms
    events: tuple[Event, ...]
    until: date
    positions: Sequence[Position]
    overdue_lines: Sequence[OverdueLine]
    movements: Sequence[Movement]
    state: LoanState = field(repr=False, compare=False)

    @cached_property
    def allocations(self) -> Mapping[str, Sequence[AllocationLine]]:
        """For each receipt the lines it paid, restated with every fold; what they leave of it is kept."""
        return allocations(self.movements)

    def position_on(self, day: date) -> Figures:
        """The figures at the close of `day`. Raises ValueError before the first pay-out and after `until`."""
        if not self.positions[0].from_date <= day <= self.until:
            raise ValueError(f"the loan is known from {self.positions[0].from_date} to {self.until}, not on {day}")
        index = bisect_right(self.positions, day, key=lambda row: row.from_date) - 1
        lines = [line for line in self.overdue_lines if line.from_date <= day < line.to_date]
        return figures(self.positions[index], lines, day)

    def installments_on(self, day: date) -> list[Installment]:
        """The installments at the close of `day`, due and planned, by seq."""
        return installments(self.on(day).state)

    def quote_on(self, day: date) -> Quote:
        """What settles the loan at the close of `day`: a receipt of `to_pay` with SETTLE on that day leaves nothing."""
        return payoff(self.on(day).state)

    def on(self, day: date) -> "Fold":
        """The same loan, with today's knowledge, folded only to the close of `day`."""
        return self if day == self.until else loan(self.terms, self.events, day)


def loan(terms: LoanTerms, events: Iterable[Event | Reversal], until: date) -> Fold:
    """Fold the events with a value date up to `until` (the open business day).

    The order in which events are given does not matter. Raises ValueError unless the loan begins with a pay-out on
    the value date of its plan, and by then; PlanError where an event leads to an impossible plan.
    """
    standing = happened(events)
    if not standing or not isinstance(standing[0], PayOut) or standing[0].value_date > until:
        raise ValueError("a loan begins with its pay-out")
    start = standing[0].value_date
    if start != terms.plan.value_date:
        raise ValueError(f"the plan begins on {terms.plan.value_date}, the loan on {start}")

    version = first_version(terms, standing[0].amount)
    state = LoanState(terms, start, version, default_rate(terms, terms.plan.annual_rate))
    rows = _Rows(terms)
    index, day = 0, start
    while day <= until:
        end = index
        while end < len(standing) and standing[end].value_date == day:
            end += 1
        _one_day(state, day, standing[index:end])
        day = rows.close_day(state) or FOREVER
        index = end
        if index < len(standing):
            day = min(day, standing[index].value_date)
        if day == FOREVER:
            break
    state.day = until
    return Fold(terms, tuple(standing), until, *rows.finish(), state.movements, state)


def _one_day(state: LoanState, day: date, events: Sequence[Event]) -> None:
    """The night and what falls due, terms, fees, waivers and lapses, kept money, receipts, prepayments."""
    in_arrears = state.begin_day(day)
    done = 0
    while done < len(events) and events[done].rank < Rank.RECEIPT:
        happen(events[done], state)
        done += 1
    if state.promises:
        lapse_promises(state, in_arrears=in_arrears)
    state.apply_kept()
    for event in events[done:]:
        happen(event, state)


class _Rows:
    """The rows so far: a row is written only where the one before does not already run through the day."""

    def __init__(self, terms: LoanTerms) -> None:
        limits = sorted({1, terms.non_accrual_after + 1, *day_limits(terms.ruleset)})
        self.terms = terms
        self.limits = limits
        self.classes = [class_for_dpd(terms.ruleset, dpd, terms.lending_mode) for dpd in (0, *limits)]
        self.positions: list[Position] = []
        self.lines: list[OverdueLine] = []
        self.open_lines: dict[int, OverdueLine] = {}

    def close_day(self, state: LoanState) -> date | None:
        """Write what broke today; when is the loan to be looked at again?"""
        for debt in state.touched:
            self._close_line(debt, state.day)
        state.touched.clear()
        now = self._position(state)
        before = self.positions[-1] if self.positions else None
        if before and before.runs_through(now):
            return now.next_action_on
        if before:
            self.positions[-1] = before.ended(state.day)
            if before.non_accrual != now.non_accrual:
                self._change_side(state, now)
        self.positions.append(now)
        return now.next_action_on

    def finish(self) -> tuple[list[Position], list[OverdueLine]]:
        lines = sorted([*self.lines, *self.open_lines.values()], key=lambda line: (line.from_date, line.seq))
        return self.positions, lines

    def _close_line(self, debt: Debt, day: date) -> None:
        """Write the overdue line of one installment if it opened, broke or ended today."""
        if debt.anchor != day:
            debt.advance(day)
        now = None
        if debt.open and debt.settled_on is None:
            pen_step, comp_step = debt.steps
            if pen_step or debt.pen_num or comp_step or debt.comp_num:
                growing = (debt.pen_num, pen_step, debt.comp_num, comp_step, debt.den)
                now = made(OverdueLine, (debt.seq, day, FOREVER, *growing))
        before = self.open_lines.pop(debt.seq, None)
        if before and now and before.runs_through(now):
            self.open_lines[debt.seq] = before
            return
        if before:
            self.lines.append(before.ended(day))
        if now:
            self.open_lines[debt.seq] = now

    def _position(self, state: LoanState) -> Position:
        """The row at the close of this day, and when the loan is to be looked at again."""
        day, since, next_action = state.day, state.overdue_since, state.next_change()
        dpd = passed = 0
        if since:
            dpd = (day - since).days
            passed = bisect_right(self.limits, dpd)
            if passed < len(self.limits):
                changes_class = since + timedelta(days=self.limits[passed])
                next_action = min(next_action, changes_class) if next_action else changes_class
        num, step, den = state.running.line(day) if state.running else (0, 0, 1)
        five_class = self.classes[passed] if state.claim is None else FiveClass.LOSS
        settled = state.running is None and not state.unsettled and not state.principal
        owed = (state.principal, state.overdue_principal, state.due_interest, state.fee, state.unapplied)
        standing = (since, five_class, dpd > self.terms.non_accrual_after, settled, next_action)
        return made(Position, (day, FOREVER, *owed, num, step, den, *standing))

    def _change_side(self, state: LoanState, now: Position) -> None:
        """转表外、转回 · All uncollected interest changes sides, as it stands at this close."""
        amount = figures(now, self.open_lines.values(), state.day)
        kind = MovementKind.OFF_BALANCE if now.non_accrual else MovementKind.ON_BALANCE
        state.move(None, None, kind, amount.on_balance_interest + amount.off_balance_interest)
