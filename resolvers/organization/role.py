"""角色 · Roles (F05)."""

from __future__ import annotations

import strawberry

from domain.organization import role
from resolvers.kernel import Info, keys, mutation, reads
from schema.organization.role import CreateRoleInput, CreateRolePayload, Role


@strawberry.type
class RoleQueries:
    @reads(role.all_roles)
    async def roles(self, info: Info) -> list[Role]:
        """角色 Built-in and own roles; small, so no connection."""
        ctx = await info.context.reading()
        return [Role.of(row) for row in await role.all_roles(ctx, columns=Role.columns())]


@strawberry.type
class RoleMutations:
    @mutation(role.create)
    async def create_role(self, info: Info, input: CreateRoleInput) -> CreateRolePayload:
        """新建角色 Create a role of the lender's own."""
        created = await role.create(
            info.context.ctx,
            code=input.code,
            name=input.name,
            permissions=input.permissions,
            data_scope=input.data_scope,
            approval_limit=input.approval_limit,
            exclusive_with=keys(input.exclusive_with, "Role"),
        )
        return CreateRolePayload(role=Role.of(created))
