"""Changes of terms as events: S32–S35, S37, S40, S41, X4, X6, X7, and acceleration."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.calculation.allocation import Component
from domain.calculation.loan.events import Acceleration, Amendment, Event, Fee, PayOut, PrepaymentMode, Waiver
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.installments import Installment
from domain.calculation.loan.lines import MovementKind
from domain.calculation.money import fen
from domain.calculation.schedule import Basis, Method, PlanError
from tests.calculation.loan.cases import day, golden, paid, pay_out, s01_paid, s01_terms

S = {case["id"]: case for case in golden("schedules")["cases"]}
REDUCE, SHORTEN, SETTLE = PrepaymentMode


def rows(known: Fold) -> list[tuple[Any, ...]]:
    return [(r.seq, r.start_date, r.due_date, r.principal, r.interest) for r in known.installments_on(known.until)]


def golden_rows(case_id: str) -> list[tuple[Any, ...]]:
    return [
        (r["seq"], day(r["start_date"]), day(r["due_date"]), fen(r["principal"]), fen(r["interest"]))
        for r in S[case_id]["rows"]
    ]


def installment(known: Fold, seq: int) -> Installment:
    return next(row for row in known.installments_on(known.until) if row.seq == seq)


CHANGES: dict[str, tuple[int, Event]] = {
    "S32": (6, Amendment(id="rate", value_date=date(2026, 7, 15), annual_rate=Fraction("0.108"))),
    "S33": (4, paid("2026-05-15", "30000.00", id="prepaid", prepayment=REDUCE)),
    "S34": (4, paid("2026-05-15", "30000.00", id="prepaid", prepayment=SHORTEN)),
    "S37": (6, Amendment(id="method", value_date=date(2026, 7, 15), method=Method.INTEREST_ONLY)),
}


@pytest.mark.parametrize("case_id", CHANGES)
def test_a_change_on_a_due_date_makes_the_golden_plan(case_id: str) -> None:
    count, change = CHANGES[case_id]
    known = loan(s01_terms(), [*s01_paid(count), change], change.value_date)
    assert rows(known) == golden_rows(case_id)


@pytest.mark.parametrize("case_id", CHANGES)
def test_the_changed_plan_runs_to_its_end(case_id: str) -> None:
    """Paid as planned, the loan ends with nothing left and the golden total of interest collected."""
    count, change = CHANGES[case_id]
    later = [paid(row["due_date"], row["payment"]) for row in S[case_id]["rows"] if row["seq"] > count]
    known = loan(s01_terms(), [*s01_paid(count), change, *later], date(2027, 1, 15))
    end = known.position_on(date(2027, 1, 15))
    assert (end.principal_outstanding, end.due_unpaid_interest, end.unapplied) == (0, 0, 0)
    lines = [line for lines in known.allocations.values() for line in lines]
    interest = sum(line.amount for line in lines if line.component is Component.INTEREST)
    assert interest == fen(S[case_id]["totals"]["interest"])


def test_s35_settlement() -> None:
    terms = s01_terms(prepayment_fee_rate=Fraction("0.01"))
    on, wanted = date(2026, 6, 25), S["S35"]["settlement"]
    price = loan(terms, s01_paid(5), on).quote_on(on)
    got = (price.principal, price.interest, price.fee, price.total, price.to_pay)
    assert got == tuple(fen(wanted[name]) for name in ("principal", "interest", "fee", "total", "total"))
    known = loan(terms, [*s01_paid(5), paid("2026-06-25", wanted["total"], prepayment=SETTLE)], date(2027, 2, 1))
    end = known.position_on(on)
    assert (end.principal_outstanding, end.uncollected_interest, end.fees, end.unapplied) == (0, 0, 0, 0)
    lines = [(line.component.value, line.amount) for line in known.allocations["receipt 2026-06-25"]]
    assert lines == [("FEE", 59779), ("INTEREST", 19926), ("PRINCIPAL", 5977918)]
    settled = installment(known, 6)
    assert (settled.due_date, settled.paid_on, settled.state.value) == (on, on, "PAID")
    assert known.positions[-1].next_action_on is None
    assert len(known.installments_on(on)) == 6


def test_settling_with_too_little_keeps_the_money_and_with_kept_money_needs_less() -> None:
    terms, on = s01_terms(), date(2026, 6, 25)
    early = paid("2026-06-20", "500.00")
    price = loan(terms, [*s01_paid(5), early], on).quote_on(on)
    assert price.to_pay == price.total - 50000
    short = loan(terms, [*s01_paid(5), early, paid("2026-06-25", "59000.00", prepayment=SETTLE)], on)
    assert short.position_on(on).unapplied == 5950000
    enough = loan(terms, [*s01_paid(5), early, paid("2026-06-25", "60000.00", prepayment=SETTLE)], on)
    assert enough.position_on(on).principal_outstanding == 0
    assert enough.position_on(on).unapplied == 6050000 - price.total


def test_x4_the_quote_counts_days_the_line_spreads() -> None:
    on = date(2026, 5, 25)
    known = loan(s01_terms(), s01_paid(4), on)
    assert known.position_on(on).accrued_interest == 21930
    assert known.quote_on(on).interest == 22661
    settled = loan(s01_terms(), [*s01_paid(4), paid("2026-05-25", "68210.83", prepayment=SETTLE)], on)
    restated = [m.amount for m in settled.movements if m.kind is MovementKind.RESTATED]
    assert restated == [731]
    assert settled.position_on(on).principal_outstanding == 0


def test_x6_prepaid_inside_a_period() -> None:
    on = date(2026, 5, 25)
    known = loan(s01_terms(), [*s01_paid(4), paid("2026-05-25", "30000.00", prepayment=REDUCE)], on)
    assert known.position_on(on).accrued_interest == 21930
    fifth = installment(known, 5)
    assert (fifth.principal, fifth.interest) == (458433, 47662)
    assert {r.principal + r.interest for r in known.installments_on(on)[5:-1]} == {496417}


def test_x7_shortened_inside_a_period() -> None:
    on = date(2026, 5, 25)
    known = loan(s01_terms(), [*s01_paid(4), paid("2026-05-25", "30000.00", prepayment=SHORTEN)], on)
    plan = known.installments_on(on)
    assert [(r.principal, r.interest) for r in plan[4:6]] == [(850504, 47662), (859009, 29479)]
    assert len(plan) == len(S["S34"]["rows"])
    after = loan(s01_terms(), [*s01_paid(4), paid("2026-05-25", "30000.00", prepayment=SHORTEN)], date(2026, 6, 15))
    assert after.position_on(date(2026, 6, 15)).due_unpaid_interest == 47662


@pytest.mark.parametrize(("mode", "parts"), [(REDUCE, [250000] * 8), (SHORTEN, [625000, 625000, 625000, 125000])])
def test_equal_principal_splits_the_rest_or_keeps_its_part(mode: PrepaymentMode, parts: list[int]) -> None:
    """50,000 over 8, 30,000 prepaid in the first period."""
    terms = s01_terms(principal=5_000_000, method=Method.EQUAL_PRINCIPAL, periods=8)
    events = [pay_out("2026-01-15", "50000.00"), paid("2026-01-20", "30000.00", prepayment=mode)]
    plan = loan(terms, events, date(2026, 1, 20)).installments_on(date(2026, 1, 20))
    assert [row.principal for row in plan] == parts


@pytest.mark.parametrize("method", [Method.INTEREST_ONLY, Method.BULLET])
def test_there_is_no_term_to_shorten(method: Method) -> None:
    terms = s01_terms(method=method, basis=Basis.ACTUAL_360)
    events = [pay_out("2026-01-15", "100000.00"), paid("2026-01-20", "30000.00", prepayment=SHORTEN)]
    with pytest.raises(PlanError):
        loan(terms, events, date(2026, 1, 20))


def test_prepaying_everything_leaves_the_interest_to_its_due_date() -> None:
    events = [*s01_paid(4), paid("2026-05-25", "67984.22", prepayment=REDUCE)]
    known = loan(s01_terms(), events, date(2026, 6, 15))
    assert known.position_on(date(2026, 6, 15)).due_unpaid_interest == 21930
    assert installment(known, 5).principal == 0
    on_due_date = [*s01_paid(3), paid("2026-05-15", "76869.10", prepayment=REDUCE)]
    at_once = loan(s01_terms(), on_due_date, date(2026, 6, 15))
    assert at_once.position_on(date(2026, 5, 15)).principal_outstanding == 0
    assert [row.seq for row in at_once.installments_on(date(2026, 6, 15))] == [1, 2, 3, 4]


def test_prepaying_everything_at_once_bears_no_interest() -> None:
    events = [pay_out("2026-01-15", "100000.00"), paid("2026-01-15", "100000.00", prepayment=REDUCE)]
    known = loan(
        s01_terms(), [*events, Fee(id="fee", value_date=date(2026, 1, 20), seq=1, amount=500)], date(2026, 3, 1)
    )
    assert known.position_on(date(2026, 2, 14)).accrued_interest == 0
    assert [(r.seq, r.principal, r.interest, r.fee) for r in known.installments_on(known.until)] == [(1, 0, 0, 500)]


def test_a_prepayment_pays_its_fee_out_of_the_same_money() -> None:
    terms = s01_terms(prepayment_fee_rate=Fraction("0.01"))
    known = loan(terms, [*s01_paid(4), paid("2026-05-25", "30300.00", prepayment=REDUCE)], date(2026, 5, 25))
    lines = [(line.seq, line.component.value, line.amount) for line in known.allocations["receipt 2026-05-25"]]
    assert lines == [(None, "FEE", 30000), (None, "PRINCIPAL", 3000000)]


def test_a_prepayment_with_arrears_pays_the_arrears_first() -> None:
    events = [*s01_paid(4), paid("2026-06-20", "5000.00", prepayment=REDUCE)]
    known = loan(s01_terms(), events, date(2026, 6, 20))
    assert rows(known) == golden_rows("S01")
    assert installment(known, 5).unpaid_principal > 0


def test_s40_half_the_running_interest_is_waived() -> None:
    case = S["S40"]
    waiver = Waiver(id="w", value_date=date(2026, 4, 10), component=Component.INTEREST, amount=42076, seq=3)
    known = loan(s01_terms(), [*s01_paid(2), waiver], date(2026, 4, 15))
    third = installment(known, 3)
    assert (third.interest, third.unpaid_interest) == (84151, fen("841.51") - fen(case["rows"][2]["waived_interest"]))
    before = known.position_on(date(2026, 4, 9)).accrued_interest
    assert before == (84151 * 25 * 2 + 31) // 62
    # (841.51 − 420.76) x 26 ÷ 31
    assert known.position_on(date(2026, 4, 10)).accrued_interest == (42075 * 26 * 2 + 31) // 62
    assert known.position_on(date(2026, 4, 15)).due_unpaid_interest == 42075


def test_s41_two_pay_outs() -> None:
    terms = s01_terms(
        principal=30_000_000,
        method=Method.INTEREST_ONLY,
        basis=Basis.ACTUAL_360,
        value_date=date(2026, 1, 10),
        periods=6,
    )
    events = [pay_out("2026-01-10", "200000.00"), pay_out("2026-02-25", "100000.00")]
    assert isinstance(events[1], PayOut)
    wanted = S["S41"]["rows"]
    known = loan(terms, [*events, *(paid(r["due_date"], r["payment"]) for r in wanted)], date(2026, 7, 10))
    assert rows(known) == golden_rows("S41")
    assert known.position_on(date(2026, 7, 10)).principal_outstanding == 0
    assert known.position_on(date(2026, 7, 10)).unapplied == 0


def test_s41_as_two_loan_notes() -> None:
    """As the product lends it (decision 0037): a note for each pay-out, on the same due dates; S41 is their sum to the cent."""
    wanted = S["S41"]["rows"]
    dates = [day(row["due_date"]) for row in wanted]
    added: dict[date, tuple[int, int]] = {}
    for tranche in S["S41"]["input"]["tranches"]:
        begun = day(tranche["date"])
        terms = s01_terms(
            principal=fen(Decimal(tranche["amount"])),
            method=Method.INTEREST_ONLY,
            basis=Basis.ACTUAL_360,
            value_date=begun,
            periods=None,
            due_dates=tuple(due for due in dates if due > begun),
        )
        note = loan(terms, [pay_out(tranche["date"], tranche["amount"])], begun)
        for row in note.installments_on(begun):
            principal, interest = added.get(row.due_date, (0, 0))
            added[row.due_date] = principal + row.principal, interest + row.interest
    assert added == {
        day(row["due_date"]): (fen(Decimal(row["principal"])), fen(Decimal(row["interest"]))) for row in wanted
    }


def test_acceleration_makes_everything_due_in_one_installment() -> None:
    on = date(2026, 5, 25)
    terms = s01_terms(grace_days=3)
    known = loan(terms, [*s01_paid(4), Acceleration(id="acc", value_date=on)], date(2026, 5, 29))
    figures = known.position_on(on)
    assert (figures.accrued_interest, figures.due_unpaid_interest, figures.overdue_principal) == (0, 21930, 0)
    assert known.position_on(date(2026, 5, 28)).days_past_due == 0
    late = known.position_on(date(2026, 5, 29))
    assert (late.days_past_due, late.overdue_principal) == (4, 6798422)
    assert late.penalty == 13597  # 67,984.22 x 18 % x 4 ÷ 360
    last = installment(known, 5)
    assert (last.due_date, last.principal, last.interest, len(known.installments_on(known.until))) == (
        on,
        6798422,
        21930,
        5,
    )


def test_a_rate_change_changes_the_penalty_from_its_day() -> None:
    """S01 never paid; 12 % → 10.8 % on 2026-02-25: 10 days at 18 %, 5 at 16.2 % on 7,884.88."""
    change = Amendment(id="rate", value_date=date(2026, 2, 25), annual_rate=Fraction("0.108"))
    known = loan(s01_terms(), [*s01_paid(0), change], date(2026, 3, 2))
    assert known.position_on(date(2026, 3, 2)).penalty == 5717  # 39.4244 + 17.74098
