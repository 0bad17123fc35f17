"""数字由来 · Every figure of every kind of loan explains itself over GraphQL: the printed formula with the printed inputs gives
the same cent, and behind it are events, their vouchers and the version of the product.

The loans are those of the demo's stories: paid in time, never paid, in part, prepaid, settled, waived, with a lapsed waiver,
extended, amended, misused, flat, accelerated, written off and recovered, overpaid and refunded, with fees.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.kernel.ports import Ports
from domain.lending.loan import EventType
from tests.support.actors import a_lender
from tests.support.client import Api, KnownPeople, an_app, serving, statements
from tests.support.explained import PARTS, Walk
from tests.support.loans import Lending, lending_at

OPENED, LAST = date(2026, 1, 15), date(2026, 6, 25)
DAYS = ("2026-03-01", "2026-06-26")


@pytest.fixture
async def api(place: Any, ports: Ports, blueprint: Any) -> AsyncIterator[Api]:
    """The application of a lender that opened on the first day of S01."""
    lender = await a_lender(place, ports, blueprint, open_on=OPENED)
    sessions = KnownPeople()
    async with serving(an_app(ports, sessions)) as http:
        yield Api(http, sessions, lender)


@pytest.fixture
async def lending(api: Api) -> Lending:
    assert api.lender is not None
    return await lending_at(api.lender)


Story = Callable[[Lending, UUID], Awaitable[object]]


def happens(*events: tuple[EventType, str, dict[str, Any]]) -> Story:
    """What becomes of a loan, entered late: (type, value date, payload)."""

    async def tell(lending: Lending, loan_id: UUID) -> None:
        for kind, on, payload in events:
            money = lending.account_id if kind in (EventType.RECEIPT, EventType.REFUND) else None
            await lending.record(loan_id, kind, date.fromisoformat(on), money, **payload)

    return tell


def receipt(on: str, amount: str, prepayment: str | None = None) -> tuple[EventType, str, dict[str, Any]]:
    return EventType.RECEIPT, on, {"amount": amount, "prepayment": prepayment}


async def taken_back(lending: Lending, loan_id: UUID) -> None:
    kept = await lending.receive(loan_id, "3000.00", date(2026, 2, 20))
    gone = await lending.receive(loan_id, "8000.00", date(2026, 3, 15))
    await lending.reverse(loan_id, gone)
    assert kept != gone


IN_TIME = [receipt(f"2026-0{month}-15", "8884.88") for month in (2, 3, 4, 5, 6)]
FLAT = {"amount": "50000.00", "rate": "0.096", "method": Method.EQUAL_PRINCIPAL_EQUAL_INTEREST}
INTEREST_ONLY = {"amount": "200000.00", "periods": 3, "method": Method.INTEREST_ONLY}
BULLET = {
    "amount": "80000.00",
    "periods": 60,
    "unit": PeriodUnit.DAY,
    "method": Method.BULLET,
    "basis": Basis.ACTUAL_360,
}
STORIES: dict[str, tuple[dict[str, Any], Story]] = {
    "paid in time": ({}, happens(*IN_TIME)),
    "never paid": ({}, happens()),
    "in part, and a receipt reversed": ({"multiplier": "1.3"}, taken_back),
    "prepaid inside a period": ({}, happens(*IN_TIME[:2], receipt("2026-03-25", "30000.00", "REDUCE_INSTALLMENT"))),
    "settled with a fee": (
        {"prepayment_fee_rate": "0.01"},
        happens(receipt("2026-04-20", "110000.00", "SETTLE")),
    ),
    "waived while it runs": (
        {"basis": Basis.ACTUAL_365},
        happens(*IN_TIME[:2], (EventType.WAIVER, "2026-04-10", {"component": "INTEREST", "installment_seq": 3, "amount": "420.76"})),
    ),
    "a waiver that lapsed": (
        {},
        happens((EventType.WAIVER, "2026-02-20", {"component": "INTEREST", "amount": "900.00", "void_unless_paid_by": "2026-02-27"})),
    ),
    "extended": (
        INTEREST_ONLY,
        happens(
            receipt("2026-02-15", "2000.00"),
            (EventType.EXTENSION, "2026-04-01", {
                "annual_rate": "0.132", "due_dates": ["2026-05-15", "2026-06-15"], "grace_ends": ["2026-05-15", "2026-06-15"],
            }),
        ),
    ),
    "a lower rate": ({"grace_days": 3}, happens((EventType.AMENDMENT, "2026-03-25", {"annual_rate": "0.108"}))),
    "misused": (INTEREST_ONLY, happens((EventType.MISUSE_RATE, "2026-02-25", {"multiplier": "2", "amount": "50000.00"}))),
    "flat": (FLAT, happens(receipt("2026-02-15", "4566.67"))),
    "accelerated": ({"method": Method.EQUAL_PRINCIPAL}, happens((EventType.ACCELERATION, "2026-04-10", {}))),
    "written off and recovered": (
        BULLET, happens((EventType.WRITE_OFF, "2026-06-20", {}), receipt("2026-06-23", "30000.00"))
    ),
    "overpaid and refunded": (
        {"periods": 4}, happens(receipt("2026-02-15", "30000.00"), (EventType.REFUND, "2026-02-20", {"amount": "1000.00"}))
    ),
    "with fees": (
        {"periods": 6},
        happens(
            (EventType.FEE, "2026-03-01", {"installment_seq": 1, "amount": "500.00"}),
            (EventType.FEE, "2026-03-01", {"installment_seq": 6, "amount": "80.00"}),
            receipt("2026-04-12", "560.00"),
        ),
    ),
}  # fmt: skip


async def told(lending: Lending) -> dict[str, str]:
    """All stories at one lender; the number of the loan by its story."""
    loans = {name: await lending.pay_out(**terms) for name, (terms, _) in STORIES.items()}
    await lending.close(LAST)
    for name, (_, story) in STORIES.items():
        await story(lending, loans[name])
    return {name: (await lending.loan(loan_id)).number for name, loan_id in loans.items()}


async def test_every_figure_of_every_loan_works_out_to_the_cent(api: Api, lending: Lending) -> None:
    numbers, seen = await told(lending), Walk()
    for name, number in numbers.items():
        for on in DAYS:
            await seen.look_at(api.as_("accountant").data, number, on, name)
        await seen.look_at_rows(api.as_("accountant").data, number)
    assert seen.failures == []
    assert set(seen.rules) >= {
        "PAID_OUT", "PRINCIPAL_REPAID", "PRINCIPAL_WRITTEN_OFF", "OVERDUE_PRINCIPAL", "RUNNING_INTEREST", "DUE_INTEREST",
        "PENALTY", "COMPOUND", "FEE", "KEPT_MONEY", "INTEREST_BY_DAYS", "PREPAYMENT_FEE", "SUM", "GENERAL_PROVISION",
        "SPECIFIC_PROVISION",
    }  # fmt: skip


async def test_what_is_behind_a_penalty(api: Api, lending: Lending) -> None:
    """Pay-out, the part payment and the new rate stand behind the penalty of the installment; each with its voucher."""
    loan_id = await lending.pay_out()
    await lending.close(date(2026, 3, 9))
    await lending.receive(loan_id, "3000.00", date(2026, 2, 25))
    await lending.record(loan_id, EventType.AMENDMENT, date(2026, 3, 5), None, annual_rate="0.108")
    document = f"""{{ loan(number: "JJ-2026-0001") {{ position {{ explain(figure: PENALTY) {PARTS} }}
      history {{ nodes {{ id entries {{ voucher }} }} }} }} }}"""
    loan = (await api.as_("accountant").data(document))["loan"]
    [part] = loan["position"]["explain"]
    assert [event["type"] for event in part["events"]] == ["PAYOUT", "RECEIPT", "AMENDMENT"]
    assert part["installmentSeq"] == 1
    posted = {node["id"]: [entry["voucher"] for entry in node["entries"]] for node in loan["history"]["nodes"]}
    expected = [voucher for event in part["events"] for voucher in posted[event["id"]]]
    assert part["vouchers"] == list(dict.fromkeys(expected))
    assert len(part["vouchers"]) >= 2


async def test_explanations_of_many_loans_take_as_many_statements_as_of_one(api: Api, lending: Lending) -> None:
    document = f"""{{ loans(first: 3) {{ nodes {{ position {{ principal: explain(figure: PRINCIPAL_OUTSTANDING) {PARTS}
      provision: explain(figure: PROVISION) {{ amount events {{ id }} }} }}
      payoffQuote(on: "2026-01-15") {{ explain(figure: PRINCIPAL) {{ amount vouchers }} }}
      installments {{ explain(figure: INTEREST) {{ amount vouchers }} }}
      plans {{ installments {{ explain(figure: PAYMENT) {{ amount }} }} }} }} }} }}"""
    counts = []
    for _ in range(2):
        await lending.pay_out(amount="5000.00", periods=3)
        with statements() as seen:
            await api.as_("accountant").data(document)
        counts.append(len(seen))
    assert counts[0] == counts[1]
