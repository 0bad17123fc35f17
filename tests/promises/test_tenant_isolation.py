"""租户隔离 · A lender's answers hold nothing of another's, whatever the request pretends (promises T1, T2)."""

from __future__ import annotations

import itertools
import json
import re
from functools import partial
from typing import Any

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import text

from domain.kernel.table import uuid7
from schema.kernel.node import global_id
from schema.root import build
from tenancy.current import Door
from tests.promises.conftest import NewJourney, a_neighbour
from tests.promises.neighbours import Neighbour
from tests.promises.timing import differs
from tests.promises.whole_schema import Leaf, Root, leaves, roots, sampling, selection, type_of, variables
from tests.support.client import Client, statements
from xiaodai.http import endpoint, visitor
from xiaodai.http.answering import Answering

SIGNATURE = re.compile(r'&until=\d+&proof=\w+|(?<="provedAt":)"[^"]*"')
"""What differs from one second to the next: a document's address, and when the open day was proved."""

# ------------------------------------------------------------------ T1: the lender comes from the session only


def forged(there: Neighbour) -> list[dict[str, Any]]:
    """Ways to pretend that the neighbour is meant, as arguments of a request."""
    code, key, token = there.lender.lender.code, str(there.lender.lender.id), there.almighty.token
    names = ("x-tenant", "x-tenant-code", "x-lender", "tenant", "x-forwarded-prefix")
    headers: dict[str, str] = dict.fromkeys(names, code) | {"x-tenant-id": key, "x-session": str(token)}
    return [
        {"headers": headers},
        {"headers": {"host": f"{code}.test", "x-forwarded-host": f"{code}.test", "origin": f"http://{code}.test"}},
        {"headers": {"cookie": f"tenant={code}; session={token}; token={token}; authorization=Bearer {token}"}},
        {"params": {"tenant": code, "x-tenant": code, "token": token, "authorization": f"Bearer {token}"}},
    ]


async def questions(here: Neighbour) -> list[tuple[str, dict[str, Any]]]:
    """Every list and other read of the API, and one object of each type by its id."""
    ids = await here.ids()
    asked = [(root.document(2), variables(root, sampling(ids))) for root in roots("Query") if root.name != "node"]
    for name in sorted(ids):
        wanted = selection(build()._schema.type_map[name], 2)
        asked.append((f"query($id: ID!) {{ node(id: $id) {{ ... on {name} {wanted} }} }}", {"id": ids[name]}))
    return asked


async def answer_of(client: Client, document: str, given: dict[str, Any], **forgery: Any) -> Any:
    headers = {"authorization": f"Bearer {client.token}", **forgery.pop("headers", {})}
    body = {"query": document, "variables": given}
    text = (await client.http.post("/graphql", json=body, headers=headers, **forgery)).text
    return json.loads(SIGNATURE.sub(lambda found: "null" if found[0].startswith('"') else "", text))


async def changed_by_forgery(here: Neighbour, there: Neighbour) -> list[str]:
    """The questions whose answer a forged request changes."""
    client, ways = here.almighty, forged(there)
    changed = []
    for document, given in await questions(here):
        honest = await answer_of(client, document, given)
        for way in ways:
            if await answer_of(client, document, given, **way) != honest:
                changed.append(f"{list(way)}: {document[:60]} {honest}")
    return changed


async def test_nothing_but_the_session_says_whose_lender_is_meant(here: Neighbour, there: Neighbour) -> None:
    assert await changed_by_forgery(here, there) == []


async def test_every_question_of_that_test_has_an_answer(here: Neighbour) -> None:
    """An answer that is empty for everybody would stay the same under any forgery."""
    empty = []
    for document, given in await questions(here):
        answer = await answer_of(here.almighty, document, given)
        (value,) = (answer["data"] or {"": None}).values()
        if not (value["nodes"] if isinstance(value, dict) and "nodes" in value else value):
            empty.append(document[:60])
    assert [one for one in empty if "{ tenants" not in one] == [], "only operators see tenants"


