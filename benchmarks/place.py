"""测量场所 · A database of its own for measurements: an embedded server, the catalog, and lenders made for it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text

from domain.kernel.context import SYSTEM, Context
from domain.tables import metadata
from migrations.line import TENANT
from tenancy.address import owner_engine
from tenancy.catalog import ProvisionRequest
from tenancy.naming import quote
from tenancy.provision import Blueprint, provision
from xiaodai.auth.passwords import hash_password
from xiaodai.cli.database import migrate
from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.fill import fill
from xiaodai.ports import Services, services
from xiaodai.settings import Settings, with_asyncpg

OPENED = date(2026, 1, 15)

# Whoever fills a lender in bulk need not look every foreign key up; the owner hands this on to the lenders.
UNCHECKED = "GRANT SET ON PARAMETER session_replication_role TO xiaodai_owner WITH GRANT OPTION;"


@contextmanager
def database_of_its_own(settings: Settings) -> Iterator[Settings]:
    """The settings with an empty database, durable as a real one; it is deleted at the end."""
    server = EmbeddedPostgres(settings.home / "bench", pg_bin=settings.pg_bin)
    try:
        with server.running() as addresses:
            server.programs.psql(addresses.admin, UNCHECKED)
            found = {"database_url": with_asyncpg(addresses.app), "owner_database_url": with_asyncpg(addresses.owner)}
            yield settings.model_copy(update=found)
    finally:
        server.reset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is measured."""

    settings: Settings
    services: Services

    async def lender(self, code: str) -> Context:
        """A fresh sandbox lender, open on OPENED: the context of its system, unbound."""
        owner = owner_engine(str(self.settings.owner_database_url))
        request = ProvisionRequest(
            code=code, name=f"{code} 小额贷款有限公司", licence_type="TRADITIONAL", net_assets=Decimal("5000000000.00"),
            open_on=OPENED, admin_username="admin", admin_password_hash=hash_password(secrets.token_hex()), sandbox=True,
        )  # fmt: skip
        blueprint = Blueprint(TENANT.text(None), TENANT.head, metadata(), fill)
        try:
            made = await provision(owner, request, blueprint, master_secret=self.settings.master_secret)
            async with owner.begin() as connection:
                await connection.exec_driver_sql(
                    f"GRANT SET ON PARAMETER session_replication_role TO {quote(made.role)}"
                )
        finally:
            await owner.dispose()
        return Context(lender=made, actor=SYSTEM, ports=self.services.ports)

    async def analyze(self, ctx: Context) -> None:
        """What the server does by itself within a minute: so many new rows need new statistics."""
        owner = owner_engine(str(self.settings.owner_database_url))
        async with owner.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            names = text("select tablename from pg_tables where schemaname = :schema")
            for table in (await autocommit.execute(names, {"schema": ctx.lender.schema})).scalars().all():
                await autocommit.exec_driver_sql(f'analyze "{ctx.lender.schema}"."{table}"')
        await owner.dispose()


@asynccontextmanager
async def place(settings: Settings) -> AsyncIterator[Place]:
    """The parts of the program, on the database of these settings."""
    await migrate(settings)
    async with services(settings) as opened:
        await opened.bell.start()
        yield Place(settings, opened)
