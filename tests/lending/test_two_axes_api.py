"""Over GraphQL: previews before confirming, and the month end as it was known before a late receipt."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel.ports import Ports
from schema.kernel.node import global_id
from tests.lending.test_preview import E04, OPENED, entered, the_task
from tests.lending.test_two_axes import moment
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api, statements
from tests.support.loans import Lending, lending_at

MONTH_END = "2026-02-28"
PREVIEW = """preview { final announced loans { loan { id number } stateBefore stateAfter
    stretches { days first { on before { penalty daysPastDue } after { penalty daysPastDue } } last { on } }
    classes { from to before after }
    installments { seq before { state unpaidPrincipal } after { state unpaidPrincipal } }
    days(first: 3) { on before { principalOutstanding fiveClass } after { principalOutstanding fiveClass } } }
  vouchers { kind summary valueDate entries { account debit credit } } messages { title body recipient { name } } }"""
REGISTER = f"""mutation($i: ReceiptActionInput!, $p: Boolean!) {{ registerReceipt(input: $i, preview: $p) {{
  receipt {{ id state }} {PREVIEW} userErrors {{ code field message }} }} }}"""
REVERSE = f"""mutation($i: ReceiptActionInput!, $p: Boolean!) {{ requestReceiptReversal(input: $i, preview: $p) {{
  receipt {{ id state }} {PREVIEW} userErrors {{ code field message }} }} }}"""
DECIDE = f"""mutation($i: DecideTaskInput!, $p: Boolean!) {{ decideTask(input: $i, preview: $p) {{
  task {{ state }} workflow {{ state }} {PREVIEW} userErrors {{ code field message }} }} }}"""
AXES = """query($on: Date, $at: DateTime) {
  loans(asOf: $on, knownAt: $at, first: 50, orderBy: {field: OUTSTANDING}) { totalCount
    nodes { id state fiveClass principalOutstanding position(on: $on, knownAt: $at) { penalty daysPastDue provision
      explain(figure: PENALTY) { amount } } } }
  overdue: loans(asOf: $on, knownAt: $at, filter: {minDaysPastDue: 10}) { totalCount }
  statistics(filter: {on: $on, knownAt: $at}) { on loanCount outstanding overduePrincipal par30 dueToday collectedToday }
  trialBalance(on: $on, knownAt: $at) { account debit credit }
}"""


@pytest.fixture
async def lender(place: Any, ports: Ports, blueprint: Any) -> LenderAtWork:
    return await a_lender(place, ports, blueprint, open_on=OPENED)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


def principal(lines: list[dict[str, str]]) -> Decimal:
    return sum(
        (Decimal(row["debit"]) - Decimal(row["credit"]) for row in lines if row["account"].startswith("1303")),
        Decimal(0),
    )


def adds_up(found: dict[str, Any]) -> bool:
    nodes = found["loans"]["nodes"]
    assert len(nodes) == found["loans"]["totalCount"]
    for node in nodes:
        parts = sum(Decimal(part["amount"]) for part in node["position"]["explain"])
        assert parts == Decimal(node["position"]["penalty"])
    return sum(Decimal(node["principalOutstanding"]) for node in nodes) == Decimal(found["statistics"]["outstanding"])


async def test_a_month_end_is_asked_as_known_then_and_as_known_now(lending: Lending, api: Api) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.pay_out(**E04)
    await lending.close(date(2026, 3, 9))
    person, then = api.as_("general_manager"), (await moment(lending)).isoformat()
    with statements() as few:
        before = await person.data(AXES, on=MONTH_END, at=then)
    assert before == await person.data(AXES, on=MONTH_END)
    receipt_id = await entered(lending, loan_id, "4080.27", date(2026, 2, 15))
    await api.as_("accountant").run(REGISTER, i={"receiptId": global_id("Receipt", receipt_id)}, p=False)

    assert await person.data(AXES, on=MONTH_END, at=then) == before
    now = await person.data(AXES, on=MONTH_END)
    assert adds_up(before)
    assert adds_up(now)
    assert [found["overdue"]["totalCount"] for found in (before, now)] == [2, 1]
    assert [found["statistics"]["overduePrincipal"] for found in (before, now)] == ["7920.54", "3960.27"]
    assert now["trialBalance"] == before["trialBalance"], "a closed day takes no postings"
    assert principal(before["trialBalance"]) == Decimal(before["statistics"]["outstanding"])
    today = await person.data(AXES)
    assert principal(today["trialBalance"]) == Decimal(today["statistics"]["outstanding"])
    assert Decimal(before["statistics"]["outstanding"]) - Decimal(now["statistics"]["outstanding"]) == Decimal(
        "3960.27"
    )

    for _ in range(3):
        await lending.pay_out(value_date=date(2026, 1, 20), **E04)
    with statements() as many:
        await person.data(AXES, on=MONTH_END, at=(await moment(lending)).isoformat())
    assert len(many) <= len(few) + 3, "three more at most: what was booked since is folded, all loans at once"


async def test_moments_and_days_without_knowledge_are_bad_input(lending: Lending, api: Api) -> None:
    await lending.pay_out(**E04)
    now = await moment(lending)
    person = api.as_("general_manager")
    future, past = (now + timedelta(hours=1)).isoformat(), (now - timedelta(days=3)).isoformat()
    tomorrow = (OPENED + timedelta(days=1)).isoformat()
    for given in ({"at": future}, {"at": past}, {"on": tomorrow, "at": now.isoformat()}):
        assert set((await person.ask(AXES, **given)).codes) == {"BAD_USER_INPUT"}


async def test_a_receipt_is_shown_and_then_posted_as_shown(lending: Lending, api: Api) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 4, 1))
    receipt_id = await entered(lending, loan_id, "6300.00", date(2026, 3, 20))
    given = {"receiptId": global_id("Receipt", receipt_id), "idempotencyKey": "once"}
    accountant = api.as_("accountant")

    previewed = await accountant.run(REGISTER, i=given, p=True)
    assert previewed["receipt"] is None
    shown = previewed["preview"]
    (change,) = shown["loans"]
    assert (shown["final"], change["loan"]["id"]) == (True, global_id("Loan", loan_id))
    assert len(change["days"]) == 3
    assert sum(piece["days"] for piece in change["stretches"]) == 14, "each day from 03-20 to 04-02"
    assert [row["seq"] for row in change["installments"]] == [1, 2]
    (voucher,) = shown["vouchers"]
    assert {line["account"]: line["debit"] for line in voucher["entries"]}["1002"] == "6300.00"

    confirmed = await accountant.run(REGISTER, i=given, p=False)
    assert (confirmed["receipt"]["state"], confirmed["preview"]) == ("REGISTERED", None)
    posted = (
        await accountant.data(
            "query($id: ID!) { loan(id: $id) { history { nodes { type entries { account debit credit } } } } }",
            id=global_id("Loan", loan_id),
        )
    )["loan"]["history"]["nodes"][-1]["entries"]
    assert sorted(map(str, posted)) == sorted(map(str, voucher["entries"]))
    refused = await accountant.refused(REGISTER, i=given | {"idempotencyKey": "twice"}, p=True)
    assert [error["code"] for error in refused] == ["INVALID_STATE"]
    assert (await api.as_("cashier").ask(REGISTER, i=given, p=True)).codes == ["FORBIDDEN"]


async def test_a_reversal_is_shown_to_who_asks_and_to_who_decides(lending: Lending, api: Api) -> None:
    loan_id = await lending.pay_out(**E04)
    receipt_id = await entered(lending, loan_id, "100.00", OPENED)
    given = {"receiptId": global_id("Receipt", receipt_id)}
    await api.as_("accountant").run(REGISTER, i=given, p=False)
    asked = (await api.as_("accountant").run(REVERSE, i=given, p=True))["preview"]
    await api.as_("accountant").run(REVERSE, i=given, p=False)
    task = global_id("Task", await the_task(lending, lending.lender.second_accountant, receipt_id))
    said = {"taskId": task, "decision": "APPROVE", "opinion": "同意"}
    decided = (await api.as_("second_accountant").run(DECIDE, i=said, p=True))["preview"]
    assert (asked["final"], decided["final"]) == (False, True)
    assert asked["vouchers"] == decided["vouchers"]
    assert asked["loans"] == decided["loans"]
    assert (await lending.figures(loan_id)).unapplied == 10000
    assert [message["title"] for message in decided["messages"]] == ["还款已冲正 Receipt reversed"]
    await api.as_("second_accountant").run(DECIDE, i=said, p=False)
    assert (await lending.figures(loan_id)).unapplied == 0
