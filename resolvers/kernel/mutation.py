"""变更入口 · `@mutation` makes a field of Mutation from a method: permission first, refusals as userErrors.

The operation's snapshot ends before the command runs, so the payload leads to what was committed.
"""

from __future__ import annotations

import functools
import sys
import typing
from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.kernel.refusals import Language, Refusal
from resolvers.kernel.access import access, check, describe
from resolvers.kernel.plain_text import refuse_unreadable
from schema.kernel import JSON, ErrorCode, UserError


def mutation(
    declared: Callable[..., Any] | None = None,
    *,
    permission: str | None = None,
    signed_in: bool = False,
    public: bool = False,
    unlimited: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """`@mutation(interest_waiver.request)`; the method answers its payload type, which a refusal fills with userErrors.

    `unlimited`: the operation's time limit does not hold (what waits for the worker bounds its wait itself)."""
    needed = access(declared, permission=permission, signed_in=signed_in, public=public)

    def wrap(method: Callable[..., Any]) -> Any:
        @functools.wraps(method)
        async def run(self: Any, info: Any, **arguments: Any) -> Any:
            operation = info.context
            check(operation, needed)
            await operation.drop_snapshot()
            try:
                refuse_unreadable(arguments)
                return await method(self, info, **arguments)
            except Refusal as refusal:
                return payload_of(method)(user_errors=[user_error(refusal, operation.request.language)])

        metadata = {"needs": needed, "unlimited": unlimited}
        return strawberry.mutation(resolver=run, description=describe(method, needed), metadata=metadata)

    return wrap


def user_error(refusal: Refusal, language: Language) -> UserError:
    """A refusal as the API shows it; the path begins with the mutation's argument, `input`."""
    path = [to_camel_case(part) for part in refusal.field if part]
    return UserError(
        code=ErrorCode(refusal.code),
        field=["input", *path] if path else None,
        message=refusal.message(language),
        params=JSON(refusal.params) if refusal.params else None,
    )


@functools.cache
def payload_of(method: Callable[..., Any]) -> Any:
    """The payload type that a mutation's method says it answers."""
    return typing.get_type_hints(method, vars(sys.modules[method.__module__]))["return"]
