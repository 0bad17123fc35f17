"""委托录入手续费 · S39 and A22 to the cent: 3,000.00 once, 166.67 of each 8,333.33, income of the lender's (F17)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.entrusting import Entrusting, entrusted, ledger
from tests.acceptance.journey import Journey
from tests.support.actors import LenderAtWork, a_lender
from tests.support.books import differences, set_parameter
from tests.support.lenders import Platform

GOLDEN = Path(__file__).parents[1] / "golden"
S39 = next(case for case in json.loads((GOLDEN / "schedules.json").read_text("utf-8"))["cases"] if case["id"] == "S39")
OPENED = date.fromisoformat(S39["input"]["value_date"])
FEE = "fee { id state settledOn }"


@pytest.fixture
async def lender(place: Platform, ports: Any, blueprint: Any, bank: Any) -> LenderAtWork:
    """A lender opened on the day on which the golden loan begins."""
    from dataclasses import replace

    return await a_lender(place, replace(ports, bank=bank), blueprint, open_on=OPENED)


async def golden(journey: Journey) -> tuple[Entrusting, str]:
    given = S39["input"]["entrusted"]
    work = await entrusted(journey, oneOffFeeRate=given["one_off_fee_rate"], interestFeeRate=given["interest_fee_rate"])
    await work.came_in(given["fund_received"])
    return work, await work.lent(S39["input"]["principal"])


def expected(row: dict[str, Any]) -> dict[str, str]:
    return {
        "valueDate": row["due_date"], "interest": row["interest"], "handlingFee": row["handling_fee"],
        "toEntrustor": row["to_entrustor"],
    }  # fmt: skip


async def shares(work: Entrusting) -> list[dict[str, str]]:
    return [{name: split[name] for name in expected(S39["rows"][0])} for split in await work.splits()]


async def settled(journey: Journey, fee: str, way: str = "TRANSFER") -> None:
    """Paid by the entrustor to an account for fees, confirmed by the accountant."""
    transfer = {"companyAccountId": await journey.company_account("0.00", ("FEES",)), "bankReference": "F-1"}
    given = transfer if way == "TRANSFER" else {}
    await journey.act("cashier", "settleEntrustedFee", FEE, feeId=fee, way=way, idempotencyKey=f"fee-{fee}", **given)
    made = await journey.act("accountant", "confirmEntrustedFee", FEE, feeId=fee)
    assert made["state"] == "SETTLED"


async def test_the_golden_loan_month_by_month(journey: Journey) -> None:
    work, loan = await golden(journey)
    (fee,) = await work.fees()
    assert (fee["type"], fee["state"], fee["amount"]) == ("ONE_OFF", "DUE", "3000.00")
    await settled(journey, fee["id"])
    for row in S39["rows"]:
        due = date.fromisoformat(row["due_date"])
        days = (await journey.close(due - timedelta(days=1)))["days"]
        assert all(day["ledgerBalanced"] for day in days)
        await journey.received(loan, row["payment"], due)
        assert (await shares(work))[-1] == expected(row)
        await work.passed_on(row["to_entrustor"])
    assert await shares(work) == [expected(row) for row in S39["rows"]]
    # 12 x 166.67 and 3,000.00 are the lender's income and all it has; nothing of the entrustor's is left.
    assert await ledger(journey) == {"1002": "5000.04", "6021": "-5000.04"}
    assert await differences(journey.lender) == []


async def test_what_was_paid_in_time_and_entered_late_is_split_alike(journey: Journey) -> None:
    """Three months unpaid, as far as anybody knows; then the receipts are entered, the latest first."""
    work, loan = await golden(journey)
    await journey.close("2026-04-12")
    for row in reversed(S39["rows"][:3]):
        await journey.received(loan, row["payment"], row["due_date"])
    assert await shares(work) == [expected(row) for row in S39["rows"][:3]]
    assert await ledger(journey) == {
        "1002": "24999.99", "1321": "1000000.00", "2314": "-1024499.98", "6021": "-500.01",
    }  # fmt: skip
    assert await differences(journey.lender) == []


async def test_the_fee_has_its_vat(journey: Journey) -> None:
    await set_parameter(journey.lender, "vat_rate", "0.06")
    work, loan = await golden(journey)
    (fee,) = await work.fees()
    await settled(journey, fee["id"])
    await journey.close("2026-02-09")
    await journey.received(loan, "8333.33", "2026-02-10")
    # 3,000.00 x 6 / 106 = 169.81 and 166.67 x 6 / 106 = 9.43; nothing is owed on the entrustor's interest.
    assert await ledger(journey) == {
        "1002": "11333.33", "1321": "1000000.00", "2314": "-1008166.66", "6021": "-3166.67", "602109": "179.24",
        "222101": "-179.24",
    }  # fmt: skip
    assert await differences(journey.lender) == []


async def test_a_fee_is_not_paid_before_a_second_person_says_so(journey: Journey) -> None:
    work, _ = await golden(journey)
    (fee,) = await work.fees()
    before = await ledger(journey)
    refused = await journey.refused(
        "cashier", "settleEntrustedFee", FEE, feeId=fee["id"], way="FUND", idempotencyKey="one"
    )
    assert (refused[0]["code"], refused[0]["params"]["available"]) == ("ENTRUSTED_FUND_INSUFFICIENT", "0.00")
    account = await journey.company_account("0.00", ("FEES",))
    given = {"feeId": fee["id"], "way": "TRANSFER", "companyAccountId": account, "bankReference": "F-1"}
    await journey.act("cashier", "settleEntrustedFee", FEE, idempotencyKey="two", **given)
    assert await ledger(journey) == before
    refused = await journey.refused("accountant", "confirmEntrustedFee", FEE, feeId=fee["id"], paid=False)
    assert (refused[0]["code"], refused[0]["field"]) == ("INVALID_INPUT", ["input", "comment"])
    made = await journey.act("accountant", "confirmEntrustedFee", FEE, feeId=fee["id"], paid=False, comment="未到账")
    assert (made["state"], await ledger(journey)) == ("DUE", before)


async def test_one_transfer_pays_one_fee(journey: Journey) -> None:
    work, _ = await golden(journey)
    (fee,) = await work.fees()
    further = await journey.act(
        "cashier", "recordEntrustedFee", "fee { id }", entrustedContractId=work.id, amount="3000.00", reason="查询费"
    )
    account = await journey.company_account("0.00", ("FEES",))
    given = {"way": "TRANSFER", "companyAccountId": account, "bankReference": "F-1"}
    await journey.act("cashier", "settleEntrustedFee", FEE, feeId=fee["id"], idempotencyKey="one", **given)
    await journey.act("accountant", "confirmEntrustedFee", FEE, feeId=fee["id"])
    before = await ledger(journey)
    refused = await journey.refused(
        "cashier", "settleEntrustedFee", FEE, feeId=further["id"], idempotencyKey="two", **given
    )
    assert (refused[0]["code"], refused[0]["field"]) == ("DUPLICATE", ["input", "bankReference"])
    states = {row["id"]: row["state"] for row in await work.fees()}
    assert (states, await ledger(journey)) == ({fee["id"]: "SETTLED", further["id"]: "DUE"}, before)


async def test_another_lender_has_other_fees(journey: Journey) -> None:
    """Nothing once, and half of the interest: 4,166.67 of 8,333.33 (half up); a further fee is entered by hand."""
    work = await entrusted(journey, oneOffFeeRate="0", interestFeeRate="0.5")
    await work.came_in("1000000.00")
    loan = await work.lent("1000000.00")
    assert await work.fees() == []
    await journey.close("2026-02-09")
    await journey.received(loan, "8333.33", "2026-02-10")
    (share,) = await shares(work)
    assert (share["handlingFee"], share["toEntrustor"]) == ("4166.67", "4166.66")
    made = await journey.act(
        "cashier", "recordEntrustedFee", "fee { id type amount state }", entrustedContractId=work.id, amount="166.66",
        reason="查询费",
    )  # fmt: skip
    assert (made["type"], made["state"]) == ("OTHER", "DUE")
    await settled(journey, made["id"], "FUND")
    assert (await work.statement())["closing"] == "4000.00"
    assert await ledger(journey) == {
        "1002": "8333.33", "1321": "1000000.00", "2314": "-1004000.00", "6021": "-4333.33",
    }  # fmt: skip
