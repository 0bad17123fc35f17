"""角色管理 · Roles (F05), as far as the contract goes: built-in roles, own roles, exclusive pairs."""

from __future__ import annotations

from tests.acceptance.journey import Journey

BUILT_IN = {
    "TENANT_ADMIN", "ACCOUNT_MANAGER", "BUSINESS_MANAGER", "RISK_OFFICER", "GENERAL_MANAGER", "COMMITTEE_MEMBER", "CASHIER",
    "ACCOUNTANT", "POST_LOAN_OFFICER", "COLLECTOR", "LEGAL", "ARCHIVIST", "AUDITOR",
}  # fmt: skip


async def roles(journey: Journey) -> dict[str, str]:
    data = await journey.by("tenant_admin").data("{ roles { id code dataScope } }")
    return {role["code"]: role["id"] for role in data["roles"]}


async def an_employee(journey: Journey, role_ids: list[str], username: str = "zhang") -> dict[str, object]:
    root = (await journey.by("tenant_admin").data("{ departments { id } }"))["departments"][0]["id"]
    return {
        "name": "张三",
        "departmentId": root,
        "roleIds": role_ids,
        "username": username,
        "initialPassword": "a long password",
    }


async def test_a_fresh_lender_has_the_built_in_roles(journey: Journey) -> None:
    assert set(await roles(journey)) >= BUILT_IN


async def test_one_person_may_not_be_cashier_and_accountant(journey: Journey) -> None:
    known = await roles(journey)
    given = await an_employee(journey, [known["CASHIER"], known["ACCOUNTANT"]])
    refused = await journey.refused("tenant_admin", "createEmployee", "employee { id }", **given)
    assert refused[0]["code"] == "MUTUALLY_EXCLUSIVE_ROLES"
    signed = await journey.api.anonymous.data(
        "mutation($i: SignInInput!) { signIn(input: $i) { token userErrors { code } } }",
        i={"tenant": journey.lender.lender.code, "username": "zhang", "password": "a long password"},
    )
    assert signed["signIn"]["token"] is None


async def test_a_role_of_ones_own_gives_what_it_lists_and_nothing_else(journey: Journey) -> None:
    role = await journey.act(
        "tenant_admin", "createRole", "role { id permissions }",
        code="READER", name="查询", permissions=["lending.loan.read", "customers.customer.read"], dataScope="TENANT",
    )  # fmt: skip
    given = await an_employee(journey, [role["id"]], "reader")
    await journey.act("tenant_admin", "createEmployee", "employee { id }", **given)
    signed = await journey.api.anonymous.data(
        "mutation($i: SignInInput!) { signIn(input: $i) { token viewer { permissions } } }",
        i={"tenant": journey.lender.lender.code, "username": "reader", "password": "a long password"},
    )
    assert sorted(signed["signIn"]["viewer"]["permissions"]) == ["customers.customer.read", "lending.loan.read"]
    reader = journey.api.with_token(signed["signIn"]["token"])
    assert (await reader.data("{ loans(first: 1) { totalCount } }"))["loans"]["totalCount"] == 0
    assert (await reader.ask("{ trialBalance { account } }")).codes == ["FORBIDDEN"]


async def test_an_unknown_permission_and_the_custom_scope_are_refused(journey: Journey) -> None:
    given = {"code": "X", "name": "X", "permissions": ["lending.loan.steal"], "dataScope": "TENANT"}
    assert (await journey.refused("tenant_admin", "createRole", "role { id }", **given))[0]["code"] == "INVALID_INPUT"
    given = {"code": "X", "name": "X", "permissions": ["lending.loan.read"], "dataScope": "CUSTOM"}
    assert (await journey.refused("tenant_admin", "createRole", "role { id }", **given))[0]["code"] == "INVALID_INPUT"
    assert "X" not in await roles(journey)
