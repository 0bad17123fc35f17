"""出纳放款 · Disbursement (F15): the full amount, to the borrower, once, by two persons; the value date is the paid date."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.journey import Journey


@pytest.fixture
async def reviewed(journey: Journey) -> tuple[str, str]:
    """A disbursement of 100,000.00 that the accountant has reviewed, and the borrower's account."""
    customer = await journey.customer()
    account = await journey.customer_account(customer)
    contract = await journey.signed(await journey.approved(customer))
    disbursement = contract["disbursements"][0]["id"]
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
    journey.account = await journey.company_account()
    return disbursement, account


def payment(journey: Journey, disbursement: str, account: str, **changes: Any) -> dict[str, Any]:
    return {
        "disbursementId": disbursement, "companyAccountId": journey.account, "customerAccountId": account,
        "amount": "100000.00", "valueDate": "2026-01-15", "idempotencyKey": "pay",
    } | changes  # fmt: skip


async def state(journey: Journey, disbursement: str) -> Any:
    data = await journey.by("cashier").data(
        "query($id: ID!) { node(id: $id) { ... on Disbursement { state valueDate loan { valueDate principal } } } }",
        id=disbursement,
    )
    return data["node"]


async def test_paying_90_of_100_thousand_is_refused(journey: Journey, reviewed: tuple[str, str]) -> None:
    refused = await journey.refused(
        "cashier", "payDisbursement", "disbursement { id }", **payment(journey, *reviewed, amount="90000.00")
    )
    assert refused[0]["code"] == "UPFRONT_DEDUCTION"
    assert refused[0]["params"]["amount"] == "100000.00"
    assert (await state(journey, reviewed[0]))["state"] == "REVIEWED"


async def test_another_payee_is_refused(journey: Journey, reviewed: tuple[str, str]) -> None:
    other = await journey.customer("李强")
    account = await journey.customer_account(other, "李强")
    refused = await journey.refused(
        "cashier", "payDisbursement", "disbursement { id }", **payment(journey, reviewed[0], account)
    )
    assert refused[0]["code"] == "PAYEE_NOT_BORROWER"


async def test_the_same_key_pays_once(journey: Journey, reviewed: tuple[str, str]) -> None:
    given = payment(journey, *reviewed)
    first = await journey.act("cashier", "payDisbursement", "disbursement { id }", **given)
    assert await journey.act("cashier", "payDisbursement", "disbursement { id }", **given) == first
    await journey.work()
    books = await journey.by("accountant").data("{ trialBalance { account debit credit } }")
    principal = [line for line in books["trialBalance"] if line["account"].startswith("1303")]
    assert [line["debit"] for line in principal] == ["100000.00"]
    refused = await journey.refused(
        "cashier", "payDisbursement", "disbursement { id }", **{**given, "idempotencyKey": "another"}
    )
    assert refused[0]["code"] == "INVALID_STATE"


async def test_the_cashier_cannot_review(journey: Journey) -> None:
    contract = await journey.signed(await journey.approved(await journey.customer()))
    answer = await journey.by("cashier").ask(
        "mutation($i: DisbursementActionInput!) { reviewDisbursement(input: $i) { disbursement { id } userErrors { code } } }",
        i={"disbursementId": contract["disbursements"][0]["id"]},
    )
    assert answer.codes == ["FORBIDDEN"]
    assert (await state(journey, contract["disbursements"][0]["id"]))["state"] == "PENDING"


async def test_the_value_date_is_the_paid_date(journey: Journey, reviewed: tuple[str, str]) -> None:
    await journey.act("cashier", "payDisbursement", "disbursement { id }", **payment(journey, *reviewed))
    await journey.work()
    assert await state(journey, reviewed[0]) == {
        "state": "PAID", "valueDate": "2026-01-15", "loan": {"valueDate": "2026-01-15", "principal": "100000.00"},
    }  # fmt: skip


