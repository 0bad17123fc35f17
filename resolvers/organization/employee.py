"""员工 · Employees (F06)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.organization import employee
from resolvers.kernel import Info, answers, answers_by_key, key, keys, mutation, reads
from schema.organization.department import Department
from schema.organization.employee import (
    ChangeEmployeeRolesInput,
    ChangeEmployeeStatusInput,
    CreateEmployeeInput,
    CreateEmployeePayload,
    Employee,
    EmployeeConnection,
    EmployeePayload,
)
from schema.organization.role import Role


@strawberry.type
class EmployeeQueries:
    @reads(employee.pages)
    async def employees(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EmployeeConnection:
        """员工 Everybody who works for the lender, by number."""
        ctx = await info.context.reading()
        window = Window(first, after, last, before)
        return EmployeeConnection.of(Employee, await employee.pages(ctx, columns=Employee.columns(), window=window))


@strawberry.type
class EmployeeMutations:
    @mutation(employee.create)
    async def create_employee(self, info: Info, input: CreateEmployeeInput) -> CreateEmployeePayload:
        """新建员工 Create an employee, who can sign in at once."""
        created = await employee.create(
            info.context.ctx,
            name=input.name,
            department_id=key(input.department_id, "Department"),
            role_ids=keys(input.role_ids, "Role"),
            mobile=input.mobile,
            username=input.username,
            initial_password=input.initial_password,
        )
        return CreateEmployeePayload(employee=Employee.of(created))

    @mutation(employee.change_roles)
    async def change_employee_roles(self, info: Info, input: ChangeEmployeeRolesInput) -> EmployeePayload:
        """更换角色 Give somebody else other roles; their sessions end."""
        changed = await employee.change_roles(
            info.context.ctx,
            employee_id=key(input.employee_id, "Employee"),
            role_ids=keys(input.role_ids, "Role"),
            expected_version=input.expected_version,
        )
        return EmployeePayload(employee=Employee.of(changed))

    @mutation(employee.change_status)
    async def change_employee_status(self, info: Info, input: ChangeEmployeeStatusInput) -> EmployeePayload:
        """更改状态 Lock, unlock, send on leave or let go somebody else; unless ACTIVE their sessions end."""
        changed = await employee.change_status(
            info.context.ctx,
            employee_id=key(input.employee_id, "Employee"),
            status=input.status,
            expected_version=input.expected_version,
        )
        return EmployeePayload(employee=Employee.of(changed))


@answers("Employee.roles")
async def roles(ctx: Context, employee_ids: Sequence[UUID]) -> dict[UUID, list[Role]]:
    found = await employee.roles_by_employee(ctx, employee_ids, Role.columns())
    return {holder: [Role.of(row) for row in rows] for holder, rows in found.items()}


answers_by_key("Employee.department", Department)
