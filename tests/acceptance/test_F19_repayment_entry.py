"""还款录入 · Repayment entry (F19): what the cashier keys changes nothing yet and shows its proposed split."""

from __future__ import annotations

from tests.acceptance.journey import Journey
from tests.acceptance.test_F20_repayment_registration import trial


async def test_an_entered_receipt_changes_no_balance_journal_or_dpd_and_shows_its_split(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-03-06")
    position, books = await journey.position(loan.id), await trial(journey)
    receipt = await journey.entered(loan.id, "8884.88", "2026-03-07")
    assert receipt["state"] == "ENTERED"
    assert {line["component"]: line["amount"] for line in receipt["allocation"]} == {
        "PENALTY": "78.85", "COMPOUND": "10.00", "INTEREST": "1000.00", "PRINCIPAL": "7796.03",
    }  # fmt: skip
    assert await journey.position(loan.id) == position
    assert await trial(journey) == books


async def test_too_much_money_is_kept(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-02-14")
    receipt = await journey.received(loan.id, "9000.00", "2026-02-15")
    assert receipt["unapplied"] == "115.12"
    assert (await journey.position(loan.id))["unapplied"] == "115.12"


async def test_the_same_key_answers_the_first_receipt_and_another_input_is_refused(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-02-14")
    given = {
        "loanId": loan.id, "amount": "100.00", "valueDate": "2026-02-15", "companyAccountId": journey.account,
        "payerName": "王芳", "bankReference": "B-1", "idempotencyKey": "one",
    }  # fmt: skip
    first = await journey.act("cashier", "enterReceipt", "receipt { id number }", **given)
    assert await journey.act("cashier", "enterReceipt", "receipt { id number }", **given) == first
    refused = await journey.refused("cashier", "enterReceipt", "receipt { id }", **{**given, "amount": "100.01"})
    assert refused[0]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_day_that_has_not_come_is_refused(journey: Journey) -> None:
    loan = await journey.paid()
    refused = await journey.refused(
        "cashier", "enterReceipt", "receipt { id }", loanId=loan.id, amount="100.00", valueDate="2026-01-16",
        companyAccountId=journey.account, payerName="王芳", bankReference="B-1", idempotencyKey="one",
    )  # fmt: skip
    assert refused[0]["field"] == ["input", "valueDate"]
