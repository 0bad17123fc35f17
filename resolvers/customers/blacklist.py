"""黑名单 · The blacklist."""

from __future__ import annotations

import strawberry

from domain.customers import blacklist
from resolvers.kernel import Info, key, mutation
from schema.customers.blacklist import BlacklistedParty, BlacklistPartyInput, BlacklistPayload, UnblacklistPartyInput


@strawberry.type
class BlacklistMutations:
    @mutation(blacklist.add)
    async def blacklist_party(self, info: Info, input: BlacklistPartyInput) -> BlacklistPayload:
        """列入黑名单 Refuse a party from now on."""
        listed = await blacklist.add(
            info.context.ctx,
            name=input.name,
            id_number=input.id_number,
            uscc=input.uscc,
            reason=input.reason,
            until=input.until,
        )
        return BlacklistPayload(party=BlacklistedParty.of(listed))

    @mutation(blacklist.remove)
    async def unblacklist_party(self, info: Info, input: UnblacklistPartyInput) -> BlacklistPayload:
        """移出黑名单 Take a party off the list."""
        removed = await blacklist.remove(info.context.ctx, party_id=key(input.party_id, "BlacklistedParty"))
        return BlacklistPayload(party=BlacklistedParty.of(removed))
