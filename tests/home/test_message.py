"""Messages (F03): one approval, one unread message to each recipient of its rule."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from domain.home import message
from domain.home.message import Message, MessageRule, body_of, check_recipients
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import Conflict, Denied, InvalidInput, NotFound
from domain.kernel.table import uuid7
from domain.workflow.instance import Decision
from schema.kernel.node import global_id
from tests.support.actors import LenderAtWork
from tests.support.client import Api
from tests.support.lending import approved, decide, reviewing

APPROVED = "lending.loan_application.approved"

# ---------------------------------------------------------------- rules


def test_a_body_has_number_and_amount():
    assert body_of({"number": "SQ2026112400001", "amount": D("100000.00")}) == "SQ2026112400001，100,000.00 元"
    assert body_of({"number": "JJ-2026-0001"}) == "JJ-2026-0001"


@pytest.mark.parametrize("recipients", [[], ["NOBODY"], ["MAKER", "CASHIERS"]])
def test_recipients_must_be_known(recipients: list[str]):
    with pytest.raises(InvalidInput):
        check_recipients(recipients, {"CASHIER"})


def test_maker_manager_and_roles_are_recipients():
    check_recipients(["MAKER", "MANAGER", "CASHIER"], {"CASHIER"})


# ---------------------------------------------------------------- commands


async def unread(person: Context) -> int:
    async with person.reading() as ctx:
        return await message.unread_count(ctx)


async def titles(person: Context) -> list[str]:
    async with person.reading() as ctx:
        columns = [Message.__table__.c.title]
        return [row.title for row in (await message.page(ctx, columns=columns, window=Window())).rows]


async def rule(lender: LenderAtWork, event: str) -> Any:
    (found,) = await lender.rows(MessageRule, MessageRule.event == event)
    return found


async def test_one_approval_is_one_unread_message_to_the_maker(lender: LenderAtWork):
    row = await approved(lender)
    assert await titles(lender.account_manager) == ["贷款申请已批准 Application approved"]
    (sent,) = await lender.rows(Message)
    assert (sent.subject_id, sent.body, sent.read_at) == (row.id, f"{row.number}，100,000.00 元", None)
    for other in ("business_manager", "risk_officer", "second_account_manager", "general_manager"):
        assert await unread(getattr(lender, other)) == 0


async def test_reading_lowers_the_count(lender: LenderAtWork):
    await approved(lender)
    (sent,) = await lender.rows(Message)
    manager = lender.account_manager
    for person, key in ((lender.general_manager, sent.id), (manager, uuid7())):  # not hers; nobody's
        with pytest.raises(NotFound):
            await message.mark_read(person, message_ids=[key])
    assert await unread(manager) == 1
    assert await message.mark_read(manager, message_ids=[sent.id]) == 1
    assert await unread(manager) == 0
    assert await message.mark_read(manager) == 0


async def test_a_rule_that_is_off_makes_none(lender: LenderAtWork):
    found = await rule(lender, APPROVED)
    await message.update_rule(lender.tenant_admin, rule_id=found.id, expected_version=found.version, enabled=False)
    await approved(lender)
    assert await lender.rows(Message) == []


async def test_a_rule_may_tell_roles(lender: LenderAtWork):
    found = await rule(lender, APPROVED)
    changed = await message.update_rule(
        lender.tenant_admin, rule_id=found.id, expected_version=1, recipients=["RISK_OFFICER", "MAKER", "MANAGER"]
    )
    assert changed.version == 2
    await approved(lender)
    told = {sent.recipient_id for sent in await lender.rows(Message)}
    # The maker manages the application as well and is told once.
    assert told == {
        person.actor.id for person in (lender.account_manager, lender.risk_officer, lender.second_risk_officer)
    }


async def test_nobody_is_told_what_he_did_himself(lender: LenderAtWork):
    found = await rule(lender, "lending.loan_application.rejected")
    await message.update_rule(
        lender.tenant_admin, rule_id=found.id, expected_version=1, recipients=["RISK_OFFICER", "MAKER"]
    )
    row = await reviewing(lender)
    await decide(lender.risk_officer, row.id, Decision.REJECT, opinion="现金流不足")
    told = {sent.recipient_id for sent in await lender.rows(Message)}
    assert told == {lender.account_manager.actor.id, lender.second_risk_officer.actor.id}


async def test_what_a_rule_refuses(lender: LenderAtWork):
    found = await rule(lender, APPROVED)
    change = {"rule_id": found.id, "expected_version": 1, "enabled": False}
    with pytest.raises(Denied):
        await message.update_rule(lender.account_manager, **change)
    with pytest.raises(Conflict):
        await message.update_rule(lender.tenant_admin, **change | {"expected_version": 7})
    with pytest.raises(NotFound):
        await message.update_rule(lender.tenant_admin, **change | {"rule_id": uuid7()})
    with pytest.raises(InvalidInput):
        await message.update_rule(lender.tenant_admin, **change, recipients=["BOSS"])
    assert await rule(lender, APPROVED) == found


# ---------------------------------------------------------------- API

LIST = """query ($filter: MessageFilter) { unreadMessageCount messages(filter: $filter) { totalCount
  nodes { id category title body sentAt readAt } } }"""
READ = (
    "mutation ($input: MarkMessagesReadInput!) { markMessagesRead(input: $input) { unreadCount userErrors { code } } }"
)
RULES = "{ messageRules { id event category title recipients enabled version } }"
UPDATE = """mutation ($input: UpdateMessageRuleInput!) { updateMessageRule(input: $input) {
  rule { event enabled version } userErrors { code field } } }"""


async def test_messages_of_mine_and_of_nobody_else(lender: LenderAtWork, api: Api):
    await approved(lender)
    mine = api.as_("account_manager")
    found = await mine.data(LIST, filter={"unread": True})
    assert found["unreadMessageCount"] == found["messages"]["totalCount"] == 1
    (sent,) = found["messages"]["nodes"]
    assert (sent["category"], sent["readAt"]) == ("APPROVAL", None)
    boss = api.as_("general_manager")
    assert (await boss.data(LIST))["messages"]["totalCount"] == 0
    assert (await boss.data("query ($id: ID!) { node(id: $id) { id } }", id=sent["id"]))["node"] is None
    assert (await mine.data("query ($id: ID!) { node(id: $id) { id } }", id=sent["id"]))["node"] == {"id": sent["id"]}

    assert [error["code"] for error in await boss.refused(READ, input={"messageIds": [sent["id"]]})] == ["NOT_FOUND"]
    assert (await mine.data(LIST))["unreadMessageCount"] == 1
    assert (await mine.run(READ, input={"messageIds": [sent["id"]]}))["unreadCount"] == 0
    assert (await mine.data(LIST, filter={"unread": True}))["messages"]["nodes"] == []
    assert (await mine.data(LIST, filter={"unread": False}))["messages"]["nodes"][0]["readAt"]
    assert (await mine.ask(READ, input={"messageIds": ["x"]})).codes == ["BAD_USER_INPUT"]


async def test_rules_through_the_api(lender: LenderAtWork, api: Api):
    admin = api.as_("tenant_admin")
    found = {one["event"]: one for one in (await admin.data(RULES))["messageRules"]}
    assert found[APPROVED]["recipients"] == ["MAKER"]
    wanted = {"ruleId": found[APPROVED]["id"], "expectedVersion": 1, "enabled": False}
    assert (await admin.run(UPDATE, input=wanted))["rule"] == {"event": APPROVED, "enabled": False, "version": 2}
    (refused,) = await admin.refused(UPDATE, input=wanted)
    assert (refused["code"], refused["field"]) == ("CONFLICT", ["input", "expectedVersion"])
    (refused,) = await admin.refused(UPDATE, input=wanted | {"ruleId": global_id("MessageRule", uuid7())})
    assert refused["code"] == "NOT_FOUND"
    assert (await api.as_("cashier").ask(UPDATE, input=wanted)).codes == ["FORBIDDEN"]
