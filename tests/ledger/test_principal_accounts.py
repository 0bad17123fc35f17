"""The sub-accounts of 1303 in the books (decision 0038): night by night, there and back, and the proof of each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.classification import LendingMode
from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.kernel.ports import Ports
from domain.ledger import journal
from domain.ledger.journal import Entry, Line, Voucher, VoucherLine
from domain.ledger.proof import Proof
from domain.lending.loan import EventType, Loan
from tests.ledger.test_proof import found, planted
from tests.support.actors import a_lender
from tests.support.books import balances, set_parameter
from tests.support.loans import Lending, lending_at

E02: dict[str, Any] = {
    "amount": "50000.00", "rate": "0.144", "periods": 30, "unit": PeriodUnit.DAY, "method": Method.BULLET,
    "basis": Basis.ACTUAL_360, "value_date": date(2026, 1, 10),
}  # fmt: skip
"""Due on 2026-02-09 and not paid: 90 days late on 2026-05-10."""
DAY_90 = date(2026, 5, 10)
FIFTY, ZERO = D("50000.00"), D("0.00")


async def lending_with(place: Any, ports: Ports, blueprint: Any, ruleset: str) -> Lending:
    made = await lending_at(await a_lender(place, ports, blueprint, open_on=DAY_90))
    await set_parameter(made.lender, "classification_ruleset", ruleset)
    return made


async def principal(lending: Lending) -> dict[str, D]:
    """What stands in 1303 now, by account; it is proved on the way, in sum and loan by loan."""
    assert await found(lending) == await found(lending, daily=True) == []
    return {code: amount for code, amount in (await balances(lending.lender)).items() if code.startswith("1303")}


async def vouchers(lending: Lending, kind: str) -> list[dict[str, D]]:
    """The vouchers of a kind: debit less credit by account."""
    lines = await lending.lender.rows(VoucherLine)
    return [
        {line.account: line.debit - line.credit for line in lines if line.voucher_id == voucher.id}
        for voucher in sorted(await lending.lender.rows(Voucher), key=lambda row: row.sequence)
        if voucher.kind == kind
    ]


async def test_two_lenders_of_different_rulesets_side_by_side(place: Any, ports: Ports, blueprint: Any) -> None:
    """On day 91 one lender's loan stops accruing, the other's is doubtful as well."""
    national = await lending_with(place, ports, blueprint, "NATIONAL_2023")
    matrix = await lending_with(place, ports, blueprint, "SMALL_LOAN_MATRIX_2007")
    for lending in (national, matrix):
        await lending.pay_out(**E02)
        assert await principal(lending) == {"130302": FIFTY}
        (closed,) = await lending.close(DAY_90)
        assert closed.ledger_balanced
    assert await principal(national) == {"130304": FIFTY}
    assert await principal(matrix) == {"130305": FIFTY}

    moved = [voucher for kind in ("TURN_OVERDUE", "IMPAIRED") for voucher in await vouchers(national, kind)]
    (crossed,) = await vouchers(national, "NON_ACCRUAL")
    assert (moved, crossed["130304"], crossed["130302"]) == ([], FIFTY, -FIFTY)
    assert crossed["113201"] == -crossed["601101"] < 0, "the interest leaves with it"
    assert await vouchers(matrix, "IMPAIRED") == [{"130305": FIFTY, "130302": -FIFTY}]
    (crossed,) = await vouchers(matrix, "NON_ACCRUAL")
    assert crossed["113201"] < 0
    assert [code for code in crossed if code.startswith("1303")] == []


async def test_there_and_back(place: Any, ports: Ports, blueprint: Any) -> None:
    """Doubtful, paid in part, paid as if in time, taken back, written off and that taken back: each time the same sum."""
    lending = await lending_with(place, ports, blueprint, "SMALL_LOAN_MATRIX_2007")
    await lending.close(DAY_90)
    loan_id = await lending.pay_out(**E02)
    assert await principal(lending) == {"130305": FIFTY}
    part = await lending.receive(loan_id, "10000.00")
    left = (await principal(lending))["130305"]
    assert D("43000.00") < left < FIFTY

    in_time = await lending.receive(loan_id, "50600.00", date(2026, 2, 9))  # found only now: it was never late
    assert await principal(lending) == {}
    await lending.reverse(loan_id, in_time)
    assert await principal(lending) == {"130305": left}
    await lending.reverse(loan_id, part)
    assert await principal(lending) == {"130305": FIFTY}

    given_up = await lending.record(loan_id, EventType.WRITE_OFF, None, None)
    assert await principal(lending) == {}
    (voucher,) = await vouchers(lending, "WRITE_OFF")
    assert (voucher["130305"], voucher["1304"]) == (-FIFTY, FIFTY), "out of the account in which it stood"
    await lending.reverse(loan_id, given_up)
    assert await principal(lending) == {"130305": FIFTY}


async def test_an_extended_loan_turns_overdue_and_its_extension_is_taken_back(
    place: Any, ports: Ports, blueprint: Any
) -> None:
    """Due on 2026-05-10, on that day made longer by two days, and then nobody pays."""
    lending = await lending_with(place, ports, blueprint, "NATIONAL_2023")
    loan_id = await lending.pay_out(**E02 | {"value_date": date(2026, 4, 10)})
    assert await principal(lending) == {"130301": FIFTY}
    longer = {"due_dates": ["2026-05-12"], "grace_ends": ["2026-05-12"]}
    extension = await lending.record(loan_id, EventType.EXTENSION, None, None, **longer)
    assert await vouchers(lending, "EXTENSION") == [{"130303": FIFTY, "130301": -FIFTY}]
    assert (await lending.loan(loan_id)).extended
    await lending.close(date(2026, 5, 11))
    assert await principal(lending) == {"130303": FIFTY}
    await lending.close(date(2026, 5, 12))
    assert await principal(lending) == {"130302": FIFTY}
    assert await vouchers(lending, "TURN_OVERDUE") == [{"130302": FIFTY, "130303": -FIFTY}]
    late = await lending.receive(loan_id, "20000.00", date(2026, 5, 10))  # kept until what is due takes it
    assert set(await principal(lending)) == {"130302"}
    await lending.reverse(loan_id, late)
    await lending.reverse(loan_id, extension)
    assert await principal(lending) == {"130302": FIFTY}, "overdue since the first maturity"
    assert not (await lending.loan(loan_id)).extended


# --------------------------------------------------------------------------- planted faults


@pytest.fixture(scope="module")
async def book(place: Any, ports: Ports, blueprint: Any) -> Lending:
    """JJ-2026-0001 is extended, 0002 does not accrue, 0003 is doubtful; beside them loans of the two other kinds."""
    made = await lending_with(place, ports, blueprint, "SMALL_LOAN_MATRIX_2007")
    await made.close(DAY_90)
    extended = await made.pay_out(**E02 | {"value_date": date(2026, 5, 1)})
    days = {"due_dates": ["2026-07-01"], "grace_ends": ["2026-07-01"]}
    await made.record(extended, EventType.EXTENSION, None, None, **days)
    await made.pay_out(**E02, lending_mode=LendingMode.GUARANTEE)
    await made.pay_out(**E02)
    await made.pay_out(**E02 | {"value_date": date(2026, 5, 1)})
    await made.pay_out(**E02 | {"value_date": date(2026, 4, 1)})
    accounts = ("130301", "130302", "130303", "130304", "130305")
    assert await principal(made) == dict.fromkeys(accounts, FIFTY)
    return made


@asynccontextmanager
async def misposted(lending: Lending, loan_id: UUID, right: str, wrong: str) -> AsyncIterator[None]:
    """A fen of the loan's principal stands in the wrong account, by a sound voucher; and is brought back."""
    for debit, credit in ((wrong, right), (right, wrong)):
        async with lending.lender.system.writing() as ctx:
            fen = D("0.01")
            lines = [Line(debit, debit=fen, sub_id=loan_id), Line(credit, credit=fen, sub_id=loan_id)]
            await journal.post(ctx, Entry(kind="TEST", reference=Loan(id=loan_id), lines=lines, summary="测试"))
        if debit == wrong:
            yield


@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize(
    ("number", "right", "wrong"),
    [
        ("JJ-2026-0001", "130303", "130301"),
        ("JJ-2026-0002", "130304", "130302"),
        ("JJ-2026-0003", "130305", "130304"),
    ],
)
async def test_a_fen_in_the_wrong_account_names_the_loan(
    book: Lending, number: str, right: str, wrong: str, daily: bool
) -> None:
    (loan,) = [row for row in await book.loans() if row.number == number]
    async with misposted(book, loan.id, right, wrong):
        differences = await found(book, daily=daily)
    assert [(one.proof, one.where, one.loan_id) for one in differences] == [
        (Proof.SUB_LEDGER, f"{number} {code}", loan.id) for code in sorted((right, wrong))
    ], [*map(str, differences)]
    assert await found(book, daily=daily) == []


async def test_whether_a_loan_was_extended_is_a_figure_of_its_fold(book: Lending) -> None:
    """The column that the sums are told apart by is proved like any other."""
    for daily in (False, True):
        async with planted(book, "loans", "extended = false", "number = 'JJ-2026-0001'"):
            differences = await found(book, daily=daily)
        assert {(one.proof, one.where) for one in differences} == {(Proof.POSITIONS, "JJ-2026-0001 extended")}
