"""命令 · `@command` and `@query`: the only ways in. Each states its permission; none works without one.

The outermost command opens the transaction, checks the permission, honours `idempotency_key`, writes the audit row,
commits, then wakes jobs and subscribers. Inside a transaction a command is a plain call. A refusal rolls everything back
and leaves one guard-log row.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel import audit
from domain.kernel.clock import take_day
from domain.kernel.context import Context
from domain.kernel.permissions import declare
from domain.kernel.refusals import BadInput, Conflict, IdempotencyKeyReused, NotFound, Refusal, plain
from domain.kernel.scope import entity_of, scope
from domain.kernel.table import TenantTable
from domain.kernel.transaction import transaction

P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row", bound=TenantTable)

Declared = Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]

COMMANDS: dict[str, Callable[..., Any]] = {}


class IdempotencyRecord(TenantTable):
    """The first answer to a key: which command with which input, and the row it answered. Per person."""

    __tablename__ = "idempotency_records"
    grants: ClassVar[str] = "append"

    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    permission: Mapped[str] = mapped_column(String(100))
    input_hash: Mapped[str] = mapped_column(String(64))
    result_table: Mapped[str] = mapped_column(String(63))
    result_id: Mapped[UUID]
    at: Mapped[datetime]


def command(permission: str, *, idempotent: bool = False) -> Callable[[Declared[P, R]], Declared[P, R]]:
    """Declares a command. `idempotent`: it moves money, so it takes the keyword `idempotency_key` and answers a row with an
    `id`; the same key with the same input answers that row again, with another input IDEMPOTENCY_KEY_REUSED."""
    declare(permission)

    def wrap(
        function: Declared[P, R],
    ) -> Declared[P, R]:
        if permission in COMMANDS:
            raise ValueError(f"two commands are called {permission}")

        @functools.wraps(function)
        async def run(ctx: Context, *args: P.args, **inputs: P.kwargs) -> R:
            if ctx.transaction is not None:
                return await function(ctx, *args, **inputs)
            ctx.require(permission)
            key = inputs.get("idempotency_key") if idempotent else None
            if isinstance(key, str) and not 1 <= len(key) <= 200:
                raise BadInput("an idempotency key has 1 to 200 characters")
            return await _run(ctx, permission, functools.partial(_attempt, function, key, args, inputs))

        declared: Any = run
        declared.permission, declared.idempotent = permission, idempotent
        COMMANDS[permission] = declared
        return declared  # type: ignore[no-any-return]

    return wrap


def query(
    permission: str,
) -> Callable[[Declared[P, R]], Declared[P, R]]:
    """Declares a read that the API offers at its root; it runs in a transaction that is open already."""
    declare(permission)

    def wrap(
        function: Declared[P, R],
    ) -> Declared[P, R]:
        @functools.wraps(function)
        async def run(ctx: Context, *args: P.args, **inputs: P.kwargs) -> R:
            ctx.require(permission)
            return await function(ctx, *args, **inputs)

        declared: Any = run
        declared.permission = permission
        return declared  # type: ignore[no-any-return]

    return wrap


class _Seen(Exception):
    """Ends a rehearsal, whose transaction is taken back because of it."""

    def __init__(self, answer: Any) -> None:
        super().__init__("the rehearsal is over")
        self.answer = answer


async def rehearse(
    ctx: Context,
    declared: Callable[..., Coroutine[Any, Any, Any]],
    look: Callable[[Context, Any], Awaitable[R]],
    **inputs: Any,
) -> R:
    """演练 · Runs a command as it would be run now, lets `look` see what came of it, and takes everything back.

    It is the command itself: the same permission, locks and refusals, and what it does on the way is told to `ctx.note`.
    Nothing is left of it: no row, number, feed, audit or guard-log entry, and no idempotency key is used."""
    permission = declared.permission  # type: ignore[attr-defined]
    ctx.require(permission)

    async def once(inner: Context) -> R:
        inner.bound.permission = permission
        inner.bound.rehearsal = []
        result = await declared(inner, **inputs)
        await inner.session.flush()
        raise _Seen(await look(inner, result))

    try:
        return await transaction(ctx, once, again=take_day)
    except _Seen as seen:
        return seen.answer  # type: ignore[no-any-return]


async def _run(ctx: Context, permission: str, attempt: Callable[[Context], Awaitable[R]]) -> R:
    async def once(inner: Context) -> R:
        inner.bound.permission = permission
        audit.watch(inner)
        return await attempt(inner)

    try:
        return await transaction(ctx, once, again=take_day)
    except Refusal as refused:
        async with ctx.writing() as inner:
            inner.bound.permission = permission
            await audit.guard(inner, refused)
        raise


async def _attempt(
    function: Callable[..., Awaitable[R]], key: Any, args: tuple[Any, ...], inputs: dict[str, Any], ctx: Context
) -> R:
    if key is None:
        result = await function(ctx, *args, **inputs)
    else:
        fingerprint = _fingerprint(ctx.bound.permission, args, inputs)
        earlier = await _first_answer(ctx, key, fingerprint)
        if earlier is not None:
            return earlier  # type: ignore[no-any-return]
        result = await function(ctx, *args, **inputs)
        await ctx.session.flush()
        await _remember(ctx, key, fingerprint, result)
    await audit.record(ctx, ctx.bound.permission, result)
    return result


def _fingerprint(permission: str, args: tuple[Any, ...], inputs: dict[str, Any]) -> str:
    named = {name: value for name, value in inputs.items() if name != "idempotency_key"}
    return hashlib.sha256(json.dumps(plain([permission, args, named]), sort_keys=True).encode()).hexdigest()


async def _first_answer(ctx: Context, key: str, fingerprint: str) -> Any:
    """The row answered the first time, or None. An advisory lock makes a repeat wait for a first call still running."""
    name = int.from_bytes(hashlib.sha256(f"{ctx.lender.id}/{ctx.actor.id}/{key}".encode()).digest()[:8], signed=True)
    await ctx.connection.exec_driver_sql("select pg_advisory_xact_lock($1)", (name,))
    found = await ctx.session.get(IdempotencyRecord, (ctx.actor.id, key))
    if found is None:
        return None
    if found.input_hash != fingerprint:
        raise IdempotencyKeyReused("idempotencyKey")
    return await ctx.session.get(entity_of(found.result_table), found.result_id)


async def _remember(ctx: Context, key: str, fingerprint: str, result: Any) -> None:
    await ctx.connection.execute(
        insert(IdempotencyRecord).values(
            actor_id=ctx.actor.id,
            key=key,
            permission=ctx.bound.permission,
            input_hash=fingerprint,
            result_table=result.__tablename__,
            result_id=result.id,
            at=ctx.now,
        )
    )


async def lock(ctx: Context, entity: type[Row], key: UUID, field: str = "") -> Row:
    """The row by its key under a row lock, if the actor may see it; else NOT_FOUND (absent, foreign and hidden alike)."""
    table: Any = entity
    statement = select(entity).where(table.id == key, scope(ctx, entity)).with_for_update(of=entity)
    row = (await ctx.session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()
    if row is None:
        raise NotFound(field)
    return row


async def find(ctx: Context, entity: type[Row], key: UUID, field: str = "") -> Row:
    """The row by its key without a lock, if the actor may see it; else NOT_FOUND."""
    table: Any = entity
    row = (await ctx.session.execute(select(entity).where(table.id == key, scope(ctx, entity)))).scalar_one_or_none()
    if row is None:
        raise NotFound(field)
    return row


def check_version(row: Any, expected: int) -> None:
    """Refuses an edit that was made on an older version (CONFLICT), and counts this one."""
    if row.version != expected:
        raise Conflict("expectedVersion", version=row.version)
    row.version += 1
