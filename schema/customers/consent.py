"""客户授权 · Consents: what a customer agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.configuration import agreement
from schema.kernel import ID, DateTime, Hidden, Node, Payload, entity

if TYPE_CHECKING:
    from domain.configuration.agreement import ConsentType as ConsentType
else:
    ConsentType = strawberry.enum(agreement.ConsentType, description="授权类型 What a customer agrees to.")


@entity("consent_records", reading="customers.customer.read")
class ConsentRecord(Node):
    """授权记录 One agreement of a customer to one version of a text."""

    type: ConsentType
    """类型 What it is about."""
    version: int
    """版本 Version of the text."""
    agreed_at: DateTime
    """授权时间 When the customer agreed."""
    withdrawn_at: DateTime | None
    """撤回时间 When the customer took it back; null while it holds."""
    customer_id: Hidden[UUID]


@strawberry.input(description="授权 What the customer agreed to.")
class ConsentInput:
    type: ConsentType
    """类型 What it is about."""
    version: int
    """版本 Version of the text."""


@strawberry.input(description="新授权 One more consent of a customer.")
class RecordConsentInput:
    customer_id: ID
    """客户 Who agreed."""
    consent: ConsentInput
    """授权 To what."""


@strawberry.input(description="撤回授权 A consent that the customer takes back.")
class WithdrawConsentInput:
    consent_id: ID
    """授权 Which one."""


@strawberry.type(description="授权结果 The consent recorded or withdrawn.")
class ConsentPayload(Payload):
    consent: ConsentRecord | None = None
    """授权 The consent as it is now."""
