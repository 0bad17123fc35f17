"""Provisioning: one transaction, resumable, by request or directly; suspend and resume; drop and start again."""

import asyncio
import time

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from tenancy.address import driver_arguments
from tenancy.catalog import Catalog, ProvisionRequest, UnsafeLogin
from tenancy.current import Lender, LenderNotOpen
from tenancy.grants import grant_lender
from tenancy.naming import BadName, role_of
from tenancy.provision import Blueprint, CodeTaken, carry_out_next, drop_lender
from tenancy.tables import provisioning_requests
from tests.support.database import sql
from tests.support.lenders import MASTER_SECRET, Platform, a_request, business, copy_of, template_with
from tests.support.small_tables import customers, metadata
from xiaodai.embedded_postgres import Addresses


async def names(place: Platform, lender: Lender) -> list[str]:
    async with place.door.enter(lender) as connection:
        return list((await connection.execute(select(customers.c.name))).scalars())


async def test_a_fresh_lender_is_ready_while_one_waits(place: Platform, blueprint: Blueprint) -> None:
    begun = time.monotonic()
    lender = await place.provision("fresh", blueprint)
    assert await names(place, lender) == ["secret of fresh"]
    assert time.monotonic() - begun < 20, "2 s on a quiet machine"
    assert await place.catalog.find("fresh") == lender
    assert await place.catalog.by_id(lender.id) == lender


async def test_a_code_is_taken_once(place: Platform, alpha: Lender, blueprint: Blueprint) -> None:
    with pytest.raises(CodeTaken):
        await place.provision("alpha", blueprint)
    assert await names(place, alpha) == ["secret of alpha"]


async def test_a_failure_leaves_nothing_and_is_simply_repeated(
    place: Platform, blueprint: Blueprint, postgres: Addresses
) -> None:
    async def fails(_c: AsyncConnection, _l: Lender, _r: ProvisionRequest) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk"):
        await place.provision("halfway", Blueprint(blueprint.tables, blueprint.revision, metadata, fails))
    assert await place.catalog.find("halfway") is None
    role = role_of(place.installation, "halfway")
    assert sql(postgres, f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}';").strip() == "0"
    assert await names(place, await place.provision("halfway", blueprint)) == ["secret of halfway"]


async def test_a_request_is_carried_out_by_the_worker(place: Platform, blueprint: Blueprint) -> None:
    request = await place.catalog.file_provisioning(a_request("wished"))
    assert (await place.catalog.provisioning_result(request)).state == "PENDING"
    assert await carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET) == request
    result = await place.catalog.provisioning_result(request)
    lender = await place.catalog.find("wished")
    assert lender is not None
    assert (result.state, result.lender_id) == ("DONE", lender.id)
    assert await carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET) is None


async def test_a_refused_request_says_why(place: Platform, alpha: Lender, blueprint: Blueprint) -> None:
    request = await place.catalog.file_provisioning(a_request("alpha"))
    await carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET)
    result = await place.catalog.provisioning_result(request)
    assert (result.state, result.reason_code, result.lender_id) == ("FAILED", "CODE_TAKEN", None)


async def test_a_request_that_is_over_keeps_no_password_hash(
    place: Platform, alpha: Lender, blueprint: Blueprint
) -> None:
    requests = [await place.catalog.file_provisioning(a_request(code)) for code in ("kept", alpha.code)]
    while await carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET):
        pass
    c = provisioning_requests.c
    async with place.owner.connect() as connection:
        kept = await connection.execute(select(c.state, c.admin_password_hash).where(c.id.in_(requests)))
        assert sorted(tuple(row) for row in kept) == [("DONE", ""), ("FAILED", "")]


async def test_two_workers_never_carry_out_the_same_request(place: Platform, blueprint: Blueprint) -> None:
    requests = {await place.catalog.file_provisioning(a_request(code)) for code in ("twin_a", "twin_b")}
    done = await asyncio.gather(
        *(carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET) for _ in range(3))
    )
    assert sorted(map(str, filter(None, done))) == sorted(map(str, requests))


async def test_a_worker_killed_halfway_leaves_the_request_to_the_next(place: Platform, blueprint: Blueprint) -> None:
    async def never_ends(_c: AsyncConnection, _l: Lender, _r: ProvisionRequest) -> None:
        await asyncio.sleep(60)

    request = await place.catalog.file_provisioning(a_request("killed"))
    stuck = Blueprint(blueprint.tables, blueprint.revision, metadata, never_ends)
    worker = asyncio.create_task(carry_out_next(place.owner, stuck, master_secret=MASTER_SECRET))
    await asyncio.sleep(0.3)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert (await place.catalog.provisioning_result(request)).state == "PENDING"
    assert await carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET) == request
    assert (await place.catalog.provisioning_result(request)).state == "DONE"


