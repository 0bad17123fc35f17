from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calculation.identifiers import (
    IdNumber,
    Sex,
    check_bank_card,
    check_id_number,
    check_mobile,
    check_uscc,
)

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
DIGITS = "0123456789"


def id_number(region: int, born: date, order: int) -> str:
    """GB 11643, written from the standard's weights and check characters."""
    body = f"{region:06}{born:%Y%m%d}{order:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, ID_WEIGHTS, strict=True)) % 11]


def uscc(body: str) -> str:
    """GB 32100, the same way."""
    total = sum(USCC_LETTERS.index(c) * w for c, w in zip(body, USCC_WEIGHTS, strict=True))
    return body + USCC_LETTERS[(31 - total) % 31]


def bank_card(body: str) -> str:
    """Luhn: every second digit from the right of the body doubled, its own digits summed."""
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body))]
    return body + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


ID_NUMBERS = st.builds(
    id_number, st.integers(100_000, 999_999), st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999)
)
USCCS = st.builds(
    lambda kind, region, body: uscc(kind + region + body),
    st.text(USCC_LETTERS, min_size=2, max_size=2),
    st.text(DIGITS, min_size=6, max_size=6),
    st.text(USCC_LETTERS, min_size=9, max_size=9),
)
BANK_CARDS = st.builds(
    lambda first, rest: bank_card(first + rest), st.sampled_from("123456789"), st.text(DIGITS, min_size=11, max_size=17)
)


def one_changed(data: st.DataObject, number: str, alphabet: str) -> str:
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([c for c in alphabet if c != number[place]]))
    return number[:place] + other + number[place + 1 :]


def test_known_good_numbers() -> None:
    assert check_id_number("999999199001010016") == IdNumber("999999199001010016", date(1990, 1, 1), Sex.MALE)
    assert check_uscc("91999999MA0000001N") == "91999999MA0000001N"
    assert check_bank_card("6217000000000000012") == "6217000000000000012"
    assert check_mobile("13800000000") == "13800000000"


def test_numbers_are_read_as_people_write_them() -> None:
    assert check_bank_card(" 6217 0000 0000 0000 012 ") == "6217000000000000012"
    assert check_uscc("91999999ma0000001n") == "91999999MA0000001N"
    assert check_mobile("+86 138 0000 0000") == "13800000000"
    with_x = next(n for n in (id_number(510_000, date(1990, 1, 1), k) for k in range(100)) if n.endswith("X"))
    assert check_id_number(with_x.lower()).number == with_x


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_an_id_number_tells_birth_date_and_sex(born: date, order: int) -> None:
    read = check_id_number(id_number(510_104, born, order))
    assert (read.birth_date, read.sex) == (born, Sex.MALE if order % 2 else Sex.FEMALE)


@given(ID_NUMBERS, st.data())
def test_one_changed_character_of_an_id_number_is_refused(number: str, data: st.DataObject) -> None:
    with pytest.raises(ValueError, match="ID number"):
        check_id_number(one_changed(data, number, DIGITS + "X"))


@given(USCCS, st.data())
def test_one_changed_character_of_a_uscc_is_refused(number: str, data: st.DataObject) -> None:
    assert check_uscc(number) == number
    with pytest.raises(ValueError, match="social credit code"):
        check_uscc(one_changed(data, number, USCC_LETTERS))


@given(BANK_CARDS, st.data())
def test_one_changed_digit_of_a_bank_card_is_refused(number: str, data: st.DataObject) -> None:
    assert check_bank_card(number) == number
    with pytest.raises(ValueError, match="bank card"):
        check_bank_card(one_changed(data, number, DIGITS))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("99999919900101001", "17 digits"),
        ("99999919900101001Y", "17 digits"),
        ("９９９９９９199001010016", "17 digits"),
        (id_number(999_999, date(1990, 1, 1), 1)[:10] + "0230" + "0010", "no date of birth"),
        (id_number(999_999, date(1899, 12, 31), 1), "before 1900"),
        ("999999199001010017", "check digit"),
        ("", "17 digits"),
    ],
)
def test_the_reason_an_id_number_is_refused(number: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_id_number(number)


def test_a_rural_collective_has_letters_in_front() -> None:
    assert check_uscc(uscc("N2510104MF0000001")).startswith("N2")


@pytest.mark.parametrize("number", ["91999999MA0000001", "91999999MA000000IN", "9199999XMA0000001N", ""])
def test_what_is_no_uscc_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="18 digits and letters"):
        check_uscc(number)


@pytest.mark.parametrize("number", ["621700000000", "62170000000000000126", "0000000000000000", "6217-0000-0000-0012"])
def test_what_is_no_bank_card_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="13 to 19 digits"):
        check_bank_card(number)


@pytest.mark.parametrize("number", ["12800000000", "1380000000", "138000000000", "+85213800000000", "1380000000a", ""])
def test_what_is_no_mobile_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="mobile number"):
        check_mobile(number)
