"""会话 · Sessions: who signed in, until when. Only the hash of a token is stored; ending one is one update (promise A3).

A session says who asks, never what they may do: that is read anew with every look (`standing.by_token`).
Times are the machine's.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.table import Keyed


class Session(Keyed):
    """One signed-in session of an employee."""

    __tablename__ = "sessions"

    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))


async def revoke(connection: AsyncConnection, session_id: UUID, at: datetime) -> None:
    """Ends one session; a repeat changes nothing."""
    await connection.execute(
        update(Session).where(Session.id == session_id, Session.revoked_at.is_(None)).values(revoked_at=at)
    )


async def revoke_all(connection: AsyncConnection, employee_id: UUID, at: datetime) -> None:
    """Ends all sessions of an employee."""
    ended = update(Session).where(Session.employee_id == employee_id, Session.revoked_at.is_(None))
    await connection.execute(ended.values(revoked_at=at))
