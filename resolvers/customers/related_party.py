"""关联方 · Related parties."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.customers import related_party
from domain.customers.related_party import Party
from domain.kernel.context import Context
from resolvers.kernel import Info, answers, key, mutation
from schema.customers.related_party import AddRelatedPartyInput, RelatedParty, RelatedPartyPayload


@strawberry.type
class RelatedPartyMutations:
    @mutation(related_party.create)
    async def add_related_party(self, info: Info, input: AddRelatedPartyInput) -> RelatedPartyPayload:
        """新增关联方 Name a related party of a customer."""
        added = await related_party.create(
            info.context.ctx,
            customer_id=key(input.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
            relation=input.relation,
            party=Party(input.name, id_number=input.id_number, uscc=input.uscc, share=input.share),
        )
        return RelatedPartyPayload(related_party=RelatedParty.of(added))


@answers("Customer.related_parties")
async def related_parties(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, list[RelatedParty]]:
    found = await related_party.by_customer(ctx, customer_ids, RelatedParty.columns())
    return {owner: [RelatedParty.of(row) for row in rows] for owner, rows in found.items()}
