"""目录 · The catalog as the processes that answer requests see it: through a login that reaches no lender's table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import uuid_utils
from sqlalchemy import Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tenancy.address import engine_url
from tenancy.lender import ACTIVE, CLOSED, SUSPENDED, Lender
from tenancy.naming import check_code
from tenancy.shared_limits import SharedLimits
from tenancy.tables import (
    installation,
    job_hints,
    lenders,
    operator_actions,
    operator_sessions,
    operators,
    provisioning_requests,
)

CACHE_SECONDS = 1.5


class UnsafeLogin(Exception):
    """The login of the request processes could reach a lender's tables: the program must not start."""


@dataclass(frozen=True, slots=True)
class ProvisionRequest:
    """What a platform operator asks for. `admin_password_hash` is Argon2id: the password never reaches the catalog."""

    code: str
    name: str
    licence_type: str
    net_assets: Decimal
    open_on: date
    admin_username: str
    admin_password_hash: str
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class ProvisionResult:
    """`state` is PENDING, DONE (then `lender_id`) or FAILED (then `reason_code` and `reason`)."""

    state: str
    lender_id: UUID | None
    reason_code: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Operator:
    """平台运营 · Somebody of the platform: provisions and suspends lenders, sees nothing inside them."""

    id: UUID
    username: str
    password_hash: str
    active: bool
    failed_sign_ins: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class OperatorSession:
    id: UUID
    operator: Operator
    expires_at: datetime


def new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


def select_lenders() -> Select[Any]:
    """The columns of a Lender, in its order."""
    return select(
        lenders.c.id,
        lenders.c.code,
        lenders.c.name,
        lenders.c.status,
        lenders.c.licence_type,
        lenders.c.sandbox,
        lenders.c.business_date,
        lenders.c.created_at,
        installation.c.id.label("installation"),
        lenders.c.password_generation,
        lenders.c.server,
    ).select_from(lenders.join(installation, text("true")))


