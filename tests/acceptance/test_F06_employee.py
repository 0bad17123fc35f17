"""员工管理 · Employees (F06), as far as the contract goes: made by the administrator, at work at once."""

from __future__ import annotations

import asyncio

from tests.acceptance.journey import Journey
from tests.acceptance.test_F05_role import an_employee, roles

SIGN_IN = """mutation($i: SignInInput!) {
  signIn(input: $i) { token expiresAt viewer { employee { name status } } userErrors { code } } }"""


async def test_the_initial_password_signs_in_at_once(journey: Journey) -> None:
    given = await an_employee(journey, [(await roles(journey))["CASHIER"]])
    made = await journey.act(
        "tenant_admin", "createEmployee", "employee { id number name status roles { code } }", **given
    )
    assert (made["name"], made["status"], made["roles"]) == ("张三", "ACTIVE", [{"code": "CASHIER"}])
    who = {"tenant": journey.lender.lender.code, "username": "zhang", "password": "a long password"}
    signed = (await journey.api.anonymous.data(SIGN_IN, i=who))["signIn"]
    assert signed["viewer"]["employee"] == {"name": "张三", "status": "ACTIVE"}
    client = journey.api.with_token(signed["token"])
    assert (await client.data("{ viewer { employee { id } } }"))["viewer"]["employee"]["id"] == made["id"]
    await client.data("mutation { signOut { userErrors { code } } }")
    await asyncio.sleep(1)  # an ended session is refused within a second, on every process
    assert (await client.ask("{ viewer { businessDate } }")).codes == ["UNAUTHENTICATED"]


async def test_a_short_password_and_a_taken_user_name_are_refused(journey: Journey) -> None:
    given = await an_employee(journey, [(await roles(journey))["CASHIER"]])
    short = await journey.refused(
        "tenant_admin", "createEmployee", "employee { id }", **given | {"initialPassword": "elevenchars"}
    )
    assert (short[0]["code"], short[0]["field"]) == ("WEAK_PASSWORD", ["input", "initialPassword"])
    await journey.act("tenant_admin", "createEmployee", "employee { id }", **given)
    taken = await journey.refused("tenant_admin", "createEmployee", "employee { id }", **given)
    assert (taken[0]["code"], taken[0]["field"]) == ("DUPLICATE", ["input", "username"])


async def test_a_wrong_password_says_no_more_than_an_unknown_user(journey: Journey) -> None:
    code = journey.lender.lender.code
    answers = [
        (
            await journey.api.anonymous.data(
                SIGN_IN, i={"tenant": code, "username": name, "password": "not the password"}
            )
        )["signIn"]
        for name in ("cashier", "nobody")
    ]
    assert answers[0] == answers[1]
    assert answers[0]["userErrors"] == [{"code": "BAD_CREDENTIALS"}]
