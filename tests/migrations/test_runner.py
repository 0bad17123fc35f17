"""The runner over all lenders: resumable, says who failed and why, equal schemas afterwards (promises U1, U2)."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import MetaData, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from migrations.line import Line
from migrations.picture import picture
from migrations.runner import OtherInstallation, UnknownRevision, migrate_catalog, migrate_lenders
from tenancy.current import Lender, schema_changed
from tenancy.tables import lenders, migration_states
from tests.support.lenders import Platform
from tests.support.small_tables import blueprint_of, metadata

CODES = ("one", "two", "three", "four", "five")
STEP = """
import sqlalchemy as sa
from alembic import op

revision = "0004_grade"
down_revision = "0003_home"


def upgrade() -> None:
    op.create_table("grades", sa.Column("code", sa.String(10), nullable=False), sa.PrimaryKeyConstraint("code"))
    op.add_column("customers", sa.Column("grade", sa.String(10), nullable=True))
    op.execute("{data}")
    op.create_unique_constraint("uq_customers_name", "customers", ["name"])
"""


def new_line(old: Line, folder: Path, data: str = "UPDATE customers SET grade = 'A'") -> Line:
    """The old line and one step more."""
    shutil.copytree(old.versions, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "0004_grade.py").write_text(STEP.format(data=data))
    return Line(folder)


@pytest.fixture
async def five(place: Platform, old_line: Line) -> dict[str, Lender]:
    """Five lenders at the old revision; each has a customer."""
    blueprint = blueprint_of(old_line)
    made = {code: await place.provision(code, blueprint) for code in sorted(CODES)}
    for lender in made.values():
        async with place.door.enter(lender, write=True) as connection:
            await connection.execute(text("INSERT INTO customers VALUES (1, 'Li')"))
    return made


async def revisions(place: Platform) -> dict[str, str]:
    """What each schema's own version table says."""
    async with place.owner.connect() as connection:
        return {
            code: (await connection.execute(text(f"SELECT version_num FROM t_{code}.alembic_version"))).scalar_one()
            for code in CODES
        }


async def states(place: Platform) -> dict[str, tuple[str, str | None]]:
    query = select(lenders.c.code, migration_states.c.state, migration_states.c.reason)
    async with place.owner.connect() as connection:
        return {code: (state, why) for code, state, why in await connection.execute(query.join(migration_states))}


