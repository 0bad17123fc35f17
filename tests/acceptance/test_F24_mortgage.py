"""抵押担保 · Mortgages (F24): the journey of a mortgage through the API, to its release."""

from __future__ import annotations

from typing import Any

from tests.acceptance.journey import Journey
from tests.support.client import statements

HOUSE = {
    "assetType": "RESIDENTIAL", "owner": "王芳", "certificateNumber": "不动产权第0000001号", "securedAmount": "100000.00",
    "appraisedValue": "150000.00", "appraisedOn": "2026-01-10",
}  # fmt: skip
LIST = """query($f: MortgageFilter) { mortgages(first: 10, filter: $f) { totalCount nodes {
    number state owner ownerOf: customer { id } contract { id } standing { rank cover } maker { name }
    registeredBy { name } workflow { state } } } }"""


async def registered(journey: Journey, loan: str, number: str, **changes: Any) -> str:
    made = await journey.act(
        "account_manager", "createMortgage", "mortgage { id state }", loanId=loan, **(HOUSE | changes)
    )  # fmt: skip
    assert made["state"] == "REGISTERING"
    key = str(made["id"])
    given = {"mortgageId": key, "registrationNumber": number, "registeredOn": "2026-01-15"}
    done = await journey.act("risk_officer", "registerMortgage", "mortgage { state }", **given)
    assert done["state"] == "EFFECTIVE"
    return key


async def listed(journey: Journey, person: str = "auditor", **wanted: Any) -> list[Any]:
    data = await journey.by(person).data(LIST, f=wanted)
    nodes: list[Any] = data["mortgages"]["nodes"]
    assert data["mortgages"]["totalCount"] == len(nodes)
    return nodes


async def held(journey: Journey) -> str:
    data = await journey.by("accountant").data("{ trialBalance { account debit credit } }")
    (line,) = [line for line in data["trialBalance"] if line["account"] == "9004"]
    return f"{line['debit']} {line['credit']}"


async def test_from_its_making_to_its_release(journey: Journey) -> None:
    """A second one on the certificate ranks second and covers the rest; one fen owed keeps the first."""
    first, second = await journey.paid(), await journey.paid("李雷")
    house = await registered(journey, first.id, "证明-1")
    await registered(journey, second.id, "证明-2", owner="李雷")
    shown = await listed(journey, certificateNumber=HOUSE["certificateNumber"])
    assert [(one["number"], one["standing"]) for one in shown] == [
        ("DY-2026-0002", {"rank": 2, "cover": "50000.00"}),
        ("DY-2026-0001", {"rank": 1, "cover": "100000.00"}),
    ]
    assert await held(journey) == "300000.00 0.00"
    assert [one["contract"]["id"] for one in await listed(journey, loanId=first.id)] == [first.contract]
    assert await listed(journey, "second_account_manager") == []

    (owed,) = await journey.refused(
        "account_manager", "requestMortgageRelease", "mortgage { id }", mortgageId=house
    )  # fmt: skip
    assert (owed["code"], owed["params"]) == ("DEBT_NOT_SETTLED", {"outstanding": "100000.00"})
    await journey.received(first.id, "100000.00", "2026-01-15", prepayment={"mode": "SETTLE"})
    asked = await journey.act("account_manager", "requestMortgageRelease", "mortgage { state }", mortgageId=house)
    assert asked["state"] == "RELEASING"
    await journey.decide("risk_officer", house)
    (gone,) = await listed(journey, states=["RELEASED"])
    assert (gone["standing"], gone["workflow"]["state"]) == (None, "APPROVED")
    (left,) = await listed(journey, states=["EFFECTIVE"])
    assert left["standing"] == {"rank": 1, "cover": "100000.00"}, "who was second moves up"
    assert await held(journey) == "300000.00 150000.00"
    data = await journey.by("accountant").data("{ proofs { proof holds } }")
    assert {one["proof"] for one in data["proofs"] if not one["holds"]} == set()


async def test_a_page_costs_as_much_as_one_line(journey: Journey) -> None:
    loan = await journey.paid()

    async def cost() -> int:
        with statements() as seen:
            await listed(journey)
        return len(seen)

    await registered(journey, loan.id, "证明-1")
    one = await cost()
    for number in ("2", "3"):
        await registered(journey, loan.id, f"证明-{number}", certificateNumber=f"不动产权第000000{number}号")
    assert await cost() == one
