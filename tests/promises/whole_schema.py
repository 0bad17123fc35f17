"""The API as a list of questions: every field at its root, every value that goes into it, and a document that asks it.

A test of a promise walks this list, so a new operation is under the promise from its first day.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    ast_from_value,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
    print_ast,
)

from resolvers.kernel.checks import needs
from schema.kernel.node import global_id
from schema.root import build
from tests.acceptance.journey import a_card
from tests.promises.neighbours import OPENED
from tests.support.customers import credit_code, id_number

Path = tuple[str, ...]
DEPTH = 3
_serials = itertools.count(100)


@dataclass(frozen=True)
class Root:
    """A field at the root: `kind` is Query, Mutation or Subscription."""

    kind: str
    name: str
    field: GraphQLField

    @property
    def needs(self) -> str:
        return needs(self.field)

    def document(self, depth: int = DEPTH) -> str:
        """Asks with a variable for each argument, and for so many levels of the answer."""
        declared = ", ".join(
            f"${name}: {argument.type}{_default(argument)}" for name, argument in self.field.args.items()
        )
        given = ", ".join(f"{name}: ${name}" for name in self.field.args)
        asked = self.name + (f"({given})" if given else "") + selection(self.field.type, depth)
        return f"{self.kind.lower()}{f'({declared})' if declared else ''} {{ {asked} }}"


@dataclass(frozen=True)
class Leaf:
    """A value that goes in: the way to it from the root field's arguments, and the name of its scalar."""

    root: Root
    path: Path
    scalar: str

    @property
    def name(self) -> str:
        return f"{self.root.name}.{'.'.join(self.path)}"


def _default(argument: GraphQLArgument) -> str:
    """A variable takes the default of its argument along; else one that may be left out would have to be given."""
    written = None if argument.default_value is Undefined else ast_from_value(argument.default_value, argument.type)
    return f" = {print_ast(written)}" if written else ""


def roots(*kinds: str) -> list[Root]:
    schema = build()._schema
    known = [kind for kind in (schema.query_type, schema.mutation_type, schema.subscription_type) if kind]
    wanted = [kind for kind in known if not kinds or kind.name in kinds]
    return [Root(kind.name, name, field) for kind in wanted for name, field in kind.fields.items()]


def leaves(root: Root) -> Iterator[Leaf]:
    """Every value that a root field takes, those of nested inputs too."""
    for name, argument in root.field.args.items():
        yield from _leaves(root, argument.type, (name,))


def _leaves(root: Root, kind: GraphQLInputType, path: Path) -> Iterator[Leaf]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _leaves(root, field.type, (*path, name))
    else:
        yield Leaf(root, path, named.name)


def variables(root: Root, sample: Callable[[Leaf], Any], including: Sequence[Path] = ()) -> dict[str, Any]:
    """Values for all that is required and for the ways to `including`; `sample` makes each single value."""
    return {
        name: _value(root, argument.type, (name,), sample, including)
        for name, argument in root.field.args.items()
        if is_required_argument(argument) or _wanted(root, (name,), including)
    }


def _value(
    root: Root, kind: GraphQLInputType, path: Path, sample: Callable[[Leaf], Any], including: Sequence[Path]
) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _value(root, kind.of_type, path, sample, including)
    if isinstance(kind, GraphQLList):
        return [_value(root, kind.of_type, path, sample, including)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: _value(root, field.type, (*path, name), sample, including)
            for name, field in kind.fields.items()
            if is_required_input_field(field) or _wanted(root, (*path, name), including)
        }
    return sample(Leaf(root, path, get_named_type(kind).name))


def _wanted(root: Root, path: Path, including: Sequence[Path]) -> bool:
    """On the way to what is included, or optional to the schema and needed all the same."""
    return any(way[: len(path)] == path for way in including) or f"{root.name}.{'.'.join(path)}" in NEEDED


