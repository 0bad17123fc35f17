"""`serve` as a whole, as an operator runs it: ready from nothing, two at once, gone 12 s after SIGTERM."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.settings import REPOSITORY


class Server:
    """One `serve` in a home of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.database = EmbeddedPostgres(home)
        command = [sys.executable, "-m", "xiaodai.cli", "serve", "--port", "0", "--json", *options]
        environment = os.environ | {"XIAODAI_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(command, env=environment, cwd="/", stdout=subprocess.PIPE, text=True)

    def url(self) -> str:
        assert self.process.stdout
        return str(json.loads(self.process.stdout.readline())["url"])

    def end(self) -> float:
        """SIGTERM; the seconds until it is gone."""
        asked = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return time.monotonic() - asked


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[Path]]:
    folders = [tmp_path / "one", tmp_path / "two"]
    yield folders
    for folder in folders:
        EmbeddedPostgres(folder).reset()


def test_two_homes_serve_at_once_and_end_in_time(homes: list[Path]) -> None:
    servers = [Server(home) for home in homes]
    try:
        started = time.monotonic()
        urls = [server.url() for server in servers]
        assert time.monotonic() - started < 60
        assert len(set(urls)) == 2
        for url in urls:
            assert httpx.get(f"{url}/healthz").status_code == 200
            assert httpx.get(f"{url}/readyz").status_code == 200
            metrics = httpx.get(f"{url}/metrics")
            assert metrics.status_code == 200
            assert "xiaodai_" in metrics.text
            assert "server" not in metrics.headers
    finally:
        seconds = [server.end() for server in servers]
    assert max(seconds) < 12
    assert [server.process.returncode for server in servers] == [0, 0]
    assert not any(server.database.is_running() for server in servers)
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz")
