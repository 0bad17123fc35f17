"""GraphQL over HTTP: the working group's audits as a table, hostile bodies, and the headers of every answer."""

import json
from typing import Any
from uuid import UUID

import pytest

from tenancy.current import Overloaded
from tests.api.conftest import NO_PORTS, People, Small
from tests.support.client import an_app, serving

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
OK = "{ __typename }"
BROKEN = "{"
INVALID = "{ nothingHere }"
SOME_ID = "VGhpbmc6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw"
COERCION = "query ($id: ID!) { byId(id: $id) }"

# Audits of graphql-http: what is sent, which Accept, the status that must come (a set where several are right).
AUDITS: list[tuple[str, dict[str, Any] | Any, str | None, set[int]]] = [
    ("22EB accepts graphql-response+json", {"query": OK}, RESPONSE, {200}),
    ("4655 accepts json", {"query": OK}, JSON, {200}),
    ("47DE accepts */*", {"query": OK}, "*/*", {200}),
    ("80D8 assumes json", {"query": OK}, None, {200}),
    ("A5BF no body", None, RESPONSE, {400, 415}),
    ("423L no query", {"notquery": 1}, RESPONSE, {400}),
    ("LKJ0 object query", {"query": {"obj": "ect"}}, RESPONSE, {400}),
    ("LKJ1 number query", {"query": 0}, RESPONSE, {400}),
    ("LKJ2 boolean query", {"query": False}, RESPONSE, {400}),
    ("LKJ3 array query", {"query": ["array"]}, RESPONSE, {400}),
    ("34A2 string query", {"query": OK}, RESPONSE, {200}),
    ("6C00 object operationName", {"query": OK, "operationName": {"obj": "ect"}}, RESPONSE, {400}),
    ("6C01 number operationName", {"query": OK, "operationName": 0}, RESPONSE, {400}),
    ("6C02 boolean operationName", {"query": OK, "operationName": False}, RESPONSE, {400}),
    ("6C03 array operationName", {"query": OK, "operationName": ["array"]}, RESPONSE, {400}),
    ("8161 string operationName", {"query": "query Query { __typename }", "operationName": "Query"}, RESPONSE, {200}),
    ("0A48 null operationName", {"query": OK, "operationName": None}, JSON, {200}),
    ("0A49 null variables", {"query": OK, "variables": None}, JSON, {200}),
    ("0A4A null extensions", {"query": OK, "extensions": None}, JSON, {200}),
    ("4760 string variables", {"query": OK, "variables": "string"}, RESPONSE, {400}),
    ("4761 number variables", {"query": OK, "variables": 0}, RESPONSE, {400}),
    ("4762 boolean variables", {"query": OK, "variables": False}, RESPONSE, {400}),
    ("4763 array variables", {"query": OK, "variables": ["array"]}, RESPONSE, {400}),
    (
        "2EA1 map variables",
        {"query": COERCION, "variables": {"id": SOME_ID}},
        RESPONSE,
        {200},
    ),
    ("58B0 string extensions", {"query": OK, "extensions": "string"}, RESPONSE, {400}),
    ("58B1 number extensions", {"query": OK, "extensions": 0}, RESPONSE, {400}),
    ("58B3 array extensions", {"query": OK, "extensions": ["array"]}, RESPONSE, {400}),
    ("428F map extensions", {"query": OK, "extensions": {"some": "value"}}, RESPONSE, {200}),
    ("572B parsing failure as json", {"query": BROKEN}, JSON, {200}),
    ("FDE2 validation failure as json", {"query": INVALID}, JSON, {200}),
    ("7B9B coercion failure as json", {"query": COERCION, "variables": {"id": None}}, JSON, {200}),
    ("556A parsing failure", {"query": BROKEN}, RESPONSE, {400}),
    ("74FF validation failure", {"query": INVALID}, RESPONSE, {400}),
    ("86EE coercion failure", {"query": COERCION, "variables": {"id": None}}, RESPONSE, {400}),
]