async def test_what_the_bank_confirms_is_the_cashiers_act(journey: Journey) -> None:
    loan = await journey.paid()
    cashier = (await journey.by("cashier").data("{ viewer { employee { id } } }"))["viewer"]["employee"]["id"]
    data = await journey.by("accountant").data(
        "query($id: ID!) { loan(id: $id) { history(first: 1) { nodes { actor { id } entries { account debit credit } } } } }",
        id=loan.id,
    )
    (event,) = data["loan"]["history"]["nodes"]
    assert event["actor"]["id"] == cashier
    assert sorted((e["account"][:4], e["debit"], e["credit"]) for e in event["entries"]) == [
        ("1002", "0.00", "100000.00"),
        ("1303", "100000.00", "0.00"),
    ]


async def test_a_failed_payment_comes_back_and_can_be_paid_anew(journey: Journey) -> None:
    customer = await journey.customer()
    account = await journey.customer_account(customer)
    contract = await journey.signed(await journey.approved(customer, amount="100000.13"))
    disbursement = contract["disbursements"][0]["id"]
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
    await journey.pay(disbursement, account, "100000.13")
    await journey.work()
    assert (await state(journey, disbursement))["state"] == "PENDING"
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
    await journey.pay(disbursement, account, "100000.13")
    await journey.work()
    assert (await state(journey, disbursement))["state"] == "PENDING"
    books = await journey.by("accountant").data("{ trialBalance { account debit credit } }")
    assert [line for line in books["trialBalance"] if line["account"].startswith("1303")] == []


APPLICATION = """query($id: ID!) { node(id: $id) { ... on LoanApplication { state contract { number state } } } }"""
CONTRACT = "query($id: ID!) { node(id: $id) { ... on LoanContract { state } } }"


async def terminated(journey: Journey, customer: str, **terms: Any) -> str:
    """An approved application whose signed contract was terminated, because its pay-out was cancelled."""
    application = await journey.approved(customer, **terms)
    contract = await journey.signed(application)
    await journey.act(
        "accountant", "cancelDisbursement", "disbursement { state }", disbursementId=contract["disbursements"][0]["id"]
    )
    ended = await journey.by("accountant").data(CONTRACT, id=contract["id"])
    assert ended["node"] == {"state": "TERMINATED"}
    return application


async def test_a_terminated_contract_makes_room_for_another(journey: Journey) -> None:
    application = await terminated(journey, await journey.customer())
    now = await journey.by("account_manager").data(APPLICATION, id=application)
    assert now["node"] == {"state": "APPROVED", "contract": None}
    again = await journey.prepared(application)
    assert (again["number"], again["state"]) == ("JK-2026-0002", "SIGNING")
    now = await journey.by("account_manager").data(APPLICATION, id=application)
    assert now["node"]["contract"] == {"number": "JK-2026-0002", "state": "SIGNING"}
    refused = await journey.refused("account_manager", "prepareContract", "contract { id }", applicationId=application)
    assert refused[0]["code"] == "INVALID_STATE", "one living contract at a time"


async def test_a_terminated_contract_is_no_exposure_of_the_borrower(journey: Journey) -> None:
    """A tenth of net assets is 20,000,000.00; the approval counts until it is withdrawn, the contract does not."""
    customer = await journey.customer()
    application = await terminated(journey, customer, amount="12000000.00")
    second = await journey.drafted(customer, amount="12000000.00")
    answer = "application { state }"
    (over,) = await journey.refused("account_manager", "submitLoanApplication", answer, applicationId=second)
    assert (over["code"], over["params"]["after"]) == ("SINGLE_BORROWER_LIMIT_EXCEEDED", "24000000.00")
    taken_back = await journey.act("account_manager", "withdrawLoanApplication", answer, applicationId=application)
    assert taken_back == {"state": "WITHDRAWN"}
    assert await journey.act("account_manager", "submitLoanApplication", answer, applicationId=second) == {
        "state": "SUBMITTED"
    }


async def test_an_approval_whose_contract_was_terminated_ends_on_its_last_day(journey: Journey) -> None:
    application = await terminated(journey, await journey.customer())
    await journey.close("2026-04-15")  # 90 days
    now = await journey.by("account_manager").data(APPLICATION, id=application)
    assert now["node"] == {"state": "EXPIRED", "contract": None}
