"""runEndOfDay and businessDays through the API; a worker carries the job out meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from domain.kernel.job import HANDLERS
from domain.kernel.ports import Ports
from resolvers import end_of_day as edge
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api, KnownPeople, an_app, serving
from tests.support.loans import lending_at
from xiaodai.jobs.queue import run_due

OPENED = date(2026, 1, 15)
RUN = """
mutation ($through: Date) { runEndOfDay(input: {through: $through}) {
  days { date state loansAdvanced becameOverdue alertsRaised ledgerBalanced startedAt finishedAt }
  businessDate userErrors { code field params } } }
"""


@pytest.fixture
async def api(place: Any, ports: Ports, blueprint: Any) -> AsyncIterator[Api]:
    lender = await a_lender(place, ports, blueprint, open_on=OPENED)
    sessions = KnownPeople()
    async with serving(an_app(ports, sessions)) as http:
        yield Api(http, sessions, lender)


@contextmanager
def a_worker(lender: LenderAtWork | None) -> Iterator[None]:
    """Carries out the lender's jobs within the block."""
    assert lender is not None

    async def work() -> None:
        while True:
            await run_due(lender.system, HANDLERS, most=10)
            await asyncio.sleep(0.02)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()


async def test_days_are_closed_one_by_one(api: Api) -> None:
    assert api.lender is not None
    lending = await lending_at(api.lender)
    await lending.pay_out(amount="12000.00", periods=3)
    with a_worker(api.lender):
        ran = await api.as_("accountant").run(RUN, through="2026-02-16")
        again = await api.as_("accountant").run(RUN, through="2026-02-16")
        today = await api.as_("accountant").run(RUN)
    assert ran["businessDate"] == "2026-02-17"
    assert len(ran["days"]) == 33
    assert {day["state"] for day in ran["days"]} == {"CLOSED"}
    assert all(day["ledgerBalanced"] and day["loansAdvanced"] == 1 and day["finishedAt"] for day in ran["days"])
    assert [day["date"] for day in ran["days"] if day["becameOverdue"]] == ["2026-02-16"]
    assert again == {**again, "days": ran["days"][-1:], "businessDate": "2026-02-17"}
    assert ([day["date"] for day in today["days"]], today["businessDate"]) == (["2026-02-17"], "2026-02-18")

    document = "{ businessDays(first: 2) { totalCount nodes { date state } } }"
    assert (await api.as_("accountant").data(document))["businessDays"] == {
        "totalCount": 35,
        "nodes": [{"date": "2026-02-18", "state": "OPEN"}, {"date": "2026-02-17", "state": "CLOSED"}],
    }


async def test_it_answers_before_the_run_has_ended(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "WAIT_SECONDS", 0.0)
    ran = await api.as_("accountant").run(RUN, through="2026-01-20")
    assert [(day["date"], day["state"], day["finishedAt"]) for day in ran["days"]] == [("2026-01-15", "OPEN", None)]
    assert ran["businessDate"] == "2026-01-15"


async def test_a_loan_set_aside_is_named_with_its_reason(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.lender is not None
    lending = await lending_at(api.lender)
    await lending.pay_out(amount="12000.00", periods=3)
    await lending.close(date(2026, 2, 13))

    def breaks(*_: Any) -> None:
        raise ValueError("the fold is broken")

    with monkeypatch.context() as broken:
        broken.setattr("domain.lending.loan.posting.night", breaks)
        await lending.close(date(2026, 2, 14))
    document = (
        "{ businessDays(first: 2) { nodes { date loansSetAside setAside { on reason releasedAt loan { number } } } } }"
    )
    opened, closed = (await api.as_("accountant").data(document))["businessDays"]["nodes"]
    assert (opened["date"], opened["setAside"]) == ("2026-02-15", [])
    reason = {"on": "2026-02-15", "reason": "ValueError: the fold is broken", "releasedAt": None}
    assert closed == {
        "date": "2026-02-14",
        "loansSetAside": 1,
        "setAside": [{**reason, "loan": {"number": "JJ-2026-0001"}}],
    }


async def test_who_may_not_and_what_is_refused(api: Api) -> None:
    denied = await api.as_("cashier").ask(RUN)
    assert denied.codes == ["FORBIDDEN"]
    payload = (await api.as_("accountant").data(RUN, through="2099-01-01"))["runEndOfDay"]
    (refused,) = payload["userErrors"]
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", ["input", "through"])
    assert (payload["days"], payload["businessDate"]) == ([], None)
