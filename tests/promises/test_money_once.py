"""一次入账 · A payment asked for many times is made once; different ones at the same moment are all made (promises M4–M6)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel import command
from tests.promises.conftest import NewJourney, a_neighbour
from tests.promises.neighbours import Neighbour, almighty
from tests.support.client import Answer, Client, KnownPeople, an_app, serving

ERRORS = "userErrors { code field params }"
RECEIPT = f"receipt {{ id number state amount unapplied allocation {{ installmentSeq component amount }} }} {ERRORS}"
ENTER = f"mutation($i: EnterReceiptInput!) {{ enterReceipt(input: $i) {{ {RECEIPT} }} }}"
REGISTER = f"mutation($i: ReceiptActionInput!) {{ registerReceipt(input: $i) {{ {RECEIPT} }} }}"
PAY = f"mutation($i: PayDisbursementInput!) {{ payDisbursement(input: $i) {{ disbursement {{ id }} {ERRORS} }} }}"


@dataclass
class Till:
    """A lender with a loan paid out, whose cashier and accountant are served by two processes."""

    neighbour: Neighbour
    processes: list[Client]
    checker: Client

    def receipt(self, key: str, amount: str = "100.00", **changes: Any) -> dict[str, Any]:
        return {
            "loanId": self.neighbour.loan.id, "amount": amount, "valueDate": "2026-01-18", "payerName": "王芳",
            "companyAccountId": self.neighbour.journey.account, "bankReference": f"R-{key}", "idempotencyKey": key,
        } | changes  # fmt: skip

    async def many(self, document: str, inputs: list[dict[str, Any]]) -> list[Answer]:
        """All at once, the two processes in turn."""
        ways = [self.processes[number % 2] for number in range(len(inputs))]
        return await asyncio.gather(*(way.ask(document, i=given) for way, given in zip(ways, inputs, strict=True)))

    async def count(self, table: str, where: str = "true") -> int:
        ((found,),) = await self.neighbour.sql(f"select count(*) from {table} where {where}")
        return int(found)

    async def balanced(self) -> bool:
        ((debit, credit),) = await self.neighbour.sql("select sum(debit), sum(credit) from voucher_lines")
        return bool(debit == credit > 0)


@pytest.fixture(scope="session")
async def till(new_journey: NewJourney) -> AsyncIterator[Till]:
    neighbour = await a_neighbour(new_journey)
    people = KnownPeople()
    token = people.introduce("maker", almighty(neighbour.lender, neighbour.lender.cashier))
    checker = people.introduce("checker", almighty(neighbour.lender, neighbour.lender.accountant))
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            door = neighbour.lender.platform.new_door(cap=6, patience_seconds=30)
            stack.push_async_callback(door.close)
            app = an_app(
                replace(neighbour.lender.ports, door=door),
                people,
                catalog=neighbour.lender.platform.catalog,
                requests_per_second=100_000,
            )
            clients.append(Client(await stack.enter_async_context(serving(app)), token))
        yield Till(neighbour, clients, replace(clients[0], token=checker))


def payloads(answers: list[Answer]) -> list[Any]:
    """What they answered; none may have failed."""
    assert [answer.errors for answer in answers if answer.status != 200 or answer.errors] == []
    return [value for answer in answers for value in answer.data.values()]


async def test_one_key_is_one_receipt(till: Till) -> None:
    before = await till.count("receipts")
    answers = payloads(await till.many(ENTER, [till.receipt("same")] * 50))
    assert answers[0]["receipt"]["state"] == "ENTERED"
    assert all(answer == answers[0] for answer in answers)
    assert await till.count("receipts") == before + 1


async def test_one_key_is_one_posting(till: Till) -> None:
    receipt = (await till.processes[0].run(ENTER, i=till.receipt("entered")))["receipt"]
    vouchers, given = await till.count("vouchers"), {"receiptId": receipt["id"], "idempotencyKey": "posted"}
    checkers = replace(till, processes=[replace(way, token=till.checker.token) for way in till.processes])
    answers = payloads(await checkers.many(REGISTER, [given] * 50))
    assert answers[0]["receipt"]["state"] == "REGISTERED"
    assert all(answer == answers[0] for answer in answers)
    assert await till.count("vouchers") == vouchers + 1
    assert await till.balanced()


async def test_one_key_is_one_pay_out(till: Till) -> None:
    work = till.neighbour.work["payDisbursement"]
    given = {
        "disbursementId": work["Disbursement"], "customerAccountId": work["CustomerAccount"], "amount": "100000.00",
        "companyAccountId": till.neighbour.journey.account, "valueDate": "2026-01-18", "idempotencyKey": "paid",
    }  # fmt: skip
    loans = await till.count("loans")
    answers = payloads(await till.many(PAY, [given] * 50))
    assert answers[0]["userErrors"] == []
    assert all(answer == answers[0] for answer in answers)
    await till.neighbour.journey.work()
    assert await till.count("loans") == loans + 1
    assert await till.balanced()


async def test_another_body_with_the_same_key_is_refused_and_no_key_is_malformed(till: Till) -> None:
    await till.processes[0].run(ENTER, i=till.receipt("used"))
    refused = await till.processes[1].refused(ENTER, i=till.receipt("used", "100.01"))
    assert [error["code"] for error in refused] == ["IDEMPOTENCY_KEY_REUSED"]
    without = {name: value for name, value in till.receipt("none").items() if name != "idempotencyKey"}
    assert (await till.processes[0].ask(ENTER, i=without)).codes == ["BAD_USER_INPUT"]
    other_person = replace(till.processes[0], token=till.checker.token)
    assert (await other_person.run(ENTER, i=till.receipt("used", "100.02", bankReference="R-else")))["receipt"][
        "amount"
    ] == "100.02"


async def test_different_receipts_at_once_are_all_posted(till: Till) -> None:
    amounts = [f"{100 + number}.{number:02d}" for number in range(20)]
    entered = payloads(await till.many(ENTER, [till.receipt(f"n{amount}", amount) for amount in amounts]))
    inputs = [{"receiptId": one["receipt"]["id"], "idempotencyKey": one["receipt"]["id"]} for one in entered]
    ((before,),) = await till.neighbour.sql("select sum(amount) from receipts where state = 'REGISTERED'")
    checkers = replace(till, processes=[replace(way, token=till.checker.token) for way in till.processes])
    posted = payloads(await checkers.many(REGISTER, inputs))
    assert Counter(one["receipt"]["state"] for one in posted) == {"REGISTERED": 20}
    ((after,),) = await till.neighbour.sql("select sum(amount) from receipts where state = 'REGISTERED'")
    assert after - before == sum(map(Decimal, amounts))
    for one in posted:
        kept = Decimal(one["receipt"]["unapplied"])
        used = sum(Decimal(line["amount"]) for line in one["receipt"]["allocation"])
        assert used + kept == Decimal(one["receipt"]["amount"])
    assert await till.balanced()


async def test_an_answer_that_was_lost_is_given_again(till: Till) -> None:
    before = await till.count("receipts")
    for number in range(20):
        given = till.receipt(f"lost{number}", f"{10 + number}.00")
        lost = asyncio.create_task(till.processes[0].ask(ENTER, i=given))
        await asyncio.sleep(number * 0.002)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        receipt = (await till.processes[1].run(ENTER, i=given))["receipt"]
        assert (receipt["state"], receipt["amount"]) == ("ENTERED", given["amount"])
    assert await till.count("receipts") == before + 20


async def test_a_forgotten_key_is_found_out(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(command, "_first_answer", nothing)
    monkeypatch.setattr(command, "_remember", nothing)
    answers = payloads(await till.many(ENTER, [till.receipt("forgotten")] * 3))
    assert any(answer != answers[0] for answer in answers)
