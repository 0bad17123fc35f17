"""The neighbours of this folder's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from domain.kernel.ports import Ports
from gateways.bank.client import HttpBank
from gateways.bank.simulator import create_app as create_bank
from tenancy.provision import Blueprint
from tests.acceptance.journey import Journey
from tests.promises.neighbours import OPENED, Neighbour, busy_day
from tests.support.actors import a_lender
from tests.support.client import Api, KnownPeople, an_app, serving
from tests.support.lenders import Platform
from xiaodai.auth.sessions import Sessions

NewJourney = Callable[[], Awaitable[Journey]]


@pytest.fixture(scope="session")
async def new_journey(
    place: Platform, ports: Ports, blueprint: Blueprint, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[NewJourney]:
    """`await new_journey()`: a fresh lender at its screens. All of them ask one application, which limits no rates."""
    async with AsyncExitStack() as stack:
        file = tmp_path_factory.mktemp("bank") / "bank.db"
        simulator = httpx.ASGITransport(create_bank(file, "secret", delay=0))
        bank = await stack.enter_async_context(HttpBank("http://bank.test", "secret", transport=simulator))
        wired = replace(ports, bank=bank)
        sessions = KnownPeople(Sessions(place.catalog, place.door))
        app = an_app(wired, sessions, catalog=place.catalog, requests_per_second=100_000, signins_per_minute=100_000)
        http = await stack.enter_async_context(serving(app))

        async def make() -> Journey:
            lender = await a_lender(place, wired, blueprint, open_on=OPENED, net_assets=Decimal("200000000.00"))
            return Journey(Api(http, sessions, lender), lender)

        yield make


async def a_neighbour(new_journey: NewJourney) -> Neighbour:
    journey = await new_journey()
    return Neighbour(journey, *await busy_day(journey))


@pytest.fixture(scope="session")
async def here(new_journey: NewJourney) -> Neighbour:
    """The lender whose people ask."""
    return await a_neighbour(new_journey)


@pytest.fixture(scope="session")
async def there(new_journey: NewJourney) -> Neighbour:
    """The lender nothing may be learnt of."""
    return await a_neighbour(new_journey)
