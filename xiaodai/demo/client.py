"""A client of the public API, as any front end would write one: documents over HTTP, feeds over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from xiaodai.cli.output import Problem
from xiaodai.demo.operations import MUTATIONS, SIGN_IN

TRANSPORT_WS = Subprotocol("graphql-transport-ws")
LONGEST_ANSWER = 90.0  # seconds: runEndOfDay may wait a minute
BUSY = (429, 503)  # try again after the named pause
TRIES = 20


class Refused(Exception):
    """A business refusal: the userErrors of a mutation, which changed nothing."""

    def __init__(self, mutation: str, errors: list[dict[str, Any]]) -> None:
        self.mutation, self.errors = mutation, errors
        super().__init__(f"{mutation}: " + "; ".join(f"{e['code']} {e['message']} {e['params']}" for e in errors))

    @property
    def code(self) -> str:
        return str(self.errors[0]["code"])

    @property
    def message(self) -> str:
        return str(self.errors[0]["message"])

    @property
    def params(self) -> dict[str, Any]:
        found: dict[str, Any] = self.errors[0]["params"] or {}
        return found


class Server:
    """One running Xiaodai. All people share its connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, timeout=LONGEST_ANSWER, trust_env=False)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def sign_in(self, tenant: str | None, username: str, password: str) -> Person:
        """Somebody with a token. Operators of the platform leave `tenant` out. Raises Refused."""
        nobody = Person(self, username)
        payload = await nobody.mutate(SIGN_IN, tenant=tenant, username=username, password=password)
        return Person(self, username, str(payload["token"]))

    async def post(self, token: str | None, document: str, variables: dict[str, Any]) -> Any:
        """The data of an answer. Raises Problem for everything that is not an answer to the question."""
        headers = {"accept": "application/json", "accept-language": "en"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        for _ in range(TRIES):
            reply = await self._http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
            if reply.status_code not in BUSY:
                break
            await asyncio.sleep(int(reply.headers.get("retry-after", "1")))
        body = reply.json()
        if errors := body.get("errors"):
            raise Problem(f"The server answered {errors[0]['extensions']['code']}: {errors[0]['message']}")
        return body["data"]


@dataclass(frozen=True)
class Person:
    """Somebody who asks. Without a token: nobody yet."""

    server: Server
    username: str
    token: str | None = field(default=None, repr=False)

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data of a query."""
        return await self.server.post(self.token, document, variables)

    async def mutate(self, mutation: str, **given: Any) -> dict[str, Any]:
        """The payload of a mutation of operations.py. Raises Refused if the business says no."""
        data = await self.ask(
            MUTATIONS[mutation], input={name: value for name, value in given.items() if value is not None}
        )
        payload: dict[str, Any] = data[mutation]
        if payload["userErrors"]:
            raise Refused(mutation, payload["userErrors"])
        return payload

    async def refusal(self, mutation: str, **given: Any) -> Refused:
        """The refusal that a mutation must meet. Raises Problem if it is done instead."""
        try:
            await self.mutate(mutation, **given)
        except Refused as refused:
            return refused
        raise Problem(f"{mutation} should have been refused and was done.")

    async def watch(self, subscription: str, ready: asyncio.Event, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        """What a subscription tells, as it happens. `ready` is set as soon as the socket listens."""
        address = f"ws{self.server.url.removeprefix('http')}/graphql"
        async with connect(address, subprotocols=[TRANSPORT_WS], proxy=None) as socket:
            await socket.send(_text("connection_init", payload={"authorization": f"Bearer {self.token}"}))
            await socket.recv()  # connection_ack
            asking = {"query": subscription, "variables": variables}
            await socket.send(_text("subscribe", id="1", payload=asking))
            await socket.send(_text("ping"))
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "pong":
                    ready.set()
                elif message["type"] == "next":
                    (told,) = message["payload"]["data"].values()
                    yield told
                elif message["type"] == "ping":
                    await socket.send(_text("pong"))
                elif message["type"] == "error":
                    raise Problem(f"The subscription ended: {message['payload'][0]['message']}")


async def first_told(watching: AsyncIterator[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """The first thing a subscription tells within some seconds. Raises TimeoutError."""
    async with asyncio.timeout(seconds), aclosing(watching) as telling:  # type: ignore[type-var]
        async for told in telling:
            return told
    raise TimeoutError


def _text(kind: str, **more: Any) -> str:
    return json.dumps({"type": kind, **more})
