"""黑名单 · Parties that get no loan."""

from __future__ import annotations

import strawberry

from schema.kernel import ID, Date, Node, Payload, entity


@entity("blacklisted_parties", reading="customers.blacklist.read")
class BlacklistedParty(Node):
    """黑名单 A person or enterprise that gets no loan."""

    name: str
    """姓名、名称 Name."""
    id_number_masked: str | None
    """身份证号 Masked ID number of a person."""
    uscc: str | None
    """统一社会信用代码 Credit code of an enterprise."""
    reason: str
    """原因 Why."""
    until: Date | None
    """截止日 Last day; null for good."""
    removed: bool
    """已移出 True once taken off the list."""


@strawberry.input(description="列入黑名单 A party to refuse: one identifier, and why.")
class BlacklistPartyInput:
    name: str
    """姓名、名称 Name."""
    id_number: str | None = None
    """身份证号 ID number of a person; stored encrypted."""
    uscc: str | None = None
    """统一社会信用代码 Credit code of an enterprise."""
    reason: str
    """原因 Why."""
    until: Date | None = None
    """截止日 Last day; for good when left out."""


@strawberry.input(description="移出黑名单 A party to take off the list.")
class UnblacklistPartyInput:
    party_id: ID
    """对象 Which entry."""


@strawberry.type(description="黑名单结果 The entry made or taken off.")
class BlacklistPayload(Payload):
    party: BlacklistedParty | None = None
    """对象 The entry as it is now."""
