"""授权文本 · Agreements (F53)."""

from __future__ import annotations

import strawberry

from domain.configuration import agreement
from resolvers.kernel import Info, mutation, reads
from schema.configuration.agreement import Agreement, AgreementPayload, PublishAgreementInput


@strawberry.type
class AgreementQueries:
    @reads(agreement.agreements)
    async def agreements(self, info: Info) -> list[Agreement]:
        """授权文本 The texts that customers agree to, the latest version of each first; small, so no connection."""
        rows = await agreement.agreements(await info.context.reading(), columns=Agreement.columns())
        return [Agreement.of(row) for row in rows]


@strawberry.type
class AgreementMutations:
    @mutation(agreement.publish)
    async def publish_agreement(self, info: Info, input: PublishAgreementInput) -> AgreementPayload:
        """发布授权文本 Publish the next version of a text."""
        published = await agreement.publish(info.context.ctx, type=input.type, title=input.title, text=input.text)
        return AgreementPayload(agreement=Agreement.of(published))
