"""审计 · One audit row per command (who, when, from where, what changed) and a guard-log row per refusal and warning.

Both are append-only by privilege. Rows are sealed by a hash chain per batch (`seal`), so writers are never serialised:
a seal covers all rows below the oldest running transaction, in the order of their place, and carries the hash before it.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, event, insert, inspect, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from domain.kernel.feed import Json, TransactionId
from domain.kernel.refusals import Refusal, plain
from domain.kernel.table import TenantTable, uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context

SECRET_SUFFIXES = ("_sealed", "_fingerprint", "_hash")


class AuditEntry(TenantTable):
    """Who did what, from where, and what changed. `permission` is the command's name."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_place", "xid", "id"),)
    grants: ClassVar[str] = "append"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    xid: Mapped[int] = mapped_column(TransactionId, server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime]
    business_date: Mapped[date]
    permission: Mapped[str] = mapped_column(String(100))
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID]
    actor_name: Mapped[str] = mapped_column(String(100))
    subject_table: Mapped[str | None] = mapped_column(String(63))
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    changes: Mapped[list[Any]] = mapped_column(Json)
    request_id: Mapped[str] = mapped_column(String(64))
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))


class AuditSeal(TenantTable):
    """A seal over a batch of audit rows: sha-256 of the seal before and the rows from the place after it up to `(xid, last_id)`."""

    __tablename__ = "audit_seals"
    grants: ClassVar[str] = "append"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    xid: Mapped[int] = mapped_column(TransactionId)
    last_id: Mapped[UUID]
    rows: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime]


class GuardEntry(TenantTable):
    """护栏日志 · A rule that refused or warned, with its figures."""

    __tablename__ = "guard_log"
    grants: ClassVar[str] = "append"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[datetime]
    business_date: Mapped[date]
    code: Mapped[str] = mapped_column(String(60), index=True)
    severity: Mapped[str] = mapped_column(String(10))
    permission: Mapped[str] = mapped_column(String(100))
    actor_id: Mapped[UUID]
    subject_id: Mapped[UUID | None]
    field: Mapped[list[Any]] = mapped_column(Json)
    params: Mapped[dict[str, Any]] = mapped_column(Json)
    message: Mapped[str] = mapped_column(Text)


def watch(ctx: Context) -> None:
    """Collects what the unit of work changes, so that the audit row can show before and after."""

    @event.listens_for(ctx.session.sync_session, "before_flush")
    def collect(session: Session, _flush: Any, _instances: Any) -> None:
        for row in [*session.new, *session.dirty, *session.deleted]:
            changed = _changed(row, deleted=row in session.deleted)
            if changed:
                ctx.bound.changes.append(changed)


def _changed(row: Any, *, deleted: bool) -> dict[str, Any] | None:
    state = inspect(row)
    before_after: dict[str, Any] = {}
    for attribute in state.mapper.column_attrs:
        name = attribute.key
        history = state.attrs[name].history
        if name.endswith(SECRET_SUFFIXES) or not (history.has_changes() or deleted):
            continue
        old = history.deleted[0] if history.deleted else None
        new = None if deleted else (history.added[0] if history.added else None)
        before_after[name] = [plain(old), plain(new)]
    if not before_after:
        return None
    return {"table": row.__tablename__, "id": plain(getattr(row, "id", None)), "fields": before_after}


async def record(ctx: Context, permission: str, subject: Any) -> None:
    """Writes the audit row of one command, in its transaction."""
    await ctx.session.flush()
    named = subject if isinstance(subject, TenantTable) else None
    await ctx.connection.execute(
        insert(AuditEntry).values(
            at=ctx.now,
            business_date=ctx.today,
            permission=permission,
            actor_kind=ctx.actor.kind.value,
            actor_id=ctx.actor.id,
            actor_name=ctx.actor.name,
            subject_table=named.__tablename__ if named is not None else None,
            subject_id=getattr(named, "id", None),
            changes=ctx.bound.changes,
            request_id=ctx.request.id[:64],
            ip=ctx.request.ip[:64],
            user_agent=ctx.request.user_agent[:300],
        )
    )


async def guard(ctx: Context, refused: Refusal, *, severity: str = "REFUSE", subject_id: UUID | None = None) -> None:
    """Writes one guard-log row in the transaction at hand: a refusal (its own transaction) or a warning (the command's)."""
    await ctx.connection.execute(
        insert(GuardEntry).values(
            at=ctx.now,
            business_date=ctx.today,
            code=refused.code,
            severity=severity,
            permission=ctx.bound.permission,
            actor_id=ctx.actor.id,
            subject_id=subject_id,
            field=list(refused.field),
            params=refused.params,
            message=refused.message(ctx.request.language),
        )
    )


_UNSEALED = text(
    """select id::text, xid::text, at, business_date, permission, actor_kind, actor_id::text, actor_name, subject_table,
              subject_id::text, changes::text, request_id, ip, user_agent
       from audit_entries
       where (xid, id) > (cast(cast(:xid as text) as xid8), cast(:last as uuid)) and xid < pg_snapshot_xmin(pg_current_snapshot())
       order by xid, id limit :most"""
)
_LAST_SEAL = text(
    "select number, xid::text as xid, last_id::text as last_id, hash from audit_seals order by number desc limit 1"
)


def _digest(before: bytes, rows: list[Any]) -> bytes:
    chain = hashlib.sha256(before)
    for row in rows:
        chain.update(repr(tuple(row)).encode())
    return chain.digest()


async def seal(ctx: Context, most: int = 5000) -> int:
    """Seals the audit rows that no running transaction can still precede; answers how many. Idempotent by the seal's number."""
    last = (await ctx.connection.execute(_LAST_SEAL)).one_or_none()
    number, xid, last_id, before = (
        (last.number, last.xid, last.last_id, bytes(last.hash)) if last else (0, "0", str(UUID(int=0)), b"")
    )
    rows = list((await ctx.connection.execute(_UNSEALED, {"xid": xid, "last": last_id, "most": most})).all())
    if rows:
        await ctx.connection.execute(
            insert(AuditSeal).values(
                number=number + 1,
                xid=text("cast(cast(:seal_xid as text) as xid8)").bindparams(seal_xid=rows[-1].xid),
                last_id=UUID(rows[-1].id),
                rows=len(rows),
                hash=_digest(before, rows),
                at=ctx.now,
            )
        )
    return len(rows)


_SEALS = text("select number, xid::text as xid, last_id::text as last_id, rows, hash from audit_seals order by number")
_SEALED = text(
    """select id::text, xid::text, at, business_date, permission, actor_kind, actor_id::text, actor_name, subject_table,
              subject_id::text, changes::text, request_id, ip, user_agent
       from audit_entries
       where (xid, id) > (cast(cast(:xid as text) as xid8), cast(:last as uuid))
         and (xid, id) <= (cast(cast(:to_xid as text) as xid8), cast(:to_last as uuid))
       order by xid, id"""
)


async def broken_seals(ctx: Context) -> list[int]:
    """The numbers of the seals whose rows are no longer what was sealed; empty when the audit trail is whole."""
    broken, before, xid, last_id = [], b"", "0", str(UUID(int=0))
    for sealed in (await ctx.connection.execute(_SEALS)).all():
        places = {"xid": xid, "last": last_id, "to_xid": sealed.xid, "to_last": sealed.last_id}
        rows = list((await ctx.connection.execute(_SEALED, places)).all())
        if len(rows) != sealed.rows or _digest(before, rows) != bytes(sealed.hash):
            broken.append(sealed.number)
        before, xid, last_id = bytes(sealed.hash), sealed.xid, sealed.last_id
    return broken
