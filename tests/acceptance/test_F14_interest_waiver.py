"""利息减免 · Interest waiver (F14): given up after a second person's approval; a missed condition brings it back."""

from __future__ import annotations

from typing import Any

from tests.acceptance.journey import Journey

S40 = {"amount": "100000.00"}


async def test_half_of_the_interest_of_installment_3_is_given_up_after_approval(journey: Journey) -> None:
    """S40: 50 % of installment 3's interest of 841.51 is 420.76."""
    loan = await journey.paid()
    asked = await journey.act(
        "account_manager", "requestInterestWaiver", "waiver { id state amount }",
        loanId=loan.id, component="INTEREST", installmentSeq=3, ratio="0.5", reason="住院",
    )  # fmt: skip
    assert (asked["state"], asked["amount"]) == ("IN_REVIEW", "420.76")
    assert (await journey.installments(loan.id))[2]["unpaidInterest"] == "841.51"
    await journey.decide("business_manager", asked["id"])
    third = (await journey.installments(loan.id))[2]
    assert (third["interest"], third["unpaidInterest"]) == ("841.51", "420.75")


async def test_more_than_is_due_is_refused(journey: Journey) -> None:
    loan = await journey.paid()
    refused = await journey.refused(
        "account_manager", "requestInterestWaiver", "waiver { id }",
        loanId=loan.id, component="INTEREST", installmentSeq=3, amount="841.52", reason="困难",
    )  # fmt: skip
    assert (refused[0]["code"], refused[0]["params"]) == ("AMOUNT_EXCEEDS_DUE", {"asked": "841.52", "due": "841.51"})


async def test_principal_is_refused(journey: Journey) -> None:
    loan = await journey.paid()
    answer = await journey.by("account_manager").ask(
        "mutation($i: RequestInterestWaiverInput!) { requestInterestWaiver(input: $i) { waiver { id } userErrors { code } } }",
        i={"loanId": loan.id, "component": "PRINCIPAL", "amount": "1.00", "reason": "困难"},
    )
    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_missed_condition_restores_the_interest(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-02-19")
    asked = await journey.act(
        "account_manager", "requestInterestWaiver", "waiver { id }",
        loanId=loan.id, component="INTEREST", amount="1000.00", reason="住院", voidUnlessPaidBy="2026-02-25",
    )  # fmt: skip
    await journey.decide("business_manager", asked["id"])
    assert (await journey.position(loan.id))["dueUnpaidInterest"] == "0.00"
    assert await lapses(journey, loan.id) == {"PAYOUT": None, "WAIVER": None}
    await journey.close("2026-02-26")
    assert (await journey.position(loan.id))["dueUnpaidInterest"] == "1000.00"
    data = await journey.by("account_manager").data(
        "query($id: ID!) { node(id: $id) { ... on InterestWaiver { state } } }", id=asked["id"]
    )
    assert data["node"]["state"] == "LAPSED"
    lapsed = {"on": "2026-02-26", "amount": "1000.00"}
    assert await lapses(journey, loan.id) == {"PAYOUT": None, "WAIVER": lapsed}, "the loan's history says so"


async def lapses(journey: Journey, loan: str) -> dict[str, Any]:
    data = await journey.by("account_manager").data(
        "query($id: ID!) { loan(id: $id) { history { nodes { type lapse { on amount } } } } }", id=loan
    )
    return {one["type"]: one["lapse"] for one in data["loan"]["history"]["nodes"]}
