"""部门 · Departments (F04): a tree. `path` names the way from the root, so "this department and below" is one prefix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, find, lock, query
from domain.kernel.context import Context
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.refusals import Duplicate, InvalidInput
from domain.kernel.scope import Everyone, Reach, entity_of
from domain.kernel.table import Keyed, uuid7

ROOT = "ROOT"
DEEPEST = 10
CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Department(Keyed):
    """One department. `path` is the codes from the root down, each closed by "/": `ROOT/CD/`."""

    __tablename__ = "departments"
    __table_args__ = (
        Index("ix_departments_path", "path", postgresql_ops={"path": "text_pattern_ops"}),  # serves LIKE 'ROOT/CD/%'
    )
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    type: Mapped[str | None] = mapped_column(String(40))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    path: Mapped[str] = mapped_column(String(500))
    # No foreign key: employees refer to departments already, and two tables that need each other cannot be made in order.
    head_id: Mapped[UUID | None]


def check_text(field: str, text: str, longest: int = 100) -> str:
    """The text without blanks around it. Raises INVALID_INPUT when it is empty, too long or holds control characters."""
    plain = text.strip()
    if not plain or len(plain) > longest or not plain.isprintable():
        raise InvalidInput(
            field,
            zh="应为 1 至 {longest} 个可见字符。",
            en="Write 1 to {longest} visible characters.",
            longest=longest,
        )
    return plain


def check_code(field: str, code: str) -> str:
    """The code of a department or role. Raises INVALID_INPUT unless it is 1 to 40 letters, digits, "_" or "-"."""
    if not CODE.fullmatch(code):
        raise InvalidInput(
            field,
            zh="编码由 1 至 40 个字母、数字、“_”或“-”组成。",
            en='A code is 1 to 40 letters, digits, "_" or "-".',
        )
    return code


@command("organization.department.create")
async def create(
    ctx: Context, *, code: str, name: str, parent_id: UUID | None = None, type: str | None = None
) -> Department:
    """A department below `parent_id`, or below the root. Raises INVALID_INPUT, DUPLICATE (code), NOT_FOUND (parent)."""
    check_code("code", code)
    name = check_text("name", name)
    kind = check_text("type", type, 40) if type else None
    if parent_id is None:
        parent_id = (
            await ctx.connection.execute(select(Department.id).where(Department.parent_id.is_(None)))
        ).scalar_one()
    parent = await find(ctx, Department, parent_id, "parentId")
    if parent.path.count("/") >= DEEPEST:
        raise InvalidInput(
            "parentId",
            zh="部门层级最多 {deepest} 级。",
            en="Departments lie at most {deepest} levels deep.",
            deepest=DEEPEST,
        )
    department = ctx.add(Department(code=code, name=name, type=kind, parent_id=parent.id, path=f"{parent.path}{code}/"))
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("code", value=code) from error
    ctx.announce("organization.department.created", department)
    return department


@command("organization.department.appoint")
async def appoint(ctx: Context, *, department_id: UUID, employee_id: UUID | None) -> Department:
    """Makes an employee the head of a department; None leaves it without one. Raises NOT_FOUND."""
    department = await lock(ctx, Department, department_id, "departmentId")
    if employee_id is not None:
        # employee.py builds on this file, so its table is asked for by name.
        await find(ctx, entity_of("employees"), employee_id, "employeeId")
    department.head_id = employee_id
    ctx.announce("organization.department.head_changed", department)
    return department


@query("organization.department.read")
async def tree(ctx: Context, *, columns: Sequence[Any]) -> Sequence[Any]:
    """The whole tree, the root first, each department before those below it."""
    return (await ctx.connection.execute(select(*columns).order_by(Department.path))).all()


async def by_parent(ctx: Context, parent_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """The departments right below each of these, in the order of their codes."""
    statement = select(*columns, Department.parent_id.label("__parent")).where(Department.parent_id.in_(parent_ids))
    found: dict[UUID, list[Any]] = {parent: [] for parent in parent_ids}
    for row in await ctx.connection.execute(statement.order_by(Department.code)):
        found[row[-1]].append(row)
    return found


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The root, named like the lender."""
    await connection.execute(
        insert(Department).values(
            id=uuid7(), code=ROOT, name=request.name[:100], path=f"{ROOT}/", created_at=request.moment
        )
    )
