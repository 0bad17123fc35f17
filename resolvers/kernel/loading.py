"""读取 · Rows by their keys, straight from core rows to types, one statement for each type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Select, Table, select

from domain.kernel.context import Context
from domain.kernel.scope import entity_of, scope
from schema.kernel import Node
from schema.kernel.entity import ENTITIES, EntityType, entities_of


def selection(entity: EntityType) -> Select[tuple[object, ...]]:
    """`select` of the columns a type needs, from its tables joined by `id`."""
    first, *others = (_table(name) for name in entity.tables)
    joined = first
    for other in others:
        joined = joined.join(other, other.c.id == first.c.id)  # type: ignore[assignment]
    return select(*entity.type.columns()).select_from(joined)


async def by_keys(ctx: Context, node_type: type, keys: Sequence[UUID], *, scoped: bool = True) -> dict[UUID, Node]:
    """The objects of a type, or of all types that implement an interface, which the actor may see (`scoped`)."""
    found: dict[UUID, Node] = {}
    for entity in entities_of(node_type):
        table = _table(entity.tables[0])
        statement = selection(entity).where(table.c.id.in_(keys))
        if scoped:
            statement = statement.where(scope(ctx, entity_of(entity.tables[0])))
        for row in (await ctx.connection.execute(statement)).all():
            node = entity.type.of(row)
            found[node.key] = node
    return found


async def by_subject(ctx: Context, subjects: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], Node]:
    """The objects that `(table, id)` pairs name, of whatever types; for tasks, alerts and whatever is about something."""
    wanted: dict[str, list[UUID]] = {}
    for table, row_id in subjects:
        wanted.setdefault(table, []).append(row_id)
    found: dict[tuple[str, UUID], Node] = {}
    for entity in ENTITIES.values():
        table = entity.tables[0]
        if table in wanted and ctx.actor.may(entity.reading):
            nodes = await by_keys(ctx, entity.type, wanted[table])
            found.update({(table, row_id): node for row_id, node in nodes.items()})
    return found


def _table(name: str) -> Table:
    table: Table = entity_of(name).__table__
    return table
