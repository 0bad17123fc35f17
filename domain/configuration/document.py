"""文书与附件 · Documents: what was printed from a template, and what people uploaded. Files are kept by their hash.

A printed document remembers the version of its template and its data (sealed: they are personal), so that it can be printed
again and compared. An upload belongs to who made it until a command attaches it. Both are seen by whoever sees the
application they belong to.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, LargeBinary, String, and_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.clock import machine_now
from domain.kernel.command import command
from domain.kernel.permissions import declare
from domain.kernel.refusals import InvalidInput, NotFound
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, uuid7

if TYPE_CHECKING:
    from domain.configuration.template import Template
    from domain.kernel.context import Context

READ = declare("lending.document.read")
PDF = "application/pdf"
LARGEST_PRINT = 20 * 1024 * 1024
LARGEST_UPLOAD = 20 * 1024 * 1024
LINK_SECONDS = 300
KEPT_WITHOUT_ROW = timedelta(days=1)  # much longer than any command or upload takes
NAMES_AT_ONCE = 500

# What may be uploaded, and how such a file begins: the name of a file proves nothing.
UPLOADS: dict[str, bytes] = {PDF: b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


class Document(Keyed):
    """One file. `subject_id` is the contract, survey … it belongs to, `data_sealed` what it was printed from."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_subject", "subject_id"),
        Index("ix_documents_application", "application_id"),
        Index("ix_documents_sha256", "sha256"),
    )
    reach: ClassVar[Reach] = Through("application_id", "loan_applications")

    name: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(60))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    application_id: Mapped[UUID | None] = mapped_column(ForeignKey("loan_applications.id"))
    subject_table: Mapped[str | None] = mapped_column(String(63))
    subject_id: Mapped[UUID | None]
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("templates.id"))
    template_version: Mapped[int | None]
    data_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


# ---------------------------------------------------------------- printing


async def print_from(
    ctx: Context,
    template: Template,
    data: Mapping[str, Any],
    *,
    name: str,
    subject: Keyed,
    application_id: UUID,
) -> Document:
    """Prints a template, keeps the file and adds its row; part of a command. `name` carries numbers, no person's name."""
    printed: bytes = await ctx.ports.documents.pdf(template.body, data)
    stored = await ctx.ports.storage.put(ctx.lender, _at_once(printed), LARGEST_PRINT)
    key = uuid7()
    snapshot = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return ctx.add(
        Document(
            id=key,
            name=name,
            content_type=PDF,
            sha256=stored.sha256,
            size=stored.size,
            application_id=application_id,
            subject_table=subject.__tablename__,
            subject_id=subject.id,
            template_id=template.id,
            template_version=template.version,
            data_sealed=ctx.ports.keys.seal(ctx.lender, f"documents/data/{key}", snapshot),
        )
    )


async def _at_once(content: bytes) -> AsyncIterator[bytes]:
    yield content


# ---------------------------------------------------------------- uploads


def check_upload(name: str, content_type: str, beginning: bytes) -> None:
    """A PDF, PNG or JPEG that begins like one. Raises INVALID_INPUT."""
    if not 1 <= len(name) <= 200 or any(sign in name for sign in "/\\\x00\r\n"):
        raise InvalidInput("name", zh="文件名无效。", en="This is no name of a file.")
    if content_type not in UPLOADS or not beginning.startswith(UPLOADS[content_type]):
        raise InvalidInput(
            "contentType", zh="只接受 PDF、PNG、JPEG 文件。", en="Only PDF, PNG and JPEG files are taken."
        )


@command("lending.attachment.upload")
async def upload(ctx: Context, *, name: str, content_type: str, sha256: str, size: int) -> Document:
    """The row of a file that is kept already; its id goes into `attachmentIds`."""
    return ctx.add(Document(name=name, content_type=content_type, sha256=sha256, size=size, uploaded_by=ctx.actor.id))