@pytest.mark.parametrize(("name", "body", "accept", "statuses"), AUDITS, ids=[audit[0] for audit in AUDITS])
async def test_audit(small: Small, name: str, body: Any, accept: str | None, statuses: set[int]) -> None:
    headers = {"authorization": "Bearer as.clerk", "content-type": JSON, "accept": accept or ""}
    response = await small.http.post("/graphql", content=b"" if body is None else json.dumps(body), headers=headers)
    assert response.status_code in statuses
    assert response.headers["content-type"] == f"{RESPONSE if accept == RESPONSE else JSON}; charset=utf-8"
    found = response.json()
    if response.status_code == 200 and "failure" not in name:
        assert "errors" not in found
        assert found["data"]
    else:
        assert "data" not in found
        assert found["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "body_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json; charset=latin-1",
        "",
    ],
)
async def test_other_bodies_are_refused(small: Small, body_type: str) -> None:
    headers = {"authorization": "Bearer as.clerk", "content-type": body_type}
    response = await small.http.post("/graphql", content=json.dumps({"query": OK}), headers=headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "body_type", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
async def test_utf_8_bodies_are_read(small: Small, body_type: str) -> None:
    body = json.dumps({"query": 'mutation { signIn(name: "小贷") { thing { number } } }'}, ensure_ascii=False).encode()
    response = await small.http.post("/graphql", content=body, headers={"content-type": body_type})
    assert response.json()["data"]["signIn"]["thing"]["number"] == "小贷"


async def test_get_runs_queries_only(small: Small) -> None:
    headers = {"authorization": "Bearer as.clerk", "accept": RESPONSE}
    parameters = {"query": COERCION, "variables": '{"id":"eHg="}', "operationName": ""}
    assert (await small.http.get("/graphql", params={"query": OK}, headers=headers)).json()["data"] == {
        "__typename": "Query"
    }
    assert (await small.http.get("/graphql", params=parameters, headers=headers)).json()["errors"][0]["path"] == [
        "byId"
    ]
    refused = await small.http.get(
        "/graphql", params={"query": 'mutation { signIn(name: "x") { thing { number } } }'}, headers=headers
    )
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert "data" not in refused.json()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods(small: Small, method: str) -> None:
    response = await small.http.request(method, "/graphql", headers={"origin": "https://evil.example"})
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_what_cannot_be_accepted(small: Small) -> None:
    headers = {"authorization": "Bearer as.clerk", "accept": "text/html"}
    assert (await small.http.post("/graphql", json={"query": OK}, headers=headers)).status_code == 406


async def test_a_browser_without_a_session_sees_no_page(small: Small) -> None:
    response = await small.http.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(JSON)


HOSTILE = {
    "null": b"null",
    "array": json.dumps([{"query": OK}]).encode(),
    "string": b'"x"',
    "number": b"1e400",
    "deep": b"[" * 20_000 + b"]" * 20_000,
    "deep variables": b'{"query":"{__typename}","variables":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
    "invalid utf-8": b'{"query":"\xff\xfe"}',
    "utf-16": '{"query":"{__typename}"}'.encode("utf-16"),
    "cut": b'{"query":',
    "NaN": b'{"query":"{__typename}","variables":{"a":NaN}}',
    "empty": b"",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("token", ["as.clerk", "nobody"])
async def test_hostile_bodies(small: Small, body: bytes, token: str) -> None:
    headers = {"authorization": f"Bearer {token}", "content-type": JSON}
    response = await small.http.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_json_as_deep_as_allowed(small: Small) -> None:
    nested: Any = 1
    for _ in range(31):  # 32 with the body; the outermost of these is `variables` itself
        nested = {"a": nested}
    assert (await small.clerk.ask(OK, **nested)).status == 200
    assert (await small.clerk.ask(OK, deeper=nested)).status == 400


async def test_compressed_bodies_are_refused(small: Small) -> None:
    headers = {"content-type": JSON, "content-encoding": "gzip"}
    assert (await small.http.post("/graphql", content=b"\x1f\x8b", headers=headers)).status_code == 415


async def test_body_limit(small: Small) -> None:
    padding = 1_048_576 - len(json.dumps({"query": OK, "extensions": {"x": ""}}))
    for more, status in ((0, 200), (1, 413)):
        body = json.dumps({"query": OK, "extensions": {"x": "x" * (padding + more)}})
        headers = {"authorization": "Bearer as.clerk", "content-type": JSON}
        assert (await small.http.post("/graphql", content=body, headers=headers)).status_code == status

    async def pieces() -> Any:
        for _ in range(9):
            yield b" " * 131_072

    chunked = await small.http.post("/graphql", content=pieces(), headers=headers)
    assert chunked.status_code == 413


async def test_headers_of_every_answer(small: Small) -> None:
    for path, status in (("/graphql", 400), ("/healthz", 200), ("/nothing", 404), ("/metrics", 200)):
        response = await small.http.get(path)
        assert response.status_code == status
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "server" not in response.headers


async def test_several_operations(small: Small) -> None:
    document = "query A { a: __typename } query B { b: __typename }"
    headers = {"authorization": "Bearer as.clerk"}

    async def named(name: str | None) -> Any:
        body = {"query": document, "operationName": name}
        return (await small.http.post("/graphql", json=body, headers=headers)).json()

    assert (await named("B"))["data"] == {"b": "Query"}
    for name in (None, "C"):
        assert (await named(name))["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_subscriptions_need_a_socket(small: Small) -> None:
    answer = await small.clerk.ask("subscription { counted(to: 1) { number } }")
    assert answer.codes == ["BAD_USER_INPUT"]


FILES = [("POST", "/attachments"), ("GET", f"/documents/{UUID(int=1)}")]


@pytest.mark.parametrize(("method", "path"), FILES)
async def test_routes_for_files_have_the_limit_of_requests(method: str, path: str) -> None:
    async with serving(an_app(NO_PORTS, People(), requests_per_second=5)) as http:
        answers = [await http.request(method, path) for _ in range(7)]
    assert [answer.status_code for answer in answers].count(429) >= 1
    refused = answers[-1]
    assert (refused.json()["errors"][0]["extensions"]["code"], refused.headers["retry-after"]) == ("RATE_LIMITED", "1")


@pytest.mark.parametrize(("method", "path"), FILES)
async def test_routes_for_files_say_when_no_connection_is_free(method: str, path: str) -> None:
    class Busy(People):
        async def resolve(self, token: str) -> Any:
            raise Overloaded

    async with serving(an_app(NO_PORTS, Busy())) as http:
        answer = await http.request(method, path, headers={"authorization": "Bearer as.clerk"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
