"""Golden S38: a revolving line, drawdown by drawdown through the fold."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest

from domain.calculation.allocation import Component, InvalidAmount
from domain.calculation.credit_line import CreditLine, LimitExceeded, available, check_drawdown, used
from domain.calculation.loan.events import Event, PayOut, PrepaymentMode, Receipt
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import fen
from tests.calculation.loan.cases import day, golden

S38 = next(case for case in golden("schedules")["cases"] if case["id"] == "S38")
GIVEN = S38["input"]
LINE = CreditLine(
    limit=fen(GIVEN["credit_limit"]),
    annual_rate=Fraction(GIVEN["annual_rate"]),
    starts_on=day(GIVEN["line_start"]),
    ends_on=day(GIVEN["line_end"]),
    settlement_day=GIVEN["settlement_day"],
)


def folds(until: date) -> dict[str, Fold]:
    """Every drawdown up to that day, each row of the golden case paid as it stands there."""
    events: dict[str, list[Event]] = defaultdict(list)
    for number, row in enumerate(S38["rows"]):
        if day(row["date"]) > until:
            break
        own = {"id": str(number), "value_date": day(row["date"])}
        principal, interest = fen(row["principal"]), fen(row["interest"])
        if row["type"] == "DRAWDOWN":
            events[row["drawdown"]].append(PayOut(**own, amount=principal))
            continue
        mode = None
        if row["type"] == "REPAY":
            cleared = row["drawdown_balance"] == "0.00"
            mode = PrepaymentMode.SETTLE if cleared else PrepaymentMode.REDUCE_INSTALLMENT
        events[row["drawdown"]].append(Receipt(**own, amount=principal + interest, prepayment=mode))
    return {name: loan(terms(name), happened, until) for name, happened in events.items()}


def terms(name: str) -> LoanTerms:
    first = next(row for row in S38["rows"] if row["drawdown"] == name)
    plan = LINE.drawdown(fen(first["principal"]), day(first["date"]))
    return LoanTerms(plan=plan, penalty_multiplier=Fraction(3, 2))


@pytest.mark.parametrize("number", range(len(S38["rows"])))
def test_s38_balances_after_every_row(number: int) -> None:
    row = S38["rows"][number]
    on = day(row["date"])
    drawn = folds(on)
    assert drawn[row["drawdown"]].position_on(on).principal_outstanding == fen(row["drawdown_balance"])
    assert used(list(drawn.values()), on) == fen(row["line_used"])
    assert available(LINE, list(drawn.values()), on, on) == fen(row["line_available"])


def test_s38_interest_of_every_row_and_in_all() -> None:
    end = day(S38["rows"][-1]["date"])
    drawn = folds(end)
    for number, row in enumerate(S38["rows"]):
        lines = drawn[row["drawdown"]].allocations.get(str(number), ())
        interest = sum(line.amount for line in lines if line.component is Component.INTEREST)
        assert interest == fen(row["interest"])
    paid = [m for fold in drawn.values() for m in fold.movements if m.component is Component.INTEREST and m.event]
    assert sum(m.amount for m in paid if m.kind.value == "ALLOCATED") == fen(S38["totals"]["interest"])
    for fold in drawn.values():
        figures = fold.position_on(end)
        assert (figures.principal_outstanding, figures.uncollected_interest, figures.unapplied) == (0, 0, 0)


def test_s38_a_drawdown_beyond_the_limit_is_refused() -> None:
    [rejected] = S38["expect"]["rejected"]
    on, amount = day(rejected["event"]["date"]), fen(rejected["event"]["amount"])
    drawn = list(folds(on).values())
    with pytest.raises(LimitExceeded, match="7000000"):
        check_drawdown(LINE, drawn, amount, on, on)
    check_drawdown(LINE, drawn, fen("70000.00"), on, on)
    with pytest.raises(InvalidAmount):
        check_drawdown(LINE, drawn, 0, on, on)


def test_a_drawdown_entered_late_leaves_room_for_what_was_drawn_since() -> None:
    drawn = list(folds(day("2026-03-25")).values())
    assert available(LINE, drawn, day("2026-03-10"), day("2026-03-10")) == fen("120000.00")
    assert available(LINE, drawn, day("2026-03-10"), day("2026-03-25")) == fen("70000.00")


def test_nothing_is_drawn_outside_the_term_of_the_line() -> None:
    for outside in ("2026-02-28", "2027-02-28"):
        with pytest.raises(ValueError, match="the line runs"):
            LINE.drawdown(100, day(outside))
    assert LINE.drawdown(100, day("2027-02-27")).maturity_date == day("2027-02-28")
