"""审计 · Every change leaves its trace, every refusal too, and no trace can be altered unseen (promise Z7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.kernel import audit
from tests.acceptance.journey import Journey
from tests.promises.conftest import NewJourney
from tests.promises.neighbours import Neighbour, busy_day
from tests.support.actors import LenderAtWork
from tests.support.client import Answer, Client
from tests.support.database import sql

COUNTS = """select (select count(*) from audit_entries where actor_kind = 'STAFF' and request_id <> ''),
                   (select count(*) from guard_log where severity = 'REFUSE')"""


class Counting:
    """Counts what mutations came to, as their clients saw it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done = self.refused = 0
        ask = Client.ask

        async def counted(client: Client, document: str, **variables: Any) -> Answer:
            answer = await ask(client, document, **variables)
            if document.startswith("mutation") and not answer.errors:
                (payload,) = answer.data.values()
                self.refused += bool(payload["userErrors"])
                self.done += not payload["userErrors"]
            return answer

        monkeypatch.setattr(Client, "ask", counted)


async def refusals(journey: Journey, neighbour: Neighbour) -> None:
    """Some of each kind: rules of a field, of a state, of an amount."""
    loan = neighbour.loan
    await journey.refused(
        "account_manager", "submitLoanApplication", "application { id }", applicationId=loan.application
    )
    waiver = {"loanId": loan.id, "component": "INTEREST", "reason": "住院"}
    await journey.refused("account_manager", "requestInterestWaiver", "waiver { id }", **waiver, amount="99999999.00")
    role = {"code": "X", "name": "甲", "permissions": ["no.such.thing"], "dataScope": "SELF"}
    await journey.refused("tenant_admin", "createRole", "role { id }", **role)


async def test_as_many_traces_as_changes(new_journey: NewJourney, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    journey = await new_journey()
    neighbour = Neighbour(journey, *await busy_day(journey))
    await refusals(journey, neighbour)
    assert counting.done > 50
    assert counting.refused == 3
    (traces,) = await neighbour.sql(COUNTS)
    assert tuple(traces) == (counting.done, counting.refused)


async def sealed(lender: LenderAtWork) -> None:
    """Seals what there is, as soon as no older transaction on the server, whoever's, can still precede it."""
    async with asyncio.timeout(20):
        while True:
            async with lender.system.writing() as ctx:
                if await audit.seal(ctx):
                    return
            await asyncio.sleep(0.05)


ALTERED = {
    "actor_name": "'somebody else'", "actor_id": "gen_random_uuid()", "at": "at - interval '1 day'", "ip": "'192.0.2.9'",
    "business_date": "business_date - 1", "permission": "'x.y.z'", "changes": "'[]'", "subject_id": "gen_random_uuid()",
}  # fmt: skip


async def test_an_altered_trace_breaks_its_seal(new_journey: NewJourney) -> None:
    """Whatever is altered; what is put back is whole again."""
    journey = await new_journey()
    lender = journey.lender
    for name in ("王一", "王二", "王三"):
        await journey.customer(name)
        await sealed(lender)
    async with lender.system.reading() as ctx:
        assert await audit.broken_seals(ctx) == []
    schema, broken = lender.lender.schema, {}
    where = f"where id = (select last_id from {schema}.audit_seals where number = 2)"
    sql(lender.platform.addresses, f"create table {schema}.kept as select * from {schema}.audit_entries {where};")
    for column, value in ALTERED.items():
        sql(lender.platform.addresses, f"update {schema}.audit_entries set {column} = {value} {where};")
        async with lender.system.reading() as ctx:
            broken[column] = await audit.broken_seals(ctx)
        back = f"update {schema}.audit_entries set {column} = (select {column} from {schema}.kept) {where};"
        sql(lender.platform.addresses, back)
    assert broken == {column: [2] for column in ALTERED}


async def test_a_trace_taken_away_breaks_its_seal(new_journey: NewJourney) -> None:
    journey = await new_journey()
    lender = journey.lender
    await journey.customer("王一")
    await sealed(lender)
    sql(lender.platform.addresses, f"delete from {lender.lender.schema}.audit_entries where actor_kind = 'STAFF';")
    async with lender.system.reading() as ctx:
        assert await audit.broken_seals(ctx) == [1]


@pytest.mark.parametrize("statement", ["update audit_entries set actor_name = 'x'", "delete from guard_log"])
async def test_the_program_itself_cannot_alter_a_trace(here: Neighbour, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with here.lender.system.writing() as ctx:
            await ctx.connection.exec_driver_sql(statement)
