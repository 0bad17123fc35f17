"""Roles: rules, commands, what every lender is given."""

import dataclasses
from decimal import Decimal
from importlib import import_module
from uuid import UUID

import pytest

from domain.kernel.context import DataScope
from domain.kernel.permissions import PERMISSIONS, matching
from domain.kernel.refusals import Denied, Duplicate, InvalidAmount, InvalidInput, NotFound
from domain.kernel.table import uuid7
from domain.organization import role
from domain.organization.role import BUILT_IN, Role, check_permissions, exclusive_pair, permitted
from schema.root import MODULES
from tests.support.actors import LenderAtWork

MONEY = ("finance.disbursement.pay", "finance.receipt.enter", "finance.receipt.register")


@pytest.fixture(autouse=True, scope="module")
def everything_is_declared():
    for module in MODULES:
        import_module(module)


# ------------------------------------------------------------------ rules


@dataclasses.dataclass
class Held:
    code: str
    id: UUID
    exclusive_with: list[str]


def test_roles_exclude_each_other_whichever_says_so():
    a, b, c = Held("A", UUID(int=1), []), Held("B", UUID(int=2), [str(UUID(int=1))]), Held("C", UUID(int=3), [])
    assert exclusive_pair([a, b]) == exclusive_pair([b, c, a]) == ("A", "B")
    assert exclusive_pair([a, c]) is None
    assert exclusive_pair([b]) is None


def test_an_unknown_permission_is_named():
    with pytest.raises(InvalidInput) as refused:
        check_permissions(["organization.role.read", "lending.loan.steal"])
    assert refused.value.params == {"permission": "lending.loan.steal"}


@pytest.mark.parametrize("pattern", ["*.*.*", "organization.*.read", "identity.tenant.provision", ""])
def test_neither_patterns_nor_rights_of_operators_are_given_to_staff(pattern):
    with pytest.raises(InvalidInput):
        check_permissions([pattern])


def test_built_in_roles_name_each_other():
    assert {other for built_in in BUILT_IN.values() for other in built_in.apart_from} <= BUILT_IN.keys()


def test_plain_personal_data_is_only_where_it_is_named():
    see = {code for code, built_in in BUILT_IN.items() if "customers.personal_data.read" in permitted(built_in.may)}
    assert {"CASHIER", "ACCOUNTANT", "TENANT_ADMIN", "AUDITOR", "ARCHIVIST"}.isdisjoint(see)
    assert {"ACCOUNT_MANAGER", "RISK_OFFICER"} <= see


def test_who_sets_up_the_system_moves_no_money_and_who_pays_does_not_book():
    assert set(permitted(BUILT_IN["TENANT_ADMIN"].may)).isdisjoint(MONEY)
    assert set(permitted(BUILT_IN["CASHIER"].may)).isdisjoint(
        {"finance.receipt.register", "finance.disbursement.review"}
    )
    assert set(permitted(BUILT_IN["ACCOUNTANT"].may)).isdisjoint({"finance.receipt.enter", "finance.disbursement.pay"})


def test_the_auditor_only_reads():
    writes = {name for name in permitted(BUILT_IN["AUDITOR"].may) if not name.endswith(".read")}
    assert writes <= {"organization.password.change"} | {name for name in writes if name.startswith("home.message.")}


ONLY_JOBS = {"finance.disbursement.answer", "finance.refund.answer"}  # what the bank said: written by the system alone


def test_every_permission_belongs_to_somebody():
    """A command that nobody may call is a hole in the table of roles (or a mistyped pattern)."""
    held = set().union(*(permitted(built_in.may) for built_in in BUILT_IN.values()))
    operators = matching({"identity.tenant.*"})
    assert {name for name in PERMISSIONS if not name.startswith("tests.")} - held - operators <= ONLY_JOBS


# ------------------------------------------------------------------ commands


async def test_every_lender_has_the_built_in_roles(shared_lender: LenderAtWork):
    roles = {row.code: row for row in await shared_lender.rows(Role, Role.built_in)}
    assert roles.keys() == BUILT_IN.keys()
    assert roles["ACCOUNT_MANAGER"].data_scope is DataScope.SELF
    assert roles["BUSINESS_MANAGER"].data_scope is DataScope.DEPARTMENT_TREE
    others = roles.keys() - {"ACCOUNT_MANAGER", "BUSINESS_MANAGER"}
    assert {roles[code].data_scope for code in others} == {DataScope.TENANT}
    assert exclusive_pair([roles["CASHIER"], roles["ACCOUNTANT"]]) == ("ACCOUNTANT", "CASHIER")


async def test_a_role_of_ones_own(lender: LenderAtWork):
    cashier = (await lender.rows(Role, Role.code == "CASHIER"))[0]
    made = await role.create(
        lender.tenant_admin,
        code="INTERN",
        name="实习生",
        permissions=["organization.role.read", "organization.department.read", "organization.role.read"],
        data_scope=DataScope.DEPARTMENT,
        approval_limit=Decimal("50000.00"),
        exclusive_with=[cashier.id],
    )
    kept = (await lender.rows(Role, Role.id == made.id))[0]
    assert kept.permissions == ["organization.department.read", "organization.role.read"]
    assert (kept.approval_limit, kept.exclusive_with, kept.built_in) == (Decimal("50000.00"), [str(cashier.id)], False)
    async with lender.auditor.reading() as ctx:
        listed = await role.all_roles(ctx, columns=[Role.code])
    assert [row.code for row in listed] == [*sorted(BUILT_IN), "INTERN"]


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"data_scope": DataScope.CUSTOM}, InvalidInput, "dataScope"),
        ({"permissions": ["no.such.permission"]}, InvalidInput, "permissions"),
        ({"code": "CASHIER"}, Duplicate, "code"),
        ({"name": " "}, InvalidInput, "name"),
        ({"approval_limit": Decimal("-0.01")}, InvalidAmount, "approvalLimit"),
        ({"exclusive_with": [uuid7()]}, NotFound, "exclusiveWith"),
    ],
)
async def test_what_a_role_may_not_be(shared_lender: LenderAtWork, changed, refusal, field):
    wanted = {"code": "X", "name": "角色", "permissions": [], "data_scope": DataScope.SELF}
    with pytest.raises(refusal) as refused:
        await role.create(shared_lender.tenant_admin, **{**wanted, **changed})
    assert refused.value.field == (field,)
    assert await shared_lender.rows(Role, Role.code == "X") == []


async def test_only_the_administrator_makes_roles(shared_lender: LenderAtWork):
    for name, person in shared_lender.people.items():
        if name != "tenant_admin":
            with pytest.raises(Denied):
                await role.create(person, code="Y", name="角色", permissions=[], data_scope=DataScope.SELF)
    assert await shared_lender.rows(Role, Role.code == "Y") == []
