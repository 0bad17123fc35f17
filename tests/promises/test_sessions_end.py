"""会话结束 · A call after the end is refused within a second, by every process of the API (promises A3, T12)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.organization.employee import EmployeeStatus
from schema.kernel.node import global_id
from tests.identity.operators import new_operator
from tests.promises.conftest import NewJourney
from tests.support.actors import PASSWORD, LenderAtWork
from tests.support.client import Client, KnownPeople, an_app, serving
from xiaodai.auth import sessions
from xiaodai.auth.operator import Tenants
from xiaodai.auth.sessions import Sessions
from xiaodai.auth.sign_in import Identity

SIGN_IN = "mutation($i: SignInInput!) { signIn(input: $i) { token userErrors { code } } }"
READ = "{ customers(first: 1) { totalCount } }"
ERRORS = "userErrors { code field message params }"


@dataclass
class TwoProcesses:
    """Two processes of the API, each with sessions, catalog and connections of its own."""

    lender: LenderAtWork
    first: Client
    second: Client

    async def signed_in(self, username: str, tenant: bool = True) -> str:
        given = {"username": username, "password": PASSWORD} | ({"tenant": self.lender.lender.code} if tenant else {})
        return str((await self.first.run(SIGN_IN, i=given))["token"])

    async def warm(self, token: str) -> None:
        """Both processes have just seen the token, and remember it."""
        for process in (self.first, self.second):
            assert (await replace(process, token=token).data(READ))["customers"]["totalCount"] == 0

    async def ends(self, token: str, code: str, within: float) -> None:
        """Both refuse the token with the code, before so many seconds are over."""
        asked = time.monotonic()
        for process in (self.first, self.second):
            while (await replace(process, token=token).ask(READ)).codes != [code]:
                assert time.monotonic() - asked < within, f"still answered after {within} s"
                await asyncio.sleep(0.02)


@pytest.fixture
async def processes(new_journey: NewJourney) -> AsyncIterator[TwoProcesses]:
    lender = (await new_journey()).lender
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            door = lender.platform.new_door(cap=5)
            stack.push_async_callback(door.close)
            known = Sessions(lender.platform.catalog, door)
            ports = replace(
                lender.ports, door=door, identity=Identity(lender.platform.catalog, known),
                provisioning=Tenants(lender.platform.catalog, wake=lambda: None),
            )  # fmt: skip
            app = an_app(ports, KnownPeople(known), catalog=lender.platform.catalog)
            clients.append(Client(await stack.enter_async_context(serving(app))))
        yield TwoProcesses(lender, *clients)


async def change(processes: TwoProcesses, mutation: str, kind: str, payload: str, **given: Any) -> None:
    """By the administrator, at the first process."""
    admin = replace(processes.first, token=await processes.signed_in("tenant_admin"))
    await admin.run(f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ {payload} {ERRORS} }} }}", i=given)


def manager_of(processes: TwoProcesses) -> str:
    return global_id("Employee", processes.lender.account_manager.actor.id)


async def test_signing_out(processes: TwoProcesses) -> None:
    token, other = [await processes.signed_in("account_manager") for _ in range(2)]
    await processes.warm(token)
    await processes.warm(other)
    await replace(processes.first, token=token).run(f"mutation {{ signOut {{ {ERRORS} }} }}")
    await processes.ends(token, "UNAUTHENTICATED", 1)
    await processes.warm(other)


@pytest.mark.parametrize("status", [EmployeeStatus.LEFT, EmployeeStatus.LOCKED])
async def test_an_employee_who_left_or_is_locked(processes: TwoProcesses, status: EmployeeStatus) -> None:
    token = await processes.signed_in("account_manager")
    await processes.warm(token)
    given = {"employeeId": manager_of(processes), "status": status.name, "expectedVersion": 1}
    await change(processes, "changeEmployeeStatus", "ChangeEmployeeStatusInput", "employee { id }", **given)
    await processes.ends(token, "UNAUTHENTICATED", 1)


async def test_a_new_password(processes: TwoProcesses) -> None:
    token = await processes.signed_in("account_manager")
    await processes.warm(token)
    given = {"employeeId": manager_of(processes), "newPassword": "another correct horse"}
    await change(processes, "resetPassword", "ResetPasswordInput", "employee { id }", **given)
    await processes.ends(token, "UNAUTHENTICATED", 1)


async def test_a_role_that_was_taken_away(processes: TwoProcesses) -> None:
    admin = replace(processes.first, token=await processes.signed_in("tenant_admin"))
    roles = (await admin.data("{ roles { id code } }"))["roles"]
    assert "AUDITOR" in [role["code"] for role in roles]
    own = {"code": "NOTHING", "name": "无", "permissions": [], "dataScope": "SELF"}
    role = await admin.run(
        f"mutation($i: CreateRoleInput!) {{ createRole(input: $i) {{ role {{ id }} {ERRORS} }} }}", i=own
    )
    token = await processes.signed_in("account_manager")
    await processes.warm(token)
    given = {"employeeId": manager_of(processes), "roleIds": [role["role"]["id"]], "expectedVersion": 1}
    await change(processes, "changeEmployeeRoles", "ChangeEmployeeRolesInput", "employee { id }", **given)
    asked = time.monotonic()
    for process in (processes.first, processes.second):
        while (await replace(process, token=token).ask(READ)).codes not in (["FORBIDDEN"], ["UNAUTHENTICATED"]):
            assert time.monotonic() - asked < 1
            await asyncio.sleep(0.02)


async def test_a_lender_that_is_suspended(processes: TwoProcesses) -> None:
    token = await processes.signed_in("account_manager")
    await processes.warm(token)
    operator = await processes.signed_in(await new_operator(processes.lender.platform), tenant=False)
    suspend = f"mutation($i: TenantActionInput!) {{ suspendTenant(input: $i) {{ tenant {{ status }} {ERRORS} }} }}"
    given = {"tenantId": global_id("Tenant", processes.lender.lender.id), "reason": "欠费"}
    await replace(processes.first, token=operator).run(suspend, i=given)
    await processes.ends(token, "UNAUTHENTICATED", 5)


async def test_a_long_memory_is_found_out(processes: TwoProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "REMEMBERED_SECONDS", 60)
    token = await processes.signed_in("account_manager")
    await processes.warm(token)
    await replace(processes.first, token=token).run(f"mutation {{ signOut {{ {ERRORS} }} }}")
    with pytest.raises(AssertionError, match="still answered"):
        await processes.ends(token, "UNAUTHENTICATED", 1)
