"""`serve` keeps its processes running, keeps the owner's login from them, and ends in time."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from xiaodai import api_process
from xiaodai.cli.output import Problem, Terminated
from xiaodai.cli.serve import ReadyOnce, listening, processes
from xiaodai.cli.supervisor import Child, supervise
from xiaodai.settings import REPOSITORY, Settings

TINY = "tests.cli.tiny:create_app"


class Enough(Exception):
    """Ends the supervisor, as SIGTERM does."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listening("127.0.0.1", 0) as opened:
        yield opened


def api(listener: socket.socket, name: str = "API") -> Child:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return Child(name, api_process.command(listener, TINY, "auto"), environment, [listener.fileno()])


def url(listener: socket.socket, path: str = "/") -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}{path}"


def until(condition: Callable[[], bool]) -> Callable[[], None]:
    """A turn of the supervisor that raises Enough when the condition holds, and fails after 20 s."""
    deadline = time.monotonic() + 20

    def turn() -> None:
        if condition():
            raise Enough
        assert time.monotonic() < deadline

    return turn


def test_it_says_ready_once_and_ends_its_processes(listener: socket.socket) -> None:
    said: list[str] = []
    child = api(listener)
    ready = ReadyOnce(listener, lambda: said.append(httpx.get(url(listener)).text.split()[0]))

    def twice() -> bool:
        ready()
        ready()
        return bool(said)

    with pytest.raises(Enough):
        supervise([child], each_turn=until(twice))
    assert child.process
    assert said == [str(child.process.pid)]
    assert child.process.returncode == -signal.SIGTERM  # uvicorn ends in order, then tells what made it end


def test_a_dead_process_is_started_again(listener: socket.socket) -> None:
    child, seen, dead = api(listener), [], []

    def killed_and_back() -> bool:
        if not ReadyOnce(listener, lambda: None).answered():
            return False
        number = int(httpx.get(url(listener)).text.split()[0])
        if number not in seen:
            seen.append(number)
            if len(seen) == 1:
                os.kill(number, signal.SIGKILL)
        return len(seen) == 2

    with pytest.raises(Enough):
        supervise([child], on_death=dead.append, each_turn=until(killed_and_back))
    assert dead == seen[:1]


def test_a_process_that_cannot_start_is_given_up() -> None:
    with pytest.raises(Problem, match="broken process ends as soon as it starts"):
        supervise([Child("broken", [sys.executable, "-c", "raise SystemExit(7)"], dict(os.environ))])


def test_a_running_request_is_answered_at_the_end(listener: socket.socket) -> None:
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(httpx.get(url(listener, "/slow"), timeout=9).status_code))
    ready = ReadyOnce(listener, asking.start)
    asked_at: list[float] = []

    def asked() -> bool:
        ready()
        if ready.done and not asked_at:
            asked_at.append(time.monotonic())
        return bool(asked_at) and time.monotonic() - asked_at[0] > 0.4

    with pytest.raises(Enough):
        supervise([api(listener)], each_turn=until(asked))
    asking.join()
    assert answers == [200]


def test_a_process_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xiaodai.cli.supervisor.GRACE", 1.0)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = Child("deaf", [sys.executable, "-c", deaf], dict(os.environ))
    begun = time.monotonic()
    with pytest.raises(Enough):
        supervise([child], each_turn=until(lambda: time.monotonic() - begun > 1))
    assert child.process
    assert child.process.returncode == -signal.SIGKILL
    assert time.monotonic() - begun < 4


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_a_killed_supervisor_leaves_no_orphans(listener: socket.socket) -> None:
    program = (
        "import sys; from xiaodai.cli.supervisor import Child, supervise\n"
        "child = Child('sleeper', [sys.executable, '-c', 'import time; time.sleep(60)'], {})\n"
        "supervise([child], each_turn=lambda: print(child.process.pid, flush=True))"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert supervisor.stdout
    number = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.communicate()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{number}/cmdline").exists() and Path(f"/proc/{number}/cmdline").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_the_worker_gets_the_owners_login(listener: socket.socket, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XIAODAI_OWNER_DATABASE_URL", "postgresql://xiaodai_owner:secret@127.0.0.1/xiaodai")
    monkeypatch.setenv("XIAODAI_OPERATOR_PASSWORD", "correct horse battery")
    settings = Settings(home=tmp_path, database_url="postgresql://xiaodai_app:x@127.0.0.1/xiaodai", workers=2)
    with listening("127.0.0.1", 0) as bank:
        children = processes(settings, listener, bank, tmp_path)
    assert [child.name for child in children] == ["API 1", "API 2", "job worker", "bank simulator"]
    told = {child.name for child in children if "xiaodai_owner" in str(child.environment)}
    assert told == {"job worker"}
    assert not any("correct horse battery" in str(child.environment) for child in children)
    bank_sees = {name for name in children[-1].environment if name.startswith("XIAODAI_")}
    assert bank_sees == {f"XIAODAI_{name}" for name in ("HOME", "LOG_LEVEL", "BANK_SIMULATOR_FILE", "BANK_SECRET")}


def test_a_taken_port_gets_one_sentence(listener: socket.socket) -> None:
    with pytest.raises(Problem, match="choose another --port"):
        listening("127.0.0.1", listener.getsockname()[1])


def test_sigterm_unwinds() -> None:
    program = (
        "import signal, os; from xiaodai.cli import _end_orderly\n"
        "signal.signal(signal.SIGTERM, _end_orderly)\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\nfinally:\n    print('cleaned up')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout == "cleaned up\n"
    assert done.returncode == Terminated(128 + signal.SIGTERM).code
