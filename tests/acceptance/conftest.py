"""A lender at its screens, opened on the value date of the golden case S01, with a bank that answers over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from domain.kernel.ports import Ports
from gateways.bank.client import HttpBank
from gateways.bank.simulator import create_app as create_bank
from tenancy.provision import Blueprint
from tests.acceptance.journey import Journey
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api, KnownPeople, an_app, serving
from tests.support.lenders import Platform
from xiaodai.auth.sessions import Sessions


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[HttpBank]:
    """The real client; at the other end the simulator, which decides at once."""
    simulator = httpx.ASGITransport(create_bank(tmp_path / "bank.db", "secret", delay=0))
    async with HttpBank("http://bank.test", "secret", transport=simulator) as link:
        yield link


@pytest.fixture
async def lender(place: Platform, ports: Ports, blueprint: Blueprint, bank: HttpBank) -> LenderAtWork:
    """A lender of this test alone, opened on 2026-01-15 with net assets of 200,000,000.00."""
    from decimal import Decimal

    return await a_lender(
        place, replace(ports, bank=bank), blueprint, open_on=date(2026, 1, 15), net_assets=Decimal("200000000.00")
    )


@pytest.fixture
async def journey(lender: LenderAtWork) -> AsyncIterator[Journey]:
    sessions = KnownPeople(Sessions(lender.platform.catalog, lender.platform.door))
    async with serving(an_app(lender.ports, sessions, catalog=lender.platform.catalog)) as http:
        yield Journey(Api(http, sessions, lender), lender)
