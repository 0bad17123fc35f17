"""贷款状态 · A loan while it is folded: what is not yet due, the running period, what is due, and the money kept.

All amounts are in fen. The totals are kept up to date with every posting, so closing a day never walks all arrears.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from domain.calculation.allocation import ClaimComponent, Component, InvalidAmount, allocate
from domain.calculation.loan.debt import COMPOUND, FEE, INTEREST, PENALTY, PRINCIPAL, Debt, DefaultRate
from domain.calculation.loan.events import MisuseRate
from domain.calculation.loan.lines import RECOVERED_OF, Movement, MovementKind, made
from domain.calculation.loan.replan import PlanVersion
from domain.calculation.loan.running import Grant, Running
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import days_in_year

DAY = timedelta(days=1)


@dataclass(slots=True)
class Kept:
    """暂收 · What is left of a receipt."""

    receipt: str
    amount: int


@dataclass(slots=True)
class Promise:
    """A conditional waiver: it lapses on that day if anything was due at the close of the day before."""

    lapses_on: date
    grants: list[Grant]


class RefundNotCovered(InvalidAmount):
    """More would be refunded than is kept: the refund, or the event that took its money away, is refused."""


@dataclass(slots=True, eq=False)
class LoanState:
    """Everything the next day needs to know, and what has happened so far."""

    terms: LoanTerms
    day: date
    version: PlanVersion
    rate: DefaultRate
    running: Running | None = None
    misuse: MisuseRate | None = None
    principal: int = 0
    not_due: int = 0  # the part of the principal that has not fallen due
    overdue_principal: int = 0
    due_interest: int = 0
    fee: int = 0
    unapplied: int = 0
    kept: deque[Kept] = field(default_factory=deque)
    debts: dict[int, Debt] = field(default_factory=dict)  # every installment that has fallen due, by seq
    unsettled: list[Debt] = field(default_factory=list)  # oldest first
    in_grace: list[Debt] = field(default_factory=list)
    touched: set[Debt] = field(default_factory=set)  # whose line may have broken today
    fees_ahead: dict[int, int] = field(default_factory=dict)  # of installments not yet due
    waivers_ahead: list[Grant] = field(default_factory=list)  # of installments not yet running
    promises: list[Promise] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    refunded: Counter[str] = field(default_factory=Counter)  # by receipt
    claim: Counter[ClaimComponent] | None = None  # 账销案存: what a written-off loan still owes

    # 1 and 2 of the day: the night, and what falls due

    def begin_day(self, day: date) -> bool:
        """Open the lines beyond grace and let fall due what is due; was anything still due at the close before?"""
        self.day = day
        in_arrears = bool(self.unsettled)
        for debt in tuple(self.in_grace):
            if day > debt.grace_end:
                self._open(debt)
        if self.running and self.running.planned.due_date == day:
            running, planned = self.running, self.running.planned
            self.fall_due(planned.principal, running.whole_interest, running.interest(day))
            self.start_period()
        return in_arrears

    def start_period(self) -> None:
        """Let the next installment of the plan run."""
        if self.version.then and self.version.running is self.version.then.installments[0]:
            self.version = self.version.then
            self.change_rate(self.version.terms.annual_rate)
        planned = self.version.running
        self.running = Running.begin(planned, self.not_due, self.version.terms) if planned else None
        if not planned:
            return
        self.bear_misuse()
        for grant in [grant for grant in self.waivers_ahead if grant.seq == planned.seq]:
            self.waivers_ahead.remove(grant)
            self.waive_running(grant)

    def fall_due(self, principal: int, interest: int, net_interest: int) -> Debt:
        """Today the running installment falls due with this principal, interest, and interest less waivers."""
        assert self.running is not None
        planned = self.running.planned
        self.running.limit_waivers(interest - net_interest)
        misused = min(principal, max(0, self.misused - (self.not_due - principal)))
        debt = Debt(
            seq=planned.seq,
            start_date=planned.start_date,
            due_date=self.day,
            grace_end=self.terms.grace_end(self.day),
            principal=principal,
            interest=interest,
            unpaid_principal=principal,
            unpaid_interest=net_interest,
            net_interest=net_interest,
            rate=self.rate,
            bears_compound=self.terms.compound,
            interest_days=self.running.days(self.day),
            agreed=self.version.agreed(planned),
            waived=interest > net_interest,
            misused=misused,
        )
        self.not_due -= principal
        self.due_interest += net_interest
        self.version.done += 1
        self.running = None
        self.debts[debt.seq] = debt
        self.unsettled.append(debt)
        self.in_grace.append(debt)
        for seq in [seq for seq in self.fees_ahead if seq <= debt.seq or self.version.running is None]:
            self.charge(debt, self.fees_ahead.pop(seq), None)
        self.settle_if_nothing_left(debt)
        return debt

    @property
    def misused(self) -> int:
        """挪用 · Principal that bears the misuse rate; what was repaid of a loan goes off it last."""
        if self.misuse is None:
            return 0
        return self.principal if self.misuse.amount is None else min(self.misuse.amount, self.principal)

    def bear_misuse(self) -> None:
        """The misused part of what is not due bears more from today on; the rest of it is in the last debts."""
        if self.misuse is None:
            return
        left = self.misused
        if self.running is not None:
            plan, part = self.version.terms, min(left, self.not_due)
            self.running.bear(plan.annual_rate * (self.misuse.multiplier - 1), part, plan, self.day)
        left -= min(left, self.not_due)
        for debt in reversed(self.unsettled):
            part = min(left, debt.unpaid_principal)
            left -= part
            if part != debt.misused:
                debt.advance(self.day)
                debt.misused = part
                debt.change_rate(self.rate)
                self.touched.add(debt)

    def change_rate(self, annual_rate: Fraction) -> None:
        """Penalty and compound go on at another contract rate, those of open installments too."""
        rate = default_rate(self.terms, annual_rate, self.misuse)
        if rate == self.rate:
            return
        self.rate = rate
        for debt in self.unsettled:
            debt.advance(self.day)
            debt.change_rate(self.rate)
            self.touched.add(debt)

    def end_plan(self) -> None:
        """No installment follows the running one."""
        version = self.version
        version.installments = version.installments[: version.done + 1]
        version.extension = version.then = None

    def _open(self, debt: Debt) -> None:
        """Beyond grace: everything counts from the due date, on what was unpaid on each of those days."""
        debt.advance(self.day)
        debt.open = True
        self.in_grace.remove(debt)
        self.overdue_principal += debt.unpaid_principal
        self.touched.add(debt)
        for component in (PENALTY, COMPOUND):
            self.move(debt.seq, component, MovementKind.CATCH_UP, debt.outstanding(component))

    def end_period_just_begun(self) -> bool:
        """All principal was prepaid: with no day of interest and no fee to come, no further installment falls due.

        The first installment stays in any case, so that a loan always has one to bear what may still come.
        """
        if self.running is None or self.running.elapsed(self.day) or self.fees_ahead or not self.debts:
            return False
        self.running = None
        self.version.installments = self.version.installments[: self.version.done]
        return True

    # Postings

    def move(
        self, seq: int | None, component: Component | None, kind: MovementKind, amount: int, event: str | None = None
    ) -> None:
        if amount:
            self.movements.append(made(Movement, (self.day, seq, component, kind, amount, event)))

    def reduce(self, debt: Debt, component: Component, amount: int) -> None:
        """Take fen off a due installment, or bring them back (negative), and off the totals."""
        if debt.anchor != self.day:
            debt.advance(self.day)
        debt.reduce(component, amount)
        self.touched.add(debt)
        if component is PRINCIPAL:
            self.principal -= amount
            if debt.open:
                self.overdue_principal -= amount
        elif component is INTEREST:
            self.due_interest -= amount
        elif component is FEE:
            self.fee -= amount

    def charge(self, debt: Debt, amount: int, event: str | None) -> None:
        """A fee on an installment that is due."""
        self.reduce(debt, FEE, -amount)
        self.move(debt.seq, FEE, MovementKind.CHARGED, amount, event)
        self.reopen(debt)

    def settle_if_nothing_left(self, debt: Debt) -> None:
        if debt.unpaid_principal or not debt.settled:
            return
        debt.settled_on = self.day
        self.unsettled.remove(debt)
        if debt in self.in_grace:
            self.in_grace.remove(debt)

    def reopen(self, debt: Debt) -> None:
        """A settled installment owes something again."""
        if debt.settled_on is None or debt.settled:
            return
        debt.settled_on = None
        if debt.rate is not self.rate:
            debt.change_rate(self.rate)
        self.unsettled.append(debt)
        self.unsettled.sort(key=lambda due: (due.due_date, due.seq))
        if debt.grace_end >= self.day and not debt.open:
            self.in_grace.append(debt)
        debt.open = debt.open or debt.grace_end < self.day

    # 5 to 7 of the day: waivers on the running period, and money

    def waive_running(self, grant: Grant) -> None:
        """Give up interest of the running installment: its line is restated from today on."""
        assert self.running is not None
        before = self.running.interest(self.day)
        grant.amount = min(grant.amount, self.running.whole_interest - self.running.waived)
        self.running.grants.append(grant)
        shown = self.running.interest(self.day) - before
        self.move(grant.seq, INTEREST, MovementKind.WAIVED, grant.amount, grant.event)
        self.move(grant.seq, INTEREST, MovementKind.RESTATED, shown + grant.amount, grant.event)

    def receive(self, receipt: str, amount: int) -> None:
        """Money comes in and is kept until something takes it."""
        self.kept.append(Kept(receipt, amount))
        self.unapplied += amount
        self.move(None, None, MovementKind.RECEIVED, amount, receipt)

    def apply_kept(self) -> None:
        """Let what is due take the kept money, the oldest receipt first; after a write-off, what is still claimed."""
        if not self.unapplied:
            return
        if self.claim is not None:
            self._recover(self.claim)
        if not self.unapplied or not self.unsettled:
            return
        paid: dict[Debt, None] = {}
        for debt, component, amount in allocate(
            self.unapplied, self.unsettled, self.outstanding, self.terms.order, self.terms.strategy
        ):
            self.reduce(debt, component, amount)
            self.spend(debt.seq, component, amount)
            paid[debt] = None
        for debt in paid:
            debt.paid = True
            self.settle_if_nothing_left(debt)

    def outstanding(self, debt: Debt, component: Component) -> int:
        if debt.anchor != self.day:  # asked for each component in turn
            debt.advance(self.day)
        return debt.outstanding(component)

    def spend(self, seq: int | None, component: Component, amount: int) -> None:
        """Take kept money for a component, the oldest receipt first, and say which receipts it came from."""
        self._take_kept(seq, component, MovementKind.ALLOCATED, amount)

    def _take_kept(self, seq: int | None, component: Component, kind: MovementKind, amount: int) -> None:
        self.unapplied -= amount
        while amount:
            source = self.kept[0]
            part = amount if amount < source.amount else source.amount
            amount -= part
            source.amount -= part
            if not source.amount:
                self.kept.popleft()
            self.movements.append(made(Movement, (self.day, seq, component, kind, part, source.receipt)))

    def _recover(self, claim: Counter[ClaimComponent]) -> None:
        """收回已核销贷款 · Principal first, then what else is claimed (A21)."""
        for component, claimed in RECOVERED_OF.items():
            part = min(self.unapplied, claim[claimed])
            claim[claimed] -= part
            self._take_kept(None, component, MovementKind.RECOVERED, part)

    def refund(self, event: str, amount: int, receipt: str | None) -> None:
        """Give kept money back. Raises RefundNotCovered where less is kept, of that receipt where one is named."""
        sources = [kept for kept in self.kept if receipt in (None, kept.receipt)]
        if amount > sum(kept.amount for kept in sources):
            raise RefundNotCovered(f"refund {event} of {amount} fen is more than is kept on {self.day}")
        self.unapplied -= amount
        self.move(None, None, MovementKind.REFUNDED, amount, event)
        for kept in sources:
            part = min(amount, kept.amount)
            amount -= part
            kept.amount -= part
            self.refunded[kept.receipt] += part
        self.kept = deque(kept for kept in self.kept if kept.amount)

    def write_off(self, debt: Debt, event: str) -> None:
        """核销 · What is left of an installment is claimed outside the balance from now on."""
        assert self.claim is not None
        for component in Component:
            if part := self.outstanding(debt, component):
                self.reduce(debt, component, part)
                self.move(debt.seq, component, MovementKind.WRITTEN_OFF, part, event)
                self.claim[claimed_as(component)] += part
        debt.written_off = True
        self.settle_if_nothing_left(debt)

    # The close of the day

    @property
    def overdue_since(self) -> date | None:
        """The due date of the oldest installment beyond its grace with unpaid principal or interest."""
        for debt in self.unsettled:
            if debt.open and (debt.unpaid_principal or debt.unpaid_interest):
                return debt.due_date
        return None

    def next_change(self) -> date | None:
        """The next day on which something happens by itself, classes aside."""
        due = self.running.planned.due_date if self.running else None
        if not self.in_grace and not self.promises:
            return due
        days = [debt.grace_end + DAY for debt in self.in_grace] + [promise.lapses_on for promise in self.promises]
        return min(days) if due is None else min(due, *days)


def claimed_as(component: Component) -> ClaimComponent:
    """Where a component goes when it is written off; fees are claimed with the interest."""
    if component is PRINCIPAL:
        return ClaimComponent.WRITTEN_OFF_PRINCIPAL
    return ClaimComponent.OFF_BALANCE_INTEREST


def default_rate(terms: LoanTerms, annual_rate: Fraction, misuse: MisuseRate | None = None) -> DefaultRate:
    """罚息利率 · The rate of penalty and compound while the contract rate is `annual_rate`."""
    daily = annual_rate / days_in_year(terms.plan.basis)
    heavier = max(misuse.multiplier - terms.penalty_multiplier, Fraction(0)) if misuse else Fraction(0)
    return DefaultRate(annual_rate, daily * terms.penalty_multiplier, daily * heavier)
