"""合同变更 · Contract amendment (F28): S32, S36, S37 over the API, in time and entered late; what is refused; old schedules."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.journey import ERRORS, Journey, PaidLoan
from tests.support.actors import LenderAtWork, a_lender
from tests.support.lenders import Platform

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "golden" / "schedules.json").read_text("utf-8"))["cases"]
    if case["id"] in ("S32", "S36", "S37")
}
COST = "cost { periodIrr aprNominal aprEffective xirrAct365 simpleAprAct365 cap exceedsCap warnAbove exceedsWarning }"
LOAN = f"annualRate method maturityDate totalInterest {COST} installments {{ seq dueDate principal interest state }}"
AMENDMENT = f"amendment {{ id number state type effectiveDate before {{ {LOAN} }} after {{ {LOAN} }} }}"
ENTRIES = "entries { account debit credit }"
PREVIEW = f"""query($i: RequestAmendmentInput!) {{ amendmentPreview(input: $i) {{
    before {{ {LOAN} }} after {{ {LOAN} }} {ENTRIES} {ERRORS} }} }}"""
PLANS = """query($id: ID!) { loan(id: $id) {
    currentTerms { annualRate method maturityDate extensions }
    plans { version event { type } totalPrincipal totalInterest installments { seq dueDate principal interest balanceAfter } } } }"""
S36 = {"amount": "200000.00", "annualRate": "0.12", "periods": 6, "method": "INTEREST_ONLY", "lendingMode": "GUARANTEE"}
CONSENT = [{"name": "李担保", "documentNumber": "BZ-2026-0001"}]
EXTENSION = {
    "type": "EXTENSION", "extensionPeriods": 3, "annualRate": "0.132", "reason": "回款推迟", "guarantorConsents": CONSENT,
}  # fmt: skip


@pytest.fixture
async def lender(
    request: pytest.FixtureRequest, place: Platform, ports: Any, blueprint: Any, bank: Any
) -> LenderAtWork:
    """A lender opened on the value date of the golden case that the test is about (S36 where it names none)."""
    case = CASES[request.node.callspec.params.get("case", "S36") if hasattr(request.node, "callspec") else "S36"]
    return await a_lender(
        place,
        replace(ports, bank=bank),
        blueprint,
        open_on=date.fromisoformat(case["input"]["value_date"]),
        net_assets=Decimal("200000000.00"),
    )


async def secured(journey: Journey, **terms: Any) -> PaidLoan:
    """S36 with a guarantor, changed by `terms`."""
    product = {"lendingModes": ["CREDIT", "GUARANTEE"], "methods": ["INTEREST_ONLY", "EQUAL_INSTALLMENT", "BULLET"]}
    return await journey.paid(product=product, **S36 | terms)


async def asked(journey: Journey, loan: PaidLoan, **given: Any) -> Any:
    return await journey.act("account_manager", "requestAmendment", AMENDMENT, loanId=loan.id, **given)


async def agreed(journey: Journey, loan: PaidLoan, **given: Any) -> Any:
    """Asked for, and approved by risk officer and business manager."""
    amendment = await asked(journey, loan, **given)
    await journey.decide("risk_officer", amendment["id"])
    await journey.decide("business_manager", amendment["id"])
    return await shown(journey, amendment["id"])


async def shown(journey: Journey, amendment: str) -> Any:
    fields = AMENDMENT.removeprefix("amendment { ").removesuffix(" }")
    document = f"""query($id: ID!) {{ node(id: $id) {{ ... on ContractAmendment {{
        {fields} event {{ type valueDate {ENTRIES} }} }} }} }}"""
    return (await journey.by("account_manager").data(document, id=amendment))["node"]


async def plans(journey: Journey, loan: PaidLoan) -> Any:
    return (await journey.by("account_manager").data(PLANS, id=loan.id))["loan"]


async def preview(journey: Journey, loan: PaidLoan, **given: Any) -> Any:
    data = await journey.by("account_manager").data(PREVIEW, i={"loanId": loan.id, "reason": "试算"} | given)
    return data["amendmentPreview"]


async def rehearsed(journey: Journey, loan: PaidLoan, **given: Any) -> Any:
    """The vouchers that the request's own preview shows."""
    payload = await journey.by("account_manager").run(
        f"""mutation($i: RequestAmendmentInput!) {{ requestAmendment(input: $i, preview: true) {{
            amendment {{ id }} preview {{ final vouchers {{ {ENTRIES} }} }} {ERRORS} }} }}""",
        i={"loanId": loan.id} | given,
    )
    assert (payload["amendment"], payload["preview"]["final"]) == (None, False)
    return payload["preview"]["vouchers"]


