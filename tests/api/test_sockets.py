"""graphql-transport-ws over a real socket: who gets in, what is closed and with which code, and what ends when."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from domain.kernel.context import Request
from tests.api.conftest import Served
from tests.api.small_schema import RUNNING
from xiaodai.http.conversation import Conversation
from xiaodai.http.socket import SocketLimits

TRANSPORT = Subprotocol("graphql-transport-ws")
INIT = {"type": "connection_init", "payload": {"authorization": "Bearer as.clerk"}}


@asynccontextmanager
async def opened(
    served: Served, *, init: dict[str, Any] | None = INIT, **options: Any
) -> AsyncIterator[ClientConnection]:
    options.setdefault("subprotocols", [TRANSPORT])
    async with connect(f"ws://127.0.0.1:{served.port}/graphql", proxy=None, **options) as socket:
        if init is not None:
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def subscribe(socket: ClientConnection, name: str, query: str, **variables: Any) -> None:
    await say(socket, type="subscribe", id=name, payload={"query": query, "variables": variables})


async def hear(socket: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        return json.loads(await socket.recv())


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the server closes."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(15):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def test_a_subscription_from_first_to_last(served: Served) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "s", "subscription ($n: Int!) { counted(to: $n) { number } }", n=2)
        for number in ("0", "1"):
            shown = await hear(socket)
            assert shown == {"id": "s", "type": "next", "payload": {"data": {"counted": {"number": number}}}}
        assert await hear(socket) == {"id": "s", "type": "complete"}


async def test_queries_and_mutations_too(served: Served) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "q", "{ slow(seconds: 0) }")
        assert (await hear(socket))["payload"] == {"data": {"slow": "done"}, "extensions": {"cost": 0}}
        assert (await hear(socket))["type"] == "complete"
        await subscribe(socket, "m", 'mutation { pay(input: {paidAmount: "9.00"}) { userErrors { code } } }')
        assert (await hear(socket))["payload"]["data"]["pay"]["userErrors"] == [{"code": "AMOUNT_EXCEEDS_DUE"}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { counted", "BAD_USER_INPUT"),
        ("subscription { nothing }", "BAD_USER_INPUT"),
        ("subscription ($n: Int!) { counted(to: $n) { number } }", "BAD_USER_INPUT"),
        ("{ __schema { types { name } } }", "FORBIDDEN"),
        ("{ " + " ".join(f"a{n}: slow" for n in range(31)) + " }", "QUERY_TOO_COMPLEX"),
    ],
)
async def test_refused_operations(served: Served, query: str, code: str) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "x", query)
        refused = await hear(socket)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", code)
        await subscribe(socket, "x", "{ slow(seconds: 0) }")  # the name is free again
        assert (await hear(socket))["type"] == "next"


async def test_a_gap_ends_the_subscription_with_its_cursor(served: Served) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "g", "subscription { counted(to: 0, gap: true) { number } }")
        refused = await hear(socket)
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"] == {"code": "GAP", "cursor": "abc"}


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
async def test_the_name_of_the_token_in_any_letters(served: Served, name: str) -> None:
    async with opened(served, init={"type": "connection_init", "payload": {name: "bearer as.clerk"}}):
        pass


@pytest.mark.parametrize(
    ("init", "code"),
    [
        ({"type": "connection_init", "payload": {"authorization": "Bearer nobody"}}, 4403),
        ({"type": "connection_init", "payload": {"authorization": ["Bearer as.clerk"]}}, 4401),
        ({"type": "connection_init"}, 4401),
        ({"type": "subscribe", "id": "1", "payload": {"query": "{ slow }"}}, 4401),
        ({"type": "connection_init", "payload": [1]}, 4400),
        ({"type": "start"}, 4400),
        ([INIT], 4400),
        (None, 4400),
        ("x", 4400),
        ({"type": 5}, 4400),
    ],
)
async def test_bad_beginnings(served: Served, init: Any, code: int) -> None:
    async with opened(served, init=None) as socket:
        await socket.send(json.dumps(init))
        assert (await closing(socket))[0] == code


GARBAGE = [
    "{",
    "",
    "[" * 5_000,
    b"\x00\x01",
    '{"type":"subscribe"}',
    '{"type":"subscribe","id":"","payload":{"query":"{a}"}}',
    '{"type":"subscribe","id":"1","payload":{"query":1}}',
]


@pytest.mark.parametrize("frame", GARBAGE)
async def test_garbage(served: Served, frame: str | bytes) -> None:
    async with opened(served) as socket:
        await socket.send(frame)
        assert (await closing(socket))[0] == 4400


async def test_twice(served: Served) -> None:
    async with opened(served) as socket:
        await say(socket, **INIT)
        assert (await closing(socket))[0] == 4429
    async with opened(served) as socket:
        for _ in range(2):
            await subscribe(socket, "same", "{ slow(seconds: 1) }")
        assert (await closing(socket))[0] == 4409


async def test_no_init_in_time(served: Served) -> None:
    served.limits(SocketLimits(init_seconds=0.3))
    async with opened(served, init=None) as socket:
        await say(socket, type="ping")
        assert (await hear(socket)) == {"type": "pong"}
        assert (await closing(socket))[0] == 4408


async def test_only_the_one_protocol(served: Served) -> None:
    for other in ([Subprotocol("graphql-ws")], None):
        async with opened(served, init=None, subprotocols=other) as socket:
            assert (await closing(socket))[0] == 4406


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
async def test_pages_of_others_do_not_get_in(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(served, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_our_own_page_does(served: Served) -> None:
    async with opened(served, origin=f"http://127.0.0.1:{served.port}"):
        pass


async def test_frames_too_large(served: Served) -> None:
    async with opened(served) as socket:
        room = 262_144 - len(json.dumps({"type": "pong", "payload": ""}))
        await say(socket, type="pong", payload="x" * room)
        await say(socket, type="ping")
        assert (await hear(socket)) == {"type": "pong"}
        await say(socket, type="pong", payload="x" * (room + 1))
        assert (await closing(socket))[0] == 1009


async def test_five_sockets_a_person(served: Served) -> None:
    async with opened(served), opened(served), opened(served), opened(served):
        async with opened(served):
            async with opened(served, init=None) as sixth:
                await say(sixth, **INIT)
                assert (await closing(sixth))[0] == 4429
            other = {"type": "connection_init", "payload": {"authorization": "Bearer as.admin"}}
            async with opened(served, init=other):
                pass
        async with opened(served):  # a place is free again
            pass


async def test_twenty_subscriptions_a_socket(served: Served) -> None:
    async with opened(served) as socket:
        for number in range(21):
            await subscribe(socket, str(number), 'subscription { counted(to: 0, name: "many") { number } }')
        refused = await hear(socket)
        assert (refused["id"], refused["payload"][0]["extensions"]["code"]) == ("20", "RATE_LIMITED")


async def test_refusals_do_not_pile_up_for_who_takes_none() -> None:
    class Deaf:
        async def send_text(self, _text: str) -> None:
            await asyncio.sleep(60)

    async def ask_on_and_on() -> None:
        for number in range(100):
            await conversation._hear({"type": "subscribe", "id": str(number), "payload": {"query": "{ slow }"}})

    full: Any = SimpleNamespace(limits=SocketLimits(subscriptions=0))
    conversation = Conversation(Deaf(), Request(), full)  # type: ignore[arg-type]
    before = len(asyncio.all_tasks())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask_on_and_on(), 0.2)
    assert len(asyncio.all_tasks()) == before


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(8):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_what_is_no_longer_wanted_ends(served: Served) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "a", 'subscription { counted(to: 1, name: "a") { number } }')
        await hear(socket)
        assert "a" in RUNNING
        await say(socket, type="complete", id="a")
        await eventually(lambda: "a" not in RUNNING)
        await subscribe(socket, "b", 'subscription { counted(to: 1, name: "b") { number } }')
        await hear(socket)
    await eventually(lambda: "b" not in RUNNING)


async def test_a_session_that_ends_closes_its_sockets(served: Served) -> None:
    async with opened(served) as socket:
        await subscribe(socket, "c", 'subscription { counted(to: 1, name: "c") { number } }')
        await hear(socket)
        served.people.revoke("as.clerk")
        assert (await closing(socket))[0] == 4403
    await eventually(lambda: "c" not in RUNNING)


async def test_a_lost_permission_is_felt_by_running_subscriptions(served: Served) -> None:
    served.limits(SocketLimits(recheck_seconds=0.1))
    served.people.promote("as.clerk", "tests.thing.touch")
    async with opened(served) as socket:
        await subscribe(socket, "p", "subscription { watched { number } }")
        assert (await hear(socket))["payload"]["data"] == {"watched": {"number": "allowed"}}
        served.people.promote("as.clerk")
        refused = await hear(socket)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")


async def test_requests_cut_half_way(served: Served) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\n"
    for sent in (b"", head, head + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        async with asyncio.timeout(3):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()


async def test_whole_requests_are_answered(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    for _ in range(2):  # the second on the same connection
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answered = await reader.readuntil(b"\r\n\r\nok")
        assert answered.startswith(b"HTTP/1.1 200 OK")
        assert b"server:" not in answered.lower()
        await asyncio.sleep(0.7)  # longer than a request may take to arrive
    writer.close()
