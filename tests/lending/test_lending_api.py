"""普通贷款 through the API (F10, F09, F01): S01 from the draft to the signed contract, each step by another person."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from domain.configuration.template import TEMPLATES
from domain.kernel.audit import GuardEntry
from domain.kernel.feed import FeedRow
from schema.kernel.node import global_id
from tests.support.actors import LenderAtWork
from tests.support.client import Api, statements
from tests.support.customers import a_person
from tests.support.lending import a_draft, a_product, approved, prepared, reviewing
from xiaodai.documents import UPLOAD

APPLICATION = """
fragment A on LoanApplication {
  id number state version amount accountManager { name } customer { name } product { code }
  approvedTerms { amount periods annualRate method validUntil conditions }
  guards { code passed severity params }
  workflow { state definitionCode definitionVersion openTasks { id type urgency candidateRole { code } }
    log { node decision opinion actor { name } } }
  contract { number }
}
"""
CREATE = (
    "mutation ($input: CreateLoanApplicationInput!) "
    "{ createLoanApplication(input: $input) { application { ...A } userErrors { code field params } } }" + APPLICATION
)


def act(name: str, kind: str = "LoanApplicationActionInput") -> str:
    return (
        f"mutation ($input: {kind}!) {{ {name}(input: $input) "
        "{ application { ...A } userErrors { code field params } } }" + APPLICATION
    )


DECIDE = """mutation ($input: DecideTaskInput!) { decideTask(input: $input) {
  task { state } workflow { state returnTargets log { node } openTasks { id candidateRole { code } } } userErrors { code } } }"""
PENDING = """{ pendingTasks { totalCount nodes { id type title urgency amount assignee { name } candidateRole { code }
  customer { name } subject { id __typename } } } }"""
CONTRACT = """contract { id number state amount amountInWords application { number }
  cost { periodIrr aprNominal aprEffective xirrAct365 simpleAprAct365 cap exceedsCap warnAbove exceedsWarning }
  documents { id name contentType sha256 url } } userErrors { code field }"""
PREPARE = f"mutation ($input: PrepareContractInput!) {{ prepareContract(input: $input) {{ {CONTRACT} }} }}"
ACKNOWLEDGE = f"mutation ($input: LoanContractActionInput!) {{ acknowledgeCostSheet(input: $input) {{ {CONTRACT} }} }}"
SIGN = f"mutation ($input: SignContractInput!) {{ signContract(input: $input) {{ {CONTRACT} }} }}"


async def tasks(api: Api, name: str) -> list[dict[str, Any]]:
    found = (await api.as_(name).data(PENDING))["pendingTasks"]
    assert found["totalCount"] == len(found["nodes"])
    return found["nodes"]


async def ids(api: Api, lender: LenderAtWork) -> dict[str, Any]:
    """What the account manager fills in for S01, with global ids as the API gave them."""
    await a_person(lender.account_manager)
    await a_product(lender)
    manager = api.as_("account_manager")
    customers = await manager.data("{ customers { nodes { id } } loanProducts { nodes { id } } }")
    return {
        "customerId": customers["customers"]["nodes"][0]["id"],
        "productId": customers["loanProducts"]["nodes"][0]["id"],
        "amount": "100000.00",
        "periods": 12,
        "annualRate": "0.12",
        "method": "EQUAL_INSTALLMENT",
        "purposeCode": "WORKING_CAPITAL",
        "purpose": "采购原材料",
        "lendingMode": "CREDIT",
    }


async def test_the_cost_sheet_is_acknowledged_once_however_often_it_is_said(api: Api, lender: LenderAtWork):
    contract = await prepared(lender)
    manager, on = api.as_("account_manager"), {"contractId": global_id("LoanContract", contract.id)}
    first, again = [(await manager.run(ACKNOWLEDGE, input=on))["contract"] for _ in range(2)]
    assert (first["state"], again["state"], first["id"]) == ("SIGNING", "SIGNING", again["id"])
    told = await lender.rows(FeedRow, FeedRow.kind == "lending.loan_contract.cost_sheet_acknowledged")
    assert [row.subject_id for row in told] == [contract.id]
    await manager.run(SIGN, input={**on, "signedOn": "2025-01-01", "way": "PAPER"})
    (refused,) = await manager.refused(ACKNOWLEDGE, input=on)
    assert (refused["code"], refused["field"]) == ("INVALID_STATE", ["input", "contractId"])


async def test_s01_from_draft_to_signed_by_different_persons(api: Api, lender: LenderAtWork):
    manager = api.as_("account_manager")
    made = (await manager.run(CREATE, input=await ids(api, lender)))["application"]
    assert (made["state"], made["guards"], made["accountManager"]) == ("DRAFT", [], None)
    on = {"applicationId": made["id"]}

    await manager.run(act("submitLoanApplication"), input=on)
    (task,) = await tasks(api, "business_manager")
    counts = "{ taskCounts { type count overdue } }"
    assert await api.as_("business_manager").data(counts) == {
        "taskCounts": [{"type": "ASSIGNMENT", "count": 1, "overdue": 0}]
    }
    assert await manager.data(counts) == {"taskCounts": []}
    assert (task["type"], task["candidateRole"]["code"], task["subject"]["id"]) == (
        "ASSIGNMENT",
        "BUSINESS_MANAGER",
        made["id"],
    )
    assert await tasks(api, "account_manager") == []

    employee = (await manager.data("{ viewer { employee { id } } }"))["viewer"]["employee"]["id"]
    assign = act("assignLoanApplication", "AssignLoanApplicationInput")
    assigned = await api.as_("business_manager").run(assign, input={**on, "accountManagerId": employee})
    assert assigned["application"]["accountManager"] is not None
    assert await tasks(api, "business_manager") == []
    assert [task["type"] for task in await tasks(api, "account_manager")] == ["ACCEPTANCE"]
    await manager.run(act("acceptLoanApplication"), input=on)
    surveyed = await manager.run(
        act("submitSurveyReport", "SubmitSurveyReportInput"),
        input={**on, "findings": "经营稳定", "proposedAmount": "100000.00", "monthlyIncome": "30000.00"},
    )
    assert surveyed["application"]["state"] == "REVIEWING"
    assert all(result["passed"] for result in surveyed["application"]["guards"])

    for person, state, log in (("risk_officer", "RUNNING", 1), ("business_manager", "APPROVED", 2)):
        (task,) = await tasks(api, person)
        decision = {"taskId": task["id"], "decision": "APPROVE", "opinion": "同意"}
        decided = await api.as_(person).run(DECIDE, input=decision)
        assert (decided["task"]["state"], decided["workflow"]["state"]) == ("DONE", state)
        assert len(decided["workflow"]["log"]) == log
        assert decided["workflow"]["returnTargets"] == (["RISK_REVIEW"] if state == "RUNNING" else [])

    prepared_ = (await manager.run(PREPARE, input=on))["contract"]
    assert (prepared_["number"], prepared_["state"], prepared_["amountInWords"]) == (
        "JK-2025-0001",
        "SIGNING",
        "壹拾万元整",
    )
    assert prepared_["cost"]["aprNominal"] == "0.12"
    assert len(prepared_["documents"]) == 4
    contract = {"contractId": prepared_["id"]}
    signing = {**contract, "signedOn": "2025-01-01", "way": "PAPER"}
    (refused,) = await manager.refused(SIGN, input=signing)
    assert refused["code"] == "COST_SHEET_NOT_ACKNOWLEDGED"
    await manager.run(ACKNOWLEDGE, input=contract)
    signed = (await manager.run(SIGN, input=signing))["contract"]
    assert (signed["state"], signed["application"]["number"]) == ("EFFECTIVE", made["number"])


async def test_a_refused_submission_says_why(api: Api, lender: LenderAtWork):
    manager = api.as_("account_manager")
    wanted = {**await ids(api, lender), "purposeCode": "STOCK_INVESTMENT"}
    made = (await manager.run(CREATE, input=wanted))["application"]
    check = "query ($id: ID!) { guardCheck(applicationId: $id) { code passed severity } }"
    foreseen = (await manager.data(check, id=made["id"]))["guardCheck"]
    assert [result["code"] for result in foreseen if not result["passed"]] == ["FORBIDDEN_PURPOSE"]
    hidden = await api.as_("second_account_manager").data(check, id=made["id"])
    assert hidden == {"guardCheck": []}
    (error,) = await manager.refused(act("submitLoanApplication"), input={"applicationId": made["id"]})
    assert (error["code"], error["field"]) == ("FORBIDDEN_PURPOSE", ["input", "purposeCode"])
    assert error["params"] == {"purpose": "STOCK_INVESTMENT"}
    assert [entry.code for entry in await lender.rows(GuardEntry)] == ["FORBIDDEN_PURPOSE"]
    (seen,) = (await manager.data("{ loanApplications { nodes { state guards { code } } } }"))["loanApplications"][
        "nodes"
    ]
    assert seen == {"state": "DRAFT", "guards": []}


async def test_the_maker_is_told_that_it_is_his_own(api: Api, lender: LenderAtWork):
    row = await reviewing(lender)
    manager = api.as_("account_manager")
    seen = (await manager.data("{ loanApplications { nodes { ...A } } }" + APPLICATION))["loanApplications"]["nodes"]
    (task,) = seen[0]["workflow"]["openTasks"]
    assert (seen[0]["number"], task["candidateRole"]["code"]) == (row.number, "RISK_OFFICER")
    (error,) = await manager.refused(DECIDE, input={"taskId": task["id"], "decision": "APPROVE", "opinion": "自己同意"})
    assert error["code"] == "SAME_PERSON"
    denied = await api.as_("general_manager").ask(
        DECIDE, input={"taskId": task["id"], "decision": "APPROVE", "opinion": "越权"}
    )
    assert denied.errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_filters_pages_and_scope_of_applications(api: Api, lender: LenderAtWork):
    product = await a_product(lender)
    for serial in range(1, 4):
        customer = await a_person(lender.account_manager, serial)
        await a_draft(lender, customer_id=customer.id, product_id=product.id)
    query = """query ($first: Int, $after: String, $filter: LoanApplicationFilter) {
      loanApplications(first: $first, after: $after, filter: $filter) {
        totalCount nodes { number } pageInfo { hasNextPage endCursor } } }"""
    manager = api.as_("account_manager")
    page = (await manager.data(query, first=2))["loanApplications"]
    assert (page["totalCount"], len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (3, 2, True)
    rest = (await manager.data(query, first=2, after=page["pageInfo"]["endCursor"]))["loanApplications"]
    assert [row["number"][-1] for row in page["nodes"] + rest["nodes"]] == ["3", "2", "1"]
    none = (await manager.data(query, filter={"states": ["SUBMITTED"]}))["loanApplications"]
    assert none["totalCount"] == 0
    hidden = (await api.as_("second_account_manager").data(query))["loanApplications"]
    assert hidden["totalCount"] == 0
    assert (await api.as_("risk_officer").data(query))["loanApplications"]["totalCount"] == 3


async def test_a_list_costs_the_same_for_one_row_and_for_three(api: Api, lender: LenderAtWork):
    product, counts = await a_product(lender), []
    for serial in range(1, 4):
        customer = await a_person(lender.account_manager, serial)
        await reviewing(lender, customer_id=customer.id, product_id=product.id)
        with statements() as seen:
            await api.as_("risk_officer").data("{ loanApplications(first: 3) { nodes { ...A } } }" + APPLICATION)
        counts.append(
            len([statement for statement in seen if "catalog" not in statement])
        )  # who watches lenders, polls
    assert len(set(counts)) == 1, counts


async def test_publishing_a_workflow_and_a_template(api: Api, lender: LenderAtWork):
    admin = api.as_("tenant_admin")
    nodes = [{"code": "CHECK", "name": "复核", "roles": ["RISK_OFFICER"]}]
    publish = """mutation ($input: PublishWorkflowDefinitionInput!) { publishWorkflowDefinition(input: $input) {
      definition { version nodes } userErrors { code field } } }"""
    given = {"code": "FAST", "purpose": "NORMAL_LOAN", "name": "快速", "nodes": nodes}
    assert (await admin.run(publish, input=given))["definition"] == {"version": 1, "nodes": nodes}
    (error,) = await admin.refused(publish, input={**given, "nodes": {"a": 1}})
    assert error["field"] == ["input", "nodes"]
    listed = await admin.data("{ workflowDefinitions { code version } templates { code version } }")
    assert {"code": "FAST", "version": 1} in listed["workflowDefinitions"]
    template = """mutation ($input: PublishTemplateInput!) { publishTemplate(input: $input) {
      template { version } userErrors { code } } }"""
    made = await admin.run(template, input={"code": "LOAN_NOTE", "body": "= 借据 #data.contract.number"})
    assert made["template"]["version"] == 2
    await approved(lender)
    assert {row["code"] for row in listed["templates"]} == TEMPLATES.keys()


# ------------------------------------------------------------------ files


async def document_of(api: Api, lender: LenderAtWork) -> dict[str, str]:
    await prepared(lender)
    query = "{ loanApplications { nodes { contract { documents { id sha256 url } } } } }"
    (row,) = (await api.as_("account_manager").data(query))["loanApplications"]["nodes"]
    return row["contract"]["documents"][0]


def bearer(api: Api, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {api.as_(name).token}"}


async def test_a_document_is_for_whom_it_was_linked(api: Api, lender: LenderAtWork, shared_lender: LenderAtWork):
    document = await document_of(api, lender)
    url, mine = document["url"], bearer(api, "account_manager")
    got = await api.http.get(url, headers=mine)
    assert (got.status_code, got.headers["content-type"]) == (200, "application/pdf")
    assert hashlib.sha256(got.content).hexdigest() == document["sha256"]
    assert got.headers["cache-control"] == "no-store"
    assert (await api.http.get(url)).status_code == 401
    for somebody in ("risk_officer", "second_account_manager"):
        assert (await api.http.get(url, headers=bearer(api, somebody))).status_code == 403
    stranger = api.acting("stranger", shared_lender.account_manager)
    assert (await api.http.get(url, headers={"authorization": f"Bearer {stranger.token}"})).status_code == 403


@pytest.mark.parametrize("part", ["for", "until", "proof"])
async def test_a_changed_link_opens_nothing(api: Api, lender: LenderAtWork, part: str):
    url = urlsplit((await document_of(api, lender))["url"])
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    last = asked[part][-1]
    asked[part] = asked[part][:-1] + ("1" if last != "1" else "2")
    changed = f"{url.path}?{urlencode(asked)}"
    assert (await api.http.get(changed, headers=bearer(api, "account_manager"))).status_code == 403
    del asked[part]
    assert (
        await api.http.get(f"{url.path}?{urlencode(asked)}", headers=bearer(api, "account_manager"))
    ).status_code == 403


async def test_a_link_runs_out(api: Api, lender: LenderAtWork, monkeypatch: pytest.MonkeyPatch):
    from domain.configuration import document

    monkeypatch.setattr(document, "LINK_SECONDS", -1)
    url = (await document_of(api, lender))["url"]
    assert (await api.http.get(url, headers=bearer(api, "account_manager"))).status_code == 403


async def upload(api: Api, person: str, content: bytes, **given: str) -> Any:
    headers = {**bearer(api, person), "content-type": given.get("type", "image/png")}
    return await api.http.post(UPLOAD, params={"name": given.get("name", "照片.png")}, content=content, headers=headers)


PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 2_000_000


async def test_an_upload_is_attached_to_a_survey_once(api: Api, lender: LenderAtWork):
    from tests.support.lending import investigating

    sent = await upload(api, "account_manager", PNG)
    assert sent.status_code == 201, sent.text
    assert sent.json()["sha256"] == hashlib.sha256(PNG).hexdigest()
    await investigating(lender)
    manager = api.as_("account_manager")
    (row,) = (await manager.data("{ loanApplications { nodes { id } } }"))["loanApplications"]["nodes"]
    survey = {"applicationId": row["id"], "findings": "可", "proposedAmount": "100000.00"}
    mutation = """mutation ($input: SubmitSurveyReportInput!) { submitSurveyReport(input: $input) {
      application { survey { surveyor { name } attachments { name url contentType } } } userErrors { code field } } }"""
    theirs = (await upload(api, "business_manager", PNG)).status_code
    assert theirs == 403
    done = await manager.run(mutation, input={**survey, "attachmentIds": [sent.json()["id"]]})
    (attachment,) = done["application"]["survey"]["attachments"]
    assert attachment["name"] == "照片.png"
    got = await api.http.get(attachment["url"], headers=bearer(api, "account_manager"))
    assert got.content == PNG


@pytest.mark.parametrize(
    ("content", "given", "status"),
    [
        (b"MZ" + b"0" * 100, {}, 422),
        (PNG[:100], {"type": "application/pdf"}, 422),
        (PNG[:100], {"type": "text/html"}, 422),
        (PNG[:100], {"name": "../x.png"}, 422),
        (PNG[:100], {"name": ""}, 422),
        (b"", {}, 422),
        (PNG[:8] + b"0" * (20 * 1024 * 1024), {}, 413),
    ],
    ids=["program", "no PDF", "HTML", "path", "no name", "empty", "too large"],
)
async def test_what_is_not_taken(api: Api, content: bytes, given: dict[str, str], status: int):
    assert (await upload(api, "account_manager", content, **given)).status_code == status


async def test_nobody_uploads_unknown(api: Api):
    assert (await api.http.post(UPLOAD, params={"name": "a.png"}, content=PNG[:100])).status_code == 401
