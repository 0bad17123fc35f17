"""A GraphQL client inside the test's process: the whole application but the network.

`api.as_("account_manager")` asks as that person of `lender`; `api.anonymous` as nobody; `api.with_token(token)` as whoever
signed in. `statements()` collects the SQL that is sent meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema
from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.applications import Starlette

from domain.kernel.clock import machine_now
from domain.kernel.context import Context
from domain.kernel.ports import Ports
from domain.kernel.table import uuid7
from tenancy.catalog import Catalog
from tests.support.actors import LenderAtWork
from tests.support.shared_limits import SharedLimitsInMemory
from xiaodai.app import create_app
from xiaodai.auth.sessions import Caller, Sessions
from xiaodai.ports import Services
from xiaodai.settings import Settings

ADDRESSES = IPv4Network("198.18.0.0/15").hosts()


class KnownPeople:
    """Sessions of a test: the token `as <name>` stands for somebody known; any other is looked up for real."""

    def __init__(self, real: Sessions | None = None) -> None:
        self._real = real
        self._known: dict[str, Caller] = {}

    def introduce(self, name: str, ctx: Context) -> str:
        """A token for this context's actor."""
        token = f"as.{name}"
        self._known[token] = Caller(ctx.lender, ctx.actor, uuid7(), machine_now() + timedelta(hours=1))
        return token

    def revoke(self, token: str) -> None:
        del self._known[token]

    async def resolve(self, token: str) -> Caller | None:
        if token in self._known or self._real is None:
            return self._known.get(token)
        return await self._real.resolve(token)


@dataclass
class Answer:
    """What came back. `data` and `errors` as in the body."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers

    @property
    def data(self) -> Any:
        return self.body.get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


@dataclass
class Client:
    """Asks as one person."""

    http: httpx.AsyncClient
    token: str | None = None
    language: str = "en"

    async def ask(self, document: str, **variables: Any) -> Answer:
        """The whole answer, errors and all. Variables as the API names them."""
        headers = {"accept-language": self.language, "accept": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        response = await self.http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
        return Answer(response.status_code, response.json(), response.headers)

    async def data(self, document: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.ask(document, **variables)
        assert not answer.errors, answer.errors
        return answer.data

    async def run(self, document: str, **variables: Any) -> Any:
        """The payload of the one mutation of a document, which must not be refused."""
        (payload,) = (await self.data(document, **variables)).values()
        assert not payload.get("userErrors"), payload["userErrors"]
        return payload

    async def refused(self, document: str, **variables: Any) -> list[dict[str, Any]]:
        """The userErrors of the one mutation of a document; everything else of its payload must be null."""
        (payload,) = (await self.data(document, **variables)).values()
        others = {name: value for name, value in payload.items() if name != "userErrors" and value is not None}
        assert payload["userErrors"], payload
        assert not others, others
        found: list[dict[str, Any]] = payload["userErrors"]
        return found


@dataclass
class Api:
    """The application as several people use it."""

    http: httpx.AsyncClient
    sessions: KnownPeople
    lender: LenderAtWork | None = None
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def anonymous(self) -> Client:
        return Client(self.http)

    def as_(self, name: str) -> Client:
        """Somebody of `lender` by attribute: "account_manager", "cashier" …"""
        assert self.lender is not None
        return self.acting(name, getattr(self.lender, name))

    def acting(self, name: str, ctx: Context) -> Client:
        """Whoever a context stands for, at whatever lender."""
        return Client(self.http, self.sessions.introduce(name, ctx))

    def with_token(self, token: str) -> Client:
        return Client(self.http, token)


class SilentBell:
    """No other process listens in a test."""

    def ring(self, channel: str, payload: str) -> None: ...

    def listen(self, channel: str, heard: Any) -> None: ...


class NoCatalog:
    """Applications without a database still have limits."""

    def __init__(self) -> None:
        self.limits = SharedLimitsInMemory()


def an_app(
    ports: Ports,
    sessions: KnownPeople,
    *,
    catalog: Catalog | None = None,
    schema: GraphQLSchema | None = None,
    **settings: Any,
) -> Starlette:
    """The application over what a test opened; `settings` are fields of xiaodai.settings.Settings."""
    chosen = Settings(**settings)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Services]:
        known = catalog or NoCatalog()
        yield Services(chosen, known, SilentBell(), sessions, ports)  # type: ignore[arg-type]

    return create_app(chosen, opening, schema)


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that runs in this process, at an address that no other has: addresses have limits."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(str(next(ADDRESSES)), 40000))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


@pytest.fixture
async def api(lender: LenderAtWork) -> AsyncIterator[Api]:
    """The application, with `lender`'s people as its users."""
    sessions = KnownPeople(Sessions(lender.platform.catalog, lender.platform.door))
    async with serving(an_app(lender.ports, sessions, catalog=lender.platform.catalog)) as http:
        yield Api(http, sessions, lender)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL sent to lenders' schemas within the block, by whichever connection of this process."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "catalog." not in statement:  # the catalog is looked at now and then, whatever the test does
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
