"""Story 8: 国盛投资 entrusts a million to be lent to 五谷粮油: in, out, its interest shared, back, and nothing left."""

from __future__ import annotations

from decimal import Decimal as D

from tests.acceptance.entrusting import PRODUCT, Entrusting, entrusted
from tests.acceptance.journey import Journey
from tests.scenarios.storytelling import (
    PAID_OUT,
    amounts,
    books,
    cents,
    months_on,
    night_before,
    pays,
    proved,
    standing,
)

MILLION = "1000000.00"
INTEREST = cents(D(1000000) * D("0.10") / 12)
FEE = cents(INTEREST * D("0.02"))
"""手续费 · The lender's share of the interest."""


async def agreed(journey: Journey, work: Entrusting) -> None:
    """Two months at 10 %, signed, its pay-out reviewed."""
    terms = {"periods": 2, "annualRate": "0.10", "method": "INTEREST_ONLY", "entrustedContractId": work.id}
    application = await journey.approved(work.borrower, product=PRODUCT, amount=MILLION, **terms)
    contract = await journey.signed(application)
    work.disbursement = contract["disbursements"][0]["id"]
    await journey.act(
        "accountant", "reviewDisbursement", "disbursement { state }", disbursementId=work.disbursement
    )  # fmt: skip


async def one_off_fee(journey: Journey, work: Entrusting) -> None:
    """0.3 % of what was lent, paid by the entrustor to an account for fees."""
    (fee,) = await work.fees()
    assert (fee["type"], fee["amount"]) == ("ONE_OFF", "3000.00")
    await journey.act(
        "cashier", "settleEntrustedFee", "fee { state }", feeId=fee["id"], way="TRANSFER", bankReference="FEE",
        companyAccountId=await journey.company_account("0.00", ("FEES",)), idempotencyKey="fee",
    )  # fmt: skip
    await journey.act("accountant", "confirmEntrustedFee", "fee { state }", feeId=fee["id"])


async def test_8_a_million_in_out_and_back(journey: Journey) -> None:
    assert (D("8333.33"), D("166.67"), D("8166.66")) == (INTEREST, FEE, INTEREST - FEE)
    work = await entrusted(journey)
    await agreed(journey, work)
    lenders_own = await journey.company_account("5000000.00", ("ENTRUSTED",))
    payment = await work.payment(MILLION)
    (refused,) = await journey.refused(
        "cashier", "payDisbursement", "disbursement { id }", **payment | {"companyAccountId": lenders_own}
    )
    assert (refused["code"], refused["params"]) == (
        "ENTRUSTED_FUND_INSUFFICIENT", {"available": "0.00", "amount": MILLION},
    )  # fmt: skip
    assert (await work.movements(), await books(journey)) == ([], {"1002": D(5000000), "4001": D(-5000000)})
    await work.came_in(MILLION)
    await journey.act("cashier", "payDisbursement", "disbursement { state }", **payment)
    await journey.work()
    data = await journey.by("cashier").data(
        "query($id: ID!) { node(id: $id) { ... on Disbursement { state loan { id } } } }", id=work.disbursement
    )
    loan = data["node"]["loan"]["id"]
    assert (data["node"]["state"], (await work.statement())["closing"]) == ("PAID", "0.00")
    await one_off_fee(journey, work)
    found = await books(journey)
    assert (found["1321"], found["2314"], "1303" in found) == (D(1000000), D(-1000000), False)

    await pays(journey, loan, INTEREST, months_on(PAID_OUT, 1))
    assert (await work.statement())["closing"] == str(INTEREST - FEE)
    await work.passed_on(str(INTEREST - FEE))
    assert (await work.statement())["closing"] == "0.00"
    await night_before(journey, months_on(PAID_OUT, 2))
    position = await journey.position(loan)
    assert amounts(position, "principalOutstanding", "dueUnpaidInterest", "provision") == (D(1000000), INTEREST, D(0))
    await journey.received(loan, f"{1000000 + INTEREST}", months_on(PAID_OUT, 2))
    assert await standing(journey, loan) == ("SETTLED", str(months_on(PAID_OUT, 2)))
    await work.passed_on(f"{1000000 + INTEREST - FEE}")
    statement = await work.statement()
    assert (statement["opening"], statement["closing"]) == ("0.00", "0.00")
    assert [(line["movement"], D(line["amount"])) for line in statement["lines"]] == [
        ("RECEIVED", D(1000000)), ("LENT", D(-1000000)),
        ("INTEREST", INTEREST), ("FEE", -FEE), ("RETURNED", FEE - INTEREST),
        ("REPAID_PRINCIPAL", D(1000000)), ("INTEREST", INTEREST), ("FEE", -FEE), ("RETURNED", FEE - INTEREST - 1000000),
    ]  # fmt: skip
    shares = [(split["interest"], split["handlingFee"], split["toEntrustor"]) for split in await work.splits()]
    assert shares == [("8333.33", "166.67", "8166.66"), ("8333.33", "166.67", "1008166.66")]
    await proved(journey, months_on(PAID_OUT, 2))
    assert await books(journey) == {"1002": 5000000 + 3000 + 2 * FEE, "4001": D(-5000000), "6021": -(3000 + 2 * FEE)}
