"""The neighbours of this folder's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from domain.kernel.ports import Ports
from gateways.bank.client import HttpBank
from gateways.bank.simulator import create_app as create_bank
from tenancy.provision import Blueprint
from tenancy.wake import Bell
from tests.acceptance.journey import Journey
from tests.live.conftest import on_the_loopback
from tests.promises.neighbours import OPENED, Neighbour, busy_day
from tests.promises.sockets import Sockets
from tests.support.actors import a_lender
from tests.support.client import Api, KnownPeople, an_app, serving
from tests.support.lenders import Platform
from xiaodai.auth.sessions import Sessions
from xiaodai.jobs.wakeups import Wakeups
from xiaodai.live.feeds import Feeds

NewJourney = Callable[[], Awaitable[Journey]]


@pytest.fixture(scope="session")
async def wired(place: Platform, ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """The ports of all lenders here: a bank that answers over HTTP, and feeds whose followers are told of each commit."""
    file = tmp_path_factory.mktemp("bank") / "bank.db"
    simulator = httpx.ASGITransport(create_bank(file, "secret", delay=0))
    bell = Bell(place.addresses.app)
    feeds = Feeds(place.door, bell)
    await bell.start()
    async with HttpBank("http://bank.test", "secret", transport=simulator) as bank:
        yield replace(ports, bank=bank, live=feeds, after_commit=Wakeups(place.catalog, bell))
    feeds.close()
    await bell.close()


@pytest.fixture(scope="session")
async def new_journey(place: Platform, wired: Ports, blueprint: Blueprint) -> AsyncIterator[NewJourney]:
    """`await new_journey()`: a fresh lender at its screens. All of them ask one application, which limits no rates."""
    sessions = KnownPeople(Sessions(place.catalog, place.door))
    app = an_app(wired, sessions, catalog=place.catalog, requests_per_second=100_000, signins_per_minute=100_000)
    async with serving(app) as http:

        async def make() -> Journey:
            lender = await a_lender(place, wired, blueprint, open_on=OPENED, net_assets=Decimal("200000000.00"))
            return Journey(Api(http, sessions, lender), lender)

        yield make


@pytest.fixture(scope="session")
async def sockets(place: Platform, wired: Ports) -> AsyncIterator[Sockets]:
    """The application over a real socket, for people of any lender."""
    people = KnownPeople()
    limits: dict[str, Any] = {"requests_per_second": 100_000, "sockets_per_person": 1_000, "sockets_per_lender": 1_000}
    async with on_the_loopback(an_app(wired, people, catalog=place.catalog, **limits)) as port:
        yield Sockets(port, people)


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
