"""The embedded PostgreSQL: one private server in `home/postgres`, for the demo, the tests and small installations.

Whoever needs it holds a shared file lock while using it; the last one to leave stops the server, and the kernel lets go
of the lock of whoever crashed. `start` (`db start`) leaves it running until `stop`. It listens on 127.0.0.1 only, on a
port of its own, and asks everybody for a password (scram-sha-256).
"""

import fcntl
import secrets
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from xiaodai.postgres_programs import PostgresError, PostgresPrograms
from xiaodai.settings import kept_secret

ROLES = Path(__file__).with_name("roles.sql")
PATIENCE = 10  # seconds: after a crash, left-over backends may hold the shared memory for a moment
ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # every PostgreSQL answers it with one letter, before any log-in
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True)
class Addresses:
    """Where the three logins of roles.sql connect: superuser, owner of all tables, and the requests' login."""

    admin: str
    owner: str
    app: str


class EmbeddedPostgres:
    """The server of one home. `durable=False` skips fsync: for tests, which can begin anew."""

    def __init__(self, home: Path, *, pg_bin: Path | None = None, durable: bool = True) -> None:
        self.home, self.durable = home, durable
        self.kept = home / "postgres.keep"  # a mark: keep running without users
        self.programs = PostgresPrograms(home, pg_bin)

    @property
    def folder(self) -> Path:
        return self.programs.folder

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def running(self) -> Iterator[Addresses]:
        """The server for as long as the block runs, shared with other processes of the same home."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "postgres.users").open("a") as users:
            try:
                with self._locked():
                    fcntl.flock(users, fcntl.LOCK_SH)
                    self._start()
                yield self.addresses()
            finally:
                with self._locked(), suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given to the last user only
                    if not self.kept.exists():
                        self._stop()

    def start(self) -> None:
        """Start, and leave running until `stop`."""
        with self._locked():
            self._start()
            self.kept.touch()

    def stop(self) -> None:
        with self._locked():
            self.kept.unlink(missing_ok=True)
            self._stop()

    def reset(self) -> None:
        """Stop the server and delete all its data."""
        with self._locked():
            self.kept.unlink(missing_ok=True)
            self._stop()
            self.programs.delete_folder()

    def is_running(self) -> bool:
        """Whether our server answers on its port."""
        if not (self.data / "postmaster.pid").exists():
            return False
        try:  # a connection alone proves nothing: the kernel accepts it even while the server is being killed
            with socket.create_connection(("127.0.0.1", self.port()), timeout=2) as probe:
                probe.sendall(ASK_FOR_TLS)
                return probe.recv(1) in (b"N", b"S")
        except OSError:
            return False

    def port(self) -> int:
        return int((self.folder / "port").read_text())

    def addresses(self) -> Addresses:
        def address(user: str, database: str) -> str:
            return f"postgresql+asyncpg://{user}:{self.password(user)}@127.0.0.1:{self.port()}/{database}"

        admin = address("xiaodai_admin", "postgres")
        return Addresses(admin, address("xiaodai_owner", "xiaodai"), address("xiaodai_app", "xiaodai"))

    def password(self, user: str) -> str:
        return kept_secret(self.home, f"{user}_password", lambda: secrets.token_urlsafe(24))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One starter or stopper at a time."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "postgres.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        if not self.is_running():
            self.programs.lay_out_folder()
            if not self.data.exists():
                self._initialise()
            self._launch()
        roles_made = self.folder / "roles_made"
        if not roles_made.exists():
            self._make_roles()
            roles_made.touch()

    def _initialise(self) -> None:
        """initdb into a draft that is renamed at the end: a kill half-way leaves nothing half-made."""
        draft, password_file = self.folder / "data.draft", self.folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        self.programs.hand_over(password_file)
        password_file.write_text(self.password("xiaodai_admin"))
        options = ["-U", "xiaodai_admin", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-instructions"]
        if not self.durable:
            options.append("--no-sync")
        try:
            self.programs.run("initdb", "-D", str(draft), f"--pwfile={password_file}", *options)
        finally:
            password_file.unlink()
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)
        draft.rename(self.data)

    def _launch(self) -> None:
        deadline = time.monotonic() + PATIENCE
        log = self.folder / "server.log"
        while True:
            self._forget_foreign_pid()
            options = f"-p {self._free_port()}" + ("" if self.durable else " -c fsync=off -c full_page_writes=off")
            try:
                self.programs.run("pg_ctl", "start", "-D", str(self.data), "-l", str(log), "-o", options, "-t", "60")
                return
            except PostgresError as error:
                if time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL does not start; the reason is at the end of {log}.") from error
                time.sleep(0.3)

    def _free_port(self) -> int:
        """The port kept from last time, or another one if somebody took it meanwhile."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port()))
            except (OSError, ValueError):
                probe.bind(("127.0.0.1", 0))
                (self.folder / "port").write_text(str(probe.getsockname()[1]))
        return self.port()

    def _forget_foreign_pid(self) -> None:
        """After a restart of the machine another program may bear our old server's number, which blocks a start."""
        with suppress(OSError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres":
                (self.data / "postmaster.pid").unlink()

    def _stop(self) -> None:
        """Fast first; if a client holds on, without waiting for it: the log is replayed at the next start."""
        for mode in ("fast", "immediate"):
            if (self.data / "postmaster.pid").exists():
                with suppress(PostgresError):
                    self.programs.run("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-t", "3")

    def _make_roles(self) -> None:
        passwords = [f"{name}={self.password(f'xiaodai_{name}')}" for name in ("owner", "app")]
        script = "".join(f"\\set {p.replace('=', ' ', 1)}\n" for p in passwords) + ROLES.read_text()
        self.programs.psql(self.addresses().admin, script)
