"""Real API processes, started as `serve` starts them, over the database of the tests; each on a port of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette

from tests.support.lenders import MASTER_SECRET, Platform
from xiaodai import api_process
from xiaodai.app import create_app as application
from xiaodai.cli.serve import listening
from xiaodai.settings import REPOSITORY, get_settings

INSTALLATION = "TESTS_INSTALLATION"  # those of tests may be longer than a setting allows


def create_app() -> Starlette:
    """The real application, as a member of the test's installation. Runs in the process that was started."""
    return application(get_settings().model_copy(update={"given_installation": os.environ[INSTALLATION]}))


@dataclass
class Process:
    """One process that answers."""

    port: int
    running: subprocess.Popen[bytes]

    def client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A client that comes from an address of the loopback network."""
        transport = httpx.AsyncHTTPTransport(local_address=address)
        return httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def kill(self) -> None:
        """As a crash or the kernel would."""
        self.running.kill()
        self.running.wait()


@contextmanager
def processes(place: Platform, home: Path, count: int, **settings: object) -> Iterator[list[Process]]:
    """So many that answer `/readyz`; `settings` as in xiaodai.settings."""
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "XIAODAI_HOME": str(home),
        "XIAODAI_DATABASE_URL": place.addresses.app,
        "XIAODAI_MASTER_SECRET": MASTER_SECRET.decode(),
        INSTALLATION: place.installation,
    }
    environment |= {f"XIAODAI_{name.upper()}": str(value) for name, value in settings.items()}
    started: list[Process] = []
    try:
        for _ in range(count):
            with listening("127.0.0.1", 0) as listener:
                command = api_process.command(listener, f"{__name__}:create_app")
                running = subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()])
                started.append(Process(listener.getsockname()[1], running))
        for process in started:
            wait_until_ready(process)
        yield started
    finally:
        for process in started:
            process.running.terminate()
        for process in started:
            process.running.wait(timeout=15)


def wait_until_ready(process: Process, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        assert process.running.poll() is None, "the process ended at its start"
        assert time.monotonic() < deadline, "the process does not get ready"
        try:
            if httpx.get(f"http://127.0.0.1:{process.port}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
