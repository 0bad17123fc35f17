"""Golden S39 through the fold, and A22."""

from fractions import Fraction

import pytest

from domain.calculation.allocation import ClaimComponent, Component
from domain.calculation.entrusted import Split, one_off_fee, split
from domain.calculation.loan.fold import loan
from domain.calculation.loan.lines import AllocationLine
from domain.calculation.money import fen
from domain.calculation.schedule import Method
from tests.calculation.loan.cases import day, golden, paid, pay_out, s01_terms

S39 = next(case for case in golden("schedules")["cases"] if case["id"] == "S39")
A22 = next(case for case in golden("allocation")["cases"] if case["id"] == "A22")
RATE = Fraction(S39["input"]["entrusted"]["interest_fee_rate"])


def test_s39_every_receipt_is_split() -> None:
    given = S39["input"]
    terms = s01_terms(
        principal=fen(given["principal"]),
        annual_rate=Fraction(given["annual_rate"]),
        method=Method(given["method"]),
        value_date=day(given["value_date"]),
    )
    receipts = [paid(row["due_date"], row["payment"]) for row in S39["rows"]]
    end = receipts[-1].value_date
    known = loan(terms, [pay_out(given["value_date"], given["principal"]), *receipts], end)
    splits = [split(known.allocations[receipt.id], RATE) for receipt in receipts]
    assert splits == [Split(fen(row["handling_fee"]), fen(row["to_entrustor"])) for row in S39["rows"]]
    assert sum(part.handling_fee for part in splits) == fen(S39["totals_fee"])
    assert sum(part.to_entrustor for part in splits) == fen(S39["totals_to_entrustor"])
    assert known.position_on(end).principal_outstanding == 0
    assert one_off_fee(fen(given["principal"]), Fraction(given["entrusted"]["one_off_fee_rate"])) == fen(
        S39["one_off_fee"]
    )


def test_a22() -> None:
    receipt = [AllocationLine(1, Component.INTEREST, fen(A22["receipt"]["interest"]))]
    wanted = A22["expect"]
    assert split(receipt, Fraction(A22["fee_rate"])) == Split(
        fen(wanted["handling_fee"]), fen(wanted["payable_to_entrustor"])
    )


@pytest.mark.parametrize("component", [Component.PENALTY, Component.COMPOUND, ClaimComponent.OFF_BALANCE_INTEREST])
def test_whatever_stands_for_interest_bears_the_fee_and_principal_does_not(
    component: Component | ClaimComponent,
) -> None:
    lines = [AllocationLine(1, component, 1000), AllocationLine(1, Component.PRINCIPAL, 5000)]
    assert split(lines, RATE) == Split(20, 5980)
    assert split([], RATE) == Split(0, 0)


def test_the_fee_is_rounded_once_per_receipt() -> None:
    """Two lines of 0.25 at 2 %: 0.01 of 0.50, not 2 x 0.01."""
    assert split([AllocationLine(1, Component.INTEREST, 25), AllocationLine(2, Component.INTEREST, 25)], RATE) == Split(
        1, 49
    )
