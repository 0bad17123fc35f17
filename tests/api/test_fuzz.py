"""Every field at the root is asked for nonsense by somebody who may do everything: no crash, no leak, no hanging.

Seeded, so a failure comes again; the seed is the number in the test's name.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from domain.kernel.context import DataScope
from domain.kernel.permissions import PERMISSIONS
from domain.organization.department import Department
from domain.organization.employee import Employee
from domain.organization.role import Role
from schema.kernel.node import global_id
from schema.root import build
from tests.support.actors import LenderAtWork
from tests.support.client import Api, Client, KnownPeople, an_app, serving

ROUNDS = 12
LEFT_OUT = (
    "signOut",
    "provisionTenant",
    "runEndOfDay",
)  # the last two wait for a worker, which no test of this file has
UNKNOWN = "01900000-0000-7000-8000-000000000000"
STRINGS = [
    "",
    " ",
    "x",
    "张三",
    "\x00",
    "a\x00b",
    "'; drop table loans; --",
    "%_\\",
    "x" * 5_000,
    "𠮷",
    "‮",
    "-1",
    "null",
    "../..",
]
VALUES: dict[str, list[Any]] = {
    "Int": [0, 1, -1, 12, 100, 2_147_483_647, -2_147_483_648],
    "Boolean": [True, False],
    "String": STRINGS,
    "Money": ["0.00", "1.00", "-1.00", "0.01", "9999999999999999.99", "-9999999999999999.99"],
    "Rate": ["0", "0.12", "-0.12", "9999", "9999.99999999", "0.00000001"],
    "Date": ["2025-01-01", "0001-01-01", "9999-12-31", "2024-02-29"],
    "DateTime": ["2025-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
    "Cursor": ["", "x", "e30=", "W10="],
    "JSON": [None, {}, [], {"a": {"b": [1, "\x00"]}}, "x"],
}
CURSORS = ["", "x", "e30=", "W10=", "WzFd", "WyIyMDI1LTAxLTAxIiwgMV0=", "贷", "x" * 5_000]
REAL_IDS: list[str] = []  # of the lender at hand
LEAKS = re.compile(r"Traceback|sqlalchemy|asyncpg|\.py\b|SELECT |INSERT |relation \"|Error\(", re.IGNORECASE)
ALLOWED = {"BAD_USER_INPUT", "FORBIDDEN", "QUERY_TOO_COMPLEX"}


def roots() -> list[str]:
    schema = build()._schema
    kinds = [kind for kind in (schema.query_type, schema.mutation_type) if kind]
    return [f"{kind.name}.{name}" for kind in kinds for name in kind.fields if name not in LEFT_OUT]


def value(kind: Any, chance: random.Random, name: str, depth: int = 0) -> Any:
    """Something of an input type, mostly odd."""
    if isinstance(kind, GraphQLNonNull):
        return value(kind.of_type, chance, name, depth)
    if isinstance(kind, GraphQLList):
        return [value(kind.of_type, chance, name, depth + 1) for _ in range(chance.choice((0, 1, 1, 2)))]
    if isinstance(kind, GraphQLEnumType):
        return chance.choice(list(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {
            field: value(part.type, chance, field, depth + 1)
            for field, part in kind.fields.items()
            if is_required_input_field(part) or (depth < 3 and chance.random() < 0.6)
        }
    if kind.name == "ID":
        known = chance.choice(
            ["Loan", "IndividualCustomer", "Department", "Role", "Employee", "LoanApplication", "Task"]
        )
        return chance.choice([*REAL_IDS, global_id(known, UNKNOWN), "", "贷", global_id("Loan", "1"), "\x00"])
    if name in ("after", "before"):
        return chance.choice(CURSORS)
    return chance.choice(VALUES[kind.name])


def selection(kind: Any, depth: int = 2) -> str:
    """The leaves of an output type and of what lies one level below."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    parts = ["__typename"]
    for name, field in getattr(named, "fields", {}).items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(get_named_type(field.type)):
            parts.append(name)
        elif depth > 1 and isinstance(get_named_type(field.type), GraphQLObjectType):
            parts.append(f"{name} {selection(field.type, depth - 1)}")
    return "{ " + " ".join(parts) + " }"


@pytest.fixture(scope="module")
async def everybody(shared_lender: LenderAtWork) -> AsyncIterator[Client]:
    """Somebody who may do everything, at a lender that others leave as it is."""
    somebody = shared_lender.tenant_admin
    actor = replace(somebody.actor, permissions=frozenset(PERMISSIONS), scope=DataScope.TENANT)
    for entity, name in ((Department, "Department"), (Role, "Role"), (Employee, "Employee")):
        REAL_IDS.append(global_id(name, (await shared_lender.rows(entity))[0].id))
    sessions = KnownPeople()
    rates = {"signins_per_minute": 9_999, "requests_per_second": 9_999}
    app = an_app(shared_lender.ports, sessions, catalog=shared_lender.platform.catalog, **rates)
    async with serving(app) as http:
        yield Api(http, sessions).acting("everybody", replace(somebody, actor=actor))


@pytest.mark.parametrize("root", roots())
async def test_nonsense(everybody: Client, root: str) -> None:
    kind_name, name = root.split(".")
    schema = build()._schema
    kind = schema.type_map[kind_name]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name]
    for seed in range(ROUNDS):
        chance = random.Random(f"{root}/{seed}")
        chosen = {a: p for a, p in field.args.items() if is_required_argument(p) or chance.random() < 0.7}
        variables = {argument: value(part.type, chance, argument) for argument, part in chosen.items()}
        declared = ", ".join(f"${argument}: {part.type}" for argument, part in chosen.items())
        given = ", ".join(f"{argument}: ${argument}" for argument in chosen)
        head = f"{kind_name.lower()}{f' ({declared})' if declared else ''}"
        document = f"{head} {{ {name}{f'({given})' if given else ''} {selection(field.type)} }}"
        async with asyncio.timeout(60):  # no field hangs
            answer = await everybody.ask(document, **variables)
        told = f"seed {seed}: {variables}\n{answer.body}"
        assert answer.status == 200, told
        assert set(answer.codes) <= ALLOWED, told
        assert not LEAKS.search(str(answer.errors)), told