async def refused(journey: Journey, loan: PaidLoan, **given: Any) -> Any:
    """The refusal of a request: nothing changed by it, and it is in the guard log."""
    before = await journey.installments(loan.id)
    (error,) = await journey.refused("account_manager", "requestAmendment", AMENDMENT, loanId=loan.id, **given)
    assert await journey.installments(loan.id) == before
    data = await journey.by("account_manager").data(
        "query($f: ContractAmendmentFilter) { contractAmendments(filter: $f) { totalCount } }", f={"loanId": loan.id}
    )
    assert data["contractAmendments"]["totalCount"] == 0
    (foreseen,) = (await preview(journey, loan, **given))["userErrors"]
    assert (foreseen["code"], foreseen["params"]) == (error["code"], error["params"])
    return error


# ---------------------------------------------------------------- the sentence


async def test_an_extension_of_three_months_gives_three_payments(journey: Journey) -> None:
    """S36: 200,000.00 interest only, extended by 3 months at 13.2 % ten days before the maturity."""
    loan = await secured(journey)
    for month in range(3, 8):
        await journey.close(date(2026, month, 19))
        await journey.received(loan.id, "2000.00", date(2026, month, 20))
    await journey.close("2026-08-09")

    too_long = await refused(journey, loan, **EXTENSION | {"extensionPeriods": 7})
    assert (too_long["code"], too_long["field"]) == ("EXTENSION_TOO_LONG", ["input", "extensionPeriods"])
    assert (too_long["params"]["asked"], too_long["params"]["allowed"]) == (7, 6)
    missing = await refused(journey, loan, **EXTENSION | {"guarantorConsents": []})
    assert (missing["code"], missing["params"]) == ("GUARANTOR_CONSENT_MISSING", {"lending_mode": "GUARANTEE"})

    foreseen = await preview(journey, loan, **EXTENSION)
    moved = [(one["account"], one["debit"], one["credit"]) for one in foreseen["entries"]]
    assert moved == [("130303", "200000.00", "0.00"), ("130301", "0.00", "200000.00")], "it stands as extended, no more"
    assert foreseen["userErrors"] == []
    amendment = await agreed(journey, loan, **EXTENSION)
    assert (amendment["number"], amendment["state"]) == ("BG-2026-0001", "APPROVED")
    rows = [(r["seq"], r["dueDate"], r["principal"], r["interest"]) for r in amendment["after"]["installments"]]
    assert rows[6:] == [
        (7, "2026-09-20", "0.00", "2200.00"),
        (8, "2026-10-20", "0.00", "2200.00"),
        (9, "2026-11-20", "200000.00", "2200.00"),
    ]
    assert (amendment["before"]["totalInterest"], amendment["after"]["totalInterest"]) == ("12000.00", "18600.00")
    assert {name: foreseen[name] for name in ("before", "after")} == {
        name: amendment[name] for name in ("before", "after")
    }
    standing = await journey.installments(loan.id)
    assert [(r["seq"], r["dueDate"], r["principal"], r["interest"]) for r in standing] == rows

    kept = await plans(journey, loan)
    assert [(plan["version"], plan["event"]["type"], plan["totalInterest"]) for plan in kept["plans"]] == [
        (1, "PAYOUT", "12000.00"),
        (2, "EXTENSION", "18600.00"),
    ]
    assert [(r["seq"], r["dueDate"], r["principal"]) for r in kept["plans"][0]["installments"]][-1] == (
        6, "2026-08-20", "200000.00",
    )  # fmt: skip
    assert kept["currentTerms"] == {
        "annualRate": "0.12", "method": "INTEREST_ONLY", "maturityDate": "2026-11-20", "extensions": 1,
    }  # fmt: skip
    await journey.received(loan.id, "2000.00", "2026-08-10")
    closed = await journey.close("2026-08-20")
    assert all(day["ledgerBalanced"] for day in closed["days"])
    assert (await plans(journey, loan))["currentTerms"]["annualRate"] == "0.132"
    for due, amount in (("2026-09-20", "2200.00"), ("2026-10-20", "2200.00"), ("2026-11-20", "202200.00")):
        closed = await journey.close(date.fromisoformat(due) - timedelta(days=1))
        assert all(day["ledgerBalanced"] for day in closed["days"])
        await journey.received(loan.id, amount, due)
    assert (await journey.position(loan.id))["principalOutstanding"] == "0.00"


