"""护栏 · What is refused before anything reads it: bodies too large or encoded; and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xiaodai.http.endpoint import plain
from xiaodai.http.visitor import language_of
from xiaodai.observability import REFUSED_REQUESTS

log = structlog.get_logger(__name__)

EVERY_ANSWER = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}


class TooLarge(Exception):
    """The body is longer than it may be."""


class Guards:
    """ASGI, outermost. `uploads` are the paths whose bodies are files: larger, and measured while they stream."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, uploads: Mapping[str, int]) -> None:
        self._app, self._most, self._uploads = app, max_body_bytes, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in EVERY_ANSWER.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        language = language_of(headers.get("accept-language", ""))
        most = self._uploads.get(scope["path"], self._most)
        refused = self._refused(headers, most)
        try:
            if refused is None:
                await self._app(scope, self._counted(receive, most), send_with_headers)
        except TooLarge:
            refused = (413, too_large(most))
        except ClientDisconnect:
            return  # nobody is left to answer
        if refused is not None and not begun:
            REFUSED_REQUESTS.labels(str(refused[0])).inc()
            await plain(*refused, language)(scope, receive, send_with_headers)

    def _refused(self, headers: Headers, most: int) -> tuple[int, str] | None:
        if headers.get("content-encoding", "identity").lower() != "identity":
            return 415, "The body must not be compressed."
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return 400, "The content length is not a number."
        return (413, too_large(most)) if int(length) > most else None

    def _counted(self, receive: Receive, most: int) -> Receive:
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            if message["type"] == "http.request":
                got += len(message.get("body", b""))
                if got > most:
                    raise TooLarge
            return message

        return counted


def too_large(most: int) -> str:
    return f"The body has more than {most} bytes."
