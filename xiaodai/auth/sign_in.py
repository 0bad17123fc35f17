"""登录 · Signing in and out: one answer for every wrong name or password, a lock after five wrong tries, a new token each time.

Nothing about a try is kept but that it happened: no password, no token, no unknown user name (people type passwords there).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from domain.kernel import audit
from domain.kernel.clock import machine_now
from domain.kernel.context import SYSTEM, Actor, Context, Request
from domain.kernel.ports import Ports
from domain.kernel.refusals import AccountLocked, BadCredentials, Refusal, TenantSuspended
from domain.organization import credential, session, standing
from domain.organization.credential import LOCKED_FOR, LONGEST, TRIES, Credential
from tenancy.catalog import Catalog, Operator
from tenancy.current import ACTIVE, SUSPENDED, Lender, LenderNotOpen
from xiaodai.auth import passwords
from xiaodai.auth.sessions import Caller, Sessions, hash_token, new_token, operator_actor

SESSION_HOURS = 12


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The token is handed out once and stored nowhere."""

    token: str
    caller: Caller


class Identity:
    """What `ctx.ports.identity` is. One for each process."""

    def __init__(self, catalog: Catalog, sessions: Sessions, *, session_hours: float = SESSION_HOURS) -> None:
        self._catalog, self._sessions = catalog, sessions
        self._lasting = timedelta(hours=session_hours)

    async def hash_password(self, password: str) -> str:
        """Argon2id, off the event loop."""
        return await passwords.hash_in_thread(password)

    async def matches(self, password_hash: str, password: str) -> bool:
        return await passwords.matches_in_thread(password_hash, password)

    # ---------------------------------------------------------------- staff

    async def sign_in(self, ports: Ports, request: Request, code: str, username: str, password: str) -> SignedIn:
        """Raises BAD_CREDENTIALS, ACCOUNT_LOCKED or TENANT_SUSPENDED."""
        lender = await self._catalog.find(code)
        if len(password) > LONGEST:  # nobody has one; hashing it would only cost
            raise BadCredentials()
        if lender is not None and lender.status == SUSPENDED:
            raise TenantSuspended("tenant")
        if lender is None or lender.status != ACTIVE:
            await passwords.matches_in_thread(None, password)
            raise BadCredentials()
        system = Context(lender=lender, actor=SYSTEM, ports=ports, request=request)
        try:
            return await self._sign_in(system, lender, username, password)
        except LenderNotOpen as error:  # suspended meanwhile
            raise TenantSuspended("tenant") from error

    async def _sign_in(self, system: Context, lender: Lender, username: str, password: str) -> SignedIn:
        async with system.reading() as ctx:
            known = await credential.find(ctx.connection, username)
        right = await passwords.matches_in_thread(known.password_hash if known else None, password)
        rehashed = (
            await passwords.hash_in_thread(password) if right and passwords.outdated(known.password_hash) else None
        )
        async with system.writing() as ctx:
            right = right and await self._is_still_right(ctx, known, password)
            refused, actor = await self._judge(ctx, username, known, right)
            if refused is None and actor is not None:
                if rehashed:
                    verified = Credential.password_hash == known.password_hash
                    changed = update(Credential).where(Credential.employee_id == actor.id, verified)
                    await ctx.connection.execute(changed.values(password_hash=rehashed))
                return await self._open(ctx.acting_as(actor), lender, actor)
            if known:
                named = {"table": "employees", "id": str(known.employee_id), "refused": refused.code if refused else ""}
                ctx.bound.changes.append(named)
            await audit.record(ctx, "organization.session.refuse", None)
        raise refused or BadCredentials()

    async def _is_still_right(self, ctx: Context, known: Any, password: str) -> bool:
        """False when the password was changed while it was verified. Who changes it now waits, and ends the new session too."""
        now = await credential.lock_hash(ctx.connection, known.employee_id)
        return now == known.password_hash or await passwords.matches_in_thread(now, password)

    async def _judge(self, ctx: Context, username: str, known: Any, right: bool) -> tuple[Refusal | None, Actor | None]:
        """A refusal, or who it is. What is counted here is committed, whatever the answer."""
        now = machine_now()
        locked = await credential.locked_until(ctx.connection, username, now)
        if not right:
            await credential.count_failure(ctx.connection, username, now)
        if locked:
            return AccountLocked(until=locked.isoformat(timespec="seconds")), None
        actor = await standing.actor(ctx.connection, known.employee_id) if right else None
        if actor is None:  # wrong, or somebody who left
            return BadCredentials(), None
        await credential.forget_failures(ctx.connection, username)
        return None, actor

    async def _open(self, ctx: Context, lender: Lender, actor: Actor) -> SignedIn:
        token, expires_at = new_token(lender), machine_now() + self._lasting
        opened = ctx.add(
            session.Session(
                employee_id=actor.id,
                token_hash=hash_token(token),
                expires_at=expires_at,
                ip=ctx.request.ip[:64],
                user_agent=ctx.request.user_agent[:300],
            )
        )
        await audit.record(ctx, "organization.session.open", opened)
        return SignedIn(token, Caller(lender, actor, opened.id, expires_at))

    async def sign_out(self, ports: Ports, request: Request, caller: Caller) -> None:
        """Ends the session at once; a socket that uses it is closed when it looks again."""
        if caller.lender is None:
            await self._catalog.revoke_operator_session(caller.session_id)
            await self._catalog.note_action(caller.actor.id, "SIGN_OUT", None)
        else:
            staff = Context(lender=caller.lender, actor=caller.actor, ports=ports, request=request)
            async with staff.writing() as ctx:
                await session.revoke(ctx.connection, caller.session_id, machine_now())
                ctx.bound.changes.append({"table": "sessions", "id": str(caller.session_id)})
                await audit.record(ctx, "organization.session.close", None)
        self._sessions.forget(caller.session_id)

    # ---------------------------------------------------------------- operators of the platform

    async def sign_in_operator(self, username: str, password: str) -> SignedIn:
        """Raises BAD_CREDENTIALS, for a locked operator too: another answer would tell that there is one of this name."""
        if len(password) > LONGEST:
            raise BadCredentials()
        known = await self._catalog.find_operator(username)
        right = await passwords.matches_in_thread(known.password_hash if known else None, password)
        now = machine_now()
        latest = await self._catalog.find_operator(username)  # others may have been counted meanwhile
        if latest is None:
            raise BadCredentials()
        if not right:
            await self._count_failure(latest, now)
        if not right or not latest.active or (latest.locked_until and latest.locked_until > now):
            await self._catalog.note_action(latest.id, "SIGN_IN_REFUSED", None)
            raise BadCredentials()
        await self._welcome(latest, password)
        token, expires_at = new_token(None), now + self._lasting
        session_id = await self._catalog.open_operator_session(latest.id, hash_token(token).hex(), expires_at)
        await self._catalog.note_action(latest.id, "SIGN_IN", None)
        return SignedIn(token, Caller(None, operator_actor(latest, session_id), session_id, expires_at))

    async def _count_failure(self, operator: Operator, now: datetime) -> None:
        if await self._catalog.count_failed_sign_in(operator.id) >= TRIES:
            await self._catalog.update_operator(operator.id, failed_sign_ins=0, locked_until=now + LOCKED_FOR)

    async def _welcome(self, operator: Operator, password: str) -> None:
        changes: dict[str, Any] = {}
        if operator.failed_sign_ins:
            changes["failed_sign_ins"] = 0
        if passwords.outdated(operator.password_hash):
            changes["password_hash"] = await passwords.hash_in_thread(password)
        if changes:
            await self._catalog.update_operator(operator.id, **changes)
