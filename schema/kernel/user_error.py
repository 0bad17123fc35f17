"""业务拒绝 · What the business says no to, as the API shows it: a code of the closed list, where, why and the figures."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import strawberry

from domain.kernel.refusals import REFUSALS
from schema.kernel.scalars import JSON

if TYPE_CHECKING:

    class ErrorCode(StrEnum):
        """One code per rule."""
else:
    ErrorCode = strawberry.enum(
        StrEnum("ErrorCode", {code: code for code in REFUSALS}),
        description="业务错误码 Closed list; one code per rule, added as rules are added.",
    )


@strawberry.type(description="业务拒绝 One rule that refused the mutation; nothing was changed.")
class UserError:
    code: ErrorCode
    """错误码 Which rule."""
    field: list[str] | None
    """字段 Path into the input, e.g. ["input", "amount"]; null where no single field is to blame."""
    message: str
    """提示 For people, in the language of Accept-Language (zh-CN, en)."""
    params: JSON | None
    """数值 The figures behind the refusal, e.g. {"limit": "20000000.00", "after": "20100000.00"}."""


@strawberry.type(description="变更结果 What changed, or why nothing did.")
class Payload:
    """Base of all payloads. Their other fields default to null: that is what a refusal answers."""

    user_errors: list[UserError] = strawberry.field(default_factory=list)
    """业务拒绝 Rules that refused; empty when the change was made."""
