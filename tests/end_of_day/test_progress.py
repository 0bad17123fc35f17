"""How far the close of a day has come: told by the tables at any moment, and to screens as it changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain import end_of_day
from domain.business_day import BusinessDayState, Progress
from domain.kernel import portion
from domain.kernel.context import Context
from domain.kernel.feed import FeedRow
from domain.kernel.ports import Ports
from domain.lending.loan import carrying
from tests.live.conftest import an_office
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at

OPENED = date(2026, 1, 15)
DUE = date(2026, 2, 15)
LOANS = 3
CHANGES = """subscription { endOfDayProgressChanged { date state step stepsDone steps loansDone loans } }"""


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any, monkeypatch: pytest.MonkeyPatch) -> Lending:
    """Three loans that fall due on one day, at a lender whose days are closed in many transactions."""
    monkeypatch.setattr(carrying, "LOANS_IN_A_CHUNK", 1)
    monkeypatch.setattr(carrying, "MANY_LOANS", 1)
    monkeypatch.setattr(carrying, "CHUNKS_AT_ONCE", 1)
    monkeypatch.setattr(portion, "MOST", 2)
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=OPENED))
    for _ in range(LOANS):
        await lending.pay_out(amount="12000.00", periods=3)
    await lending.close(DUE - timedelta(days=2))
    return lending


async def seen(ctx: Context) -> Progress:
    async with ctx.reading() as reading:
        return await end_of_day.progress(reading)


async def test_it_grows_step_by_step_and_loan_by_loan(lending: Lending, monkeypatch: pytest.MonkeyPatch) -> None:
    system, steps = lending.lender.system, [step.name for step in end_of_day.STEPS]
    before = await seen(system)
    assert before == Progress(
        date=DUE - timedelta(days=1), state=BusinessDayState.OPEN, step=None, steps_done=0, steps=len(steps),
        loans_done=0, loans=LOANS,
    )  # fmt: skip
    looked: list[Progress] = []
    transaction = end_of_day.transaction

    async def looking(ctx: Context, work: Any) -> Any:
        answer = await transaction(ctx, work)
        looked.append(await seen(system))
        return answer

    monkeypatch.setattr(end_of_day, "transaction", looking)
    monkeypatch.setattr(carrying, "transaction", looking)
    await lending.close(DUE - timedelta(days=1))
    closing = [look for look in looked if look.state is BusinessDayState.CLOSING]
    done = [(look.steps_done, look.loans_done) for look in closing]
    assert done == sorted(done)
    assert [look.step for look in closing[: len(steps)]] == [*steps[1:], None]
    assert [loans for taken, loans in dict.fromkeys(done) if taken == len(steps)] == [0, 1, 2, 3]
    told = await lending.lender.rows(FeedRow, FeedRow.kind == end_of_day.PROGRESS)
    assert len([row for row in told if row.facts["on"] == str(DUE - timedelta(days=1))]) == len(steps) + LOANS
    assert (await seen(system)).date == DUE


async def test_a_screen_follows_it(lending: Lending) -> None:
    async with an_office(lending.lender) as office, office.screen("accountant", CHANGES) as screen:
        first = await screen.hear()
        assert (first["date"], first["state"], first["loans"]) == (str(DUE - timedelta(days=1)), "OPEN", LOANS)
        await lending.close(DUE - timedelta(days=1))
        while first["date"] != str(DUE):
            first = await screen.hear()
        assert (first["stepsDone"], first["loansDone"], first["step"]) == (0, 0, None)