def _attachable(ctx: Context, document_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """The actor's own uploads that belong to nothing yet."""
    return and_(Document.id.in_(document_ids), Document.uploaded_by == ctx.actor.id, Document.subject_id.is_(None))


async def check_attachable(ctx: Context, document_ids: Sequence[UUID]) -> None:
    """Whether `attach` would take these, for looking ahead. Raises NOT_FOUND."""
    found = (await ctx.connection.execute(select(Document.id).where(_attachable(ctx, document_ids)))).all()
    if len(found) != len(set(document_ids)):
        raise NotFound("attachmentIds")


async def attach(ctx: Context, document_ids: Sequence[UUID], subject: Keyed, *, application_id: UUID) -> list[Document]:
    """Attaches the actor's own uploads to a row, once each. Raises NOT_FOUND for anything else."""
    if not document_ids:
        return []
    wanted = select(Document).where(_attachable(ctx, document_ids)).with_for_update()
    rows = list((await ctx.session.execute(wanted)).scalars())
    if len(rows) != len(set(document_ids)):
        raise NotFound("attachmentIds")
    for row in rows:
        row.subject_table, row.subject_id, row.application_id = subject.__tablename__, subject.id, application_id
    return rows


# ---------------------------------------------------------------- files without a row


async def collect(ctx: Context) -> int:
    """清理 · Removes files of the lender that no row knows and that are older than a day: the command that kept them failed, or
    its upload was not finished. Answers how many. `ctx` is unbound; safe to repeat, and beside commands that keep files."""
    storage, before = ctx.ports.storage, machine_now() - KEPT_WITHOUT_ROW
    removed: int = await storage.drop_unfinished(ctx.lender, before)
    async for names in storage.older(ctx.lender, before):
        for start in range(0, len(names), NAMES_AT_ONCE):
            some = names[start : start + NAMES_AT_ONCE]
            async with ctx.reading() as reading:
                rows = select(Document.sha256).where(Document.sha256.in_(some))
                known = set((await reading.connection.execute(rows)).scalars())
            removed += sum([await storage.remove(ctx.lender, name, before) for name in some if name not in known])
    return removed


# ---------------------------------------------------------------- links


def link(ctx: Context, document_id: UUID) -> str:
    """An address that the actor can download from within five minutes. It is bound to lender and person, and useless
    without that person's own credential."""
    until = int(machine_now().timestamp()) + LINK_SECONDS
    proof = _proof(ctx, document_id, ctx.actor.id, until)
    return f"/documents/{document_id}?for={ctx.actor.id}&until={until}&proof={proof}"


def link_holds(ctx: Context, document_id: UUID, person: str, until: str, proof: str) -> bool:
    """Whether a link was made for the actor, by this lender, for this document, and has not run out."""
    if person != str(ctx.actor.id) or not until.isascii() or not until.isdigit() or len(until) > 12:
        return False
    expected = _proof(ctx, document_id, ctx.actor.id, int(until))
    return hmac.compare_digest(expected.encode(), proof.encode()) and machine_now().timestamp() <= int(until)


def _proof(ctx: Context, document_id: UUID, person: UUID, until: int) -> str:
    """A hash that only this lender's key makes."""
    return ctx.ports.keys.fingerprint(ctx.lender, "document_link", f"{document_id}/{person}/{until}").hex()


# ---------------------------------------------------------------- queries


async def by_subject(ctx: Context, subject_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """The documents of each row, in the order of their making. `columns` must hold `subject_id`."""
    table = Document.__table__.c
    statement = select(*columns).where(table.subject_id.in_(subject_ids)).order_by(table.id)
    found: dict[UUID, list[Any]] = {key: [] for key in subject_ids}
    for row in (await ctx.connection.execute(statement)).all():
        found[row.subject_id].append(row)
    return found


async def visible(ctx: Context, document_id: UUID) -> Any | None:
    """The row of a document for downloading, if the actor may read documents and see this one; else None."""
    if not ctx.actor.may(READ):
        return None
    table = Document.__table__.c
    statement = select(table.name, table.content_type, table.sha256, table.size)
    found = await ctx.connection.execute(statement.where(table.id == document_id, scope(ctx, Document)))
    return found.one_or_none()
