"""Products, accounts, parameters and dictionaries through the API."""

from typing import Any

import pytest

from tests.support.client import statements

PRODUCT = """mutation ($input: CreateLoanProductInput!) { createLoanProduct(input: $input) {
  product { id code name kind version state minRate maxRate methods allocationOrder penaltyMultiplier graceDays }
  userErrors { code field params } } }"""
REVISE = """mutation ($input: ReviseLoanProductInput!) { reviseLoanProduct(input: $input) {
  product { id code version maxRate } userErrors { code field } } }"""
RETIRE = """mutation ($input: RetireLoanProductInput!) { retireLoanProduct(input: $input) {
  product { state } userErrors { code field } } }"""
PRODUCTS = "query ($state: ProductState) { loanProducts(state: $state) { totalCount nodes { code version state } } }"
ACCOUNT = """mutation ($input: CreateCompanyAccountInput!) { createCompanyAccount(input: $input) {
  account { id name accountLast4 balance uses version } userErrors { code field } } }"""
UPDATE = """mutation ($input: UpdateCompanyAccountInput!) { updateCompanyAccount(input: $input) {
  account { name enabled version balance } userErrors { code field } } }"""
ACCOUNTS = "{ companyAccounts(first: 10) { nodes { name balance } } }"

TERMS: dict[str, Any] = {
    "name": "经营贷", "minAmount": "1000.00", "maxAmount": "20000000.00", "minPeriods": 1, "maxPeriods": 36,
    "minRate": "0.06", "maxRate": "0.24", "methods": ["EQUAL_INSTALLMENT", "BULLET"], "lendingModes": ["CREDIT"],
}  # fmt: skip
BASIC = TERMS | {"code": "JY"}


# ------------------------------------------------------------------ products


async def test_a_product_with_the_least_that_must_be_said(api):
    made = (await api.as_("tenant_admin").run(PRODUCT, input=BASIC))["product"]
    assert (made["code"], made["version"], made["kind"], made["state"]) == ("JY", 1, "NORMAL", "ACTIVE")
    assert (made["minRate"], made["maxRate"], made["penaltyMultiplier"], made["graceDays"]) == (
        "0.06",
        "0.24",
        "1.5",
        0,
    )
    assert made["allocationOrder"] == ["FEE", "PENALTY", "COMPOUND", "INTEREST", "PRINCIPAL"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"minAmount": "0.00"}, "INVALID_AMOUNT", "minAmount"),
        ({"minAmount": "-5.00"}, "INVALID_AMOUNT", "minAmount"),
        ({"maxAmount": "1.00"}, "INVALID_AMOUNT", "maxAmount"),
        ({"minPeriods": 0}, "INVALID_INPUT", "minPeriods"),
        ({"maxPeriods": 0}, "INVALID_INPUT", "minPeriods"),
        ({"minRate": "-0.01"}, "INVALID_INPUT", "minRate"),
        ({"maxRate": "0.2401"}, "COST_CAP_EXCEEDED", "maxRate"),
        ({"maxRate": "9999"}, "INVALID_INPUT", "maxRate"),
        ({"methods": ["EQUAL_PRINCIPAL_EQUAL_INTEREST"], "maxRate": "0.144"}, "COST_CAP_EXCEEDED", "maxRate"),
        ({"penaltyMultiplier": "1.6"}, "PRODUCT_RULE_VIOLATED", "penaltyMultiplier"),
        ({"allocationOrder": ["FEE"]}, "INVALID_INPUT", "allocationOrder"),
        ({"allocationOrder": ["WRITTEN_OFF_PRINCIPAL"]}, "INVALID_INPUT", "allocationOrder"),
        ({"code": "no blank"}, "INVALID_INPUT", "code"),
    ],
)
async def test_a_product_that_is_refused(api, changes, code, field):
    (refused,) = await api.as_("tenant_admin").refused(PRODUCT, input=BASIC | changes)
    assert (refused["code"], refused["field"]) == (code, ["input", field])


@pytest.mark.parametrize(
    "changes",
    [
        {"minAmount": "1e30"}, {"minAmount": "NaN"}, {"minAmount": "1.001"}, {"minAmount": 1000}, {"maxRate": 0.24},
        {"maxRate": "0.123456789"}, {"methods": ["FLAT"]},
    ],
)  # fmt: skip
async def test_a_product_that_is_malformed(api, changes):
    assert (await api.as_("tenant_admin").ask(PRODUCT, input=BASIC | changes)).codes == ["BAD_USER_INPUT"]


async def test_versions_of_a_product(api):
    admin, reader = api.as_("tenant_admin"), api.as_("account_manager")
    first = (await admin.run(PRODUCT, input=BASIC))["product"]
    wish = TERMS | {"productId": first["id"], "expectedVersion": 1, "maxRate": "0.18"}
    second = (await admin.run(REVISE, input=wish))["product"]
    assert (second["code"], second["version"], second["maxRate"]) == ("JY", 2, "0.18")
    (stale,) = await admin.refused(REVISE, input=wish | {"productId": second["id"]})
    assert stale == {"code": "CONFLICT", "field": ["input", "expectedVersion"]}

    offered = (await reader.data("{ loanProducts { totalCount nodes { version } } }"))["loanProducts"]
    assert offered == {"totalCount": 1, "nodes": [{"version": 2}]}
    assert (await reader.data(PRODUCTS, state=None))["loanProducts"]["totalCount"] == 2
    retired = await admin.run(RETIRE, input={"productId": second["id"], "expectedVersion": 2})
    assert retired["product"] == {"state": "RETIRED"}
    assert (await reader.ask(PRODUCT, input=BASIC)).codes == ["FORBIDDEN"]


