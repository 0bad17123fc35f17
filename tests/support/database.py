"""The PostgreSQL server and the databases of the tests.

The embedded server in `.xiaodai/test`, shared by all test processes and stopped by the last one; or the server of
`XIAODAI_TEST_DATABASE_URL` (a superuser's address, PostgreSQL 15 to 18). Each process gets a database of its own, named
after its process number, so several runs may go on at once.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.engine import URL, make_url

from xiaodai.embedded_postgres import ROLES, Addresses, EmbeddedPostgres
from xiaodai.postgres_programs import PostgresError, PostgresPrograms
from xiaodai.settings import Settings, default_home

HOME = default_home() / "test"
LOGINS = ("admin", "owner", "app")


@contextmanager
def server() -> Iterator[Addresses]:
    """The addresses of the three logins on the test server, which runs as long as the block does."""
    settings = Settings(home=HOME)
    embedded = EmbeddedPostgres(HOME, pg_bin=settings.pg_bin, durable=False)
    if settings.test_database_url:
        yield _logins_on(settings.test_database_url, embedded)
        return
    try:
        with embedded.running() as addresses:
            yield addresses
    except PostgresError:
        embedded.reset()  # data written without fsync does not survive every crash of the machine
        raise


def _logins_on(admin: str, passwords: EmbeddedPostgres) -> Addresses:
    """The roles of roles.sql on a server of somebody else's; their passwords are set to those this folder keeps."""
    logins = {name: passwords.password(f"xiaodai_{name}") for name in ("owner", "app")}
    setting = "".join(f"\\set {name} {password}\n" for name, password in logins.items())
    taking = "".join(f"ALTER ROLE xiaodai_{name} PASSWORD :'{name}';\n" for name in logins)
    PostgresPrograms(HOME).psql(admin, f"{setting}{ROLES.read_text()}RESET ROLE;\n{taking}")
    owner, app = (
        _text(make_url(admin).set(username=f"xiaodai_{name}", password=password, database="xiaodai"))
        for name, password in logins.items()
    )
    return Addresses(admin=admin, owner=owner, app=app)


def in_database(addresses: Addresses, name: str) -> Addresses:
    """The same three logins in another database."""
    return replace(
        addresses, **{login: _text(make_url(getattr(addresses, login)).set(database=name)) for login in LOGINS}
    )


@contextmanager
def new_database(addresses: Addresses, *, template: str = "template0", suffix: str = "") -> Iterator[Addresses]:
    """A database for this process, owned by `xiaodai_owner`, a copy of `template`; dropped at the end."""
    name = f"test_{os.getpid()}{suffix}"
    sql(addresses, _drop(name) + creation(name, template))
    try:
        yield in_database(addresses, name)
    finally:
        sql(addresses, _drop(name))


def creation(name: str, template: str = "template0") -> str:
    """The SQL that makes a database as roles.sql makes the real one."""
    return (
        f"CREATE DATABASE {name} OWNER xiaodai_owner TEMPLATE {template} STRATEGY file_copy;\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\nGRANT CONNECT ON DATABASE {name} TO xiaodai_app;\n"
    )


def drop_leftovers(addresses: Addresses) -> None:
    """Drop the databases of test processes that died without doing so."""
    for name in sql(addresses, "SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9]+';").split():
        number = re.match(r"test_(\d+)", name)
        if number and not _is_alive(int(number[1])):
            sql(addresses, _drop(name))


def sql(addresses: Addresses, script: str) -> str:
    """Run a script as administrator; answers the values, a row a line."""
    return PostgresPrograms(HOME).psql(addresses.admin, script)


def _drop(name: str) -> str:
    return f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\n"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # alive, and somebody else's
        return True
    return True


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
