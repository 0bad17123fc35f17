"""实际规模 · A lender of 5,000 loans as it really runs: two API processes and a worker that is killed on the way.

The database is made once and copied: in one copy the days close undisturbed and the receipts are entered afterwards; in
the other receipts come in while the lists are walked and the days close, and the worker is killed. Both end alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
from sqlalchemy import select, text

from benchmarks.lender_of_size import PASSWORD, Lent, lend
from domain import end_of_day
from domain.business_day import BusinessDay, BusinessDayState, DayStep
from domain.finance import repayment_entry, repayment_registration
from domain.kernel.context import SYSTEM, Context
from domain.kernel.ports import Ports
from domain.lending.loan.tables import Loan
from domain.organization.credential import Credential
from domain.organization.standing import actor
from schema.kernel.node import global_id
from tenancy.lender import Lender
from tests.api.processes import Process, processes
from tests.scenarios import worker_process
from tests.support.client import Client
from tests.support.lenders import Platform, business, copy_of, platform, template_with
from xiaodai.auth.sessions import Sessions
from xiaodai.auth.sign_in import Identity
from xiaodai.embedded_postgres import Addresses
from xiaodai.keys import LenderKeys

LOANS = 5000
FIRST, LAST = date(2025, 1, 1), date(2025, 1, 2)
PAID = Decimal("1.00")
SIGN_IN = "mutation ($i: SignInInput!) { signIn(input: $i) { token userErrors { code } } }"
ENTER = "mutation ($i: EnterReceiptInput!) { enterReceipt(input: $i) { receipt { id } userErrors { code field } } }"
REGISTER = """mutation ($i: ReceiptActionInput!) {
  registerReceipt(input: $i) { receipt { state } userErrors { code field } }
}"""
CLOSE = """mutation ($i: RunEndOfDayInput!) {
  runEndOfDay(input: $i) { days { date state ledgerBalanced } userErrors { code } }
}"""
FORWARD = "query ($c: String) { loans(first: 100, after: $c) { nodes { number } pageInfo { endCursor hasNextPage } } }"
BACKWARD = (
    "query ($c: String) { loans(last: 100, before: $c) { nodes { number } pageInfo { startCursor hasPreviousPage } } }"
)

# All that is known of the loans and the books, but for ids, moments and the days on which it was booked.
FIGURES = text(
    """
    with known as (
        select 'position' as what, to_jsonb(p) - 'id' - 'known_from' as row from positions p where known_to = 'infinity'
        union all
        select 'overdue', to_jsonb(o) - 'id' - 'known_from' from overdue_lines o where known_to = 'infinity'
        union all
        select 'movement', to_jsonb(m) - 'id' - 'known_from' - 'event_id' from movements m where known_to = 'infinity'
        union all select 'installment', to_jsonb(i) from installments i
        union all select 'loan', to_jsonb(l) - 'known_from' from loans l
        union all
        select 'account', jsonb_build_array(account, sum(debit - credit)) from account_days group by account
    )
    select what, count(*), md5(string_agg(row::text, '|' order by row::text)) from known group by what order by what
    """
)


def system_at(place: Platform, lender: Lender) -> Context:
    keys = LenderKeys(b"a key for personal data that is used by tests only")
    identity = Identity(place.catalog, Sessions(place.catalog, place.door))
    return Context(lender=lender, actor=SYSTEM, ports=Ports(door=place.door, keys=keys, identity=identity))


async def person(system: Context, username: str) -> Context:
    async with system.reading() as ctx:
        wanted = select(Credential.employee_id).where(Credential.username == username)
        found = await actor(ctx.connection, (await ctx.connection.execute(wanted)).scalar_one())
    assert found is not None
    return Context(lender=system.lender, actor=found, ports=system.ports)


async def figures(system: Context) -> list[tuple[Any, ...]]:
    async with system.reading() as ctx:
        return [tuple(row) for row in (await ctx.connection.execute(FIGURES)).all()]


async def loan_ids(system: Context) -> list[Any]:
    async with system.reading() as ctx:
        return list((await ctx.connection.execute(select(Loan.id).order_by(Loan.number))).scalars())


async def undisturbed(system: Context, lent: Lent, paying: list[Any]) -> list[tuple[Any, ...]]:
    """Closes the days, then enters the receipts of the first day late."""
    await end_of_day.run(system, through=LAST)
    cashier, accountant = await person(system, "cashier"), await person(system, "accountant")
    for number, loan_id in enumerate(paying):
        entry = repayment_entry.Entry(
            amount=PAID, value_date=FIRST, company_account_id=lent.company_account_id, payer_name="样本",
            bank_reference=f"BANK-{number}",
        )  # fmt: skip
        receipt = await repayment_entry.enter(cashier, loan_id=loan_id, entry=entry, idempotency_key=f"enter-{number}")
        await repayment_registration.register(accountant, receipt_id=receipt.id, idempotency_key=f"register-{number}")
    return await figures(system)


class Office:
    """The two processes, and who asks them."""

    def __init__(self, servers: list[Process], code: str) -> None:
        self.https = [server.client() for server in servers]
        for http in self.https:
            http.timeout = httpx.Timeout(90)  # the mutation waits a minute for its days
        self.code = code
        self.tokens: dict[str, str] = {}
        self.paid = 0

    async def open(self) -> None:
        for username in ("cashier", "accountant", "director"):
            wanted = {"tenant": self.code, "username": username, "password": PASSWORD}
            payload = await Client(self.https[0]).run(SIGN_IN, i=wanted)
            self.tokens[username] = payload["token"]

    def by(self, username: str, process: int) -> Client:
        return Client(self.https[process], self.tokens[username])

    async def pay(self, loan_id: Any, account_id: Any) -> None:
        """A receipt of the first day, entered at one process and registered at the other."""
        number, self.paid = self.paid, self.paid + 1
        given = {
            "loanId": global_id("Loan", loan_id), "companyAccountId": global_id("CompanyAccount", account_id),
            "amount": str(PAID), "valueDate": str(FIRST), "payerName": "样本", "bankReference": f"BANK-{number}",
            "idempotencyKey": f"enter-{number}",
        }  # fmt: skip
        entered = await self.by("cashier", number % 2).run(ENTER, i=given)
        wanted = {"receiptId": entered["receipt"]["id"], "idempotencyKey": f"register-{number}"}
        registered = await self.by("accountant", 1 - number % 2).run(REGISTER, i=wanted)
        assert registered["receipt"]["state"] == "REGISTERED"

    async def walk(self, document: str, process: int) -> list[str]:
        """The numbers of all loans, page by page."""
        numbers: list[str] = []
        cursor: str | None = None
        onward, place = ("hasNextPage", "endCursor") if "first" in document else ("hasPreviousPage", "startCursor")
        while True:
            page = (await self.by("director", process).data(document, c=cursor))["loans"]
            found = [node["number"] for node in page["nodes"]]
            numbers = numbers + found if "first" in document else found + numbers
            cursor = page["pageInfo"][place]
            if not page["pageInfo"][onward]:
                return numbers

    async def close_days(self, process: int) -> list[Any]:
        payload = await self.by("accountant", process).run(CLOSE, i={"through": str(LAST)})
        return list(payload["days"])


@asynccontextmanager
async def office(place: Platform, home: Path, code: str) -> AsyncIterator[Office]:
    with processes(place, home, 2) as servers:
        opened = Office(servers, code)
        await opened.open()
        try:
            yield opened
        finally:
            for http in opened.https:
                await http.aclose()


async def killed_on_the_way(system: Context, worker: Popen[bytes]) -> int:
    """Kills the worker once some steps of the first day are done; answers how many of a day's steps that were."""
    while True:
        async with system.reading() as ctx:
            steps = len((await ctx.connection.execute(select(DayStep.step))).all())
            days = (await ctx.connection.execute(select(BusinessDay.state).order_by(BusinessDay.date))).scalars().all()
        if steps >= 2:
            worker.kill()
            worker.wait()
            assert days[0] is BusinessDayState.CLOSING
            return steps
        await asyncio.sleep(0.01)


