"""员工 · Employees (F06): who works here, in which department, in which roles.

Nobody holds two roles that exclude each other, and nobody is deleted: who leaves is LEFT.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.identifiers import check_mobile
from domain.kernel import personal_data
from domain.kernel.command import command, find, query
from domain.kernel.context import Actor, ActorKind, Context, DataScope
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.numbering import NumberSequence, numbered
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import Duplicate, InvalidInput, InvalidMobile, MutuallyExclusiveRoles
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, TenantTable, choice, uuid7
from domain.organization import credential, role
from domain.organization.credential import Credential, check_password, check_username
from domain.organization.department import Department, check_text
from domain.organization.role import Role

NUMBER = "YG"


class EmployeeStatus(StrEnum):
    """状态 · Only who is ACTIVE can sign in."""

    ACTIVE = "ACTIVE"
    ON_LEAVE = "ON_LEAVE"
    LOCKED = "LOCKED"
    LEFT = "LEFT"


class Employee(Keyed):
    """One person of the lender. Colleagues see number, name and department of each other."""

    __tablename__ = "employees"
    reach: ClassVar[Reach] = Everyone()

    number: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    status: Mapped[EmployeeStatus] = mapped_column(choice(EmployeeStatus))
    mobile_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    mobile_masked: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=1)


class EmployeeRole(TenantTable):
    """Which roles an employee holds."""

    __tablename__ = "employee_roles"
    grants: ClassVar[str] = "all"

    employee_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"), primary_key=True)
    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id"), primary_key=True, index=True)


WIDTH = [DataScope.SELF, DataScope.CUSTOM, DataScope.DEPARTMENT, DataScope.DEPARTMENT_TREE, DataScope.TENANT]
DECIDES = "home.pending_task.decide"


def check_roles(roles: Sequence[Role]) -> None:
    """Raises INVALID_INPUT for none at all, MUTUALLY_EXCLUSIVE_ROLES for two that one person may not hold."""
    if not roles:
        raise InvalidInput("roleIds", zh="至少需要一个角色。", en="An employee needs at least one role.")
    pair = role.exclusive_pair(roles)
    if pair:
        raise MutuallyExclusiveRoles("roleIds", roles=", ".join(pair))


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


@command("organization.employee.create")
async def create(
    ctx: Context,
    *,
    name: str,
    department_id: UUID,
    role_ids: Sequence[UUID],
    username: str,
    initial_password: str,
    mobile: str | None = None,
) -> Employee:
    """An employee who can sign in at once.

    Raises INVALID_INPUT, INVALID_MOBILE, WEAK_PASSWORD, NOT_FOUND (department, role), MUTUALLY_EXCLUSIVE_ROLES,
    DUPLICATE (user name).
    """
    name, username = check_text("name", name), check_username(username)
    check_password("initialPassword", initial_password)
    department = await find(ctx, Department, department_id, "departmentId")
    roles = await role.load(ctx, role_ids, "roleIds")
    check_roles(roles)
    password_hash = await ctx.ports.identity.hash_password(initial_password)
    if await credential.find(ctx.connection, username):  # before a number is taken and locked
        raise Duplicate("username", value=username)
    employee = ctx.add(
        Employee(
            number=await numbered(ctx, NUMBER), name=name, department_id=department.id, status=EmployeeStatus.ACTIVE
        )
    )
    if mobile is not None:
        personal_data.seal(ctx, employee, "mobile", _mobile(mobile))
    await ctx.session.flush()
    ctx.session.add(Credential(employee_id=employee.id, username=username, password_hash=password_hash))
    ctx.session.add_all(EmployeeRole(employee_id=employee.id, role_id=held.id) for held in roles)
    try:
        await ctx.session.flush()
    except IntegrityError as error:  # two at once took the same name
        raise Duplicate("username", value=username) from error
    ctx.announce("organization.employee.created", employee)
    return employee


def _mobile(text: str) -> str:
    try:
        return check_mobile(text)
    except ValueError as error:
        raise InvalidMobile("mobile") from error


@query("organization.employee.read")
async def pages(ctx: Context, *, columns: Sequence[Any], window: Window) -> Page:
    """All employees in the order of their numbers."""
    employees = Employee.__table__.c
    return await page(ctx, select(*columns), [Order(employees.number), Order(employees.id)], window)


async def roles_by_employee(
    ctx: Context, employee_ids: Sequence[UUID], columns: Sequence[Any]
) -> dict[UUID, list[Any]]:
    """The roles of each employee, in the order of their codes."""
    statement = (
        select(*columns, EmployeeRole.employee_id.label("__employee"))
        .join(EmployeeRole, EmployeeRole.role_id == Role.id)
        .where(EmployeeRole.employee_id.in_(employee_ids))
        .order_by(Role.code)
    )
    found: dict[UUID, list[Any]] = {key: [] for key in employee_ids}
    for row in await ctx.connection.execute(statement):
        found[row[-1]].append(row)
    return found


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The first administrator, in the root department. Needs the rows of department and role."""
    department_id = (await connection.execute(select(Department.id).where(Department.parent_id.is_(None)))).scalar_one()
    role_id = (await connection.execute(select(Role.id).where(Role.code == "TENANT_ADMIN"))).scalar_one()
    year, key = request.open_on.year, uuid7()
    await connection.execute(insert(NumberSequence).values(kind=NUMBER, period=str(year), last=1))
    await connection.execute(
        insert(Employee).values(
            id=key,
            number=f"{NUMBER}-{year}-0001",
            name="系统管理员",
            department_id=department_id,
            status=EmployeeStatus.ACTIVE,
            created_at=request.moment,
        )
    )
    username = credential.plain_username(request.admin_username)
    await connection.execute(
        insert(Credential).values(employee_id=key, username=username, password_hash=request.admin_password_hash)
    )
    await connection.execute(insert(EmployeeRole).values(employee_id=key, role_id=role_id))
