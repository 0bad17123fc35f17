"""主流程 · A lender provisioned over GraphQL lives through the main journey against the running program, with S01's figures.

Everything goes over HTTP to `serve` (two API processes, the worker, the simulated bank): operator, provisioning, people,
customer, application, approval, contract, pay-out, a late receipt, its reversal, a waiver, end of days.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.journey import ERRORS, Journey
from tests.cli.test_serve_whole import Server
from tests.support.client import Client
from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.settings import REPOSITORY

OPERATOR, PASSWORD = "operator", "a password of this story"
SIGN_IN = "mutation($i: SignInInput!) { signIn(input: $i) { token userErrors { code } } }"
ROLES = ("account_manager", "business_manager", "risk_officer", "general_manager", "cashier", "accountant")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The address of a running program in a home of its own, with an operator."""
    environment = os.environ | {
        "XIAODAI_HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY), "XIAODAI_OPERATOR_PASSWORD": PASSWORD,
    }  # fmt: skip
    create = [sys.executable, "-m", "xiaodai.cli", "operator", "create", "--username", OPERATOR]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    server = Server(tmp_path)
    try:
        yield server.url()
    finally:
        server.end()
        EmbeddedPostgres(tmp_path).reset()


@dataclass
class Screens:
    """Who has signed in, by role; stands where the tests' own application would."""

    http: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, name: str, username: str, tenant: str | None = None) -> Client:
        given = {"tenant": tenant, "username": username, "password": PASSWORD}
        self.tokens[name] = (await Client(self.http).data(SIGN_IN, i=given))["signIn"]["token"]
        return self.as_(name)

    def as_(self, name: str) -> Client:
        return Client(self.http, self.tokens[name])


class RemoteJourney(Journey):
    """The same journey where the program does its own work."""

    async def work(self) -> None:
        await asyncio.sleep(1.5)  # the bank decides within a second

    async def close(self, through: Any) -> Any:
        return await self.by("tenant_admin").run(
            "mutation($i: RunEndOfDayInput!) { runEndOfDay(input: $i) { businessDate days { date state becameOverdue "
            f"ledgerBalanced }} {ERRORS} }} }}",
            i={"through": str(through)},
        )


async def a_lender(screens: Screens) -> None:
    """Provisioned by the operator; its administrator takes on a person for each role."""
    operator = await screens.sign_in("operator", OPERATOR)
    provisioned = await operator.run(
        f"mutation($i: ProvisionTenantInput!) {{ provisionTenant(input: $i) {{ tenant {{ status businessDate }} {ERRORS} }} }}",
        i={"code": "first", "name": "第一小额贷款有限公司", "netAssets": "200000000.00", "openOn": "2026-01-15",
           "adminUsername": "boss", "adminPassword": PASSWORD, "sandbox": True},
    )  # fmt: skip
    assert provisioned["tenant"] == {"status": "ACTIVE", "businessDate": "2026-01-15"}
    admin = await screens.sign_in("tenant_admin", "boss", "first")
    found = await admin.data("{ departments { id } roles { id code } }")
    ids = {role["code"]: role["id"] for role in found["roles"]}
    for name in ROLES:
        await admin.run(
            f"mutation($i: CreateEmployeeInput!) {{ createEmployee(input: $i) {{ employee {{ id }} {ERRORS} }} }}",
            i={"name": name, "departmentId": found["departments"][0]["id"], "roleIds": [ids[name.upper()]],
               "username": name, "initialPassword": PASSWORD},
        )  # fmt: skip
        await screens.sign_in(name, name, "first")


async def test_a_lender_lives_through_the_main_journey(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=90) as http:
        screens: Any = Screens(http)
        await a_lender(screens)
        journey = RemoteJourney(screens, lender=None)  # type: ignore[arg-type]
        loan = await journey.paid()
        rows = await journey.installments(loan.id)
        assert sum(int(row["interest"].replace(".", "")) for row in rows) == 661853
        assert (rows[0]["principal"], rows[0]["interest"]) == ("7884.88", "1000.00")

        closed = await journey.close("2026-03-06")
        assert [day["date"] for day in closed["days"]][-1] == "2026-03-06"
        assert all(day["ledgerBalanced"] for day in closed["days"])
        assert sum(day["becameOverdue"] for day in closed["days"]) == 1
        receipt = await journey.received(loan.id, "8884.88", "2026-03-07")
        assert {line["component"]: line["amount"] for line in receipt["allocation"]} == {
            "PENALTY": "78.85", "COMPOUND": "10.00", "INTEREST": "1000.00", "PRINCIPAL": "7796.03",
        }  # fmt: skip

        before = await journey.position(loan.id, "2026-03-06")
        await journey.act("accountant", "requestReceiptReversal", "receipt { state }", receiptId=receipt["id"])
        await journey.decide("general_manager", receipt["id"])
        assert await journey.position(loan.id, "2026-03-06") == before
        assert (await journey.position(loan.id))["daysPastDue"] == 20

        waiver = await journey.act(
            "account_manager", "requestInterestWaiver", "waiver { id }",
            loanId=loan.id, component="INTEREST", installmentSeq=3, ratio="0.5", reason="住院",
        )  # fmt: skip
        await journey.decide("business_manager", waiver["id"])
        assert (await journey.installments(loan.id))[2]["unpaidInterest"] == "420.75"
        assert all(day["ledgerBalanced"] for day in (await journey.close("2026-03-07"))["days"])
