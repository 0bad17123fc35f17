"""应用 · The ASGI application: `/graphql` over HTTP and WebSocket, `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from domain.configuration.document import LARGEST_UPLOAD
from schema import root
from tenancy.catalog import Catalog
from tenancy.current import ACTIVE, Overloaded
from tenancy.shared_limits import Places
from xiaodai import documents
from xiaodai.http.answering import Answering
from xiaodai.http.endpoint import Endpoint, plain, turned_away
from xiaodai.http.entrance import Entrance
from xiaodai.http.errors import plain_error
from xiaodai.http.guards import EVERY_ANSWER, Guards
from xiaodai.http.limits import Limits
from xiaodai.http.places import SocketPlaces
from xiaodai.http.rates import Counters, Rates, TooMany
from xiaodai.http.running import IsOpen, Running
from xiaodai.http.socket import SocketLimits, Sockets
from xiaodai.http.visitor import visit
from xiaodai.observability import metrics
from xiaodai.ports import Services, services
from xiaodai.settings import Settings, get_settings

log = structlog.get_logger(__name__)

UPLOADS = {documents.UPLOAD: LARGEST_UPLOAD + 1}  # the route itself says what is too large
Opening = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(
    settings: Settings | None = None, opening: Opening | None = None, schema: GraphQLSchema | None = None
) -> Starlette:
    """The application of one process. Tests hand in what they opened themselves, and a schema of their own."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opening() if opening else open_services(chosen) as opened:
            running = Running(open_lenders(opened.catalog))
            watching = asyncio.create_task(running.watch(), name="suspensions")
            answering = Answering(
                schema or root.build()._schema,
                opened.ports,
                limits_of(chosen),
                running,
                seconds=chosen.operation_seconds,
                at_once=chosen.concurrent_operations,
            )
            shared = opened.catalog.limits
            rates, places = rates_of(chosen, shared), SocketPlaces(shared)
            heartbeat = asyncio.create_task(places.keep(), name="heartbeat")
            entrance = Entrance(opened.sessions, rates)
            app.state.services, app.state.rates, app.state.entrance = opened, rates, entrance
            app.state.endpoint = Endpoint(answering, entrance, rates)
            app.state.sockets = Sockets(
                answering,
                opened.sessions,
                entrance,
                rates,
                places,
                socket_limits_of(chosen),
                public_host=urlsplit(chosen.public_url).netloc.lower() if chosen.public_url else None,
            )
            yield
            for task in (watching, heartbeat):
                task.cancel()
            await asyncio.gather(watching, heartbeat, return_exceptions=True)
            await app.state.sockets.close()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/graphql", OverHttp()),
            WebSocketRoute("/graphql", over_socket),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", prometheus),
            *documents.routes(),
        ],
        middleware=[Middleware(Guards, max_body_bytes=chosen.max_body_bytes, uploads=UPLOADS)],
        exception_handlers={HTTPException: refused, Overloaded: busy, TooMany: busy, Exception: failed},
    )


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """What a process of `serve` uses: checked, and with the bell listening."""
    async with services(settings) as opened:
        await opened.catalog.check()
        await opened.bell.start()
        yield opened


def open_lenders(catalog: Catalog) -> IsOpen:
    """Whether a lender may work, by the catalog."""

    async def is_open(lender_id: UUID) -> bool:
        lender = await catalog.by_id(lender_id)
        return lender is not None and lender.status == ACTIVE

    return is_open


def limits_of(settings: Settings) -> Limits:
    """Limits of a document as the settings have them."""
    return Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        introspection_depth=settings.max_introspection_depth,
        aliases=settings.max_aliases,
        fragments=settings.max_fragments,
        operations=settings.max_operations,
        cost=settings.max_cost,
    )


def rates_of(settings: Settings, counters: Counters) -> Rates:
    """How often one may ask, as the settings have it."""
    return Rates(
        counters,
        requests_per_second=settings.requests_per_second,
        lender_requests_per_second=settings.lender_requests_per_second,
        sign_ins_per_minute=settings.signins_per_minute,
        unknown_tokens_per_second=settings.unknown_tokens_per_second,
    )


def socket_limits_of(settings: Settings) -> SocketLimits:
    """Limits of sockets as the settings have them."""
    return SocketLimits(
        frame_bytes=settings.max_frame_bytes,
        places=Places(settings.sockets_per_person, settings.sockets_per_lender),
        subscriptions=settings.subscriptions_per_socket,
    )


class OverHttp:
    """`/graphql` takes every method, so that the endpoint itself says what is wrong with one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await request.app.state.endpoint(request)
        await response(scope, receive, send)


async def over_socket(websocket: WebSocket) -> None:
    await websocket.app.state.sockets(websocket)


async def healthz(_: Request) -> Response:
    """The process runs."""
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """The process can answer: the catalog is in reach."""
    try:
        await request.app.state.services.catalog.count()
    except Exception as error:
        log.warning("not ready", error=type(error).__name__)
        return PlainTextResponse("not ready", 503, {"retry-after": "1"})
    return PlainTextResponse("ready")


async def prometheus(_: Request) -> Response:
    body, content_type = metrics()
    return Response(body, media_type=content_type)


async def refused(request: Request, error: Exception) -> Response:
    """No such path, or no such method there."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    answer = plain(
        status, "There is nothing here." if status == 404 else "This cannot be done here.", visit(request).language
    )
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


async def busy(request: Request, error: Exception) -> Response:
    """The routes for files have the limits of `/graphql`, which answers such errors by itself."""
    return turned_away(error, visit(request).language)


async def failed(request: Request, error: Exception) -> Response:
    """Something of ours broke: the log has it whole, the client learns nothing."""
    visitor = visit(request)
    log.error("request failed", request_id=visitor.id, path=request.url.path, exc_info=error)
    return JSONResponse({"errors": [plain_error("INTERNAL", visitor.language)]}, 500, EVERY_ANSWER)
