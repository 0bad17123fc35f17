"""A lender with the tables of the business and nothing in them but an open day."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.kernel.clock import BusinessClock
from domain.kernel.context import SYSTEM, Context
from domain.kernel.job import HANDLERS, Job, enqueue, job
from domain.kernel.ports import Ports
from domain.tables import metadata
from migrations.draft import draft
from migrations.line import Line
from tenancy.catalog import ProvisionRequest
from tenancy.current import Lender
from tenancy.provision import Blueprint
from tests.support.lenders import Platform, platform_of_my_own
from xiaodai.embedded_postgres import Addresses
from xiaodai.keys import LenderKeys


async def open_the_day(connection: AsyncConnection, _lender: Lender, request: ProvisionRequest) -> None:
    row = {"id": 1, "business_date": request.open_on, "opened_at": datetime.now(UTC), "sandbox": True}
    await connection.execute(insert(BusinessClock).values(**row))


@pytest.fixture(scope="session")
def blueprint(tmp_path_factory: pytest.TempPathFactory) -> Blueprint:
    folder = tmp_path_factory.mktemp("business")
    draft(metadata(), folder)
    line = Line(folder)
    return Blueprint(line.text(None), line.head, metadata(), open_the_day)


@pytest.fixture
async def place(postgres: Addresses) -> AsyncIterator[Platform]:
    async with platform_of_my_own(postgres) as opened:
        yield opened


@pytest.fixture
async def ctx(place: Platform, blueprint: Blueprint) -> Context:
    return context(place, await place.provision("alpha", blueprint))


def context(place: Platform, lender: Lender) -> Context:
    """The system acting for a lender."""
    return Context(lender=lender, actor=SYSTEM, ports=Ports(door=place.door, keys=LenderKeys(b"k" * 32)))


@pytest.fixture
def handle() -> Callable[[Callable[[Context, dict[str, Any]], Awaitable[datetime | None]]], None]:
    """Registers the handler of the jobs named "test.job" for the length of a test."""
    HANDLERS.pop("test.job", None)
    return lambda handler: job("test.job")(handler) and None


async def ask(ctx: Context, key: str, **payload: Any) -> None:
    """A job in a transaction of its own."""
    async with ctx.writing() as inner:
        await enqueue(inner, "test.job", key, **payload)


async def rows(ctx: Context) -> dict[str, Any]:
    """The jobs of a lender by their keys."""
    c = Job.__table__.c
    async with ctx.ports.door.enter(ctx.lender) as connection:
        found = await connection.execute(select(c.key, c.state, c.due_at, c.attempts, c.error))
        return {row.key: row for row in found}
