"""When the demo cannot go on it says so in one sentence."""

import socket

import pytest

from xiaodai.cli.output import Problem
from xiaodai.demo import _as_problem, run
from xiaodai.demo.client import Refused


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Problem, match="does not answer"):
        run(f"http://127.0.0.1:{port}", operator=("nobody", "x"))


def test_a_refusal_is_told_with_its_figures() -> None:
    error = {"code": "AMOUNT_EXCEEDS_DUE", "message": "Too much.", "params": {"due": "1.00"}}
    refused = Refused("enterReceipt", [error])
    assert refused.code == "AMOUNT_EXCEEDS_DUE"
    assert refused.params == {"due": "1.00"}
    assert "enterReceipt: AMOUNT_EXCEEDS_DUE Too much." in str(_as_problem(refused))


def test_a_mistake_of_ours_stays_a_mistake() -> None:
    mistake = KeyError("x")
    assert _as_problem(mistake) is mistake
