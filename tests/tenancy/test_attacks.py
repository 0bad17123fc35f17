"""The wall in the database: acting for alpha, no statement of any form reads or changes beta (promise T10).

Every attack is what an injected text could do at worst: it runs as it stands, inside alpha's open transaction. The
control runs the same attacks against a login that may become either lender; the wall must be what stops them, not the
attack's clumsiness.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from tenancy.address import driver_arguments
from tenancy.current import Lender
from tests.support.database import sql
from tests.support.lenders import Platform
from xiaodai.embedded_postgres import Addresses

TS_STAT = "(SELECT string_agg(word, ' ') FROM ts_stat('SELECT to_tsvector(''simple'', name) FROM t_beta.customers'))"

READS = {
    "name the schema": "SELECT name FROM t_beta.customers",
    "change the search path": "SET search_path = t_beta;; SELECT name FROM customers",
    "set_config": "SELECT set_config('search_path', 't_beta', false);; SELECT name FROM customers",
    "become beta by set_config": f"SELECT set_config('role', '{{beta}}', true), {TS_STAT}",
    "become beta in WHERE": f"SELECT {TS_STAT} WHERE set_config('role', '{{beta}}', true) <> ''",
    "ts_stat": f"SELECT {TS_STAT}",
    "query_to_xml": "SELECT query_to_xml('SELECT * FROM t_beta.customers', true, false, '')",
    "set role, stacked": "SET ROLE {beta};; SELECT name FROM t_beta.customers",
    "reset role, stacked": "RESET ROLE;; SELECT name FROM t_beta.customers",
    "session authorization": "SET SESSION AUTHORIZATION {beta};; SELECT name FROM t_beta.customers",
    "DO block": "DO $$ BEGIN EXECUTE 'SET ROLE {beta}'; END $$;; SELECT name FROM t_beta.customers",
    "read in a DO block": "DO $$ DECLARE n text; BEGIN SELECT name INTO n FROM t_beta.customers; RAISE '%', n; END $$",
    "statistics": "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE schemaname = 't_beta'",
    "raw statistics": "SELECT stavalues1::text FROM pg_statistic",
    "what others run": "SELECT query FROM pg_stat_activity WHERE usename <> current_user",
    "server files": "SELECT pg_read_file('postgresql.conf')",
    "the data directory": "SELECT pg_ls_dir('base')::text",
    "copy to a program": "COPY customers TO PROGRAM 'cat'",
    "large object of a file": "SELECT lo_import('/etc/hostname')",
    "passwords": "SELECT rolpassword FROM pg_authid",
    "the catalog": "SELECT code FROM catalog.lenders",
    "operators": "SELECT password_hash FROM catalog.operators",
}
CHANGES = {
    "write to beta": "INSERT INTO t_beta.customers VALUES (9, 'x')",
    "change beta": "UPDATE t_beta.customers SET name = 'x'",
    "empty beta": "TRUNCATE t_beta.customers",
    "lock beta": "LOCK TABLE t_beta.customers IN ACCESS SHARE MODE",
    "drop beta": "DROP SCHEMA t_beta CASCADE",
    "change an entry": "UPDATE entries SET amount = 1",
    "delete an entry": "DELETE FROM entries",
    "truncate entries": "TRUNCATE entries",
    "lock an entry": "SELECT * FROM entries FOR NO KEY UPDATE OF entries NOWAIT;; UPDATE entries SET id = id",
    "new table": "CREATE TABLE t_alpha.mine (id int)",
    "new table in public": "CREATE TABLE public.mine (id int)",
    "temporary table": "CREATE TEMP TABLE mine (id int)",
    "new schema": "CREATE SCHEMA mine",
    "new function": "CREATE FUNCTION t_alpha.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "alter a table": "ALTER TABLE entries DROP COLUMN amount",
    "grant to oneself": "GRANT UPDATE ON entries TO {alpha};; UPDATE entries SET amount = 1",
    "join beta": "GRANT {beta} TO {alpha}",
    "another's password": "ALTER ROLE {beta} PASSWORD 'x'",
    "more power": "ALTER ROLE {alpha} CREATEROLE",
    "new extension": "CREATE EXTENSION file_fdw",
    "the version table": "SELECT * FROM alembic_version",
    "suspend somebody": "UPDATE catalog.lenders SET status = 'SUSPENDED'",
}


async def attack(connection: asyncpg.Connection, statements: str) -> str | None:
    """What the attacker sees of the last statement that answers, or null when he is refused."""
    answer: str | None = None
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SET LOCAL search_path = t_alpha")
        for statement in statements.split(";; "):
            if statement.startswith(("SELECT", "COPY")):
                answer = str([tuple(row) for row in await connection.fetch(statement)])
            else:
                answer = await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return f"refused, yet told: {error}" if "secret" in str(error) else None
    finally:
        await transaction.rollback()
    return answer


@pytest.fixture
async def intruder(place: Platform, alpha: Lender, beta: Lender) -> AsyncIterator[asyncpg.Connection]:
    """Alpha's own login, in the hands of somebody who may send any text."""
    connection = await asyncpg.connect(**place.door._login(alpha))
    yield connection
    await connection.close()


