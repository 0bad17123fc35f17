"""Who may do what: permissions.txt is what the program does, and changing it is a permission review (promises Z1, Z2).

python -m tests.api.test_permissions        writes the file anew
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from domain.kernel.clock import machine_now
from domain.kernel.context import Context, Request
from domain.kernel.refusals import Denied
from domain.kernel.table import uuid7
from domain.organization.role import BUILT_IN, permitted
from resolvers.kernel import Operation
from resolvers.kernel.checks import needs
from schema.kernel.entity import ENTITIES
from schema.kernel.node import global_id
from schema.root import assemble, build
from tests.support.actors import PEOPLE, LenderAtWork
from xiaodai.auth.sessions import OPERATOR_PERMISSIONS, Caller

FILE = Path(__file__).with_name("permissions.txt")
HEADER = (
    "# What each field at the root of the API needs, and which built-in roles hold it; then who may read each type.\n"
    "# Written by `python -m tests.api.test_permissions`. A change here is a permission review.\n"
)
PEOPLE_BY_ROLE = {"TENANT_ADMIN": "tenant_admin"} | {code: name for name, code in reversed(PEOPLE.items())}


def holders(permission: str) -> list[str]:
    """Built-in roles and operators that hold a permission."""
    held = [code for code, role in BUILT_IN.items() if permission in permitted(role.may)]
    return held + ["(operator)"] * (permission in OPERATOR_PERMISSIONS)


def root_fields() -> dict[str, GraphQLField]:
    """`Mutation.signIn` → field."""
    schema = build()._schema
    kinds = [kind for kind in (schema.query_type, schema.mutation_type, schema.subscription_type) if kind]
    return {f"{kind.name}.{name}": field for kind in kinds for name, field in kind.fields.items()}


def written() -> str:
    lines = [HEADER]
    for name, field in sorted(root_fields().items()):
        lines.append(_line(name, needs(field)))
    lines.append("")
    for name, entity in sorted(ENTITIES.items()):
        if entity.type.__module__.startswith("schema."):
            lines.append(_line(name, entity.reading))
    return "\n".join(lines) + "\n"


def _line(name: str, needed: str) -> str:
    held = holders(needed) if "." in needed else []
    who = "(everybody)" if set(held) == BUILT_IN.keys() else " ".join(held)
    return f"{name:<44} {needed:<46} {who}".rstrip()


def test_the_file_is_what_the_program_does():
    assert FILE.read_text("utf-8") == written(), "run: python -m tests.api.test_permissions, and review what changed"


def test_only_signing_in_is_public():
    assert [name for name, field in root_fields().items() if needs(field) == "public"] == ["Mutation.signIn"]


def test_a_field_without_a_permission_stops_the_start():
    @strawberry.type
    class OpenQueries:
        @strawberry.field
        def secret(self) -> str:
            return "told"

    OpenQueries.__module__ = "planted"
    module: Any = type(strawberry)("planted")
    module.OpenQueries = OpenQueries
    with pytest.raises(TypeError, match="secret does not say which permission"):
        assemble([module], [])


# ------------------------------------------------------------------ the matrix, asked of the server


def literal(kind: GraphQLInputType) -> str:
    """The shortest literal that an input type takes: nothing exists of what it names."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{literal(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        required = {name: field for name, field in kind.fields.items() if is_required_input_field(field)}
        return "{" + ", ".join(f"{name}: {literal(field.type)}" for name, field in required.items()) + "}"
    literals = {
        "ID": f'"{global_id("Loan", uuid7())}"',
        "String": '"x"',
        "Int": "1",
        "Boolean": "false",
        "Money": '"1.00"',
        "Rate": '"0.1"',
        "Date": '"2025-01-01"',
        "DateTime": '"2025-01-01T00:00:00Z"',
        "JSON": "{}",
        "Cursor": '"x"',
    }
    return literals[kind.name]


def document(name: str, field: GraphQLField) -> str:
    """A document that asks for one field at the root and as little as possible of its answer."""
    kind, field_name = name.split(".")
    arguments = [f"{key}: {literal(value.type)}" for key, value in field.args.items() if is_required_argument(value)]
    asked = f"({', '.join(arguments)})" if arguments else ""
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{kind.lower()} {{ {field_name}{asked}{selection} }}"


async def is_denied(text: str, ctx: Context) -> bool:
    caller = Caller(ctx.lender, ctx.actor, uuid7(), machine_now() + timedelta(hours=1))
    async with Operation(ctx.ports, Request(), caller) as operation:
        answer = await build().execute(text, context_value=operation)
    return any(isinstance(error.original_error, Denied) for error in answer.errors or ())


async def test_every_role_may_do_what_the_file_says_and_nothing_else(
    lender: LenderAtWork, monkeypatch: pytest.MonkeyPatch
):
    """Each root field is asked as each built-in role; what a role does not hold is denied, whatever the input."""
    monkeypatch.setattr("resolvers.end_of_day.WAIT_SECONDS", 0)  # no worker runs here
    assert await surprises(lender) == []


async def test_control_a_role_that_may_more_than_the_file_says_is_found(
    lender: LenderAtWork, monkeypatch: pytest.MonkeyPatch
):
    """Control of Z2: a cashier who was given one permission more is a surprise."""
    cashier = lender.cashier
    more = replace(cashier.actor, permissions=cashier.actor.permissions | {"finance.trial_balance.read"})
    held = "CASHIER" in holders("finance.trial_balance.read")
    less = replace(cashier.actor, permissions=cashier.actor.permissions - {"finance.trial_balance.read"})
    monkeypatch.setitem(lender.people, "cashier", replace(cashier, actor=less if held else more))
    assert await surprises(lender, ["Query.trialBalance"]) == [
        f"CASHIER {'may not' if held else 'may'} Query.trialBalance"
    ]


async def surprises(lender: LenderAtWork, only: list[str] | None = None) -> list[str]:
    """Where a role may do more or less than the file says."""
    found = []
    for name, field in root_fields().items():
        permission = needs(field)
        if "." not in permission or name.startswith("Subscription.") or (only and name not in only):
            continue
        text = document(name, field)
        for code, person in PEOPLE_BY_ROLE.items():
            allowed = code in holders(permission)
            if await is_denied(text, getattr(lender, person)) == allowed:
                found.append(f"{code} {'may not' if allowed else 'may'} {name}")
    return found


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
