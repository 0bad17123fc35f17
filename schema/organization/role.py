"""角色 · Roles (F05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.kernel import context
from schema.kernel import ID, Money, Node, Payload, entity

if TYPE_CHECKING:
    from domain.kernel.context import DataScope
else:
    DataScope = strawberry.enum(
        context.DataScope,
        description="数据范围 Whose rows a role may see; the widest of a person's roles counts.",
    )


@entity("roles", reading="organization.role.read")
class Role(Node):
    """角色 What its holders may do, and whose rows they see."""

    code: str
    """编码 Short code, unique within the lender."""
    name: str
    """名称 Name."""
    permissions: list[str]
    """权限 Names of the permissions it gives, sorted."""
    data_scope: DataScope
    """数据范围 Whose rows its holders see."""
    approval_limit: Money | None
    """审批限额 Largest amount its holders may approve; null: no limit of its own."""
    built_in: bool
    """内置 True for the roles every lender has."""


@strawberry.input(description="新角色 A role to create.")
class CreateRoleInput:
    code: str
    """编码 1 to 40 letters, digits, "_" or "-"; unique within the lender."""
    name: str
    """名称 Name."""
    permissions: list[str]
    """权限 Names of permissions; one that does not exist is refused."""
    data_scope: DataScope
    """数据范围 CUSTOM is not available yet."""
    approval_limit: Money | None = None
    """审批限额 Largest amount its holders may approve; left out: no limit of its own."""
    exclusive_with: list[ID] | None = None
    """互斥角色 Roles that its holders may not hold."""


@strawberry.type(description="新角色结果 The role created.")
class CreateRolePayload(Payload):
    role: Role | None = None
    """角色 The new role."""
