"""关联方 · Related parties of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.customers import related_party
from schema.kernel import ID, Hidden, Node, Payload, Rate, entity

if TYPE_CHECKING:
    from domain.customers.related_party import Relation as Relation
else:
    Relation = strawberry.enum(
        related_party.Relation, name="PartyRelation", description="关联关系 How a party is related."
    )


@entity("related_parties", reading="customers.customer.read")
class RelatedParty(Node):
    """关联方 A party behind a customer; customers with a party in common make a group."""

    relation: Relation
    """关系 Spouse, controller or shareholder."""
    name: str
    """姓名、名称 Name."""
    id_number_masked: str | None
    """身份证号 Masked ID number of a person."""
    uscc: str | None
    """统一社会信用代码 Credit code of an organization."""
    share: Rate | None
    """持股比例 Share of a shareholder."""
    customer_id: Hidden[UUID]


@strawberry.input(description="新关联方 A related party of a customer. Give the identifier if it is known.")
class AddRelatedPartyInput:
    customer_id: ID
    """客户 Whose party it is."""
    relation: Relation
    """关系 Spouse, controller or shareholder."""
    name: str
    """姓名、名称 Name."""
    id_number: str | None = None
    """身份证号 ID number of a person; stored encrypted."""
    uscc: str | None = None
    """统一社会信用代码 Credit code of an organization."""
    share: Rate | None = None
    """持股比例 Share of a shareholder, above 0 and at most 1."""


@strawberry.type(description="关联方结果 The related party added.")
class RelatedPartyPayload(Payload):
    related_party: RelatedParty | None = None
    """关联方 The new related party."""
