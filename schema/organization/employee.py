"""员工 · Employees (F06)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.organization import employee
from schema.kernel import ID, Connection, Hidden, Node, Payload, column, entity, relation
from schema.organization.department import Department
from schema.organization.role import Role

if TYPE_CHECKING:
    from domain.organization.employee import EmployeeStatus
else:
    EmployeeStatus = strawberry.enum(employee.EmployeeStatus, description="员工状态 Only who is ACTIVE can sign in.")


@entity("employees", reading="organization.employee.read")
class Employee(Node):
    """员工 Somebody who works for the lender."""

    number: str
    """工号 Number, e.g. YG-2026-0001."""
    name: str
    """姓名 Name."""
    status: EmployeeStatus
    """状态 Whether they can sign in."""
    mobile: str | None = column("mobile_masked")
    """手机 Mobile number, masked: 138****1234."""
    version: int
    """版本 Counts the edits; update mutations take it as expectedVersion."""
    department_id: Hidden[UUID]

    @relation(by="department_id")
    def department(self) -> Department:
        """部门 The department they belong to."""

    @relation
    def roles(self) -> list[Role]:
        """角色 The roles they hold, by code."""


@strawberry.type(description="员工列表 One page of employees.")
class EmployeeConnection(Connection[Employee]):
    pass


@strawberry.input(description="新员工 An employee to create, who can sign in at once.")
class CreateEmployeeInput:
    name: str
    """姓名 Name."""
    department_id: ID
    """部门 The department they belong to."""
    role_ids: list[ID]
    """角色 At least one; roles that exclude each other are refused."""
    mobile: str | None = None
    """手机 Mobile number; stored encrypted, shown masked."""
    username: str
    """用户名 What they sign in with; unique within the lender, upper and lower case alike."""
    initial_password: str
    """初始密码 At least 12 characters."""


@strawberry.type(description="新员工结果 The employee created.")
class CreateEmployeePayload(Payload):
    employee: Employee | None = None
    """员工 The new employee."""


@strawberry.input(description="更换角色 Other roles for an employee.")
class ChangeEmployeeRolesInput:
    employee_id: ID
    """员工 Somebody else."""
    role_ids: list[ID]
    """角色 All roles they hold from now on, at least one."""
    expected_version: int
    """版本 The version that was edited; a stale one is CONFLICT."""


@strawberry.input(description="更改状态 Locks, unlocks, sends on leave or lets go an employee.")
class ChangeEmployeeStatusInput:
    employee_id: ID
    """员工 Somebody else."""
    status: EmployeeStatus
    """状态 LEFT is final, and needs the work handed over before."""
    expected_version: int
    """版本 The version that was edited; a stale one is CONFLICT."""


@strawberry.type(description="员工操作结果 The employee as they are now.")
class EmployeePayload(Payload):
    employee: Employee | None = None
    """员工 The employee."""
