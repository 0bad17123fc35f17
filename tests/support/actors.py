"""People of a lender: `lender.account_manager` is the context of somebody in that role, ready for commands.

`lender` is a fresh lender for one test; `shared_lender` is one for the whole run, for tests that only look or that
make rows of their own. Everybody signs in with `PASSWORD`; the user name is the attribute's name.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import MetaData, create_mock_engine, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from domain.kernel.clock import machine_now
from domain.kernel.context import SYSTEM, Context
from domain.kernel.ports import Ports
from domain.kernel.table import uuid7
from domain.organization.credential import Credential
from domain.organization.department import Department
from domain.organization.employee import Employee, EmployeeRole, EmployeeStatus
from domain.organization.role import BUILT_IN, Role
from domain.organization.standing import actor
from domain.tables import metadata
from gateways.documents.typst import TypstDocuments
from gateways.object_storage.folder import FolderStorage
from tenancy.address import engine_url
from tenancy.catalog import ProvisionRequest
from tenancy.grants import VERSION_TABLE
from tenancy.lender import Lender
from tenancy.provision import Blueprint
from tests.support.lenders import Platform, platform_of_my_own
from tests.support.recycling import Recycling
from xiaodai.auth.operator import Tenants
from xiaodai.auth.passwords import hash_password
from xiaodai.auth.sessions import Sessions
from xiaodai.auth.sign_in import Identity
from xiaodai.embedded_postgres import Addresses
from xiaodai.fill import fill
from xiaodai.keys import LenderKeys

PASSWORD = "correct horse battery"
IN_SALES = ("account_manager", "second_account_manager", "business_manager")
# Attribute → code of the built-in role; everybody works in the root department but those in sales.
PEOPLE = {code.lower(): code for code in BUILT_IN if code != "TENANT_ADMIN"} | {
    "second_account_manager": "ACCOUNT_MANAGER",
    "second_risk_officer": "RISK_OFFICER",
    "second_accountant": "ACCOUNTANT",
}
_numbers = itertools.count(1)


@dataclass
class LenderAtWork:
    """A lender with one person for each role. `system` is the context of jobs."""

    lender: Lender
    ports: Ports
    platform: Platform
    people: dict[str, Context] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Context:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(f"nobody is called {name}: {', '.join(sorted(self.people))}") from None

    @property
    def system(self) -> Context:
        return Context(lender=self.lender, actor=SYSTEM, ports=self.ports)

    async def context_of(self, employee_id: UUID) -> Context:
        """The context of an employee as they stand now."""
        async with self.system.reading() as ctx:
            found = await actor(ctx.connection, employee_id)
        assert found is not None, "not an active employee"
        return Context(lender=self.lender, actor=found, ports=self.ports)

    async def until_somebody_waits(self) -> None:
        """Until a transaction waits for what another has locked."""
        waiting = text("select count(*) from pg_locks where not granted")
        for _ in range(500):
            async with self.system.reading() as ctx:
                if (await ctx.connection.execute(waiting)).scalar_one():
                    return
            await asyncio.sleep(0.02)
        raise AssertionError("nobody waits")

    async def rows(self, entity: Any, *conditions: Any) -> list[Any]:
        """All rows of a table that meet the conditions, as core rows."""
        async with self.system.reading() as ctx:
            return list((await ctx.connection.execute(select(entity.__table__).where(*conditions))).all())


@pytest.fixture(scope="session")
def blueprint() -> Blueprint:
    """Today's tables, straight from the metadata; that `migrations/` makes the same has a test of its own."""
    return Blueprint(_creation(metadata()), "today", metadata(), fill_with_people)


@pytest.fixture(scope="session")
async def place(postgres: Addresses) -> AsyncIterator[Platform]:
    """An installation of this test process, whose lenders tests have one after another."""
    async with platform_of_my_own(postgres) as opened:
        administrator = create_async_engine(engine_url(opened.addresses.admin), pool_size=1)
        yield replace(opened, recycling=Recycling(administrator))
        await administrator.dispose()


@pytest.fixture(autouse=True)
def _lenders_of_this_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """The lenders that a test takes are free again when it is over."""
    place = request.getfixturevalue("place") if "place" in request.fixturenames else None
    recycling = getattr(place, "recycling", None)
    yield from recycling.during_a_test() if recycling else iter([None])


