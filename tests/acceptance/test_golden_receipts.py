"""Golden receipts through the API: allocations A01–A18, prepayments S33–S35, the waiver S40 and the conventions X1–X7.

In time: each receipt on its day. Late: all days are closed first, then the money is entered with its own value date.
Waivers count from their approval, so they are approved in time in both. The figures of A07, A08 and A17 are given there, not
computed: here the loan has run to them (7,884.88 x 56 days x 0.05 % = 220.78 for 220.00), the order is the one of the case.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.journey import Journey
from tests.support.explained import Walk

GOLDEN = Path(__file__).parents[1] / "golden"
ALLOCATIONS = {case["id"]: case for case in json.loads((GOLDEN / "allocation.json").read_text("utf-8"))["cases"]}
SCHEDULES = {case["id"]: case for case in json.loads((GOLDEN / "schedules.json").read_text("utf-8"))["cases"]}
OPEN_UNTIL = "2026-07-05"
PAID = ("02-15", "03-15", "04-15", "05-15", "06-15")
E04: dict[str, Any] = {"amount": "12000.00", "periods": 3}
Line = tuple[int | None, str, str]


@dataclass(frozen=True)
class Case:
    """A loan of S01's terms changed by `terms`; money by day, amount and prepayment mode, a waiver by day; and what comes of it."""

    terms: dict[str, Any] = field(default_factory=dict)
    money: tuple[tuple[str, str, str | None], ...] = ()
    waiver: tuple[str, dict[str, Any]] | None = None
    lines: list[Line] | None = None
    """Of the last receipt."""
    later_lines: tuple[Line, ...] = ()
    """What its kept money has paid by the time it is entered late."""
    positions: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[tuple[int, str, str]] | None = None
    """The last installments: seq, principal, interest."""
    state: str | None = None


def golden(name: str, **changes: Any) -> Case:
    """An allocation that a loan of S01's terms reaches: lines, what is left, and the position that day, as the file has them."""
    case = ALLOCATIONS[name]
    expect, day = case["expect"], case["payment"]["date"][5:]
    lines = [(line["seq"], line["component"].upper(), line["amount"]) for line in expect["lines"]]
    due = {row["seq"] for row in case["receivables"] if row["due_date"] <= case["payment"]["date"]}
    left = [row for row in expect["installments_after"] if row["seq"] in due]

    def total(component: str) -> str:
        return str(sum((Decimal(row[component]) for row in left), Decimal("0.00")))

    position = {
        "dueUnpaidInterest": total("interest"), "penalty": total("penalty"), "compound": total("compound"),
        "unapplied": expect["unapplied"],
    }  # fmt: skip
    given = {"money": ((day, case["payment"]["amount"], None),), "lines": lines, "positions": {day: position}} | changes
    return Case(**given)


def product(order: list[str], strategy: str = "BY_INSTALLMENT") -> dict[str, Any]:
    return {"product": {"allocationOrder": order, "allocationStrategy": strategy}}


def paid(count: int) -> tuple[tuple[str, str, None], ...]:
    return tuple((day, "8884.88", None) for day in PAID[:count])


def rows(name: str) -> list[tuple[int, str, str]]:
    return [(row["seq"], row["principal"], row["interest"]) for row in SCHEDULES[name]["rows"]]


