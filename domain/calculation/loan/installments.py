"""还款计划现状 · The installments of a loan as they stand: planned, due, paid, overdue."""

from dataclasses import dataclass
from datetime import date

from domain.calculation.loan.debt import COMPOUND, PENALTY, Debt, InstallmentState
from domain.calculation.loan.state import LoanState


@dataclass(frozen=True, slots=True, kw_only=True)
class Installment:
    """期 · One installment at the close of a day, in fen. `interest` stays the gross figure after a waiver."""

    seq: int
    start_date: date
    due_date: date
    principal: int
    interest: int
    unpaid_principal: int
    unpaid_interest: int
    penalty: int
    compound: int
    fee: int
    paid_on: date | None
    state: InstallmentState


def installments(state: LoanState) -> list[Installment]:
    """All installments as they stand in this state, by seq: those that have fallen due and those still planned."""
    due = [_due(state.debts[seq], state.day) for seq in sorted(state.debts)]
    return due + _planned(state)


def _due(debt: Debt, day: date) -> Installment:
    debt.advance(day)
    state = debt.state(day)
    return Installment(
        seq=debt.seq,
        start_date=debt.start_date,
        due_date=debt.due_date,
        principal=debt.principal,
        interest=debt.interest,
        unpaid_principal=debt.unpaid_principal,
        unpaid_interest=debt.unpaid_interest,
        penalty=debt.outstanding(PENALTY),
        compound=debt.outstanding(COMPOUND),
        fee=debt.fee,
        paid_on=debt.settled_on if state is InstallmentState.PAID else None,
        state=state,
    )


def _planned(state: LoanState) -> list[Installment]:
    """The running installment bears what its line will have reached; the later ones what their plan says."""
    rows = []
    for row in state.version.rest:
        runs = state.running is not None and state.running.planned.seq == row.seq
        interest = state.running.whole_interest if runs and state.running else row.interest
        given_up = sum(grant.amount for grant in state.waivers_ahead if grant.seq == row.seq)
        if runs and state.running:
            given_up = state.running.waived
        rows.append(
            Installment(
                seq=row.seq,
                start_date=row.start_date,
                due_date=row.due_date,
                principal=row.principal,
                interest=interest,
                unpaid_principal=row.principal,
                unpaid_interest=max(0, interest - given_up),
                penalty=0,
                compound=0,
                fee=state.fees_ahead.get(row.seq, 0),
                paid_on=None,
                state=InstallmentState.PENDING,
            )
        )
    return rows
