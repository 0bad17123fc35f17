"""文书下载与附件上传 · The two routes for files: printed documents out, attachments in. Both stream.

A download needs a link made for this person at this lender (five minutes) and that person's own token. An upload is checked
by size and by how the file begins, kept by its hash, and answered with the id that mutations take as `attachmentIds`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.configuration import document
from domain.kernel.context import Context
from domain.kernel.refusals import Denied, Language, Refusal
from gateways.object_storage.port import TooLarge
from schema.kernel.node import global_id
from xiaodai.http.entrance import Entrance
from xiaodai.http.errors import plain_error
from xiaodai.http.rates import Rates
from xiaodai.http.visitor import token_of, visit
from xiaodai.ports import Services

UPLOAD = "/attachments"


def routes() -> list[Route]:
    """What the application adds to its own."""
    return [Route("/documents/{document_id:uuid}", download), Route(UPLOAD, upload, methods=["POST"])]


async def download(request: Request) -> Response:
    """The content of a document. 401 without a token, 403 for a link of somebody else, changed or run out, 404 for a document
    out of the person's reach."""
    ctx = await _context(request)
    if ctx is None:
        return _refused(401, "UNAUTHENTICATED", visit(request).language)
    language = ctx.request.language
    document_id: UUID = request.path_params["document_id"]
    person, until, proof = (request.query_params.get(name, "") for name in ("for", "until", "proof"))
    if not document.link_holds(ctx, document_id, person, until, proof):
        return _refused(403, "FORBIDDEN", language)
    async with ctx.reading() as reading:
        found = await document.visible(reading, document_id)
    if found is None:
        return _refused(404, "BAD_USER_INPUT", language, "There is nothing here.")
    headers = {
        "content-length": str(found.size),
        "content-disposition": f"inline; filename*=UTF-8''{quote(found.name)}",
        "content-security-policy": "sandbox",
    }
    return StreamingResponse(
        ctx.ports.storage.read(ctx.lender, found.sha256), media_type=found.content_type, headers=headers
    )


async def upload(request: Request) -> Response:
    """Takes one file as the body, its type in `content-type` and its name in `?name=`; answers id, size and hash."""
    ctx = await _context(request)
    if ctx is None:
        return _refused(401, "UNAUTHENTICATED", visit(request).language)
    language = ctx.request.language
    if not ctx.actor.may(document.upload.permission):  # type: ignore[attr-defined]
        return _refused(403, "FORBIDDEN", language)
    name, content_type = request.query_params.get("name", ""), request.headers.get("content-type", "")
    body = aiter(request.stream())
    try:
        beginning = await _beginning(body)
        document.check_upload(name, content_type, beginning)
        kept = await ctx.ports.storage.put(ctx.lender, _joined(beginning, body), document.LARGEST_UPLOAD)
        row = await document.upload(ctx, name=name, content_type=content_type, sha256=kept.sha256, size=kept.size)
    except TooLarge:
        return _refused(413, "BAD_USER_INPUT", language, f"A file has at most {document.LARGEST_UPLOAD} bytes.")
    except Denied:
        return _refused(403, "FORBIDDEN", language)
    except Refusal as refusal:
        return _refused(422, "BAD_USER_INPUT", language, refusal.message(language), code=refusal.code)
    return JSONResponse({"id": global_id("Document", row.id), "sha256": row.sha256, "size": row.size}, 201)


def _refused(status: int, kind: str, language: Language, message: str | None = None, **why: str) -> Response:
    """One error as `/graphql` would show it; `code` is the refusal of the business, if it was one."""
    error = plain_error(kind, language, message)
    error["extensions"].update(why)
    return JSONResponse({"errors": [error]}, status)


async def _context(request: Request) -> Context | None:
    """Who asks, at their lender; None for nobody, and for operators, who have no lender. Raises TooMany, Overloaded."""
    services: Services = request.app.state.services
    rates: Rates = request.app.state.rates
    entrance: Entrance = request.app.state.entrance
    visitor = visit(request)
    caller = await entrance.caller(token_of(request), visitor.ip)
    await rates.request(caller, visitor.ip)
    if caller is None or caller.lender is None:
        return None
    return Context(lender=caller.lender, actor=caller.actor, ports=services.ports, request=visitor)


async def _beginning(body: AsyncIterator[bytes]) -> bytes:
    """Enough of the body to see what it is."""
    read = b""
    while len(read) < 16:
        piece = await anext(body, b"")
        if not piece:
            break
        read += piece
    return read


async def _joined(beginning: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield beginning
    async for piece in rest:
        yield piece