@pytest.fixture
async def shared(
    place: Platform, alpha: Lender, beta: Lender, postgres: Addresses
) -> AsyncIterator[asyncpg.Connection]:
    """The design we refused: one login that switches to the lender's role for each transaction."""
    login = f"shared_{place.installation}"
    database = (driver_arguments(place.addresses.app))["database"]
    sql(
        postgres,
        f"CREATE ROLE {login} LOGIN NOINHERIT PASSWORD 'shared'; GRANT CONNECT ON DATABASE {database} TO {login};"
        f"GRANT {alpha.role}, {beta.role} TO {login};",
    )
    arguments = {**driver_arguments(place.addresses.app), "user": login, "password": "shared"}
    connection = await asyncpg.connect(**arguments)
    await connection.execute(f"SET ROLE {alpha.role}")
    yield connection
    await connection.close()
    sql(postgres, f"REVOKE CONNECT ON DATABASE {database} FROM {login}; DROP ROLE {login};")


@pytest.mark.parametrize("name", READS)
async def test_nothing_of_beta_is_read(intruder: asyncpg.Connection, alpha: Lender, beta: Lender, name: str) -> None:
    seen = await attack(intruder, READS[name].format(alpha=alpha.role, beta=beta.role))
    assert seen is None or ("secret" not in seen and "beta" not in seen and "catalog" not in seen), seen


@pytest.mark.parametrize("name", CHANGES)
async def test_nothing_is_changed(intruder: asyncpg.Connection, alpha: Lender, beta: Lender, name: str) -> None:
    assert await attack(intruder, CHANGES[name].format(alpha=alpha.role, beta=beta.role)) is None


@pytest.mark.parametrize("name", ["become beta by set_config", "become beta in WHERE", "set role, stacked", "DO block"])
async def test_control_a_shared_login_falls(shared: asyncpg.Connection, alpha: Lender, beta: Lender, name: str) -> None:
    seen = await attack(shared, READS[name].format(alpha=alpha.role, beta=beta.role))
    assert seen is not None
    assert "secret" in seen
    assert "beta" in seen


async def test_the_intruder_can_do_his_own_work(intruder: asyncpg.Connection) -> None:
    """Control: the connection works, so a refusal above is the wall's."""
    assert await attack(intruder, "SELECT name FROM customers") == "[('secret of alpha',)]"
    assert await attack(intruder, "UPDATE entries SET known_to = '2025-01-01'") == "UPDATE 1"


async def test_the_app_login_reads_no_lender(place: Platform, alpha: Lender) -> None:
    connection = await asyncpg.connect(**driver_arguments(place.addresses.app))
    try:
        for statement in ("SELECT * FROM t_alpha.customers", f"SET ROLE {alpha.role}", "SELECT 1 FROM t_alpha.drafts"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_grants_in_the_database_equal_the_tables_words(place: Platform, alpha: Lender) -> None:
    asked = """
        SELECT c.relname || ':' || p FROM pg_class c, unnest(array['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) p
        WHERE c.relnamespace = 't_alpha'::regnamespace AND c.relkind = 'r' AND has_table_privilege(:role, c.oid, p)
        UNION
        SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
        WHERE c.relnamespace = 't_alpha'::regnamespace AND c.relkind = 'r'
        AND has_column_privilege(:role, c.oid, a.attnum, 'UPDATE') AND NOT has_table_privilege(:role, c.oid, 'UPDATE')
    """
    async with place.owner.connect() as connection:
        found = set((await connection.execute(text(asked), {"role": alpha.role})).scalars())
    assert found == {
        *(f"customers:{right}" for right in ("SELECT", "INSERT", "UPDATE")),
        *(f"entries:{right}" for right in ("SELECT", "INSERT")),
        "entries.known_to",
        *(f"drafts:{right}" for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
    }
