"""准入规则 · Who may borrow at all: age and region. Pure; limits come from the lender's parameters (domain.md §3.8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date


def age_on(birth_date: date, day: date) -> int:
    """周岁 · Whole years on a day: one more on the birthday; somebody born on 29 February turns on 1 March."""
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before_birthday


def region_allowed(region_code: str | None, allowed: Sequence[str]) -> bool:
    """Whether a customer's region lies in one of the lender's. `allowed` holds codes or their first digits (51 Sichuan,
    5101 Chengdu, 510104 one district; zeros at the end count for nothing); no limit when it is empty."""
    if not allowed:
        return True
    if region_code is None:
        return False
    return any(region_code.startswith(_prefix(code)) for code in allowed)


def _prefix(code: str) -> str:
    """510000 → 51, 510100 → 5101: a code of a whole province or city stands for all below it."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code
