"""Databases with lenders in them.

Provisioning takes a third of a second, so a template is made once for each test process: the catalog migrated, some lenders
provisioned. `CREATE DATABASE … TEMPLATE` copies it for whoever needs lenders of his own.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from migrations.runner import migrate_catalog
from tenancy.address import owner_engine
from tenancy.catalog import Catalog, ProvisionRequest
from tenancy.current import Door, Lender
from tenancy.provision import Blueprint, provision
from tests.support.database import new_database
from xiaodai.embedded_postgres import Addresses

MASTER_SECRET = b"a master secret that is used by tests only"


@dataclass(frozen=True, slots=True)
class Platform:
    """One installation: its database, the owner's engine, the catalog and the door of a request process."""

    addresses: Addresses
    installation: str
    owner: AsyncEngine
    catalog: Catalog
    door: Door

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


@contextmanager
def copy_of(template: Addresses, postgres: Addresses, *, suffix: str) -> Iterator[Addresses]:
    """A database of its own with everything the template has; nobody may be connected to the template meanwhile."""
    name = make_url(template.app).database
    assert name is not None
    with new_database(postgres, template=name, suffix=suffix) as addresses:
        yield addresses
