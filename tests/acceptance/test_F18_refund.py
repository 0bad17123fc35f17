"""出纳退款 · Refund (F18): what a receipt has left goes back to who paid it; arrears elsewhere come first."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from domain.kernel.table import uuid7
from domain.workflow import definition
from tests.acceptance.journey import ERRORS, Journey, PaidLoan
from tests.support.client import statements

KEPT = "115.12"
"""9,000.00 less the installment of 8,884.88 (golden S01)."""
SHORT = {"periodUnit": "DAY", "methods": ["BULLET"], "interestBasis": "ACTUAL_360"}


async def overpaid(journey: Journey) -> tuple[PaidLoan, str]:
    """9,000.00 paid on the first installment, on its due date: the loan and the receipt."""
    loan = await journey.paid()
    await journey.close("2026-02-14")
    receipt = await journey.received(loan.id, "9000.00", "2026-02-15")
    assert receipt["unapplied"] == KEPT
    return loan, receipt["id"]


async def asked(journey: Journey, receipt: str, amount: str = KEPT, **given: Any) -> Any:
    return await journey.act(
        "cashier", "requestRefund", "refund { id number state amount customerAccount { holder } }", receiptId=receipt,
        amount=amount, **given,
    )  # fmt: skip


async def paid(journey: Journey, refund: str) -> Any:
    await journey.act(
        "cashier", "payRefund", "refund { state }", refundId=refund, companyAccountId=journey.account,
        idempotencyKey=f"refund-{next(journey.serials)}",
    )  # fmt: skip
    await journey.work()
    data = await journey.by("cashier").data(
        """query($id: ID!) { node(id: $id) { ... on Refund { state amount offsetAmount bankReference valueDate
           loan { state } receipt { unapplied refundable } workflow { state } } } }""",
        id=refund,
    )
    return data["node"]


async def refundable(journey: Journey) -> list[tuple[str, str, str]]:
    data = await journey.by("cashier").data(
        "{ refundableReceipts(first: 10) { nodes { id unapplied refundable } totalCount } }"
    )
    nodes = data["refundableReceipts"]["nodes"]
    assert data["refundableReceipts"]["totalCount"] == len(nodes)
    return [(node["id"], node["unapplied"], node["refundable"]) for node in nodes]


async def account_balance(journey: Journey) -> Decimal:
    data = await journey.by("accountant").data("{ companyAccounts(first: 1) { nodes { balance } } }")
    return Decimal(data["companyAccounts"]["nodes"][0]["balance"])


async def test_115_12_is_refundable_and_115_13_is_refused(journey: Journey) -> None:
    loan, receipt = await overpaid(journey)
    assert await refundable(journey) == [(receipt, KEPT, KEPT)]
    refused = await journey.refused(
        "cashier", "requestRefund", "refund { id }", receiptId=receipt, amount="115.13"
    )  # fmt: skip
    assert (refused[0]["code"], refused[0]["params"]) == (
        "REFUND_EXCEEDS_BALANCE", {"asked": "115.13", "balance": KEPT},
    )  # fmt: skip
    before = await account_balance(journey)
    request = await asked(journey, receipt)
    assert (request["state"], request["customerAccount"]["holder"]) == ("PENDING", "王芳")
    assert await refundable(journey) == []
    await journey.decide("business_manager", request["id"])
    assert await paid(journey, request["id"]) == {
        "state": "PAID", "amount": KEPT, "offsetAmount": "0.00", "bankReference": "SIM0000000002",
        "valueDate": "2026-02-15", "loan": {"state": "ACTIVE"}, "receipt": {"unapplied": "0.00", "refundable": "0.00"},
        "workflow": {"state": "APPROVED"},
    }  # fmt: skip
    assert (await journey.position(loan.id))["unapplied"] == "0.00"
    assert await account_balance(journey) == before - Decimal(KEPT)
    await journey.close("2026-02-15")  # proves the books


async def test_two_refunds_at_once_cannot_exceed_it(journey: Journey) -> None:
    _, receipt = await overpaid(journey)

    async def ask(person: str) -> Any:
        return await journey.by(person).data(
            f"mutation($i: RequestRefundInput!) {{ requestRefund(input: $i) {{ refund {{ state }} {ERRORS} }} }}",
            i={"receiptId": receipt, "amount": "60.00"},
        )

    answers = [answer["requestRefund"] for answer in await asyncio.gather(ask("cashier"), ask("accountant"))]
    granted = [answer for answer in answers if answer["refund"]]
    refused = [error["code"] for answer in answers for error in answer["userErrors"]]
    assert (len(granted), refused) == (1, ["REFUND_EXCEEDS_BALANCE"])
    assert await refundable(journey) == [(receipt, KEPT, "55.12")]


async def test_overdue_elsewhere_is_refused_without_offset_consent(journey: Journey) -> None:
    customer = await journey.customer("王芳")
    account = await journey.customer_account(customer, "王芳")
    loan = await _lent(journey, customer, account, amount="100000.00")
    other = await _lent(journey, customer, account, amount="1000.00", periods=10, method="BULLET", product=SHORT)
    await journey.close("2026-02-14")
    receipt = (await journey.received(loan, "9000.00", "2026-02-15"))["id"]
    owed = await journey.position(other)
    arrears = sum(Decimal(owed[name]) for name in ("principalOutstanding", "dueUnpaidInterest", "penalty", "compound"))
    refused = await journey.refused("cashier", "requestRefund", "refund { id }", receiptId=receipt, amount=KEPT)
    assert (refused[0]["code"], refused[0]["params"]) == ("ARREARS_EXIST", {"arrears": str(arrears)})
    request = await asked(journey, receipt, offsetConsent=True)
    await journey.decide("business_manager", request["id"])
    before = await account_balance(journey)
    done = await paid(journey, request["id"])
    assert (done["state"], done["offsetAmount"], done["bankReference"]) == ("PAID", KEPT, None)
    assert await account_balance(journey) == before, "nothing was paid out"
    owed = await journey.position(other)
    left = sum(Decimal(owed[name]) for name in ("principalOutstanding", "dueUnpaidInterest", "penalty", "compound"))
    assert left == arrears - Decimal(KEPT)
    await journey.close("2026-02-15")


async def _lent(journey: Journey, customer: str, account: str, **terms: Any) -> str:
    """One more loan to a customer, paid out today through the bank."""
    contract = await journey.signed(await journey.approved(customer, **terms))
    disbursement = contract["disbursements"][0]["id"]
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
    await journey.pay(disbursement, account, terms["amount"])
    await journey.work()
    data = await journey.by("cashier").data(
        "query($id: ID!) { node(id: $id) { ... on Disbursement { loan { id } } } }", id=disbursement
    )
    return str(data["node"]["loan"]["id"])


async def test_a_payment_made_twice_goes_back(journey: Journey) -> None:
    """Story 9: 5,000.00 paid by mistake a second time."""
    loan = await journey.paid()
    twice = [(await journey.received(loan.id, "5000.00", "2026-01-15"))["id"] for _ in range(2)]
    with statements() as for_two:
        await refundable(journey)
    request = await asked(journey, twice[1], "5000.00", reason="DOUBLE_PAYMENT", note="同日重复转账")
    await journey.decide("second_accountant", request["id"])
    assert (await paid(journey, request["id"]))["state"] == "PAID"
    assert (await journey.position(loan.id))["unapplied"] == "5000.00"
    with statements() as for_one:
        assert await refundable(journey) == [(twice[0], "5000.00", "5000.00")]
    assert len(for_one) == len(for_two), "no statement for each receipt"


async def test_from_the_configured_amount_on_one_approver_more(journey: Journey) -> None:
    """F48: and a flow that is changed does not touch the refunds that run."""
    loan = await journey.paid()
    receipt = (await journey.received(loan.id, "30000.00", "2026-01-15"))["id"]
    small, large = await asked(journey, receipt, "9999.99"), await asked(journey, receipt, "10000.00")
    nodes = [{"code": "BOSS", "name": "总经理", "roles": ["GENERAL_MANAGER"]}]
    await definition.publish(
        journey.lender.tenant_admin, code="REFUND", purpose="REFUND", name="总经理审批", nodes=nodes
    )  # fmt: skip
    for request in (small, large):
        await journey.decide("business_manager", request["id"])
    states = "query { refunds(first: 10) { nodes { number state } } }"
    data = await journey.by("cashier").data(states)
    assert [node["state"] for node in data["refunds"]["nodes"]] == ["PENDING", "APPROVED"]
    await journey.decide("general_manager", large["id"])
    afterwards = await asked(journey, receipt, "1.00")
    await journey.decide("general_manager", afterwards["id"])
    data = await journey.by("cashier").data(states)
    assert {node["state"] for node in data["refunds"]["nodes"]} == {"APPROVED"}


async def test_a_foreign_receipt_is_not_found(journey: Journey) -> None:
    from schema.kernel.node import global_id

    refused = await journey.refused(
        "cashier", "requestRefund", "refund { id }", receiptId=global_id("Receipt", uuid7()), amount="1.00"
    )
    assert refused[0]["code"] == "NOT_FOUND"
