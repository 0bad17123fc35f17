"""The tax in an amount, and the relief for small loans to farmers; when tax is owed: tests/golden/own/vat.json."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from domain.calculation.loan.events import Fee, Receipt
from domain.calculation.loan.fold import loan
from domain.calculation.money import fen
from domain.calculation.vat import (
    GENERAL_RATE,
    SMALL_SCALE_RATE,
    SMALL_SCALE_REDUCED_RATE,
    FarmerRelief,
    output_tax,
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


def test_what_became_taxable_while_a_rate_held_is_taxed_at_it() -> None:
    """S01 on time: interest of 1,000.00 is due on 02-15, 921.15 on 03-15, and 6,618.53 in all."""
    known, until = loan(s01_terms(), s01_paid(12), date(2027, 1, 15)), date(2027, 1, 15)
    general, changed = (date(2025, 1, 1), GENERAL_RATE), (date(2026, 3, 1), SMALL_SCALE_REDUCED_RATE)
    assert output_tax(known, until, ()).total == 0
    assert output_tax(known, until, (general,)).total == vat(fen("6618.53"), GENERAL_RATE)
    both = vat(fen("1000.00"), GENERAL_RATE) + vat(fen("5618.53"), SMALL_SCALE_REDUCED_RATE)
    assert output_tax(known, until, (general, changed)).total == both
    assert output_tax(known, date(2026, 2, 28), (general, changed)).total == fen("56.60")
    assert output_tax(known, date(2026, 2, 14), (general, changed)).total == 0
    assert output_tax(known, until, (changed,)).total == vat(fen("5618.53"), SMALL_SCALE_REDUCED_RATE)
    assert output_tax(known, until, ((date(2028, 1, 1), GENERAL_RATE),)).total == 0


def test_a_fee_is_taxed_when_it_is_received() -> None:
    events = [*s01_paid(0), Fee(id="fee", value_date=date(2026, 1, 20), seq=1, amount=fen("106.00"))]
    rates = [(date(2026, 1, 1), GENERAL_RATE)]
    owed = output_tax(loan(s01_terms(), events, date(2026, 2, 15)), date(2026, 2, 15), rates)
    assert (owed.interest, owed.fees) == (fen("56.60"), 0)
    paid = Receipt(id="money", value_date=date(2026, 2, 15), amount=fen("8990.88"), bank_reference="", prepayment=None)
    owed = output_tax(loan(s01_terms(), [*events, paid], date(2026, 2, 15)), date(2026, 2, 15), rates)
    assert (owed.interest, owed.fees) == (fen("56.60"), fen("6.00"))


def test_relief_for_farmers() -> None:
    relief = FarmerRelief()
    limit, last = fen("100000.00"), date(2027, 12, 31)
    assert relief.applies(last, limit, limit)
    assert not relief.applies(last + timedelta(days=1), limit, limit)
    assert not relief.applies(last, limit + 1, limit)
    assert not relief.applies(last, limit, limit + 1)
    assert relief.taxable_income(fen("1000.05")) == fen("900.05")
