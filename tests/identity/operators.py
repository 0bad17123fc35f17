"""Operators of the platform; the running program makes them on the command line, with the owner's login."""

from datetime import UTC, datetime

from sqlalchemy import insert

from tenancy.catalog import new_id
from tenancy.tables import operators
from tests.support.actors import PASSWORD
from tests.support.lenders import Platform
from xiaodai.auth.passwords import hash_password


async def new_operator(platform: Platform) -> str:
    """The user name of a new one, whose password is PASSWORD."""
    name = f"root-{new_id().hex[-8:]}"
    row = {"id": new_id(), "username": name, "password_hash": hash_password(PASSWORD), "active": True}
    async with platform.owner.begin() as connection:
        await connection.execute(insert(operators).values(**row, failed_sign_ins=0, created_at=datetime.now(UTC)))
    return name
