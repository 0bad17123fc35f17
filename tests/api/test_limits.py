"""Limits of a document at their value and one beyond, and documents made to keep the server busy."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from graphql import GraphQLSchema, parse

from tests.api.conftest import Small
from xiaodai.http.documents import Documents, Malformed
from xiaodai.http.limits import Limits, TooComplex


def nested(levels: int) -> str:
    """A selection of so many levels."""
    inner = "number"
    for level in range(levels - 1, 0, -1):
        inner = f"{'parts' if level > 2 else ('nodes' if level == 2 else 'things(first: 1)')} {{ {inner} }}"
    return "{ " + inner + " }"


def fragments(count: int) -> str:
    """Fragments that spread one another in a row."""
    bodies = [f"...f{number + 1}" for number in range(count - 1)] + ["slow(seconds: 0)"]
    return "{ ...f0 } " + " ".join(f"fragment f{number} on Query {{ {body} }}" for number, body in enumerate(bodies))


AT_THE_LIMIT = {
    "tokens": ("query(" + "$a: Int " * 498 + ") { slow }", "query(" + "$a: Int " * 499 + ") { slow }"),
    "aliases": (
        "{" + " ".join(f"a{n}: slow(seconds: 0)" for n in range(30)) + "}",
        "{" + " ".join(f"a{n}: slow(seconds: 0)" for n in range(31)) + "}",
    ),
    "fragments": (fragments(30), fragments(31)),
    "directives": (
        "{ slow(seconds: 0) " + "@skip(if: false) @include(if: true)" + " }",
        "{ slow(seconds: 0) " + "@skip(if: false) " * 4 + " }",
    ),
    "operations": (
        "query q0 { slow(seconds: 0) }" + "".join(f" query q{n} {{ boom }}" for n in range(1, 10)),
        "query q0 { slow(seconds: 0) }" + "".join(f" query q{n} {{ boom }}" for n in range(1, 11)),
    ),
    "repeats": ("{" + "slow(seconds: 0) " * 31 + "}", "{" + "slow(seconds: 0) " * 32 + "}"),
    "cost": (
        "{ things(first: 3) { nodes { more(first: 100) { nodes { number } edges { cursor } pageInfo { endCursor } } } } }",
        "{ things(first: 5) { nodes { more(first: 100) { nodes { number } edges { cursor } } } } }",
    ),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
async def test_at_the_limit_and_beyond(small: Small, name: str) -> None:
    within, beyond = AT_THE_LIMIT[name]
    if name == "operations":
        body = {"query": within, "operationName": "q0"}
        answer = await small.http.post("/graphql", json=body, headers={"authorization": "Bearer as.clerk"})
        assert "errors" not in answer.json()
    elif name == "tokens":  # read to its end, and found wanting
        assert (await small.clerk.ask(within)).codes == ["BAD_USER_INPUT"] * 5
    else:
        assert (await small.clerk.ask(within)).codes == []
    refused = await small.clerk.ask(beyond)
    assert refused.codes == ["QUERY_TOO_COMPLEX"]
    assert refused.data is None


def test_depth_counts_levels_through_fragments(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits())
    documents.runnable(nested(10), None)
    with pytest.raises(TooComplex):
        documents.runnable(nested(11), None)
    hidden = "{ things { nodes { ...a } } } fragment a on Thing { parts { parts { parts { parts { ...b } } } } }"
    documents.runnable(hidden + " fragment b on Thing { parts { parts { parts { number } } } }", None)
    with pytest.raises(TooComplex):
        documents.runnable(hidden + " fragment b on Thing { parts { parts { parts { parts { number } } } } }", None)


COSTS = {
    "{ slow(seconds: 0) }": 0,
    "{ things { pageInfo { endCursor } } }": 1,
    "{ things(first: 10) { nodes { number } } }": 11,
    "{ things { nodes { number } } }": 21,
    "{ things(first: 10) { edges { node { number } } } }": 21,
    "{ things(first: 2) { nodes { parts { number } } } }": 13,
    "query ($n: Int) { things(first: $n) { nodes { number } } }": 8,
    "query ($m: Int = 4) { things(first: $m) { nodes { number } } }": 5,
    "{ things(first: 2) { ...page } } fragment page on ThingConnection { nodes { more(first: 3) { nodes { number } } } }": 11,
    'mutation { signIn(name: "x") { thing { number } userErrors { code } } }': 2,
}


@pytest.mark.parametrize(("document", "cost"), COSTS.items(), ids=range(len(COSTS)))
async def test_cost_is_shown(small: Small, document: str, cost: int) -> None:
    for _ in range(3):  # the second and third from memory
        answer = await small.clerk.ask(document, n=7)
        assert answer.body["extensions"] == {"cost": cost}
        assert answer.data


async def test_cost_follows_the_variables(small: Small) -> None:
    document = "query ($n: Int) { things(first: $n) { nodes { more(first: $n) { nodes { number } } } } }"
    assert [(await small.clerk.ask(document, n=n)).body["extensions"]["cost"] for n in (1, 5, 1)] == [4, 36, 4]
    refused = await small.clerk.ask(document, n=60)
    assert refused.codes == ["QUERY_TOO_COMPLEX"]
    assert refused.body["extensions"]["cost"] == 1 + 60 * (1 + 1 + 60)


async def test_a_size_counts_however_it_is_written(small: Small) -> None:
    """100.0 is an Int to GraphQL; null is no page size, so the default of the variable does not hold."""
    document = "query ($n: Int = 1) { things(first: $n) { nodes { more(first: 30) { nodes { number } } } } }"
    assert (await small.clerk.ask(document, n=100.0)).codes == ["QUERY_TOO_COMPLEX"]
    costs = [(await small.clerk.ask(document, **given)).body["extensions"]["cost"] for given in ({}, {}, {"n": None})]
    assert costs == [1 + 32, 1 + 32, 1 + 20 * 32]


BOMBS = {
    "doubling fragments": "{ ...f0 } "
    + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(29))
    + " fragment f29 on Query { slow }",
    "ten times each": "{ ...f0 } "
    + " ".join(f"fragment f{n} on Query {{ {f'...f{n + 1} ' * 10} }}" for n in range(29))
    + " fragment f29 on Query { slow }",
    "circle": "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
    "wide": "{ " + "things { nodes { number } } " * 200 + "}",
    "names": "{ " + "__typename " * 1_900 + "}",
    "nested": "{ a " * 900 + "}" * 900,
    "lists": "{ echo(json: " + "[" * 900 + "]" * 900 + ") }",
    "unknown": "{ " + " ".join(f"u{n}" for n in range(1_900)) + "}",
    "directives": "{ slow " + " ".join(f"@d{n}" for n in range(1_000)) + "}",
    "many fragments": "{ slow } " + " ".join(f"fragment f{n} on Query {{ slow }}" for n in range(300)),
}


def quickest(act: Callable[[int], object]) -> float:
    """The processor seconds of the quickest of five runs."""
    spent = []
    for number in range(5):
        begun = time.process_time()
        act(number)
        spent.append(time.process_time() - begun)
    return min(spent)


@pytest.mark.parametrize("name", BOMBS)
def test_no_document_keeps_the_server_busy(schema: GraphQLSchema, name: str) -> None:
    """Whatever it says, it costs at most six times the reading of the longest document that is let through."""
    documents = Documents(schema, Limits())

    def answered(number: int) -> None:
        with suppress(TooComplex, Malformed):
            documents.runnable(BOMBS[name] + f" #{number}", None)

    assert quickest(answered) < 6 * quickest(lambda _: parse(BOMBS["names"]))


def test_what_was_found_is_remembered_and_forgotten(schema: GraphQLSchema) -> None:
    documents = Documents(schema, Limits())
    first = documents.runnable("{ slow }", None)
    assert documents.runnable("{ slow }", None) is first
    for number in range(600):
        documents.runnable(f"{{ slow(seconds: {number}) }}", None)
    assert documents.runnable("{ slow }", None) is not first


async def test_pages_hold_at_most_a_hundred(small: Small) -> None:
    assert (await small.clerk.ask("{ things(first: 100) { nodes { number } } }")).codes == []


async def test_introspection_is_for_those_who_may(small: Small) -> None:
    nine = "ofType { " * 9 + "name" + " }" * 9
    document = '{ __type(name: "Thing") { fields { type { ' + nine + " } } } }"
    assert (await small.admin.ask(document)).data["__type"]["fields"]
    for query in (
        document,
        "{ __schema { types { name } } }",
        "{ ...a } fragment a on Query { __schema { types { name } } }",
    ):
        assert (await small.clerk.ask(query)).codes == ["FORBIDDEN"]
        assert (await small.anonymous.ask(query)).codes == ["UNAUTHENTICATED"]
    deeper = '{ __type(name: "Thing") { fields { type { ' + "ofType { " * 13 + "name" + " }" * 13 + " } } } }"
    assert (await small.admin.ask(deeper)).codes == ["QUERY_TOO_COMPLEX"]
