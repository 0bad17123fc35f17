"""数据范围 · Which rows a viewer may see: one predicate per table, put on lists, node, counts, sums and feeds alike.

A table says how a viewer reaches its rows (`reach`); a table that says nothing cannot be read through the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, false, or_, select, true

from domain.kernel.context import ActorKind, DataScope
from domain.kernel.table import TenantTable

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class Everyone:
    """All people of the lender may see these rows (products, departments, roles)."""


@dataclass(frozen=True, slots=True)
class Managed:
    """Rows with people (columns holding employee ids) and a department. `offered`: also whoever a task on it was offered to
    (`offered_by`: the column of `task_offers` that holds the row's key; a task is no subject of itself)."""

    people: tuple[str, ...] = ("manager_id", "co_manager_id")
    department: str = "department_id"
    offered: bool = False
    offered_by: str = "subject_id"


@dataclass(frozen=True, slots=True)
class Through:
    """Rows that belong to a row of another table: they are seen by whoever sees that one. `column` refers to its id."""

    column: str
    parent: str


@dataclass(frozen=True, slots=True)
class Personal:
    """Rows that one person has alone, whatever the data scope of others; `column` holds that person's id (messages)."""

    column: str


Reach = Everyone | Managed | Through | Personal


def entity_of(table_name: str) -> Any:
    """The mapped class of a table by its name."""
    return TenantTable.metadata.tables[table_name].info["entity"]


def scope(ctx: Context, entity: Any) -> ColumnElement[bool]:
    """The predicate that leaves only the rows of `entity` (a mapped class) which the actor may see."""
    reach: Reach | None = getattr(entity, "reach", None)
    if reach is None:
        raise TypeError(f"{entity.__name__} does not say who may see it (reach)")
    table: Table = entity.__table__
    if isinstance(reach, Personal):
        return table.c[reach.column] == ctx.actor.id
    if ctx.actor.scope is DataScope.TENANT or isinstance(reach, Everyone):
        return true()
    if ctx.actor.kind is not ActorKind.STAFF:
        return false()
    if isinstance(reach, Through):
        parent = entity_of(reach.parent)
        return table.c[reach.column].in_(select(parent.__table__.c.id).where(scope(ctx, parent)))
    return _managed(ctx, table, reach)


def _managed(ctx: Context, table: Table, reach: Managed) -> ColumnElement[bool]:
    actor = ctx.actor
    ways: list[ColumnElement[bool]] = [table.c[column] == actor.id for column in reach.people]
    if actor.scope is DataScope.DEPARTMENT:
        ways.append(table.c[reach.department] == actor.department_id)
    if actor.scope is DataScope.DEPARTMENT_TREE:
        departments = TenantTable.metadata.tables["departments"].c
        below = select(departments.id).where(departments.path.startswith(actor.department_path, autoescape=True))
        ways.append(table.c[reach.department].in_(below))
    if reach.offered:
        tasks = TenantTable.metadata.tables["task_offers"].c
        ways.append(table.c.id.in_(select(tasks[reach.offered_by]).where(offered_to(ctx, tasks))))
    return or_(*ways)


def offered_to(ctx: Context, offers: Any) -> ColumnElement[bool]:
    """Rows of `task_offers` that name this person or a role of theirs."""
    return or_(offers.employee_id == ctx.actor.id, offers.role_id.in_(ctx.actor.role_ids))
