"""贷款用途 · Purposes of loans."""

from __future__ import annotations

import strawberry

from domain.configuration import purpose
from resolvers.kernel import Info, mutation, reads
from schema.configuration.purpose import Purpose, PurposePayload, SavePurposeInput


@strawberry.type
class PurposeQueries:
    @reads(purpose.purposes)
    async def purposes(self, info: Info) -> list[Purpose]:
        """贷款用途 The dictionary of purposes; small, so no connection."""
        rows = await purpose.purposes(await info.context.reading(), columns=Purpose.columns())
        return [Purpose.of(row) for row in rows]


@strawberry.type
class PurposeMutations:
    @mutation(purpose.save)
    async def save_purpose(self, info: Info, input: SavePurposeInput) -> PurposePayload:
        """保存用途 Add a purpose, or change the one of this code."""
        saved = await purpose.save(
            info.context.ctx, code=input.code, name=input.name, use=input.use, forbidden=input.forbidden
        )
        return PurposePayload(purpose=Purpose.of(saved))
