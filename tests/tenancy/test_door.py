"""The door: one transaction, the lender's own login, nothing left behind (promises T4, T5, T12)."""

import asyncio
import contextlib
import random
from dataclasses import replace

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tenancy.address import engine_url
from tenancy.current import Door, Lender, LenderNotOpen, Overloaded
from tenancy.naming import role_of
from tests.support.database import sql
from tests.support.lenders import Platform
from tests.support.small_tables import customers, drafts

WHO = text("SELECT current_user, current_schemas(false)::text, pg_backend_pid()")


async def names(door: Door, lender: Lender) -> list[str]:
    async with door.enter(lender) as connection:
        return list((await connection.execute(select(customers.c.name))).scalars())


async def test_each_lender_sees_his_own_rows(place: Platform, alpha: Lender, beta: Lender) -> None:
    for _ in range(3):
        assert await names(place.door, alpha) == ["secret of alpha"]
        assert await names(place.door, beta) == ["secret of beta"]


async def test_inside_the_door_is_the_lenders_login(place: Platform, alpha: Lender) -> None:
    async with place.door.enter(alpha) as connection:
        user, schemas, _ = (await connection.execute(WHO)).one()
        isolation = (await connection.execute(text("SHOW transaction_isolation"))).scalar_one()
    assert (user, schemas, isolation) == (role_of(place.installation, "alpha"), "{t_alpha}", "repeatable read")


async def test_a_write_commits_and_an_error_rolls_back(place: Platform, alpha: Lender) -> None:
    async with place.door.enter(alpha, write=True) as connection:
        await connection.execute(drafts.insert().values(id=1, text="kept"))
    with contextlib.suppress(ZeroDivisionError):
        async with place.door.enter(alpha, write=True) as connection:
            await connection.execute(drafts.insert().values(id=2, text="lost"))
            raise ZeroDivisionError
    async with place.door.enter(alpha, write=True) as connection:
        assert list((await connection.execute(select(drafts.c.text))).scalars()) == ["kept"]
        await connection.execute(drafts.delete())


async def test_a_read_cannot_write(place: Platform, alpha: Lender) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with place.door.enter(alpha) as connection:
            await connection.execute(drafts.insert().values(id=3, text="no"))


async def test_a_session_with_savepoints_works_inside(place: Platform, alpha: Lender) -> None:
    async with place.door.enter(alpha, write=True) as connection:
        session = AsyncSession(bind=connection, expire_on_commit=False)
        with pytest.raises(DBAPIError):
            async with session.begin_nested():
                await session.execute(text("SELECT 1/0"))
        assert (await session.execute(select(customers.c.id))).scalar_one() == 1


async def test_only_an_active_lender_is_let_in(place: Platform, alpha: Lender) -> None:
    for status in ("SUSPENDED", "CLOSED", "PROVISIONING"):
        with pytest.raises(LenderNotOpen) as refused:
            async with place.door.enter(replace(alpha, status=status)):
                pass
        assert refused.value.status == status


async def test_an_error_does_not_quote_what_was_typed(place: Platform, alpha: Lender) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with place.door.enter(alpha, write=True) as connection:
            await connection.execute(text("SELECT CAST(:typed AS integer)"), {"typed": 10**30})
    assert str(10**30) not in str(failed.value).split("[SQL")[1]


async def test_a_statement_that_takes_too_long_is_ended(place: Platform, alpha: Lender) -> None:
    with pytest.raises(DBAPIError, match="statement timeout"):
        async with place.door.enter(alpha, statement_seconds=1) as connection:
            await connection.execute(text("SELECT pg_sleep(5)"))
    assert await names(place.door, alpha) == ["secret of alpha"]


async def test_no_lender_no_table(place: Platform, alpha: Lender) -> None:
    """T5: a login's own search path holds no lender's table, so code without the door gets an error, not `public`."""
    with pytest.raises(DBAPIError, match='relation "customers" does not exist'):
        await read_without_the_door(place)


async def read_without_the_door(place: Platform) -> None:
    engine = create_async_engine(engine_url(place.addresses.app))
    try:
        async with engine.connect() as connection:
            await connection.execute(select(customers))
    finally:
        await engine.dispose()


async def test_control_a_login_with_a_lenders_search_path_is_found(place: Platform, alpha: Lender) -> None:
    """Control of T5: once the app login has a lender's schema in its search path, the same code reads a table."""
    app = make_url(place.addresses.app)
    path = f"ALTER ROLE {app.username} IN DATABASE {app.database}"
    may = f"USAGE ON SCHEMA {alpha.schema}", f"SELECT ON {alpha.schema}.customers"
    given = "".join(f"GRANT {what} TO {app.username};" for what in may)
    taken = "".join(f"REVOKE {what} FROM {app.username};" for what in may)
    sql(place.addresses, f"{given}{path} SET search_path = {alpha.schema};")
    try:
        await read_without_the_door(place)
    finally:
        sql(place.addresses, f"{path} RESET search_path;{taken}")


