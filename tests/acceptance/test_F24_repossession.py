"""抵押担保 · Taking collateral over for the debt (F24): shown, agreed to by two others, explained, undone."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from schema.kernel.node import global_id
from tests.acceptance.journey import Journey
from tests.acceptance.test_F24_mortgage import registered
from tests.collateral.test_repossession import LATE
from tests.support.client import statements
from tests.support.loans import Lending, lending_at

FIFTY_DAYS_AGO = date(2025, 11, 26)
AGREED = {"amount": "60000.00", "agreedOn": "2026-01-10", "agreementNumber": "抵债-1"}
LINES = "allocation { installmentSeq component amount explain { rule amount } }"
LIST = f"""query($f: RepossessedAssetFilter) {{ repossessedAssets(first: 10, filter: $f) {{ totalCount nodes {{ id number state
    amount effectiveOn mortgage {{ number state }} loan {{ number }} requestedBy {{ name }} decidedBy {{ name }}
    workflow {{ state }} {LINES} }} }} }}"""
PREVIEW = """mutation($i: DisposeCollateralInput!) { disposeCollateral(input: $i, preview: true) {
    asset { id } preview { final vouchers { kind entries { account debit credit } } } userErrors { code field message params } } }"""


async def late_and_mortgaged(journey: Journey, lending: Lending, number: str) -> tuple[str, str]:
    """A loan of 100,000.00, 20 days late, and its mortgage."""
    loan = global_id("Loan", await lending.pay_out(**LATE | {"value_date": FIFTY_DAYS_AGO}))
    return loan, await registered(journey, loan, number, certificateNumber=f"不动产权第{number}号")


async def a_book(journey: Journey) -> Lending:
    journey.serials = itertools.count(100)
    return await lending_at(journey.lender)


async def listed(journey: Journey, person: str = "auditor", **wanted: Any) -> list[Any]:
    data = await journey.by(person).data(LIST, f=wanted)
    nodes: list[Any] = data["repossessedAssets"]["nodes"]
    assert data["repossessedAssets"]["totalCount"] == len(nodes)
    return nodes


async def agreed(journey: Journey, loan: str, mortgage: str) -> str:
    asked = await journey.act(
        "post_loan_officer", "disposeCollateral", "asset { id }", mortgageId=mortgage, loanId=loan, **AGREED
    )  # fmt: skip
    await journey.decide("risk_officer", asked["id"])
    await journey.decide("general_manager", asked["id"])
    return str(asked["id"])


async def balances(journey: Journey) -> dict[str, str]:
    data = await journey.by("accountant").data("{ trialBalance { account debit credit } }")
    return {one["account"]: f"{one['debit']} {one['credit']}" for one in data["trialBalance"]}


async def test_shown_taken_over_and_undone(journey: Journey) -> None:
    loan, mortgage = await late_and_mortgaged(journey, await a_book(journey), "1")
    given = {"mortgageId": mortgage, "loanId": loan, **AGREED}
    (early,) = await journey.refused(
        "post_loan_officer", "disposeCollateral", "asset { id }", **given | {"agreedOn": "2025-12-26"}
    )  # fmt: skip
    assert (early["code"], early["field"]) == ("INVALID_INPUT", ["input", "agreedOn"])
    assert early["params"] == {"matured_on": "2025-12-26", "today": "2026-01-15"}
    shown = await journey.by("post_loan_officer").run(PREVIEW, i=given)
    assert (shown["asset"], shown["preview"]["final"], await listed(journey)) == (None, False, [])
    assert [line["account"] for one in shown["preview"]["vouchers"] for line in one["entries"]] == [
        "1441", "113201", "113202", "130302", "9999", "9004",
    ]  # fmt: skip

    key = await agreed(journey, loan, mortgage)
    (held,) = await listed(journey, states=["HELD"])
    assert (held["number"], held["mortgage"]["state"], held["workflow"]["state"]) == (
        "DZ-2026-0001", "REPOSSESSED", "APPROVED",
    )  # fmt: skip
    assert [(one["component"], one["amount"]) for one in held["allocation"]] == [
        ("PENALTY", "1000.00"), ("INTEREST", "1000.00"), ("PRINCIPAL", "58000.00"),
    ]  # fmt: skip
    assert all(one["explain"][0]["amount"] == one["amount"] for one in held["allocation"])
    assert (await balances(journey))["1441"] == "60000.00 0.00"
    assert await listed(journey, "second_account_manager") == []

    await journey.act("post_loan_officer", "requestRepossessionReversal", "asset { id }", assetId=key, comment="无效")
    await journey.decide("general_manager", key)
    (undone,) = await listed(journey, loanId=loan)
    assert (undone["state"], undone["mortgage"]["state"]) == ("REVERSED", "EFFECTIVE")
    assert (await balances(journey))["1441"] == "60000.00 60000.00"
    data = await journey.by("accountant").data("{ proofs { proof holds } }")
    assert {one["proof"] for one in data["proofs"] if not one["holds"]} == set()


async def test_a_page_costs_as_much_as_one_line(journey: Journey) -> None:
    lending = await a_book(journey)

    async def cost() -> int:
        with statements() as seen:
            await listed(journey)
        return len(seen)

    await agreed(journey, *await late_and_mortgaged(journey, lending, "1"))
    one = await cost()
    await agreed(journey, *await late_and_mortgaged(journey, lending, "2"))
    assert await cost() == one
