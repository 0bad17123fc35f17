"""授权文本 · Agreements (F53): the texts that customers agree to."""

from __future__ import annotations

import strawberry

from schema.customers.consent import ConsentType
from schema.kernel import Node, Payload, entity


@entity("agreements", reading="configuration.agreement.read")
class Agreement(Node):
    """授权文本 One version of a text that customers agree to."""

    type: ConsentType
    """类型 What it is about."""
    version: int
    """版本 Version, from 1."""
    title: str
    """标题 Title."""
    text: str
    """正文 The text."""


@strawberry.input(description="授权文本 The next version of a text.")
class PublishAgreementInput:
    type: ConsentType
    """类型 What it is about."""
    title: str
    """标题 Title."""
    text: str
    """正文 The text."""


@strawberry.type(description="授权文本结果 The version published.")
class AgreementPayload(Payload):
    agreement: Agreement | None = None
    """文本 The version."""
