from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calculation.money import div_half_up, fen, half_up, yuan


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Fraction(5, 2), 3),
        (Fraction(-1, 2), 0),
        (Fraction(-3, 2), -1),
        (Fraction(49, 100), 0),
        (7, 7),
        (Fraction(0), 0),
    ],
)
def test_halves_go_up_also_below_zero(value: Fraction | int, rounded: int) -> None:
    assert half_up(value) == rounded


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**12))
def test_rounding_is_never_more_than_half_away(num: int, den: int) -> None:
    assert -Fraction(1, 2) < div_half_up(num, den) - Fraction(num, den) <= Fraction(1, 2)
    assert div_half_up(num, den) == half_up(Fraction(num, den))


@given(st.integers(-(10**15), 10**15))
def test_fen_and_yuan_are_inverse(amount: int) -> None:
    assert fen(yuan(amount)) == amount
    assert fen(str(yuan(amount))) == amount
    assert yuan(amount).as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("text", "amount"), [("8884.88", 888488), ("0", 0), ("1e3", 100_000), ("-0.01", -1), ("2.50", 250)]
)
def test_yuan_are_read(text: str, amount: int) -> None:
    assert fen(text) == fen(Decimal(text)) == amount


@pytest.mark.parametrize("wrong", ["0.001", "8884.885", "NaN", "Infinity", "", "12,000.00", 0.1, 5, None])
def test_what_is_no_amount_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"amount|decimal places"):
        fen(wrong)  # type: ignore[arg-type]