USUAL = ["FEE", "PENALTY", "COMPOUND", "INTEREST", "PRINCIPAL"]
IN_ARREARS: list[Line] = [
    (1, "PENALTY", "220.78"),
    (1, "COMPOUND", "28.00"),
    (1, "INTEREST", "1000.00"),
    (1, "PRINCIPAL", "7884.88"),
]
ALLOCATED = {
    **{name: golden(name) for name in ("A01", "A02", "A03", "A04", "A05", "A15", "A16")},
    "A07": Case(
        money=(("04-12", "10000.00", None),),
        lines=[*IN_ARREARS, (2, "PENALTY", "111.49"), (2, "COMPOUND", "12.90"), (2, "INTEREST", "741.95")],
        positions={"04-12": {"dueUnpaidInterest": "179.20", "penalty": "0.00", "overduePrincipal": "7963.73"}},
    ),
    "A08": Case(
        terms=product(USUAL, "BY_COMPONENT"),
        money=(("04-12", "10000.00", None),),
        lines=[
            (1, "PENALTY", "220.78"), (2, "PENALTY", "111.49"), (1, "COMPOUND", "28.00"), (2, "COMPOUND", "12.90"),
            (1, "INTEREST", "1000.00"), (2, "INTEREST", "921.15"), (1, "PRINCIPAL", "7705.68"),
        ],
        positions={"04-12": {"dueUnpaidInterest": "0.00", "overduePrincipal": "8142.93"}},
    ),
    "A09": Case(
        terms=product(["FEE", "PRINCIPAL", "INTEREST", "PENALTY", "COMPOUND"], "BY_COMPONENT"),
        money=(("04-12", "16000.00", None),),
        lines=[(1, "PRINCIPAL", "7884.88"), (2, "PRINCIPAL", "7963.73"), (1, "INTEREST", "151.39")],
        positions={"04-12": {"dueUnpaidInterest": "1769.76", "penalty": "332.27", "compound": "40.90"}},
    ),
    "A10": golden("A10", later_lines=((2, "INTEREST", "115.12"),)),
    "A11": golden("A11", later_lines=((1, "INTEREST", "1000.00"), (1, "PRINCIPAL", "7884.88"))),
    "A13": golden("A13", waiver=("03-07", {"component": "PENALTY", "amount": "78.85"})),
    "A14": golden("A14", terms=product(["FEE", "INTEREST", "PENALTY", "COMPOUND", "PRINCIPAL"])),
    "A17": Case(
        money=(("04-15", "27054.46", None),),
        lines=[
            (1, "PENALTY", "232.60"), (1, "COMPOUND", "29.50"), (1, "INTEREST", "1000.00"), (1, "PRINCIPAL", "7884.88"),
            (2, "PENALTY", "123.44"), (2, "COMPOUND", "14.28"), (2, "INTEREST", "921.15"), (2, "PRINCIPAL", "7963.73"),
            (3, "INTEREST", "841.51"), (3, "PRINCIPAL", "8043.37"),
        ],
        positions={"04-15": {"dueUnpaidInterest": "0.00", "overduePrincipal": "0.00", "principalOutstanding": "76108.02"}},
    ),
}  # fmt: skip
PREPAID = {
    "S33": Case(money=(*paid(3), ("05-15", "38884.88", "REDUCE_INSTALLMENT")), rows=rows("S33")),
    "S34": Case(money=(*paid(3), ("05-15", "38884.88", "SHORTEN_TERM")), rows=rows("S34")),
    "S35, A12": Case(
        terms={"product": {"prepaymentFeeRate": "0.01"}},
        money=(*paid(5), ("06-25", "60576.23", "SETTLE")),
        lines=[(6, "FEE", "597.79"), (6, "INTEREST", "199.26"), (6, "PRINCIPAL", "59779.18")],
        positions={"06-25": {"principalOutstanding": "0.00", "accruedInterest": "0.00", "unapplied": "0.00"}},
        state="SETTLED",
    ),
    "S40": Case(
        money=paid(2),
        waiver=("04-10", {"component": "INTEREST", "installmentSeq": 3, "ratio": "0.5"}),
        positions={"04-15": {"dueUnpaidInterest": "420.75"}},
        rows=rows("S40"),
    ),
    "X4": Case(
        money=(*paid(4), ("05-25", "68210.83", "SETTLE")),
        positions={"05-24": {"accruedInterest": "197.37"}, "05-25": {"principalOutstanding": "0.00", "unapplied": "0.00"}},
        state="SETTLED",
    ),
    "X6": Case(
        money=(*paid(4), ("05-25", "30000.00", "REDUCE_INSTALLMENT")),
        positions={
            "05-25": {"accruedInterest": "219.30", "principalOutstanding": "37984.22"},
            "06-15": {"dueUnpaidInterest": "476.62"},
        },
    ),
    "X7": Case(
        money=(*paid(4), ("05-25", "30000.00", "SHORTEN_TERM"), ("06-15", "8981.66", None)),
        lines=[(5, "INTEREST", "476.62"), (5, "PRINCIPAL", "8505.04")],
        positions={"06-15": {"principalOutstanding": "29479.18", "dueUnpaidInterest": "0.00"}},
    ),
}  # fmt: skip
BY_CONVENTION = {
    "X1": Case(E04, (("02-15", "2000.00", None),), positions={"03-25": {"penalty": "59.53"}}),
    "X2": Case(
        E04,
        (("02-15", "2000.00", None), ("03-10", "500.00", None)),
        lines=[(1, "PENALTY", "23.92"), (1, "PRINCIPAL", "476.08")],
        positions={"03-11": {"penalty": "0.81"}, "03-12": {"penalty": "1.61"}, "03-15": {"penalty": "4.01"}},
    ),
    "X3": Case(
        E04 | {"product": {"graceDays": 3}},
        (("02-18", "4080.27", None), ("03-17", "2080.40", None)),
        positions={"03-18": {"penalty": "0.00", "daysPastDue": 0}, "03-19": {"penalty": "6.00", "compound": "0.08", "daysPastDue": 4}},
    ),
    "X5": Case(
        E04,
        (("05-21", "4274.08", None),),
        positions={
            "05-20": {"daysPastDue": 94, "onBalanceInterest": "0.00"},
            "05-21": {"daysPastDue": 67, "offBalanceInterest": "0.00", "onBalanceInterest": "330.94"},
            "06-14": {"daysPastDue": 91, "offBalanceInterest": "428.86", "onBalanceInterest": "0.00"},
        },
    ),
}  # fmt: skip
GROUPS = {"allocations": ALLOCATED, "prepayments": PREPAID, "conventions": BY_CONVENTION}
FIELDS = """principalOutstanding overduePrincipal accruedInterest dueUnpaidInterest penalty compound unapplied daysPastDue
  onBalanceInterest offBalanceInterest"""


