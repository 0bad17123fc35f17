"""实体 · `@entity` declares a type that is a row of a table: its table and the permission to read it, stated once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

import strawberry

from domain.kernel.permissions import declare
from schema.kernel.node import TABLES, Node

T = TypeVar("T", bound=type[Node])


@dataclass(frozen=True, slots=True)
class EntityType:
    """What the edge knows of a type: which tables hold its rows (joined by `id`) and who may read them."""

    type: type[Node]
    tables: tuple[str, ...]
    reading: str


ENTITIES: dict[str, EntityType] = {}


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def entity(*tables: str, reading: str) -> Callable[[T], T]:
    """`@entity("interest_waivers", reading="lending.interest_waiver.read")`: a GraphQL type of the class's name.

    The first table carries the key and the scope; further ones add columns and share the `id`."""
    declare(reading)

    def wrap(cls: T) -> T:
        made: T = strawberry.type(cls, description=cls.__doc__)
        if cls.__name__ in ENTITIES:
            raise ValueError(f"two entities are called {cls.__name__}")
        ENTITIES[cls.__name__] = EntityType(made, tables, reading)
        TABLES[made] = tables
        return made

    return wrap


def entities_of(cls: type) -> list[EntityType]:
    """The entity that `cls` is, or the entities that implement it when it is an interface."""
    return [known for known in ENTITIES.values() if issubclass(known.type, cls)]
