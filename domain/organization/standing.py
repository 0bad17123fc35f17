"""当前岗位 · What an employee may do at this moment: the sum of their roles, read anew with every request (promise A3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.kernel.context import Actor, ActorKind, DataScope
from domain.organization.department import Department
from domain.organization.employee import Employee, EmployeeRole, EmployeeStatus
from domain.organization.role import Role
from domain.organization.session import Session

WIDTH = [DataScope.SELF, DataScope.CUSTOM, DataScope.DEPARTMENT, DataScope.DEPARTMENT_TREE, DataScope.TENANT]
DECIDES = "home.pending_task.decide"


def actor_of(person: Any, roles: Sequence[Any], session_id: UUID | None = None) -> Actor:
    """The actor that an employee is: all permissions of the roles together, the widest scope.

    The approval limit is the highest of those roles that may decide tasks; one of them without a limit lifts it.
    """
    limits = [held.approval_limit for held in roles if DECIDES in held.permissions]
    return Actor(
        kind=ActorKind.STAFF,
        id=person.employee_id,
        name=person.employee_name,
        permissions=frozenset().union(*(held.permissions for held in roles)),
        scope=max((DataScope(held.data_scope) for held in roles), key=WIDTH.index, default=DataScope.SELF),
        department_id=person.department_id,
        department_path=person.department_path,
        role_ids=frozenset(held.role_id for held in roles),
        role_codes=frozenset(held.role_code for held in roles),
        approval_limit=None if not limits or None in limits else max(limits),
        session_id=session_id,
    )


def standing() -> Any:
    """An active employee with department and roles, one row for each role (one with nulls when there is none)."""
    return (
        select(
            Employee.id.label("employee_id"),
            Employee.name.label("employee_name"),
            Employee.department_id.label("department_id"),
            Department.path.label("department_path"),
            Role.id.label("role_id"),
            Role.code.label("role_code"),
            Role.permissions.label("permissions"),
            Role.data_scope.label("data_scope"),
            Role.approval_limit.label("approval_limit"),
        )
        .select_from(Employee)
        .join(Department, Department.id == Employee.department_id)
        .outerjoin(EmployeeRole, EmployeeRole.employee_id == Employee.id)
        .outerjoin(Role, Role.id == EmployeeRole.role_id)
        .where(Employee.status == EmployeeStatus.ACTIVE)
    )


async def actor(connection: AsyncConnection, employee_id: UUID) -> Actor | None:
    """The actor an employee is at this moment; None unless active."""
    rows = (await connection.execute(standing().where(Employee.id == employee_id))).all()
    return actor_of(rows[0], [row for row in rows if row.role_id]) if rows else None


async def by_token(connection: AsyncConnection, token_hash: bytes, at: datetime) -> tuple[Actor, datetime] | None:
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
