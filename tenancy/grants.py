"""授权 · What each login may do with each table: one repeatable text, derived from the tables' own words.

Used by provisioning, by every migration and after a restore (roles and passwords are not in the dump of one database).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tenancy.lender import Lender
from tenancy.naming import literal, quote
from tenancy.passwords import lender_password, scram_verifier

VERSION_TABLE = "alembic_version"


def _names(names: Iterable[str]) -> str:
    return ", ".join(quote(name) for name in names)


def lender_grants(metadata: MetaData, schema: str, role: str) -> str:
    """`table.info`: "grants" is "change" (the default), "append" or "all"; "closable" names columns that may change.

    All is taken away first, so a table that became append-only loses what it had. Run it in a transaction.
    """
    home, login = quote(schema), quote(role)
    lines = [
        f"GRANT USAGE ON SCHEMA {home} TO {login}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {home} GRANT SELECT, INSERT ON TABLES TO {login}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {home} FROM {login}",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {home} TO {login}",
        f"REVOKE ALL ON {home}.{quote(VERSION_TABLE)} FROM {login}",
    ]
    for table in metadata.sorted_tables:
        place = f"{home}.{quote(table.name)}"
        grants = table.info.get("grants", "change")
        if grants in ("change", "all"):
            lines.append(f"GRANT UPDATE ON {place} TO {login}")
        if grants == "all":
            lines.append(f"GRANT DELETE ON {place} TO {login}")
        if closable := table.info.get("closable"):
            lines.append(f"GRANT UPDATE ({_names(closable)}) ON {place} TO {login}")
    return ";".join(lines)


def catalog_grants(metadata: MetaData, schema: str, app_role: str) -> str:
    """The catalog's own tables say it themselves: `info["app"]`, `info["app_update"]`."""
    home, login = quote(schema), quote(app_role)
    lines = [f"GRANT USAGE ON SCHEMA {home} TO {login}", f"REVOKE ALL ON ALL TABLES IN SCHEMA {home} FROM {login}"]
    for table in metadata.sorted_tables:
        place = f"{home}.{quote(table.name)}"
        lines.append(f"GRANT {table.info['app']} ON {place} TO {login}")
        if columns := table.info.get("app_update"):
            lines.append(f"GRANT UPDATE ({_names(columns)}) ON {place} TO {login}")
    return ";".join(lines)


async def ensure_role(connection: AsyncConnection, lender: Lender, master_secret: bytes) -> None:
    """The lender's login exists, has its derived password and may connect; it owns nothing and inherits nothing."""
    password = lender_password(master_secret, lender.installation, lender.code, lender.password_generation)
    known = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": lender.role})
    verb = "ALTER" if known.first() else "CREATE"
    verifier = literal(scram_verifier(password, os.urandom(16)))
    database = (await connection.execute(text("SELECT current_database()"))).scalar_one()
    await connection.exec_driver_sql(f"{verb} ROLE {quote(lender.role)} LOGIN NOINHERIT PASSWORD {verifier}")
    await connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {quote(database)} TO {quote(lender.role)}")


async def run_text(connection: AsyncConnection, statements: str) -> None:
    """Several statements in one round trip, inside the transaction at hand. For the owner's own texts only."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    if not driver.is_in_transaction():
        await connection.exec_driver_sql("SELECT 1")  # SQLAlchemy sends BEGIN with its first statement only
    await driver.execute(statements)


async def grant_lender(
    connection: AsyncConnection, lender: Lender, metadata: MetaData, *, master_secret: bytes | None = None
) -> None:
    """Everything a lender's login needs; repeatable. With the secret the login itself as well."""
    if master_secret is not None:
        await ensure_role(connection, lender, master_secret)
    await run_text(connection, lender_grants(metadata, lender.schema, lender.role))