# ---------------------------------------------------------------- golden cases, in time and late


def change_of(case: Any) -> dict[str, Any]:
    given = case["input"]
    if "extension" in given:
        return {**EXTENSION, "effectiveDate": given["extension"]["apply_by"]}
    change = given["change"]
    named = (
        {"type": "RATE", "annualRate": change["new_annual_rate"]}
        if "new_annual_rate" in change
        else {"type": "METHOD", "method": change["new_method"]}
    )
    return {**named, "effectiveDate": change["effective_date"], "reason": "客户等级 A"}


async def lent(journey: Journey, case: Any) -> PaidLoan:
    given = case["input"]
    if case["id"] == "S36":
        return await secured(journey)
    return await journey.paid(**{"amount": given["principal"], "annualRate": given["annual_rate"]})


def paid_by(case: Any, on: str) -> list[tuple[date, str]]:
    """What is paid up to the change; at the old maturity of S36 that is its interest."""
    return [(date.fromisoformat(r["due_date"]), r["payment"]) for r in case["rows"] if r["due_date"] <= on]


async def check(journey: Journey, loan: PaidLoan, case: Any, amendment: Any) -> None:
    rows = [(r["seq"], r["dueDate"], r["principal"], r["interest"]) for r in await journey.installments(loan.id)]
    assert rows == [(r["seq"], r["due_date"], r["principal"], r["interest"]) for r in case["rows"]]
    after = amendment["after"]
    assert after["totalInterest"] == case["totals"]["interest"]
    rates = {
        "periodIrr": "period_irr", "aprNominal": "apr_nominal", "aprEffective": "apr_effective",
        "xirrAct365": "xirr_act365", "simpleAprAct365": "simple_apr_act365",
    }  # fmt: skip
    for shown_as, name in rates.items():
        assert Decimal(after["cost"][shown_as]) == Decimal(case["rates"][name]), name


@pytest.mark.parametrize("case", CASES)
async def test_a_golden_change_in_time(journey: Journey, case: str) -> None:
    golden = CASES[case]
    loan, change = await lent(journey, golden), change_of(golden)
    for on, amount in paid_by(golden, change["effectiveDate"]):
        await journey.close(on - timedelta(days=1))
        await journey.received(loan.id, amount, on)
    amendment = await agreed(journey, loan, **change)
    await check(journey, loan, golden, amendment)
    last = golden["rows"][-1]["due_date"]
    for row in golden["rows"]:
        if row["due_date"] > change["effectiveDate"]:
            closed = await journey.close(date.fromisoformat(row["due_date"]) - timedelta(days=1))
            assert all(day["ledgerBalanced"] for day in closed["days"])
            await journey.received(loan.id, row["payment"], row["due_date"])
    position = await journey.position(loan.id, last)
    assert (position["principalOutstanding"], position["unapplied"], position["daysPastDue"]) == ("0.00", "0.00", 0)


@pytest.mark.parametrize("case", CASES)
async def test_a_golden_change_entered_late(journey: Journey, case: str) -> None:
    """Two installments later, with the money that came in meanwhile: the past is as if it had been entered in time."""
    golden = CASES[case]
    loan, change = await lent(journey, golden), change_of(golden)
    for on, amount in paid_by(golden, change["effectiveDate"]):
        await journey.close(on - timedelta(days=1))
        await journey.received(loan.id, amount, on)
    after = [row for row in golden["rows"] if row["due_date"] > change["effectiveDate"]][:2]
    for row in after:
        await journey.close(date.fromisoformat(row["due_date"]) - timedelta(days=1))
        await journey.received(loan.id, row["payment"], row["due_date"])
    closed = await journey.close(date.fromisoformat(after[-1]["due_date"]) + timedelta(days=3))
    before = await journey.position(loan.id)
    if case != "S37":  # a level installment is larger: without the change, they are in arrears
        assert before["overduePrincipal"] > "0.00"
    foreseen = await preview(journey, loan, **change)
    (voucher,) = await rehearsed(journey, loan, **change)
    assert sorted((e["account"], e["debit"], e["credit"]) for e in voucher["entries"]) == sorted(
        (e["account"], e["debit"], e["credit"]) for e in foreseen["entries"]
    ), "both previews say the same"
    amendment = await agreed(journey, loan, **change)
    assert sorted((e["account"], e["debit"], e["credit"]) for e in foreseen["entries"]) == sorted(
        (e["account"], e["debit"], e["credit"]) for e in amendment["event"]["entries"]
    )
    assert foreseen["entries"] != []
    await check(journey, loan, golden, amendment)
    position = await journey.position(loan.id)
    assert (position["daysPastDue"], position["penalty"], position["unapplied"]) == (0, "0.00", "0.00")
    closed = await journey.close(date.fromisoformat(after[-1]["due_date"]) + timedelta(days=5))
    assert all(day["ledgerBalanced"] for day in closed["days"])


