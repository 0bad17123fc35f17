"""Keeps the processes of `serve` running: starts them, starts a dead one again, ends all of them in time."""

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from xiaodai.cli.output import Problem

GRACE = 8.0  # seconds for the processes to end; with the database, `serve` must be gone within 12
QUICK = 5.0  # a process that lived shorter than this did not really start
TRIES = 3
PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)


@dataclass
class Child:
    """One process: its command, its whole environment, and the sockets it inherits."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    sockets: Sequence[int] = ()
    failures: int = 0
    started_at: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor only, which then ends all in order.
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            pass_fds=self.sockets,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self.started_at = time.monotonic()

    def end(self, deadline: float) -> None:
        if self.process:
            try:
                self.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process killed", process=self.name)
                self.process.kill()
                self.process.wait()


def supervise(
    children: Sequence[Child],
    *,
    on_death: Callable[[int], None] = lambda _pid: None,
    each_turn: Callable[[], None] = lambda: None,
) -> None:
    """Runs the children until an exception (SIGTERM, Ctrl-C) passes through, then ends them within GRACE seconds.

    Raises Problem when a child ends at once, several times in a row. `on_death` gets the number of a dead process.
    """
    try:
        for child in children:
            child.start()
        while True:
            for child in children:
                if child.process and child.process.poll() is not None:
                    on_death(child.process.pid)
                    _start_again(child)
            each_turn()
            time.sleep(0.2)
    finally:
        for child in children:
            if child.process and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + GRACE
        for child in children:
            child.end(deadline)


def _start_again(child: Child) -> None:
    assert child.process
    lived = time.monotonic() - child.started_at
    child.failures = child.failures + 1 if lived < QUICK else 0
    log.error("process ended", process=child.name, exit_code=child.process.returncode, lived_seconds=round(lived, 1))
    if child.failures >= TRIES:
        raise Problem(f"The {child.name} process ends as soon as it starts; the reason is in the lines above.")
    child.start()


_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Linux: a killed supervisor takes its children with it, so that no orphan holds the port."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
