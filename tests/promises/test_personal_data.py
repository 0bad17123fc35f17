"""个人信息 · What people entrust to a lender lies in no table, log line, error or file name in plain (promises Z5, Z6)."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateways.object_storage.folder import FolderStorage
from tests.acceptance.journey import Journey, a_card, an_id_number
from tests.promises.conftest import NewJourney
from tests.promises.neighbours import OPENED, Neighbour, busy_day
from tests.support.client import Answer, Client
from tests.support.database import sql
from xiaodai.observability import configure_logging

PERSONAL = {"idNumber", "mobile", "accountNumber", "address", "legalRepresentativeIdNumber"}
WHOLE: dict[str, Any] = {
    "address": "成都市锦江区无名路九十九号", "monthlyIncome": "20000.00", "employer": "无名公司",
    "spouse": {"name": "何人", "idNumber": an_id_number(901), "mobile": "19912345678"},
    "emergencyContacts": [{"name": "某某", "relation": "朋友", "mobile": "19987654321"}],
}  # fmt: skip
ERRORS = "userErrors { code field message params }"
CREATE = f"mutation($i: CreateIndividualCustomerInput!) {{ createIndividualCustomer(input: $i) {{ {ERRORS} }} }}"
ACCOUNT = f"mutation($i: CreateCustomerAccountInput!) {{ createCustomerAccount(input: $i) {{ {ERRORS} }} }}"


class Told:
    """The personal values that clients sent, and every answer that told of an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: set[str] = set()
        self.errors: list[str] = []
        ask = Client.ask

        async def noted(client: Client, document: str, **variables: Any) -> Answer:
            self.values |= set(personal(variables))
            answer = await ask(client, document, **variables)
            payloads = [value for value in (answer.data or {}).values() if isinstance(value, dict)]
            if answer.errors or any(payload.get("userErrors") for payload in payloads):
                self.errors.append(str(answer.body))
            return answer

        monkeypatch.setattr(Client, "ask", noted)

    def found_in(self, text: str) -> list[str]:
        return sorted(value for value in self.values if value in text)


def personal(given: Any) -> Iterator[str]:
    """The personal values in the variables of a request."""
    if isinstance(given, list):
        for one in given:
            yield from personal(one)
    if isinstance(given, dict):
        for name, value in given.items():
            if name in PERSONAL and isinstance(value, str):
                yield value
            else:
                yield from personal(value)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the program would log, down to the last detail."""
    stream, root, before = io.StringIO(), logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    configure_logging("DEBUG", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


async def told_in_error(journey: Journey, loan_customer: str) -> None:
    """Requests with personal values in them that are refused, malformed or not allowed."""
    manager = journey.by("account_manager")
    person = {"name": "重复", "idNumber": an_id_number(902), "mobile": "19911112222", "regionCode": "999999"}
    for changes in (
        {},
        {},
        {"mobile": "29911112222"},
        {"idNumber": an_id_number(903)[:-1] + "?"},
        {"mobile": 19911112222},
    ):
        await manager.ask(CREATE, i=person | changes)
    await journey.by("cashier").ask(CREATE, i=person)
    card = {"customerId": loan_customer, "holder": "王芳", "bank": "无", "purposes": ["REPAYMENT"]}
    await manager.ask(ACCOUNT, i=card | {"accountNumber": a_card(903)[:-1] + "x"})
    await manager.ask(ACCOUNT, i=card | {"accountNumber": a_card(904), "holder": "别人"})
    await manager.ask("query($s: String!) { customers(filter: {idNumber: $s}) { nope } }", s=person["idNumber"])


async def tables_of(neighbour: Neighbour) -> dict[str, str]:
    """Every row of every table, as text."""
    names = list(await neighbour.fingerprint())
    return {
        name: "\n".join(str(row[0]) for row in await neighbour.sql(f"select t::text from {name} t")) for name in names
    }


async def test_nothing_personal_lies_about(
    new_journey: NewJourney, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    told = Told(monkeypatch)
    journey = await new_journey()
    neighbour = Neighbour(journey, *await busy_day(journey))
    await journey.customer("何其", **WHOLE)
    await told_in_error(journey, neighbour.loan.customer)
    await journey.close(OPENED + timedelta(days=3))
    assert len(told.values) > 20
    assert len(told.errors) > 5
    assert {
        name: told.found_in(text) for name, text in (await tables_of(neighbour)).items() if told.found_in(text)
    } == {}
    assert told.found_in("\n".join(told.errors)) == []
    structlog.get_logger(__name__).warning("the log is read", note=f"call {WHOLE['spouse']['mobile']}")
    assert "the log is read" in log.getvalue()
    assert told.found_in(log.getvalue()) == []
    assert told.found_in("\n".join(file_names(neighbour))) == []

    schema, value = journey.lender.lender.schema, min(told.values)
    sql(neighbour.lender.platform.addresses, f"update {schema}.jobs set payload = jsonb_build_object('x', '{value}');")
    planted = (await tables_of(neighbour))["jobs"]
    assert told.found_in(planted) == [value], "the scan does not see what was planted"


def file_names(neighbour: Neighbour) -> list[str]:
    storage = neighbour.lender.ports.storage
    assert isinstance(storage, FolderStorage)
    (folder,) = [value for value in vars(storage).values() if isinstance(value, Path)]
    names = [str(path) for path in folder.rglob("*")]
    assert names
    return names
