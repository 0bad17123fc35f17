"""A small telling from nothing, against the running program: one lender, three loans, eight weeks. Then once more."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_serve_whole import Server
from tests.support.explained import walk_at
from xiaodai.demo import client, run
from xiaodai.demo.lenders import PASSWORD, YUNSHUI
from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.settings import REPOSITORY

OPERATOR = ("teller", "a password of the demo")
SMALL = replace(YUNSHUI, usual=replace(YUNSHUI.usual, opened=date(2026, 7, 21), loans=3, customers=4))
UNTIL = date(2026, 9, 12)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    EmbeddedPostgres(tmp_path).reset()


def command(home: Path, *arguments: str) -> str:
    environment = os.environ | {
        "XIAODAI_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "XIAODAI_OPERATOR_PASSWORD": OPERATOR[1],
    }  # fmt: skip
    asked = [sys.executable, "-m", "xiaodai.cli", *arguments]
    return subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout


def tell(url: str, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    run(url, operator=OPERATOR, as_json=True, plans=[SMALL], until=UNTIL)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def vat_rates(url: str) -> set[tuple[str, str]]:
    """The VAT rates that two persons have agreed on: value and first day."""
    document = '{ parameters(code: "vat_rate", first: 20) { nodes { value effectiveFrom state } } }'
    async with client.Server(url) as server:
        accountant = await server.sign_in("yunshui", "accountant", PASSWORD)
        nodes = (await accountant.ask(document))["parameters"]["nodes"]
    return {(node["value"], node["effectiveFrom"]) for node in nodes if node["state"] == "APPROVED"}


def test_a_small_telling_and_a_second_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "operator", "create", "--username", OPERATOR[0])
    server = Server(home)
    try:
        url = server.url()
        *steps, told = tell(url, capsys)
        *again, known = tell(url, capsys)
        proved = command(home, "verify")
        explained = asyncio.run(walk_at(url, "yunshui", "accountant", PASSWORD))
        taxed = asyncio.run(vat_rates(url))
    finally:
        server.end()

    assert "founded" in steps[0]["step"]
    lent = [step for step in steps if " gets " in step["step"]]
    assert [step["step"].split(":")[0] for step in lent] == ["JJ-2026-0001", "JJ-2026-0002", "JJ-2026-0003"]
    assert [step["story"] for step in steps if "story" in step] == [15] * len(SMALL.waiting)
    live = [step["step"] for step in steps if "live on the screen" in step["step"]]
    assert [("ADDED" in line, "REMOVED" in line) for line in live] == [(True, False), (False, True)]

    (lender,) = told["lenders"]
    assert lender["on"] == UNTIL.isoformat()
    assert lender["loanCount"] == 3
    assert {login["tenant"] for login in told["logins"]} == {"yunshui"}

    assert "lived through its story before" in again[0]["step"]
    assert known["lenders"] == told["lenders"]
    assert "Everything adds up: yunshui" in proved

    assert taxed >= {("0.01", "2026-07-21"), ("0.03", "2028-01-01")}, "a small-scale taxpayer"
    assert explained.failures == []
    assert explained.loans == 3
    assert explained.not_zero > 20
