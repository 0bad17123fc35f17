"""来访者 · Where a request comes from and what it carries: address, language, token."""

from __future__ import annotations

import secrets
from typing import Protocol

from starlette.requests import HTTPConnection

from domain.kernel.context import Request
from domain.kernel.refusals import Language
from resolvers.kernel.operation import Caller


class Sessions(Protocol):
    """Who is behind a token (`xiaodai.auth.sessions`)."""

    async def resolve(self, token: str) -> Caller | None: ...


def visit(connection: HTTPConnection) -> Request:
    """What the audit row and the messages need to know of a request."""
    return Request(
        id=secrets.token_hex(8),
        ip=connection.client.host if connection.client else "",
        user_agent=connection.headers.get("user-agent", "")[:300],
        language=language_of(connection.headers.get("accept-language", "")),
    )


def language_of(accepted: str) -> Language:
    """The first of Chinese and English by Accept-Language; Chinese where neither is asked for."""
    best, found = 0.0, Language.CHINESE
    for part in accepted[:200].split(","):
        name, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        language = {"zh": Language.CHINESE, "en": Language.ENGLISH}.get(name.strip().lower().split("-")[0])
        if language is not None and quality > best:
            best, found = quality, language
    return found


def token_of(connection: HTTPConnection) -> str | None:
    """The bearer token of the header."""
    return bearer(connection.headers.get("authorization", ""))


def bearer(header: str) -> str | None:
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" and 0 < len(token.strip()) <= 200 else None
