"""权限 · Permissions: what each command and query is called, stated once where it is declared; nothing is allowed by default.

A permission is `module.function.action`, e.g. `lending.interest_waiver.request`. Roles hold lists of them
(`domain/organization/role.py`); tests/api/permissions.txt lists which operation needs which.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"[a-z_]+\.[a-z_]+\.[a-z_]+")

PERMISSIONS: set[str] = set()


def declare(permission: str) -> str:
    """Registers a permission; a malformed one stops the start."""
    if not _FORM.fullmatch(permission):
        raise ValueError(f"not a permission (module.function.action): {permission!r}")
    PERMISSIONS.add(permission)
    return permission


def matching(patterns: frozenset[str] | set[str]) -> frozenset[str]:
    """All declared permissions that one of the patterns names: `lending.*`, `*.*.read`, or a permission itself."""
    wanted = [re.compile(re.escape(pattern).replace(r"\*", r"[a-z_]+")) for pattern in patterns]
    return frozenset(
        permission for permission in PERMISSIONS if any(pattern.fullmatch(permission) for pattern in wanted)
    )
