"""事件效果 · What each event does to a loan on its day."""

from collections import Counter
from dataclasses import replace
from functools import singledispatch
from math import floor

from domain.calculation.loan.debt import FEE, INTEREST, PRINCIPAL, Debt
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
from domain.calculation.loan.lines import MovementKind
from domain.calculation.loan.quote import payoff, prepayment_fee
from domain.calculation.loan.replan import PlanVersion, extend, replan, shorten, without_principal
from domain.calculation.loan.running import Grant
from domain.calculation.loan.state import DAY, LoanState, Promise
from domain.calculation.schedule import PlanError, days_in_year


@singledispatch
def happen(event: Event, state: LoanState) -> None:
    """Apply one event to the state on its day. Raises TypeError for an event this engine does not know."""
    raise TypeError(f"no effect is known for {type(event).__name__}")


@happen.register
def _(event: PayOut, state: LoanState) -> None:
    first = not state.movements
    state.principal += event.amount
    state.not_due += event.amount
    state.move(None, PRINCIPAL, MovementKind.PAID_OUT, event.amount, event.id)
    if first:
        state.start_period()
    elif state.running is None:
        raise ValueError("the last installment has fallen due: nothing more can be paid out")
    else:
        _go_on(state, replan(state.version, state.not_due), event.id)


@happen.register
def _(event: Amendment, state: LoanState) -> None:
    if event.annual_rate is not None:
        state.change_rate(event.annual_rate)
    if state.not_due:
        new = replan(state.version, state.not_due, event.annual_rate, event.method, event.custom_principal)
        _go_on(state, new, event.id)
    elif event.annual_rate is not None:
        state.version.terms = replace(state.version.terms, annual_rate=event.annual_rate)


@happen.register
def _(event: MisuseRate, state: LoanState) -> None:
    if event.multiplier < 1:
        raise ValueError(f"misused money bears no less than the contract rate, not {event.multiplier} times it")
    before = state.running.interest(state.day) if state.running else 0
    state.misuse = event
    state.change_rate(state.rate.annual_rate)
    state.bear_misuse()
    if state.running:
        restated = state.running.interest(state.day) - before
        state.move(state.running.planned.seq, INTEREST, MovementKind.RESTATED, restated, event.id)


@happen.register
def _(event: Extension, state: LoanState) -> None:
    """The running period goes on as it is. On the maturity itself what fell due this morning is taken back."""
    if not state.principal:
        return
    if state.running is not None:
        state.version = extend(state.version, event)
        assert state.version.running is not None
        state.running.planned = state.version.running
        return
    last = state.debts[max(state.debts)]
    if last.due_date != state.day:
        raise PlanError(f"an extension is agreed by the maturity, {last.due_date}", "value_date")
    if last.principal:
        state.version = extend(state.version, event)
        state.not_due += last.defer()
        state.settle_if_nothing_left(last)
        state.start_period()


@happen.register
def _(event: Acceleration, state: LoanState) -> None:
    _accelerate(state)


@happen.register
def _(event: Fee, state: LoanState) -> None:
    seq = event.seq
    if state.running is None:  # an installment that a shorter plan no longer has: the last one bears its fee
        seq = min(seq, max(state.debts))
    if seq in state.debts:
        state.charge(state.debts[seq], event.amount, event.id)
        if state.claim is not None:  # a cost of pursuing a loan that has left the books is claimed with the rest
            state.write_off(state.debts[seq], event.id)
    else:
        state.fees_ahead[seq] = state.fees_ahead.get(seq, 0) + event.amount


@happen.register
def _(event: Waiver, state: LoanState) -> None:
    if event.component is PRINCIPAL:
        raise ValueError("principal is not waived")
    if event.void_unless_paid_by is not None and event.void_unless_paid_by < event.value_date:
        raise ValueError(f"a waiver of {event.value_date} cannot wait for {event.void_unless_paid_by}")
    if event.seq is None:
        grants = _waive_due(state, event, list(state.unsettled))
    elif event.seq in state.debts:
        grants = _waive_due(state, event, [state.debts[event.seq]])
    else:
        grants = _waive_ahead(state, event, event.seq)
    if event.void_unless_paid_by is not None and grants:
        state.promises.append(Promise(event.void_unless_paid_by + DAY, grants))


@happen.register
def _(event: Receipt, state: LoanState) -> None:
    state.receive(event.id, event.amount)
    state.apply_kept()
    if state.running is None or not state.unapplied:
        return
    if event.prepayment is PrepaymentMode.SETTLE:
        _settle(state, event.id)
    elif event.prepayment is not None and state.not_due:
        _prepay(state, event.prepayment, event.id)


@happen.register
def _(event: WriteOff, state: LoanState) -> None:
    """A waiver whose condition is still open lapses: its amount is claimed too."""
    if state.claim is not None:
        return
    _accelerate(state)
    for promise in state.promises:
        for grant in promise.grants:
            _bring_back(state, grant)
    state.promises.clear()
    state.apply_kept()
    if state.unsettled:
        state.claim = Counter()
        for debt in tuple(state.unsettled):
            state.write_off(debt, event.id)


@happen.register
def _(event: Refund, state: LoanState) -> None:
    state.refund(event.id, event.amount, event.receipt)


