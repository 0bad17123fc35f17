"""Waivers, conditional and not; fees; kept money; reversals; states of installments."""

from datetime import date
from fractions import Fraction

import pytest

from domain.calculation.allocation import Component, InvalidAmount
from domain.calculation.loan.events import Amendment, Fee, PrepaymentMode, Reversal, Waiver
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.lines import MovementKind
from domain.calculation.schedule import Basis, Method
from tests.calculation.loan.cases import day, paid, pay_out, s01_paid, s01_terms

PENALTY, COMPOUND, INTEREST, FEE = Component.PENALTY, Component.COMPOUND, Component.INTEREST, Component.FEE


def waive(on: str, component: Component, amount: int, seq: int | None = None, until: str | None = None) -> Waiver:
    return Waiver(
        id=f"waiver {on} {component}",
        value_date=day(on),
        component=component,
        amount=amount,
        seq=seq,
        void_unless_paid_by=day(until) if until else None,
    )


def s01(until: str, *events: object, paid_installments: int = 0, **terms: object) -> Fold:
    return loan(s01_terms(**terms), [*s01_paid(paid_installments), *events], day(until))  # type: ignore[list-item]


def states(known: Fold, count: int) -> list[str]:
    return [row.state.value for row in known.installments_on(known.until)[:count]]


def test_a13_the_penalty_is_waived_before_the_payment() -> None:
    known = s01("2026-03-07", waive("2026-03-07", PENALTY, 7885), paid("2026-03-07", "8894.88"))
    assert [(a.component, a.amount) for a in known.allocations["receipt 2026-03-07"]] == [
        (COMPOUND, 1000),
        (INTEREST, 100000),
        (Component.PRINCIPAL, 788488),
    ]
    assert states(known, 2) == ["PAID", "PENDING"]


def test_a_waiver_goes_to_the_oldest_and_gives_up_no_more_than_there_is() -> None:
    """Penalty on 2026-03-20: 33 days on 7,884.88 = 130.10 and 5 on 7,963.73 = 19.91."""
    known = s01("2026-03-20", waive("2026-03-20", PENALTY, 14000))
    given = [(m.seq, m.amount) for m in known.movements if m.kind is MovementKind.WAIVED]
    assert given == [(1, 13010), (2, 990)]
    assert known.position_on(day("2026-03-20")).penalty == 1001
    too_much = s01("2026-03-20", waive("2026-03-20", PENALTY, 99999999))
    assert too_much.position_on(day("2026-03-20")).penalty == 0


def test_a_late_receipt_shrinks_a_waiver() -> None:
    """8,900.00 on 02-20 pay 19.71 penalty, 2.50 compound, the interest and all principal but 7.09.

    Until 03-07 that bears 0.05, and 0.0022 is left of the 19.7122: the waiver of 78.85 gives up 0.06.
    """
    known = s01("2026-03-07", paid("2026-02-20", "8900.00"), waive("2026-03-07", PENALTY, 7885))
    assert known.position_on(day("2026-03-07")).overdue_principal == 709
    assert [m.amount for m in known.movements if m.kind is MovementKind.WAIVED] == [6]


def test_a_waiver_without_an_installment_never_touches_the_running_one() -> None:
    known = s01("2026-02-10", waive("2026-02-10", INTEREST, 50000))
    assert known.installments_on(known.until)[0].unpaid_interest == 100000


def test_an_installment_wholly_waived_reads_waived() -> None:
    terms = {"method": Method.INTEREST_ONLY, "basis": Basis.ACTUAL_360}
    known = s01("2026-02-15", waive("2026-02-10", INTEREST, 103333, seq=1), **terms)
    first = known.installments_on(known.until)[0]
    assert (first.interest, first.unpaid_interest, first.state.value, first.paid_on) == (103333, 0, "WAIVED", None)
    assert known.position_on(day("2026-02-12")).accrued_interest == 0


def test_a_waiver_on_an_installment_to_come_waits_for_its_period() -> None:
    known = s01("2026-03-15", waive("2026-01-20", INTEREST, 2115, seq=2), paid_installments=1)
    assert known.position_on(day("2026-02-10")).accrued_interest == (100000 * 26 * 2 + 31) // 62
    assert known.position_on(day("2026-03-01")).accrued_interest == 45000  # 900.00 x 14 ÷ 28
    assert known.position_on(day("2026-03-15")).due_unpaid_interest == 90000


