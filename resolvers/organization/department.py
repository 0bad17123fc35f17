"""部门 · Departments (F04)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.kernel.context import Context
from domain.organization import department
from resolvers.kernel import Info, answers, answers_by_key, key, mutation, reads
from schema.organization.department import (
    AppointDepartmentHeadInput,
    CreateDepartmentInput,
    CreateDepartmentPayload,
    Department,
    DepartmentPayload,
)
from schema.organization.employee import Employee


@strawberry.type
class DepartmentQueries:
    @reads(department.tree)
    async def departments(self, info: Info) -> list[Department]:
        """部门 The whole tree of the lender, root first; small, so no connection."""
        ctx = await info.context.reading()
        return [Department.of(row) for row in await department.tree(ctx, columns=Department.columns())]


@strawberry.type
class DepartmentMutations:
    @mutation(department.create)
    async def create_department(self, info: Info, input: CreateDepartmentInput) -> CreateDepartmentPayload:
        """新建部门 Create a department below another one, or below the root."""
        created = await department.create(
            info.context.ctx,
            code=input.code,
            name=input.name,
            parent_id=key(input.parent_id, "Department"),
            type=input.type,
        )
        return CreateDepartmentPayload(department=Department.of(created))

    @mutation(department.appoint)
    async def appoint_department_head(self, info: Info, input: AppointDepartmentHeadInput) -> DepartmentPayload:
        """任命负责人 Say who leads a department."""
        changed = await department.appoint(
            info.context.ctx,
            department_id=key(input.department_id, "Department"),
            employee_id=key(input.employee_id, "Employee"),
        )
        return DepartmentPayload(department=Department.of(changed))


@answers("Department.children")
async def children(ctx: Context, parent_ids: Sequence[UUID]) -> dict[UUID, list[Department]]:
    found = await department.by_parent(ctx, parent_ids, Department.columns())
    return {parent: [Department.of(row) for row in rows] for parent, rows in found.items()}


answers_by_key("Department.parent", Department)
answers_by_key("Department.head", Employee)
