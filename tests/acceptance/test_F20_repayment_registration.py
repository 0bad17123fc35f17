"""还款登记 · Repayment registration (F20): the checker posts what the maker keyed, and a reversal restores everything."""

from __future__ import annotations

from tests.acceptance.journey import Journey

S01_PAYMENT = "8884.88"
COMPONENTS = "allocation { installmentSeq component amount }"


async def trial(journey: Journey) -> dict[str, tuple[str, str]]:
    data = await journey.by("accountant").data("{ trialBalance { account debit credit } }")
    return {line["account"]: (line["debit"], line["credit"]) for line in data["trialBalance"]}


async def test_paid_20_days_late_splits_to_the_cent(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-03-06")
    receipt = await journey.received(loan.id, S01_PAYMENT, "2026-03-07")
    assert {line["component"]: line["amount"] for line in receipt["allocation"]} == {
        "PENALTY": "78.85", "COMPOUND": "10.00", "INTEREST": "1000.00", "PRINCIPAL": "7796.03",
    }  # fmt: skip
    left = (await journey.installments(loan.id))[0]
    assert left["unpaidPrincipal"] == "88.85"


async def test_the_enterer_cannot_register(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-02-14")
    receipt = await journey.entered(loan.id, S01_PAYMENT, "2026-02-15")
    before = await journey.position(loan.id)
    answer = await journey.by("cashier").ask(
        "mutation($i: ReceiptActionInput!) { registerReceipt(input: $i) { receipt { id } userErrors { code } } }",
        i={"receiptId": receipt["id"]},
    )
    assert answer.codes == ["FORBIDDEN"] or answer.data["registerReceipt"]["userErrors"][0]["code"] == "SAME_PERSON"
    assert await journey.position(loan.id) == before


async def test_a_reversal_restores_all_amounts_and_keeps_both_entries(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-03-06")
    before, books = await journey.position(loan.id), await trial(journey)
    receipt = await journey.received(loan.id, S01_PAYMENT, "2026-03-07")
    await journey.act(
        "accountant", "requestReceiptReversal", "receipt { state }", receiptId=receipt["id"], comment="记错户"
    )
    assert (await journey.position(loan.id)) != before
    await journey.decide("general_manager", receipt["id"])
    assert await journey.position(loan.id) == before
    data = await journey.by("accountant").data(
        """query($id: ID!, $loan: ID!) { node(id: $id) { ... on Receipt { state } }
             loan(id: $loan) { history(first: 50) { nodes { type entries { voucher account debit credit } } } } }""",
        id=receipt["id"],
        loan=loan.id,
    )
    assert data["node"]["state"] == "REVERSED"
    entries = [entry for event in data["loan"]["history"]["nodes"][1:] for entry in event["entries"]]
    assert len({entry["voucher"] for entry in entries}) == 2
    cents = {account: (int(d.replace(".", "")), int(c.replace(".", ""))) for account, (d, c) in books.items()}
    after = {a: (int(d.replace(".", "")), int(c.replace(".", ""))) for a, (d, c) in (await trial(journey)).items()}
    assert {a: d - c for a, (d, c) in after.items()} == {a: d - c for a, (d, c) in cents.items()}


async def test_a_receipt_is_registered_once(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-02-14")
    receipt = await journey.received(loan.id, S01_PAYMENT, "2026-02-15")
    refused = await journey.refused("second_accountant", "registerReceipt", "receipt { id }", receiptId=receipt["id"])
    assert refused[0]["code"] == "INVALID_STATE"
    assert (await journey.position(loan.id))["principalOutstanding"] == "92115.12"


async def test_a_pay_off_quote_settles_the_loan(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-01-24")
    quote = await journey.by("accountant").data(
        'query($id: ID!) { loan(id: $id) { payoffQuote(on: "2026-01-25") { principal interest total toPay } } }',
        id=loan.id,
    )
    figures = quote["loan"]["payoffQuote"]
    assert figures == {"principal": "100000.00", "interest": "333.33", "total": "100333.33", "toPay": "100333.33"}
    await journey.received(loan.id, figures["toPay"], "2026-01-25", prepayment={"mode": "SETTLE"})
    data = await journey.by("accountant").data("query($id: ID!) { loan(id: $id) { state } }", id=loan.id)
    assert data["loan"]["state"] == "SETTLED"
    position = await journey.position(loan.id)
    assert {
        position[name] for name in ("principalOutstanding", "accruedInterest", "onBalanceInterest", "unapplied")
    } == {"0.00"}
