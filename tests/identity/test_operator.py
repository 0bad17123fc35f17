"""Operators of the platform: they sign in without a lender, provision, suspend and list lenders, and see nothing inside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select

from domain.kernel.context import SYSTEM, Context, Request
from domain.kernel.paging import Window
from domain.kernel.ports import Ports
from domain.kernel.refusals import (
    BadCredentials,
    BadInput,
    Duplicate,
    InvalidAmount,
    InvalidInput,
    NotFound,
    WeakPassword,
)
from domain.kernel.table import uuid7
from domain.organization.role import BUILT_IN, Role
from tenancy.catalog import new_id
from tenancy.provision import Blueprint, carry_out_next
from tenancy.tables import operator_actions, provisioning_requests
from tests.identity.operators import new_operator
from tests.support.actors import PASSWORD, LenderAtWork
from tests.support.lenders import MASTER_SECRET, Platform
from xiaodai.auth import operator as operator_module
from xiaodai.auth.operator import Tenants
from xiaodai.auth.sessions import OPERATOR_TOKEN, Caller, Sessions
from xiaodai.auth.sign_in import Identity


@pytest.fixture
async def username(place: Platform) -> str:
    return await new_operator(place)


@pytest.fixture
def sessions(place: Platform) -> Sessions:
    return Sessions(place.catalog, place.door)


@pytest.fixture
def identity(place: Platform, sessions: Sessions) -> Identity:
    return Identity(place.catalog, sessions)


@pytest.fixture
async def operator(identity: Identity, username: str) -> Caller:
    return (await identity.sign_in_operator(username, PASSWORD)).caller


@asynccontextmanager
async def a_worker(place: Platform, blueprint: Blueprint) -> AsyncIterator[Callable[[], None]]:
    """What the worker does when it is woken."""
    woken = asyncio.Event()

    async def work() -> None:
        while True:
            await woken.wait()
            woken.clear()
            while await carry_out_next(place.owner, blueprint, master_secret=MASTER_SECRET):
                pass

    running = asyncio.create_task(work())
    try:
        yield woken.set
    finally:
        running.cancel()


def a_wish(**changes: Any) -> dict[str, Any]:
    usual = {
        "code": f"new{new_id().hex[-10:]}",
        "name": "锦江惠民小额贷款有限公司",
        "licence_type": "TRADITIONAL",
        "net_assets": Decimal("200000000.00"),
        "open_on": date(2025, 1, 1),
        "admin_username": "Admin",
        "admin_password": PASSWORD,
        "sandbox": True,
    }
    return {**usual, **changes}


async def test_an_operator_signs_in_without_a_lender(identity: Identity, sessions: Sessions, username: str):
    signed_in = await identity.sign_in_operator(username, PASSWORD)
    assert OPERATOR_TOKEN.fullmatch(signed_in.token)
    caller = await sessions.resolve(signed_in.token)
    assert caller is not None
    assert (caller.lender, caller.actor.name) == (None, username)
    assert caller.actor.may("identity.tenant.provision")
    inside = {name for name in caller.actor.permissions if not name.startswith("identity.")}
    assert inside <= {"configuration.api.introspect"}
    await identity.sign_out(Ports(door=None, keys=None), Request(), caller)  # type: ignore[arg-type]  # no lender is touched
    assert await sessions.resolve(signed_in.token) is None


async def test_what_is_wrong_answers_alike_and_five_times_locks(identity: Identity, username: str):
    for name in (username, "nobody"):
        for _ in range(5):
            with pytest.raises(BadCredentials):
                await identity.sign_in_operator(name, "a wrong password")
    with pytest.raises(BadCredentials):
        await identity.sign_in_operator(username, PASSWORD)


async def test_tries_at_once_all_count(identity: Identity, place: Platform, username: str):
    wrong = (identity.sign_in_operator(username, "a wrong password") for _ in range(8))
    await asyncio.gather(*wrong, return_exceptions=True)
    found = await place.catalog.find_operator(username)
    assert found is not None
    assert found.locked_until is not None


async def test_a_new_lender_is_ready_when_it_answers(
    place: Platform, blueprint: Blueprint, operator: Caller, ports: Ports, identity: Identity, sessions: Sessions
):
    async with a_worker(place, blueprint) as wake:
        wish = a_wish()
        made = await Tenants(place.catalog, wake).provision(operator.actor, **wish)
        with pytest.raises(Duplicate):
            await Tenants(place.catalog, wake).provision(operator.actor, **wish)
    assert (made.code, made.name, made.status, made.sandbox) == (wish["code"], wish["name"], "ACTIVE", True)
    signed_in = await identity.sign_in(ports, Request(), made.code, "admin", PASSWORD)
    caller = await sessions.resolve(signed_in.token)
    assert caller is not None
    assert caller.actor.role_codes == {"TENANT_ADMIN"}
    async with Context(lender=made, actor=SYSTEM, ports=ports).reading() as ctx:
        assert ctx.today == date(2025, 1, 1)
        roles = (await ctx.connection.execute(select(Role.code))).scalars().all()
    assert set(roles) == BUILT_IN.keys()
    async with place.owner.connect() as connection:
        mine = operator_actions.c.operator_id == operator.actor.id
        done = (
            await connection.execute(select(operator_actions.c.action, operator_actions.c.lender_code).where(mine))
        ).all()
    assert ("PROVISION", made.code) in [tuple(row) for row in done]


async def test_where_no_worker_is_the_wait_ends_and_the_wish_stays(
    place: Platform, operator: Caller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operator_module, "LONGEST_WAIT", 0.2)
    wish = a_wish()
    with pytest.raises(TimeoutError):
        await Tenants(place.catalog, lambda: None).provision(operator.actor, **wish)
    waiting = select(provisioning_requests.c.state).where(provisioning_requests.c.code == wish["code"])
    async with place.owner.begin() as connection:
        assert (await connection.execute(waiting)).scalars().all() == ["PENDING"]
        await connection.execute(delete(provisioning_requests).where(provisioning_requests.c.code == wish["code"]))


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"code": "A"}, InvalidInput, "code"),
        ({"code": 'a"; drop schema x'}, InvalidInput, "code"),
        ({"code": "public"}, InvalidInput, "code"),
        ({"code": "pg_x"}, InvalidInput, "code"),
        ({"code": "a" * 64}, InvalidInput, "code"),
        ({"code": "аlpha"}, InvalidInput, "code"),  # a Cyrillic а
        ({"name": ""}, InvalidInput, "name"),
        ({"net_assets": Decimal("0.00")}, InvalidAmount, "netAssets"),
        ({"admin_username": "x"}, InvalidInput, "adminUsername"),
        ({"admin_password": "elevenchars"}, WeakPassword, "adminPassword"),
    ],
)
async def test_lenders_that_cannot_be(place: Platform, operator: Caller, changed, refusal, field):
    before = await place.catalog.count()
    with pytest.raises(refusal) as refused:
        await Tenants(place.catalog, lambda: None).provision(operator.actor, **a_wish(**changed))
    assert refused.value.field == (field,)
    assert await place.catalog.count() == before


async def test_suspend_and_resume(place: Platform, lender: LenderAtWork, operator: Caller):
    tenants = Tenants(place.catalog, lambda: None)
    for _ in range(2):
        assert (await tenants.suspend(operator.actor, lender.lender.id, "审计")).status == "SUSPENDED"
    for _ in range(2):
        assert (await tenants.resume(operator.actor, lender.lender.id, None)).status == "ACTIVE"
    noted = select(operator_actions.c.action).where(operator_actions.c.lender_code == lender.lender.code)
    async with place.owner.connect() as connection:
        actions = (await connection.execute(noted.order_by(operator_actions.c.at))).scalars().all()
    assert actions == ["SUSPEND"] * 2 + ["RESUME"] * 2, "each request is noted"
    with pytest.raises(NotFound) as refused:
        await tenants.suspend(operator.actor, uuid7(), None)
    assert refused.value.field == ("tenantId",)


async def test_pages_of_lenders(place: Platform, lender: LenderAtWork, shared_lender: LenderAtWork):
    tenants = Tenants(place.catalog, lambda: None)
    codes: list[str] = []
    window = Window(first=2)
    while True:
        page = await tenants.page(window)
        codes += [row.code for row in page.rows]
        if not page.has_next:
            break
        window = Window(first=2, after=page.cursors[-1])
    assert codes == sorted(codes)
    assert len(codes) == await page.total(None)
    assert {lender.lender.code, shared_lender.lender.code} <= set(codes)
    for cursor in ("", "%%", "AAAA", "é"):
        with pytest.raises(BadInput):
            await tenants.page(Window(after=cursor))
