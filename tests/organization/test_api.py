"""Departments, roles and employees through the API."""

import pytest

from tests.support.actors import PASSWORD
from tests.support.client import Api, statements

TREE = "{ departments { id code parent { code } children { code } head { name } } }"
ROLES = "{ roles { id code name permissions dataScope approvalLimit builtIn } }"
CREATE_DEPARTMENT = """mutation ($input: CreateDepartmentInput!) { createDepartment(input: $input) {
    department { id code name type parent { code } } userErrors { code field message params } } }"""
CREATE_ROLE = """mutation ($input: CreateRoleInput!) { createRole(input: $input) {
    role { id code permissions dataScope } userErrors { code field message params } } }"""
CREATE_EMPLOYEE = """mutation ($input: CreateEmployeeInput!) { createEmployee(input: $input) {
    employee { id number name mobile status version department { code parent { code } } roles { code } }
    userErrors { code field message params } } }"""
APPOINT = """mutation ($input: AppointDepartmentHeadInput!) { appointDepartmentHead(input: $input) {
    department { head { name } } userErrors { code field } } }"""
NAME = "query ($id: ID!) { node(id: $id) { ... on Employee { name } } }"
CHANGE_ROLES = """mutation ($input: ChangeEmployeeRolesInput!) { changeEmployeeRoles(input: $input) {
    employee { version roles { code } } userErrors { code field } } }"""


async def ids(api: Api, what: str) -> dict[str, str]:
    found = (await api.as_("tenant_admin").data(f"{{ {what} {{ id code }} }}"))[what]
    return {row["code"]: row["id"] for row in found}


async def test_the_tree_is_one_answer_of_few_statements(api: Api):
    admin = api.as_("tenant_admin")
    for code in ("A", "B", "C"):
        await admin.run(CREATE_DEPARTMENT, input={"code": code, "name": code})
    with statements() as sent:
        tree = (await api.as_("auditor").data(TREE))["departments"]
    assert [row["code"] for row in tree] == ["ROOT", "A", "B", "C", "SALES"]
    assert tree[0] == {**tree[0], "parent": None, "head": None}
    assert [row["code"] for row in tree[0]["children"]] == ["A", "B", "C", "SALES"]
    assert all(row["parent"] == {"code": "ROOT"} and row["children"] == [] for row in tree[1:])
    assert len([statement for statement in sent if "departments" in statement]) == 3


async def test_an_administrator_sets_up_a_branch(api: Api):
    admin = api.as_("tenant_admin")
    made = await admin.run(CREATE_DEPARTMENT, input={"code": "CD", "name": "成都分部", "type": "BRANCH"})
    branch = made["department"]
    assert branch == {**branch, "code": "CD", "name": "成都分部", "type": "BRANCH", "parent": {"code": "ROOT"}}
    below = await admin.run(CREATE_DEPARTMENT, input={"code": "CD1", "name": "一部", "parentId": branch["id"]})
    assert below["department"]["parent"] == {"code": "CD"}
    role = await admin.run(
        CREATE_ROLE,
        input={"code": "INTERN", "name": "实习", "permissions": ["organization.role.read"], "dataScope": "DEPARTMENT"},
    )
    assert role["role"]["dataScope"] == "DEPARTMENT"
    hired = await admin.run(
        CREATE_EMPLOYEE,
        input={
            "name": "张三",
            "departmentId": below["department"]["id"],
            "roleIds": [role["role"]["id"]],
            "mobile": "13800001234",
            "username": "zhangsan",
            "initialPassword": PASSWORD,
        },
    )
    assert hired["employee"] == {
        "id": hired["employee"]["id"],
        "number": "YG-2025-0002",
        "name": "张三",
        "mobile": "138****1234",
        "status": "ACTIVE",
        "version": 1,
        "department": {"code": "CD1", "parent": {"code": "CD"}},
        "roles": [{"code": "INTERN"}],
    }
    found = await api.as_("cashier").data(NAME, id=hired["employee"]["id"])
    assert found == {"node": {"name": "张三"}}


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"roleIds": ["CASHIER", "ACCOUNTANT"]}, "MUTUALLY_EXCLUSIVE_ROLES", ["input", "roleIds"]),
        ({"initialPassword": "short"}, "WEAK_PASSWORD", ["input", "initialPassword"]),
        ({"username": "auditor"}, "DUPLICATE", ["input", "username"]),
        ({"mobile": "1"}, "INVALID_MOBILE", ["input", "mobile"]),
    ],
)
async def test_refusals_name_code_and_field(api: Api, changed, code, field):
    roles, departments = await ids(api, "roles"), await ids(api, "departments")
    wanted = {
        "name": "李四",
        "departmentId": departments["ROOT"],
        "roleIds": ["CASHIER"],
        "username": "lisi",
        "initialPassword": PASSWORD,
    } | changed
    wanted["roleIds"] = [roles[name] for name in wanted["roleIds"]]
    (refused,) = await api.as_("tenant_admin").refused(CREATE_EMPLOYEE, input=wanted)
    assert (refused["code"], refused["field"]) == (code, field)


