"""会话 · Who is behind a token. The token names the lender; nothing else in a request does.

A staff token is `xd_<lender code>_<43 characters>`, an operator's `xdo_<43 characters>` (256 random bits). Only its SHA-256
is stored. What was found is remembered for half a second, so an ended session is refused everywhere within one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.clock import machine_now
from domain.kernel.context import Actor, ActorKind
from domain.kernel.permissions import declare
from domain.organization import standing
from tenancy.catalog import Catalog, Operator
from tenancy.current import ACTIVE, Door, Lender, LenderNotOpen

STAFF_TOKEN = re.compile(r"xd_([a-z][a-z0-9_]{1,30})_[A-Za-z0-9_-]{43}", re.ASCII)
OPERATOR_TOKEN = re.compile(r"xdo_[A-Za-z0-9_-]{43}", re.ASCII)
OPERATOR_PERMISSIONS = frozenset(
    declare(permission)
    for permission in (
        "identity.tenant.read",
        "identity.tenant.provision",
        "identity.tenant.suspend",
        "identity.tenant.resume",
        "configuration.api.introspect",
    )
)
REMEMBERED_SECONDS = 0.5
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: staff of a lender, or an operator of the platform, who has none."""

    lender: Lender | None
    actor: Actor
    session_id: UUID
    expires_at: datetime


def new_token(lender: Lender | None) -> str:
    return f"{f'xd_{lender.code}' if lender else 'xdo'}_{secrets.token_urlsafe(32)}"


def hash_token(token: str) -> bytes:
    """A token is random, so one round of a plain hash keeps it."""
    return hashlib.sha256(token.encode()).digest()


def is_well_formed(token: str) -> bool:
    """Whether a token could be anybody's, so that it must be looked up."""
    return bool(OPERATOR_TOKEN.fullmatch(token) or STAFF_TOKEN.fullmatch(token))


class Sessions:
    """One for each process."""

    def __init__(self, catalog: Catalog, door: Door) -> None:
        self._catalog, self._door = catalog, door
        self._remembered: dict[bytes, tuple[float, Caller]] = {}

    async def resolve(self, token: str) -> Caller | None:
        """The caller behind a token; None for what is malformed, unknown, over, revoked, or of a lender not open."""
        operator = OPERATOR_TOKEN.fullmatch(token)
        staff = STAFF_TOKEN.fullmatch(token)
        if not operator and not staff:
            return None
        token_hash = hash_token(token)
        until, caller = self._remembered.get(token_hash, (0.0, None))
        if caller and time.monotonic() < until and machine_now() < caller.expires_at:
            return caller
        asked_at = time.monotonic()
        found = await self._staff(staff[1], token_hash) if staff else await self._operator(token_hash)
        self._remember(token_hash, asked_at, found)
        return found

    def forget(self, session_id: UUID) -> None:
        """After signing out: this process refuses the token at once."""
        ended = [key for key, (_, caller) in self._remembered.items() if caller.session_id == session_id]
        for key in ended:
            del self._remembered[key]

    async def _staff(self, code: str, token_hash: bytes) -> Caller | None:
        lender = await self._catalog.find(code)
        if lender is None or lender.status != ACTIVE:
            return None
        try:
            async with self._door.enter(lender) as connection:
                found = await standing.by_token(connection, token_hash, machine_now())
        except LenderNotOpen:
            return None
        if found is None:
            return None
        actor, expires_at = found
        assert actor.session_id is not None
        return Caller(lender, actor, actor.session_id, expires_at)

    async def _operator(self, token_hash: bytes) -> Caller | None:
        found = await self._catalog.find_operator_session(token_hash.hex())
        if found is None:
            return None
        return Caller(None, operator_actor(found.operator, found.id), found.id, found.expires_at)

    def _remember(self, token_hash: bytes, asked_at: float, found: Caller | None) -> None:
        self._remembered.pop(token_hash, None)
        if found is None:
            return
        if len(self._remembered) >= MOST_REMEMBERED:
            now = time.monotonic()
            self._remembered = {key: kept for key, kept in self._remembered.items() if kept[0] > now}
        self._remembered[token_hash] = (asked_at + REMEMBERED_SECONDS, found)


def operator_actor(operator: Operator, session_id: UUID) -> Actor:
    """An operator holds the permissions over lenders and none inside them."""
    return Actor(
        kind=ActorKind.OPERATOR,
        id=operator.id,
        name=operator.username,
        permissions=OPERATOR_PERMISSIONS,
        session_id=session_id,
    )