def selection(kind: GraphQLOutputType, depth: int) -> str:
    """What can be asked of a type without arguments, so many levels deep; lists two at a time."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    asked = ["__typename"]
    fields = named.fields if isinstance(named, (GraphQLObjectType, GraphQLInterfaceType)) else {}
    for name, field in fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(get_named_type(field.type)):
            asked.append(name)
        elif depth > 1 and name != "edges":
            asked.append(name + ("(first: 2)" if "first" in field.args else "") + selection(field.type, depth - 1))
    return " { " + " ".join(asked) + " }"


# ------------------------------------------------------------------ values that pass for real ones

ID_TYPES = {
    "customerId": "IndividualCustomer", "managerId": "Employee", "accountManagerId": "Employee", "coManagerId": "Employee",
    "employeeId": "Employee", "transferToId": "Employee", "departmentId": "Department", "parentId": "Department",
    "roleIds": "Role", "exclusiveWith": "Role", "productId": "LoanProduct", "loanId": "Loan", "contractId": "LoanContract",
    "applicationId": "LoanApplication", "disbursementId": "Disbursement", "companyAccountId": "CompanyAccount",
    "accountId": "CompanyAccount", "customerAccountId": "CustomerAccount", "receiptId": "Receipt", "taskId": "Task",
    "waiverId": "InterestWaiver", "parameterId": "Parameter", "partyId": "BlacklistedParty", "consentId": "ConsentRecord",
    "attachmentIds": "Document", "tenantId": "Tenant", "alertId": "Alert", "messageIds": "Message",
    "ruleId": "MessageRule", "warningRuleId": "WarningRule", "facilityId": "CreditFacility",
    "refundId": "Refund", "writeOffId": "WriteOff", "amendmentId": "ContractAmendment", "attachmentId": "Document",
    "entrustedContractId": "EntrustedContract", "entrustorId": "IndividualCustomer", "borrowerId": "IndividualCustomer",
    "fundId": "EntrustedFund", "feeId": "EntrustedFee", "mortgageId": "Mortgage", "assetId": "RepossessedAsset",
}  # fmt: skip
"""Argument → the type whose id it takes; `id` of a root field is said by the field."""

BY_NAME: dict[str, Callable[[], Any]] = {
    "idNumber": lambda: id_number(next(_serials)),
    "uscc": lambda: credit_code(next(_serials)),
    "legalRepresentativeIdNumber": lambda: id_number(next(_serials)),
    "mobile": lambda: f"1990001{next(_serials):04d}",
    "accountNumber": lambda: a_card(next(_serials)),
    "regionCode": lambda: "999999",
    "username": lambda: f"clerk{next(_serials)}",
    "initialPassword": lambda: "correct horse battery",
    "newPassword": lambda: "correct horse battery 2",
    "currentPassword": lambda: "correct horse battery",
    "idempotencyKey": lambda: f"key-{next(_serials)}",
    "code": lambda: f"X{next(_serials)}",
    "purposeCode": lambda: "WORKING_CAPITAL",
    "permissions": lambda: "lending.loan.read",
    "amount": lambda: "1000.00",
    "periods": lambda: 12,
    "maxPeriods": lambda: 36,
    "annualRate": lambda: "0.12",
    "minRate": lambda: "0.06",
    "maxRate": lambda: "0.24",
    "penaltyMultiplier": lambda: "1.5",
    "prepaymentFeeRate": lambda: "0.01",
    "minAmount": lambda: "1000.00",
    "maxAmount": lambda: "900000.00",
    "effectiveFrom": lambda: "2026-02-01",
    "first": lambda: 3,
    "bankReference": lambda: f"REF-{next(_serials)}",
}
BY_SCALAR: dict[str, Any] = {
    "String": "甲乙", "Int": 1, "Boolean": False, "Money": "100.00", "Rate": "0.1", "Date": str(OPENED), "JSON": {},
    "DateTime": "2026-01-15T00:00:00Z", "Cursor": "x",
}  # fmt: skip
NEEDED = {"loan.id", "creditFacility.id", "repaymentPlan.input.periods", "requestInterestWaiver.input.amount",
    "requestInterestWaiver.input.installmentSeq",
    "refuseLoanApplication.input.comment", "reviewCreditFacility.input.newLimit",
    "requestAmendment.input.annualRate", "amendmentPreview.input.annualRate"}  # fmt: skip
BY_PATH: dict[str, Any] = {
    "requestRefund.input.amount": "50.00",
    "recordEntrustedFund.input.payerName": "赵启明",
    "proposeParameter.input.code": "age_minimum",
    "proposeParameter.input.value": 18,
    "publishTemplate.input.code": "LOAN_CONTRACT",
    "updateCompanyAccount.input.uses": "DISBURSE",
    "updateCompanyAccount.input.enabled": True,
    "requestInterestWaiver.input.component": "INTEREST",
    "requestInterestWaiver.input.installmentSeq": 3,
    "payDisbursement.input.amount": "100000.00",
    "decideTask.input.decision": "TRANSFER",
    "recordConsent.input.consent.type": "CREDIT_BUREAU",
    "pendingTasks.filter.types": "LOAN_ASSIGNMENT",
    "applyCreditFacility.input.limit": "200000.00",
    "applyCreditFacility.input.endsOn": "2026-12-31",
    "resubmitCreditFacility.input.limit": "200000.00",
    "resubmitCreditFacility.input.endsOn": "2026-12-31",
    "reviewCreditFacility.input.outcome": "LOWER",
    "requestAmendment.input.type": "RATE",
    "requestAmendment.input.annualRate": "0.108",
    "amendmentPreview.input.type": "RATE",
    "amendmentPreview.input.annualRate": "0.108",
}


def sampling(ids: dict[str, str]) -> Callable[[Leaf], Any]:
    """Plausible values, ids being those of `ids` by the argument they are for, or else by the type they are of."""

    def sample(leaf: Leaf) -> Any:
        if leaf.name in BY_PATH:
            return BY_PATH[leaf.name]
        if leaf.scalar == "ID":
            return ids.get(leaf.name) or ids.get(type_of(leaf)) or global_id(type_of(leaf), UUID(int=1))
        if leaf.path[-1] in BY_NAME:
            return BY_NAME[leaf.path[-1]]()
        if leaf.scalar in BY_SCALAR:
            return BY_SCALAR[leaf.scalar]
        enum = build()._schema.type_map[leaf.scalar]
        assert isinstance(enum, GraphQLEnumType), leaf.name
        return next(iter(enum.values))

    return sample


def type_of(leaf: Leaf) -> str:
    """The type whose id a value of type ID must be."""
    if leaf.path == ("id",):
        return "Loan" if leaf.root.name == "node" else str(get_named_type(leaf.root.field.type))
    return ID_TYPES[leaf.path[-1]]
