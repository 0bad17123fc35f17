"""租户 · Provisioning, suspending and listing lenders, for operators of the platform."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import strawberry

from domain.kernel.paging import Window
from resolvers.kernel import Info, Operation, key, mutation, reads
from resolvers.kernel.node import node_of
from schema.identity.tenant import (
    LicenceType,
    ProvisionTenantInput,
    ProvisionTenantPayload,
    Tenant,
    TenantActionInput,
    TenantConnection,
    TenantPayload,
    TenantStatus,
)
from tenancy.current import Lender


@strawberry.type
class TenantQueries:
    @reads(permission="identity.tenant.read")
    async def tenants(self, info: Info, first: int | None = None, after: str | None = None) -> TenantConnection:
        """机构 All lenders of the platform, by code."""
        page = await info.context.ports.provisioning.page(Window(first, after))
        return TenantConnection.over([tenant_of(lender) for lender in page.rows], page)


@strawberry.type
class TenantMutations:
    @mutation(permission="identity.tenant.provision", unlimited=True)
    async def provision_tenant(self, info: Info, input: ProvisionTenantInput) -> ProvisionTenantPayload:
        """开户 Schema, tables, default roles, dictionaries and workflows, and the first administrator. Ready when it answers."""
        lender = await info.context.ports.provisioning.provision(
            info.context.actor,
            code=input.code,
            name=input.name,
            licence_type=input.licence_type.value,
            net_assets=input.net_assets,
            open_on=input.open_on,
            admin_username=input.admin_username,
            admin_password=input.admin_password,
            sandbox=input.sandbox,
        )
        return ProvisionTenantPayload(tenant=tenant_of(lender))

    @mutation(permission="identity.tenant.suspend")
    async def suspend_tenant(self, info: Info, input: TenantActionInput) -> TenantPayload:
        """停用机构 Stop a lender: within 5 s its calls and sockets end and nobody can sign in. Doing it again changes nothing."""
        found = await info.context.ports.provisioning.suspend(
            info.context.actor, key(input.tenant_id, "Tenant"), input.reason
        )
        return TenantPayload(tenant=tenant_of(found))

    @mutation(permission="identity.tenant.resume")
    async def resume_tenant(self, info: Info, input: TenantActionInput) -> TenantPayload:
        """恢复机构 Let a suspended lender work again. Doing it again changes nothing."""
        found = await info.context.ports.provisioning.resume(
            info.context.actor, key(input.tenant_id, "Tenant"), input.reason
        )
        return TenantPayload(tenant=tenant_of(found))


@node_of("Tenant")
async def tenant(operation: Operation, tenant_id: UUID) -> Tenant | None:
    """Operators find every lender, staff their own."""
    own = operation.caller.lender if operation.caller else None
    if own is not None:
        return tenant_of(own, (await operation.reading()).today) if own.id == tenant_id else None
    operation.require("identity.tenant.read")
    found = await operation.ports.provisioning.find(tenant_id)
    return None if found is None else tenant_of(found)


def tenant_of(lender: Lender, business_date: date | None = None) -> Tenant:
    """A lender as the API shows it; `business_date` where the caller has just read it from the lender itself."""
    return Tenant(
        key=lender.id,
        code=lender.code,
        name=lender.name,
        licence_type=LicenceType(lender.licence_type),
        status=TenantStatus(lender.status),
        business_date=business_date or lender.business_date,
        created_at=lender.created_at,
    )