@pytest.fixture(scope="session")
def ports(place: Platform, tmp_path_factory: pytest.TempPathFactory) -> Ports:
    """What the running program would hand in."""
    sessions = Sessions(place.catalog, place.door)
    return Ports(
        door=place.door,
        keys=LenderKeys(b"a key for personal data that is used by tests only"),
        storage=FolderStorage(tmp_path_factory.mktemp("files")),
        documents=TypstDocuments(None),
        identity=Identity(place.catalog, sessions),
        provisioning=Tenants(place.catalog, wake=lambda: None),
    )


@pytest.fixture
async def lender(place: Platform, ports: Ports, blueprint: Blueprint) -> LenderAtWork:
    """A lender of this test alone: TRADITIONAL, a sandbox, net assets 100,000,000.00, opened on 2025-01-01."""
    return await a_lender(place, ports, blueprint)


@pytest.fixture(scope="session")
async def shared_lender(place: Platform, ports: Ports, blueprint: Blueprint) -> LenderAtWork:
    """One lender for all tests that leave it as it was."""
    return await a_lender(place, ports, blueprint)


async def a_lender(place: Platform, ports: Ports, blueprint: Blueprint, **changes: object) -> LenderAtWork:
    """One as on its first day, provisioned or had before by another test; `changes` are fields of ProvisionRequest
    (`net_assets=`, `open_on=`, `licence_type=` …)."""
    kind = (id(blueprint), *sorted(changes.items()))
    if place.recycling and (known := await place.recycling.take(kind)):
        people = {name: replace(person, ports=ports) for name, person in known.people.items()}
        return LenderAtWork(known.lender, ports, place, people)
    made = await _provisioned(place, ports, blueprint, **changes)
    if place.recycling:
        await place.recycling.keep(kind, replace(made, people=dict(made.people)))
    return made


async def _provisioned(place: Platform, ports: Ports, blueprint: Blueprint, **changes: object) -> LenderAtWork:
    made = await place.provision(
        f"lender{next(_numbers)}", blueprint, admin_username="tenant_admin", admin_password_hash=_hash(), **changes
    )
    at_work = LenderAtWork(made, ports, place)
    async with at_work.system.reading() as ctx:
        employees = (await ctx.connection.execute(select(Credential.employee_id, Credential.username))).all()
        for employee_id, username in employees:
            person = await actor(ctx.connection, employee_id)
            assert person is not None
            at_work.people[username] = Context(lender=made, actor=person, ports=ports)
    return at_work


async def fill_with_people(connection: AsyncConnection, lender: Lender, request: ProvisionRequest) -> None:
    """What every lender is filled with, a sales department, and PEOPLE."""
    await fill(connection, lender, request)
    now = machine_now()
    root = (await connection.execute(select(Department.id))).scalar_one()
    sales = uuid7()
    await connection.execute(
        insert(Department).values(
            id=sales, code="SALES", name="业务部", parent_id=root, path="ROOT/SALES/", created_at=now
        )
    )
    roles = {code: key for key, code in (await connection.execute(select(Role.id, Role.code))).all()}
    ids = {name: uuid7() for name in PEOPLE}
    employees = [
        {
            "id": ids[name],
            "number": f"YG-T-{index:04d}",
            "name": f"{BUILT_IN[code].name} {name}",
            "department_id": sales if name in IN_SALES else root,
            "status": EmployeeStatus.ACTIVE,
            "created_at": now,
        }
        for index, (name, code) in enumerate(PEOPLE.items())
    ]
    await connection.execute(insert(Employee), employees)
    await connection.execute(
        insert(EmployeeRole), [{"employee_id": ids[name], "role_id": roles[code]} for name, code in PEOPLE.items()]
    )
    await connection.execute(
        insert(Credential),
        [{"employee_id": ids[name], "username": name, "password_hash": _hash()} for name in PEOPLE],
    )


def _creation(tables: MetaData) -> str:
    statements = [f"CREATE TABLE {VERSION_TABLE} (version_num varchar(32) PRIMARY KEY)"]
    engine: Any = create_mock_engine(
        "postgresql+asyncpg://",
        lambda statement, *_, **__: statements.append(str(statement.compile(dialect=engine.dialect))),
    )
    tables.create_all(engine, checkfirst=False)
    return ";".join(statements)


@cache
def _hash() -> str:
    return hash_password(PASSWORD)
