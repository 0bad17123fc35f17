"""限额 · How big a document may be: shape first (depth, aliases, fragments, directives), then cost.

Each selection is looked at once. What a fragment holds is remembered under its name, so a document whose fragments spread
each other over and over takes no longer than its text; Strawberry's own limiters walk a fragment at every spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_object_type,
)

from domain.kernel.paging import LARGEST, USUAL

INTROSPECTION = ("__schema", "__type")
FREE = ("pageInfo", "userErrors")  # one small object, or what no answer with data has
UNPAGED = 5  # objects that a list without paging counts for


class TooComplex(Exception):
    """The document is over a limit; the message says which."""

    code = "QUERY_TOO_COMPLEX"


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest values that are let through."""

    tokens: int = 2_000
    depth: int = 10
    introspection_depth: int = 16
    aliases: int = 30
    fragments: int = 30
    directives: int = 3
    repeats: int = 30
    operations: int = 10
    cost: int = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """Of one selection set with everything its fragments bring."""

    depth: int = 0
    aliases: int = 0
    introspects: bool = False

    def __add__(self, other: Shape) -> Shape:
        return Shape(max(self.depth, other.depth), self.aliases + other.aliases, self.introspects or other.introspects)


def check_shape(document: DocumentNode, limits: Limits) -> None:
    """Raises TooComplex. Needs no schema, so it runs before validation, whose work grows with the shape."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    _most("operations", len(operations), limits.operations)
    _most("fragments", len(document.definitions) - len(operations), limits.fragments)
    try:
        _check_definitions(document, Measure(fragments, limits), limits)
    except RecursionError:
        raise TooComplex("The document is nested too deeply.") from None


def _check_definitions(document: DocumentNode, measure: Measure, limits: Limits) -> None:
    for definition in document.definitions:
        if not isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode)):
            continue
        _most("directives", len(definition.directives or ()), limits.directives)
        shape = measure.selection(definition.selection_set)
        _most("levels", shape.depth, limits.introspection_depth if shape.introspects else limits.depth)
        _most("aliases", shape.aliases, limits.aliases)


def introspects(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """True when the operation asks about the schema itself."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    return Measure(fragments).selection(operation.selection_set).introspects


@dataclass(slots=True)
class Measure:
    """The shape of selections, each fragment measured once. A fragment inside itself counts nothing: validation refuses it.

    A field that stands in one selection again and again is counted too: validation compares each with each."""

    fragments: Mapping[str, FragmentDefinitionNode]
    limits: Limits | None = None
    repeats: int = 0
    known: dict[str, Shape] = field(default_factory=dict)
    brings: dict[str, set[str]] = field(default_factory=dict)  # fragment → its fields that have fields below

    def selection(self, selected: SelectionSetNode | None, seen: set[str] | None = None) -> Shape:
        shape = Shape()
        seen = set() if seen is None else seen
        for node in selected.selections if selected else ():
            self.check(node, seen)
            if isinstance(node, FieldNode):
                below = self.selection(node.selection_set)
                asks = below.introspects or node.name.value in INTROSPECTION
                shape += Shape(below.depth + 1, below.aliases + (node.alias is not None), asks)
            elif isinstance(node, InlineFragmentNode):
                shape += self.selection(node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode):
                shape += self.fragment(node.name.value)
                self.count(self.brings.get(node.name.value, set()), seen)
        return shape

    def check(self, node: SelectionNode, seen: set[str]) -> None:
        """Directives and repeats of one selected thing; `seen` holds what its selection has so far."""
        if self.limits is None:
            return
        _most("directives on a field", len(node.directives or ()), self.limits.directives)
        if isinstance(node, FieldNode):
            self.count({(node.alias or node.name).value}, seen)

    def count(self, shown: set[str], seen: set[str]) -> None:
        self.repeats += len(shown & seen)
        seen |= shown
        _most("repeated fields", self.repeats, self.limits.repeats if self.limits else self.repeats)

    def fragment(self, name: str) -> Shape:
        if name not in self.known:
            self.known[name] = Shape()
            if name in self.fragments:
                selected = self.fragments[name].selection_set
                self.known[name] = self.selection(selected)
                self.brings[name] = {
                    (node.alias or node.name).value
                    for node in selected.selections
                    if isinstance(node, FieldNode) and node.selection_set
                }
        return self.known[name]


def _most(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise TooComplex(f"The document has more than {limit} {what}.")


@dataclass(slots=True)
class Cost:
    """The number of objects that the answer to a valid operation may hold, under its variables.

    A connection counts one and its page size times what is below; a list without paging counts five times what is below;
    plain fields and introspection are free. `sizes` collects the variables that the figure depends on.
    """

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    sizes: set[str] = field(default_factory=set)
    known: dict[str, int] = field(default_factory=dict)

    def of(self, operation: OperationDefinitionNode) -> int:
        root = self.schema.get_root_type(operation.operation)
        return self.selection(operation.selection_set, root, 1)

    def selection(self, selected: SelectionSetNode | None, parent: GraphQLNamedType | None, page: int) -> int:
        """`page` is the size of the page when `parent` is a connection."""
        total = 0
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                total += self.field(node, parent, page)
            elif isinstance(node, InlineFragmentNode):
                narrowed = node.type_condition
                inner = self.schema.get_type(narrowed.name.value) if narrowed else parent
                total += self.selection(node.selection_set, inner, page)
            elif isinstance(node, FragmentSpreadNode):
                total += self.fragment(node.name.value, page)
        return total

    def fragment(self, name: str, page: int) -> int:
        place = f"{name}/{page}"
        if place not in self.known:
            definition = self.fragments[name]
            condition = self.schema.get_type(definition.type_condition.name.value)
            self.known[place] = self.selection(definition.selection_set, condition, page)
        return self.known[place]

    def field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int) -> int:
        name = node.name.value
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None or name in FREE:  # __typename and introspection, or free of charge
            return 0
        kind = get_named_type(definition.type)
        if not is_composite_type(kind):
            return 0
        if is_connection(kind):
            return 1 + self.selection(node.selection_set, kind, self.page_size(node, definition))
        below = 1 + self.selection(node.selection_set, kind, page)
        if is_connection(parent) and name in ("edges", "nodes"):
            return page * below
        return UNPAGED * below if _is_list(definition) else below

    def page_size(self, node: FieldNode, definition: GraphQLField) -> int:
        """What first or last says; what they cannot be is refused by the resolver."""
        given = [
            self._number(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in ("first", "last")
        ]
        for number in given:
            if number is not None:
                return min(max(number, 0), LARGEST)
        stated = definition.args["first"].default_value if "first" in definition.args else None
        return stated if isinstance(stated, int) else USUAL

    def _number(self, value: ValueNode) -> int | None:
        found: Any = None
        if isinstance(value, IntValueNode):
            found = int(value.value)
        elif isinstance(value, VariableNode):
            self.sizes.add(value.name.value)
            found = self.variables.get(value.name.value)
        if isinstance(found, float) and found.is_integer():
            return int(found)  # GraphQL takes 100.0 for an Int
        return found if isinstance(found, int) else None


def is_connection(kind: GraphQLNamedType | None) -> bool:
    return is_object_type(kind) and "pageInfo" in kind.fields


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if isinstance(kind, GraphQLNonNull) else kind)
