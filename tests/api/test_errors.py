"""What errors tell: known codes, no insides; nothing at all to those nobody knows."""

import re

import httpx
import pytest

from tests.api.conftest import NO_PORTS, People, Small
from tests.support.client import Client, an_app, serving

LEAKS = re.compile(r"select|secret|password|Traceback|\.py|RuntimeError|/srv|Did you mean", re.IGNORECASE)


async def test_what_breaks_is_masked(small: Small) -> None:
    answer = await small.clerk.ask("{ boom slow(seconds: 0) }")
    assert (answer.status, answer.codes) == (200, ["INTERNAL"])
    assert answer.data == {"boom": None, "slow": "done"}
    assert answer.errors[0]["path"] == ["boom"]
    assert not LEAKS.search(str(answer.body))


@pytest.mark.parametrize(
    ("language", "message"), [("en", "You may not do this."), ("zh-CN", "没有权限。"), ("fr", "没有权限。")]
)
async def test_forbidden_in_the_language_asked_for(small: Small, language: str, message: str) -> None:
    client = Client(small.http, "as.clerk", language)
    answer = await client.ask("{ forbidden }")
    assert answer.codes == ["FORBIDDEN"]
    assert answer.errors[0]["message"] == message
    small.people.promote("as.clerk", "tests.thing.touch")
    assert await client.data("{ forbidden }") == {"forbidden": "seen"}


async def test_refusals_are_user_errors(small: Small) -> None:
    document = "mutation ($input: PayInput!) { pay(input: $input) { thing { number } userErrors { code field message params } } }"
    assert await small.clerk.refused(document, input={"paidAmount": "3.00"}) == [
        {
            "code": "AMOUNT_EXCEEDS_DUE",
            "field": ["input", "paidAmount"],
            "message": "3.00 is more than the 2.00 that is due.",
            "params": {"asked": "3.00", "due": "2.00"},
        }
    ]
    assert (await small.clerk.run(document, input={}))["thing"] == {"number": "paid"}
    assert (await small.clerk.ask(document, input={"paidAmount": "-1.00"})).codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("argument", "value", "shown"),
    [
        ("money", "8884.88", "8884.88"),
        ("money", "-0.00", "0.00"),
        ("money", "100", None),
        ("money", "1.234", None),
        ("money", "1e3", None),
        ("money", "NaN", None),
        ("money", "１.00", None),
        ("money", 1.25, None),
        ("money", "12345678901234567.00", None),
        ("rate", "0.12", "0.12"),
        ("rate", "1", "1"),
        ("rate", "0.123456789", None),
        ("rate", 0.12, None),
        ("day", "2026-01-31", "2026-01-31"),
        ("day", "2026-02-30", None),
        ("day", "20260131", None),
        ("day", "2026-01-31T00:00:00", None),
        ("day", 5, None),
    ],
)
async def test_scalars(small: Small, argument: str, value: object, shown: str | None) -> None:
    kind = {"money": "Money", "rate": "Rate", "day": "Date"}[argument]
    by_variable = await small.clerk.ask(f"query ($v: {kind}) {{ echo({argument}: $v) }}", v=value)
    literal = f'"{value}"' if isinstance(value, str) else value
    in_document = await small.clerk.ask(f"{{ echo({argument}: {literal}) }}")
    for answer in (by_variable, in_document):
        if shown is None:
            assert (answer.codes, answer.data) == (["BAD_USER_INPUT"], None)
        else:
            assert answer.data == {"echo": shown}


@pytest.mark.parametrize(
    ("global_id", "shown"),
    [
        ("VGhpbmc6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDBh", "00000000-0000-0000-0000-00000000000a"),
        ("T3RoZXI6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDBh", "00000000-0000-0000-0000-000000000000"),
        ("", None),
        ("x", None),
        ("VGhpbmc=", None),
        ("VGhpbmc6MQ==", None),
        ("VGhpbmc6JzsgZHJvcCB0YWJsZQ==", None),
        ("贷", None),
        ("A" * 10_000, None),
    ],
)
async def test_ids(small: Small, global_id: str, shown: str | None) -> None:
    answer = await small.clerk.ask("query ($id: ID!) { byId(id: $id) }", id=global_id)
    if shown is None:
        assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.data == {"byId": shown}


