"""员工 · Employees (F06): who works here, in which department, in which roles.

Nobody holds two roles that exclude each other, and nobody is deleted: who leaves is LEFT.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.identifiers import check_mobile
from domain.kernel import personal_data
from domain.kernel.clock import machine_now
from domain.kernel.command import check_version, command, find, lock, query
from domain.kernel.context import Context
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.numbering import NumberSequence, numbered
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import (
    Duplicate,
    HandoverRequired,
    InvalidInput,
    InvalidMobile,
    InvalidState,
    MutuallyExclusiveRoles,
    SamePerson,
)
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, TenantTable, choice, uuid7
from domain.organization import credential, role, session
from domain.organization.credential import Credential, check_password, check_username
from domain.organization.department import Department, check_text
from domain.organization.role import Role

NUMBER = "YG"


class EmployeeStatus(StrEnum):
    """状态 · Only who is ACTIVE can sign in."""

    ACTIVE = "ACTIVE"
    """在职 May sign in."""
    ON_LEAVE = "ON_LEAVE"
    """休假 Away for a time."""
    LOCKED = "LOCKED"
    """已锁定 Kept out."""
    LEFT = "LEFT"
    """离职 Works here no more."""


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


def check_roles(roles: Sequence[Role]) -> None:
    """Raises INVALID_INPUT for none at all, MUTUALLY_EXCLUSIVE_ROLES for two that one person may not hold."""
    if not roles:
        raise InvalidInput("roleIds", zh="至少需要一个角色。", en="An employee needs at least one role.")
    pair = role.exclusive_pair(roles)
    if pair:
        raise MutuallyExclusiveRoles("roleIds", roles=", ".join(pair))


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


@command("organization.employee.change_roles")
async def change_roles(ctx: Context, *, employee_id: UUID, role_ids: Sequence[UUID], expected_version: int) -> Employee:
    """Other roles for somebody else; their sessions end, so that nothing goes on under the old ones (promises A3, Z4).

    Raises NOT_FOUND, SAME_PERSON, CONFLICT, INVALID_INPUT, MUTUALLY_EXCLUSIVE_ROLES.
    """
    person = await _other(ctx, employee_id, expected_version)
    roles = await role.load(ctx, role_ids, "roleIds")
    check_roles(roles)
    held = EmployeeRole.employee_id == person.id
    before = (
        await ctx.connection.execute(select(Role.code).join(EmployeeRole).where(held).order_by(Role.code))
    ).scalars()
    ctx.bound.changes.append({"table": "employee_roles", "id": str(person.id), "before": list(before)})
    await ctx.connection.execute(delete(EmployeeRole).where(held))
    ctx.session.add_all(EmployeeRole(employee_id=person.id, role_id=new.id) for new in roles)
    await session.revoke_all(ctx.connection, person.id, machine_now())
    ctx.announce("organization.employee.roles_changed", person)
    return person


@command("organization.employee.change_status")
async def change_status(ctx: Context, *, employee_id: UUID, status: EmployeeStatus, expected_version: int) -> Employee:
    """Locks, unlocks, sends on leave or lets go somebody else; only who is ACTIVE keeps their sessions.

    Raises NOT_FOUND, SAME_PERSON, CONFLICT, INVALID_STATE (who LEFT stays so), HANDOVER_REQUIRED (who leaves and still
    manages customers).
    """
    person = await _other(ctx, employee_id, expected_version)
    if person.status is EmployeeStatus.LEFT:
        raise InvalidState("status", state=person.status)
    if status is EmployeeStatus.LEFT:
        customers = TenantTable.metadata.tables["customers"].c
        managed = select(customers.id).where(
            (customers.manager_id == person.id) | (customers.co_manager_id == person.id)
        )
        if (await ctx.connection.execute(managed.limit(1))).first():
            raise HandoverRequired("employeeId")
    person.status = status
    if status is not EmployeeStatus.ACTIVE:
        await session.revoke_all(ctx.connection, person.id, machine_now())
    ctx.announce("organization.employee.status_changed", person)
    return person


async def _other(ctx: Context, employee_id: UUID, expected_version: int) -> Employee:
    """Somebody else, locked for a change: nobody changes what they may do themselves."""
    person = await lock(ctx, Employee, employee_id, "employeeId")
    if person.id == ctx.actor.id:
        raise SamePerson(
            "employeeId",
            zh="不能更改自己的角色或状态。",
            en="Nobody changes their own roles or status.",
        )
    check_version(person, expected_version)
    return person


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
