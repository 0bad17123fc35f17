"""A planted fault of one fen turns exactly one proof red, the right one, and it says where it is.

One lender lives through it all: each fault is taken back before the next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from domain.kernel.ports import Ports
from domain.ledger import proof
from domain.ledger.proof import Difference, Proof, ProofResult
from tests.support.actors import a_lender
from tests.support.books import set_parameter
from tests.support.entrusting import Trust, a_trust
from tests.support.loans import Lending, lending_at

OPEN, LAST = date(2026, 1, 15), date(2026, 3, 1)
LATE, PAID = "JJ-2026-0001", "JJ-2026-0002"
A_LOAN = "loan_id = (select id from loans where number = 'JJ-2026-0001')"
THE_PAID_LOAN = "loan_id = (select id from loans where number = 'JJ-2026-0002')"


@pytest.fixture(scope="module")
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    """A loan 15 days late, one paid on its due date, tax on both, and the provision of a month; the books are right."""
    made = await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))
    await set_parameter(made.lender, "vat_rate", "0.06")
    await made.pay_out(amount="12000.00", periods=3)
    paid = await made.pay_out(amount="30000.00", periods=3)
    await made.close(date(2026, 2, 14))
    await made.receive(paid, "10200.66")
    await made.close(LAST)
    assert await found(made) == await found(made, daily=True) == []
    return made


async def found(lending: Lending, *, daily: bool = False) -> list[Difference]:
    async with lending.lender.system.reading() as ctx:
        return await (proof.of_today(ctx, ctx.today) if daily else proof.differences(ctx))


@asynccontextmanager
async def planted(lending: Lending, table: str, change: str, where: str) -> AsyncIterator[None]:
    """One row changed by somebody with the owner's login, and put back afterwards."""
    schema = lending.lender.lender.schema
    async with lending.lender.platform.owner.begin() as connection:
        await connection.execute(text(f"set local search_path = {schema}"))
        await connection.execute(
            text(f"create table kept as select ctid as place, * from {table} where {where} limit 1")
        )
        names = await connection.execute(
            text("select attname from pg_attribute where attrelid = 'kept'::regclass and attnum > 1")
        )
        columns = [f'"{name}"' for name in names.scalars()]
        here = "ctid = (select place from kept)"
        changed = await connection.execute(text(f"update {table} set {change} where {here} returning ctid"))
        (place,) = changed.scalars()
    try:
        yield
    finally:
        async with lending.lender.platform.owner.begin() as connection:
            await connection.execute(text(f"set local search_path = {schema}"))
            back = ", ".join(f"{name} = kept.{name}" for name in columns)
            await connection.execute(
                text(f"update {table} set {back} from kept where {table}.ctid = cast('{place}' as tid)")
            )
            await connection.execute(text("drop table kept"))


