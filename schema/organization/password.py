"""密码 · Passwords: one's own changed, somebody else's reset."""

from __future__ import annotations

import strawberry

from schema.kernel import ID


@strawberry.input(description="修改密码 One's own password.")
class ChangePasswordInput:
    current_password: str
    """当前密码 The password in force."""
    new_password: str
    """新密码 At least 12 characters."""


@strawberry.input(description="重置密码 The password of somebody who forgot it.")
class ResetPasswordInput:
    employee_id: ID
    """员工 Somebody else."""
    new_password: str
    """新密码 At least 12 characters."""
