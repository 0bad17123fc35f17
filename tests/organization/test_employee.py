"""Employees: rules, commands, what they may do at this moment."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.audit import AuditEntry
from domain.kernel.context import DataScope
from domain.kernel.feed import FeedRow
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    Conflict,
    Denied,
    Duplicate,
    InvalidInput,
    InvalidMobile,
    InvalidState,
    MutuallyExclusiveRoles,
    NotFound,
    SamePerson,
    WeakPassword,
)
from domain.kernel.table import uuid7
from domain.organization import employee, role
from domain.organization.credential import Credential, check_username, plain_username
from domain.organization.employee import Employee, EmployeeRole, EmployeeStatus
from domain.organization.role import Role
from domain.organization.standing import actor_of
from tests.support.actors import PASSWORD, LenderAtWork


async def roles(lender: LenderAtWork, *codes: str) -> list[UUID]:
    return [row.id for row in await lender.rows(Role, Role.code.in_(codes))]


async def a_wish(lender: LenderAtWork, **changes: Any) -> dict[str, Any]:
    usual = {
        "name": "张三",
        "department_id": lender.tenant_admin.actor.department_id,
        "role_ids": await roles(lender, "ACCOUNT_MANAGER"),
        "username": "zhangsan",
        "initial_password": PASSWORD,
    }
    return {**usual, **changes}


# ------------------------------------------------------------------ rules


def held(code: str, scope: DataScope, permissions: list[str], limit: Decimal | None = None) -> Any:
    return SimpleNamespace(
        role_id=uuid7(), role_code=code, permissions=permissions, data_scope=scope, approval_limit=limit
    )


PERSON = SimpleNamespace(
    employee_id=UUID(int=1), employee_name="张三", department_id=UUID(int=2), department_path="ROOT/"
)
DECIDE = ["home.pending_task.decide"]


def test_an_actor_holds_all_permissions_and_the_widest_scope():
    both = actor_of(PERSON, [held("A", DataScope.SELF, ["a.b.c"]), held("B", DataScope.DEPARTMENT_TREE, ["d.e.f"])])
    assert (both.permissions, both.scope) == ({"a.b.c", "d.e.f"}, DataScope.DEPARTMENT_TREE)


def test_an_actor_without_roles_may_nothing_and_sees_only_their_own():
    nobody = actor_of(PERSON, [])
    assert (nobody.permissions, nobody.scope, nobody.approval_limit) == (frozenset(), DataScope.SELF, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([held("A", DataScope.SELF, DECIDE, Decimal("100.00"))], Decimal("100.00")),
        (
            [
                held("A", DataScope.SELF, DECIDE, Decimal("100.00")),
                held("B", DataScope.SELF, DECIDE, Decimal("200.00")),
            ],
            Decimal("200.00"),
        ),
        ([held("A", DataScope.SELF, DECIDE, Decimal("100.00")), held("B", DataScope.SELF, DECIDE)], None),
        ([held("A", DataScope.SELF, DECIDE, Decimal("100.00")), held("B", DataScope.SELF, [])], Decimal("100.00")),
    ],
    ids=["one", "the higher", "one without a limit lifts it", "a role that decides nothing does not"],
)
def test_the_approval_limit_is_that_of_the_roles_that_decide(given, expected):
    assert actor_of(PERSON, given).approval_limit == expected


@pytest.mark.parametrize("username", ["a", "a b", "", "x" * 101, "a\tb", "tab\u3000name"])
def test_user_names_that_cannot_be(username):
    with pytest.raises(InvalidInput):
        check_username(username)


def test_upper_case_and_full_width_are_the_same_user():
    assert plain_username("ZhangSan") == plain_username("ｚｈａｎｇｓａｎ ") == "zhangsan"


# ------------------------------------------------------------------ commands


async def test_a_new_employee(lender: LenderAtWork):
    made = await employee.create(lender.tenant_admin, **await a_wish(lender, mobile="138 0000 1234"))
    kept = (await lender.rows(Employee, Employee.id == made.id))[0]
    assert (kept.number, kept.status, kept.mobile_masked) == ("YG-2025-0002", EmployeeStatus.ACTIVE, "138****1234")
    assert b"13800001234" not in kept.mobile_sealed
    assert lender.ports.keys.open(lender.lender, f"employees/mobile/{made.id}", kept.mobile_sealed) == "13800001234"
    person = await lender.context_of(made.id)
    assert person.actor.role_codes == {"ACCOUNT_MANAGER"}
    assert person.actor.scope is DataScope.SELF


async def test_neither_audit_nor_feed_holds_what_is_secret(lender: LenderAtWork):
    made = await employee.create(lender.tenant_admin, **await a_wish(lender, mobile="13800001234"))
    credential = (await lender.rows(Credential, Credential.employee_id == made.id))[0]
    assert credential.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    entries, feed = await lender.rows(AuditEntry), await lender.rows(FeedRow)
    assert [entry.permission for entry in entries] == ["organization.employee.create"]
    assert [row.kind for row in feed] == ["organization.employee.created"]
    written = repr([tuple(row) for row in [*entries, *feed]])
    assert all(secret not in written for secret in (PASSWORD, "13800001234", credential.password_hash))


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"name": ""}, InvalidInput, "name"),
        ({"username": "a"}, InvalidInput, "username"),
        ({"username": "CASHIER"}, Duplicate, "username"),
        ({"initial_password": "elevenchars"}, WeakPassword, "initialPassword"),
        ({"initial_password": "x" * 257}, InvalidInput, "initialPassword"),
        ({"mobile": "12345"}, InvalidMobile, "mobile"),
        ({"department_id": uuid7()}, NotFound, "departmentId"),
        ({"role_ids": []}, InvalidInput, "roleIds"),
        ({"role_ids": [uuid7()]}, NotFound, "roleIds"),
    ],
)
async def test_what_an_employee_may_not_be(shared_lender: LenderAtWork, changed, refusal, field):
    before = len(await shared_lender.rows(Employee))
    with pytest.raises(refusal) as refused:
        await employee.create(shared_lender.tenant_admin, **await a_wish(shared_lender, **changed))
    assert refused.value.field == (field,)
    assert len(await shared_lender.rows(Employee)) == before


@pytest.mark.parametrize(
    "pair",
    [
        ("CASHIER", "ACCOUNTANT"),
        ("ACCOUNT_MANAGER", "RISK_OFFICER"),
        ("TENANT_ADMIN", "CASHIER"),
        ("AUDITOR", "CASHIER"),
    ],
)
async def test_duties_that_are_kept_apart(shared_lender: LenderAtWork, pair):
    with pytest.raises(MutuallyExclusiveRoles) as refused:
        await employee.create(
            shared_lender.tenant_admin, **await a_wish(shared_lender, role_ids=await roles(shared_lender, *pair))
        )
    assert refused.value.params == {"roles": ", ".join(sorted(pair))}


async def test_a_role_of_ones_own_is_kept_apart_too(lender: LenderAtWork):
    (cashier,) = await roles(lender, "CASHIER")
    own = await role.create(
        lender.tenant_admin,
        code="OWN",
        name="自定义",
        permissions=[],
        data_scope=DataScope.SELF,
        exclusive_with=[cashier],
    )
    with pytest.raises(MutuallyExclusiveRoles):
        await employee.create(lender.tenant_admin, **await a_wish(lender, role_ids=[own.id, cashier]))


async def test_of_two_at_once_with_one_user_name_one_is_refused(lender: LenderAtWork):
    wishes = [await a_wish(lender, name=name) for name in ("张三", "李四", "王五")]
    answers = await asyncio.gather(
        *(employee.create(lender.tenant_admin, **wish) for wish in wishes), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Duplicate", "Duplicate", "Employee"]
    assert len(await lender.rows(Credential, Credential.username == "zhangsan")) == 1


async def test_other_roles_count_at_once(lender: LenderAtWork):
    person = lender.collector.actor.id
    changed = await employee.change_roles(
        lender.tenant_admin, employee_id=person, role_ids=await roles(lender, "LEGAL", "ARCHIVIST"), expected_version=1
    )
    assert changed.version == 2
    assert (await lender.context_of(person)).actor.role_codes == {"LEGAL", "ARCHIVIST"}
    audit = (await lender.rows(AuditEntry, AuditEntry.permission == "organization.employee.change_roles"))[0]
    assert {"table": "employee_roles", "id": str(person), "before": ["COLLECTOR"]} in audit.changes


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [({"expected_version": 0}, Conflict), ({"employee_id": uuid7()}, NotFound), ({"role_ids": []}, InvalidInput)],
)
async def test_changes_of_roles_that_are_refused(lender: LenderAtWork, changed, refusal):
    before = await lender.rows(EmployeeRole)
    wish = {
        "employee_id": lender.cashier.actor.id,
        "role_ids": await roles(lender, "LEGAL"),
        "expected_version": 1,
        **changed,
    }
    with pytest.raises(refusal):
        await employee.change_roles(lender.tenant_admin, **wish)
    assert await lender.rows(EmployeeRole) == before


async def test_nobody_changes_their_own_roles_or_status(lender: LenderAtWork):
    me = lender.tenant_admin.actor.id
    with pytest.raises(SamePerson):
        await employee.change_roles(
            lender.tenant_admin, employee_id=me, role_ids=await roles(lender, "CASHIER"), expected_version=1
        )
    with pytest.raises(SamePerson):
        await employee.change_status(
            lender.tenant_admin, employee_id=me, status=EmployeeStatus.ON_LEAVE, expected_version=1
        )
    for name, person in lender.people.items():
        if name != "tenant_admin":
            with pytest.raises(Denied):
                await employee.change_roles(person, employee_id=me, role_ids=[], expected_version=1)


async def test_who_left_stays_so(lender: LenderAtWork):
    person = lender.collector.actor.id
    await employee.change_status(
        lender.tenant_admin, employee_id=person, status=EmployeeStatus.LEFT, expected_version=1
    )
    with pytest.raises(InvalidState):
        await employee.change_status(
            lender.tenant_admin, employee_id=person, status=EmployeeStatus.ACTIVE, expected_version=2
        )
    with pytest.raises(AssertionError, match="not an active employee"):
        await lender.context_of(person)


async def test_pages_follow_the_numbers(shared_lender: LenderAtWork):
    async with shared_lender.auditor.reading() as ctx:
        first = await employee.pages(ctx, columns=[Employee.number], window=Window(first=5))
        second = await employee.pages(ctx, columns=[Employee.number], window=Window(first=100, after=first.cursors[-1]))
        total = await first.total(ctx)
    numbers = [row.number for row in [*first.rows, *second.rows]]
    assert numbers == sorted(numbers)
    assert len(numbers) == total == len(shared_lender.people)
