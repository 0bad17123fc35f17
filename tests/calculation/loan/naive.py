"""A loan day by day with fractions: slow, plain, and written apart from the fold, to hold the fold against.

Every night every sum grows by one day. It knows receipts, prepayment that reduces the installment, changes of rate,
further pay-outs, extensions, misuse, waivers, write-off and refunds; the plan itself comes from the plan function.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from math import floor

from domain.calculation.allocation import Component, Strategy
from domain.calculation.loan.events import (
    Acceleration,
    Amendment,
    Event,
    Extension,
    Fee,
    MisuseRate,
    PayOut,
    Receipt,
    Refund,
    Waiver,
    WriteOff,
)
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Basis, Method, PlannedInstallment, plan


def cents(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


@dataclass
class Due:
    seq: int
    due_date: date
    left: dict[Component, Fraction]
    overdue: bool = False

    def shown(self, component: Component) -> int:
        if component in (Component.PENALTY, Component.COMPOUND) and not self.overdue:
            return 0
        return cents(self.left[component])

    @property
    def arrears(self) -> bool:
        return bool(self.left[Component.PRINCIPAL] or self.left[Component.INTEREST])


@dataclass
class Naive:
    terms: LoanTerms
    rate: Fraction
    not_due: int = 0
    rest: list[PlannedInstallment] = field(default_factory=list)
    broken: bool = False
    running: Fraction = Fraction(0)
    due: list[Due] = field(default_factory=list)
    kept: int = 0
    extension: Extension | None = None
    misuse: MisuseRate | None = None
    claim: int | None = None  # what is claimed after a write-off

    def figures(self, day: date) -> tuple[int, ...]:
        late = [d.due_date for d in self.due if d.overdue and d.arrears]
        return (
            self.not_due + sum(d.shown(Component.PRINCIPAL) for d in self.due),
            sum(d.shown(Component.PRINCIPAL) for d in self.due if d.overdue),
            cents(self.running),
            *(sum(d.shown(c) for d in self.due) for c in (Component.INTEREST, Component.PENALTY, Component.COMPOUND)),
            sum(d.shown(Component.FEE) for d in self.due),
            self.kept,
            (day - min(late)).days if late else 0,
        )

    @property
    def year(self) -> int:
        return 365 if self.terms.plan.basis is Basis.ACTUAL_365 else 360

    def night(self) -> None:
        if self.rest:
            self.running += self.interest_of_a_day()
        daily = self.rate * self.terms.penalty_multiplier / self.year
        misused = self.misused - min(self.misused, self.not_due)
        for d in reversed(self.due):
            d.left[Component.PENALTY] += d.left[Component.PRINCIPAL] * daily
            if self.misuse and self.misuse.multiplier > self.terms.penalty_multiplier:
                part = min(misused, d.left[Component.PRINCIPAL])
                misused -= part
                more = self.misuse.multiplier - self.terms.penalty_multiplier
                d.left[Component.PENALTY] += part * self.rate * more / self.year
            if self.terms.compound:
                d.left[Component.COMPOUND] += d.left[Component.INTEREST] * daily

    @property
    def misused(self) -> Fraction:
        if self.misuse is None:
            return Fraction(0)
        principal = self.not_due + sum((d.left[Component.PRINCIPAL] for d in self.due), Fraction(0))
        return principal if self.misuse.amount is None else min(Fraction(self.misuse.amount), principal)

    def interest_of_a_day(self) -> Fraction:
        days = (self.rest[0].due_date - self.rest[0].start_date).days
        year = self.year if self.terms.plan.basis is not Basis.PERIODIC else 12 * days
        more = self.misuse.multiplier - 1 if self.misuse else Fraction(0)
        return self.contract_interest_of_a_day() + min(self.misused, self.not_due) * self.rate * more / year

    def contract_interest_of_a_day(self) -> Fraction:
        days = (self.rest[0].due_date - self.rest[0].start_date).days
        if self.terms.plan.basis is not Basis.PERIODIC:
            return self.not_due * self.rate / self.year
        if self.broken:
            return self.not_due * self.rate / 12 / days
        return Fraction(self.rest[0].interest, days)

    def morning(self, day: date) -> None:
        for d in self.due:
            if day > d.due_date + timedelta(days=self.terms.grace_days) and d.arrears:
                d.overdue = True
        if self.rest and self.rest[0].due_date == day:
            row = self.rest.pop(0)
            extended = self.extension and not self.rest
            self.fall_due(row, day, 0 if extended else row.principal)
            if extended:
                self.begin_extension(row.seq, day)

    def begin_extension(self, last: int, day: date) -> None:
        extension, self.extension = self.extension, None
        if not self.not_due or extension is None:
            return
        self.rate = self.rate if extension.annual_rate is None else extension.annual_rate
        dates = extension.due_dates
        terms = self.terms.plan
        terms = replace(
            terms,
            principal=self.not_due,
            annual_rate=self.rate,
            value_date=day,
            due_dates=dates,
            periods=len(dates),
        )
        self.rest = [replace(row, seq=last + row.seq) for row in plan(terms).installments]

    def fall_due(self, row: PlannedInstallment, day: date, principal: int) -> None:
        left = dict.fromkeys(Component, Fraction(0))
        left[Component.PRINCIPAL], left[Component.INTEREST] = Fraction(principal), Fraction(cents(self.running))
        self.due.append(Due(row.seq, day, left))
        self.not_due -= principal
        self.running, self.broken = Fraction(0), False

    def new_plan(self, day: date) -> None:
        """As if the running period were whole and began with the balance."""
        first = self.rest[0]
        if self.not_due == 0:
            self.extension = None
            self.rest = [replace(first, principal=0, interest=0)] if day > first.start_date else []
        else:
            terms = replace(
                self.terms.plan,
                principal=self.not_due,
                annual_rate=self.rate,
                value_date=first.start_date,
                due_dates=tuple(row.due_date for row in self.rest),
                periods=len(self.rest),
            )
            self.rest = [replace(row, seq=row.seq + first.seq - 1) for row in plan(terms).installments]
        self.broken = day > first.start_date

    def happen(self, event: Event, day: date) -> None:
        if isinstance(event, PayOut) and self.rest:
            self.not_due += event.amount
            self.new_plan(day)
        elif isinstance(event, PayOut):
            self.not_due += event.amount
            self.rest = list(plan(replace(self.terms.plan, principal=event.amount)).installments)
        elif isinstance(event, Amendment) and event.annual_rate is not None:
            self.rate = event.annual_rate
            if self.not_due:
                self.new_plan(day)
        elif isinstance(event, MisuseRate):
            self.misuse = event
        elif isinstance(event, Extension):
            self.extension = event
            if not self.rest and self.due and self.due[-1].due_date == day:
                self.not_due += int(self.due[-1].left[Component.PRINCIPAL])
                self.due[-1].left[Component.PRINCIPAL] = Fraction(0)
                self.begin_extension(self.due[-1].seq, day)
        elif isinstance(event, Acceleration):
            self.all_falls_due(day)
        elif isinstance(event, WriteOff) and self.claim is None:
            self.all_falls_due(day)
            self.apply()
            left = sum(d.shown(c) for d in self.due for c in Component)
            self.claim = left or None
            self.due = [] if left else self.due
        elif isinstance(event, Refund):
            self.kept -= event.amount
        elif isinstance(event, Fee):
            next(d for d in self.due if d.seq == event.seq).left[Component.FEE] += event.amount
        elif isinstance(event, Waiver):
            self.take([(d, event.component) for d in self.due if event.seq in (None, d.seq)], event.amount)
        elif isinstance(event, Receipt):
            self.kept += event.amount
            self.apply()
            if event.prepayment and self.not_due and self.kept:
                prepaid = min(self.kept, self.not_due)
                self.kept -= prepaid
                self.not_due -= prepaid
                self.new_plan(day)

    def all_falls_due(self, day: date) -> None:
        if self.rest:
            self.fall_due(self.rest[0], day, self.not_due)
            self.rest, self.extension = [], None

    def apply(self) -> None:
        if self.claim is not None:
            recovered = min(self.claim, self.kept)
            self.claim -= recovered
            self.kept -= recovered
        order = self.terms.order
        turns = [(d, c) for d in self.due for c in order]
        if self.terms.strategy is Strategy.BY_COMPONENT:
            turns = [(d, c) for c in order for d in self.due]
        self.kept = self.take(turns, self.kept)

    def take(self, turns: list[tuple[Due, Component]], amount: int) -> int:
        for d, component in turns:
            part = min(amount, d.shown(component))
            d.left[component] -= part
            amount -= part
            if not d.overdue and not d.arrears:
                d.left[Component.PENALTY] = d.left[Component.COMPOUND] = Fraction(0)
        return amount


def every_day(terms: LoanTerms, events: list[Event], until: date) -> list[tuple[date, tuple[int, ...]]]:
    """The figures of every day: principal, overdue, running and due interest, penalty, compound, fees, kept, dpd."""
    loan = Naive(terms, terms.plan.annual_rate)
    rows, day = [], terms.plan.value_date
    in_order = sorted(events, key=lambda e: (e.value_date, e.rank, getattr(e, "bank_reference", ""), e.id))
    assert terms.plan.method is not Method.CUSTOM
    while day <= until:
        if day > terms.plan.value_date:
            loan.night()
        loan.morning(day)
        today = [e for e in in_order if e.value_date == day]
        money = (Receipt, WriteOff, Refund)
        for event in [e for e in today if not isinstance(e, money)]:
            loan.happen(event, day)
        loan.apply()
        for event in [e for e in today if isinstance(e, money)]:
            loan.happen(event, day)
        rows.append((day, loan.figures(day)))
        day += timedelta(days=1)
    return rows
