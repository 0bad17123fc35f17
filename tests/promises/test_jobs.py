"""后台任务 · A job says whose it is and who asked for it, and does nothing to anybody else, killed or not (promise T8).

One worker works for two lenders in turn, a job each, and is killed on the way again and again; in the end each has what the
same story leaves at a lender who is alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import end_of_day
from domain.finance.payment import BankOrder
from domain.kernel.clock import machine_now
from domain.kernel.context import Context
from domain.kernel.job import HANDLERS, Job, JobState, enqueue
from domain.kernel.table import uuid7
from gateways.bank.port import PaymentOrder, PaymentResult, PaymentStatus
from tenancy.naming import quote
from tests.acceptance.journey import Journey
from tests.promises.conftest import NewJourney
from tests.promises.neighbours import OPENED, Neighbour
from tests.support.database import sql
from tests.support.kills import Killed, killed_before
from xiaodai.jobs import queue
from xiaodai.jobs.queue import FOREIGN, Claimed, run_due

THROUGH = OPENED + timedelta(days=33)
"""The first installments are overdue by then."""
NEVER = 10**9


@dataclass
class Work:
    """A lender with pay-outs handed to the bank and not carried out."""

    lender: Neighbour

    @property
    def system(self) -> Context:
        return self.lender.lender.system

    async def ask_for_days(self, through: date = THROUGH) -> None:
        """The accountant wants the days closed."""
        await end_of_day.request(self.lender.lender.accountant, through=through)

    async def waiting(self) -> bool:
        """Whether jobs are left; those that wait for a moment, or for the end of a lease, are due now."""
        async with self.system.writing() as ctx:
            due = update(Job).where(Job.state == JobState.WAITING).values(due_at=machine_now() - timedelta(seconds=1))
            return bool((await ctx.connection.execute(due)).rowcount)

    async def jobs(self) -> list[Any]:
        return await self.lender.lender.rows(Job)

    async def outcome(self) -> dict[str, Counter[Any]]:
        """Every table without what differs between two lenders who did the same: ids, moments, hashes, the lender's name."""
        at = self.lender.lender.lender
        tables: dict[str, list[str]] = {}
        for row in await self.lender.sql(COLUMNS.format(schema=at.schema)):
            if row.table_name == "audit_seals":  # how many rows a seal takes hangs on what else the server is doing
                continue
            compared = row.data_type in COMPARED and row.column_name not in OF_EACH_RUN
            tables.setdefault(row.table_name, []).extend([row.column_name] if compared else [])
        whole = " union all ".join(f"select '{name}', to_jsonb(t) from {quote(name)} t" for name in tables)
        found: dict[str, Counter[Any]] = {name: Counter() for name in tables}
        for name, row in await self.lender.sql(whole):
            found[name][tuple(str(row[column]).replace(at.name, "") for column in tables[name])] += 1
        return found


COLUMNS = """select table_name, column_name, data_type from information_schema.columns
 where table_schema = '{schema}' order by 1, 2"""
COMPARED = ("character varying", "text", "numeric", "integer", "bigint", "date", "boolean")
OF_EACH_RUN = ("attempts", "key", "request_id", "input_hash", "sha256", "size", "bank_reference")
"""How often a job was begun, what each call makes anew, files, and what the one bank of all lenders numbers through."""


async def story(journey: Journey, *borrowers: str, amount: str) -> Work:
    """Pay-outs of this amount to these people, up to the cashier's order."""
    for name in borrowers:
        customer = await journey.customer(name)
        account = await journey.customer_account(customer, name)
        contract = await journey.signed(await journey.approved(customer, amount=amount))
        disbursement = contract["disbursements"][0]["id"]
        await journey.act("accountant", "reviewDisbursement", "disbursement { id }", disbursementId=disbursement)
        await journey.pay(disbursement, account, amount)
    return Work(Neighbour(journey, None, {}))  # type: ignore[arg-type]


async def ours(new_journey: NewJourney) -> Work:
    return await story(await new_journey(), "王芳", "刘强", amount="100000.00")


async def theirs(new_journey: NewJourney) -> Work:
    return await story(await new_journey(), "乙某", amount="70000.00")


async def alternating(*works: Work, kills: Iterator[int] = iter(())) -> int:
    """One worker, one job of each in turn, until nothing is left, killed before the statements that `kills` says; answers
    how often it was killed."""
    killed = 0
    for _ in range(500):
        if not any([await work.waiting() for work in works]):
            return killed
        for work in works:
            try:
                with killed_before(next(kills, NEVER)):
                    await run_due(work.system, HANDLERS, most=1)
            except Killed:
                killed += 1
    raise AssertionError("it does not come to an end")


async def lived(*works: Work, kills: int = 0) -> int:
    """The bank's word on the pay-outs, then the days; killed up to so many times in each of the two."""
    killed = await alternating(*works, kills=statements_of_death(kills))
    for work in works:
        await work.ask_for_days()
    return killed + await alternating(*works, kills=statements_of_death(kills))


