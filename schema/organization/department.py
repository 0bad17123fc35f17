"""部门 · Departments (F04)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from schema.kernel import ID, Hidden, Node, Payload, entity, relation

if TYPE_CHECKING:
    from schema.organization.employee import Employee


@entity("departments", reading="organization.department.read")
class Department(Node):
    """部门 A department of the lender; they form one tree."""

    code: str
    """编码 Short code, unique within the lender."""
    name: str
    """名称 Name."""
    type: str | None
    """类型 What kind of department it is, in the lender's own words."""
    parent_id: Hidden[UUID | None]
    head_id: Hidden[UUID | None]

    @relation(by="parent_id")
    def parent(self) -> Department | None:
        """上级部门 The department above; null for the root."""

    @relation
    def children(self) -> list[Department]:
        """下级部门 The departments right below, by code."""

    @relation(by="head_id")
    def head(self) -> Annotated[Employee, strawberry.lazy("schema.organization.employee")] | None:
        """负责人 Who leads it."""


@strawberry.input(description="新部门 A department to create.")
class CreateDepartmentInput:
    code: str
    """编码 1 to 40 letters, digits, "_" or "-"; unique within the lender."""
    name: str
    """名称 Name."""
    parent_id: ID | None = None
    """上级部门 The department above; left out: the root."""
    type: str | None = None
    """类型 What kind of department it is, in the lender's own words."""


@strawberry.type(description="新部门结果 The department created.")
class CreateDepartmentPayload(Payload):
    department: Department | None = None
    """部门 The new department."""


@strawberry.input(description="任命负责人 Who leads a department.")
class AppointDepartmentHeadInput:
    department_id: ID
    """部门 Which department."""
    employee_id: ID | None = None
    """员工 Who leads it from now on; left out: nobody."""


@strawberry.type(description="部门操作结果 The department as it is now.")
class DepartmentPayload(Payload):
    department: Department | None = None
    """部门 The department."""
