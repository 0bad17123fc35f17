"""Golden A20 (Civil Code 560), ties, and what must hold for any debts."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calculation.allocation import InvalidAmount
from domain.calculation.money import fen
from domain.calculation.several_debts import SeveralDebt, Share, share_out
from tests.calculation.loan.cases import day, golden

A20 = next(case for case in golden("allocation")["cases"] if case["id"] == "A20")


def debt(loan: str, amount: int, due: str = "2026-03-01", security: int = 0, rate: str = "0.12") -> SeveralDebt:
    return SeveralDebt(loan=loan, due_date=day(due), amount=amount, security=security, annual_rate=Fraction(rate))


def test_a20() -> None:
    debts = [
        debt(d["loan"], fen(d["due_amount"]), d["due_date"], int(d["secured"]), d["annual_rate"]) for d in A20["debts"]
    ]
    shares = share_out(fen(A20["payment"]["amount"]), debts, day(A20["payment"]["date"]))
    assert shares == [Share(line["loan"], fen(line["amount"])) for line in A20["expect"]["lines"]]
    assert fen(A20["payment"]["amount"]) - sum(share.amount for share in shares) == fen(A20["expect"]["unapplied"])
    more = share_out(fen("20000.00"), debts, day(A20["payment"]["date"]))
    assert sum(share.amount for share in more) == fen("6500.00")  # LD is not due and takes nothing


def test_the_law_asks_security_then_burden_then_date() -> None:
    secured, costly, early, late = (
        debt("secured", 100, security=5, rate="0.24"),
        debt("costly", 100, due="2026-03-09", rate="0.18"),
        debt("early", 100, due="2026-02-01"),
        debt("late", 100, due="2026-03-08"),
    )
    shares = share_out(350, [secured, late, early, costly], day("2026-03-10"))
    assert [share.loan for share in shares] == ["costly", "early", "late", "secured"]
    assert shares[-1].amount == 50


def test_debts_alike_take_pro_rata_half_up_and_the_last_the_rest() -> None:
    alike = [debt("b", 100), debt("a", 100), debt("c", 100)]
    assert share_out(100, alike, day("2026-03-10")) == [Share("a", 33), Share("b", 33), Share("c", 34)]
    assert share_out(5, [debt("a", 1), debt("b", 9)], day("2026-03-10")) == [Share("a", 1), Share("b", 4)]


def test_nothing_is_refused() -> None:
    with pytest.raises(InvalidAmount):
        share_out(0, [debt("a", 1)], day("2026-03-10"))


DEBTS = st.lists(
    st.builds(
        SeveralDebt,
        loan=st.text("abcdef", min_size=1, max_size=3),
        due_date=st.dates(date(2026, 3, 1), date(2026, 3, 4)),
        amount=st.integers(0, 1000),
        security=st.integers(0, 1),
        annual_rate=st.sampled_from([Fraction(1, 10), Fraction(2, 10)]),
    ),
    max_size=8,
    unique_by=lambda debt: debt.loan,
)


@given(st.integers(1, 6000), DEBTS)
def test_no_money_is_lost_and_no_debt_overpaid(amount: int, debts: list[SeveralDebt]) -> None:
    on = date(2026, 3, 3)
    due = {debt.loan: debt.amount for debt in debts if debt.due_date <= on}
    shares = share_out(amount, debts, on)
    assert all(0 < share.amount <= due[share.loan] for share in shares)
    assert sum(share.amount for share in shares) == min(amount, sum(due.values()))
    assert share_out(amount, reversed(debts), on) == shares
