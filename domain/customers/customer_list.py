"""客户列表 · The list of customers of both kinds: by name, number, identifier and manager (F07, F08).

Identifiers are searched exactly, by fingerprint; nobody can look for a part of an ID number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, or_, select

from domain.customers.customer import Customer, CustomerKind
from domain.customers.enterprise_customer import EnterpriseCustomer
from domain.customers.individual_customer import IndividualCustomer
from domain.kernel import personal_data
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import BadInput
from domain.kernel.scope import scope

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers: `search` in name and number, identifiers exactly (in plain form), and a manager."""

    search: str | None = None
    id_number: str | None = None
    uscc: str | None = None
    manager_id: UUID | None = None


@query("customers.customer.read")
async def customers(ctx: Context, *, columns: Sequence[Any], wanted: CustomerFilter, window: Window) -> Page:
    """Customers in the order of their names. `columns` of `customers` and of the tables of both kinds."""
    table, person, company = Customer.__table__, IndividualCustomer.__table__, EnterpriseCustomer.__table__
    joined = table.outerjoin(person, person.c.id == table.c.id).outerjoin(company, company.c.id == table.c.id)
    statement = select(*columns).select_from(joined).where(scope(ctx, Customer))
    if wanted.search and not wanted.search.isprintable():
        raise BadInput("what is searched for holds control characters")
    if wanted.search:
        statement = statement.where(
            or_(
                table.c.name.contains(wanted.search, autoescape=True),
                func.upper(table.c.number) == wanted.search.strip().upper(),
                table.c.name_sort.startswith(wanted.search.lower(), autoescape=True),
            )
        )
    if wanted.id_number is not None:
        sought = personal_data.fingerprint(ctx, "id_number", wanted.id_number.strip().upper())
        statement = statement.where(person.c.id_number_fingerprint == sought)
    if wanted.uscc is not None:
        statement = statement.where(company.c.uscc == wanted.uscc.strip().upper())
    if wanted.manager_id is not None:
        statement = statement.where(
            or_(table.c.manager_id == wanted.manager_id, table.c.co_manager_id == wanted.manager_id)
        )
    return await page(ctx, statement, [Order(table.c.name_sort), Order(table.c.id)], window)


async def mobiles(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """Mobile numbers as the viewer may see them: masked, unless he may read personal data."""
    table = Customer.__table__.c
    columns = (table.id, table.kind, table.mobile_sealed, table.mobile_masked)
    rows = (await ctx.connection.execute(select(*columns).where(table.id.in_(customer_ids)))).all()
    shown: dict[UUID, str | None] = {}
    for entity, kind in (
        (IndividualCustomer, CustomerKind.INDIVIDUAL),
        (EnterpriseCustomer, CustomerKind.ENTERPRISE),
    ):
        shown |= await personal_data.shown(ctx, entity, "mobile", [row for row in rows if row.kind == kind])
    return shown