class Catalog:
    """One for each process. Lenders are remembered for 1.5 s, so a suspension is seen everywhere well within 5 s."""

    def __init__(self, app_url: str) -> None:
        self._engine = create_async_engine(
            engine_url(app_url), pool_size=2, max_overflow=3, pool_pre_ping=True, hide_parameters=True
        )
        self._remembered: dict[str | UUID, tuple[float, Lender]] = {}
        self.limits = SharedLimits(self._engine)

    async def close(self) -> None:
        await self._engine.dispose()

    async def check(self) -> None:
        """To be called at the start. Raises UnsafeLogin when the login is more than it should be."""
        async with self._engine.connect() as connection:
            await refuse_unsafe_login(connection)

    # ---------------------------------------------------------------- lenders

    async def find(self, code: str) -> Lender | None:
        return await self._lender(code, lenders.c.code == code)

    async def by_id(self, lender_id: UUID) -> Lender | None:
        return await self._lender(lender_id, lenders.c.id == lender_id)

    async def page(self, *, after: str | None = None, limit: int = 100) -> list[Lender]:
        """Lenders in the order of their codes, those behind the code `after`."""
        query = select_lenders().order_by(lenders.c.code).limit(limit)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.where(lenders.c.code > after) if after else query)
            return [Lender(*row) for row in rows]

    async def count(self) -> int:
        async with self._engine.connect() as connection:
            return (await connection.execute(select(func.count()).select_from(lenders))).scalar_one()

    async def suspend(self, lender_id: UUID) -> Lender | None:
        """停用. Acts within 5 s in every process. Null for an unknown lender or a closed one."""
        return await self._set_status(lender_id, SUSPENDED)

    async def resume(self, lender_id: UUID) -> Lender | None:
        """启用. His jobs are looked at again."""
        lender = await self._set_status(lender_id, ACTIVE)
        if lender:
            await self.add_hint(lender.id, datetime.now(UTC))
        return lender

    async def tell_business_date(self, lender_id: UUID, day: date) -> None:
        """After an end of day: what the list of lenders shows."""
        await self._write(update(lenders).where(lenders.c.id == lender_id).values(business_date=day))
        self._forget(lender_id)

    async def _set_status(self, lender_id: UUID, status: str) -> Lender | None:
        """A repeat changes nothing. A lender still being provisioned is not seen: provisioning is one transaction."""
        change = update(lenders).where(lenders.c.id == lender_id, lenders.c.status != CLOSED).values(status=status)
        changed = select_lenders().where(lenders.c.id == lender_id, lenders.c.status == status)
        async with self._engine.begin() as connection:
            await connection.execute(change)
            row = (await connection.execute(changed)).one_or_none()
        self._forget(lender_id)
        return Lender(*row) if row else None

    async def _lender(self, key: str | UUID, condition: Any) -> Lender | None:
        until, lender = self._remembered.get(key, (0.0, None))
        if lender and time.monotonic() < until:
            return lender
        asked_at = time.monotonic()
        async with self._engine.connect() as connection:
            row = (await connection.execute(select_lenders().where(condition))).one_or_none()
        if row is None:
            self._remembered.pop(key, None)  # unknown codes are not remembered: anybody can invent them
            return None
        self._remembered[key] = (asked_at + CACHE_SECONDS, Lender(*row))
        return self._remembered[key][1]

    def _forget(self, lender_id: UUID) -> None:
        self._remembered = {key: kept for key, kept in self._remembered.items() if kept[1].id != lender_id}

    # ---------------------------------------------------------------- provisioning

    async def file_provisioning(self, request: ProvisionRequest) -> UUID:
        """Files the wish; the worker carries it out. Raises BadName for a code that cannot be one."""
        check_code(request.code)
        request_id = new_id()
        row = {"id": request_id, **asdict(request), "state": "PENDING", "created_at": datetime.now(UTC)}
        await self._write(insert(provisioning_requests).values(**row))
        return request_id

    async def provisioning_result(self, request_id: UUID) -> ProvisionResult:
        c = provisioning_requests.c
        query = select(c.state, c.lender_id, c.reason_code, c.reason).where(c.id == request_id)
        async with self._engine.connect() as connection:
            return ProvisionResult(*(await connection.execute(query)).one())

    # ---------------------------------------------------------------- operators

    async def find_operator(self, username: str) -> Operator | None:
        query = _operators().where(operators.c.username == username)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Operator(*row) if row else None

    async def update_operator(self, operator_id: UUID, **values: Any) -> None:
        """`password_hash`, `failed_sign_ins`, `locked_until`; the login may write no other column."""
        await self._write(update(operators).where(operators.c.id == operator_id).values(**values))

    async def count_failed_sign_in(self, operator_id: UUID) -> int:
        """One more wrong password; answers how many in a row. Counted by the database, so parallel tries all count."""
        change = (
            update(operators)
            .where(operators.c.id == operator_id)
            .values(failed_sign_ins=operators.c.failed_sign_ins + 1)
            .returning(operators.c.failed_sign_ins)
        )
        async with self._engine.begin() as connection:
            return int((await connection.execute(change)).scalar_one())

    async def open_operator_session(self, operator_id: UUID, token_hash: str, expires_at: datetime) -> UUID:
        session_id = new_id()
        row = {"id": session_id, "operator_id": operator_id, "token_hash": token_hash, "expires_at": expires_at}
        await self._write(insert(operator_sessions).values(**row, created_at=datetime.now(UTC)))
        return session_id

    async def find_operator_session(self, token_hash: str) -> OperatorSession | None:
        """The live session of a token: not revoked, not expired, its operator still active."""
        s = operator_sessions.c
        query = (
            _operators()
            .add_columns(s.id, s.expires_at)
            .join(operator_sessions, s.operator_id == operators.c.id)
            .where(s.token_hash == token_hash, s.revoked_at.is_(None), s.expires_at > func.now(), operators.c.active)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return OperatorSession(row[-2], Operator(*row[:-2]), row[-1]) if row else None

    async def revoke_operator_session(self, session_id: UUID) -> None:
        change = update(operator_sessions).where(operator_sessions.c.id == session_id)
        await self._write(change.values(revoked_at=func.now()))

    async def note_action(
        self, operator_id: UUID, action: str, lender_code: str | None, reason: str | None = None
    ) -> None:
        """The trail of the platform's operators. The login may add to it and change nothing."""
        row = {"id": new_id(), "operator_id": operator_id, "action": action, "lender_code": lender_code}
        await self._write(insert(operator_actions).values(**row, reason=reason, at=datetime.now(UTC)))

    # ---------------------------------------------------------------- job hints

    async def add_hint(self, lender_id: UUID, due_at: datetime) -> None:
        """After a commit: this lender has a job due then. Only the earliest is kept; a sweep finds what was lost."""
        row = upsert(job_hints).values(lender_id=lender_id, due_at=due_at)
        earliest = func.least(job_hints.c.due_at, row.excluded.due_at)
        await self._write(row.on_conflict_do_update(index_elements=["lender_id"], set_={"due_at": earliest}))

    async def take_hints(self, limit: int) -> list[Lender]:
        """Takes due hints away, the longest due first; two workers never take the same one."""
        due = select(job_hints.c.lender_id).where(job_hints.c.due_at <= func.now())
        chosen = due.order_by(job_hints.c.due_at).limit(limit).with_for_update(skip_locked=True)
        taken = delete(job_hints).where(job_hints.c.lender_id.in_(chosen)).returning(job_hints.c.lender_id)
        async with self._engine.begin() as connection:
            ids: Sequence[UUID] = (await connection.execute(taken)).scalars().all()
            rows = await connection.execute(select_lenders().where(lenders.c.id.in_(ids)))
            return [Lender(*row) for row in rows]

    async def next_hint_at(self) -> datetime | None:
        async with self._engine.connect() as connection:
            due_at: datetime | None = (await connection.execute(select(func.min(job_hints.c.due_at)))).scalar_one()
        return due_at

    async def _write(self, statement: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(statement)


def _operators() -> Select[Any]:
    c = operators.c
    return select(c.id, c.username, c.password_hash, c.active, c.failed_sign_ins, c.locked_until)


async def refuse_unsafe_login(connection: AsyncConnection) -> None:
    """Raises UnsafeLogin when the current login belongs to another role, or may make roles or databases."""
    powers = await connection.execute(
        text(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
    )
    if powers.scalar_one():
        raise UnsafeLogin("the login of the request processes may make roles or databases; give it xiaodai_app")
    memberships = await connection.execute(
        text(
            "SELECT role.rolname FROM pg_auth_members m JOIN pg_roles role ON role.oid = m.roleid"
            " JOIN pg_roles me ON me.oid = m.member WHERE me.rolname = current_user ORDER BY 1"
        )
    )
    names = list(memberships.scalars())
    if names:
        raise UnsafeLogin(f"the login of the request processes belongs to {', '.join(names[:5])}; revoke that first")
