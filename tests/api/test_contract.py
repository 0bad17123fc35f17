"""The schema keeps the public contract: everything in contract.graphql is there, in the same types; more may be added.

`schema/schema.graphql` is the schema as printed; after a change write it anew with
`python3 xd.py schema print > schema/schema.graphql` and read the difference as a change of the contract.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    build_schema,
    is_required_argument,
    is_required_input_field,
    is_specified_directive,
    is_specified_scalar_type,
)

from schema.root import build, print_schema

CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2}")
HERE = Path(__file__).parent
CONTRACT = build_schema((HERE / "contract.graphql").read_text("utf-8"))
TYPES = {
    name: kind
    for name, kind in CONTRACT.type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(kind)
}


KINDS = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType, GraphQLEnumType, GraphQLScalarType)


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return build()._schema


@pytest.mark.parametrize("name", TYPES)
def test_contract_is_kept(ours: GraphQLSchema, name: str) -> None:
    found = ours.type_map.get(name)
    assert found is not None, f"there is no type {name}"
    assert list(differences(TYPES[name], found)) == []


def differences(promised: GraphQLNamedType, found: GraphQLNamedType) -> Iterator[str]:
    """What of a promised type is missing or another."""
    kind = next(kind for kind in KINDS if isinstance(promised, kind))
    if not isinstance(found, kind):
        yield f"{promised.name} is a {type(found).__name__}"
    elif isinstance(promised, GraphQLEnumType) and isinstance(found, GraphQLEnumType):
        yield from (f"no value {value}" for value in promised.values if value not in found.values)
    elif isinstance(promised, GraphQLInputObjectType) and isinstance(found, GraphQLInputObjectType):
        yield from given(promised.name, promised.fields, found.fields, is_required_input_field)
    elif isinstance(promised, (GraphQLObjectType, GraphQLInterfaceType)):
        yield from read(promised, found)


def read(promised: Any, found: Any) -> Iterator[str]:
    """Fields that a client reads: a type that is stricter than promised is as good."""
    interfaces = {kind.name for kind in found.interfaces}
    yield from (f"does not implement {kind.name}" for kind in promised.interfaces if kind.name not in interfaces)
    for name, field in promised.fields.items():
        place = f"{promised.name}.{name}"
        if name not in found.fields:
            yield f"no field {place}"
            continue
        shown = found.fields[name].type
        stricter = isinstance(shown, GraphQLNonNull) and str(shown.of_type) == str(field.type)
        if str(shown) != str(field.type) and not stricter:
            yield f"{place} is {shown}, not {field.type}"
        yield from given(place, field.args, found.fields[name].args, is_required_argument)


def given(place: str, promised: dict[str, Any], found: dict[str, Any], is_required: Any) -> Iterator[str]:
    """What a client gives: nothing promised is missing or stricter, and what was added may be left out."""
    for name, value in promised.items():
        if name not in found:
            yield f"no {place}({name})"
        elif str(found[name].type).rstrip("!") != str(value.type).rstrip("!"):
            yield f"{place}({name}) is {found[name].type}, not {value.type}"
        elif is_required(found[name]) and not is_required(value):
            yield f"{place}({name}) must be given"
        elif value.default_value is not Undefined and found[name].default_value is Undefined:
            yield f"{place}({name}) has no default"
    yield from (f"{place}({name}) must be given" for name in found if name not in promised and is_required(found[name]))


def test_everything_is_described_in_both_languages(ours: GraphQLSchema) -> None:
    """Types, fields, arguments, values and directives: the Chinese term, and what it means."""
    assert [place for place, text in descriptions(ours) if not CHINESE.search(text) or not ENGLISH.search(text)] == []


def descriptions(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Every place that may have a description, and the one it has."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield kind.name, kind.description or ""
        for name, part in (getattr(kind, "fields", None) or getattr(kind, "values", None) or {}).items():
            yield f"{kind.name}.{name}", part.description or ""
            for argument, given in getattr(part, "args", {}).items():
                yield f"{kind.name}.{name}({argument})", given.description or ""
    for directive in schema.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description or ""


def test_printed_schema_is_the_one_in_git() -> None:
    assert Path("schema/schema.graphql").read_text("utf-8") == print_schema()
