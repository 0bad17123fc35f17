"""The lines as they are in the repository: what they make is what the tables say (promise U2)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain import tables
from migrations.draft import draft
from migrations.line import CATALOG, TENANT, Line
from migrations.picture import picture
from tenancy.grants import VERSION_TABLE, run_text
from tenancy.tables import metadata as catalog_metadata
from tests.support.lenders import Platform

DRAFT = "the tables have changed: run python -m migrations.draft"


@pytest.fixture
async def owner(place: Platform) -> AsyncIterator[AsyncConnection]:
    """The owner in a transaction that is thrown away."""
    async with place.owner.connect() as connection:
        yield connection
        await connection.rollback()


async def made_by_the_line(connection: AsyncConnection, line: Line, schema: str) -> list[str]:
    await run_text(connection, f"CREATE SCHEMA {schema};SET LOCAL search_path={schema};{line.text(None)}")
    return await picture(connection, schema)


async def made_by_the_tables(connection: AsyncConnection, metadata: MetaData, schema: str) -> list[str]:
    await run_text(connection, f"CREATE SCHEMA {schema};SET LOCAL search_path={schema}")
    placed = await connection.execution_options(schema_translate_map={metadata.schema: schema})
    await placed.run_sync(metadata.create_all, checkfirst=False)
    return await picture(connection, schema)


async def test_the_lenders_line_makes_the_lenders_tables(owner: AsyncConnection) -> None:
    line = await made_by_the_line(owner, TENANT, "t_line")
    assert line == await made_by_the_tables(owner, tables.metadata(), "t_tables"), DRAFT


async def test_the_catalogs_line_makes_the_catalogs_tables(owner: AsyncConnection) -> None:
    line = await made_by_the_line(owner, CATALOG, "c_line")
    assert line == await made_by_the_tables(owner, catalog_metadata, "c_tables"), DRAFT


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
async def test_alembic_finds_no_difference(owner: AsyncConnection) -> None:
    await made_by_the_line(owner, TENANT, "t_line")

    def differences(connection: Connection) -> list[object]:
        connection.dialect.default_schema_name = "t_line"
        own = {"include_name": lambda name, kind, _parents: kind != "table" or name != VERSION_TABLE}
        return list(compare_metadata(MigrationContext.configure(connection, opts=own), tables.metadata()))

    assert await owner.run_sync(differences) == [], DRAFT
    await owner.execute(text("ALTER TABLE t_line.jobs ADD COLUMN by_hand int"))
    assert len(await owner.run_sync(differences)) == 1, "control: a column more is seen"


def test_a_draft_answers_the_same_files(tmp_path: Path) -> None:
    """Drawing twice changes nothing, so a diff of the files is a diff of the tables."""
    texts = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        texts.append([file.read_text() for file in draft(tables.metadata(), folder)])
    assert texts[0] == texts[1]


@pytest.mark.parametrize("line", [CATALOG, TENANT], ids=["catalog", "tenant"])
def test_a_line_has_no_branches_and_short_names(line: Line) -> None:
    steps = line.steps(None)
    assert steps[-1] == line.head
    assert steps == sorted(steps)
    assert [file.stem for file in sorted(line.versions.glob("[0-9]*.py"))] == steps
    assert all(len(step) <= 32 for step in steps), "the version table holds 32 characters"
