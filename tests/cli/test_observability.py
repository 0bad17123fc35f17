"""Nothing personal gets into a log line, wherever it stands."""

import io
import json
import logging

import pytest
import structlog

from xiaodai.observability import OPERATIONS, configure_logging, masked, metrics, without_personal_data


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("call 13812345678 now", "call 138****5678 now"),
        ("call +8613812345678", "call +86138****5678"),
        ("身份证510107199003071234不对", "身份证****1234不对"),
        ("账号6222021234567890123", "账号****0123"),
        ("bad id 51010719900307123X.", "bad id ****123X."),
        ("amount 1234567890.12 of loan JK20250101000001", "amount 1234567890.12 of loan JK20250101000001"),
        ("0193a5b2-7c4d-7e8f-9a0b-138123456789", "0193a5b2-7c4d-7e8f-9a0b-138123456789"),
    ],
)
def test_what_looks_personal_is_masked(text: str, seen: str) -> None:
    assert masked(text) == seen


def test_personal_keys_are_dropped_at_any_depth() -> None:
    event = {
        "event": "x",
        "amount": 12,
        "input": {"initialPassword": "p", "items": [{"borrower_mobile": "1", "note": "13812345678"}]},
        "accountNumber": "62",
    }
    assert without_personal_data(None, "info", event) == {
        "event": "x",
        "amount": 12,
        "input": {"initialPassword": "[hidden]", "items": [{"borrower_mobile": "[hidden]", "note": "138****5678"}]},
        "accountNumber": "[hidden]",
    }


def test_numbers_are_masked_too() -> None:
    assert without_personal_data(None, "info", {"who": 13812345678})["who"] == "138****5678"


def test_lines_are_json_and_clean_also_in_tracebacks_and_for_libraries() -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        configure_logging("INFO", stream)
        structlog.get_logger("ours").info("paid", token="xd_secret", loan="L1")
        try:
            raise ValueError("no such customer 510107199003071234")
        except ValueError:
            logging.getLogger("library").exception("failed for %s", "13812345678")
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["token"], ours["loan"], ours["level"]) == ("paid", "[hidden]", "L1", "info")
    assert theirs["event"] == "failed for 138****5678"
    assert "ValueError" in theirs["exception"]
    assert "510107199003071234" not in stream.getvalue()


def test_metrics_are_shown() -> None:
    OPERATIONS.labels(kind="query", outcome="ok").inc()
    text, kind = metrics()
    assert b'xiaodai_operations_total{kind="query",outcome="ok"}' in text
    assert kind.startswith("text/plain")
