"""许可 · What each field at the root of the API needs. A field that says nothing stops the start."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from domain.kernel.permissions import declare

PUBLIC = "public"
SIGNED_IN = "signed in"
INTROSPECT = declare("configuration.api.introspect")


def access(declared: Callable[..., Any] | None, *, permission: str | None, signed_in: bool, public: bool) -> str:
    """One word for what is needed: a permission, "signed in" or "public". Exactly one of the four must be given."""
    given = [declared is not None, permission is not None, signed_in, public]
    if sum(given) != 1:
        raise TypeError("a field at the root names its command or query, a permission, signed_in or public")
    if declared is not None:
        stated: str = declared.permission  # type: ignore[attr-defined]  # set by @command and @query
        return stated
    if permission is not None:
        return declare(permission)
    return SIGNED_IN if signed_in else PUBLIC


def check(operation: Any, needed: str) -> None:
    """Raises Unauthenticated or Denied. The command or query checks again; this one comes before the input is read."""
    if needed == PUBLIC:
        return
    if needed == SIGNED_IN:
        _ = operation.actor
        return
    operation.require(needed)


def describe(function: Callable[..., Any], needed: str) -> str:
    """The docstring and what the field needs, for people who read the schema."""
    shown = f"`{needed}`" if "." in needed else needed
    return f"{inspect.getdoc(function) or ''}\n\n权限 Needs: {shown}.".strip()
