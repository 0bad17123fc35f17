"""End of day killed by SIGKILL at every step, in the turn and among chunks, and clocks that jump: nothing tells it afterwards."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest

from benchmarks.lender_of_size import lend
from domain import end_of_day
from domain.kernel import portion
from domain.kernel.context import SYSTEM, Context
from domain.kernel.ports import Ports
from domain.lending.loan import carrying
from tenancy.lender import Lender
from tests.end_of_day import closing_process
from tests.end_of_day.closing_process import KEY, Closer
from tests.end_of_day.whole_books import whole_books
from tests.support.lenders import Platform, Template, business, copy_of, platform, template_with
from xiaodai.auth.sessions import Sessions
from xiaodai.auth.sign_in import Identity
from xiaodai.embedded_postgres import Addresses
from xiaodai.keys import LenderKeys

OPENED = date(2025, 1, 1)
LOANS = 60
SEED = 20250101


def system_at(place: Platform, lender: Lender) -> Context:
    identity = Identity(place.catalog, Sessions(place.catalog, place.door))
    return Context(lender=lender, actor=SYSTEM, ports=Ports(door=place.door, keys=LenderKeys(KEY), identity=identity))


@asynccontextmanager
async def a_lender_of_many_fates(postgres: Addresses) -> AsyncIterator[tuple[Template, Lender]]:
    """Loans of many value dates, some of which were never paid; from the first day on nobody pays any more."""
    async with template_with(postgres, business(), "fates") as template:
        lender = template.lenders["fates"]
        async with platform(template.addresses, template.installation) as made:
            await lend(system_at(made, lender), LOANS)
        yield template, lender


async def test_killed_at_every_place_it_ends_as_if_undisturbed(
    postgres: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = closing_process.places()
    random.Random(SEED).shuffle(deaths)
    through = OPENED + timedelta(days=len(deaths))
    monkeypatch.setattr(carrying, "LOANS_IN_A_CHUNK", closing_process.LOANS_IN_A_CHUNK)
    monkeypatch.setattr(carrying, "MANY_LOANS", closing_process.LOANS_IN_A_CHUNK)
    monkeypatch.setattr(portion, "MOST", closing_process.ROWS_IN_A_PART)
    async with a_lender_of_many_fates(postgres) as (template, lender):
        async with copy_of(template, postgres) as calm:
            await end_of_day.run(system_at(calm, lender), through=through)
            expected = await whole_books(system_at(calm, lender))
        async with copy_of(template, postgres) as disturbed:
            closer = Closer(disturbed, lender, through)
            try:
                for place in deaths:
                    assert closer.close(place) == -9, f"nobody died at {place}"
                    assert await whole_books(system_at(disturbed, lender)) != expected
                assert closer.close() == 0
            finally:
                closer.end()
            assert await whole_books(system_at(disturbed, lender)) == expected
    assert all(expected[kind][0] for kind in ("voucher", "turnover", "alert", "task", "feed", "overdue line"))


@pytest.mark.parametrize("days", [40, pytest.param(400, marks=pytest.mark.nightly)])
async def test_a_jump_is_as_many_single_days(postgres: Addresses, days: int) -> None:
    async with a_lender_of_many_fates(postgres) as (template, lender):
        async with copy_of(template, postgres) as jumping:
            closed = await end_of_day.run(system_at(jumping, lender), through=OPENED + timedelta(days=days - 1))
            assert len(closed) == days
            jumped = await whole_books(system_at(jumping, lender))
        async with copy_of(template, postgres) as walking:
            for offset in range(days):
                await end_of_day.run(system_at(walking, lender), through=OPENED + timedelta(days=offset))
            assert await whole_books(system_at(walking, lender)) == jumped
    assert jumped["day"][0] == days + 1
