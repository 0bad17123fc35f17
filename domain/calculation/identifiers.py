"""证件号码 · Identifiers: resident ID card, unified social credit code, bank card, mobile number.

Each check returns the number in its plain form (no spaces, upper case) or raises ValueError with the reason.
Check digits come from python-stdnum. What stands around them is checked here: the package wants an ID card's place of
first registration to be in its own list, and digits where rural collectives have a letter in their credit code (N1…).
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from stdnum import luhn
from stdnum.cn import ric, uscc

ID_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9X]")
USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
BANK_CARD = re.compile(r"[1-9][0-9]{12,18}")
MOBILE = re.compile(r"1[3-9][0-9]{9}")


class Sex(StrEnum):
    MALE = "MALE"
    """男 Male."""
    FEMALE = "FEMALE"
    """女 Female."""


@dataclass(frozen=True, slots=True)
class IdNumber:
    """身份证号 · A resident ID number (GB 11643) and what it tells."""

    number: str
    birth_date: date
    sex: Sex


def check_id_number(text: str) -> IdNumber:
    """公民身份号码: 17 digits and a check character, a birth date that exists from 1900 on."""
    number = _plain(text)
    if not ID_NUMBER.fullmatch(number):
        raise ValueError("an ID number has 17 digits and a last digit or X")
    try:
        birth_date = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise ValueError("the ID number holds no date of birth") from error
    if birth_date.year < 1900:
        raise ValueError("the ID number holds a date of birth before 1900")
    if number[-1] != ric.calc_check_digit(number):
        raise ValueError("the check digit of the ID number is wrong")
    return IdNumber(number, birth_date, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def check_uscc(text: str) -> str:
    """统一社会信用代码 (GB 32100): 18 characters without I, O, S, V, Z; the last is a check character."""
    number = _plain(text)
    if not USCC.fullmatch(number):
        raise ValueError("a unified social credit code has 18 digits and letters, without I, O, S, V and Z")
    if number[-1] != uscc.calc_check_digit(number):
        raise ValueError("the check character of the unified social credit code is wrong")
    return number


def check_bank_card(text: str) -> str:
    """银行卡号: 13 to 19 digits with the Luhn check digit."""
    number = _plain(text)
    if not BANK_CARD.fullmatch(number):
        raise ValueError("a bank card has 13 to 19 digits")
    if not luhn.is_valid(number):
        raise ValueError("the check digit of the bank card is wrong")
    return number


def check_mobile(text: str) -> str:
    """手机号: 11 digits from 13 to 19 on; +86 in front is dropped."""
    number = _plain(text).removeprefix("+86")
    if not MOBILE.fullmatch(number):
        raise ValueError("a mobile number has 11 digits and begins with 13 to 19")
    return number


def _plain(text: str) -> str:
    return "".join(text.split()).upper()
