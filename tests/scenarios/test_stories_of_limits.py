"""Stories 3, 7 and 14: how much may be lent. A line that freezes, a group that is too large, a line that is used again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

from tests.acceptance.journey import Journey, an_id_number
from tests.acceptance.test_F11_revolving_loan import Line, a_line, alerts_closed
from tests.scenarios.storytelling import (
    NOTHING,
    PAID_OUT,
    a_company,
    amounts,
    books,
    cents,
    lines_of,
    months_on,
    night_before,
    overdue_on,
    paid_out,
    pays,
    proved,
    quoted,
    standing,
    to_be_paid,
    total,
)

RATE = "0.126"
BY_SETTLEMENT_DAY = (date(2026, 2, 20), date(2026, 3, 20))
"""The 20th of each month; 20 January lies too close to the pay-out to be one."""


def interest(principal: int, days: int) -> D:
    """按日计息 · On the days of 360."""
    return cents(principal * D(RATE) * days / 360)


async def a_line_of(journey: Journey, limit: str, lending_mode: str) -> Line:
    """A line of credit for one year from today, its interest due each month on the 20th."""
    product = {"lendingModes": [lending_mode], "firstSettlementMinDays": 15}
    terms = {"annualRate": RATE, "startsOn": str(PAID_OUT), "endsOn": "2027-01-14", "lendingMode": lending_mode}
    return await a_line(journey, limit=limit, product=product, **terms)


async def usage(line: Line, limit: int) -> tuple[D, D]:
    """Used and free; together never more than the limit."""
    shown = (await line.shown())["usage"]
    used, waiting, free = amounts(shown, "used", "inApproval", "available")
    assert used + waiting + free <= limit
    return used, free


async def test_14_a_line_is_drawn_repaid_and_drawn_again(journey: Journey) -> None:
    """白鹭印务 has 500,000.00: 300,000.00 out, 200,000.00 back, 250,000.00 out, and all of it back in March."""
    line = await a_line_of(journey, "500000.00", "MORTGAGE")
    first = await line.drawn("300000.00", periods=3)
    assert await usage(line, 500000) == (300000, 200000)
    receipt = await pays(journey, first, interest(300000, 36), BY_SETTLEMENT_DAY[0])
    assert lines_of(receipt) == [(1, "INTEREST", D(3780))]
    back = date(2026, 2, 28)
    receipt = await pays(journey, first, D(200000), back, prepayment={"mode": "REDUCE_INSTALLMENT"})
    assert [line for line in lines_of(receipt) if line[1] != "PRINCIPAL"] == []
    assert await usage(line, 500000) == (100000, 400000)
    (refused,) = await journey.refused(
        "account_manager", "drawDown", "application { id }", facilityId=line.id, amount="400000.01"
    )
    assert (refused["code"], refused["params"]["available"]) == ("CREDIT_LIMIT_EXCEEDED", "400000.00")
    assert await usage(line, 500000) == (100000, 400000)
    second = await line.drawn("250000.00", periods=3)
    assert await usage(line, 500000) == (350000, 150000)
    assert (await books(journey))["1303"] == D(350000)

    on = BY_SETTLEMENT_DAY[1]
    mixed = cents((300000 * 8 + 100000 * 20) * D(RATE) / 360)  # 8 days before the repayment, 20 after it
    assert lines_of(await pays(journey, first, mixed, on)) == [(2, "INTEREST", mixed)]
    assert lines_of(await pays(journey, second, interest(250000, 20), on)) == [(1, "INTEREST", D(1750))]
    leaves = on + timedelta(days=5)
    await night_before(journey, leaves)
    for loan, principal in ((first, 100000), (second, 250000)):
        quote = await quoted(journey, loan, leaves)
        assert (quote["principal"], quote["interest"]) == (principal, interest(principal, 5))
        await journey.received(loan, str(quote["toPay"]), leaves, prepayment={"mode": "SETTLE"})
        assert await standing(journey, loan) == ("SETTLED", str(leaves))
    assert await usage(line, 500000) == (NOTHING, D(500000))
    await proved(journey, leaves)
    found = await books(journey)
    assert found["6011"] == -(3780 + mixed + 1750 + interest(350000, 5))
    assert [account for account in ("1132", "1303", "2241") if account in found] == []


async def test_3_a_line_freezes_until_people_agree(journey: Journey) -> None:
    """天府机械 has drawn 2 of 3 million and misses its interest: warnings, 关注, nothing more to draw, not even when it paid."""
    line = await a_line_of(journey, "3000000.00", "GUARANTEE")
    loan = await line.drawn("2000000.00", periods=3)
    assert await usage(line, 3000000) == (2000000, 1000000)
    due_on, next_due = BY_SETTLEMENT_DAY
    await night_before(journey, due_on + timedelta(days=2))
    position = await journey.position(loan, due_on + timedelta(days=1))
    missed = interest(2000000, 36)
    assert (position["daysPastDue"], position["fiveClass"]) == (1, "SPECIAL_MENTION")
    assert amounts(position, "dueUnpaidInterest", "provision") == (missed, 2000000 * (D("0.01") + D("0.02")))
    assert ((await line.shown())["state"], await line.available()) == ("FROZEN", "0.00")
    (refused,) = await journey.refused(
        "account_manager", "drawDown", "application { id }", facilityId=line.id, amount="500000.00"
    )
    assert (refused["code"], refused["params"]["since"]) == ("FACILITY_FROZEN", str(due_on + timedelta(days=1)))
    assert (await line.shown())["usage"]["inApproval"] == "0.00"

    pays_on = next_due + timedelta(days=5)
    late = [(pays_on - due_on).days, 5]
    monthly = [missed, interest(2000000, 28)]
    compound = [overdue_on(base, RATE, days) for base, days in zip(monthly, late, strict=True)]
    receipt = await pays(journey, loan, total([*monthly, *compound]), pays_on)
    assert lines_of(receipt) == [
        (number, component, amount)
        for number in (1, 2)
        for component, amount in (("COMPOUND", compound[number - 1]), ("INTEREST", monthly[number - 1]))
    ]
    data = await journey.by("risk_officer").data("{ alerts(first: 20) { nodes { level value loan { id } } } }")
    raised = sorted((int(node["value"]), node["level"]) for node in data["alerts"]["nodes"])
    assert raised == [(1, "YELLOW"), (7, "YELLOW"), (30, "ORANGE")]
    assert {node["loan"]["id"] for node in data["alerts"]["nodes"]} == {loan}
    await night_before(journey, pays_on + timedelta(days=1))
    position = await journey.position(loan)
    assert (position["daysPastDue"], position["fiveClass"]) == (0, "NORMAL")
    assert ((await line.shown())["state"], await line.available()) == ("FROZEN", "0.00"), (
        "paid, and still nobody agreed"
    )

    await alerts_closed(journey)
    await journey.act(
        "account_manager", "unfreezeCreditFacility", "facility { id }", facilityId=line.id, reason="已付清"
    )
    await journey.decide("risk_officer", line.id)
    await journey.decide("business_manager", line.id)
    assert await usage(line, 3000000) == (2000000, 1000000)
    await line.drawn("500000.00", periods=1)
    assert (await books(journey))["1303"] == D(2500000)
    await proved(journey, pays_on + timedelta(days=1))


async def a_company_of(journey: Journey, name: str, controller: str) -> str:
    """A company of the group: who controls it, controls the others, too."""
    company = await a_company(journey, name)
    await journey.act(
        "account_manager", "addRelatedParty", "relatedParty { id }", customerId=company, relation="CONTROLLER",
        name="锦先生", idNumber=controller, share="0.6",
    )  # fmt: skip
    return company


async def borrowed(journey: Journey, company: str, name: str, **terms: Any) -> str:
    """Paid out today through the bank; the loan."""
    account = await journey.customer_account(company, name)
    pay_out = await to_be_paid(journey, company, **terms)
    await journey.pay(pay_out, account, terms["amount"])
    return await paid_out(journey, pay_out)


async def test_7_a_group_borrows_up_to_15_percent_of_the_net_assets(journey: Journey) -> None:
    """锦诚 · 30 of 200 millions: 12 and 10 are out, 8,000,000.01 for the third company is a cent too much, for a month."""
    controller = an_id_number(900)
    terms: dict[str, Any] = {"method": "EQUAL_PRINCIPAL", "lendingMode": "CREDIT"}
    names = ("锦诚实业有限公司", "锦诚商贸有限公司", "锦诚物流有限公司")
    first, second, third = [await a_company_of(journey, name, controller) for name in names]
    loan = await borrowed(journey, first, names[0], amount="12000000.00", **terms)
    await borrowed(journey, second, names[1], amount="10000000.00", periods=12, method="BULLET")
    draft = await journey.drafted(third, amount="8000000.01", **terms)
    before = await books(journey)
    assert before["1303"] == D(22000000)
    (refused,) = await journey.refused(
        "account_manager", "submitLoanApplication", "application { id }", applicationId=draft
    )
    assert (refused["code"], refused["params"]) == (
        "GROUP_LIMIT_EXCEEDED", {"after": "30000000.01", "limit": "30000000.00"},
    )  # fmt: skip
    data = await journey.by("auditor").data(
        "query($id: ID!) { node(id: $id) { ... on LoanApplication { state } } }", id=draft
    )
    assert (data["node"]["state"], await books(journey)) == ("DRAFT", before)

    paid_on = months_on(PAID_OUT, 1)
    receipt = await pays(journey, loan, D(1120000), paid_on)
    assert lines_of(receipt) == [(1, "INTEREST", D(120000)), (1, "PRINCIPAL", D(1000000))]
    made = await journey.act("account_manager", "submitLoanApplication", "application { state }", applicationId=draft)
    assert made["state"] != "DRAFT", "a million came back"
    more = await journey.drafted(second, amount="1000000.00", **terms)
    (refused,) = await journey.refused(
        "account_manager", "submitLoanApplication", "application { id }", applicationId=more
    )
    assert refused["params"]["after"] == "30000000.01", "what is in approval counts"
    await proved(journey, paid_on)
    assert (await books(journey, paid_on))["1303"] == D(21000000)