async def test_an_id_of_another_type_is_an_unknown_one(api: Api):
    roles = await ids(api, "roles")
    (refused,) = await api.as_("tenant_admin").refused(
        CREATE_DEPARTMENT, input={"code": "X", "name": "无", "parentId": roles["CASHIER"]}
    )
    assert (refused["code"], refused["field"]) == ("NOT_FOUND", ["input", "parentId"])


async def test_the_head_of_a_department_is_shown(api: Api):
    departments = await ids(api, "departments")
    people = (await api.as_("tenant_admin").data("{ employees(first: 1) { nodes { id name } } }"))["employees"]["nodes"]
    appointed = await api.as_("tenant_admin").run(
        APPOINT, input={"departmentId": departments["SALES"], "employeeId": people[0]["id"]}
    )
    assert appointed["department"] == {"head": {"name": people[0]["name"]}}


async def test_a_scope_of_chosen_departments_is_refused(api: Api):
    (refused,) = await api.as_("tenant_admin").refused(
        CREATE_ROLE, input={"code": "X", "name": "无", "permissions": [], "dataScope": "CUSTOM"}
    )
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", ["input", "dataScope"])


async def test_everybody_sees_roles_and_only_the_administrator_makes_them(api: Api):
    for name in ("account_manager", "cashier", "auditor"):
        roles = (await api.as_(name).data(ROLES))["roles"]
        assert len(roles) == 13
        answer = await api.as_(name).ask(
            CREATE_ROLE, input={"code": "X", "name": "无", "permissions": [], "dataScope": "SELF"}
        )
        assert answer.codes == ["FORBIDDEN"]


async def test_nobody_changes_their_own_roles(api: Api):
    roles = await ids(api, "roles")
    me = (await api.as_("tenant_admin").data("{ viewer { employee { id } } }"))["viewer"]["employee"]["id"]
    wanted = {"employeeId": me, "roleIds": [roles["CASHIER"]], "expectedVersion": 1}
    (refused,) = await api.as_("tenant_admin").refused(CHANGE_ROLES, input=wanted)
    assert refused == {"code": "SAME_PERSON", "field": ["input", "employeeId"]}
    assert (await api.as_("cashier").ask(CHANGE_ROLES, input=wanted)).codes == ["FORBIDDEN"]


async def test_employees_of_a_page_are_found_in_a_fixed_number_of_statements(api: Api):
    document = "query ($first: Int) { employees(first: $first) { totalCount nodes { name department { name } roles { code } } } }"
    counts = []
    for first in (2, 15):
        with statements() as sent:
            page = (await api.as_("auditor").data(document, first=first))["employees"]
        assert len(page["nodes"]) == first
        assert page["totalCount"] == len(api.lender.people)  # type: ignore[union-attr]
        counts.append(len(sent))
    assert counts[0] == counts[1]
