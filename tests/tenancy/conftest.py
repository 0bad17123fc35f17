"""Two lenders, alpha and beta, with a customer each: whom the tests of this folder try to mix up."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from migrations.line import Line
from tenancy.catalog import ProvisionRequest
from tenancy.current import Lender
from tenancy.provision import Blueprint
from tests.support.lenders import Platform, platform_of_my_own
from tests.support.small_tables import blueprint_of, small_line
from xiaodai.embedded_postgres import Addresses


async def a_customer(connection: AsyncConnection, lender: Lender, _request: ProvisionRequest) -> None:
    await connection.execute(text("INSERT INTO customers VALUES (1, :name)"), {"name": f"secret of {lender.code}"})
    await connection.execute(text("INSERT INTO entries VALUES (1, 1, 100.00, NULL)"))


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    return small_line(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="session")
def blueprint(line: Line) -> Blueprint:
    return blueprint_of(line, a_customer)


@pytest.fixture(scope="session")
async def place(postgres: Addresses) -> AsyncIterator[Platform]:
    async with platform_of_my_own(postgres) as opened:
        yield opened


@pytest.fixture(scope="session")
async def alpha(place: Platform, blueprint: Blueprint) -> Lender:
    return await place.provision("alpha", blueprint)


@pytest.fixture(scope="session")
async def beta(place: Platform, blueprint: Blueprint) -> Lender:
    return await place.provision("beta", blueprint)
