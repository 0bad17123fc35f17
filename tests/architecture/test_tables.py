"""The rules for tables (design.md §2): what would break between schemas, or on a cluster, is refused here.

Looked at in the database itself, after the lenders' line of migrations has run, so nothing a migration does escapes.
"""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain import tables
from migrations.line import TENANT
from tenancy.grants import run_text
from tests.support.lenders import platform_of_my_own
from xiaodai.embedded_postgres import Addresses

RULES = {
    "native enums": "SELECT typname FROM pg_type WHERE typtype = 'e' AND typnamespace = 't_x'::regnamespace",
    "domains": "SELECT typname FROM pg_type WHERE typtype = 'd' AND typnamespace = 't_x'::regnamespace",
    "composite types": """SELECT typname FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid
        WHERE c.relkind = 'c' AND typnamespace = 't_x'::regnamespace""",
    "triggers": """SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT tgisinternal AND c.relnamespace = 't_x'::regnamespace""",
    "rules": """SELECT rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        WHERE c.relnamespace = 't_x'::regnamespace""",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = 't_x'::regnamespace",
    "identity columns": """SELECT relname || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE attidentity <> '' AND c.relnamespace = 't_x'::regnamespace""",
    "sequences, views and other kinds": """SELECT relname FROM pg_class
        WHERE relkind NOT IN ('r', 'i') AND relnamespace = 't_x'::regnamespace""",
    "foreign keys into another schema": """SELECT conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
        WHERE c.relnamespace = 't_x'::regnamespace AND f.relnamespace <> c.relnamespace""",
    "tables without a primary key": """SELECT relname FROM pg_class c WHERE relkind = 'r'
        AND relnamespace = 't_x'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')""",
    "foreign keys that delete rows of append-only tables": """SELECT conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid
        WHERE contype = 'f' AND confdeltype <> 'a' AND c.relname = ANY(:append_only)
        AND c.relnamespace = 't_x'::regnamespace""",
    "floating point columns": """SELECT relname || '.' || attname FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'r' AND c.relnamespace = 't_x'::regnamespace
        AND atttypid IN ('real'::regtype, 'double precision'::regtype, 'money'::regtype)""",
    "moments without a time zone": """SELECT relname || '.' || attname FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'r' AND c.relnamespace = 't_x'::regnamespace
        AND atttypid = 'timestamp'::regtype""",
    "database defaults that differ by lender": """SELECT relname || '.' || attname FROM pg_attrdef d
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum JOIN pg_class c ON c.oid = d.adrelid
        WHERE c.relnamespace = 't_x'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) ~ 'nextval|t_x[.]'""",
    "tables outside the lender's schema": """SELECT relname FROM pg_class WHERE relkind IN ('r', 'S', 'v')
        AND relnamespace NOT IN ('t_x'::regnamespace, 'catalog'::regnamespace, 'pg_catalog'::regnamespace,
        'information_schema'::regnamespace) AND relnamespace::regnamespace::text NOT LIKE 'pg_toast%'""",
}
PLANTED = {
    "native enums": "CREATE TYPE colour AS ENUM ('red')",
    "domains": "CREATE DOMAIN amount AS numeric(18, 2)",
    "composite types": "CREATE TYPE pair AS (a int, b int)",
    "triggers": """CREATE FUNCTION elsewhere.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER late AFTER INSERT ON jobs EXECUTE FUNCTION elsewhere.f()""",
    "rules": "CREATE RULE quiet AS ON DELETE TO jobs DO INSTEAD NOTHING",
    "functions": "CREATE FUNCTION t_x.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "identity columns": "CREATE TABLE planted (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
    "sequences, views and other kinds": "CREATE MATERIALIZED VIEW planted AS SELECT 1 AS one",
    "foreign keys into another schema": "CREATE TABLE planted (id uuid PRIMARY KEY REFERENCES catalog.lenders)",
    "tables without a primary key": "CREATE TABLE planted (id int)",
    "foreign keys that delete rows of append-only tables": """CREATE TABLE planted (id uuid PRIMARY KEY);
        ALTER TABLE audit_entries ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES planted ON DELETE CASCADE""",
    "floating point columns": "CREATE TABLE planted (id int PRIMARY KEY, amount float)",
    "moments without a time zone": "CREATE TABLE planted (id int PRIMARY KEY, at timestamp)",
    "database defaults that differ by lender": "CREATE TABLE planted (id serial PRIMARY KEY)",
    "tables outside the lender's schema": "CREATE TABLE elsewhere.planted (id int PRIMARY KEY)",
}


@pytest.fixture(scope="module")
async def schema(postgres: Addresses) -> AsyncIterator[AsyncConnection]:
    """A lender's schema as the migrations make it, in a transaction that is thrown away."""
    async with platform_of_my_own(postgres) as place, place.owner.connect() as connection:
        await run_text(
            connection, f"CREATE SCHEMA elsewhere;CREATE SCHEMA t_x;SET LOCAL search_path=t_x;{TENANT.text(None)}"
        )
        await connection.exec_driver_sql("SET LOCAL search_path=t_x")
        yield connection
        await connection.rollback()


async def broken(connection: AsyncConnection, rule: str) -> list[str]:
    append_only = [table.name for table in tables.metadata().sorted_tables if table.info["grants"] == "append"]
    values = {"append_only": append_only} if ":append_only" in RULES[rule] else {}
    query = text(RULES[rule].replace("typname FROM", "typname::text FROM"))
    return [str(name) for name in (await connection.execute(query, values)).scalars()]


@pytest.mark.parametrize("rule", RULES)
async def test_no_table_breaks_a_rule(schema: AsyncConnection, rule: str) -> None:
    assert await broken(schema, rule) == []


@pytest.mark.parametrize("rule", RULES)
async def test_control_each_rule_sees_what_it_forbids(schema: AsyncConnection, rule: str) -> None:
    savepoint = await schema.begin_nested()
    await run_text(schema, PLANTED[rule])
    assert await broken(schema, rule) != []
    await savepoint.rollback()


def test_names_are_unqualified_and_say_their_rights() -> None:
    for table in tables.metadata().sorted_tables:
        assert table.schema is None, table.name
        assert table.info["grants"] in ("change", "append", "all"), table.name
        assert set(table.info["closable"]) <= set(table.columns.keys()), table.name
        assert not table.info["closable"] or table.info["grants"] == "append", table.name


def test_every_choice_is_text_with_a_check() -> None:
    for table in tables.metadata().sorted_tables:
        for column in table.columns:
            if hasattr(column.type, "native_enum"):
                assert not column.type.native_enum, f"{table.name}.{column.name}"
                assert column.type.create_constraint, f"{table.name}.{column.name}"