async def test_a_server_that_trusts_a_header_is_found_out(
    here: Neighbour, there: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = there.almighty.token
    monkeypatch.setattr(
        endpoint, "token_of", lambda http: token if "x-tenant" in http.headers else visitor.token_of(http)
    )
    assert len(await changed_by_forgery(here, there)) > 40


# ------------------------------------------------------------------ T2: an id of the neighbour's opens nothing


def id_leaves() -> list[Leaf]:
    """Subscriptions are asked over sockets: test_subscriptions.py."""
    return [leaf for root in roots("Query", "Mutation") for leaf in leaves(root) if leaf.scalar == "ID"]


def cases(leaf: Leaf, ids: dict[str, str]) -> list[str]:
    """The types whose ids are sent: of `node` each one there is."""
    return sorted(ids) if leaf.root.name == "node" else [type_of(leaf)]


def with_id(leaf: Leaf, asker: Neighbour, ids: dict[str, str], sent: str) -> dict[str, Any]:
    """Variables that are all the asker's own but for one id."""
    ours = sampling(ids | asker.work.get(leaf.root.name, {}))
    return variables(leaf.root, lambda other: sent if other.path == leaf.path else ours(other), [leaf.path])


def shape(answer: Any, sent: str) -> str:
    """An answer without what differs from one call to the next."""
    return json.dumps([answer.status, answer.body], sort_keys=True).replace(sent, "<id>")


def done(leaf: Leaf, answer: Any) -> bool:
    return leaf.root.kind == "Mutation" and not answer.errors and not answer.data[leaf.root.name]["userErrors"]


async def opened_by_a_foreign_id(here: Neighbour, there: Neighbour, chosen: list[Leaf]) -> list[str]:
    """The arguments where the neighbour's id does something, or is told from one that does not exist: by the answer, or by
    the statements behind it."""
    ours, client = await here.ids(), here.almighty
    theirs = {**await there.ids(), "Tenant": global_id("Tenant", there.lender.lender.id)}
    opened = []
    for leaf in chosen:
        for type_name in cases(leaf, ours):
            unknown, foreign, document = global_id(type_name, uuid7()), theirs[type_name], leaf.root.document()
            with statements() as usual:
                told = await client.ask(document, **with_id(leaf, here, ours, unknown))
            with statements() as sent:
                answer = await client.ask(document, **with_id(leaf, here, ours, foreign))
            if done(leaf, answer) or "INTERNAL" in answer.codes or shape(answer, foreign) != shape(told, unknown):
                opened.append(f"{leaf.name} ({type_name}): {answer.body}, not {told.body}")
            elif sent != usual:
                opened.append(f"{leaf.name} ({type_name}): {len(sent)} statements, not {len(usual)}: {sent} {usual}")
    return opened


async def test_an_id_of_the_neighbour_is_an_unknown_id(here: Neighbour, there: Neighbour) -> None:
    before = await there.fingerprint()
    assert await opened_by_a_foreign_id(here, there, id_leaves()) == []
    assert await there.fingerprint() == before


def test_only_fields_at_the_root_take_ids() -> None:
    """Or the test above would have to go deeper."""
    takes_ids = [
        f"{kind.name}.{name}"
        for kind in build()._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind.name not in ("Query", "Mutation", "Subscription")
        for name, field in kind.fields.items()
        if any(leaf.scalar == "ID" for leaf in leaves(Root(kind.name, name, field)))
    ]
    assert takes_ids == []


async def test_a_door_that_leads_to_the_neighbour_is_found_out(
    here: Neighbour, there: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = Door.enter
    monkeypatch.setattr(Door, "enter", lambda self, lender, **how: enter(self, there.lender.lender, **how))
    told = {"node.id", "loan.id", "loans.filter.customerId", "withdrawInterestWaiver.input.waiverId"}
    chosen = [leaf for leaf in id_leaves() if leaf.name in told]
    opened = await opened_by_a_foreign_id(here, there, chosen)
    assert {found.split()[0] for found in opened} == told


# ------------------------------------------------------------------ T2: nor does the time that the answer takes

TIMED = {"node.id", "loan.id", "loans.filter.customerId", "withdrawInterestWaiver.input.waiverId"}
"""A read of one, of many, and a change: all others send the same statements, so they cannot differ in time either."""


async def told_by_time(here: Neighbour, there: Neighbour, timed: set[str]) -> dict[str, list[float]]:
    """Where the neighbour's id takes another time than an unknown one: the ratios that were measured."""
    ours, theirs, client = await here.ids(), await there.ids(), here.almighty
    found = {}
    for leaf in [leaf for leaf in id_leaves() if leaf.name in timed]:
        unknown, foreign = global_id(type_of(leaf), uuid7()), theirs[type_of(leaf)]

        async def ask(sent: str, leaf: Leaf = leaf) -> None:
            await client.ask(leaf.root.document(), **with_id(leaf, here, ours, sent))

        if ratios := await differs(partial(ask, foreign), partial(ask, unknown)):
            found[leaf.name] = ratios
    return found


async def test_the_time_tells_nothing(here: Neighbour, there: Neighbour) -> None:
    assert await told_by_time(here, there, TIMED) == {}


async def test_a_server_that_looks_for_it_elsewhere_is_found_out(
    here: Neighbour, there: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that some lender has costs a query more than one that nobody has."""
    execute, foreign = Answering.execute, set((await there.ids()).values())

    async def looking_elsewhere(self: Answering, runnable: Any, asked: Any, operation: Any, event: Any = None) -> Any:
        if any(value in str(asked.variables) for value in foreign):
            async with operation.ctx.reading() as ctx:
                await ctx.connection.execute(text("select pg_sleep(0.02)"))
        return await execute(self, runnable, asked, operation, event)

    monkeypatch.setattr(Answering, "execute", looking_elsewhere)
    chosen = [leaf for leaf in id_leaves() if leaf.name in TIMED]
    assert {found.split()[0] for found in await opened_by_a_foreign_id(here, there, chosen)} == TIMED
    timed = {"loan.id", "withdrawInterestWaiver.input.waiverId"}
    ratios = await told_by_time(here, there, timed)
    assert ratios.keys() == timed
    assert all(min(measured) > 1.2 for measured in ratios.values())


def names(leaf: Leaf, answer: Any) -> bool:
    """Whether the answer says of this very value that there is no such thing."""
    (value,) = (answer.data or {"": None}).values()
    errors = value.get("userErrors", []) if isinstance(value, dict) else []
    return any(error["code"] == "NOT_FOUND" and error["field"] == list(leaf.path) for error in errors)


async def test_every_argument_of_that_test_is_read(new_journey: NewJourney) -> None:
    """Our own id in the same place is answered otherwise than an unknown one, or the unknown one is named."""
    asker = await a_neighbour(new_journey)
    ids, unread = await asker.ids(), []
    for root, group in itertools.groupby(id_leaves(), lambda leaf: leaf.root):
        client = asker.almighty_checker if root.name == "decideTask" else asker.almighty
        ours, document, told = sampling(ids | asker.work.get(root.name, {})), root.document(), []
        for leaf in group:
            unknown = global_id(type_of(leaf), uuid7())
            answer = await client.ask(document, **with_id(leaf, asker, ids, unknown))
            if not names(leaf, answer):
                told.append((leaf, shape(answer, unknown)))
        answer = await client.ask(document, **variables(root, ours, [leaf.path for leaf, _ in told]))
        unread += [f"{leaf.name}: {before[:300]}" for leaf, before in told if before == shape(answer, ours(leaf))]
    assert [one for one in unread if "tenantId" not in one] == [], "only operators reach lenders, and all of them"