def test_a_conditional_waiver_stands_when_everything_due_was_paid() -> None:
    waiver = waive("2026-03-07", PENALTY, 7885, until="2026-03-10")
    known = s01("2026-03-20", waiver, paid("2026-03-10", "8920.00"))
    assert not [m for m in known.movements if m.kind is MovementKind.LAPSED]
    assert known.installments_on(known.until)[0].state.value == "PAID"


def test_a_conditional_waiver_lapses_on_the_day_after() -> None:
    waiver = waive("2026-03-07", PENALTY, 7885, until="2026-03-10")
    known = s01("2026-03-11", waiver, paid("2026-03-10", "8000.00"))
    assert [(m.value_date, m.seq, m.amount) for m in known.movements if m.kind is MovementKind.LAPSED] == [
        (day("2026-03-11"), 1, 7885)
    ]
    plain = s01("2026-03-11", paid("2026-03-10", "8000.00"))
    assert known.position_on(day("2026-03-10")).penalty == 0
    assert known.position_on(day("2026-03-11")).penalty > 7885
    # The receipt paid principal instead of penalty, so less penalty runs than without the waiver.
    assert (
        plain.position_on(day("2026-03-11")).overdue_principal > known.position_on(day("2026-03-11")).overdue_principal
    )


def test_lapsed_interest_bears_compound_from_its_return() -> None:
    """Interest of 1,000.00 waived on 02-15, not paid by 02-25; back on 02-26, two days of compound on 02-28."""
    known = s01("2026-02-28", waive("2026-02-15", INTEREST, 100000, until="2026-02-25"))
    assert known.position_on(day("2026-02-25")).due_unpaid_interest == 0
    assert known.position_on(day("2026-02-26")).due_unpaid_interest == 100000
    assert known.position_on(day("2026-02-26")).compound == 0
    assert known.position_on(day("2026-02-28")).compound == 100


def test_a_lapse_while_the_installment_still_runs_restores_its_line() -> None:
    waiver = waive("2026-02-20", INTEREST, 40000, seq=2, until="2026-02-25")
    known = s01("2026-03-15", waiver)
    untouched = s01("2026-03-15")
    for on in ("2026-02-19", "2026-02-26", "2026-03-15"):
        assert known.position_on(day(on)).accrued_interest == untouched.position_on(day(on)).accrued_interest
    assert known.position_on(day("2026-02-25")).accrued_interest == ((92115 - 40000) * 10 * 2 + 28) // 56
    assert known.position_on(day("2026-03-15")).due_unpaid_interest == 100000 + 92115


def test_a_lapse_reopens_a_settled_installment() -> None:
    """Installment 1 settled with a waiver of interest, but installment 2 is due and unpaid at the close of the date."""
    waiver = waive("2026-02-15", INTEREST, 50000, until="2026-03-15")
    known = s01("2026-03-16", waiver, paid("2026-02-15", "8384.88"))
    assert known.on(day("2026-03-15")).position_on(day("2026-03-15")).days_past_due == 0
    figures = known.position_on(day("2026-03-16"))
    assert (figures.overdue_since, figures.days_past_due) == (day("2026-02-15"), 29)
    assert figures.due_unpaid_interest == 50000 + 92115
    assert states(known, 2) == ["OVERDUE_PARTIAL", "OVERDUE"]


def test_prepaying_after_a_waiver_never_makes_interest_negative() -> None:
    events = [
        waive("2026-05-16", INTEREST, 67984, seq=5),
        paid("2026-05-17", "67900.00", prepayment=PrepaymentMode.REDUCE_INSTALLMENT),
    ]
    known = s01("2026-06-15", *events, paid_installments=4)
    assert all(known.position_on(date(2026, 5, on)).accrued_interest == 0 for on in range(16, 32))
    assert known.position_on(day("2026-06-15")).due_unpaid_interest == 0


def test_a_fee_waits_for_its_installment_or_is_due_at_once() -> None:
    ahead = Fee(id="fee", value_date=day("2026-01-20"), seq=1, amount=20000)
    known = s01("2026-02-15", ahead, paid("2026-02-15", "200.00"))
    assert known.position_on(day("2026-02-14")).fees == 0
    assert [a.component for a in known.allocations["receipt 2026-02-15"]] == [FEE]
    late = Fee(id="late", value_date=day("2026-02-20"), seq=1, amount=30000)
    known = s01("2026-02-20", late, paid_installments=1)
    assert known.position_on(day("2026-02-20")).fees == 30000
    assert known.installments_on(known.until)[0].state.value == "OVERDUE_PARTIAL"
    assert known.position_on(day("2026-02-20")).days_past_due == 0


