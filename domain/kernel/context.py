"""上下文 · Who is asking, for which lender, on which business day: the first argument of every command and query.

Outside a transaction a context only knows lender, actor and ports; `writing()` and `reading()` open the tenant door and
answer a context bound to that transaction. Nothing in it is ever an argument of the API: it comes from the credential.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from domain.kernel.refusals import Denied, Language
from domain.kernel.table import Keyed, uuid7

if TYPE_CHECKING:
    from domain.kernel.ports import Ports
    from tenancy.current import Lender


Row = TypeVar("Row", bound=Keyed)


class ActorKind(StrEnum):
    """Kinds of actors; the audit row names the kind, never just an id."""

    STAFF = "STAFF"
    BORROWER = "BORROWER"
    OPERATOR = "OPERATOR"
    API_KEY = "API_KEY"
    SYSTEM = "SYSTEM"


class DataScope(StrEnum):
    """数据范围 · Whose rows a role may see; the widest of a person's roles counts."""

    SELF = "SELF"
    """本人 What the person manages or co-manages."""
    DEPARTMENT = "DEPARTMENT"
    """本部门 The person's department."""
    DEPARTMENT_TREE = "DEPARTMENT_TREE"
    """本部门及下级 The department and all below it."""
    CUSTOM = "CUSTOM"
    """自定义 The departments that the role names."""
    TENANT = "TENANT"
    """全公司 The whole lender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `id` is the employee for staff. Permissions and scope are those in force at this request."""

    kind: ActorKind
    id: UUID
    name: str
    permissions: frozenset[str] = frozenset()
    scope: DataScope = DataScope.SELF
    department_id: UUID | None = None
    department_path: str = ""
    role_ids: frozenset[UUID] = frozenset()
    role_codes: frozenset[str] = frozenset()
    approval_limit: Decimal | None = None
    session_id: UUID | None = None

    def may(self, permission: str) -> bool:
        """True when the actor holds the permission; the system holds all."""
        return self.kind is ActorKind.SYSTEM or permission in self.permissions

    @property
    def employee_id(self) -> UUID | None:
        """The employee who acts; None where nobody does, as in a night or in a preview of what others will decide."""
        return None if self.kind is ActorKind.SYSTEM else self.id


SYSTEM = Actor(kind=ActorKind.SYSTEM, id=UUID(int=0), name="系统 System", scope=DataScope.TENANT)


@dataclass(frozen=True, slots=True)
class Request:
    """Where a call came from; it goes into the audit row."""

    id: str = ""
    ip: str = ""
    user_agent: str = ""
    language: Language = Language.CHINESE


@dataclass(slots=True)
class Transaction:
    """What one transaction collects on the way and commits at its end."""

    connection: AsyncConnection
    today: date
    now: datetime
    session: AsyncSession | None = None
    permission: str = ""
    holds_day: bool = False
    closed_through: date | None = None
    feed: list[Any] = field(default_factory=list)
    jobs_due: list[datetime] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    rehearsal: list[Any] | None = None
    """What happened so far, where the transaction is a rehearsal (`command.rehearse`) and will be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A caller at one lender; bound to a transaction inside `writing()` or `reading()`."""

    lender: Lender
    actor: Actor
    ports: Ports
    request: Request = Request()
    transaction: Transaction | None = None

    @property
    def bound(self) -> Transaction:
        """The transaction in hand; asking outside of one is a mistake of the program."""
        if self.transaction is None:
            raise RuntimeError("no transaction is open: use writing() or reading(), or call a command")
        return self.transaction

    @property
    def session(self) -> AsyncSession:
        """The unit of work of a command. Reads have none: they use `connection`."""
        if self.bound.session is None:
            raise RuntimeError("this is a read: use ctx.connection")
        return self.bound.session

    @property
    def connection(self) -> AsyncConnection:
        """The lender's connection inside this transaction."""
        return self.bound.connection

    @property
    def today(self) -> date:
        """The lender's business date."""
        return self.bound.today

    @property
    def now(self) -> datetime:
        """The lender's moment (UTC): real time, in a sandbox the business date at the real time of day."""
        return self.bound.now

    def require(self, permission: str) -> None:
        """Raises Denied unless the actor holds the permission."""
        if not self.actor.may(permission):
            raise Denied(permission)

    def acting_as(self, actor: Actor) -> Context:
        """The same lender and transaction under another actor (the system carries out what people decided)."""
        return replace(self, actor=actor)

    def add(self, row: Row) -> Row:
        """Adds a row to the unit of work, with its key and the lender's moment, so that others may refer to it."""
        if row.id is None:
            row.id = uuid7()
        if row.created_at is None:
            row.created_at = self.now
        self.session.add(row)
        return row

    def announce(self, kind: str, subject: Keyed, **facts: Any) -> None:
        """Writes a feed row in this transaction: kind, ids and the day, never personal data (facts are ids and codes)."""
        from domain.kernel.feed import row

        self.bound.feed.append(row(self, kind, subject, facts))

    def note(self, happened: Any) -> None:
        """Tells a rehearsal what happens on the way; otherwise nobody keeps it."""
        if self.bound.rehearsal is not None:
            self.bound.rehearsal.append(happened)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Context]:
        """One transaction that commits at its end; only `command` and the jobs open it."""
        from domain.kernel.clock import read_clock
        from domain.kernel.feed import flush as flush_feed

        async with self.ports.door.enter(self.lender, write=True) as connection:
            today, now = await read_clock(connection)
            async with AsyncSession(bind=connection, expire_on_commit=False, autoflush=True) as session:
                inner = replace(self, transaction=Transaction(connection, today, now, session))
                yield inner
                await session.flush()
                await flush_feed(inner)
        if inner.bound.feed or inner.bound.jobs_due:
            await self.ports.after_commit(self.lender, bool(inner.bound.feed), tuple(inner.bound.jobs_due))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Context]:
        """One consistent, read-only snapshot."""
        from domain.kernel.clock import read_clock

        async with self.ports.door.enter(self.lender) as connection:
            today, now = await read_clock(connection)
            yield replace(self, transaction=Transaction(connection, today, now))
