"""GraphQL over HTTP · POST and GET of one operation, by the specification of the GraphQL-over-HTTP working group.

`application/graphql-response+json` tells errors by status; `application/json` answers 200 to every well-formed request,
but for those that are refused at the door (401, 429, 503). No batching, no form, multipart or text bodies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.kernel.refusals import Language
from tenancy.current import Overloaded
from xiaodai.http.answering import Answer, Answering, Asked, WrongMethod
from xiaodai.http.entrance import Entrance
from xiaodai.http.errors import plain_error
from xiaodai.http.negotiation import GRAPHQL_RESPONSE, JSON_TYPE, acceptable, body_type_is_json
from xiaodai.http.rates import Rates, TooMany
from xiaodai.http.visitor import token_of, visit

JSON_DEPTH = 32
STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "RATE_LIMITED": 429,
    "OVERLOADED": 503,
    "BAD_USER_INPUT": 400,
    "QUERY_TOO_COMPLEX": 400,
}
AT_THE_DOOR = ("UNAUTHENTICATED", "RATE_LIMITED", "OVERLOADED")


class BadRequest(Exception):
    """The request is not one of GraphQL over HTTP."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class Endpoint:
    """`/graphql` over HTTP."""

    def __init__(self, answering: Answering, entrance: Entrance, rates: Rates) -> None:
        self._answering, self._entrance, self._rates = answering, entrance, rates

    async def __call__(self, http: HttpRequest) -> Response:
        visitor = visit(http)
        media = acceptable(http.headers.get("accept"))
        if media is None:
            return plain(406, "The answer is application/graphql-response+json or application/json.", visitor.language)
        if http.method not in ("GET", "POST"):
            return plain(405, "Use POST, or GET for queries.", visitor.language, allow="GET, POST")
        try:
            caller = await self._entrance.caller(token_of(http), visitor.ip)
            await self._rates.request(caller, visitor.ip)
            asked = _from_query(http.query_params) if http.method == "GET" else _from_body(http, await http.body())
            await self._rates.sign_in(visitor.ip, asked.query)
            answer = await self._answering.answer(asked, visitor, caller, reading_only=http.method == "GET")
        except BadRequest as error:
            return plain(error.status, error.message, visitor.language, media=media)
        except WrongMethod:
            return plain(405, "A mutation needs POST.", visitor.language, allow="POST", media=media)
        except (Overloaded, TooMany) as error:
            return turned_away(error, visitor.language, media)
        return respond(answer, media)


def respond(answer: Answer, media: str, *, retry_after: int = 1) -> Response:
    """The answer with the status that its media type asks for."""
    status = 200
    if answer.request_error and (media == GRAPHQL_RESPONSE or answer.code in AT_THE_DOOR):
        status = STATUS.get(answer.code, 400)
    headers = {"retry-after": str(retry_after)} if status in (429, 503) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(to_bytes(answer.body), status, headers, f"{media}; charset=utf-8")


def turned_away(error: Exception, language: Language, media: str = JSON_TYPE) -> Response:
    """The answer to Overloaded (503) and TooMany (429), on whatever route: ask again later."""
    code = "RATE_LIMITED" if isinstance(error, TooMany) else "OVERLOADED"
    answer = Answer({"errors": [plain_error(code, language)]}, code, request_error=True)
    return respond(answer, media, retry_after=getattr(error, "retry_after", 1))


def plain(status: int, message: str, language: Language, *, allow: str = "", media: str = JSON_TYPE) -> Response:
    """An answer to what is no request of GraphQL over HTTP."""
    body = {"errors": [plain_error("BAD_USER_INPUT", language, message)]}
    return Response(to_bytes(body), status, {"allow": allow} if allow else {}, f"{media}; charset=utf-8")


def to_bytes(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # integers beyond 64 bits
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _from_query(parameters: Mapping[str, str]) -> Asked:
    given: dict[str, Any] = {
        name: parameters.get(name) for name in ("query", "operationName", "variables", "extensions")
    }
    for name in ("variables", "extensions"):
        if given[name]:
            given[name] = read_json(given[name].encode())
        else:
            given[name] = None
    return asked(given)


def _from_body(http: HttpRequest, body: bytes) -> Asked:
    if not body_type_is_json(http.headers.get("content-type")):
        raise BadRequest("The body must be application/json in UTF-8.", 415)
    return asked(read_json(body))


def read_json(body: bytes) -> Any:
    """Raises BadRequest for what is no JSON, not UTF-8, or nested deeper than 32."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("This is not JSON in UTF-8.") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > JSON_DEPTH + 1:
            raise BadRequest(f"The JSON is nested deeper than {JSON_DEPTH}.")
        level = [
            inner
            for part in level
            if isinstance(part, (dict, list))
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
    return value


def asked(body: Any) -> Asked:
    """The four parameters of a request. Raises BadRequest."""
    if not isinstance(body, dict):
        raise BadRequest(
            "One operation a request: a JSON object." if isinstance(body, list) else "A JSON object is needed."
        )
    query, name = body.get("query"), body.get("operationName")
    variables, extensions = body.get("variables"), body.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest("`query` must be a string.")
    if name is not None and not isinstance(name, str):
        raise BadRequest("`operationName` must be a string.")
    for label, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise BadRequest(f"`{label}` must be an object.")
    return Asked(query, name or None, variables or {})
