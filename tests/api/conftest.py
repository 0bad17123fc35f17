"""The application over the small schema, and over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import uvicorn
from graphql import GraphQLSchema
from starlette.applications import Starlette

from domain.kernel.clock import machine_now
from domain.kernel.context import Actor, ActorKind, DataScope
from domain.kernel.ports import Ports
from resolvers.kernel.access import INTROSPECT
from schema.root import assemble
from tests.api import small_schema
from tests.support.client import Client, KnownPeople, an_app, serving
from xiaodai.auth.sessions import Caller
from xiaodai.http.socket import SocketLimits
from xiaodai.protocol import GuardedHttpProtocol

NO_PORTS = cast(Ports, None)


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    return assemble([small_schema], [])._schema


class People(KnownPeople):
    """Somebody ordinary, and somebody who may introspect."""

    def __init__(self) -> None:
        super().__init__()
        for number, (token, permissions) in enumerate({"as.clerk": set(), "as.admin": {INTROSPECT}}.items(), 1):
            actor = Actor(
                kind=ActorKind.STAFF,
                id=UUID(int=number),
                name=token,
                permissions=frozenset(permissions),
                scope=DataScope.TENANT,
            )
            self._known[token] = Caller(None, actor, UUID(int=number), machine_now() + timedelta(hours=1))

    def promote(self, token: str, *permissions: str) -> None:
        caller = self._known[token]
        self._known[token] = replace(caller, actor=replace(caller.actor, permissions=frozenset(permissions)))


@dataclass
class Small:
    """The application of this folder's tests."""

    http: httpx.AsyncClient
    people: People

    @property
    def clerk(self) -> Client:
        return Client(self.http, "as.clerk")

    @property
    def admin(self) -> Client:
        return Client(self.http, "as.admin")

    @property
    def anonymous(self) -> Client:
        return Client(self.http)


@pytest.fixture
async def small(schema: GraphQLSchema) -> AsyncIterator[Small]:
    people = People()
    async with serving(an_app(NO_PORTS, people, schema=schema, operation_seconds=0.3)) as http:
        yield Small(http, people)


@dataclass
class Served:
    """uvicorn on the loopback, as `serve` starts it."""

    port: int
    people: People
    app: Starlette

    def limits(self, limits: SocketLimits) -> None:
        self.app.state.sockets.limits = limits


@pytest.fixture
async def served(schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr("xiaodai.protocol.receive_seconds", lambda: 0.5)
    people = People()
    app = an_app(NO_PORTS, people, schema=schema)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    kind: Any = GuardedHttpProtocol
    config = uvicorn.Config(app, http=kind, ws_max_size=262_144, server_header=False, access_log=False, log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event
        await asyncio.sleep(0.01)
    yield Served(listener.getsockname()[1], people, app)
    server.should_exit = True
    await running
