"""Signing in and out: one answer for every wrong try, a lock after five, tokens that end when they should."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from domain.kernel.audit import AuditEntry
from domain.kernel.context import Request
from domain.kernel.refusals import AccountLocked, BadCredentials, Refusal, TenantSuspended
from domain.organization import employee, password
from domain.organization.credential import Credential, SignInFailures
from domain.organization.employee import EmployeeStatus
from domain.organization.role import Role
from domain.organization.session import Session
from tests.support.actors import PASSWORD, LenderAtWork
from tests.support.client import statements
from xiaodai.auth import passwords
from xiaodai.auth.sessions import STAFF_TOKEN, Sessions
from xiaodai.auth.sign_in import Identity, SignedIn

WRONG = "a wrong password"


@pytest.fixture
def sessions(lender: LenderAtWork) -> Sessions:
    """Those of another process: nothing remembered."""
    return Sessions(lender.platform.catalog, lender.platform.door)


async def sign_in(lender: LenderAtWork, username: str = "cashier", password: str = PASSWORD) -> SignedIn:
    request = Request(id="r1", ip="203.0.113.7", user_agent="test")
    return await lender.ports.identity.sign_in(lender.ports, request, lender.lender.code, username, password)


async def refusals(lender: LenderAtWork, *tries: tuple[str, str]) -> list[str]:
    answers = await asyncio.gather(
        *(sign_in(lender, name, password) for name, password in tries), return_exceptions=True
    )
    return [answer.code if isinstance(answer, Refusal) else type(answer).__name__ for answer in answers]


async def test_a_right_password_opens_a_session(lender: LenderAtWork, sessions: Sessions):
    signed_in = await sign_in(lender, " Cashier ")
    assert STAFF_TOKEN.fullmatch(signed_in.token)
    caller = await sessions.resolve(signed_in.token)
    assert caller is not None
    assert caller.lender == lender.lender
    assert caller.actor.role_codes == {"CASHIER"}
    assert caller.session_id == signed_in.caller.session_id == caller.actor.session_id
    kept = (await lender.rows(Session))[0]
    assert (kept.ip, kept.user_agent) == ("203.0.113.7", "test")
    assert signed_in.token.encode() not in kept.token_hash


async def test_every_sign_in_has_a_token_of_its_own(lender: LenderAtWork):
    assert len({(await sign_in(lender)).token for _ in range(3)}) == 3


async def test_sign_ins_and_refusals_are_audited_without_secrets(lender: LenderAtWork):
    signed_in = await sign_in(lender)
    await refusals(lender, ("cashier", WRONG), ("nobody", "my secret typed in the wrong place"))
    await lender.ports.identity.sign_out(lender.ports, Request(), signed_in.caller)
    entries = await lender.rows(AuditEntry)
    assert sorted(entry.permission for entry in entries) == [
        "organization.session.close",
        "organization.session.open",
        "organization.session.refuse",
        "organization.session.refuse",
    ]
    written = repr([tuple(entry) for entry in entries])
    assert all(secret not in written for secret in (PASSWORD, WRONG, "my secret", "nobody", signed_in.token[-43:]))


@pytest.mark.parametrize(
    ("username", "given"),
    [("cashier", WRONG), ("cashier", ""), ("nobody", PASSWORD), ("", PASSWORD), ("cashier", PASSWORD * 100)],
)
async def test_a_wrong_name_and_a_wrong_password_answer_alike(shared_lender: LenderAtWork, username, given):
    with pytest.raises(BadCredentials) as refused:
        await sign_in(shared_lender, username, given)
    assert (refused.value.field, refused.value.params) == ((), {})


async def test_a_known_and_an_unknown_name_cost_the_same_work(lender: LenderAtWork):
    await lender.platform.catalog.find(lender.lender.code)  # remembered from here on
    sent = []
    for username in ("cashier", "nobody"):
        with statements() as seen:
            assert await refusals(lender, (username, WRONG)) == ["BAD_CREDENTIALS"]
        sent.append(seen)
    assert sent[0] == sent[1]
    assert len(sent[0]) > 4


@pytest.mark.parametrize("code", ["no_such_lender", "", "Not a code", "t'; drop schema x"])
async def test_an_unknown_lender_answers_alike(shared_lender: LenderAtWork, code):
    with pytest.raises(BadCredentials):
        await shared_lender.ports.identity.sign_in(shared_lender.ports, Request(), code, "cashier", PASSWORD)


@pytest.mark.parametrize("username", ["cashier", "nobody"])
async def test_five_wrong_tries_lock_a_name_known_or_not(lender: LenderAtWork, username):
    for _ in range(5):
        assert await refusals(lender, (username, WRONG)) == ["BAD_CREDENTIALS"]
    assert await refusals(lender, (username, PASSWORD), (username, WRONG)) == ["ACCOUNT_LOCKED"] * 2
    assert await refusals(lender, ("accountant", PASSWORD)) == ["SignedIn"]


async def test_twenty_tries_at_once_count_as_twenty(lender: LenderAtWork):
    await refusals(lender, *[("cashier", WRONG)] * 20)
    (counted,) = await lender.rows(SignInFailures)
    assert counted.tries == 20
    with pytest.raises(AccountLocked):
        await sign_in(lender)


async def test_a_lock_ends(lender: LenderAtWork):
    await refusals(lender, *[("cashier", WRONG)] * 5)
    async with lender.system.writing() as ctx:
        earlier = SignInFailures.locked_until - timedelta(minutes=15)
        await ctx.connection.execute(update(SignInFailures).values(locked_until=earlier))
    assert await refusals(lender, ("cashier", WRONG)) == ["BAD_CREDENTIALS"]
    assert (await lender.rows(SignInFailures))[0].tries == 1
    assert await refusals(lender, ("cashier", PASSWORD)) == ["SignedIn"]
    assert await lender.rows(SignInFailures) == []


async def test_four_wrong_tries_are_forgotten_after_a_right_one(lender: LenderAtWork):
    await refusals(lender, *[("cashier", WRONG)] * 4)
    await sign_in(lender)
    await refusals(lender, *[("cashier", WRONG)] * 4)
    await sign_in(lender)


async def test_many_right_sign_ins_at_once(lender: LenderAtWork):
    assert await refusals(lender, *[("cashier", PASSWORD)] * 12) == ["SignedIn"] * 12


async def test_a_hash_of_older_parameters_is_renewed(lender: LenderAtWork):
    old = PasswordHasher(memory_cost=8_192, time_cost=1, parallelism=1).hash(PASSWORD)
    mine = Credential.employee_id == lender.cashier.actor.id
    async with lender.system.writing() as ctx:
        await ctx.connection.execute(update(Credential).where(mine).values(password_hash=old))
    await sign_in(lender)
    renewed = (await lender.rows(Credential, mine))[0].password_hash
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    await sign_in(lender)


async def test_a_password_reset_while_the_old_one_is_verified(lender: LenderAtWork, monkeypatch: pytest.MonkeyPatch):
    """Who knows the old password must not be left with a session that the reset did not end, nor set the password back."""
    mine = Credential.employee_id == lender.cashier.actor.id
    verify, resets = passwords.matches_in_thread, ["a new password of hers"]

    async def verified_before_the_reset(password_hash: str | None, given: str) -> bool:
        right = await verify(password_hash, given)
        if resets:
            await password.reset(lender.tenant_admin, employee_id=lender.cashier.actor.id, new_password=resets.pop())
        return right

    old = PasswordHasher(memory_cost=8_192, time_cost=1, parallelism=1).hash(PASSWORD)
    async with lender.system.writing() as ctx:
        await ctx.connection.execute(update(Credential).where(mine).values(password_hash=old))
    monkeypatch.setattr(passwords, "matches_in_thread", verified_before_the_reset)
    with pytest.raises(BadCredentials):
        await sign_in(lender)
    assert await lender.rows(Session, Session.revoked_at.is_(None)) == []
    assert (await sign_in(lender, password="a new password of hers")).token


async def test_a_suspended_lender(lender: LenderAtWork, sessions: Sessions):
    signed_in = await sign_in(lender)
    await lender.platform.catalog.suspend(lender.lender.id)
    with pytest.raises(TenantSuspended):
        await sign_in(lender)
    assert await sessions.resolve(signed_in.token) is None
    await lender.platform.catalog.resume(lender.lender.id)
    assert await sessions.resolve(signed_in.token) is not None


async def test_signing_out_ends_this_session_only(lender: LenderAtWork, sessions: Sessions):
    first, second = await sign_in(lender), await sign_in(lender)
    here = Sessions(lender.platform.catalog, lender.platform.door)
    assert await here.resolve(first.token)
    await Identity(lender.platform.catalog, here).sign_out(lender.ports, Request(), first.caller)
    assert await here.resolve(first.token) is None
    assert await sessions.resolve(first.token) is None
    assert await sessions.resolve(second.token) is not None


async def test_another_process_forgets_within_a_second(lender: LenderAtWork, sessions: Sessions):
    signed_in = await sign_in(lender)
    assert await sessions.resolve(signed_in.token)
    await lender.ports.identity.sign_out(lender.ports, Request(), signed_in.caller)
    await asyncio.sleep(0.9)
    assert await sessions.resolve(signed_in.token) is None


async def a_role(lender: LenderAtWork, code: str) -> UUID:
    return (await lender.rows(Role, Role.code == code))[0].id


@pytest.mark.parametrize("what", ["roles", "status", "reset", "change"])
async def test_what_ends_all_sessions(lender: LenderAtWork, sessions: Sessions, what):
    tokens = [(await sign_in(lender)).token for _ in range(2)]
    admin, person = lender.tenant_admin, lender.cashier.actor.id
    new = "another long password"
    if what == "roles":
        await employee.change_roles(
            admin, employee_id=person, role_ids=[await a_role(lender, "LEGAL")], expected_version=1
        )
    elif what == "status":
        await employee.change_status(admin, employee_id=person, status=EmployeeStatus.LOCKED, expected_version=1)
    elif what == "reset":
        await password.reset(admin, employee_id=person, new_password=new)
    else:
        await password.change(lender.cashier, current_password=PASSWORD, new_password=new)
    assert [await sessions.resolve(token) for token in tokens] == [None, None]
    expected = {"roles": ["SignedIn", "BAD_CREDENTIALS"], "status": ["BAD_CREDENTIALS"] * 2}
    answers = await refusals(lender, ("cashier", PASSWORD), ("cashier", new))
    assert answers == expected.get(what, ["BAD_CREDENTIALS", "SignedIn"])


async def test_an_expired_session_is_over(lender: LenderAtWork, sessions: Sessions):
    signed_in = await sign_in(lender)
    async with lender.system.writing() as ctx:
        await ctx.connection.execute(update(Session).values(expires_at=Session.expires_at - timedelta(hours=12)))
    assert await sessions.resolve(signed_in.token) is None


async def test_a_token_of_one_lender_opens_no_other(lender: LenderAtWork, shared_lender: LenderAtWork):
    sessions = Sessions(lender.platform.catalog, lender.platform.door)
    token = (await sign_in(lender)).token
    secret = token[-43:]
    assert await sessions.resolve(f"xd_{shared_lender.lender.code}_{secret}") is None
    assert await sessions.resolve(f"xdo_{secret}") is None
    assert await sessions.resolve(token) is not None


@pytest.mark.parametrize(
    "token", ["", "xd_", "xd__" + "a" * 43, "xd_A_" + "a" * 43, "xd_lender1_" + "a" * 42, "é" * 50, "xdo_" + "a" * 44]
)
async def test_what_is_no_token_is_nobody(shared_lender: LenderAtWork, token):
    sessions = Sessions(shared_lender.platform.catalog, shared_lender.platform.door)
    assert await sessions.resolve(token) is None