@dataclass
class Told:
    """A case at its lender: the loan, and the lines of its last receipt as they were when it was registered."""

    case: Case
    loan: str
    lines: list[Line] = field(default_factory=list)


async def pay(journey: Journey, told: Told, day: str, amount: str, mode: str | None) -> None:
    more = {"prepayment": {"mode": mode}} if mode else {}
    receipt = await journey.received(told.loan, amount, f"2026-{day}", **more)
    told.lines = [(line["installmentSeq"], line["component"], line["amount"]) for line in receipt["allocation"]]


async def waive(journey: Journey, told: Told, given: dict[str, Any]) -> None:
    asked = await journey.act(
        "account_manager", "requestInterestWaiver", "waiver { id }", loanId=told.loan, reason="住院", **given
    )
    await journey.decide("business_manager", asked["id"])


async def tell(journey: Journey, cases: dict[str, Case], *, late: bool) -> dict[str, Told]:
    """All cases at one lender, day by day; late: the money after the last day was closed, in its order."""
    told = {name: Told(case, (await journey.paid(**case.terms)).id) for name, case in cases.items()}
    acts: list[tuple[str, int, str, Any]] = []
    for name, case in cases.items():
        acts += [(day, 1, name, (day, amount, mode)) for day, amount, mode in case.money]
        acts += [(case.waiver[0], 0, name, case.waiver[1])] if case.waiver else []
    acts.sort(key=lambda act: act[:3])
    for day, is_money, name, given in [act for act in acts if not (late and act[1])]:
        await journey.close(date.fromisoformat(f"2026-{day}") - timedelta(days=1))
        await (pay(journey, told[name], *given) if is_money else waive(journey, told[name], given))
    await journey.close(OPEN_UNTIL)
    if late:
        for *_, name, given in [act for act in acts if act[1]]:
            await pay(journey, told[name], *given)
    return told


