"""The tax in an amount, and the relief for small loans to farmers; when tax is owed: tests/golden/own/vat.json."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from domain.calculation.loan.fold import loan
from domain.calculation.money import fen
from domain.calculation.vat import (
    GENERAL_RATE,
    SMALL_SCALE_RATE,
    SMALL_SCALE_REDUCED_RATE,
    FarmerRelief,
    taxed,
    vat,
)
from tests.calculation.loan.cases import s01_paid, s01_terms


@pytest.mark.parametrize(
    ("included", "rate", "tax"),
    [
        ("1000.00", GENERAL_RATE, "56.60"),
        ("106.00", GENERAL_RATE, "6.00"),
        ("1000.00", SMALL_SCALE_RATE, "29.13"),
        ("1000.00", SMALL_SCALE_REDUCED_RATE, "9.90"),
        ("0.08", GENERAL_RATE, "0.00"),
        ("0.09", GENERAL_RATE, "0.01"),
        ("-1000.00", GENERAL_RATE, "-56.60"),
    ],
)
def test_the_tax_in_an_amount(included: str, rate: Fraction, tax: str) -> None:
    assert vat(fen(included), rate) == fen(tax)


def test_a_paid_loan_is_taxed_on_all_its_interest() -> None:
    known = loan(s01_terms(), s01_paid(12), date(2027, 1, 15))
    assert taxed(known, date(2027, 1, 15)).total == fen("6618.53")


def test_relief_for_farmers() -> None:
    relief = FarmerRelief()
    limit, last = fen("100000.00"), date(2027, 12, 31)
    assert relief.applies(last, limit, limit)
    assert not relief.applies(last + timedelta(days=1), limit, limit)
    assert not relief.applies(last, limit + 1, limit)
    assert not relief.applies(last, limit, limit + 1)
    assert relief.taxable_income(fen("1000.05")) == fen("900.05")
