"""登录 · Signing in and out, and who is signed in."""

from __future__ import annotations

from typing import cast

import strawberry

from resolvers.identity.tenant import tenant_of
from resolvers.kernel import Info, Operation, by_keys, mutation, reads
from schema.identity.session import SignInInput, SignInPayload, SignOutPayload, Viewer
from schema.organization.employee import Employee


@strawberry.type
class SessionQueries:
    @reads(signed_in=True)
    async def viewer(self, info: Info) -> Viewer | None:
        """当前用户 Who asks, and what they may do."""
        return await viewer_of(info.context)


@strawberry.type
class SessionMutations:
    @mutation(public=True)
    async def sign_in(self, info: Info, input: SignInInput) -> SignInPayload:
        """登录 Staff give their lender's code; operators of the platform leave `tenant` out."""
        operation = info.context
        identity = operation.ports.identity
        if input.tenant is None:
            signed_in = await identity.sign_in_operator(input.username, input.password)
        else:
            signed_in = await identity.sign_in(
                operation.ports, operation.request, input.tenant, input.username, input.password
            )
        operation.become(signed_in.caller)
        return SignInPayload(
            token=signed_in.token, expires_at=signed_in.caller.expires_at, viewer=await viewer_of(operation)
        )

    @mutation(signed_in=True)
    async def sign_out(self, info: Info) -> SignOutPayload:
        """退出 End this session at once; its sockets are closed within 10 s."""
        operation = info.context
        await operation.ports.identity.sign_out(operation.ports, operation.request, operation.caller)
        return SignOutPayload()


async def viewer_of(operation: Operation) -> Viewer:
    """The caller as the API shows them."""
    actor, lender = operation.actor, operation.caller.lender if operation.caller else None
    if lender is None:
        return Viewer(
            employee=None, customer=None, tenant=None, permissions=sorted(actor.permissions), business_date=None
        )
    ctx = await operation.reading()
    # Everybody may read who they are, whatever their roles let them read of others.
    found = await by_keys(ctx, Employee, [actor.id])
    return Viewer(
        employee=cast(Employee | None, found.get(actor.id)),
        customer=None,
        tenant=tenant_of(lender, ctx.today),
        permissions=sorted(actor.permissions),
        business_date=ctx.today,
    )