async def hurt_and_check(door: Door, lenders: list[Lender], rounds: int) -> list[str]:
    """Cancelled, failing and timed-out work at random moments; answers what each later checkout found wrong."""
    dice, dirty = random.Random(7), []

    async def work(lender: Lender) -> None:
        async with door.enter(lender, write=dice.random() < 0.5) as connection:
            await connection.execute(text("SET LOCAL work_mem = '1MB'"))
            await connection.execute(text("SELECT pg_sleep(0.005)"))
            await connection.execute(text("SELECT 1/0" if dice.random() < 0.3 else "SELECT 1"))

    for _ in range(rounds):
        lender = dice.choice(lenders)
        task = asyncio.create_task(work(lender))
        await asyncio.sleep(dice.random() * 0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for other in lenders:
            kept = await door._connections.take(other)
            try:
                if kept.driver.is_in_transaction() or kept.connection.in_transaction():
                    dirty.append("open transaction")
                path = await kept.driver.fetchval("SELECT current_schemas(false)::text")
                if path != "{}":
                    dirty.append(f"search path {path}")
                if await kept.driver.fetchval("SELECT current_user") != other.role:
                    dirty.append("another lender's connection")
            finally:
                await door._connections.give_back(kept, keep=True)
    return dirty


async def test_random_cancels_leave_connections_clean(place: Platform, alpha: Lender, beta: Lender) -> None:
    """T4."""
    door = place.new_door(cap=2)
    try:
        assert await hurt_and_check(door, [alpha, beta], 300) == []
    finally:
        await door.close()


async def test_control_set_without_local_is_found(
    place: Platform, alpha: Lender, beta: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T4, control: with `SET` instead of `SET LOCAL` the same check must find dirty connections."""
    monkeypatch.setattr("tenancy.current.opening", lambda schema, *_: f"BEGIN;SET search_path={schema}")
    door = place.new_door(cap=2)

    async def commits(lender: Lender) -> None:
        async with door.enter(lender, write=True) as connection:
            await connection.execute(text("SELECT 1"))

    try:
        await commits(alpha)
        assert "search path {t_alpha}" in await hurt_and_check(door, [alpha, beta], 3)
    finally:
        await door.close()


async def test_at_the_cap_the_longest_idle_connection_is_closed(place: Platform, alpha: Lender, beta: Lender) -> None:
    door = place.new_door(cap=2, per_lender=2)

    async def backend(lender: Lender) -> int:
        async with door.enter(lender) as connection:
            return int((await connection.execute(WHO)).one()[2])

    async def two_at_once(lender: Lender) -> set[int]:
        async with door.enter(lender) as one, door.enter(lender) as other:
            return {(await one.execute(WHO)).one()[2], (await other.execute(WHO)).one()[2]}

    try:
        first = await backend(alpha)
        assert await backend(alpha) == first, "an idle connection is used again"
        second = await backend(beta)
        assert first not in await two_at_once(beta), "alpha's, the longest idle, was closed for beta's second one"
        assert await backend(beta) != first
        assert await backend(alpha) not in (first, second)
        assert door._connections.open <= 2
    finally:
        await door.close()


async def test_no_connection_free_is_said_soon(place: Platform, alpha: Lender, beta: Lender) -> None:
    door = place.new_door(cap=2, per_lender=1, patience_seconds=0.1)
    try:
        async with door.enter(alpha):
            with pytest.raises(Overloaded):
                async with door.enter(alpha):
                    pass
            assert await names(door, beta) == ["secret of beta"], "one lender's rush leaves room for the others"
        assert await names(door, alpha) == ["secret of alpha"]
    finally:
        await door.close()


async def test_many_lenders_at_once_never_mix(place: Platform, alpha: Lender, beta: Lender) -> None:
    door = place.new_door(cap=3, patience_seconds=60)
    try:
        lenders = [alpha, beta] * 60
        answers = await asyncio.gather(*(names(door, lender) for lender in lenders))
        assert answers == [[f"secret of {lender.code}"] for lender in lenders]
        assert door._connections.open <= 3
    finally:
        await door.close()


async def test_who_is_cancelled_while_another_reads_is_cancelled_and_nothing_else(
    place: Platform, alpha: Lender
) -> None:
    """What was cut off must not turn into a failure of the driver's: it is a time-out to whoever asked."""
    door = place.new_door(cap=1)
    readers: list[asyncio.Task[object]] = []

    async def several() -> None:
        async with door.enter(alpha) as connection:
            readers.append(asyncio.create_task(connection.execute(text("SELECT pg_sleep(1)"))))
            await asyncio.sleep(60)

    try:
        asked = asyncio.create_task(several())
        await asyncio.sleep(0.3)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await asyncio.gather(*readers, return_exceptions=True)
        assert await names(door, alpha) == ["secret of alpha"]
        assert door._connections.open == 1
    finally:
        await door.close()


async def test_a_connection_the_server_closed_is_not_handed_out(place: Platform, alpha: Lender) -> None:
    door = place.new_door(cap=2)
    try:
        async with door.enter(alpha) as connection:
            pid = (await connection.execute(WHO)).one()[2]
        async with place.door.enter(alpha) as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        await asyncio.sleep(0.05)
        assert await names(door, alpha) == ["secret of alpha"]
    finally:
        await door.close()
