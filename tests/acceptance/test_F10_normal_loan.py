"""普通贷款业务 · Normal loans (F10): S01 goes from draft to approved through different persons and shows its schedule."""

from __future__ import annotations

from tests.acceptance.journey import Journey


async def test_s01_goes_from_draft_to_approved_through_different_persons(journey: Journey) -> None:
    customer = await journey.customer()
    application = await journey.approved(customer)
    data = await journey.by("general_manager").data(
        """query($id: ID!) { node(id: $id) { ... on LoanApplication {
             state approvedTerms { amount periods annualRate method }
             workflow { state log { decision actor { id } } } } } }""",
        id=application,
    )
    found = data["node"]
    assert found["state"] == "APPROVED"
    assert found["approvedTerms"] == {
        "amount": "100000.00", "periods": 12, "annualRate": "0.12", "method": "EQUAL_INSTALLMENT",
    }  # fmt: skip
    deciders = [step["actor"]["id"] for step in found["workflow"]["log"]]
    assert found["workflow"]["state"] == "APPROVED"
    assert len(deciders) == len(set(deciders)) == 2


async def test_a_second_node_for_the_same_person_is_refused(journey: Journey) -> None:
    """Four eyes is by person: whoever decided one node of an instance may not decide another."""
    customer = await journey.customer()
    application = await journey.reviewing(customer)
    await journey.decide("risk_officer", application)
    task = await journey.task_on("business_manager", application)
    answer = await journey.by("risk_officer").ask(
        "mutation($i: DecideTaskInput!) { decideTask(input: $i) { task { id } userErrors { code } } }",
        i={"taskId": task, "decision": "APPROVE", "opinion": "再次同意"},
    )
    codes = answer.codes or [error["code"] for error in answer.data["decideTask"]["userErrors"]]
    assert codes[0] in ("SAME_PERSON", "NOT_FOUND", "FORBIDDEN")
    state = await journey.by("general_manager").data(
        "query($id: ID!) { node(id: $id) { ... on LoanApplication { state } } }", id=application
    )
    assert state["node"]["state"] == "APPROVING"


async def test_an_unsigned_contract_blocks_the_pay_out(journey: Journey) -> None:
    application = await journey.approved(await journey.customer())
    contract = await journey.prepared(application)
    assert contract["amountInWords"] == "壹拾万元整"
    assert {document["contentType"] for document in contract["documents"]} == {"application/pdf"}
    refused = await journey.refused(
        "accountant", "reviewDisbursement", "disbursement { id }", disbursementId=contract["disbursements"][0]["id"]
    )
    assert refused[0]["code"] == "CONTRACT_NOT_SIGNED"


async def test_signing_before_the_cost_sheet_is_refused(journey: Journey) -> None:
    contract = await journey.prepared(await journey.approved(await journey.customer()))
    refused = await journey.refused(
        "account_manager",
        "signContract",
        "contract { id }",
        contractId=contract["id"],
        signedOn="2026-01-15",
        way="PAPER",
    )
    assert refused[0]["code"] == "COST_SHEET_NOT_ACKNOWLEDGED"


async def test_the_schedule_shows_the_figures_of_s01(journey: Journey) -> None:
    loan = await journey.paid()
    rows = await journey.installments(loan.id)
    assert {f"{float(r['principal']) + float(r['interest']):.2f}" for r in rows[:-1]} == {"8884.88"}
    assert sum(int(r["interest"].replace(".", "")) for r in rows) == 661853
    assert (rows[0]["startDate"], rows[0]["dueDate"], rows[-1]["dueDate"]) == ("2026-01-15", "2026-02-15", "2027-01-15")
