"""迁移执行 · Brings the catalog and every lender to the newest revision.

A lender is migrated in one transaction: he is new or old, never between. Whoever fails is written down with the reason
(`catalog.migration_states`) and reported, the others go on, and a second run does only what is left.
Runs with the owner's login, on the command line only.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sqlalchemy import MetaData, insert, select, text
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from migrations.line import CATALOG, TENANT, Line
from tenancy.catalog import select_lenders
from tenancy.every_tenant import Report, every_tenant
from tenancy.grants import VERSION_TABLE, catalog_grants, grant_lender, run_text
from tenancy.lender import CLOSED, Lender
from tenancy.naming import check_installation, quote
from tenancy.tables import CATALOG as CATALOG_SCHEMA
from tenancy.tables import installation as installations
from tenancy.tables import lenders, migration_states
from tenancy.tables import metadata as catalog_metadata


class UnknownRevision(Exception):
    """The schema is newer than this program: migrate with the newer one."""


class OtherInstallation(Exception):
    """The catalog belongs to another installation, whose role names and passwords differ."""


async def migrate_catalog(owner: AsyncEngine, *, app_role: str, installation: str) -> str:
    """Makes or updates the catalog, and gives `app_role` exactly what it needs. Answers the revision. Repeatable."""
    check_installation(installation)
    async with owner.begin() as connection:
        await _one_at_a_time(connection, CATALOG_SCHEMA)
        # Nobody's default search path may hold a table, whoever made the database.
        # As the role that owns the schema, which a NOINHERIT login must become first on PostgreSQL 15.
        await run_text(
            connection, "SET LOCAL ROLE pg_database_owner;REVOKE ALL ON SCHEMA public FROM PUBLIC;RESET ROLE"
        )
        await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quote(CATALOG_SCHEMA)}")
        await _upgrade(connection, CATALOG_SCHEMA, CATALOG)
        await run_text(connection, catalog_grants(catalog_metadata, CATALOG_SCHEMA, app_role))
        known = (await connection.execute(select(installations.c.id))).scalar_one_or_none()
        if known is None:
            row = {"id": installation, "created_at": datetime.now(UTC)}
            await connection.execute(insert(installations).values(**row))
        elif known != installation:
            raise OtherInstallation(f"this catalog belongs to the installation {known}, not to {installation}")
    return CATALOG.head


async def migrate_lenders(
    owner: AsyncEngine,
    metadata: MetaData,
    *,
    line: Line = TENANT,
    parallel: int = 2,
    dry_run: bool = False,
    start_at: str | None = None,
    stop: asyncio.Event | None = None,
) -> Report:
    """Every lender that is not closed, in the order of codes. A dry run says what would be done and changes nothing."""
    async with owner.connect() as connection:
        query = select_lenders().where(lenders.c.status != CLOSED).order_by(lenders.c.code)
        everyone = [Lender(*row) for row in await connection.execute(query)]

    async def look(lender: Lender) -> str:
        async with owner.connect() as connection:
            steps = line.steps(await _revision(connection, lender.schema, line))
        return f"would run {', '.join(steps)}" if steps else "is up to date"

    async def migrate(lender: Lender) -> str:
        try:
            return await _migrate(owner, lender, metadata, line)
        except Exception as error:
            await _note(owner, lender, state="FAILED", reason=f"{type(error).__name__}: {error}"[:1000])
            raise

    return await every_tenant(everyone, look if dry_run else migrate, parallel=parallel, start_at=start_at, stop=stop)


async def _migrate(owner: AsyncEngine, lender: Lender, metadata: MetaData, line: Line) -> str:
    async with owner.begin() as connection:
        await _one_at_a_time(connection, lender.schema)
        done = await _upgrade(connection, lender.schema, line)
        await grant_lender(connection, lender, metadata)
        await connection.execute(_state(lender, revision=line.head, state="DONE", reason=None))
    return f"ran {', '.join(done)}" if done else "was up to date"


async def _upgrade(connection: AsyncConnection, schema: str, line: Line) -> list[str]:
    since = await _revision(connection, schema, line)
    steps = line.steps(since)
    # No statement of a migration may hold up a running business for longer than this.
    settings = f"SET LOCAL search_path={quote(schema)};SET LOCAL lock_timeout=3000"
    await run_text(connection, f"{settings};{line.text(since) if steps else ''}")
    return steps


async def _revision(connection: AsyncConnection, schema: str, line: Line) -> str | None:
    table = f"{quote(schema)}.{quote(VERSION_TABLE)}"
    exists = await connection.execute(text("SELECT to_regclass(:table) IS NOT NULL"), {"table": table})
    if not exists.scalar_one():
        return None
    row = (await connection.exec_driver_sql(f"SELECT version_num FROM {table}")).one_or_none()
    revision: str | None = row[0] if row else None
    if revision is not None and not line.knows(revision):
        raise UnknownRevision(f"{schema} is at revision {revision}, which this program does not know")
    return revision


async def _one_at_a_time(connection: AsyncConnection, schema: str) -> None:
    """Two runners at once are harmless: the second waits and finds the work done."""
    lock = text("SELECT pg_advisory_xact_lock(hashtext('xiaodai migration'), hashtext(:schema))")
    await connection.execute(lock, {"schema": schema})


async def _note(owner: AsyncEngine, lender: Lender, **values: object) -> None:
    async with owner.begin() as connection:
        await connection.execute(_state(lender, **values))


def _state(lender: Lender, **values: object) -> Insert:
    values["changed_at"] = datetime.now(UTC)
    row = upsert(migration_states).values(lender_id=lender.id, **values)
    return row.on_conflict_do_update(index_elements=["lender_id"], set_=values)
