"""Every money field of a loan is in the table of docs/guides/explained_figures.md, and what the table promises is there."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from graphql import GraphQLEnumType, GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type

from schema.root import build
from xiaodai.settings import REPOSITORY

PAGE = (REPOSITORY / "docs/guides/explained_figures.md").read_text("utf-8")
TABLE = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
OF_A_LOAN = {
    "Loan", "LoanPosition", "PayoffQuote", "Installment", "PlannedInstallment", "PlanVersion", "CurrentTerms", "Receipt",
    "AllocationLine", "LoanEvent", "LedgerEntry", "ExplainedFigure",
}  # fmt: skip
ELSEWHERE = {
    "Customer", "LoanProduct", "LoanContract", "CreditFacility", "Employee", "Department", "CompanyAccount", "PageInfo",
    "Refund", "WorkflowInstance", "EntrustedContract",
}  # fmt: skip
"""Where the walk from a loan stops: what is not about one loan, and acts whose amounts people asked for."""
OWN = {
    "LoanPosition": "LoanFigure", "PayoffQuote": "PayoffFigure", "Installment": "InstallmentFigure",
    "PlannedInstallment": "PlannedFigure",
}  # fmt: skip
"""The types that explain each of their money fields, and the enum of these fields."""


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return build()._schema


def reached(ours: GraphQLSchema) -> set[str]:
    """The object types a loan leads to, not through what is not about it."""
    found, ahead = set(), ["Loan"]
    while ahead:
        name = ahead.pop()
        if name in found or name in ELSEWHERE:
            continue
        kind = ours.type_map[name]
        if not isinstance(kind, GraphQLObjectType):
            continue
        found.add(name)
        ahead += [get_named_type(field.type).name for field in kind.fields.values()]
    return found


def fields(ours: GraphQLSchema, name: str) -> Mapping[str, GraphQLField]:
    kind = ours.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields


def figures(ours: GraphQLSchema, name: str) -> set[str]:
    kind = ours.type_map[name]
    assert isinstance(kind, GraphQLEnumType)
    return set(kind.values)


def money_fields(ours: GraphQLSchema) -> set[str]:
    return {
        f"{name}.{field}"
        for name in reached(ours)
        for field, shown in fields(ours, name).items()
        if get_named_type(shown.type).name == "Money"
    }


def test_the_table_is_complete(ours: GraphQLSchema) -> None:
    assert set(TABLE) == money_fields(ours)
    assert reached(ours) >= OF_A_LOAN


def test_what_the_table_names_exists(ours: GraphQLSchema) -> None:
    for field, how in TABLE.items():
        for place, figure in re.findall(r"(\w*)\.?explain\((\w+)\)", how):
            asked = {"position": "LoanPosition", "payoffQuote": "PayoffQuote"}.get(place, field.split(".")[0])
            assert figure in figures(ours, OWN[asked]), field


def test_every_figure_that_can_be_asked_for_is_in_the_table(ours: GraphQLSchema) -> None:
    for type_name, enum in OWN.items():
        own = {how for field, how in TABLE.items() if field.startswith(type_name + ".")}
        assert own == {f"`explain({figure})`" for figure in figures(ours, enum)}


def test_every_type_that_explains_itself_answers_parts(ours: GraphQLSchema) -> None:
    for name in (*OWN, "AllocationLine"):
        explained = fields(ours, name)["explain"]
        assert get_named_type(explained.type).name == "ExplainedFigure"
        assert [get_named_type(asked.type).name for asked in explained.args.values()] == [
            kind for of, kind in OWN.items() if of == name
        ]
