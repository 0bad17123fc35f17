"""The proof of the books finds a difference of one fen and says where it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from domain.kernel.ports import Ports
from domain.ledger import proof
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=date(2026, 1, 15)))


async def tampered(lending: Lending, statement: str) -> list[str]:
    """The differences after somebody with the owner's login changed the books."""
    schema = lending.lender.lender.schema
    async with lending.lender.platform.owner.begin() as connection:
        await connection.execute(text(f"set local search_path = {schema}"))
        assert (await connection.execute(text(statement))).rowcount == 1
    async with lending.lender.system.reading() as ctx:
        return [str(found) for found in await proof.differences(ctx)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update positions set due_interest = due_interest + 1 where to_date = 'infinity'", "总分 sub-ledger: 113201"),
        ("update overdue_lines set pen_num = pen_num + den where to_date = 'infinity'", "总分 sub-ledger: 113202"),
        ("update installments set unpaid_principal = unpaid_principal - 1 where seq = 2", "还款计划 schedule: JJ-"),
        ("update account_days set debit = debit + 0.01 where account = '601101' and \"on\" = '2026-01-20'", "余额 balance"),
        ("update voucher_lines set debit = debit + 0.01 where account = '130302'", "凭证 voucher: 记-2026-"),
        ("update movements set amount = amount + 1 where kind = 'PAID_OUT'", "重算 replay: JJ-2026-0001 movements"),
        ("update positions set fee = fee + 1 where from_date = '2026-01-15'", "重算 replay: JJ-2026-0001 positions"),
    ],
)  # fmt: skip
async def test_one_fen_is_found(lending: Lending, statement: str, said: str) -> None:
    await lending.pay_out(amount="12000.00", periods=3)
    await lending.close(date(2026, 2, 17))
    async with lending.lender.system.reading() as ctx:
        assert await proof.differences(ctx) == []
    assert any(found.startswith(said) for found in await tampered(lending, statement))


async def test_the_daily_proof_sees_it_too(lending: Lending) -> None:
    await lending.pay_out(amount="12000.00", periods=3)
    await lending.close(date(2026, 2, 17))
    await tampered(lending, "update positions set principal = principal - 1 where to_date = 'infinity'")
    (day,) = await lending.close(date(2026, 2, 18))
    assert not day.ledger_balanced
