"""Databases with lenders in them.

`platform_of_my_own` for a test that provisions by itself. `template_with` makes a database once in a session, its lenders
provisioned, and `copy_of` copies it (`CREATE DATABASE … TEMPLATE`) for each test that wants them untouched.
"""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.tables import metadata
from migrations.line import TENANT
from migrations.runner import migrate_catalog
from tenancy.address import owner_engine
from tenancy.catalog import Catalog, ProvisionRequest
from tenancy.current import Door, Lender
from tenancy.provision import Blueprint, provision
from tests.support.database import new_database, sql
from tests.support.recycling import Recycling
from xiaodai.embedded_postgres import Addresses
from xiaodai.fill import fill

MASTER_SECRET = b"a master secret that is used by tests only"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Platform:
    """One installation: its database, the owner's engine, the catalog and the door of a request process."""

    addresses: Addresses
    installation: str
    owner: AsyncEngine
    catalog: Catalog
    door: Door
    recycling: Recycling | None = None

    async def provision(self, code: str, blueprint: Blueprint, **changes: object) -> Lender:
        return await provision(self.owner, a_request(code, **changes), blueprint, master_secret=MASTER_SECRET)

    def new_door(self, **settings: float) -> Door:
        return Door(self.addresses.app, self.installation, MASTER_SECRET, **settings)  # type: ignore[arg-type]


def a_request(code: str = "alpha", **changes: object) -> ProvisionRequest:
    """A wish for a lender with nothing unusual about it."""
    wish = ProvisionRequest(
        code=code,
        name=f"{code} 小额贷款有限公司",
        licence_type="TRADITIONAL",
        net_assets=Decimal("100000000.00"),
        open_on=date(2025, 1, 1),
        admin_username="admin",
        admin_password_hash="$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        sandbox=True,
    )
    return replace(wish, **changes)  # type: ignore[arg-type]


async def nothing(_connection: AsyncConnection, _lender: Lender, _request: ProvisionRequest) -> None:
    """The first contents of a lender whose test needs none."""


@asynccontextmanager
async def platform(addresses: Addresses, installation: str, **door: float) -> AsyncIterator[Platform]:
    """Opens the parts of one installation in this event loop; the catalog is migrated when it is not yet."""
    owner = owner_engine(addresses.owner)
    app_role = make_url(addresses.app).username
    assert app_role is not None
    await migrate_catalog(owner, app_role=app_role, installation=installation)
    catalog = Catalog(addresses.app)
    opened = Door(addresses.app, installation, MASTER_SECRET, **door)  # type: ignore[arg-type]
    try:
        yield Platform(addresses, installation, owner, catalog, opened)
    finally:
        await opened.close()
        await catalog.close()
        await owner.dispose()


@asynccontextmanager
async def platform_of_my_own(postgres: Addresses, **door: float) -> AsyncIterator[Platform]:
    """A new database with an empty catalog and an installation of its own; database and roles are dropped at the end."""
    number = next(_numbers)
    installation = f"p{os.getpid()}x{number}"
    with new_database(postgres, suffix=f"_{number}") as addresses:
        async with platform(addresses, installation, **door) as opened:
            yield opened
    drop_roles(postgres, installation)


@dataclass(frozen=True, slots=True)
class Template:
    """A database to copy, with its lenders in it."""

    addresses: Addresses
    installation: str
    lenders: dict[str, Lender]


@asynccontextmanager
async def template_with(postgres: Addresses, blueprint: Blueprint, *codes: str) -> AsyncIterator[Template]:
    """Provisions the lenders once; for a fixture of the session. Nobody is connected to the template afterwards."""
    number = next(_numbers)
    installation = f"p{os.getpid()}x{number}"
    with new_database(postgres, suffix=f"_{number}") as addresses:
        async with platform(addresses, installation) as opened:
            lenders = {code: await opened.provision(code, blueprint) for code in codes}
        yield Template(addresses, installation, lenders)
    drop_roles(postgres, installation)


@asynccontextmanager
async def copy_of(template: Template, postgres: Addresses, **door: float) -> AsyncIterator[Platform]:
    """A database of its own with everything the template has, in a tenth of the time."""
    name = make_url(template.addresses.app).database
    assert name is not None
    with new_database(postgres, template=name, suffix=f"_{next(_numbers)}") as addresses:
        copy = make_url(addresses.app).database
        # Who may connect to a database is not copied with it.
        roles = ", ".join(lender.role for lender in template.lenders.values())
        sql(postgres, f"GRANT CONNECT ON DATABASE {copy} TO {roles};")
        async with platform(addresses, template.installation, **door) as opened:
            yield opened


def business() -> Blueprint:
    """The lender as the program makes him: all tables, all first contents."""
    return Blueprint(TENANT.text(None), TENANT.head, metadata(), fill)


def drop_roles(postgres: Addresses, installation: str) -> None:
    """The lenders' logins of an installation whose databases are gone."""
    roles = sql(postgres, f"SELECT rolname FROM pg_roles WHERE rolname LIKE 'xd\\_{installation}\\_%';").split()
    if roles:
        sql(postgres, f"DROP ROLE {', '.join(roles)};")
