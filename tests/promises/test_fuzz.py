"""乱输入 · Whatever is sent, the server answers with a known code, and tells nothing of its insides (promises L5, Z8)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.home import message, statistics
from domain.kernel.context import Context
from schema.kernel.node import global_id
from schema.kernel.user_error import ErrorCode
from schema.root import build
from tests.promises.conftest import NewJourney, a_neighbour
from tests.promises.neighbours import Neighbour, almighty
from tests.promises.sockets import Sockets
from tests.promises.whole_schema import Leaf, Root, leaves, roots, sampling, variables
from tests.support.client import Answer

CODES = {"UNAUTHENTICATED", "FORBIDDEN", "BAD_USER_INPUT", "RATE_LIMITED", "QUERY_TOO_COMPLEX", "TIMEOUT", "OVERLOADED"}
INSIDES = re.compile(
    r"Traceback|\.py\b|sqlalchemy|asyncpg|psycopg|/home/|/srv|<class|object at 0x|\bdomain\.|resolvers\.", re.I
)
ASKED = [root for root in roots("Query", "Mutation") if root.name not in ("signIn", "signOut", "runEndOfDay")]
"""`runEndOfDay` waits for a job that nobody carries out here; the sessions' own fields have tests of their own."""
EACH = 12
TEXTS = [
    "",
    " ",
    "\x00",
    "\u202e",
    "';--",
    '"',
    "%",
    "_",
    "\\",
    "NULL",
    "a" * 5_000,
    "𝒳👩‍👩‍👧",
    "０",
    "\r\n",
    "${1}",
    "../../x",
]
NUMBERS = [0, -1, 2**31 - 1, -(2**31), 2**31, 2**63, 10**30]
HOSTILE: dict[str, list[Any]] = {
    "String": TEXTS,
    "ID": [*TEXTS, global_id("Loan", "0"), global_id("Nothing", "00000000-0000-0000-0000-000000000000"), 5],
    "Int": [*NUMBERS, 1.5, "1"],
    "Boolean": [True, False, "true"],
    "Money": ["0.00", "-0.01", "9999999999999999.99", "0.01", "1e9", "NaN", "1.000", 1],
    "Rate": ["0", "-1", "9999", "0.00000001", "9999.99999999", "1e-9", "inf"],
    "Date": ["0001-01-01", "9999-12-31", "2026-02-29", "1900-01-01", "20260101", "", 5],
    "DateTime": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now"],
    "JSON": [None, [], {}, "x", 10**30, [[[]]], {"a": {"b": [1, None]}}, -1.5, True],
    "Cursor": TEXTS,
}


def insides(answer: Answer) -> list[str]:
    """What an answer shows that it must not."""
    found = [] if answer.status in (200, 400, 401, 403) else [f"HTTP {answer.status}"]
    found += [code for code in answer.codes if code not in CODES]
    for value in (answer.data or {}).values():
        errors = value.get("userErrors", []) if isinstance(value, dict) else []
        found += [error["code"] for error in errors if error["code"] not in ErrorCode.__members__]
    return found + INSIDES.findall(str(answer.errors))


def values(leaf: Leaf, ours: Any) -> st.SearchStrategy[Any]:
    """Something plausible most of the time, so that the request gets far; else something hostile."""
    kind = build()._schema.type_map[leaf.scalar]
    hostile = [*kind.values, "NOTHING", ""] if isinstance(kind, GraphQLEnumType) else HOSTILE[leaf.scalar]
    return st.one_of(*[st.builds(ours, st.just(leaf))] * 3, st.sampled_from(hostile), st.text(max_size=40))


@st.composite
def inputs(draw: st.DrawFn, root: Root, ids: dict[str, str]) -> dict[str, Any]:
    """Variables of a root field, with any of its optional arguments."""
    ours, every = sampling(ids), [leaf.path for leaf in leaves(root)]
    chosen = draw(st.lists(st.sampled_from(every), unique=True, max_size=6)) if every else []
    return variables(root, lambda leaf: draw(values(leaf, ours)), chosen)


def drawn(strategy: st.SearchStrategy[Any], most: int) -> list[Any]:
    """The same examples in every run."""
    examples: list[Any] = []
    quiet = settings(
        max_examples=most, phases=[Phase.generate], database=None, derandomize=True, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    quiet(given(strategy)(lambda example: examples.append(example)))()  # a function of its own, for Hypothesis
    return examples


async def test_nothing_breaks_and_nothing_shows(new_journey: NewJourney) -> None:
    target = await a_neighbour(new_journey)
    client, ids = target.almighty, await target.ids()
    found = []
    for root in ASKED:
        for sent in drawn(inputs(root, ids | target.work.get(root.name, {})), EACH):
            if wrong := insides(await client.ask(root.document(2), **sent)):
                found.append(f"{root.name} {wrong}: {str(sent)[:600]}")
    assert found == []


async def over_a_socket(target: Neighbour, sockets: Sockets, ctx: Context) -> list[str]:
    """What subscriptions show that they must not: in what ends them, or by what they do to the socket."""
    ids, found = await target.ids(), []
    async with sockets.line(ctx) as line:
        for root in roots("Subscription"):
            sent = drawn(inputs(root, ids), EACH)
            heard = [await line.subscribe(root.document(2), **given) for given in sent]
            await line.quiet()
            for given, one in zip(sent, heard, strict=True):
                if wrong := insides(Answer(200, {"errors": one.errors}, httpx.Headers())):
                    found.append(f"{root.name} {wrong}: {str(given)[:600]}")
            await line.leave()
        if not await line.answers():
            found.append("the socket is closed")
    return found


async def test_subscriptions_neither(new_journey: NewJourney, sockets: Sockets) -> None:
    target = await a_neighbour(new_journey)
    ctx = almighty(target.lender, target.lender.account_manager)
    assert await over_a_socket(target, sockets, ctx) == []


async def test_a_subscription_that_breaks_is_found_out(
    here: Neighbour, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("select secret from x")

    monkeypatch.setattr(statistics, "of_day", broken)
    found = await over_a_socket(here, sockets, almighty(here.lender, here.lender.account_manager))
    assert found
    assert all(one.startswith("statisticsChanged ['INTERNAL']") for one in found)


async def test_a_field_that_breaks_is_found_out(here: Neighbour, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_ctx: Any) -> int:
        raise RuntimeError("select secret from x")

    monkeypatch.setattr(message, "unread_count", broken)
    assert insides(await here.almighty.ask("{ unreadMessageCount }")) == ["INTERNAL"]
