"""Golden cases of our own (tests/golden/own): what the given files leave open, decided in docs/decisions.

A case is a loan (`terms`), its `events` by type, and what is expected of it: `figures`, `quote` and `balances` by day,
`rows` and `lines` (allocations by event) at the last day, or the `error` that refuses it. All money is text in yuan.
`why` works the figures out by hand.
"""

import json
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from domain.calculation.allocation import Component, Strategy
from domain.calculation.loan import events
from domain.calculation.loan.events import Event, PrepaymentMode, Reversal
from domain.calculation.loan.fold import Fold, loan
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import fen
from domain.calculation.schedule import Basis, Method
from tests.calculation.loan.cases import GOLDEN, s01_terms

READ: dict[str, Any] = {
    "value_date": date.fromisoformat,
    "void_unless_paid_by": date.fromisoformat,
    "maturity_date": date.fromisoformat,
    "due_dates": lambda days: tuple(map(date.fromisoformat, days)),
    "custom_principal": lambda amounts: tuple(map(fen, amounts)),
    "grace_ends": lambda days: {date.fromisoformat(due): date.fromisoformat(end) for due, end in days.items()},
    "amount": fen,
    "principal": fen,
    "annual_rate": Fraction,
    "multiplier": Fraction,
    "prepayment_fee_rate": Fraction,
    "component": Component,
    "strategy": Strategy,
    "order": lambda names: tuple(map(Component, names)),
    "method": Method,
    "basis": Basis,
    "prepayment": PrepaymentMode,
}


def own_cases() -> Iterator[dict[str, Any]]:
    for path in sorted((GOLDEN / "own").glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))["cases"]


def read(given: dict[str, Any]) -> dict[str, Any]:
    return {name: READ[name](value) if name in READ else value for name, value in given.items()}


def terms_of(case: dict[str, Any]) -> LoanTerms:
    """S01 where nothing else is said."""
    return s01_terms(**read(case["terms"]))


def events_of(case: dict[str, Any]) -> list[Event | Reversal]:
    return [
        getattr(events, given["type"])(**read({k: v for k, v in given.items() if k != "type"}))
        for given in case["events"]
    ]


def fold_of(case: dict[str, Any]) -> Fold:
    return loan(terms_of(case), events_of(case), date.fromisoformat(case["until"]))
