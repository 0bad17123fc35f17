import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.calculation.amount_in_words import DIGITS, rmb_words
from domain.calculation.money import fen


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("100000.00", "壹拾万元整"),
        ("10050.03", "壹万零伍拾元零叁分"),
        ("0.00", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("10.00", "壹拾元整"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("100000000.00", "壹亿元整"),
        ("100010000.00", "壹亿零壹万元整"),
        ("1000000005000.00", "壹万亿零伍仟元整"),
    ],
)
def test_known_words(amount: str, words: str) -> None:
    assert rmb_words(fen(amount)) == words


def read_back(words: str) -> int:
    """The words of an amount as fen, place by place."""
    whole, _, cents = words.rpartition("元")
    total = _whole(whole) * 100
    for digit, unit in re.findall(r"([壹贰叁肆伍陆柒捌玖])([角分])", cents):
        total += DIGITS.index(digit) * (10 if unit == "角" else 1)
    return total


def _whole(words: str) -> int:
    for unit, value in (("亿", 10**8), ("万", 10**4), ("仟", 1000), ("佰", 100), ("拾", 10)):
        if unit in words:
            high, low = words.rsplit(unit, 1) if unit == "亿" else words.split(unit, 1)
            return _whole(high) * value + _whole(low)
    return DIGITS.index(words.removeprefix("零")) if words.removeprefix("零") else 0


@given(st.integers(0, 10**18 - 1))
@example(10**18 - 1)
@example(10_0005_0000_00)
def test_words_read_back_to_the_amount(amount: int) -> None:
    words = rmb_words(amount)
    assert read_back(words) == amount
    assert "零零" not in words
    assert words.endswith("分") or words.endswith(("元整", "角整"))


@pytest.mark.parametrize("amount", [-1, 10**18])
def test_what_has_no_words_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        rmb_words(amount)