async def test_all_lenders_reach_the_newest_revision(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    line = new_line(old_line, tmp_path / "new")
    looked = await migrate_lenders(place.owner, metadata, line=line, dry_run=True)
    assert {outcome.said for outcome in looked.outcomes} == {"would run 0004_grade"}
    assert set((await revisions(place)).values()) == {old_line.head}, "a dry run changes nothing"

    report = await migrate_lenders(place.owner, metadata, line=line, parallel=2)
    assert report.ok
    assert [outcome.lender.code for outcome in report.outcomes] == sorted(CODES)
    assert set((await revisions(place)).values()) == {line.head}
    again = await migrate_lenders(place.owner, metadata, line=line)
    assert {outcome.said for outcome in again.outcomes} == {"was up to date"}


async def test_a_failure_at_the_third_leaves_him_old_and_a_second_run_finishes(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    """U1: two customers of the same name in one lender break the new unique constraint there."""
    third = sorted(CODES)[2]
    async with place.door.enter(five[third], write=True) as connection:
        await connection.execute(text("INSERT INTO customers VALUES (2, 'Li')"))
    line = new_line(old_line, tmp_path / "new")

    report = await migrate_lenders(place.owner, metadata, line=line)
    assert [outcome.lender.code for outcome in report.failed] == [third]
    assert "uq_customers_name" in report.failed[0].said
    expected = {code: old_line.head if code == third else line.head for code in CODES}
    assert await revisions(place) == expected
    state, why = (await states(place))[third]
    assert state == "FAILED"
    assert "uq_customers_name" in str(why)
    assert await columns_of(place, five[third]) == ["id", "name"], "nothing of the failed migration is left"

    async with place.door.enter(five[third], write=True) as connection:
        await connection.execute(text("UPDATE customers SET name = 'Li the second' WHERE id = 2"))
    report = await migrate_lenders(place.owner, metadata, line=line)
    assert report.ok
    assert {outcome.lender.code for outcome in report.outcomes if outcome.said.startswith("ran")} == {third}
    assert set((await states(place)).values()) == {("DONE", None)}


async def columns_of(place: Platform, lender: Lender) -> list[str]:
    async with place.door.enter(lender) as connection:
        return list((await connection.execute(text("SELECT * FROM customers WHERE id = 1"))).keys())


async def test_control_a_runner_that_commits_each_statement_is_found(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of U1: statement by statement, the failed migration leaves its first half behind."""
    third = sorted(CODES)[2]
    async with place.door.enter(five[third], write=True) as connection:
        await connection.execute(text("INSERT INTO customers VALUES (2, 'Li')"))

    async def torn(connection: AsyncConnection, schema: str, line: Line) -> list[str]:
        url = make_url(place.addresses.owner).set(drivername="postgresql").render_as_string(hide_password=False)
        alone = await asyncpg.connect(url)
        try:
            script = re.sub("--.*", "", line.text(old_line.head))  # a comment alone is no statement
            for statement in filter(str.strip, f"SET search_path = {schema};{script}".split(";")):
                await alone.execute(statement)
        finally:
            await alone.close()
        return line.steps(old_line.head)

    monkeypatch.setattr("migrations.runner._upgrade", torn)
    report = await migrate_lenders(place.owner, metadata, line=new_line(old_line, tmp_path / "new"))
    assert [outcome.lender.code for outcome in report.failed] == [third]
    assert await columns_of(place, five[third]) == ["id", "name", "grade"]


def start_runner(place: Platform, line: Line) -> subprocess.Popen[bytes]:
    """`migrate_lenders` in a process of its own, one lender after another."""
    program = (
        "import asyncio, pathlib; from migrations.line import Line; from migrations.runner import migrate_lenders;"
        "from tenancy.address import owner_engine; from tests.support.small_tables import metadata;"
        f"asyncio.run(migrate_lenders(owner_engine({place.addresses.owner!r}), metadata,"
        f" line=Line(pathlib.Path({str(line.versions)!r})), parallel=1))"
    )
    return subprocess.Popen([sys.executable, "-c", program])


async def test_killed_in_the_second_and_run_again(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    """U1: kill -9 while the second lender is being migrated. He is old, nobody is between, the second run finishes."""
    first, second = sorted(CODES)[:2]
    slow = f"SELECT pg_sleep(30) FROM pg_namespace WHERE nspname = 't_{second}' AND current_schema() = nspname"
    broken = new_line(old_line, tmp_path / "slow", data=slow)
    runner = start_runner(place, broken)
    deadline = time.monotonic() + 30
    async with place.owner.connect() as connection:
        busy = text("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
        while (
            not (pid := (await connection.execute(busy)).scalar()) or (await revisions(place))[first] == old_line.head
        ):
            assert time.monotonic() < deadline
            await connection.rollback()
        os.kill(runner.pid, signal.SIGKILL)
        runner.wait()
        await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    expected = {code: broken.head if code == first else old_line.head for code in CODES}
    assert await revisions(place) == expected

    report = await migrate_lenders(place.owner, metadata, line=new_line(old_line, tmp_path / "new"), parallel=2)
    assert report.ok
    assert set((await revisions(place)).values()) == {"0004_grade"}


async def test_a_migrated_schema_is_identical_to_a_fresh_one(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    """U2, with its control: a column added by hand is seen."""
    line = new_line(old_line, tmp_path / "new")
    await migrate_lenders(place.owner, metadata, line=line)
    fresh = await place.provision("fresh", blueprint_of(line))
    async with place.owner.begin() as connection:
        pictures = {}
        for code in (*CODES, fresh.code):
            await connection.execute(text(f"SET LOCAL search_path = t_{code}"))
            pictures[code] = await picture(connection, f"t_{code}")
        assert any(sentence.startswith("index CREATE UNIQUE INDEX uq_customers_name") for sentence in pictures["fresh"])
        assert all(picture == pictures["fresh"] for picture in pictures.values())
        await connection.execute(text("ALTER TABLE t_fresh.customers ADD COLUMN by_hand int"))
        assert await picture(connection, "t_fresh") != pictures["one"]


async def test_a_late_migrations_table_is_usable(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    changed = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(changed).info = (
            {**table.info, "grants": "append"} if table.name == "customers" else table.info
        )
    await migrate_lenders(place.owner, changed, line=new_line(old_line, tmp_path / "new"))
    async with place.door.enter(five["one"], write=True) as connection:
        await connection.execute(text("INSERT INTO grades VALUES ('A')"))
        assert (await connection.execute(text("SELECT code FROM grades"))).scalar_one() == "A"
        rights = "SELECT has_table_privilege('customers', 'UPDATE'), has_table_privilege('drafts', 'DELETE')"
        assert tuple((await connection.execute(text(rights))).one()) == (False, True), "grants follow the tables' words"


async def test_two_lenders_with_only_one_migrated_answer_the_same_sql(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    """A changed column type: each process may see the old plan refused once, and then never again."""
    line = new_line(old_line, tmp_path / "new", data="ALTER TABLE customers ALTER COLUMN name TYPE varchar(200)")

    async def names(code: str) -> list[str]:
        async with place.door.enter(five[code]) as connection:
            return list((await connection.execute(text("SELECT name FROM customers"))).scalars())

    refused = 0
    for start_at in (None, "two", "five"):
        if start_at:
            await migrate_lenders(place.owner, metadata, line=line, start_at=start_at)
        for code in CODES * 2:
            try:
                assert await names(code) == ["Li"]
            except DBAPIError as error:
                refused += schema_changed(error)
                assert await names(code) == ["Li"]
    assert refused == 2, "once after each of the two migrations"


async def test_a_schema_from_the_future_is_refused(
    place: Platform, five: dict[str, Lender], old_line: Line, tmp_path: Path
) -> None:
    await migrate_lenders(place.owner, metadata, line=new_line(old_line, tmp_path / "new"))
    report = await migrate_lenders(place.owner, metadata, line=old_line)
    assert len(report.failed) == len(CODES)
    assert all(UnknownRevision.__name__ in outcome.said for outcome in report.failed)


async def test_the_catalog_migrates_once_and_keeps_its_installation(place: Platform) -> None:
    first = await migrate_catalog(place.owner, app_role="xiaodai_app", installation=place.installation)
    assert first == await migrate_catalog(place.owner, app_role="xiaodai_app", installation=place.installation)
    with pytest.raises(OtherInstallation):
        await migrate_catalog(place.owner, app_role="xiaodai_app", installation="other")
