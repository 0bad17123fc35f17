"""公司银行卡配置 · Company accounts (F39): uses and balance hold at pay-out; the balance is the ledger's every day."""

from __future__ import annotations

import pytest

from tests.acceptance.journey import Journey


@pytest.mark.parametrize(
    ("opening", "uses", "code"),
    [("1000000.00", ("COLLECT",), None), ("99999.99", ("DISBURSE",), "INSUFFICIENT_ACCOUNT_BALANCE")],
)
async def test_paying_from_the_wrong_account_is_refused(
    journey: Journey, opening: str, uses: tuple[str, ...], code: str | None
) -> None:
    customer = await journey.customer()
    account = await journey.customer_account(customer)
    contract = await journey.signed(await journey.approved(customer))
    disbursement = contract["disbursements"][0]["id"]
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
    source = await journey.company_account(opening, uses)
    refused = await journey.refused(
        "cashier", "payDisbursement", "disbursement { id }", disbursementId=disbursement, companyAccountId=source,
        customerAccountId=account, amount="100000.00", valueDate="2026-01-15", idempotencyKey="pay",
    )  # fmt: skip
    assert refused[0]["field"] == ["input", "companyAccountId"]
    assert code is None or refused[0]["code"] == code


async def test_the_balance_is_the_ledgers_every_day(journey: Journey) -> None:
    loan = await journey.paid()
    for day, amount in (("2026-02-15", "8884.88"), ("2026-03-15", "5000.00")):
        before = str(int(day[-2:]) - 1).zfill(2)
        await journey.close(day[:-2] + before)
        await journey.received(loan.id, amount, day)
        data = await journey.by("accountant").data(
            """query($id: ID!, $on: Date) { node(id: $id) { ... on CompanyAccount { balance } }
                 trialBalance(on: $on) { account debit credit } }""",
            id=journey.account,
            on=day,
        )
        (bank,) = [line for line in data["trialBalance"] if line["account"] == "1002"]
        assert int(data["node"]["balance"].replace(".", "")) == int(bank["debit"].replace(".", "")) - int(
            bank["credit"].replace(".", "")
        )
