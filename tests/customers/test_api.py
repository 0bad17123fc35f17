"""Customers through the API: what is created, how it is found, what is masked, and that lists ask no query for each row."""

import pytest

from tests.support.actors import a_lender
from tests.support.client import statements
from tests.support.customers import CARD, a_person, an_enterprise, credit_code, id_number

PERSON = """mutation ($input: CreateIndividualCustomerInput!) { createIndividualCustomer(input: $input) {
  customer { id number name mobile idNumber birthDate sex manager { name } relatedParties { relation name idNumberMasked }
    consents { type version } accounts { accountLast4 } loans { totalCount nodes { number } } }
  userErrors { code field message params } } }"""
COMPANY = """mutation ($input: CreateEnterpriseCustomerInput!) { createEnterpriseCustomer(input: $input) {
  customer { id number uscc legalRepresentative registeredCapital relatedParties { relation name } }
  userErrors { code field message params } } }"""
ACCOUNT = """mutation ($input: CreateCustomerAccountInput!) { createCustomerAccount(input: $input) {
  account { id holder accountLast4 bank purposes } userErrors { code field } } }"""
LIST = """query ($filter: CustomerFilter, $first: Int, $after: String) { customers(filter: $filter, first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } }
  nodes { __typename id name mobile manager { name }
    ... on IndividualCustomer { idNumber sex } ... on EnterpriseCustomer { uscc } } } }"""
NODE = "query ($id: ID!) { node(id: $id) { id ... on IndividualCustomer { idNumber mobile } } }"

ZHANG = {
    "name": "张三",
    "idNumber": "999999199001010016",
    "mobile": "13800000001",
    "regionCode": "999999",
    "monthlyIncome": "20000.00",
    "spouse": {"name": "李四", "idNumber": id_number(2), "mobile": "13800000002"},
    "emergencyContacts": [{"name": "王五", "relation": "同事", "mobile": "13800000003"}],
    "consents": [{"type": "PERSONAL_DATA", "version": 1}, {"type": "CREDIT_BUREAU", "version": 1}],
}
CHENGDU = {
    "name": "成都测试有限公司",
    "uscc": "91999999MA0000001N",
    "legalRepresentative": "赵六",
    "mobile": "13900000001",
    "registeredCapital": "1000000.00",
    "controllerName": "赵六",
}


async def test_a_person_is_entered_and_read_back(api):
    made = (await api.as_("account_manager").run(PERSON, input=ZHANG))["customer"]
    assert (made["number"], made["name"], made["mobile"]) == ("KH-2025-0001", "张三", "13800000001")
    assert (made["idNumber"], made["birthDate"], made["sex"]) == ("999999199001010016", "1990-01-01", "MALE")
    assert made["manager"]["name"].endswith("account_manager")
    spouse = {"relation": "SPOUSE", "name": "李四", "idNumberMasked": f"999***********{id_number(2)[-4:]}"}
    assert made["relatedParties"] == [spouse]
    assert [consent["type"] for consent in made["consents"]] == ["PERSONAL_DATA", "CREDIT_BUREAU"]
    assert made["loans"] == {"totalCount": 0, "nodes": []}

    seen = (await api.as_("accountant").data(NODE, id=made["id"]))["node"]
    assert (seen["idNumber"], seen["mobile"]) == ("999***********0016", "138****0001")
    assert (await api.as_("second_account_manager").data(NODE, id=made["id"]))["node"] is None


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"idNumber": "999999199001010017"}, "INVALID_ID_NUMBER", ["input", "idNumber"]),
        ({"mobile": "1"}, "INVALID_MOBILE", ["input", "mobile"]),
        ({"consents": [{"type": "MARKETING", "version": 7}]}, "INVALID_INPUT", ["input", "consents", "0", "version"]),
        ({"spouse": {"name": "李四", "idNumber": "1"}}, "INVALID_ID_NUMBER", ["input", "spouse", "idNumber"]),
        ({"monthlyIncome": "-1.00"}, "INVALID_AMOUNT", ["input", "monthlyIncome"]),
        ({"name": "a\0b"}, "INVALID_INPUT", ["input", "name"]),
        ({"name": "长" * 101}, "INVALID_INPUT", ["input", "name"]),
        ({"employer": "长" * 101}, "INVALID_INPUT", ["input", "employer"]),
    ],
)
async def test_a_refusal_names_rule_and_field(api, changes, code, field):
    (refused,) = await api.as_("account_manager").refused(PERSON, input=ZHANG | changes)
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await api.as_("auditor").data(LIST))["customers"]["totalCount"] == 0


