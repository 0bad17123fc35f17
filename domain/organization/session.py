"""会话 · Sessions: who signed in, until when. Only the hash of a token is stored; ending one is one update (promise A3).

A session says who asks, never what they may do: roles, department and status are read anew with every look (`find`).
Times are the machine's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.context import Actor
from domain.kernel.table import Keyed
from domain.organization.employee import Employee, actor_of, standing


class Session(Keyed):
    """One signed-in session of an employee."""

    __tablename__ = "sessions"

    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))


async def find(connection: AsyncConnection, token_hash: bytes, at: datetime) -> tuple[Actor, datetime] | None:
    """The actor behind a token and when it ends, in one statement; None when it ended, was revoked, or its owner is not
    active any more."""
    statement = (
        standing()
        .add_columns(Session.id.label("session_id"), Session.expires_at)
        .join(Session, Session.employee_id == Employee.id)
        .where(Session.token_hash == token_hash, Session.revoked_at.is_(None), Session.expires_at > at)
    )
    rows: Any = (await connection.execute(statement)).all()
    if not rows:
        return None
    held = [row for row in rows if row.role_id]
    return actor_of(rows[0], held, rows[0].session_id), rows[0].expires_at


async def revoke(connection: AsyncConnection, session_id: UUID, at: datetime) -> None:
    """Ends one session; a repeat changes nothing."""
    await connection.execute(
        update(Session).where(Session.id == session_id, Session.revoked_at.is_(None)).values(revoked_at=at)
    )


async def revoke_all(connection: AsyncConnection, employee_id: UUID, at: datetime, *, but: UUID | None = None) -> None:
    """Ends all sessions of an employee, save the one that asks."""
    ended = update(Session).where(Session.employee_id == employee_id, Session.revoked_at.is_(None))
    await connection.execute((ended.where(Session.id != but) if but else ended).values(revoked_at=at))
