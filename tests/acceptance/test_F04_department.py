"""部门管理 · Departments (F04), as far as the contract goes: a tree, root first."""

from __future__ import annotations

from tests.acceptance.journey import Journey

DEPARTMENTS = "{ departments { id code name parent { code } children { code } } }"


async def test_a_department_without_parent_lies_under_the_root(journey: Journey) -> None:
    made = await journey.act(
        "tenant_admin", "createDepartment", "department { id parent { code } }", code="YW2", name="业务二部"
    )
    tree = (await journey.by("account_manager").data(DEPARTMENTS))["departments"]
    assert tree[0]["parent"] is None
    assert made["parent"]["code"] == tree[0]["code"]
    assert "YW2" in [child["code"] for child in tree[0]["children"]]


async def test_a_second_department_of_the_same_code_is_refused(journey: Journey) -> None:
    await journey.act("tenant_admin", "createDepartment", "department { id }", code="YW2", name="业务二部")
    before = await journey.by("tenant_admin").data(DEPARTMENTS)
    refused = await journey.refused("tenant_admin", "createDepartment", "department { id }", code="YW2", name="另一个")
    assert (refused[0]["code"], refused[0]["field"]) == ("DUPLICATE", ["input", "code"])
    assert await journey.by("tenant_admin").data(DEPARTMENTS) == before


async def test_only_who_may_makes_departments(journey: Journey) -> None:
    answer = await journey.by("cashier").ask(
        'mutation { createDepartment(input: {code: "X", name: "X"}) { department { id } userErrors { code } } }'
    )
    assert answer.codes == ["FORBIDDEN"]
