"""数字由来 · The walk over every loan of a lender: each figure is asked how it came about, and worked out from the answer alone.

    python -m tests.support.explained --url http://127.0.0.1:8000 --tenant yunshui --username accountant --password …

Per loan two days: the open one, and the one halfway through its life so far, when most still owe something.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from domain.calculation.loan.explain import LoanFigure
from domain.calculation.loan.explain_installment import InstallmentFigure, PlannedFigure
from domain.calculation.loan.explain_payoff import PayoffFigure
from tests.support.formula import worked_out
from xiaodai.demo.client import Server

Ask = Callable[..., Awaitable[Any]]
"""`await ask(document, **variables)` gives the data of an answer."""

LOANS = """query ($after: String) { loans(first: 100, after: $after) { nodes { number valueDate position { on } }
  pageInfo { hasNextPage endCursor } } }"""
PARTS = """{ amount rule formula inputs installmentSeq event { id } events { id type valueDate } vouchers
  product { code version } }"""
SHORT_PARTS = PARTS.replace("product { code version }", "")
SHORTEST_PARTS = "{ amount rule formula inputs installmentSeq }"


def camel(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(map(str.capitalize, others))


def asked(figures: Iterable[Enum], parts: str = PARTS) -> str:
    """Each figure and its explanation, which is `x_` and the name of the field."""
    return " ".join(f"{camel(f.name)} x_{camel(f.name)}: explain(figure: {f.name}) {parts}" for f in figures)


POSITION = f"query ($number: String!, $on: Date!) {{ loan(number: $number) {{ position(on: $on) {{ {asked(LoanFigure)} }} }} }}"
QUOTE = f"query ($number: String!, $on: Date!) {{ loan(number: $number) {{ payoffQuote(on: $on) {{ {asked(PayoffFigure)} }} }} }}"


def by_threes(figures: Iterable[Enum]) -> list[list[Enum]]:
    """An answer holds no more than some objects: of many rows only so many figures are asked at once."""
    every = list(figures)
    return [every[k : k + 3] for k in range(0, len(every), 3)]


INSTALLMENTS = [
    f"query ($number: String!) {{ loan(number: $number) {{ installments {{ seq {asked(some, SHORT_PARTS)} }} }} }}"
    for some in by_threes(InstallmentFigure)
]
PLANS = f"""query ($number: String!) {{ loan(number: $number) {{ plans {{ version installments {{
  seq {asked(PlannedFigure, SHORTEST_PARTS)} }} }} }} }}"""
RECEIPTS = f"""query ($number: String!, $after: String) {{ loan(number: $number) {{ receipts(first: 4, after: $after) {{
  nodes {{ number state allocation {{ amount x_amount: explain {PARTS} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""


def faults(shown: dict[str, Any], name: str) -> list[str]:
    """What is wrong with the explanation of a field; `shown` as `asked` asks for it."""
    parts = shown[f"x_{name}"]
    if parts is None:
        return ["no explanation"]
    found = [fault for part in parts for fault in faults_of_part(part)]
    total = sum((Decimal(part["amount"]) for part in parts), Decimal(0))
    if total != Decimal(shown[name]):
        found.append(f"{shown[name]}, but its parts add up to {total}")
    return found


def faults_of_part(part: dict[str, Any]) -> list[str]:
    """What is wrong with one part, as far as it was asked for."""
    amount = worked_out(part["formula"], part["inputs"])
    promises = {f"the formula gives {amount}": amount == Fraction(part["amount"])}
    if "events" in part:
        events = part["events"]
        promises |= {
            "no event, or not the last": bool(events) and part["event"] == {"id": events[-1]["id"]},
            "nothing was paid out": part["rule"] not in ("PENALTY", "COMPOUND", "RUNNING_INTEREST")
            or any(event["type"] == "PAYOUT" for event in events),
            "no vouchers": bool(part["vouchers"])
            or part["formula"] == "charged",  # a fee is posted on the day it is due
        }
    if "product" in part:
        promises["no product"] = part["product"]["version"] >= 1 and bool(part["product"]["code"])
    return [f"{promise}: {part}" for promise, kept in promises.items() if not kept]


@dataclass
class Walk:
    """What was seen: loans, figures with their explanation, parts by their rule, and what is wrong."""

    loans: int = 0
    figures: int = 0
    not_zero: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def see(self, where: str, shown: dict[str, Any] | None) -> None:
        """Check all explained fields of one object; null has none."""
        for name in [key.removeprefix("x_") for key in shown or () if key.startswith("x_")]:
            assert shown is not None
            self.figures += 1
            self.not_zero += Decimal(shown[name]) != 0
            self.rules.update(part["rule"] for part in shown[f"x_{name}"] or ())
            self.failures += [f"{where} {name}: {fault}" for fault in faults(shown, name)]

    async def look_at(self, ask: Ask, number: str, on: str, name: str = "") -> None:
        """All figures of one loan at the close of a day."""
        for document, place in ((POSITION, "position"), (QUOTE, "payoffQuote")):
            shown = (await ask(document, number=number, on=on))["loan"][place]
            self.see(f"{name or number} {on} {place}", shown)

    async def look_at_rows(self, ask: Ask, number: str) -> None:
        """The installments of one loan, its plans and its receipts."""
        for document in INSTALLMENTS:
            for row in (await ask(document, number=number))["loan"]["installments"]:
                self.see(f"{number} installment {row['seq']}", row)
        for plan in (await ask(PLANS, number=number))["loan"]["plans"]:
            for row in plan["installments"]:
                self.see(f"{number} plan {plan['version']} row {row['seq']}", row)
        await self.look_at_receipts(ask, number)

    async def look_at_receipts(self, ask: Ask, number: str) -> None:
        """What every registered receipt of one loan has paid."""
        after, more = None, True
        while more:
            page = (await ask(RECEIPTS, number=number, after=after))["loan"]["receipts"]
            more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
            for receipt in page["nodes"]:
                for line in receipt["allocation"] if receipt["state"] == "REGISTERED" else ():
                    self.see(f"{number} {receipt['number']}", line)


async def walk(ask: Ask) -> Walk:
    """Every figure of every loan that the asking person sees, on two days each."""
    seen, after = Walk(), None
    while True:
        page = (await ask(LOANS, after=after))["loans"]
        for loan in page["nodes"]:
            await _one_loan(ask, loan, seen)
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]


async def _one_loan(ask: Ask, loan: dict[str, Any], seen: Walk) -> None:
    seen.loans += 1
    begun, today = date.fromisoformat(loan["valueDate"]), date.fromisoformat(loan["position"]["on"])
    for on in {begun + (today - begun) // 2, today}:
        await seen.look_at(ask, loan["number"], on.isoformat())
    await seen.look_at_rows(ask, loan["number"])


async def walk_at(url: str, tenant: str, username: str, password: str) -> Walk:
    """The same at a running server, as somebody who signs in there."""
    async with Server(url) as server:
        return await walk((await server.sign_in(tenant, username, password)).ask)


def main() -> None:
    words = argparse.ArgumentParser(description="Work out every figure of every loan of a lender.")
    for name in ("url", "tenant", "username", "password"):
        words.add_argument(f"--{name}", required=True)
    seen = asyncio.run(walk_at(**vars(words.parse_args())))
    for failure in seen.failures:
        print(failure, file=sys.stderr)
    numbers = {"loans": seen.loans, "figures": seen.figures, "notZero": seen.not_zero, "rules": seen.rules}
    print(json.dumps(numbers | {"failures": len(seen.failures)}))
    sys.exit(bool(seen.failures))


if __name__ == "__main__":
    main()
