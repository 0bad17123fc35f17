"""The embedded server: starts, is shared, survives kill -9, asks for a password, leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.postgres_programs import PostgresError, PostgresPrograms


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(tmp_path / "home", durable=False)
    yield embedded
    embedded.reset()
    assert not embedded.is_running()


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_three_logins_with_the_rights_of_the_tenancy_page(server: EmbeddedPostgres) -> None:
    with server.running() as addresses:
        assert await value(addresses.admin, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        rights = "SELECT (rolsuper, rolcreaterole, rolinherit)::text FROM pg_roles WHERE rolname = current_user"
        assert await value(addresses.owner, rights) == "(f,t,f)"
        assert await value(addresses.app, rights) == "(f,f,f)"
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert await value(addresses.app, owner) == "xiaodai_owner"
        assert await value(addresses.app, "SELECT has_schema_privilege('public', 'USAGE')") is False
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await value(addresses.app, "CREATE TABLE public.t (i int)")


async def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    with server.running() as addresses, pytest.raises(asyncpg.InvalidPasswordError):
        await value(addresses.app.replace(server.password("xiaodai_app"), "wrong"), "SELECT 1")


async def test_data_and_port_stay_from_start_to_start(server: EmbeddedPostgres) -> None:
    with server.running() as addresses:
        await value(addresses.admin, "CREATE TABLE kept AS SELECT 7 AS n")
        port = server.port()
    assert not server.is_running()
    with server.running() as addresses:
        assert await value(addresses.admin, "SELECT n FROM kept") == 7
        assert server.port() == port


async def test_a_taken_port_is_replaced(server: EmbeddedPostgres) -> None:
    with server.running():
        port = server.port()
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    async with listener:
        with server.running() as addresses:
            assert server.port() != port
            assert await value(addresses.app, "SELECT 1") == 1


async def test_the_server_comes_back_after_kill_9(server: EmbeddedPostgres) -> None:
    with server.running() as addresses:
        await value(addresses.admin, "CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        started = time.monotonic()
        with server.running() as again:
            assert await value(again.admin, "SELECT n FROM kept") == 7
        assert time.monotonic() - started < 10


def test_a_foreign_process_with_the_old_number_does_not_block(server: EmbeddedPostgres) -> None:
    with server.running():
        pass
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n1\n")
    with server.running():
        assert server.is_running()


def test_the_last_user_stops_it(server: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(server.home, durable=False)
    with server.running():
        with other.running():
            pass
        assert server.is_running()
    assert not server.is_running()


def test_a_killed_user_does_not_keep_it_running(server: EmbeddedPostgres) -> None:
    program = (
        "import sys; from pathlib import Path; from xiaodai.embedded_postgres import EmbeddedPostgres\n"
        "with EmbeddedPostgres(Path(sys.argv[1]), durable=False).running(): print('up', flush=True); sys.stdin.read()"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", program, str(server.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "up\n"
    user.kill()
    user.communicate()
    assert server.is_running()
    with server.running():
        pass
    assert not server.is_running()


def test_start_keeps_it_until_stop(server: EmbeddedPostgres) -> None:
    server.start()
    with server.running():
        pass
    assert server.is_running()
    server.stop()
    assert not server.is_running()


def test_two_homes_run_at_once(server: EmbeddedPostgres, tmp_path: Path) -> None:
    other = EmbeddedPostgres(tmp_path / "other", durable=False)
    try:
        with server.running() as here, other.running() as there:
            assert here.app != there.app
            assert server.port() != other.port()
    finally:
        other.reset()


def test_secrets_are_for_the_owner_only(server: EmbeddedPostgres) -> None:
    with server.running():
        modes = {path.name: path.stat().st_mode & 0o777 for path in (server.home / "secrets").iterdir()}
    assert modes == {f"xiaodai_{name}_password": 0o600 for name in ("admin", "owner", "app")}


def test_programs_that_are_not_there_get_a_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="XIAODAI_PG_BIN"):
        PostgresPrograms(tmp_path, pg_bin=tmp_path / "nowhere").run("initdb")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_programs_the_account_cannot_reach_are_copied(server: EmbeddedPostgres, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir(mode=0o700)
    wheel = PostgresPrograms(server.home)._find().parent.parent  # whether the account can reach it or not
    for name in (wheel.name, f"{wheel.name}.libs"):
        (packages / name).symlink_to(wheel.parent / name)
    closed = EmbeddedPostgres(server.home, pg_bin=packages / wheel.name / "pginstall18" / "bin", durable=False)
    with closed.running():
        assert closed.programs.bin.is_relative_to(closed.folder)