# ---------------------------------------------------------------- another lender


async def test_a_lender_with_another_workflow_and_other_bounds(journey: Journey) -> None:
    """Legal alone decides; a short loan is extended by half its term at most, and guarantors are not asked."""
    admin, manager = journey.by("tenant_admin"), journey.by("general_manager")
    nodes = [{"code": "LEGAL", "name": "法务审批", "roles": ["LEGAL"]}]
    await admin.run(
        f"""mutation($i: PublishWorkflowDefinitionInput!) {{
            publishWorkflowDefinition(input: $i) {{ definition {{ version }} {ERRORS} }} }}""",
        i={"code": "AMENDMENT", "purpose": "AMENDMENT", "name": "合同变更", "nodes": nodes},
    )
    for code, value in (("extension_short_share", "0.5"), ("guarantor_consent_modes", [])):
        proposed = await admin.run(
            f"mutation($i: ProposeParameterInput!) {{ proposeParameter(input: $i) {{ parameter {{ id }} {ERRORS} }} }}",
            i={"code": code, "value": value, "effectiveFrom": "2026-02-20", "reason": "本机构政策"},
        )
        await manager.run(
            f"mutation($i: ApproveParameterInput!) {{ approveParameter(input: $i) {{ parameter {{ state }} {ERRORS} }} }}",
            i={"parameterId": proposed["parameter"]["id"]},
        )
    loan = await secured(journey)
    error = await refused(journey, loan, **EXTENSION | {"extensionPeriods": 4, "guarantorConsents": []})
    assert (error["code"], error["params"]["allowed"]) == ("EXTENSION_TOO_LONG", 3)
    amendment = await asked(journey, loan, **EXTENSION | {"guarantorConsents": []})
    await journey.decide("legal", amendment["id"])
    assert (await shown(journey, amendment["id"]))["state"] == "APPROVED"


async def test_who_secures_the_loan_and_who_asked_can_be_read(journey: Journey) -> None:
    """Story 2: in difficulty, the guarantor signs again; the list finds it by loan, type and state."""
    loan = await secured(journey)
    amendment = await agreed(journey, loan, **EXTENSION | {"becauseOfDifficulty": True})
    wanted = {"loanId": loan.id, "types": ["EXTENSION"], "states": ["APPROVED"], "customerId": loan.customer}
    data = await journey.by("post_loan_officer").data(
        """query($f: ContractAmendmentFilter) { contractAmendments(filter: $f) { totalCount nodes { id becauseOfDifficulty
           guarantorConsents { name documentNumber attachment { name } } requestedBy { name } loan { id } documents { name }
           workflow { state log { node decision } } } } }""",
        f=wanted,
    )
    (found,) = data["contractAmendments"]["nodes"]
    assert (found["id"], found["becauseOfDifficulty"], found["loan"]["id"]) == (amendment["id"], True, loan.id)
    assert found["guarantorConsents"] == [{"name": "李担保", "documentNumber": "BZ-2026-0001", "attachment": None}]
    assert [entry["node"] for entry in found["workflow"]["log"]] == ["RISK_REVIEW", "BUSINESS_APPROVAL"]
    none = await journey.by("post_loan_officer").data(
        "query($f: ContractAmendmentFilter) { contractAmendments(filter: $f) { totalCount } }",
        f=wanted | {"states": ["IN_REVIEW"]},
    )
    assert none["contractAmendments"]["totalCount"] == 0
