"""文书与附件 · Documents and their templates (F51)."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.configuration import document, template
from domain.kernel.context import Context
from resolvers.kernel import Info, answers, mutation, reads
from schema.configuration.document import PublishTemplateInput, Template, TemplatePayload


@strawberry.type
class TemplateQueries:
    @reads(template.templates)
    async def templates(self, info: Info) -> list[Template]:
        """模板 All versions of all texts, the latest first; small, so no connection."""
        rows = await template.templates(await info.context.reading(), columns=Template.columns())
        return [Template.of(row) for row in rows]


@strawberry.type
class TemplateMutations:
    @mutation(template.publish)
    async def publish_template(self, info: Info, input: PublishTemplateInput) -> TemplatePayload:
        """发布模板 Publish the next version of a text; what is printed from now on uses it."""
        published = await template.publish(info.context.ctx, code=input.code, body=input.body)
        return TemplatePayload(template=Template.of(published))


@answers("Document.url")
async def url(ctx: Context, document_ids: list[UUID]) -> dict[UUID, str]:
    return {document_id: document.link(ctx, document_id) for document_id in document_ids}
