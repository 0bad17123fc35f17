"""One operation over a real lender: one snapshot, one statement for each relation, what a payload sees, ids of others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema

from domain.kernel.context import Request
from domain.organization import department
from domain.organization.department import Department
from resolvers.kernel import Info, Operation, reads
from schema.kernel.node import global_id
from schema.root import assemble
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api, KnownPeople, an_app, serving, statements

TREE = "{ departments { name parent { name } children { name parent { name } head { name } } } }"
CREATE = """
mutation ($code: String!) {
  createDepartment(input: {code: $code, name: $code}) {
    department { id name parent { children { code } } }
    userErrors { code field }
  }
}
"""


def operation_of(lender: LenderAtWork, name: str = "tenant_admin") -> Operation:
    caller: Any = SimpleNamespace(lender=lender.lender, actor=getattr(lender, name).actor)
    return Operation(lender.ports, Request(), caller)


async def names(operation: Operation) -> list[str]:
    ctx = await operation.reading()
    return [row.name for row in await department.tree(ctx, columns=Department.__table__.c)]


async def test_more_rows_are_not_more_statements(api: Api, lender: LenderAtWork) -> None:
    admin = api.as_("tenant_admin")
    counts = []
    for round_ in range(3):
        with statements() as seen:
            await admin.data(TREE)
        counts.append(len(seen))
        for number in range(3):
            await department.create(lender.tenant_admin, code=f"D{round_}{number}", name="x")
    assert counts == [counts[0]] * 3


async def test_all_of_one_operation_is_of_one_moment(lender: LenderAtWork) -> None:
    async with operation_of(lender) as operation:
        before = await names(operation)
        await department.create(lender.tenant_admin, code="NEW", name="新部门")
        assert await names(operation) == before
        await operation.drop_snapshot()
        assert sorted([*before, "新部门"]) == sorted(await names(operation))


async def test_many_that_read_at_once_share_one_snapshot(lender: LenderAtWork) -> None:
    async with operation_of(lender) as operation:
        found = await asyncio.gather(*(operation.reading() for _ in range(10)))
        assert all(ctx is found[0] for ctx in found)


async def test_a_payload_leads_to_what_was_committed(api: Api) -> None:
    admin = api.as_("tenant_admin")
    made = await admin.run(CREATE, code="A1")
    assert "A1" in [child["code"] for child in made["department"]["parent"]["children"]]
    twice = """mutation {
      a: createDepartment(input: {code: "B1", name: "b"}) { department { parent { children { code } } } }
      b: createDepartment(input: {code: "B2", name: "b"}) { department { parent { children { code } } } }
    }"""
    both = await admin.data(twice)
    seen = {name: {child["code"] for child in both[name]["department"]["parent"]["children"]} for name in "ab"}
    assert seen["b"] - seen["a"] == {"B2"}


async def test_a_refusal_changes_nothing_and_says_where(api: Api, lender: LenderAtWork) -> None:
    admin = api.as_("tenant_admin")
    await admin.run(CREATE, code="TWICE")
    (error,) = await admin.refused(CREATE, code="TWICE")
    assert (error["code"], error["field"]) == ("DUPLICATE", ["input", "code"])
    assert len(await lender.rows(Department, Department.code == "TWICE")) == 1
    assert (await api.as_("cashier").ask(CREATE, code="X")).codes == ["FORBIDDEN"]


async def test_ids_of_others_are_unknown_ids(
    api: Api, place: Any, ports: Any, blueprint: Any, lender: LenderAtWork
) -> None:
    other = await a_lender(place, ports, blueprint)
    foreign = (await other.rows(Department))[0].id
    own = (await lender.rows(Department))[0].id
    admin = api.as_("tenant_admin")
    document = "query ($id: ID!) { node(id: $id) { __typename id } }"

    async def looked_up(kind: str, key: object) -> Any:
        answer = await admin.ask(document, id=global_id(kind, str(key)))
        return answer.body

    found = await looked_up("Department", own)
    assert found["data"]["node"] == {"__typename": "Department", "id": global_id("Department", own)}
    unknown = await looked_up("Department", "01900000-0000-7000-8000-000000000000")
    assert unknown["data"] == {"node": None}
    assert "errors" not in unknown
    for kind, key in (("Department", foreign), ("Employee", own), ("Nothing", own)):
        assert await looked_up(kind, key) == unknown
    assert (await admin.ask(document, id="x")).codes == ["BAD_USER_INPUT"]
    write = 'mutation ($id: ID!) { createDepartment(input: {code: "F", name: "f", parentId: $id}) { userErrors { code field } } }'
    for key in (foreign, "01900000-0000-7000-8000-000000000000"):
        (error,) = await admin.refused(write, id=global_id("Department", str(key)))
        assert error == {"code": "NOT_FOUND", "field": ["input", "parentId"]}


@strawberry.type
class SleepyQueries:
    @reads(signed_in=True)
    async def asleep(self, info: Info, seconds: int) -> int:
        """睡 Sleeps in the database."""
        ctx = await info.context.reading()
        await ctx.connection.exec_driver_sql(f"select pg_sleep({seconds})")
        return seconds


@pytest.fixture
def sleepy() -> GraphQLSchema:
    module: Any = SimpleNamespace(__name__=SleepyQueries.__module__, SleepyQueries=SleepyQueries)
    return assemble([module], [])._schema


async def test_after_a_timeout_the_next_one_is_well(lender: LenderAtWork, sleepy: GraphQLSchema) -> None:
    sessions = KnownPeople()
    app = an_app(lender.ports, sessions, schema=sleepy, operation_seconds=0.3)
    async with serving(app) as http:
        cashier = Api(http, sessions, lender).as_("cashier")
        late = await asyncio.gather(*(cashier.ask("{ asleep(seconds: 5) }") for _ in range(4)))
        assert [answer.codes for answer in late] == [["TIMEOUT"]] * 4
        assert await cashier.data("{ asleep(seconds: 0) }") == {"asleep": 0}
    async with lender.system.reading() as ctx:
        waiting = "select count(*) from pg_stat_activity where usename = current_user and state <> 'idle' and pid <> pg_backend_pid()"
        assert (await ctx.connection.exec_driver_sql(waiting)).scalar_one() == 0


async def test_when_all_connections_are_taken(lender: LenderAtWork, sleepy: GraphQLSchema) -> None:
    sessions = KnownPeople()
    door = lender.platform.new_door(cap=2, per_lender=2, patience_seconds=0.2)
    app = an_app(replace(lender.ports, door=door), sessions, schema=sleepy, operation_seconds=3)
    try:
        async with serving(app) as http:
            cashier = Api(http, sessions, lender).as_("cashier")
            answers = await asyncio.gather(*(cashier.ask("{ asleep(seconds: 1) }") for _ in range(6)))
            assert sorted(answer.status for answer in answers) == [200] * 2 + [503] * 4
            assert {code for answer in answers for code in answer.codes} == {"OVERLOADED"}
            assert await cashier.data("{ asleep(seconds: 0) }") == {"asleep": 0}
    finally:
        await door.close()


async def test_a_revoked_token_is_refused(api: Api, lender: LenderAtWork) -> None:
    cashier = api.as_("cashier")
    assert (await cashier.data("{ viewer { employee { name } } }"))["viewer"]
    api.sessions.revoke(cashier.token or "")
    assert (await cashier.ask("{ viewer { employee { name } } }")).status == 401


async def test_a_suspension_ends_what_runs(lender: LenderAtWork, sleepy: GraphQLSchema) -> None:
    sessions = KnownPeople()
    catalog = lender.platform.catalog
    app = an_app(lender.ports, sessions, catalog=catalog, schema=sleepy, operation_seconds=30)
    async with serving(app) as http:
        cashier = Api(http, sessions, lender).as_("cashier")
        running = asyncio.create_task(cashier.ask("{ asleep(seconds: 7) }"))
        await asyncio.sleep(0.3)
        await catalog.suspend(lender.lender.id)
        async with asyncio.timeout(5):
            answer = await running
        assert (answer.codes, answer.data) == (["UNAUTHENTICATED"], None)
        await catalog.resume(lender.lender.id)
