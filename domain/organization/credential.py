"""登录凭证 · User names, password hashes and the count of wrong tries (promises A1, A2).

Tries are counted by user name, known or not, so that neither answers nor lock-outs tell who exists. Times are the machine's.
"""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, case, delete, func, null, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.refusals import InvalidInput, WeakPassword
from domain.kernel.table import TenantTable

SHORTEST, LONGEST = 12, 256
TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


class PasswordHasher(Protocol):
    """What `ctx.ports.identity` gives: Argon2id, off the event loop."""

    async def hash_password(self, password: str) -> str: ...

    async def matches(self, password_hash: str, password: str) -> bool: ...


class Credential(TenantTable):
    """How an employee signs in. The user name is kept in its plain form (`plain_username`)."""

    __tablename__ = "credentials"

    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"), primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(300))


class SignInFailures(TenantTable):
    """Wrong tries in a row for one user name, by its hash. Rows without a new try for a day are deleted."""

    __tablename__ = "sign_in_failures"
    grants: ClassVar[str] = "all"

    username_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    tries: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


def plain_username(username: str) -> str:
    """Upper and lower case, full and half width are one user name."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def check_username(username: str, field: str = "username") -> str:
    """The plain form. Raises INVALID_INPUT unless it is 2 to 100 visible characters without blanks."""
    plain = plain_username(username)
    if not 2 <= len(plain) <= 100 or not plain.isprintable() or any(sign.isspace() for sign in plain):
        raise InvalidInput(
            field,
            zh="用户名应为 2 至 100 个可见字符，不含空格。",
            en="A user name is 2 to 100 visible characters without blanks.",
        )
    return plain


def check_password(field: str, password: str) -> None:
    """At least 12 characters (WEAK_PASSWORD), no further rule; more than 256 are INVALID_INPUT."""
    if len(password) < SHORTEST:
        raise WeakPassword(field, minimum=SHORTEST)
    if len(password) > LONGEST:
        raise InvalidInput(
            field,
            zh="密码最多 {longest} 个字符。",
            en="A password has at most {longest} characters.",
            longest=LONGEST,
        )


async def find(connection: AsyncConnection, username: str) -> Any:
    """(employee_id, password_hash) of a user name."""
    statement = select(Credential.employee_id, Credential.password_hash)
    return (await connection.execute(statement.where(Credential.username == plain_username(username)))).one_or_none()


async def lock_hash(connection: AsyncConnection, employee_id: UUID) -> str:
    """The password hash as it is now; whoever changes it waits until this transaction ends."""
    statement = select(Credential.password_hash).where(Credential.employee_id == employee_id)
    found: str = (await connection.execute(statement.with_for_update(key_share=True))).scalar_one()
    return found


async def locked_until(connection: AsyncConnection, username: str, at: datetime) -> datetime | None:
    """Until when this user name is locked, if it is at `at`."""
    row = SignInFailures
    statement = select(row.locked_until).where(row.username_hash == _hash(username), row.locked_until > at)
    return (await connection.execute(statement.with_for_update())).scalar_one_or_none()


async def count_failure(connection: AsyncConnection, username: str, at: datetime) -> datetime | None:
    """One more wrong try; answers until when the name is locked now. Counted by the database: parallel tries all count."""
    row = SignInFailures
    over = row.locked_until <= at  # a lock that has ended: counting begins anew
    first = insert(row).values(username_hash=_hash(username), tries=1, last_at=at)
    counted = first.on_conflict_do_update(
        index_elements=[row.username_hash],
        set_={
            "tries": case((over, 1), else_=row.tries + 1),
            "last_at": at,
            "locked_until": case(
                (over, null()),
                (row.tries + 1 >= TRIES, func.coalesce(row.locked_until, at + LOCKED_FOR)),
                else_=row.locked_until,
            ),
        },
    )
    locked: datetime | None = (await connection.execute(counted.returning(row.locked_until))).scalar_one()
    await connection.execute(delete(row).where(row.last_at < at - FORGOTTEN_AFTER))
    return locked


async def forget_failures(connection: AsyncConnection, username: str) -> None:
    """After a right password."""
    await connection.execute(delete(SignInFailures).where(SignInFailures.username_hash == _hash(username)))


def _hash(username: str) -> bytes:
    return hashlib.sha256(plain_username(username).encode()).digest()
