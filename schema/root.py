"""根 · The whole schema: every file of `resolvers/` that offers something, in one list, and `build()`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from resolvers.kernel.checks import check_relations, check_root
from schema.kernel.defaults import drop_null_defaults
from schema.kernel.descriptions import describe_all
from schema.kernel.entity import ENTITIES
from schema.kernel.scalars import SCALARS

# One line for each file; the order is that of the printed schema.
MODULES = [
    "resolvers.kernel.node",
    "resolvers.identity.session",
    "resolvers.identity.tenant",
    "resolvers.organization.department",
    "resolvers.organization.role",
    "resolvers.organization.employee",
    "resolvers.organization.password",
    "resolvers.customers.customer",
    "resolvers.customers.individual_customer",
    "resolvers.customers.enterprise_customer",
    "resolvers.customers.consent",
    "resolvers.customers.related_party",
    "resolvers.customers.blacklist",
    "resolvers.post_loan.customer_account",
    "resolvers.configuration.parameter",
    "resolvers.configuration.purpose",
    "resolvers.configuration.calendar",
    "resolvers.configuration.agreement",
    "resolvers.configuration.loan_product",
    "resolvers.configuration.company_account",
    "resolvers.lending.loan",
    "resolvers.lending.explained_figure",
    "resolvers.end_of_day",
    "resolvers.lending.repayment_plan",
    "resolvers.lending.loan_contract",
    "resolvers.lending.loan_application",
    "resolvers.lending.revolving_loan",
    "resolvers.lending.entrusted_loan",
    "resolvers.lending.interest_waiver",
    "resolvers.finance.disbursement",
    "resolvers.finance.receipt",
    "resolvers.finance.provision",
    "resolvers.finance.accounting_period",
    "resolvers.finance.proof",
    "resolvers.finance.refund",
    "resolvers.finance.entrusted_fund",
    "resolvers.finance.entrusted_fee",
    "resolvers.configuration.document",
    "resolvers.workflow.workflow",
    "resolvers.home.pending_task",
    "resolvers.home.message",
    "resolvers.home.statistics",
    "resolvers.post_loan.early_warning",
    "resolvers.post_loan.write_off",
    "resolvers.post_loan.contract_amendment",
    "resolvers.collateral.mortgage",
    "resolvers.collateral.repossession",
]


@cache
def build() -> strawberry.Schema:
    """The schema of the API. Raises when a relation has no answer or a field at the root names no permission."""
    modules = [import_module(name) for name in MODULES]
    entities = [known.type for known in ENTITIES.values() if known.type.__module__.startswith("schema.")]
    return assemble(modules, entities)


def assemble(modules: list[ModuleType], entities: list[type]) -> strawberry.Schema:
    """A schema from the classes named …Queries, …Mutations and …Subscriptions of these modules."""
    roots = {name: _merged(name, modules, plural) for name, plural in _ROOTS.items()}
    made = strawberry.Schema(
        query=roots["Query"],
        mutation=roots["Mutation"],
        subscription=roots["Subscription"],
        types=entities,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
    )
    check_root(made._schema)
    check_relations(made._schema)
    drop_null_defaults(made._schema)
    describe_all(made._schema)
    for kind in (made._schema.query_type, made._schema.mutation_type, made._schema.subscription_type):
        if kind is not None:
            kind.description = _DESCRIPTIONS[kind.name]
    return made


_ROOTS = {"Query": "Queries", "Mutation": "Mutations", "Subscription": "Subscriptions"}
_DESCRIPTIONS = {
    "Query": "查询 What can be read; all figures of one answer are of one moment.",
    "Mutation": "变更 What can be done; a business refusal is a userError and changes nothing.",
    "Subscription": "订阅 What is told as it happens; reconnect with the last cursor and nothing is missed or repeated.",
}


def _merged(name: str, modules: list[ModuleType], suffix: str) -> Any:
    offered = [
        part
        for module in modules
        for part in vars(module).values()
        if isinstance(part, type) and part.__module__ == module.__name__ and part.__name__.endswith(suffix)
    ]
    return merge_types(name, tuple(offered)) if offered else None


def print_schema() -> str:
    """What `schema/schema.graphql` holds."""
    return build().as_str() + "\n"
