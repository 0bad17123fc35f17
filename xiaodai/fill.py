"""新机构 · What a fresh lender is filled with: each module's `fill`, in the order of what needs what."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.kernel.clock import BusinessClock, machine_now, moment
from domain.kernel.fresh_lender import FreshLender
from schema import root
from tenancy.catalog import ProvisionRequest
from tenancy.lender import Lender

MODULES = (
    "domain.ledger.account",
    "domain.organization.department",
    "domain.organization.role",
    "domain.organization.employee",
    "domain.configuration.parameter",
    "domain.configuration.purpose",
    "domain.configuration.calendar",
    "domain.configuration.agreement",
    "domain.configuration.template",
    "domain.workflow.definition",
    "domain.home.message",
    "domain.post_loan.early_warning",
    "domain.finance.accounting_period",
    "domain.end_of_day",
)


async def fill(connection: AsyncConnection, lender: Lender, request: ProvisionRequest) -> None:
    """The callback of `tenancy.provision`: opens the first business day, then lets every module write its rows."""
    for offered in root.MODULES:  # every permission must be declared before the built-in roles take theirs
        import_module(offered)
    opened_at = machine_now()
    await connection.execute(
        insert(BusinessClock).values(id=1, business_date=request.open_on, opened_at=opened_at, sandbox=request.sandbox)
    )
    fresh = FreshLender(
        lender_id=lender.id,
        code=lender.code,
        name=request.name,
        licence_type=request.licence_type,
        net_assets=request.net_assets,
        open_on=request.open_on,
        sandbox=request.sandbox,
        admin_username=request.admin_username,
        admin_password_hash=request.admin_password_hash,
        moment=moment(request.open_on, opened_at, request.sandbox, opened_at),
    )
    for module in MODULES:
        await import_module(module).fill(connection, fresh)
