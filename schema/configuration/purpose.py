"""贷款用途 · Purposes of loans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.configuration import purpose
from schema.kernel import Node, Payload, entity

if TYPE_CHECKING:
    from domain.configuration.purpose import PurposeUse as PurposeUse
else:
    PurposeUse = strawberry.enum(purpose.PurposeUse, description="用途类别 Consumption or business.")


@entity("purposes", reading="configuration.purpose.read")
class Purpose(Node):
    """贷款用途 A purpose of loans."""

    code: str
    """编码 What applications name."""
    name: str
    """名称 Name."""
    use: PurposeUse
    """类别 Consumption or business."""
    forbidden: bool
    """禁止 True where the law allows no loan for it."""


@strawberry.input(description="贷款用途 A purpose to add, or to change by its code.")
class SavePurposeInput:
    code: str
    """编码 What applications name."""
    name: str
    """名称 Name."""
    use: PurposeUse
    """类别 Consumption or business."""
    forbidden: bool = False
    """禁止 True where the law allows no loan for it."""


@strawberry.type(description="贷款用途结果 The purpose saved.")
class PurposePayload(Payload):
    purpose: Purpose | None = None
    """用途 The purpose."""
