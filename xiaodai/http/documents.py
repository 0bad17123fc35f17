"""文档 · From a text to an operation that may run: parsed, measured, validated, and remembered.

What was found about a text is kept (an LRU), so a client that sends the same document again pays for none of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)
from graphql.language import ast

from resolvers.kernel.checks import BACKREF, needs
from xiaodai.http.limits import Cost, Limits, TooComplex, check_shape, introspects

MOST_ERRORS = 5
REMEMBERED = 500
REMEMBERED_CHARACTERS = 20_000


class Malformed(Exception):
    """The document cannot run; `errors` say why."""

    code = "BAD_USER_INPUT"

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("the document cannot run")
        self.errors = errors[:MOST_ERRORS]


@dataclass(slots=True)
class Runnable:
    """One operation of a valid document."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    introspects: bool
    unlimited: bool
    _sizes: set[str] = field(default_factory=set)
    _costs: dict[tuple[Any, ...], int] = field(default_factory=dict)

    @property
    def kind(self) -> OperationType:
        return self.operation.operation

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation.name else None

    def cost(self, variables: Mapping[str, Any]) -> int:
        """Objects that the answer may hold. Only page sizes matter, so the figure is kept under those."""
        stated = {**self._defaults(), **variables}
        place = tuple(_plain(stated.get(name)) for name in sorted(self._sizes))
        if place not in self._costs:
            counting = Cost(self.schema, _fragments(self.document), stated)
            found = counting.of(self.operation)
            if counting.sizes != self._sizes:
                self._sizes = counting.sizes
                return found
            if len(self._costs) < 200:
                self._costs[place] = found
            return found
        return self._costs[place]

    def _defaults(self) -> dict[str, Any]:
        return {
            variable.variable.name.value: int(variable.default_value.value)
            for variable in self.operation.variable_definitions or ()
            if isinstance(variable.default_value, ast.IntValueNode)
        }


class Documents:
    """One for each schema and process."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self.schema = schema
        self.limits = limits
        self._known: OrderedDict[str, DocumentNode] = OrderedDict()
        self._runnable: dict[tuple[str, str | None], Runnable] = {}

    def runnable(self, text: str, operation_name: str | None) -> Runnable:
        """The operation that is meant. Raises TooComplex and Malformed."""
        found = self._runnable.get((text, operation_name))
        if found is not None and text in self._known:
            self._known.move_to_end(text)
            return found
        document = self._valid(text)
        operation = self.operation(document, operation_name)
        made = Runnable(self.schema, document, operation, introspects(document, operation), self._unlimited(operation))
        if len(text) <= REMEMBERED_CHARACTERS:
            self._remember(text, operation_name, made)
        return made

    def parse(self, text: str) -> DocumentNode:
        """Under the token limit. Raises TooComplex and Malformed."""
        try:
            return parse(text, max_tokens=self.limits.tokens)
        except GraphQLError as error:
            if "contains more than" in error.message:
                raise TooComplex(f"The document has more than {self.limits.tokens} tokens.") from None
            raise Malformed([error]) from None

    def operation(self, document: DocumentNode, name: str | None) -> OperationDefinitionNode:
        """The one operation, or the one of this name. Raises Malformed."""
        operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
        meant = [part for part in operations if name is None or (part.name and part.name.value == name)]
        if len(meant) == 1:
            return meant[0]
        if name is not None:
            raise Malformed([GraphQLError("The document has no such operation.")])
        raise Malformed(
            [GraphQLError("The document holds several operations: name one." if operations else "No operation.")]
        )

    def _valid(self, text: str) -> DocumentNode:
        document = self._known.get(text)
        if document is None:
            document = self.parse(text)
            check_shape(document, self.limits)
            errors = validate(self.schema, document, max_errors=MOST_ERRORS, hide_suggestions=True)
            if errors:
                raise Malformed(errors)
        return document

    def _unlimited(self, operation: OperationDefinitionNode) -> bool:
        """True when a field at the root says that it takes as long as it takes (end of day)."""
        root = self.schema.get_root_type(operation.operation)
        fields = root.fields if root else {}
        named = [
            fields.get(part.name.value)
            for part in operation.selection_set.selections
            if isinstance(part, ast.FieldNode)
        ]
        return any(found is not None and found.extensions[BACKREF].metadata.get("unlimited") for found in named)

    def _remember(self, text: str, name: str | None, made: Runnable) -> None:
        if text not in self._known and len(self._known) >= REMEMBERED:
            forgotten, _ = self._known.popitem(last=False)
            for place in [place for place in self._runnable if place[0] == forgotten]:
                del self._runnable[place]
        self._known[text] = made.document
        self._runnable[(text, name)] = made


def public_only(documents: Documents, text: str, operation_name: str | None) -> bool:
    """True when somebody unknown may run this: every field at the root is public. Only the token limit is looked at before."""
    try:
        operation = documents.operation(documents.parse(text), operation_name)
    except (Malformed, TooComplex):
        return False
    root = documents.schema.get_root_type(operation.operation)
    for node in operation.selection_set.selections:
        found = root.fields.get(node.name.value) if root and isinstance(node, ast.FieldNode) else None
        if found is None or needs(found) != "public":
            return False
    return True


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, str, type(None))) else repr(value)
