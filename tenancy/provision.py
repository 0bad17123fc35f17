"""开户 · A new lender: role, schema, tables, grants and first contents, in one transaction.

One transaction is what makes it resumable: whatever stops it, nothing is left, and the request is simply carried out
again. Runs with the owner's login, in the worker and on the command line only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import MetaData, Select, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tenancy.catalog import ProvisionRequest, new_id
from tenancy.grants import grant_lender, run_text
from tenancy.lender import ACTIVE, Lender
from tenancy.naming import BadName, check_code, quote
from tenancy.tables import installation, lenders, migration_states, provisioning_requests

log = structlog.get_logger()

Fill = Callable[[AsyncConnection, Lender, ProvisionRequest], Awaitable[None]]


class CodeTaken(Exception):
    """Another lender has this code."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """蓝图 · What a fresh lender is made of. `fill` writes the built-in roles, workflows … and the administrator.

    `tables` is the whole tenant line of migrations as one SQL text that ends at `revision`.
    """

    tables: str
    revision: str
    metadata: MetaData
    fill: Fill


async def provision(
    owner: AsyncEngine, request: ProvisionRequest, blueprint: Blueprint, *, master_secret: bytes
) -> Lender:
    """Makes the lender; he is ACTIVE when this answers. Raises CodeTaken, BadName, or whatever `fill` raises."""
    async with owner.begin() as connection:
        return await _make(connection, request, blueprint, master_secret)


async def carry_out_next(owner: AsyncEngine, blueprint: Blueprint, *, master_secret: bytes) -> UUID | None:
    """The worker's step: takes the oldest pending request and answers its id, or null when there is none.

    Several workers never take the same one. A refusal is written down as FAILED; a lost connection leaves it PENDING.
    """
    request_id: UUID | None = None
    try:
        async with owner.begin() as connection:
            row = (await connection.execute(_next_request())).one_or_none()
            if row is None:
                return None
            request_id, request = row[0], ProvisionRequest(*row[1:])
            lender = await _make(connection, request, blueprint, master_secret)
            await _finish(connection, request_id, state="DONE", lender_id=lender.id)
    except Exception as error:
        if request_id is None or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
        code = _reason_code(error)
        if code == "INTERNAL":
            log.exception("a lender could not be provisioned", request=str(request_id))
        async with owner.begin() as connection:
            await _finish(connection, request_id, state="FAILED", reason_code=code, reason=str(error)[:500])
    return request_id


async def drop_lender(owner: AsyncEngine, lender: Lender) -> None:
    """Everything of a lender, for good. In this order: `DROP OWNED BY` is refused to the owner."""
    async with owner.begin() as connection:
        database = (await connection.execute(text("SELECT current_database()"))).scalar_one()
        await run_text(
            connection,
            f"REVOKE CONNECT ON DATABASE {quote(database)} FROM {quote(lender.role)};"
            f"DROP SCHEMA {quote(lender.schema)} CASCADE;DROP ROLE {quote(lender.role)}",
        )
        await connection.execute(delete(lenders).where(lenders.c.id == lender.id))


async def _make(
    connection: AsyncConnection, request: ProvisionRequest, blueprint: Blueprint, master_secret: bytes
) -> Lender:
    check_code(request.code)
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('xiaodai'), hashtext(:c))"), {"c": request.code}
    )
    taken = await connection.execute(select(lenders.c.id).where(lenders.c.code == request.code))
    if taken.first():
        raise CodeTaken(f"the lender code {request.code} is taken")
    lender = Lender(
        id=new_id(),
        code=request.code,
        name=request.name,
        status=ACTIVE,
        licence_type=request.licence_type,
        sandbox=request.sandbox,
        business_date=request.open_on,
        created_at=datetime.now(UTC),
        installation=(await connection.execute(select(installation.c.id))).scalar_one(),
    )
    row = {column.name: getattr(lender, column.name) for column in lenders.columns}
    await connection.execute(insert(lenders).values(**row))
    schema = quote(lender.schema)
    await run_text(connection, f"CREATE SCHEMA {schema};SET LOCAL search_path={schema};{blueprint.tables}")
    await grant_lender(connection, lender, blueprint.metadata, master_secret=master_secret)
    state = {"lender_id": lender.id, "revision": blueprint.revision, "state": "DONE", "changed_at": datetime.now(UTC)}
    await connection.execute(insert(migration_states).values(**state))
    await blueprint.fill(connection, lender, request)
    return lender


def _next_request() -> Select[Any]:
    c = provisioning_requests.c
    return (
        select(
            c.id,
            c.code,
            c.name,
            c.licence_type,
            c.net_assets,
            c.open_on,
            c.admin_username,
            c.admin_password_hash,
            c.sandbox,
        )
        .where(c.state == "PENDING")
        .order_by(c.created_at, c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


async def _finish(connection: AsyncConnection, request_id: UUID, **values: object) -> None:
    """What became of it. The hash of the administrator's password is no longer needed, so it goes."""
    change = update(provisioning_requests).where(provisioning_requests.c.id == request_id)
    await connection.execute(change.values(**values, admin_password_hash="", finished_at=datetime.now(UTC)))


def _reason_code(error: Exception) -> str:
    return {CodeTaken: "CODE_TAKEN", BadName: "BAD_USER_INPUT"}.get(type(error), "INTERNAL")