async def test_a_working_day_at_its_size(postgres: Addresses, tmp_path: Path) -> None:
    async with template_with(postgres, business(), "size") as template:
        lender = template.lenders["size"]
        async with platform(template.addresses, template.installation) as made:
            lent = await lend(system_at(made, lender), LOANS)
        async with copy_of(template, postgres) as calm:
            system = system_at(calm, lender)
            ids = await loan_ids(system)
            paying = ids[:: LOANS // 40]
            expected = await undisturbed(system, lent, paying)
        async with copy_of(template, postgres) as busy, office(busy, tmp_path, lender.code) as people:
            system = system_at(busy, lender)

            async def pay(loans: list[Any]) -> None:
                for loan_id in loans:
                    await people.pay(loan_id, lent.company_account_id)

            first = worker_process.start(busy, tmp_path)
            try:
                forward, backward, _ = await asyncio.gather(
                    people.walk(FORWARD, 0), people.walk(BACKWARD, 1), pay(paying[:20])
                )
                assert len(forward) == len(set(forward)) == LOANS
                assert backward == forward
                asked = asyncio.create_task(people.close_days(0))
                payments = asyncio.create_task(pay(paying[20:]))
                steps = await killed_on_the_way(system, first)
                assert steps < len(end_of_day.STEPS)
            finally:
                first.kill()
            second = worker_process.start(busy, tmp_path)
            try:
                days = await people.close_days(1)  # asked again: the killed worker's job is leased for a while
                await payments
                assert [day["state"] for day in await asked] == ["CLOSED", "CLOSED"]
            finally:
                second.terminate()
                second.wait(timeout=15)
            assert all(day["ledgerBalanced"] for day in days)
            assert people.paid == len(paying)
            assert await figures(system) == expected