def statements_of_death(count: int) -> Iterator[int]:
    chance = random.Random(8)
    return iter([chance.randrange(3, 70) for _ in range(count)])


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Tables that differ, and a row of each."""
    return [
        f"{name}: {(one[name] - other[name]) or (other[name] - one[name])}"[:400]
        for name in one
        if one[name] != other[name]
    ]


async def test_a_worker_killed_between_two_lenders_leaves_each_as_if_alone(new_journey: NewJourney) -> None:
    alone, first, second = await ours(new_journey), await ours(new_journey), await theirs(new_journey)
    assert await lived(alone) == 0
    assert await lived(first, second, kills=16) > 16
    expected, others = await alone.outcome(), await second.outcome()
    assert {name: expected[name].total() for name in ("loans", "alerts", "business_days")} == {
        "loans": 2, "alerts": 2, "business_days": 35,
    }  # fmt: skip
    assert differences(expected, await first.outcome()) == []
    assert {"loans", "vouchers", "alerts"} & {one.split(":")[0] for one in differences(expected, others)}
    assert not any("乙某" in str(rows) for rows in (await first.outcome()).values())


async def test_a_job_says_whose_it_is_and_who_asked(new_journey: NewJourney) -> None:
    work = await theirs(new_journey)
    await work.ask_for_days()
    people = work.lender.lender
    assert {(job.handler, job.lender_id, job.actor_id) for job in await work.jobs()} == {
        ("finance.disbursement.settle", people.lender.id, people.cashier.actor.id),
        ("end_of_day.close", people.lender.id, people.accountant.actor.id),
    }


# ---------------------------------------------------------------- jobs in the wrong place


@dataclass
class Bank:
    """Pays everything, and remembers it."""

    paid: list[str] = field(default_factory=list)

    async def query(self, _reference: str) -> PaymentResult | None:
        return None

    async def pay(self, order: PaymentOrder) -> PaymentResult:
        self.paid.append(order.payee_name)
        return PaymentResult(reference=order.reference, status=PaymentStatus.PAID)


@dataclass
class Strayed:
    """Our lender, and a neighbour whose jobs got into our schema; a bank that both use."""

    here: Work
    there: Work
    bank: Bank = field(default_factory=Bank)

    async def work(self) -> None:
        """A worker does everything that waits here."""
        system = self.here.system
        wired = replace(system, ports=replace(system.ports, bank=self.bank))
        while await self.here.waiting():
            await run_due(wired, HANDLERS, most=50)

    async def copied(self) -> None:
        """All jobs of the neighbour's, row by row."""
        ours, theirs = (quote(work.lender.lender.lender.schema) for work in (self.here, self.there))
        sql(self.here.lender.lender.platform.addresses, f"insert into {ours}.jobs select * from {theirs}.jobs;")

    async def outcomes(self) -> list[dict[str, Counter[Any]]]:
        """Of both, without the rows of the jobs themselves."""
        found = [await work.outcome() for work in (self.here, self.there)]
        return [{name: rows for name, rows in one.items() if name != "jobs"} for one in found]


@pytest.fixture
async def strayed(new_journey: NewJourney) -> Strayed:
    """Nothing is left to do here; the neighbour has a pay-out and days to close."""
    both = Strayed(await story(await new_journey(), "王芳", amount="100000.00"), await theirs(new_journey))
    await both.work()
    both.bank.paid.clear()
    await both.there.ask_for_days()
    return both


async def test_a_job_of_another_lender_is_given_up_before_it_begins(
    strayed: Strayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await strayed.outcomes()
    await strayed.copied()
    await strayed.work()
    given_up = [job for job in await strayed.here.jobs() if job.lender_id != strayed.here.system.lender.id]
    assert [(job.state, job.attempts, job.error) for job in given_up] == [(JobState.FAILED, 1, FOREIGN)] * 2
    assert (await strayed.outcomes(), strayed.bank.paid) == (before, [])
    assert {job.state for job in await strayed.there.jobs()} == {JobState.WAITING}

    # The control: a worker that does not look whose a job is.
    claim = queue.claim

    async def blindly(ctx: Context) -> Claimed | None:
        job = await claim(ctx)
        return replace(job, lender_id=ctx.lender.id) if job else None

    monkeypatch.setattr(queue, "claim", blindly)
    monkeypatch.setattr(queue, "MOST_ATTEMPTS", 1)
    await strayed.here.lender.sql(f"update jobs set state = 'WAITING', attempts = 0 where error = '{FOREIGN}'")
    await strayed.work()
    (after, _) = await strayed.outcomes()
    assert any(one.startswith("business_days") for one in differences(after, before[0])), "they closed our days"


async def test_an_object_of_another_lender_stops_the_job(strayed: Strayed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_ATTEMPTS", 2)
    (order,) = await strayed.there.lender.lender.rows(BankOrder)
    before = await strayed.outcomes()

    async def work_on_it() -> str:
        """A job of our own about an order of the neighbour's; answers what became of it."""
        key = f"bank_order/{order.id}/{uuid7()}"
        async with strayed.here.system.writing() as ctx:
            await enqueue(ctx, "finance.disbursement.settle", key, order_id=order.id)
        await strayed.work()
        (job,) = [job for job in await strayed.here.jobs() if job.key == key]
        return f"{job.state} {job.attempts} {job.error}"

    assert await work_on_it() == "FAILED 2 NoResultFound"
    assert (await strayed.outcomes(), strayed.bank.paid) == (before, [])

    # The control: orders looked up at whichever lender has them, as one table for all lenders would do it.
    settle, there = HANDLERS["finance.disbursement.settle"], strayed.there.system

    async def anywhere(ctx: Context, payload: dict[str, Any]) -> Any:
        return await settle(replace(there, ports=ctx.ports), payload)

    monkeypatch.setitem(HANDLERS, "finance.disbursement.settle", anywhere)
    assert await work_on_it() == "DONE 1 None"
    assert strayed.bank.paid == ["乙某"]
    assert await strayed.outcomes() != before
