"""贷款分单 · Assignment (F09): a business manager gives a submitted application to an account manager, who accepts or refuses.

There is no automatic assignment by default. Every hand-over stays as a row; the task for it goes away for everybody at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.customers import customer
from domain.home import pending_task
from domain.kernel.command import command, lock
from domain.kernel.context import SYSTEM
from domain.kernel.refusals import Denied, InvalidInput, NotFound
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, choice
from domain.lending.loan_application import (
    SURVEY,
    SURVEY_HOURS,
    ApplicationState,
    LoanApplication,
    ask_for_assignment,
    move,
)
from domain.organization.employee import Employee, EmployeeRole, EmployeeStatus
from domain.organization.role import Role

if TYPE_CHECKING:
    from domain.kernel.context import Context

ACCEPTANCE = "ACCEPTANCE"
ACCEPTANCE_HOURS = 24
SURVEYS = "lending.survey_report.submit"


class AssignmentState(StrEnum):
    """An assignment waits for the account manager's answer; a later one takes its place."""

    ASSIGNED = "ASSIGNED"
    """已分配 Waits for an answer."""
    ACCEPTED = "ACCEPTED"
    """已接受 Taken on."""
    REFUSED = "REFUSED"
    """已拒绝 Declined with a reason."""
    REASSIGNED = "REASSIGNED"
    """已改派 A later assignment took its place."""


class Assignment(Keyed):
    """One hand-over of an application to an account manager (主办) and possibly a second one (协办)."""

    __tablename__ = "assignments"
    __table_args__ = (Index("ix_assignments_application", "application_id", "id"),)
    reach: ClassVar[Reach] = Through("application_id", "loan_applications")

    application_id: Mapped[UUID] = mapped_column(ForeignKey("loan_applications.id"))
    assigned_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    manager_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    co_manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    reason: Mapped[str | None] = mapped_column(String(500))
    state: Mapped[AssignmentState] = mapped_column(choice(AssignmentState), default=AssignmentState.ASSIGNED)
    answer: Mapped[str | None] = mapped_column(String(500))
    answered_at: Mapped[datetime | None]


@command("lending.assignment.assign")
async def assign(
    ctx: Context,
    *,
    application_id: UUID,
    manager_id: UUID,
    co_manager_id: UUID | None = None,
    reason: str | None = None,
) -> LoanApplication:
    """Gives an application to an account manager; one that was assigned and not accepted yet can be given to another.

    Raises NOT_FOUND (application, or no such account manager at work), INVALID_STATE, INVALID_INPUT (one person twice)."""
    row = await lock(ctx, LoanApplication, application_id, "applicationId")
    move(row, "assign")
    if manager_id == co_manager_id:
        raise InvalidInput("coManagerId", zh="主办与协办须为两人。", en="Manager and co-manager are two people.")
    manager = await _account_manager(ctx, manager_id, "accountManagerId")
    if co_manager_id is not None:
        await _account_manager(ctx, co_manager_id, "coManagerId")
    await pending_task.close(ctx, row)
    await _answer(ctx, row, AssignmentState.REASSIGNED, reason)
    row.manager_id, row.co_manager_id, row.department_id = manager.id, co_manager_id, manager.department_id
    ctx.add(
        Assignment(
            application_id=row.id,
            assigned_by=ctx.actor.id,
            manager_id=manager_id,
            co_manager_id=co_manager_id,
            reason=reason,
            state=AssignmentState.ASSIGNED,
        )
    )
    # The customer may be out of the assigning manager's sight; the new account manager needs to see it all the same.
    await customer.entrust(ctx.acting_as(SYSTEM), customer_id=row.customer_id, manager_id=manager_id)
    await pending_task.open(
        ctx,
        type=ACCEPTANCE,
        title=f"接收贷款申请 Accept {row.number}",
        subject=row,
        employees=[manager_id],
        amount=row.amount,
        customer_id=row.customer_id,
        due_at=ctx.now + timedelta(hours=ACCEPTANCE_HOURS),
    )
    ctx.announce("lending.loan_application.assigned", row, manager_id=manager_id)
    return row


async def _account_manager(ctx: Context, employee_id: UUID, field: str) -> Employee:
    """The employee, if at work and allowed to survey."""
    employee = await ctx.session.get(Employee, employee_id)
    held = select(Role.permissions).join(EmployeeRole, EmployeeRole.role_id == Role.id)
    permissions = (await ctx.connection.execute(held.where(EmployeeRole.employee_id == employee_id))).scalars()
    able = any(SURVEYS in granted for granted in permissions)
    if employee is None or employee.status is not EmployeeStatus.ACTIVE or not able:
        raise NotFound(field, zh="没有这样的在岗客户经理。", en="There is no such account manager at work.")
    return employee


@command("lending.loan_application.accept")
async def accept(ctx: Context, *, application_id: UUID, comment: str | None = None) -> LoanApplication:
    """The account manager takes the application and begins the survey. Raises NOT_FOUND, INVALID_STATE, and Denied where it
    was given to another person."""
    row = await _mine(ctx, application_id, "accept")
    await _answer(ctx, row, AssignmentState.ACCEPTED, comment)
    await pending_task.open(
        ctx,
        type=SURVEY,
        title=f"贷前调查 Survey {row.number}",
        subject=row,
        employees=[ctx.actor.id],
        amount=row.amount,
        customer_id=row.customer_id,
        due_at=ctx.now + timedelta(hours=SURVEY_HOURS),
    )
    ctx.announce("lending.loan_application.accepted", row)
    return row


@command("lending.loan_application.refuse")
async def refuse(ctx: Context, *, application_id: UUID, comment: str | None = None) -> LoanApplication:
    """The account manager gives the application back to the pool with a reason. Raises as `accept`, and INVALID_INPUT
    without a reason."""
    if not (comment or "").strip():
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    row = await _mine(ctx, application_id, "refuse")
    await _answer(ctx, row, AssignmentState.REFUSED, comment)
    row.manager_id, row.co_manager_id = None, None
    await ask_for_assignment(ctx, row)
    ctx.announce("lending.loan_application.refused", row)
    return row


async def _mine(ctx: Context, application_id: UUID, action: str) -> LoanApplication:
    row = await lock(ctx, LoanApplication, application_id, "applicationId")
    if row.state is ApplicationState.ASSIGNED and row.manager_id != ctx.actor.id:
        raise Denied(ctx.bound.permission)
    move(row, action)
    await pending_task.close(ctx, row)
    return row


async def _answer(ctx: Context, row: LoanApplication, state: AssignmentState, answer: str | None) -> None:
    waiting = select(Assignment).where(
        Assignment.application_id == row.id, Assignment.state == AssignmentState.ASSIGNED
    )
    for assignment in (await ctx.session.execute(waiting.with_for_update())).scalars():
        assignment.state, assignment.answer, assignment.answered_at = state, answer, ctx.now


async def by_application(
    ctx: Context, application_ids: Sequence[UUID], columns: Sequence[Any]
) -> dict[UUID, list[Any]]:
    """The hand-overs of each application in order. `columns` must hold `application_id`."""
    table = Assignment.__table__.c
    statement = select(*columns).where(table.application_id.in_(application_ids)).order_by(table.id)
    found: dict[UUID, list[Any]] = {key: [] for key in application_ids}
    for row in (await ctx.connection.execute(statement)).all():
        found[row.application_id].append(row)
    return found
