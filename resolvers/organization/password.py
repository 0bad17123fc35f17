"""密码 · Passwords: one's own changed, somebody else's reset."""

from __future__ import annotations

import strawberry

from domain.organization import password
from resolvers.kernel import Info, key, mutation
from schema.organization.employee import Employee, EmployeePayload
from schema.organization.password import ChangePasswordInput, ResetPasswordInput


@strawberry.type
class PasswordMutations:
    @mutation(password.change)
    async def change_password(self, info: Info, input: ChangePasswordInput) -> EmployeePayload:
        """修改密码 Change one's own password; all sessions end, this one too."""
        changed = await password.change(
            info.context.ctx, current_password=input.current_password, new_password=input.new_password
        )
        return EmployeePayload(employee=Employee.of(changed))

    @mutation(password.reset)
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> EmployeePayload:
        """重置密码 Give somebody who forgot it a new password; their sessions end."""
        changed = await password.reset(
            info.context.ctx, employee_id=key(input.employee_id, "Employee"), new_password=input.new_password
        )
        return EmployeePayload(employee=Employee.of(changed))
