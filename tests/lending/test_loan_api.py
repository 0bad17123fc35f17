"""Loans through the API: one loan with everything on it, lists, scope, and the trial balance."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.ports import Ports
from tests.support.actors import a_lender
from tests.support.client import Api, KnownPeople, an_app, serving, statements
from tests.support.loans import Lending, lending_at

OPENED = date(2026, 1, 15)

LOAN = """
query ($number: String!, $on: Date, $quoted: Date!) {
  loan(number: $number) {
    id number kind state principal annualRate method valueDate maturityDate principalOutstanding
    customer { name loans(first: 5) { totalCount nodes { number } } }
    product { name } contract { number } manager { name } department { name }
    position(on: $on) {
      on principalOutstanding overduePrincipal accruedInterest dueUnpaidInterest penalty compound fees unapplied
      daysPastDue fiveClass accrual onBalanceInterest offBalanceInterest provision
    }
    installments { seq startDate dueDate principal interest state unpaidPrincipal unpaidInterest penalty compound fee paidOn }
    payoffQuote(on: $quoted) { on principal interest penalty compound fee total unapplied toPay }
    history(first: 10) {
      totalCount nodes { id type valueDate bookedAt payload actor { name } entries { voucher account debit credit } }
    }
  }
}
"""
LISTED = """
query ($filter: LoanFilter, $orderBy: LoanOrder, $first: Int, $after: String) {
  loans(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes { number } pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture
async def api(place: Any, ports: Ports, blueprint: Any) -> AsyncIterator[Api]:
    """The application of a lender that opened on the first day of S01."""
    lender = await a_lender(place, ports, blueprint, open_on=OPENED)
    sessions = KnownPeople()
    async with serving(an_app(ports, sessions)) as http:
        yield Api(http, sessions, lender)


@pytest.fixture
async def lending(api: Api) -> Lending:
    assert api.lender is not None
    return await lending_at(api.lender)


async def test_one_loan_with_everything_on_it(api: Api, lending: Lending) -> None:
    loan_id = await lending.pay_out()
    await lending.close(date(2026, 2, 14))
    await lending.receive(loan_id, "8884.88")
    await lending.close(date(2026, 3, 24))
    asked = {"number": "JJ-2026-0001", "on": "2026-03-20", "quoted": "2026-03-25"}
    loan = (await api.as_("account_manager").data(LOAN, **asked))["loan"]

    assert loan["state"] == "OVERDUE"
    assert (loan["principal"], loan["annualRate"], loan["method"]) == ("100000.00", "0.12", "EQUAL_INSTALLMENT")
    assert (loan["valueDate"], loan["maturityDate"]) == ("2026-01-15", "2027-01-15")
    assert loan["customer"]["loans"] == {"totalCount": 1, "nodes": [{"number": "JJ-2026-0001"}]}
    position = loan["position"]
    # 2026-03-20 is 5 days past due: 7,963.73 at 0.05 % a day; 921.15 of interest likewise.
    assert (position["daysPastDue"], position["fiveClass"], position["accrual"]) == (5, "SPECIAL_MENTION", "ACCRUAL")
    assert (position["overduePrincipal"], position["penalty"]) == ("7963.73", "19.91")
    assert (position["dueUnpaidInterest"], position["compound"]) == ("921.15", "2.30")
    first, second, third = loan["installments"][:3]
    assert (first["state"], first["paidOn"], first["unpaidPrincipal"]) == ("PAID", "2026-02-15", "0.00")
    assert (second["state"], second["unpaidPrincipal"], second["unpaidInterest"]) == ("OVERDUE", "7963.73", "921.15")
    assert (third["state"], third["penalty"]) == ("PENDING", "0.00")
    quote = loan["payoffQuote"]
    parts = sum(Decimal(quote[name]) for name in ("principal", "interest", "penalty", "compound", "fee"))
    assert Decimal(quote["total"]) == parts == Decimal(quote["toPay"])
    assert loan["history"]["totalCount"] == 2
    paid_out, received = loan["history"]["nodes"]
    assert [(entry["account"], entry["debit"], entry["credit"]) for entry in paid_out["entries"]] == [
        ("130301", "100000.00", "0.00"),
        ("1002", "0.00", "100000.00"),
    ]
    assert (received["type"], received["payload"]["amount"], received["actor"]) == ("RECEIPT", "8884.88", None)


async def test_days_on_which_there_is_no_answer(api: Api, lending: Lending) -> None:
    await lending.pay_out()
    document = """query ($on: Date!) { loan(number: "JJ-2026-0001") {
      position(on: $on) { on } payoffQuote(on: $on) { toPay } } }"""
    for on, position, quote in (
        ("2026-01-14", None, None),
        ("2026-01-15", {"on": "2026-01-15"}, {"toPay": "100000.00"}),
        ("2026-01-16", None, {"toPay": "100033.33"}),  # a day of 100,000.00 at 12 % over 360; not posted yet
    ):
        loan = (await api.as_("accountant").data(document, on=on))["loan"]
        assert loan == {"position": position, "payoffQuote": quote}, on


async def test_what_no_loan_is_called(api: Api) -> None:
    accountant = api.as_("accountant")
    assert (await accountant.data("{ loan { id } }"))["loan"] is None
    for document in ('{ loan(number: "JJ\\u0000") { id } }', '{ loans(filter: {search: "a\\u0000"}) { totalCount } }'):
        assert (await accountant.ask(document)).codes == ["BAD_USER_INPUT"]


async def test_lists_are_filtered_sorted_and_paged(api: Api, lending: Lending) -> None:
    for amount, periods in (("5000.00", 12), ("7000.00", 3), ("6000.00", 6)):
        await lending.pay_out(amount=amount, periods=periods)
    late = await lending.pay_out(amount="9000.00", periods=3)
    await lending.close(date(2026, 2, 14))
    for number, owed in ((1, "444.24"), (2, "2380.15"), (3, "1035.29")):
        (row,) = [row for row in await lending.loans() if row.number == f"JJ-2026-000{number}"]
        await lending.receive(row.id, owed)
    await lending.close(date(2026, 2, 16))
    assert (await lending.loan(late)).state == "OVERDUE"
    accountant = api.as_("accountant")

    async def numbers(**variables: Any) -> list[str]:
        return [node["number"][-1] for node in (await accountant.data(LISTED, **variables))["loans"]["nodes"]]

    assert await numbers() == ["4", "3", "2", "1"]
    assert await numbers(orderBy={"field": "PRINCIPAL", "direction": "ASC"}) == ["1", "3", "2", "4"]
    assert await numbers(orderBy={"field": "MATURITY_DATE"}) in (["1", "3", "4", "2"], ["1", "3", "2", "4"])
    assert (await numbers(orderBy={"field": "DAYS_PAST_DUE"}))[0] == "4"
    assert (await numbers(orderBy={"field": "DAYS_PAST_DUE", "direction": "ASC"}))[-1] == "4"
    assert await numbers(filter={"states": ["OVERDUE"]}) == ["4"]
    assert await numbers(filter={"fiveClasses": ["NORMAL"]}) == ["3", "2", "1"]
    assert await numbers(filter={"minDaysPastDue": 2}) == ["4"]
    assert await numbers(filter={"minDaysPastDue": 3}) == []
    assert await numbers(filter={"minDaysPastDue": 2_000_000_000}) == []
    assert await numbers(filter={"principal": {"min": "6000.00", "max": "7000.00"}}) == ["3", "2"]
    assert await numbers(filter={"maturityDate": {"to": "2026-05-01"}}) == ["4", "2"]
    assert await numbers(filter={"search": "jj-2026-0003"}) == ["3"]
    assert await numbers(filter={"search": "张三"}) == ["4", "3", "2", "1"]
    assert await numbers(filter={"search": "100%"}) == []
    manager = global_id("Employee", lending.lender.account_manager.actor.id)
    assert await numbers(filter={"managerId": manager}) == ["4", "3", "2", "1"]
    department = lending.lender.account_manager.actor.department_id
    assert await numbers(filter={"departmentId": global_id("Department", department)}) == ["4", "3", "2", "1"]
    assert await numbers(filter={"customerId": global_id("IndividualCustomer", UUID(int=1))}) == []

    page = (await accountant.data(LISTED, first=3))["loans"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    assert await numbers(first=3, after=page["pageInfo"]["endCursor"]) == ["1"]


def global_id(name: str, key: UUID | None) -> str:
    return base64.b64encode(f"{name}:{key}".encode()).decode()


async def test_whoever_does_not_manage_a_loan_does_not_see_it(api: Api, lending: Lending) -> None:
    loan_id = await lending.pay_out()
    own = {"document": "query ($id: ID!) { loan(id: $id) { number } node(id: $id) { id } loans { totalCount } }"}
    key = global_id("Loan", loan_id)
    for person, sees in (("account_manager", True), ("second_account_manager", False), ("business_manager", True)):
        data = await api.as_(person).data(own["document"], id=key)
        assert bool(data["loan"]) is bool(data["node"]) is bool(data["loans"]["totalCount"]) is sees, person
    denied = await api.as_("account_manager").ask("{ trialBalance { account } }")
    assert denied.codes == ["FORBIDDEN"]


async def test_the_trial_balance_balances_on_any_day(api: Api, lending: Lending) -> None:
    await lending.pay_out()
    await lending.close(date(2026, 1, 31))
    document = "query ($on: Date) { trialBalance(on: $on) { account name debit credit } }"
    for on, receivable in (("2026-01-15", None), ("2026-01-16", "32.26"), (None, "548.39")):  # 1,000.00 over 31 days
        lines = (await api.as_("accountant").data(document, on=on))["trialBalance"]
        debit, credit = (sum(Decimal(line[side]) for line in lines) for side in ("debit", "credit"))
        assert debit == credit
        held = {line["account"]: Decimal(line["debit"]) - Decimal(line["credit"]) for line in lines}
        assert held["130301"] == Decimal("100000.00")
        assert held.get("113201") == (Decimal(receivable) if receivable else None)


async def test_many_loans_take_as_many_statements_as_one(api: Api, lending: Lending) -> None:
    document = """{ loans(first: 20) { nodes { number customer { name mobile loans(first: 2) { nodes { number } } }
      position { penalty provision } installments { seq penalty } payoffQuote(on: "2026-01-15") { toPay }
      history(first: 2) { nodes { type entries { account } } } } } }"""
    counts = []
    for _ in range(2):
        await lending.pay_out(amount="5000.00", periods=3)
        with statements() as seen:
            await api.as_("accountant").data(document)
        counts.append(len(seen))
    assert counts[0] == counts[1]