async def test_an_enterprise_is_entered_once(api):
    manager = api.as_("account_manager")
    made = (await manager.run(COMPANY, input=CHENGDU))["customer"]
    assert (made["uscc"], made["legalRepresentative"], made["registeredCapital"]) == (
        "91999999MA0000001N", "赵六", "1000000.00",
    )  # fmt: skip
    assert made["relatedParties"] == [{"relation": "CONTROLLER", "name": "赵六"}]
    (again,) = await manager.refused(COMPANY, input=CHENGDU)
    assert (again["code"], again["params"]) == ("DUPLICATE", {"value": "91999999MA0000001N"})
    (wrong,) = await manager.refused(COMPANY, input=CHENGDU | {"uscc": "91999999MA0000001P"})
    assert wrong["code"] == "INVALID_USCC"


async def test_who_may_not_enter_customers(api):
    assert (await api.as_("cashier").ask(PERSON, input=ZHANG)).codes == ["FORBIDDEN"]
    assert (await api.anonymous.ask(PERSON, input=ZHANG)).codes == ["UNAUTHENTICATED"]


async def test_an_account_is_entered_for_a_customer_of_ones_own(api):
    manager = api.as_("account_manager")
    owner = (await manager.run(PERSON, input=ZHANG))["customer"]["id"]
    given = {
        "customerId": owner, "holder": "张三", "accountNumber": CARD, "bank": "测试银行", "purposes": ["DISBURSEMENT"],
    }  # fmt: skip
    made = (await manager.run(ACCOUNT, input=given))["account"]
    assert (made["holder"], made["accountLast4"], made["purposes"]) == ("张三", "0012", ["DISBURSEMENT"])
    (wrong,) = await manager.refused(ACCOUNT, input=given | {"accountNumber": CARD[:-1] + "3"})
    assert wrong == {"code": "INVALID_BANK_CARD", "field": ["input", "accountNumber"]}
    (foreign,) = await api.as_("second_account_manager").refused(ACCOUNT, input=given)
    assert foreign == {"code": "NOT_FOUND", "field": ["input", "customerId"]}
    (other_type,) = await manager.refused(ACCOUNT, input=given | {"customerId": made["id"]})
    assert other_type["code"] == "NOT_FOUND"
    assert (await manager.ask(ACCOUNT, input=given | {"customerId": "?"})).codes == ["BAD_USER_INPUT"]


async def test_a_list_of_both_kinds_asks_as_often_for_ten_rows_as_for_six(api, lender):
    manager = lender.account_manager
    for serial in range(1, 6):
        await a_person(manager, serial)
        await an_enterprise(manager, serial)
    clerk = api.as_("auditor")
    counts = []
    for size in (6, 10):  # enterprises come first: six rows hold both kinds
        with statements() as seen:
            found = (await clerk.data(LIST, first=size))["customers"]
        assert len(found["nodes"]) == size
        assert [edge["node"]["id"] for edge in found["edges"]] == [node["id"] for node in found["nodes"]]
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert {node["__typename"] for node in found["nodes"]} == {"IndividualCustomer", "EnterpriseCustomer"}
    assert found["totalCount"] == 10
    assert not found["pageInfo"]["hasNextPage"]