def test_the_quote_holds_a_fee_charged_ahead() -> None:
    ahead = Fee(id="fee", value_date=day("2026-01-20"), seq=9, amount=20000)
    on = day("2026-01-25")
    price = s01("2026-01-25", ahead).quote_on(on)
    assert price.fee == 20000
    settled = s01("2026-01-25", ahead, paid("2026-01-25", "100533.33", prepayment=PrepaymentMode.SETTLE))
    assert price.total == 10053333
    end = settled.position_on(on)
    assert (end.principal_outstanding, end.fees, end.unapplied, end.uncollected_interest) == (0, 0, 0, 0)


def test_money_that_came_early_is_kept_and_applied_on_the_due_date() -> None:
    known = s01("2026-02-15", paid("2026-02-10", "9000.00"))
    assert known.position_on(day("2026-02-14")).unapplied == 900000
    assert known.position_on(day("2026-02-15")).unapplied == 11512
    assert [(a.seq, a.amount) for a in known.allocations["receipt 2026-02-10"]] == [(1, 100000), (1, 788488)]
    assert states(known, 1) == ["PAID"]


@pytest.mark.parametrize(
    ("until", "wanted"),
    [
        ("2026-02-14", "PENDING"),
        ("2026-02-15", "DUE"),
        ("2026-02-18", "PARTIAL"),
        ("2026-02-19", "OVERDUE_PARTIAL"),
    ],
)
def test_states_with_three_days_of_grace(until: str, wanted: str) -> None:
    assert states(s01(until, paid("2026-02-16", "100.00"), grace_days=3), 1) == [wanted]


def test_a_stored_end_of_grace_wins_over_the_number_of_days() -> None:
    known = s01("2026-02-21", grace_days=3, grace_ends={day("2026-02-15"): day("2026-02-20")})
    assert known.position_on(day("2026-02-20")).days_past_due == 0
    assert known.position_on(day("2026-02-21")).days_past_due == 6


def test_any_receipt_may_be_reversed_and_brought_back() -> None:
    first, second = paid("2026-02-15", "8884.88"), paid("2026-03-15", "8884.88")
    undo = Reversal(id="undo", target=first.id)
    without = s01("2026-03-20", second)
    reversed_once = s01("2026-03-20", first, second, undo)
    assert (reversed_once.positions, reversed_once.movements) == (without.positions, without.movements)
    again = s01("2026-03-20", first, second, undo, Reversal(id="redo", target="undo"))
    assert again.positions == s01("2026-03-20", first, second).positions


def test_what_cannot_have_happened_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown"):
        s01("2026-02-20", Reversal(id="undo", target="nothing"))
    with pytest.raises(ValueError, match="twice"):
        s01("2026-02-20", paid("2026-02-15", "1.00"), paid("2026-02-15", "1.00"))
    with pytest.raises(ValueError, match="undoes itself"):
        s01("2026-02-20", Reversal(id="a", target="b"), Reversal(id="b", target="a"))
    with pytest.raises(ValueError, match="pay-out"):
        loan(s01_terms(), [paid("2026-02-15", "1.00")], day("2026-02-20"))
    with pytest.raises(ValueError, match="plan begins"):
        loan(s01_terms(), [pay_out("2026-01-16", "100000.00")], day("2026-02-20"))
    with pytest.raises(InvalidAmount):
        s01("2026-02-20", paid("2026-02-15", "0.00"))
    with pytest.raises(ValueError, match="cannot wait"):
        s01("2026-02-20", waive("2026-02-20", PENALTY, 1, until="2026-02-19"))
    with pytest.raises(ValueError, match="order of allocation"):
        s01_terms(order=(FEE, PENALTY))
    with pytest.raises(ValueError, match="principal"):
        s01("2026-02-20", waive("2026-02-20", Component.PRINCIPAL, 1))


def test_figures_are_known_from_the_first_pay_out_to_the_last_day_folded() -> None:
    known = s01("2026-02-20")
    for outside in ("2026-01-14", "2026-02-21"):
        with pytest.raises(ValueError, match="known from"):
            known.position_on(day(outside))


def test_a_settled_installment_comes_back_at_the_rate_in_force() -> None:
    waiver = waive("2026-02-15", INTEREST, 100000, until="2026-03-15")
    rate = Amendment(id="rate", value_date=day("2026-03-01"), annual_rate=Fraction("0.06"))
    known = s01("2026-03-26", waiver, paid("2026-02-15", "7884.88"), rate)
    first = known.installments_on(known.until)[0]
    assert (first.unpaid_interest, first.compound) == (100000, 250)  # 10 days at 9 %