def lapse_promises(state: LoanState, *, in_arrears: bool) -> None:
    """减免失效 · The conditional waivers of yesterday: kept if nothing was due at its close, else taken back."""
    over = [promise for promise in state.promises if promise.lapses_on == state.day]
    for promise in over:
        state.promises.remove(promise)
        for grant in promise.grants:
            if in_arrears:
                _bring_back(state, grant)


# Waivers


def _waive_due(state: LoanState, event: Waiver, debts: list[Debt]) -> list[Grant]:
    left, grants = event.amount, []
    for debt in debts:
        part = min(left, state.outstanding(debt, event.component))
        if not part:
            continue
        left -= part
        grants.append(Grant(event.id, debt.seq, event.component, part))
        state.reduce(debt, event.component, part)
        state.move(debt.seq, event.component, MovementKind.WAIVED, part, event.id)
        debt.waived = True
        state.settle_if_nothing_left(debt)
    return grants


def _waive_ahead(state: LoanState, event: Waiver, seq: int) -> list[Grant]:
    """On an installment that runs or will run: only its interest and a fee charged ahead can be given up."""
    grant = Grant(event.id, seq, event.component, event.amount)
    if event.component is FEE:
        grant.amount = min(event.amount, state.fees_ahead.get(seq, 0))
        state.fees_ahead[seq] = state.fees_ahead.get(seq, 0) - grant.amount
    elif event.component is INTEREST and state.running and state.running.planned.seq == seq:
        state.waive_running(grant)
    elif event.component is INTEREST:
        state.waivers_ahead.append(grant)
    else:
        return []
    return [grant]


def _bring_back(state: LoanState, grant: Grant) -> None:
    """The amount returns today and bears compound from today."""
    if grant.seq in state.debts:
        debt = state.debts[grant.seq]
        state.reduce(debt, grant.component, -grant.amount)
        state.move(grant.seq, grant.component, MovementKind.LAPSED, grant.amount, grant.event)
        state.reopen(debt)
    elif grant.component is FEE:
        state.fees_ahead[grant.seq] = state.fees_ahead.get(grant.seq, 0) + grant.amount
    elif grant in state.waivers_ahead:
        state.waivers_ahead.remove(grant)
    elif state.running and grant in state.running.grants:
        before = state.running.interest(state.day)
        state.running.grants.remove(grant)
        shown = state.running.interest(state.day) - before
        state.move(grant.seq, INTEREST, MovementKind.LAPSED, grant.amount, grant.event)
        state.move(grant.seq, INTEREST, MovementKind.RESTATED, shown - grant.amount, grant.event)


# Changes of the plan


def _go_on(state: LoanState, version: PlanVersion, event: str) -> None:
    """The running period goes on under a new plan: what has grown stays."""
    assert state.running is not None
    assert version.running is not None
    before = state.running.interest(state.day)
    state.version = version
    state.running.change(version.running, state.not_due, version.terms, state.day)
    state.bear_misuse()
    restated = state.running.interest(state.day) - before
    state.move(version.running.seq, INTEREST, MovementKind.RESTATED, restated, event)


def _prepay(state: LoanState, mode: PrepaymentMode, receipt: str) -> None:
    """What is left of the money goes to principal that is not due, and to the fee on it."""
    money = state.unapplied
    principal = min(state.not_due, floor(money / (1 + state.terms.prepayment_fee_rate)))
    if principal + prepayment_fee(state, principal) > money:  # the fee was rounded up
        principal -= 1
    if principal <= 0:
        return
    fee = prepayment_fee(state, principal)
    state.move(None, FEE, MovementKind.CHARGED, fee, receipt)
    state.spend(None, FEE, fee)
    state.spend(None, PRINCIPAL, principal)
    state.principal -= principal
    state.not_due -= principal
    if not state.not_due and state.end_period_just_begun():
        return
    if not state.not_due:
        version = without_principal(state.version)
    elif mode is PrepaymentMode.SHORTEN_TERM:
        version = shorten(state.version, state.not_due)
    else:
        version = replan(state.version, state.not_due)
    _go_on(state, version, receipt)


def _accelerate(state: LoanState) -> None:
    """What runs falls due with the interest its line has reached."""
    if state.running is not None:
        net = state.running.interest(state.day)
        _all_falls_due(state, max(net, state.running.gross_interest(state.day)), net)


def _all_falls_due(state: LoanState, interest: int, net_interest: int) -> Debt:
    """Running interest and all principal fall due today, in one installment; no other follows."""
    state.end_plan()
    return state.fall_due(state.not_due, interest, net_interest)


# Early settlement


def _settle(state: LoanState, receipt: str) -> None:
    """Everything falls due at the price of the quote; too little money is kept, too much stays kept."""
    assert state.running is not None
    if state.unapplied < payoff(state).total:
        return
    interest, net = state.running.by_days(state.day, days_in_year(state.terms.plan.basis))
    seq, fee = state.running.planned.seq, prepayment_fee(state, state.not_due)
    state.move(seq, INTEREST, MovementKind.RESTATED, net - state.running.interest(state.day), receipt)
    debt = _all_falls_due(state, interest, net)
    state.charge(debt, fee, receipt)
    state.apply_kept()