FAULTS = {
    "the lines of a voucher": (
        Proof.VOUCHERS, "记-2026-", "voucher_lines", "debit = debit + 0.01", "account = '130302' and debit > 0"
    ),
    "the totals of a voucher": (
        Proof.VOUCHERS, "记-2026-000003", "vouchers", "debit_total = debit_total + 0.01, credit_total = credit_total + 0.01",
        "sequence = 3",
    ),
    "the number of a voucher": (Proof.NUMBERS, "记-2026", "vouchers", "sequence = 90000", "sequence = 3"),
    "the turnover of an account": (
        Proof.BALANCES, "601101 2026-01-20", "account_days", "debit = debit + 0.01", "account = '601101' and \"on\" = '2026-01-20'"
    ),
    "the turnover of a control account": (
        Proof.BALANCES, "113201 2026-01-20", "account_days", "debit = debit + 0.01", "account = '113201' and \"on\" = '2026-01-20'"
    ),
    "a position": (
        Proof.POSITIONS, LATE, "positions", "due_interest = due_interest + 1", f"to_date = 'infinity' and {A_LOAN}"
    ),
    "a position of the past": (
        Proof.POSITIONS, PAID, "positions", "fee = fee + 1", f"from_date = '2026-01-15' and {THE_PAID_LOAN}"
    ),
    "an overdue line": (
        Proof.POSITIONS, LATE, "overdue_lines", "pen_num = pen_num + den", "to_date = 'infinity'"
    ),
    "a movement": (Proof.POSITIONS, PAID, "movements", "amount = amount + 1", f"kind = 'ALLOCATED' and {THE_PAID_LOAN}"),
    "the balance in a list": (
        Proof.POSITIONS, LATE, "loans", "principal_outstanding = principal_outstanding + 0.01", f"number = '{LATE}'"
    ),
    "an event": (
        Proof.POSITIONS, PAID, "loan_events", "payload = jsonb_set(payload, '{amount}', '\"10200.67\"')",
        f"type = 'RECEIPT' and {THE_PAID_LOAN}",
    ),
    "an installment": (
        Proof.SCHEDULES, LATE, "installments", "unpaid_principal = unpaid_principal - 1", f"seq = 2 and {A_LOAN}"
    ),
    "the plan of an installment": (Proof.SCHEDULES, PAID, "installments", "interest = interest + 1", f"seq = 3 and {THE_PAID_LOAN}"),
    "an allocation": (Proof.ALLOCATIONS, PAID, "allocations", "amount = amount + 0.01", "line = 1"),
    "what a run requires": (
        Proof.PROVISIONS, "2026-02", "provision_items", "specific = specific + 0.01",
        f"{A_LOAN} and run_id = (select id from provision_runs where month = '2026-02-01')",
    ),
    "what a run booked": (
        Proof.PROVISIONS, "2026-02", "provision_runs", "change = change + 0.01, booked_before = booked_before - 0.01",
        "month = '2026-02-01'",
    ),
}  # fmt: skip
# Of these the daily proof sees only what is in the sums, or of the day: the rest is for the proof of all of history.
SEEN_DAILY = (
    "the number of a voucher", "a position", "an overdue line", "the balance in a list", "an installment",
    "the turnover of a control account",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_exactly_the_right_proof_is_red(lending: Lending, fault: str) -> None:
    expected, where, *change = FAULTS[fault]
    async with planted(lending, *change):
        differences = await found(lending)
    assert {one.proof for one in differences} == {expected}, [*map(str, differences)]
    assert differences[0].where.startswith(where), [*map(str, differences)]
    if where in (LATE, PAID):
        (row,) = [loan for loan in await lending.loans() if loan.number == where]
        assert {one.loan_id for one in differences} == {row.id}
    assert await found(lending) == []


@pytest.mark.parametrize("fault", SEEN_DAILY)
async def test_the_daily_proof_is_red_alike(lending: Lending, fault: str) -> None:
    expected, where, *change = FAULTS[fault]
    async with planted(lending, *change):
        differences = await found(lending, daily=True)
    assert {one.proof for one in differences} == {expected}, [*map(str, differences)]
    assert differences[0].where.startswith(where)


@pytest.fixture(scope="module")
async def trust(place: Any, ports: Ports, blueprint: Any) -> Trust:
    """Two entrusted contracts with money left; under the first one million is lent, a month is paid, and a fee is taken."""
    made = await a_trust(await a_lender(place, ports, blueprint, open_on=OPEN))
    await made.came_in("1200000.00")
    loan_id = await made.lend("1000000.00", value_date=date(2025, 12, 15))
    await made.lending.receive(loan_id, "8333.33")
    await made.fee_taken()
    await made.went_back("100.00")
    await (await a_trust(made.lender, serial=2)).came_in("500.00")
    assert await found(made.lending) == await found(made.lending, daily=True) == []
    return made


OF_THE_FIRST = "entrusted_contract_id = (select id from entrusted_contracts where number = 'WT-2026-0001')"
ENTRUSTED_FAULTS = {
    "what came in": ("entrusted_funds", "amount = amount + 0.01", f"kind = 'RECEIVED' and {OF_THE_FIRST}"),
    "what went back": ("entrusted_funds", "amount = amount - 0.01", f"kind = 'RETURNED' and {OF_THE_FIRST}"),
    "whose it is": (
        "entrusted_funds", "entrusted_contract_id = (select id from entrusted_contracts where number = 'WT-2026-0002')",
        f"kind = 'RETURNED' and {OF_THE_FIRST}",
    ),
    "a fee out of the fund": ("entrusted_fees", "amount = amount + 0.01", f"way = 'FUND' and {OF_THE_FIRST}"),
}  # fmt: skip


@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize("fault", ENTRUSTED_FAULTS)
async def test_a_fund_that_is_not_all_there_is_named(trust: Trust, fault: str, daily: bool) -> None:
    async with planted(trust.lending, *ENTRUSTED_FAULTS[fault]):
        differences = await found(trust.lending, daily=daily)
    assert {one.proof for one in differences} == {Proof.ENTRUSTED}, [*map(str, differences)]
    assert differences[0].where == "WT-2026-0001"
    assert await found(trust.lending) == []


@pytest.mark.parametrize(
    ("proof", "where", "change"),
    [
        (
            Proof.VOUCHERS,
            "记-2026-",
            ("voucher_lines", "credit = credit + 0.01", "account = '2314' and credit = 8166.66"),
        ),
        (Proof.POSITIONS, LATE, ("movements", "amount = amount + 1", "kind = 'ALLOCATED'")),
    ],
)
async def test_what_is_wrong_before_the_fund_explains_it(
    trust: Trust, proof: Proof, where: str, change: tuple[str, str, str]
) -> None:
    """A fen in the voucher or in the loan is missing in the fund as well: only the cause is red."""
    async with planted(trust.lending, *change):
        differences = await found(trust.lending)
    assert {one.proof for one in differences} == {proof}, [*map(str, differences)]
    assert differences[0].where.startswith(where)


async def test_money_under_the_contract_of_another_is_found(trust: Trust) -> None:
    """The voucher balances, the cash is there: only it is somebody else's."""
    other = "sub_id = (select id from entrusted_contracts where number = 'WT-2026-0002')"
    async with planted(trust.lending, "voucher_lines", other, "account = '2314' and debit = 100.00"):
        differences = await found(trust.lending)
    assert {one.proof for one in differences} == {Proof.BALANCES, Proof.ENTRUSTED}
    names = [one.where for one in differences if one.proof is Proof.ENTRUSTED]
    assert names == ["WT-2026-0001", "WT-2026-0002"]


async def test_money_on_another_account_is_found(lending: Lending) -> None:
    """The voucher balances, the loan is right: only the cash is on the wrong account."""
    lines = "account = '1002' and voucher_id = (select id from vouchers where kind = 'RECEIPT')"
    other = "sub_id = cast('00000000-0000-0000-0000-000000000007' as uuid)"
    async with planted(lending, "voucher_lines", other, lines):
        differences = await found(lending)
    assert {one.proof for one in differences} == {Proof.BALANCES, Proof.CASH}
    assert [one.where.startswith(PAID) for one in differences if one.proof is Proof.CASH] == [True]


async def test_both_sides_wrong_by_the_same_still_name_the_loan(lending: Lending) -> None:
    """Two lines and two totals changed together balance: the sub-ledger is what tells."""
    voucher = "(select id from vouchers where kind = 'RECEIPT')"
    schema = lending.lender.lender.schema
    for sign in ("+", "-"):
        async with lending.lender.platform.owner.begin() as connection:
            await connection.execute(text(f"set local search_path = {schema}"))
            lines = f"update voucher_lines set credit = credit {sign} {{}} 0.01 where voucher_id = {voucher} and account = '{{}}'"
            await connection.execute(text(lines.format("", "130301")))
            await connection.execute(text(lines.format("-", "113201")))
        if sign == "+":
            differences = await found(lending)
            shown = {(one.proof, one.where) for one in differences if one.proof is Proof.SUB_LEDGER}
            assert shown == {(Proof.SUB_LEDGER, f"{PAID} 130301")}
    assert await found(lending) == []


async def test_the_day_keeps_what_its_proof_has_shown(place: Any, ports: Ports, blueprint: Any) -> None:
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))
    await lending.pay_out(amount="12000.00", periods=3)
    (good,) = await lending.close(OPEN)
    assert good.ledger_balanced
    async with planted(lending, "positions", "principal = principal - 1", "to_date = 'infinity'"):
        (bad,) = await lending.close(date(2026, 1, 16))
    assert not bad.ledger_balanced
    kept = await lending.lender.rows(ProofResult)
    assert {(row.on, row.proof) for row in kept if not row.holds} == {(date(2026, 1, 16), Proof.POSITIONS)}
    assert len(kept) == 2 * len(Proof)
    (red,) = [row for row in kept if not row.holds]
    assert red.difference_count == len(red.differences) > 0
    assert all(one["where"].startswith(LATE) and one["loan_id"] for one in red.differences)
    async with lending.lender.accountant.reading() as ctx:
        shown = await proof.of_day(ctx, on=date(2026, 1, 16))
        assert [row.proof for row in shown if not row.holds] == [Proof.POSITIONS]
        assert all(row.holds for row in await proof.of_day(ctx))


def test_figures_are_money() -> None:
    said = str(Difference(Proof.SUB_LEDGER, "JJ-2026-0001 130301", Decimal("1.00"), Decimal("1.01")))
    assert said == "总分 sub-ledger: JJ-2026-0001 130301: expected 1.00, found 1.01"
