"""校验 · What must hold before the program starts: permissions at the root, exactly one answer for each relation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_list_type,
)

from resolvers.kernel.answers import ANSWERS
from schema.kernel.entity import ENTITIES
from schema.kernel.relation import Relation

BACKREF = "strawberry-definition"


def check_root(schema: GraphQLSchema) -> None:
    """Every field at the root says what it needs. Raises TypeError."""
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name, field in root.fields.items() if root else ():
            if "needs" not in field.extensions[BACKREF].metadata:
                raise TypeError(f"{root.name if root else ''}.{name} does not say which permission it needs")


def needs(field: GraphQLField) -> str:
    """What a field at the root needs: a permission, "signed in" or "public"."""
    stated: str = field.extensions[BACKREF].metadata["needs"]
    return stated


def check_relations(schema: GraphQLSchema) -> None:
    """Every relation is answered; each answer learns what it leads to. Raises TypeError."""
    for relation, field in _relations(schema):
        answer = ANSWERS.get(relation)
        if answer is None:
            raise TypeError(f"nobody answers {relation}")
        answer.reading = _reading(schema, field)
        if _is_list(field):
            answer.nothing = list


def _relations(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    for kind in schema.type_map.values():
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            for field in kind.fields.values():
                declared: Any = field.extensions.get(BACKREF)
                if isinstance(declared, Relation):
                    yield declared.metadata["relation"], field


def _is_list(field: GraphQLField) -> bool:
    kind = field.type
    return is_list_type(kind.of_type if isinstance(kind, GraphQLNonNull) else kind)


def _reading(schema: GraphQLSchema, field: GraphQLField) -> str | None:
    """The permission of the entity that a field leads to; None where it leads to no row (figures of the parent)."""
    kind: GraphQLNamedType = get_named_type(field.type)
    if isinstance(kind, GraphQLObjectType) and "nodes" in kind.fields and "pageInfo" in kind.fields:
        kind = get_named_type(kind.fields["nodes"].type)
    if kind.name in ENTITIES:
        return ENTITIES[kind.name].reading
    if isinstance(kind, GraphQLInterfaceType) and kind.name != "Node":
        permissions = {ENTITIES[made.name].reading for made in schema.get_implementations(kind).objects}
        if len(permissions) != 1:
            raise TypeError(f"the types of {kind.name} need different permissions: {sorted(permissions)}")
        return permissions.pop()
    return None
