"""What `demo` does around the story: it is told beside the server, its failure is heard, a taken port does not matter."""

import threading
import time
from pathlib import Path

import pytest

from xiaodai.cli.demo import Teller, listener_for
from xiaodai.cli.output import Problem
from xiaodai.cli.serve import listening
from xiaodai.settings import Settings


def wait(teller: Teller) -> None:
    deadline = time.monotonic() + 5
    while not teller.finished():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_story_is_finished_when_it_is_told() -> None:
    gate = threading.Event()
    teller = Teller(lambda: gate.wait(5))
    assert not teller.finished()
    teller.start()
    assert not teller.finished()
    gate.set()
    wait(teller)


def test_what_goes_wrong_in_the_story_is_heard() -> None:
    def breaks() -> None:
        raise ValueError("the story broke")

    teller = Teller(breaks)
    teller.start()
    with pytest.raises(ValueError, match="the story broke"):
        wait(teller)


def test_a_taken_port_matters_only_if_it_was_asked_for(tmp_path: Path) -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        settings = Settings(home=tmp_path, port=port)
        with listener_for(settings, None) as other:
            assert other.getsockname()[1] != port
        with pytest.raises(Problem, match="choose another --port"):
            listener_for(settings, port)
