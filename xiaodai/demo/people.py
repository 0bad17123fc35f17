"""Invented people, companies and numbers. Nobody here exists: the region 999999 is fictional, check digits are right.

Everything is made from counters and a seeded generator, so that each telling has the same people.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from stdnum import luhn
from stdnum.cn import ric, uscc

REGION = "999999"
TEST_BIN = "621700"
BANK = "锦城示范银行"

SURNAMES = "赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
GIVEN_NAMES = (
    "安禾", "柏川", "初晴", "丹枫", "恩泽", "方舟", "谷雨", "海棠", "佳禾", "开颜", "兰溪", "明远", "南星", "平川",
    "清和", "若谷", "书航", "田田", "望舒", "向暖", "雪松", "言蹊", "云帆", "知秋", "子衿", "长风", "春山", "星野",
)  # fmt: skip
PLACES = ("东篱", "南坝", "西岭", "北溪", "云台", "青禾", "白鹭", "石桥")
TRADES = ("食品", "建材", "农机", "包装", "家具", "印务", "物流", "茶业", "酿造", "五金")
EMPLOYERS = ("示范小学", "示范客运站", "示范超市", "示范物业", "示范药房")


@dataclass(frozen=True)
class Individual:
    """个人 · What an account manager keys of a person."""

    name: str
    id_number: str
    mobile: str
    farmer: bool = False


@dataclass(frozen=True)
class Enterprise:
    """企业 · What an account manager keys of a company."""

    name: str
    uscc: str
    legal_representative: str
    mobile: str


Party = Individual | Enterprise


class Registry:
    """Gives out people of one lender. Each lender has its own range of numbers (`series`), so that nobody meets twice."""

    def __init__(self, series: int) -> None:
        self._series = series
        self._numbers = count(1)
        self._random = random.Random(f"people of lender {series}")
        pairs = [surname + given for surname in SURNAMES for given in GIVEN_NAMES]
        self._random.shuffle(pairs)
        self._names = iter(pairs)
        firms = [f"{place}{trade}有限公司" for place in PLACES for trade in TRADES]
        self._random.shuffle(firms)
        self._firms = iter(firms)

    def individual(self, name: str | None = None, *, farmer: bool = False) -> Individual:
        """The next person; named only in the stories."""
        number = next(self._numbers)
        born = date(1972, 1, 1) + timedelta(days=self._random.randrange(30 * 365))
        return Individual(name or next(self._names), id_number(born, number), self.mobile(number), farmer)

    def enterprise(self, name: str | None = None) -> Enterprise:
        """The next company, led by an invented person."""
        number = next(self._numbers)
        return Enterprise(
            name or next(self._firms), credit_code(self._series * 1000 + number), next(self._names), self.mobile(number)
        )

    def mobile(self, number: int) -> str:
        return f"1990000{self._series}{number:03}"

    def card(self, number: int) -> str:
        """A card number of a test range that no bank gives out."""
        return bank_card(self._series * 1_000_000 + number)


def id_number(born: date, sequence: int) -> str:
    """身份证号 with a right check character: region, date of birth, a sequence of three digits (odd: male)."""
    text = f"{REGION}{born:%Y%m%d}{sequence % 1000:03}"
    return text + str(ric.calc_check_digit(text + "0"))


def credit_code(sequence: int) -> str:
    """统一社会信用代码 with a right check character: 91 is a company registered for trade."""
    text = f"91{REGION}{sequence:08}0"
    return text + str(uscc.calc_check_digit(text))


def bank_card(sequence: int) -> str:
    """银行卡号 of 19 digits with the Luhn digit."""
    text = f"{TEST_BIN}{sequence:012}"
    return text + str(luhn.calc_check_digit(text))
