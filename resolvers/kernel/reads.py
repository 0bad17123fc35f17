"""查询入口 · `@reads` makes a field of Query from a method, with the permission of the domain query behind it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import strawberry

from resolvers.kernel.access import access, check, describe
from resolvers.kernel.plain_text import check_readable


def reads(
    declared: Callable[..., Any] | None = None,
    *,
    permission: str | None = None,
    signed_in: bool = False,
    public: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """`@reads(loan.page)`; where no one domain query stands behind the field, the permission or `signed_in`."""
    needed = access(declared, permission=permission, signed_in=signed_in, public=public)

    def wrap(method: Callable[..., Any]) -> Any:
        @functools.wraps(method)
        async def run(self: Any, info: Any, **arguments: Any) -> Any:
            check(info.context, needed)
            check_readable(arguments)
            answer = method(self, info, **arguments)
            return await answer if inspect.isawaitable(answer) else answer

        return strawberry.field(resolver=run, description=describe(method, needed), metadata={"needs": needed})

    return wrap