async def test_provision_drop_and_provision_the_same_code(place: Platform, blueprint: Blueprint) -> None:
    first = await place.provision("again", blueprint)
    assert await names(place, first) == ["secret of again"]
    await drop_lender(place.owner, first)
    assert await place.catalog.by_id(first.id) is None
    second = await place.provision("again", blueprint)
    assert second.id != first.id
    assert await names(place, second) == ["secret of again"]


async def test_suspension_acts_everywhere_within_five_seconds(place: Platform, blueprint: Blueprint) -> None:
    lender = await place.provision("paused", blueprint)
    elsewhere = Catalog(place.addresses.app)  # another process, which has just looked
    assert (await elsewhere.find("paused")) == lender
    await place.catalog.suspend(lender.id)
    here = await place.catalog.find("paused")
    assert here is not None
    with pytest.raises(LenderNotOpen):
        async with place.door.enter(here):
            pass
    begun = time.monotonic()
    while (seen := await elsewhere.find("paused")) and seen.status != "SUSPENDED":
        assert time.monotonic() - begun < 5
        await asyncio.sleep(0.1)
    resumed = await place.catalog.resume(lender.id)
    assert resumed is not None
    assert await names(place, resumed) == ["secret of paused"]
    await elsewhere.close()


async def test_roles_come_back_after_a_restore(place: Platform, blueprint: Blueprint, postgres: Addresses) -> None:
    """A dump of one database holds no roles: `grant_lender` with the secret makes the login and its rights anew."""
    lender = await place.provision("restored", blueprint)
    async with place.owner.begin() as connection:
        database = driver_arguments(place.addresses.app)["database"]
        for statement in (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA t_restored FROM {lender.role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA t_restored REVOKE ALL ON TABLES FROM {lender.role}",
            f"REVOKE ALL ON SCHEMA t_restored FROM {lender.role}",
            f"REVOKE CONNECT ON DATABASE {database} FROM {lender.role}",
            f"DROP ROLE {lender.role}",
        ):
            await connection.execute(text(statement))
    with pytest.raises((DBAPIError, asyncpg.PostgresError)):
        await names(place, lender)
    for _ in range(2):
        async with place.owner.begin() as connection:
            await grant_lender(connection, lender, metadata, master_secret=MASTER_SECRET)
        assert await names(place, lender) == ["secret of restored"]


async def test_the_start_is_refused_when_the_app_login_belongs_to_a_lender(
    place: Platform, alpha: Lender, postgres: Addresses
) -> None:
    await place.catalog.check()
    sql(postgres, f"GRANT {alpha.role} TO xiaodai_app;")
    try:
        with pytest.raises(UnsafeLogin, match=alpha.role):
            await place.catalog.check()
    finally:
        sql(postgres, f"REVOKE {alpha.role} FROM xiaodai_app;")
    owner = Catalog(place.addresses.owner)
    with pytest.raises(UnsafeLogin):
        await owner.check()
    await owner.close()


async def test_the_app_login_has_only_what_it_needs(place: Platform, alpha: Lender) -> None:
    connection = await asyncpg.connect(**driver_arguments(place.addresses.app))
    refused = (
        "INSERT INTO catalog.operators SELECT gen_random_uuid(), 'x', 'x', true, 0, NULL, now()",
        "UPDATE catalog.operators SET active = true",
        "DELETE FROM catalog.lenders",
        "UPDATE catalog.lenders SET code = 'x'",
        "UPDATE catalog.provisioning_requests SET state = 'DONE'",
        "UPDATE catalog.operator_actions SET reason = 'x'",
        "INSERT INTO catalog.migration_states SELECT NULL",
        "CREATE TABLE catalog.x (id int)",
    )
    try:
        for statement in refused:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_bad_code_is_refused_before_it_is_filed(place: Platform) -> None:
    with pytest.raises(BadName):
        await place.catalog.file_provisioning(a_request("pg_lender"))


async def test_a_copied_template_brings_its_lenders(postgres: Addresses, blueprint: Blueprint) -> None:
    """What the other suites build on: each copy has the lenders, and what one writes the next does not see."""
    async with template_with(postgres, blueprint, "alpha", "beta") as template:
        for _ in range(2):
            async with copy_of(template, postgres) as copy:
                lender = template.lenders["alpha"]
                assert await copy.catalog.find("alpha") == lender
                assert await names(copy, lender) == ["secret of alpha"]
                async with copy.door.enter(lender, write=True) as connection:
                    await connection.execute(customers.update().values(name="changed"))


async def test_a_real_lender_is_ready_while_one_waits(place: Platform) -> None:
    """The tables and first contents of the business, with the grants its own words ask for."""
    blueprint = business()
    begun = time.monotonic()
    lender = await place.provision("real", blueprint)
    assert time.monotonic() - begun < 20, "2 s on a quiet machine"
    async with place.door.enter(lender) as connection:
        day = (await connection.execute(text("SELECT business_date FROM business_clock"))).scalar_one()
        rights = "SELECT has_table_privilege('feed', 'UPDATE'), has_table_privilege('jobs', 'UPDATE')"
        assert tuple((await connection.execute(text(rights))).one()) == (False, True)
    assert day == lender.business_date
