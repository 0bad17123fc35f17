"""密码 · Changing one's own password and resetting somebody else's; either ends all their sessions (promise A3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from domain.kernel.clock import machine_now
from domain.kernel.command import command, lock
from domain.kernel.context import Context
from domain.kernel.refusals import BadCredentials, SamePerson
from domain.organization import session
from domain.organization.credential import Credential, check_password
from domain.organization.employee import Employee


@command("organization.password.change")
async def change(ctx: Context, *, current_password: str, new_password: str) -> Employee:
    """The actor's own; they sign in anew. Raises BAD_CREDENTIALS (the current one is wrong), WEAK_PASSWORD."""
    check_password("newPassword", new_password)
    person = await lock(ctx, Employee, ctx.actor.id)
    hash_now = select(Credential.password_hash).where(Credential.employee_id == person.id)
    password_hash = (await ctx.connection.execute(hash_now)).scalar_one()
    if not await ctx.ports.identity.matches(password_hash, current_password):
        raise BadCredentials("currentPassword", zh="当前密码错误。", en="The current password is wrong.")
    await _set(ctx, person, new_password)
    return person


@command("organization.password.reset")
async def reset(ctx: Context, *, employee_id: UUID, new_password: str) -> Employee:
    """Somebody else's, who forgot it. Raises NOT_FOUND, SAME_PERSON, WEAK_PASSWORD."""
    check_password("newPassword", new_password)
    person = await lock(ctx, Employee, employee_id, "employeeId")
    if person.id == ctx.actor.id:
        raise SamePerson(
            "employeeId",
            zh="请用“修改密码”更改自己的密码。",
            en="Change your own password with the current one.",
        )
    await _set(ctx, person, new_password)
    return person


async def _set(ctx: Context, person: Employee, password: str) -> None:
    password_hash = await ctx.ports.identity.hash_password(password)
    await ctx.connection.execute(
        update(Credential).where(Credential.employee_id == person.id).values(password_hash=password_hash)
    )
    await session.revoke_all(ctx.connection, person.id, machine_now())
    ctx.announce("organization.password.changed", person)