async def test_at_most_five_errors_and_no_suggestions(small: Small) -> None:
    answer = await small.clerk.ask("{ " + " ".join(f"slo{n}" for n in range(50)) + " }")
    assert answer.codes == ["BAD_USER_INPUT"] * 5
    assert not LEAKS.search(str(answer.body))
    assert (await small.clerk.ask("{ slwo boomm }")).errors[0][
        "message"
    ] == "Cannot query field 'slwo' on type 'Query'."


async def test_null_where_a_default_stands(small: Small) -> None:
    answer = await small.clerk.ask("query ($n: Int = 0) { slow(seconds: $n) }", n=None)
    assert answer.codes == ["BAD_USER_INPUT"]


ANONYMOUS = {
    "query": "{ slow }",
    "typename": "{ __typename }",
    "introspection": "{ __schema { types { name } } }",
    "syntax": "{ slow",
    "unknown field": "{ nothing }",
    "unknown mutation": "mutation { signOff }",
    "beside signIn": 'mutation { signIn(name: "x") { thing { number } } pay(input: {}) { thing { number } } }',
    "in a fragment": "mutation { ...a } fragment a on Mutation { pay(input: {}) { thing { number } } }",
    "wrong field of signIn": 'mutation { signIn(name: "x") { nothing } }',
    "wrong argument of signIn": "mutation { signIn(nam: 1) { thing { number } } }",
    "other operation": 'mutation A { signIn(name: "x") { thing { number } } } query B { slow }',
    "too many tokens": "{ " + "a " * 3_000 + "}",
    "subscription": "subscription { counted(to: 1) { number } }",
    "empty": "#",
}


@pytest.mark.parametrize("document", ANONYMOUS.values(), ids=ANONYMOUS)
@pytest.mark.parametrize("token", [None, "as.nobody", "x" * 5_000])
async def test_nobody_learns_anything(small: Small, document: str, token: str | None) -> None:
    answer = await Client(small.http, token).ask(document)
    assert answer.status == 401
    assert answer.body == {"errors": [{"message": "Sign in first.", "extensions": {"code": "UNAUTHENTICATED"}}]}


async def test_anybody_may_sign_in(small: Small) -> None:
    document = "mutation ($n: String!) { signIn(name: $n) { thing { number } } }"
    assert (await small.anonymous.run(document, n="me"))["thing"] == {"number": "me"}


async def test_an_operation_over_its_time(small: Small) -> None:
    answer = await small.clerk.ask("{ slow }")
    assert (answer.status, answer.codes, answer.data) == (200, ["TIMEOUT"], None)
    worked = await small.clerk.run("mutation { longWork(seconds: 1) { thing { number } userErrors { code } } }")
    assert worked["thing"] == {"number": "worked"}


async def test_overload_is_said_at_once(small: Small) -> None:
    answer = await small.clerk.ask("{ busy }")
    assert (answer.status, answer.codes, answer.headers["retry-after"]) == (503, ["OVERLOADED"], "1")
    assert "data" not in answer.body


async def ask_often(http: httpx.AsyncClient, count: int, document: str, token: str | None = None) -> list[int]:
    client = Client(http, token)
    return [(await client.ask(document)).status for _ in range(count)]


async def test_rates(schema: object) -> None:
    app = an_app(NO_PORTS, People(), schema=schema, requests_per_second=20, signins_per_minute=25)  # type: ignore[arg-type]
    sign_in = 'mutation { signIn(name: "x") { thing { number } } }'
    async with serving(app) as http:
        assert await ask_often(http, 20, sign_in) == [200] * 20
        assert (await ask_often(http, 30, "{ slow(seconds: 0) }", "as.clerk")).count(429) >= 1
        refused = await Client(http, "as.clerk").ask("{ slow(seconds: 0) }")
        assert (refused.status, refused.codes, refused.headers["retry-after"]) == (429, ["RATE_LIMITED"], "1")
        assert (await Client(http, "as.admin").ask("{ slow(seconds: 0) }")).status == 200  # each for themselves


async def test_sign_ins_have_their_own_measure(schema: object) -> None:
    app = an_app(NO_PORTS, People(), schema=schema, signins_per_minute=25)  # type: ignore[arg-type]
    sign_in = 'mutation { signIn(name: "x") { thing { number } } }'
    async with serving(app) as http:
        assert await ask_often(http, 26, sign_in) == [200] * 25 + [429]
        assert (await Client(http, "as.clerk").ask(sign_in)).status == 429
        assert (await Client(http, "as.clerk").ask("{ slow(seconds: 0) }")).status == 200
