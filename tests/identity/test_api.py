"""Signing in, the viewer, and lenders through the API."""

import asyncio

from tenancy.catalog import new_id
from tenancy.provision import Blueprint, carry_out_next
from tests.identity.operators import new_operator
from tests.support.actors import PASSWORD
from tests.support.client import Api, Client
from tests.support.lenders import MASTER_SECRET

SIGN_IN = """mutation ($input: SignInInput!) { signIn(input: $input) {
    token expiresAt viewer { employee { name roles { code } department { code } } customer { id } tenant { code status businessDate }
    permissions businessDate } userErrors { code field message } } }"""
SIGN_OUT = "mutation { signOut { userErrors { code } } }"
PROVISION = """mutation ($input: ProvisionTenantInput!) { provisionTenant(input: $input) {
    tenant { id code name licenceType status businessDate createdAt } userErrors { code field } } }"""
SUSPEND = (
    "mutation ($input: TenantActionInput!) { suspendTenant(input: $input) { tenant { status } userErrors { code } } }"
)
RESUME = (
    "mutation ($input: TenantActionInput!) { resumeTenant(input: $input) { tenant { status } userErrors { code } } }"
)
TENANTS = """query ($first: Int, $after: String) { tenants(first: $first, after: $after) {
    nodes { code } totalCount pageInfo { hasNextPage endCursor } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Tenant { code businessDate } } }"
VIEWER = "{ viewer { employee { number } tenant { id code name licenceType status } permissions businessDate } }"


def credentials(api: Api, **changes: str | None) -> dict[str, str | None]:
    assert api.lender is not None
    usual = {"tenant": api.lender.lender.code, "username": "cashier", "password": PASSWORD}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


async def an_operator(api: Api) -> Client:
    """Somebody of the platform, signed in through the API."""
    assert api.lender is not None
    username = await new_operator(api.lender.platform)
    signed_in = await api.anonymous.run(SIGN_IN, input={"username": username, "password": PASSWORD})
    viewer = signed_in["viewer"]
    assert (viewer["employee"], viewer["tenant"], viewer["businessDate"]) == (None, None, None)
    return api.with_token(signed_in["token"])


async def test_signing_in_looking_and_signing_out(api: Api):
    signed_in = await api.anonymous.run(SIGN_IN, input=credentials(api))
    viewer = signed_in["viewer"]
    assert viewer["employee"]["roles"] == [{"code": "CASHIER"}]
    assert viewer["employee"]["department"] == {"code": "ROOT"}
    assert viewer["tenant"] == {"code": credentials(api)["tenant"], "status": "ACTIVE", "businessDate": "2025-01-01"}
    assert (viewer["businessDate"], viewer["customer"]) == ("2025-01-01", None)
    assert viewer["permissions"] == sorted(viewer["permissions"])
    me = api.with_token(signed_in["token"])
    assert (await me.data(VIEWER))["viewer"]["permissions"] == viewer["permissions"]
    await me.run(SIGN_OUT)
    await asyncio.sleep(0.6)  # the client's own view of sessions is that of another process
    assert (await me.ask(VIEWER)).codes == ["UNAUTHENTICATED"]


async def test_what_is_wrong_is_said_in_the_language_asked_for(api: Api):
    chinese = api.anonymous
    chinese.language = "zh-CN"
    wrong = credentials(api, password="a wrong password")
    (english,) = await api.anonymous.refused(SIGN_IN, input=wrong)
    (translated,) = await chinese.refused(SIGN_IN, input=wrong)
    assert english == {
        "code": "BAD_CREDENTIALS",
        "field": None,
        "message": "The user name or the password is wrong.",
    }
    assert translated["message"] == "用户名或密码错误。"


async def test_without_a_lender_staff_are_nobody(api: Api):
    (refused,) = await api.anonymous.refused(SIGN_IN, input=credentials(api, tenant=None))
    assert refused["code"] == "BAD_CREDENTIALS"


async def test_nobody_sees_nothing(api: Api):
    assert (await api.anonymous.ask(VIEWER)).codes == ["UNAUTHENTICATED"]
    assert (await api.anonymous.ask(SIGN_OUT)).codes == ["UNAUTHENTICATED"]


async def test_staff_do_not_see_other_lenders(api: Api):
    for name in ("tenant_admin", "auditor"):
        assert (await api.as_(name).ask("{ tenants { totalCount } }")).codes == ["FORBIDDEN"]


async def test_an_operator_provisions_lists_suspends_and_resumes(api: Api, blueprint: Blueprint):
    assert api.lender is not None
    operator, platform, code = await an_operator(api), api.lender.platform, f"api{new_id().hex[-8:]}"
    wish = {"code": code, "name": "锦江惠民", "netAssets": "200000000.00", "openOn": "2025-01-01", "sandbox": True}
    admin = {"adminUsername": "admin", "adminPassword": PASSWORD}

    async def work() -> None:
        while not await carry_out_next(platform.owner, blueprint, master_secret=MASTER_SECRET):  # noqa: ASYNC110  # as workers do
            await asyncio.sleep(0.02)

    worker = asyncio.create_task(work())
    tenant = (await operator.run(PROVISION, input={**wish, **admin}))["tenant"]
    await worker
    assert tenant == {**tenant, "code": code, "licenceType": "TRADITIONAL", "status": "ACTIVE"}
    (refused,) = await operator.refused(PROVISION, input={**wish, **admin})
    assert (refused["code"], refused["field"]) == ("DUPLICATE", ["input", "code"])

    page = (await operator.data(TENANTS, first=100))["tenants"]
    assert code in [node["code"] for node in page["nodes"]]
    assert page["totalCount"] == await platform.catalog.count()
    one = (await operator.data(TENANTS, first=1))["tenants"]
    assert one["pageInfo"]["hasNextPage"]
    assert (await operator.ask(TENANTS, first=1, after="!")).codes == ["BAD_USER_INPUT"]

    chief = (await api.anonymous.run(SIGN_IN, input={"tenant": code, "username": "admin", "password": PASSWORD}))[
        "token"
    ]
    assert (await operator.data(NODE, id=tenant["id"]))["node"] == {"code": code, "businessDate": "2025-01-01"}
    assert (await api.as_("tenant_admin").data(NODE, id=tenant["id"]))["node"] is None

    action = {"tenantId": tenant["id"], "reason": "审计"}
    for _ in range(2):  # who got no answer asks again, and sees that it is so
        assert (await operator.run(SUSPEND, input=action))["tenant"]["status"] == "SUSPENDED"
    assert (await api.with_token(chief).ask(VIEWER)).codes == ["UNAUTHENTICATED"]
    (refused,) = await api.anonymous.refused(SIGN_IN, input={"tenant": code, "username": "admin", "password": PASSWORD})
    assert refused["code"] == "TENANT_SUSPENDED"
    for _ in range(2):
        assert (await operator.run(RESUME, input=action))["tenant"]["status"] == "ACTIVE"
    assert (await api.with_token(chief).data(VIEWER))["viewer"]["tenant"]["code"] == code
    assert (await api.with_token(chief).data(NODE, id=tenant["id"]))["node"]["code"] == code


async def test_an_operator_sees_nothing_inside_a_lender(api: Api):
    operator = await an_operator(api)
    for document in ("{ departments { id } }", "{ roles { id } }", "{ employees { totalCount } }"):
        assert (await operator.ask(document)).codes == ["FORBIDDEN"]
