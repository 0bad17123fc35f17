"""文书与附件 · Documents and their templates (F51)."""

from __future__ import annotations

from uuid import UUID

import strawberry

from schema.kernel import DateTime, Hidden, Node, Payload, entity, relation


@entity("documents", reading="lending.document.read")
class Document(Node):
    """文书 A printed document or an upload."""

    name: str
    """文件名 Name of the file; no person's name in it."""
    content_type: str
    """类型 Media type."""
    sha256: str
    """哈希 SHA-256 of the content, hexadecimal."""
    size: int
    """大小 Bytes."""
    created_at: DateTime
    """生成时间 When it was printed or uploaded."""
    template_version: int | None
    """模板版本 Version of the template it was printed from; null for an upload."""
    subject_id: Hidden[UUID | None]

    @relation
    def url(self) -> str:
        """下载地址 Signed, short-lived, bound to lender and person; needs the reader's token or cookie as well."""


@entity("templates", reading="configuration.template.read")
class Template(Node):
    """模板 One version of a text that documents are printed from."""

    code: str
    """编码 The code all versions share: LOAN_CONTRACT, LOAN_NOTE, COST_SHEET, REPAYMENT_SCHEDULE, ENTRUSTED_LOAN_AGREEMENT."""
    version: int
    """版本 Version, from 1."""
    name: str
    """名称 Name."""
    body: str
    """内容 The text, as Typst."""
    created_at: DateTime
    """发布时间 When it was published."""


@strawberry.input(description="发布模板 The next version of a text.")
class PublishTemplateInput:
    code: str
    """编码 Which text."""
    body: str
    """内容 The text, as Typst; it finds its figures in `data`."""


@strawberry.type(description="模板结果 The version published, or why not.")
class TemplatePayload(Payload):
    template: Template | None = None
    """模板 The version published."""
