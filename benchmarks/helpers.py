"""帮手 · Real workers beside the measuring process, as many as the machine of the measurement is to have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, STDOUT, Popen
from threading import Thread

from xiaodai.settings import REPOSITORY, Settings

READY = "the worker is ready"


@contextmanager
def workers(settings: Settings, count: int) -> Iterator[None]:
    """Job workers over the database of these settings, ready to work, for as long as the block runs."""
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "XIAODAI_HOME": str(settings.home),
        "XIAODAI_DATABASE_URL": str(settings.database_url),
        "XIAODAI_OWNER_DATABASE_URL": str(settings.owner_database_url),
    }
    command = [sys.executable, "-m", "xiaodai.jobs.worker"]
    started = [_begun(command, environment) for _ in range(count)]
    for process in started:
        _wait_for(process)
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=20)


def _begun(command: list[str], environment: dict[str, str]) -> Popen[str]:
    return Popen(command, env=environment, stdout=PIPE, stderr=STDOUT, text=True)


def _wait_for(process: Popen[str]) -> None:
    """Until it says that it is ready; what it says later is read and forgotten, so that it never waits for us."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if READY in line:
            Thread(target=process.stdout.read, daemon=True).start()
            return
    raise RuntimeError("a worker did not start: " + "".join(said[-5:]))