async def test_filters_and_pages(api, lender):
    manager = lender.account_manager
    await a_person(manager, 1, name="张三")
    await an_enterprise(manager, 2, name="成都公司")
    clerk = api.as_("auditor")

    async def names(**filter) -> list[str]:
        return [node["name"] for node in (await clerk.data(LIST, filter=filter))["customers"]["nodes"]]

    assert await names(search="成都") == ["成都公司"]
    assert await names(idNumber=id_number(1)) == ["张三"]
    assert await names(uscc=credit_code(2)) == ["成都公司"]
    assert await names(uscc=credit_code(3)) == []
    first = (await clerk.data(LIST, first=1))["customers"]
    assert first["pageInfo"]["hasNextPage"]
    second = (await clerk.data(LIST, first=1, after=first["pageInfo"]["endCursor"]))["customers"]
    assert [first["nodes"][0]["name"], second["nodes"][0]["name"]] == ["成都公司", "张三"]
    for wrong in (
        {"after": "?"},
        {"first": 101},
        {"first": -1},
        {"filter": {"managerId": "?"}},
        {"filter": {"search": "\0"}},
    ):
        assert (await clerk.ask(LIST, **wrong)).codes == ["BAD_USER_INPUT"], wrong


async def test_a_foreign_lenders_customer_answers_like_an_unknown_one(api, lender, place, ports, blueprint):
    other = await a_lender(place, ports, blueprint)
    await a_person(other.account_manager, 1)
    stranger = api.acting("stranger", other.account_manager)
    theirs = (await stranger.data(LIST))["customers"]["nodes"][0]["id"]
    assert (await api.as_("auditor").data(NODE, id=theirs))["node"] is None
    assert (await api.as_("auditor").data(LIST, filter={"idNumber": id_number(1)}))["customers"]["totalCount"] == 0
    given = {"customerId": theirs, "holder": "张三", "accountNumber": CARD, "bank": "测试银行", "purposes": ["REFUND"]}
    (refused,) = await api.as_("account_manager").refused(ACCOUNT, input=given)
    assert refused["code"] == "NOT_FOUND"


BLACKLIST = """mutation ($input: BlacklistPartyInput!) { blacklistParty(input: $input) {
  party { id name idNumberMasked removed } userErrors { code } } }"""
UNBLACKLIST = """mutation ($input: UnblacklistPartyInput!) { unblacklistParty(input: $input) {
  party { removed } userErrors { code } } }"""
RELATE = """mutation ($input: AddRelatedPartyInput!) { addRelatedParty(input: $input) {
  relatedParty { relation name share } userErrors { code } } }"""
RECORD = """mutation ($input: RecordConsentInput!) { recordConsent(input: $input) {
  consent { id type withdrawnAt } userErrors { code } } }"""
WITHDRAW = """mutation ($input: WithdrawConsentInput!) { withdrawConsent(input: $input) {
  consent { type withdrawnAt } userErrors { code } } }"""


async def test_what_else_is_kept_of_a_customer(api):
    manager, risk = api.as_("account_manager"), api.as_("risk_officer")
    owner = (await manager.run(PERSON, input=ZHANG))["customer"]["id"]

    listed = await risk.run(BLACKLIST, input={"name": "张三", "idNumber": ZHANG["idNumber"], "reason": "欺诈"})
    assert listed["party"]["idNumberMasked"] == "999***********0016"
    assert (await risk.run(UNBLACKLIST, input={"partyId": listed["party"]["id"]}))["party"] == {"removed": True}

    party = {"customerId": owner, "relation": "SHAREHOLDER", "name": "某公司", "uscc": credit_code(9), "share": "0.25"}
    made = (await manager.run(RELATE, input=party))["relatedParty"]
    assert made == {"relation": "SHAREHOLDER", "name": "某公司", "share": "0.25"}

    wish = {"customerId": owner, "consent": {"type": "MARKETING", "version": 1}}
    recorded = (await manager.run(RECORD, input=wish))["consent"]
    assert (recorded["type"], recorded["withdrawnAt"]) == ("MARKETING", None)
    withdrawn = (await manager.run(WITHDRAW, input={"consentId": recorded["id"]}))["consent"]
    assert withdrawn["withdrawnAt"] is not None