# ------------------------------------------------------------------ company accounts


async def test_accounts_with_their_balances_in_one_query(api):
    accountant = api.as_("accountant")
    given = {"accountNumber": "62170001", "bank": "测试银行", "uses": ["DISBURSE", "COLLECT"]}
    made = (await accountant.run(ACCOUNT, input=given | {"name": "专户", "openingBalance": "5000000.00"}))["account"]
    assert (made["accountLast4"], made["balance"], made["version"]) == ("0001", "5000000.00", 1)
    second = (await accountant.run(ACCOUNT, input=given | {"name": "备用", "accountNumber": "62170002"}))["account"]
    assert second["balance"] == "0.00"
    cashier = api.as_("cashier")
    with statements() as seen:
        found = (await cashier.data(ACCOUNTS))["companyAccounts"]["nodes"]
    assert {row["name"]: row["balance"] for row in found} == {"专户": "5000000.00", "备用": "0.00"}
    assert len([text for text in seen if "account_days" in text]) == 1

    edit = {"accountId": made["id"], "expectedVersion": 1, "name": "专户", "uses": ["COLLECT"], "enabled": False}
    changed = (await accountant.run(UPDATE, input=edit))["account"]
    assert changed == {"name": "专户", "enabled": False, "version": 2, "balance": "5000000.00"}
    (stale,) = await accountant.refused(UPDATE, input=edit)
    assert stale["code"] == "CONFLICT"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"accountNumber": "1"}, "INVALID_BANK_CARD"),
        ({"openingBalance": "-0.01"}, "INVALID_AMOUNT"),
        ({"uses": []}, "INVALID_INPUT"),
    ],
)
async def test_an_account_that_is_refused(api, changes, code):
    given = {"name": "专户", "accountNumber": "62170001", "bank": "测试银行", "uses": ["DISBURSE"]}
    (refused,) = await api.as_("accountant").refused(ACCOUNT, input=given | changes)
    assert refused["code"] == code


# ------------------------------------------------------------------ parameters and dictionaries

PROPOSE = """mutation ($input: ProposeParameterInput!) { proposeParameter(input: $input) {
  parameter { id code value state effectiveFrom } userErrors { code field } } }"""
APPROVE = """mutation ($input: ApproveParameterInput!) { approveParameter(input: $input) {
  parameter { state decidedAt } userErrors { code field } } }"""
PARAMETERS = "query ($code: String) { parameters(code: $code) { totalCount nodes { code value state } } }"


async def test_a_parameter_takes_two_people(api):
    admin, manager = api.as_("tenant_admin"), api.as_("general_manager")
    wish = {"code": "net_assets", "value": "80000000.00", "effectiveFrom": "2025-01-01", "reason": "上月末"}
    proposed = (await admin.run(PROPOSE, input=wish))["parameter"]
    assert (proposed["state"], proposed["value"]) == ("PROPOSED", "80000000.00")
    (same,) = await admin.refused(APPROVE, input={"parameterId": proposed["id"]})
    assert same == {"code": "SAME_PERSON", "field": ["input", "parameterId"]}
    assert (await manager.run(APPROVE, input={"parameterId": proposed["id"]}))["parameter"]["state"] == "APPROVED"
    listed = (await manager.data(PARAMETERS, code="net_assets"))["parameters"]
    assert {row["value"] for row in listed["nodes"]} == {"100000000.00", "80000000.00"}
    (wrong,) = await admin.refused(PROPOSE, input=wish | {"value": 0.5})
    assert wrong == {"code": "INVALID_INPUT", "field": ["input", "value"]}
    assert (await manager.ask(PROPOSE, input=wish)).codes == ["FORBIDDEN"]


async def test_dictionaries_are_read_by_everybody_and_kept_by_the_administrator(api):
    reader, admin = api.as_("archivist"), api.as_("tenant_admin")
    found = await reader.data("""{ purposes { code use forbidden } agreements { type version title }
      calendar(days: {from: "2026-10-01", to: "2026-10-01"}) { nodes { on kind } } }""")
    assert {"code": "STOCK_INVESTMENT", "use": "BUSINESS", "forbidden": True} in found["purposes"]
    assert {"PERSONAL_DATA", "CREDIT_BUREAU"} <= {row["type"] for row in found["agreements"]}
    assert found["calendar"]["nodes"] == [{"on": "2026-10-01", "kind": "HOLIDAY"}]

    save = """mutation { savePurpose(input: {code: "TUITION", name: "教育", use: CONSUMPTION}) {
      purpose { code forbidden } userErrors { code } } }"""
    assert (await admin.run(save))["purpose"] == {"code": "TUITION", "forbidden": False}
    day = """mutation { saveCalendarDay(input: {on: "2026-03-03", kind: HOLIDAY, name: "地方节日"}) {
      day { on kind name } userErrors { code } } }"""
    assert (await admin.run(day))["day"]["kind"] == "HOLIDAY"
    publish = """mutation { publishAgreement(input: {type: PERSONAL_DATA, title: "新版", text: "正文"}) {
      agreement { version } userErrors { code } } }"""
    assert (await admin.run(publish))["agreement"] == {"version": 2}
    for document in (save, day, publish):
        assert (await reader.ask(document)).codes == ["FORBIDDEN"]