async def shown(journey: Journey, told: Told) -> dict[str, Any]:
    """What the case says of the loan, as the API shows it now."""
    days = " ".join(f'd{n}: position(on: "2026-{day}") {{ {FIELDS} }}' for n, day in enumerate(told.case.positions))
    rows = "state installments { seq principal interest }"
    data = await journey.by("accountant").data(f"query($id: ID!) {{ loan(id: $id) {{ {days} {rows} }} }}", id=told.loan)
    loan = data["loan"]
    seen: dict[str, Any] = {
        day: {name: loan[f"d{n}"][name] for name in expected}
        for n, (day, expected) in enumerate(told.case.positions.items())
    }
    if told.case.rows:
        seen["rows"] = [(row["seq"], row["principal"], row["interest"]) for row in loan["installments"]]
    if told.case.state:
        seen["state"] = loan["state"]
    if told.case.lines is not None:
        seen["lines"] = told.lines
    return seen


def expected(case: Case, *, late: bool) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(case.positions)
    wanted |= {"rows": case.rows} if case.rows else {}
    wanted |= {"state": case.state} if case.state else {}
    if case.lines is not None:
        wanted["lines"] = [*case.lines, *(case.later_lines if late else ())]
    return wanted


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("group", GROUPS)
async def test_every_golden_receipt(journey: Journey, group: str, late: bool) -> None:
    told = await tell(journey, GROUPS[group], late=late)
    seen = {name: await shown(journey, case) for name, case in told.items()}
    assert seen == {name: expected(case, late=late) for name, case in GROUPS[group].items()}
    explained = Walk()
    for case in told.values():
        ask = journey.by("accountant").data
        number = (await ask("query ($id: ID!) { loan(id: $id) { number } }", id=case.loan))["loan"]["number"]
        await explained.look_at_receipts(ask, number)
    assert explained.failures == []
    assert explained.figures >= sum(len(case.lines or ()) for case in GROUPS[group].values())
    closed = await journey.close(date.fromisoformat(OPEN_UNTIL) + timedelta(days=1))
    assert all(day["ledgerBalanced"] for day in closed["days"])


async def test_the_quote_and_the_reversal(journey: Journey) -> None:
    """A18: reversing A05 gives every receivable back, both entries stay. A19: what is no amount is refused."""
    loan = (await journey.paid()).id
    await journey.close("2026-03-06")
    quote = 'query($id: ID!) { loan(id: $id) { payoffQuote(on: "2026-03-07") { principal penalty compound } history { totalCount } } }'
    before, rows = (await journey.by("accountant").data(quote, id=loan))["loan"], await journey.installments(loan)
    assert before["payoffQuote"] == {"principal": "100000.00", "penalty": "78.85", "compound": "10.00"}
    receipt = await journey.received(loan, "8884.88", "2026-03-07")
    assert await journey.installments(loan) != rows
    await journey.act(
        "accountant", "requestReceiptReversal", "receipt { state }", receiptId=receipt["id"], comment="记错户"
    )
    await journey.decide("general_manager", receipt["id"])
    after = (await journey.by("accountant").data(quote, id=loan))["loan"]
    assert await journey.installments(loan) == rows
    assert after["payoffQuote"] == before["payoffQuote"]
    assert after["history"]["totalCount"] == before["history"]["totalCount"] + 2
    for amount in ALLOCATIONS["A19"]["payments"][:2]:
        refused = await journey.refused(
            "cashier", "enterReceipt", "receipt { id }", loanId=loan, amount=amount, valueDate="2026-03-07",
            companyAccountId=journey.account, payerName="王芳", bankReference=f"BANK {amount}", idempotencyKey=f"k {amount}",
        )  # fmt: skip
        assert [error["code"] for error in refused] == ["INVALID_AMOUNT"], amount
    no_money = await journey.by("cashier").ask(
        "mutation($i: EnterReceiptInput!) { enterReceipt(input: $i) { receipt { id } } }",
        i={
            "loanId": loan, "amount": ALLOCATIONS["A19"]["payments"][2], "valueDate": "2026-03-07",
            "companyAccountId": journey.account, "payerName": "王芳", "bankReference": "BANK 100.001", "idempotencyKey": "k 100.001",
        },
    )  # fmt: skip
    assert (no_money.codes, no_money.data) == (["BAD_USER_INPUT"], None)  # no Money by the contract (decision 0037)
    assert (await journey.by("accountant").data(quote, id=loan))["loan"] == after
