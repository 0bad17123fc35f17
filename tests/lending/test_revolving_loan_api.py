"""循环贷款 through the API: lists, totals, scope, history, messages, and no more statements for many facilities than for one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from domain.customers.customer import Customer
from domain.lending.revolving_loan import freezing, review
from domain.lending.revolving_loan.tables import CreditFacility, ReviewOutcome
from schema.kernel.node import global_id
from tests.support.actors import LenderAtWork
from tests.support.client import Api, statements
from tests.support.customers import a_person
from tests.support.facilities import a_revolving_product, applied, asked, change, drawn, granted
from tests.support.loans import Lending, lending_at

LISTED = """query($filter: CreditFacilityFilter, $orderBy: CreditFacilityOrder, $first: Int, $after: String, $last: Int,
    $before: String) {
  creditFacilities(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { number limit available usage { used inApproval rate } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
  creditFacilityTotals(filter: $filter) { count limit used inApproval available } }"""
WHOLE = """
  id number state limit annualRate startsOn endsOn minDrawdown maxDrawdown maxPeriods lendingMode purposeCode purpose conditions
  papersValidUntil grantedOn nextReviewOn frozenOn frozenCauses frozenReason endedOn version createdAt available
  usage { used inApproval available rate } guards { code passed severity params }
  customer { id name } product { code facilityMonths drawdownTailDays firstSettlementMinDays } maker { name }
  accountManager { name } coManager { name } workflow { state log { decision actor { name } } }
  requests { kind state limitBefore limitAfter reason decidedOn requestedBy { name } }
  reviews { reviewedOn outcome opinion newLimit nextReviewOn reviewedBy { name } }
  drawdowns(first: 5) { totalCount nodes { number state facility { number } } }
  loans(first: 5) { totalCount nodes { number kind facility { number available } } }
  history(first: 10) { totalCount nodes { type businessDate limit causes reason actor { name } } }
"""


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def several(lender: LenderAtWork, lending: Lending) -> list[Any]:
    """Six facilities of 100,000 to 600,000 for six customers: two drawn on, one frozen, one in approval."""
    product = await a_revolving_product(lender)
    rows = []
    for serial in range(1, 7):
        person = await a_person(lender.account_manager, serial=40 + serial)
        given = {"customer_id": person.id, "product_id": product.id, "credit_limit": D(f"{serial}00000.00")}
        make = applied if serial == 6 else granted
        rows.append(await make(lender, ends_on=date(2025, 6 + serial, 1), **given))
    await drawn(lender, rows[0].id, "50000.00", lending.account_id)
    await drawn(lender, rows[1].id, "20000.00", lending.account_id)
    await asked(lender, rows[1].id, "30000.00")
    await freezing.freeze(lender.risk_officer, facility_id=rows[2].id, reason="核实")
    return rows


async def test_pages_both_ways_and_totals_agree_with_a_full_scan(api: Api, lender: LenderAtWork, lending: Lending):
    await several(lender, lending)
    ask = api.as_("accountant").data
    whole = await ask(LISTED, first=100)
    nodes = whole["creditFacilities"]["nodes"]
    assert [node["number"] for node in nodes] == [f"SX-2025-000{n}" for n in range(6, 0, -1)]
    forward, cursor = [], None
    while True:
        page = (await ask(LISTED, first=4, after=cursor))["creditFacilities"]
        forward += page["nodes"]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forward == nodes
    backward = (await ask(LISTED, last=2, before=page["pageInfo"]["startCursor"]))["creditFacilities"]["nodes"]
    assert backward == nodes[2:4]
    summed = {
        "limit": sum(D(node["limit"]) for node in nodes),
        "used": sum(D(node["usage"]["used"]) for node in nodes),
        "inApproval": sum(D(node["usage"]["inApproval"]) for node in nodes),
        "available": sum(D(node["available"]) for node in nodes),
    }
    assert whole["creditFacilityTotals"] == {"count": 6} | {name: f"{amount:.2f}" for name, amount in summed.items()}
    assert summed == {"limit": D(2100000), "used": D(70000), "inApproval": D(30000), "available": D(1100000)}


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"states": ["FROZEN", "APPROVING"]}, [6, 3]),
        ({"frozenCauses": ["MANUAL", "OVERDUE"]}, [3]),
        ({"frozenCauses": ["OVERDUE"]}, []),
        ({"frozenCauses": []}, []),
        ({"limit": {"min": "200000.00", "max": "300000.00"}}, [3, 2]),
        ({"endsOn": {"from": "2025-11-02"}}, [6]),
        ({"endsOn": {"to": "2025-08-01"}}, [2, 1]),
        ({"nextReviewOn": {"to": "2026-01-01"}}, [5, 4, 3, 2, 1]),
        ({"minUsageRate": "0.1"}, [2, 1]),
        ({"minUsageRate": "0.5"}, [1]),
        ({"search": "sx-2025-0004"}, [4]),
        ({"search": "张三45"}, [5]),
        ({"search": "%"}, []),
    ],
)
async def test_filters(api: Api, lender: LenderAtWork, lending: Lending, wanted: dict[str, Any], numbers: list[int]):
    await several(lender, lending)
    data = await api.as_("accountant").data(LISTED, filter=wanted)
    assert [node["number"] for node in data["creditFacilities"]["nodes"]] == [f"SX-2025-000{n}" for n in numbers]
    assert data["creditFacilityTotals"]["count"] == data["creditFacilities"]["totalCount"] == len(numbers)


async def test_filters_by_others_and_orders(api: Api, lender: LenderAtWork, lending: Lending):
    rows = await several(lender, lending)
    ask = api.as_("accountant").data
    (customer,) = await lender.rows(Customer, Customer.id == rows[3].customer_id)
    manager = global_id("Employee", lender.account_manager.actor.id)
    stranger = global_id("Employee", lender.second_account_manager.actor.id)
    for wanted, count in (
        ({"customerId": global_id("IndividualCustomer", customer.id)}, 1),
        ({"productId": global_id("LoanProduct", rows[0].product_id)}, 6),
        ({"managerId": manager}, 6),
        ({"managerId": stranger}, 0),
    ):
        assert (await ask(LISTED, filter=wanted))["creditFacilities"]["totalCount"] == count, wanted
    for field in ("ENDS_ON", "CREDIT_LIMIT"):
        order = {"field": field, "direction": "ASC"}
        nodes = (await ask(LISTED, orderBy=order, first=3))["creditFacilities"]["nodes"]
        assert [node["number"][-1] for node in nodes] == ["1", "2", "3"]


async def test_one_facility_with_everything_on_it(api: Api, lender: LenderAtWork, lending: Lending):
    row = await granted(lender, papers_valid_until=date(2030, 1, 1))
    await drawn(lender, row.id, "80000.00", lending.account_id)
    await review.review(lender.risk_officer, facility_id=row.id, opinion="良好", outcome=ReviewOutcome.KEEP)
    await freezing.freeze(lender.risk_officer, facility_id=row.id, reason="核实")
    document = f"query($n: String!, $id: ID!) {{ creditFacility(number: $n) {{ {WHOLE} }} node(id: $id) {{ id }} }}"
    key = global_id("CreditFacility", row.id)
    data = await api.as_("risk_officer").data(document, n=row.number, id=key)
    shown = data["creditFacility"]
    assert shown["id"] == data["node"]["id"] == key
    assert (shown["state"], shown["limit"], shown["available"]) == ("FROZEN", "200000.00", "0.00")
    assert (shown["frozenOn"], shown["frozenCauses"], shown["frozenReason"]) == ("2025-01-01", ["MANUAL"], "核实")
    assert shown["usage"] == {"used": "80000.00", "inApproval": "0.00", "available": "0.00", "rate": "0.4"}
    assert shown["product"] == {
        "code": "LINE", "facilityMonths": 36, "drawdownTailDays": 0, "firstSettlementMinDays": 0
    }  # fmt: skip
    assert [entry["decision"] for entry in shown["workflow"]["log"]] == ["APPROVE", "APPROVE"]
    assert [(one["kind"], one["state"], one["limitAfter"]) for one in shown["requests"]] == [
        ("GRANT", "APPROVED", "200000.00")
    ]
    assert [(one["outcome"], one["opinion"]) for one in shown["reviews"]] == [("KEEP", "良好")]
    assert [one["type"] for one in shown["history"]["nodes"]] == ["GRANTED", "REVIEWED", "FROZEN"]
    assert all(one["actor"]["name"] for one in shown["history"]["nodes"])
    assert shown["loans"]["nodes"][0]["facility"] == {"number": row.number, "available": "0.00"}
    assert shown["drawdowns"]["nodes"][0]["facility"] == {"number": row.number}
    assert all(guard["passed"] for guard in shown["guards"] if guard["severity"] == "REFUSE")


async def test_whoever_does_not_manage_it_does_not_see_it(api: Api, lender: LenderAtWork, lending: Lending):
    row = await granted(lender)
    await drawn(lender, row.id, "80000.00", lending.account_id)
    key = global_id("CreditFacility", row.id)
    document = """query($id: ID!) { creditFacility(id: $id) { id } node(id: $id) { id } creditFacilities { totalCount }
        creditFacilityTotals { count used } }"""
    for person, sees in (("account_manager", True), ("business_manager", True), ("second_account_manager", False)):
        data = await api.as_(person).data(document, id=key)
        assert bool(data["creditFacility"]) is bool(data["node"]) is sees, person
        assert data["creditFacilities"]["totalCount"] == data["creditFacilityTotals"]["count"] == int(sees)
        assert data["creditFacilityTotals"]["used"] == ("80000.00" if sees else "0.00")


async def test_others_lists_show_no_loan_out_of_sight(api: Api, lender: LenderAtWork, lending: Lending):
    """A facility that was handed over is seen by its new manager; a loan still managed by the old one is not."""
    row = await granted(lender)
    await drawn(lender, row.id, "80000.00", lending.account_id)
    await change(lender, row.id, manager_id=lender.second_account_manager.actor.id)
    document = (
        "query($id: ID!) { creditFacility(id: $id) { loans { totalCount } drawdowns { totalCount } usage { used } } }"
    )
    data = await api.as_("second_account_manager").data(document, id=global_id("CreditFacility", row.id))
    assert data["creditFacility"] == {
        "loans": {"totalCount": 0}, "drawdowns": {"totalCount": 0}, "usage": {"used": "80000.00"}
    }  # fmt: skip


async def test_many_facilities_take_as_many_statements_as_one(api: Api, lender: LenderAtWork, lending: Lending):
    product = await a_revolving_product(lender)
    document = f"{{ creditFacilities(first: 2) {{ totalCount nodes {{ {WHOLE} }} }} creditFacilityTotals {{ used }} }}"
    counts = []
    for serial in (1, 2):
        person = await a_person(lender.account_manager, serial=60 + serial)
        row = await granted(lender, customer_id=person.id, product_id=product.id)
        await drawn(lender, row.id, "50000.00", lending.account_id)
        await drawn(lender, row.id, "20000.00", lending.account_id)
        await review.review(lender.risk_officer, facility_id=row.id, opinion="良好", outcome=ReviewOutcome.KEEP)
        with statements() as seen:
            data = await api.as_("account_manager").data(document)
        assert data["creditFacilities"]["totalCount"] == serial
        assert all(len(node["loans"]["nodes"]) == 2 for node in data["creditFacilities"]["nodes"])
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_who_asked_hears_of_the_decision_and_who_manages_of_a_freeze(api: Api, lender: LenderAtWork):
    row = await granted(lender)
    await freezing.freeze(lender.risk_officer, facility_id=row.id, reason="核实")
    data = await api.as_("account_manager").data("{ messages(first: 5) { nodes { title body } } }")
    assert [(one["title"], one["body"]) for one in data["messages"]["nodes"]] == [
        ("授信已冻结 Facility frozen", row.number),
        ("授信已生效 Facility granted", row.number),
    ]


async def test_a_repeat_with_the_same_key_gets_the_first_answer(api: Api, lender: LenderAtWork):
    person = await a_person(lender.account_manager)
    product = await a_revolving_product(lender)
    given = {
        "customerId": global_id("IndividualCustomer", person.id), "productId": global_id("LoanProduct", product.id),
        "limit": "200000.00", "annualRate": "0.126", "endsOn": "2025-12-31", "maxPeriods": 12, "lendingMode": "CREDIT",
        "purposeCode": "WORKING_CAPITAL", "purpose": "备货", "idempotencyKey": "once",
    }  # fmt: skip
    document = """mutation($i: ApplyCreditFacilityInput!) { applyCreditFacility(input: $i) { facility { id }
        userErrors { code } } }"""
    first, again = [await api.as_("account_manager").run(document, i=given) for _ in range(2)]
    assert first == again
    assert len(await lender.rows(CreditFacility)) == 1
    errors = await api.as_("account_manager").refused(document, i=given | {"limit": "100000.00"})
    assert errors[0]["code"] == "IDEMPOTENCY_KEY_REUSED"
