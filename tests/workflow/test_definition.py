"""审批流定义: which nodes make one, who comes next, versions, and what a fresh lender has (F49)."""

import asyncio
from decimal import Decimal as D

import pytest

from domain.kernel.context import Context
from domain.kernel.refusals import Denied, InvalidInput
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.workflow import definition
from domain.workflow.definition import DEFAULTS, DefinitionError, WorkflowDefinition, next_node, read_nodes
from domain.workflow.instance import WorkflowInstance
from tests.support.actors import LenderAtWork
from tests.support.client import Api
from tests.support.lending import decide, reviewing

ONE = {"code": "CHECK", "name": "复核", "roles": ["RISK_OFFICER"]}
LARGE = {"field": "amount", "operator": "GE", "value": "50000.00"}

# ------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [ONE] * 2,
        [{**ONE, "when": LARGE}],
        [{"code": "CHECK", "name": "复核"}],
        [{**ONE, "more": 1}],
        [{**ONE, "code": "check"}],
        [{**ONE, "name": ""}],
        [{**ONE, "roles": []}],
        [{**ONE, "roles": "RISK_OFFICER"}],
        [{**ONE, "hours": 0}],
        [{**ONE, "when": {"field": "x", "operator": "EQ", "value": "1"}}, {**ONE, "code": "B"}],
        [{**ONE, "code": f"N{index}"} for index in range(21)],
        ["CHECK"],
    ],
)
def test_what_makes_no_definition(nodes):
    with pytest.raises(DefinitionError):
        read_nodes(nodes)


@pytest.mark.parametrize(
    ("amount", "path"),
    [
        ("100000.00", ["RISK_REVIEW", "BUSINESS_APPROVAL"]),
        ("14999999.99", ["RISK_REVIEW", "BUSINESS_APPROVAL"]),
        ("15000000.00", ["RISK_REVIEW", "BUSINESS_APPROVAL", "GENERAL_APPROVAL"]),
    ],
)
def test_the_general_manager_decides_from_fifteen_million_up(amount, path):
    nodes, walked, after = read_nodes(DEFAULTS[0][2]), [], None
    while (node := next_node(nodes, after, {"amount": amount})) is not None:
        walked.append(node.code)
        after = node.code
    assert walked == path


# ------------------------------------------------------------------ commands


async def test_running_instances_keep_their_version(lender: LenderAtWork):
    running = await reviewing(lender)
    published = await definition.publish(
        lender.tenant_admin, code="NORMAL_LOAN", purpose="NORMAL_LOAN", name="一人审批", nodes=[ONE]
    )
    assert published.version == 2
    await decide(lender.risk_officer, running.id)
    (row,) = await lender.rows(LoanApplication)
    assert row.state == ApplicationState.APPROVING  # the old version has a second node


async def test_new_instances_take_the_new_version(lender: LenderAtWork):
    await definition.publish(
        lender.tenant_admin, code="NORMAL_LOAN", purpose="NORMAL_LOAN", name="一人审批", nodes=[ONE]
    )
    row = await reviewing(lender, amount=D("20000.00"))
    await decide(lender.risk_officer, row.id)
    (row,) = await lender.rows(LoanApplication)
    (instance,) = await lender.rows(WorkflowInstance)
    assert (row.state, instance.definition_version) == (ApplicationState.APPROVED, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "normal loan"}, "code"),
        ({"purpose": "NOTHING"}, "purpose"),
        ({"name": "长" * 101}, "name"),
        ({"name": " "}, "name"),
        ({"nodes": []}, "nodes"),
        ({"nodes": [{**ONE, "roles": ["EMPEROR"]}]}, "nodes"),
    ],
)
async def test_what_is_not_published(shared_lender: LenderAtWork, changes, field):
    given = {"code": "OWN", "purpose": "NORMAL_LOAN", "name": "自有", "nodes": [ONE]} | changes
    with pytest.raises(InvalidInput) as refused:
        await definition.publish(shared_lender.tenant_admin, **given)
    assert refused.value.field == (field,)


PUBLISH = """mutation ($input: PublishWorkflowDefinitionInput!) { publishWorkflowDefinition(input: $input) {
  definition { code version name } userErrors { code field params } } }"""


@pytest.mark.parametrize(("code", "taken"), [("NORMAL_LOAN", 2), ("OWN", 1)])
async def test_of_two_who_publish_at_once_one_is_refused(
    api: Api, lender: LenderAtWork, monkeypatch: pytest.MonkeyPatch, code: str, taken: int
):
    before = await lender.rows(WorkflowDefinition)
    both_have_read, latest = asyncio.Barrier(2), definition._latest

    async def read_at_once(ctx: Context, code: str):
        found = await latest(ctx, code)
        await both_have_read.wait()
        return found

    monkeypatch.setattr(definition, "_latest", read_at_once)
    admin = api.as_("tenant_admin")
    given = {"code": code, "purpose": "NORMAL_LOAN", "nodes": [ONE]}
    answers = await asyncio.gather(*(admin.data(PUBLISH, input={**given, "name": name}) for name in ("甲", "乙")))
    payloads = [answer["publishWorkflowDefinition"] for answer in answers]
    (done,) = [payload["definition"] for payload in payloads if payload["definition"]]
    (refused,) = [payload["userErrors"] for payload in payloads if payload["userErrors"]]
    assert refused == [{"code": "CONFLICT", "field": ["input", "code"], "params": {"version": taken}}]
    rows = await lender.rows(WorkflowDefinition, WorkflowDefinition.code == code)
    assert (max(row.version for row in rows), done["version"]) == (taken, taken)
    assert {row.name for row in rows if row.version == taken} == {done["name"]}
    assert len(await lender.rows(WorkflowDefinition)) == len(before) + 1


async def test_only_the_administrator_publishes(shared_lender: LenderAtWork):
    with pytest.raises(Denied):
        await definition.publish(
            shared_lender.risk_officer, code="NORMAL_LOAN", purpose="NORMAL_LOAN", name="一人审批", nodes=[ONE]
        )
