"""Stories 2, 10 and 12: what was agreed changes. The months before keep their price, the months after have the new one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

from tests.acceptance.journey import Journey
from tests.scenarios.storytelling import (
    NOTHING,
    PAID_OUT,
    amounts,
    books,
    cents,
    explained,
    level_payment,
    level_rows,
    lines_of,
    months_on,
    night_before,
    overdue_on,
    pays,
    proved,
    quoted,
    standing,
    total,
)

AMENDMENT = "amendment { id before { totalInterest maturityDate } after { totalInterest maturityDate } }"


def due(number: int) -> date:
    return months_on(PAID_OUT, number)


async def amended(journey: Journey, loan: str, **change: Any) -> Any:
    """合同变更 · Asked for by the account manager, agreed by risk officer and business manager."""
    amendment = await journey.act("account_manager", "requestAmendment", AMENDMENT, loanId=loan, **change)
    await journey.decide("risk_officer", amendment["id"])
    await journey.decide("business_manager", amendment["id"])
    return amendment


async def plans(journey: Journey, loan: str) -> list[tuple[str, D, str]]:
    """Why each plan was made, its interest, and where it ends."""
    data = await journey.by("auditor").data(
        "query($id: ID!) { loan(id: $id) { plans { event { type } totalInterest installments { dueDate } } } }", id=loan
    )
    return [
        (plan["event"]["type"], D(plan["totalInterest"]), plan["installments"][-1]["dueDate"])
        for plan in data["loan"]["plans"]
    ]


async def test_2_three_months_more_with_the_guarantors_consent(journey: Journey) -> None:
    """蜀味食品 owes 2,000,000.00 in April; the guarantor signs again, and it pays 13.2 % instead of 12 %, and all in May."""
    product = {"lendingModes": ["GUARANTEE"], "methods": ["INTEREST_ONLY"]}
    terms = {"periods": 3, "method": "INTEREST_ONLY", "lendingMode": "GUARANTEE"}
    loan = (await journey.paid("蜀味食品", product=product, amount="2000000.00", **terms)).id
    for number in (1, 2):
        receipt = await pays(journey, loan, D(20000), due(number))
        assert lines_of(receipt) == [(number, "INTEREST", D(20000))]
    await night_before(journey, due(3) - timedelta(days=14))
    change: dict[str, Any] = {
        "type": "EXTENSION",
        "extensionPeriods": 3,
        "annualRate": "0.132",
        "reason": "货款回笼推迟",
    }
    rows, before = await journey.installments(loan), await books(journey)
    (refused,) = await journey.refused("account_manager", "requestAmendment", AMENDMENT, loanId=loan, **change)
    assert refused["code"] == "GUARANTOR_CONSENT_MISSING"
    assert (await journey.installments(loan), await books(journey)) == (rows, before)
    assert await plans(journey, loan) == [("PAYOUT", D(60000), str(due(3)))]

    consent = [{"name": "蜀川供应链有限公司", "documentNumber": "BZ-2026-0002"}]
    made = await amended(journey, loan, **change, guarantorConsents=consent)
    assert (made["before"]["totalInterest"], made["after"]["totalInterest"]) == ("60000.00", "126000.00")
    assert made["after"]["maturityDate"] == str(due(6))
    assert await plans(journey, loan) == [("PAYOUT", D(60000), str(due(3))), ("EXTENSION", D(126000), str(due(6)))]
    await pays(journey, loan, D(20000), due(3))
    assert (await journey.position(loan))["principalOutstanding"] == "2000000.00", "not due any more"
    earlier = due(3) + timedelta(days=17)
    await night_before(journey, earlier)
    position = await journey.position(loan)
    running = cents(D(22000) * 17 / 30)
    assert amounts(position, "accruedInterest", "onBalanceInterest", "penalty") == (running, running, NOTHING)
    assert (position["daysPastDue"], position["fiveClass"]) == (0, "NORMAL")
    assert (await books(journey))["1132"] == running
    quote = await quoted(journey, loan, earlier)
    assert quote["toPay"] == 2000000 + cents(D(2000000) * D("0.132") * 17 / 360), "the goods were paid for at last"
    await journey.received(loan, str(quote["toPay"]), earlier, prepayment={"mode": "SETTLE"})
    assert await standing(journey, loan) == ("SETTLED", str(earlier))
    await proved(journey, earlier)
    found = await books(journey)
    assert (found["6011"], "1303" in found, "1132" in found) == (D(-60000) - quote["interest"], False, False)


async def waived(journey: Journey, loan: str, **given: Any) -> Any:
    """All of the penalty given up: asked for by the account manager, agreed by the business manager."""
    waiver = await journey.act(
        "account_manager", "requestInterestWaiver", "waiver { id amount }", loanId=loan, component="PENALTY", ratio="1",
        reason="借款人住院", **given,
    )  # fmt: skip
    await journey.decide("business_manager", waiver["id"])
    return waiver


async def test_10_a_waiver_lapses_and_is_granted_again(journey: Journey) -> None:
    """郑晚舟 is in hospital: the penalty is given up if he pays in a week; he cannot, and it is due again until he is back."""
    rate = "0.168"
    loan = (await journey.paid("郑晚舟", amount="120000.00", annualRate=rate, method="EQUAL_PRINCIPAL")).id
    interest = [cents(D(120000 - 10000 * paid) * D("0.014")) for paid in range(2)]
    asked_on, until = due(2) + timedelta(days=3), due(2) + timedelta(days=10)

    def penalty(on: date) -> D:
        return total(overdue_on(D(10000), rate, (on - due(number)).days) for number in (1, 2))

    def compound(on: date) -> D:
        return total(overdue_on(interest[number - 1], rate, (on - due(number)).days) for number in (1, 2))

    await night_before(journey, asked_on)
    assert amounts(await journey.position(loan), "penalty", "compound") == (penalty(asked_on), compound(asked_on))
    waiver = await waived(journey, loan, voidUnlessPaidBy=str(until))
    assert D(waiver["amount"]) == penalty(asked_on)
    assert amounts(await journey.position(loan), "penalty", "compound") == (NOTHING, compound(asked_on))
    await night_before(journey, until)
    since = penalty(until) - penalty(asked_on)
    assert amounts(await journey.position(loan), "penalty") == (since,), "only what was added since"
    lapsed_on = until + timedelta(days=1)
    await night_before(journey, lapsed_on + timedelta(days=1))
    data = await journey.by("auditor").data(
        "query($id: ID!) { node(id: $id) { ... on InterestWaiver { state } } }", id=waiver["id"]
    )
    assert data["node"]["state"] == "LAPSED"
    position = await journey.position(loan, lapsed_on)
    assert amounts(position, "penalty", "compound") == (penalty(lapsed_on), compound(lapsed_on))
    parts = await explained(journey, loan, "PENALTY", lapsed_on)
    assert total(D(part["amount"]) for part in parts) == penalty(lapsed_on)

    back = until + timedelta(days=8)
    await night_before(journey, back)
    again = await waived(journey, loan)
    assert D(again["amount"]) == penalty(back)
    arrears = 20000 + total(interest) + compound(back)
    quote = await quoted(journey, loan, back)
    assert (quote["penalty"], quote["compound"]) == (NOTHING, compound(back))
    receipt = await journey.received(loan, str(arrears), back)
    assert [line for line in lines_of(receipt) if line[1] == "PENALTY"] == []
    assert (receipt["unapplied"], total(amount for _, _, amount in lines_of(receipt))) == ("0.00", arrears)
    position = await journey.position(loan)
    assert (position["daysPastDue"], position["fiveClass"], position["principalOutstanding"]) == (
        0,
        "NORMAL",
        "100000.00",
    )
    await proved(journey, back)
    found = await books(journey, back)
    running = D(position["accruedInterest"])
    assert running == cents(D(100000) * D("0.014") * (back - due(2)).days / 31)
    assert (found["1132"], found["6011"]) == (running, -(total(interest) + compound(back) + running))


async def test_12_a_customer_of_grade_a_pays_less(journey: Journey) -> None:
    """西岭茶业 pays one month at 12 %, then eleven at 10.8 %; the plan of the old rate stays readable."""
    loan = (await journey.paid("西岭茶业", amount="600000.00")).id
    old = level_rows(D(600000), D("0.01"), 12)
    await pays(journey, loan, total(old[0]), due(1))
    left = 600000 - old[0][0]
    new = level_rows(left, D("0.009"), 11)
    made = await amended(journey, loan, type="RATE", annualRate="0.108", reason="客户等级 A 级优惠")
    dear = total(interest for _, interest in old)
    cheap = total(interest for _, interest in [*old[:1], *new])
    assert (made["before"]["totalInterest"], made["after"]["totalInterest"]) == (str(dear), str(cheap))
    assert level_payment(left, D("0.009"), 11) < total(old[1])
    shown = await journey.installments(loan)
    assert [amounts(row, "principal", "interest") for row in shown] == [*old[:1], *new]
    from_now_on = total(interest for _, interest in new)
    assert await plans(journey, loan) == [("PAYOUT", dear, str(due(12))), ("AMENDMENT", from_now_on, str(due(12)))]
    await night_before(journey, due(1) + timedelta(days=10))
    assert amounts(await journey.position(loan), "accruedInterest") == (cents(left * D("0.009") * 10 / 28),)
    receipt = await pays(journey, loan, total(new[0]), due(2))
    assert lines_of(receipt) == [(2, "INTEREST", new[0][1]), (2, "PRINCIPAL", new[0][0])]
    asked_on = due(2) + timedelta(days=5)
    quote = await quoted(journey, loan, asked_on)
    assert quote["interest"] == cents((left - new[0][0]) * D("0.108") * 5 / 360)
    await proved(journey, due(2))
    found = await books(journey, due(2))
    assert (found["1303"], found["6011"]) == (left - new[0][0], -total(row[1] for row in [*old[:1], new[0]]))
