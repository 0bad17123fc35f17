"""贷后预警 · Early warnings (F31): alerts that a lender's rules raise when a day closes, each once per loan and spell of default.

Rules are data: a number of days past due, a level, and who is told. An alert keeps rule, value and threshold as they were.
Whoever sees the loan sees its alerts; only those whom the rule names are told at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    insert,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel import bulk, paging, portion
from domain.kernel.clock import CLOSING_DAY
from domain.kernel.command import command, find, lock, query
from domain.kernel.feed import Json
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.paging import Order, Page, Window
from domain.kernel.portion import Portion
from domain.kernel.refusals import InvalidInput, InvalidState
from domain.kernel.scope import Everyone, Reach, Through, entity_of, scope
from domain.kernel.table import Keyed, choice, uuid7
from domain.lending.loan.closing import SPELLS_TO_ANNOUNCE
from domain.lending.loan.tables import Loan

if TYPE_CHECKING:
    from domain.kernel.context import Context

RAISED, CHANGED = "post_loan.early_warning.raised", "post_loan.early_warning.changed"
KINDS = frozenset({RAISED, CHANGED})
MANAGER = "MANAGER"


class AlertLevel(StrEnum):
    """From the mildest to the gravest."""

    YELLOW = "YELLOW"
    """黄色 Worth a look."""
    ORANGE = "ORANGE"
    """橙色 Needs action."""
    RED = "RED"
    """红色 Needs action at once."""

    @property
    def rank(self) -> int:
        return list(AlertLevel).index(self)


class AlertState(StrEnum):
    """NEW until somebody has it; CLOSED and FALSE_ALARM end it."""

    NEW = "NEW"
    """新增 Nobody has it yet."""
    ASSIGNED = "ASSIGNED"
    """已分派 Somebody has it."""
    DISPOSING = "DISPOSING"
    """处置中 Something is being done."""
    CLOSED = "CLOSED"
    """已关闭 Its cause is gone."""
    ESCALATED = "ESCALATED"
    """已升级 Handed to somebody higher."""
    FALSE_ALARM = "FALSE_ALARM"
    """误报 There was no cause."""


ENDED = (AlertState.CLOSED, AlertState.FALSE_ALARM)
OPEN = tuple(state for state in AlertState if state not in ENDED)


class WarningRule(Keyed):
    """From `threshold` days past due on there is an alert, which somebody must take up within `days_to_act`.

    `recipients`: MANAGER (of the loan) and codes of roles."""

    __tablename__ = "warning_rules"
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    threshold: Mapped[int]
    level: Mapped[AlertLevel] = mapped_column(choice(AlertLevel))
    recipients: Mapped[list[str]] = mapped_column(Json)
    days_to_act: Mapped[int | None]
    enabled: Mapped[bool]


class Alert(Keyed):
    """One signal. `created_at` is when it was raised, `spell_from` the close of day that began the default.

    Nobody having taken it up at the close of `act_by`, it goes up to the general manager."""

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("loan_id", "rule_id", "spell_from"),
        Index("ix_alerts_state", "state", "id"),
        Index("ix_alerts_act_by", "act_by", postgresql_where=text("state in ('NEW', 'ASSIGNED')")),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    rule_id: Mapped[UUID] = mapped_column(ForeignKey("warning_rules.id"))
    rule: Mapped[str] = mapped_column(String(40))
    level: Mapped[AlertLevel] = mapped_column(choice(AlertLevel))
    state: Mapped[AlertState] = mapped_column(choice(AlertState), default=AlertState.NEW)
    business_date: Mapped[date]
    loan_id: Mapped[UUID | None] = mapped_column(ForeignKey("loans.id"))
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    spell_from: Mapped[date]
    message: Mapped[str] = mapped_column(String(200))
    value: Mapped[str] = mapped_column(String(40))
    threshold: Mapped[str] = mapped_column(String(40))
    recipients: Mapped[list[str]] = mapped_column(Json)
    act_by: Mapped[date | None]
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    disposal: Mapped[str | None] = mapped_column(Text)


ALERTS = cast(Table, Alert.__table__)
UP_TO = "GENERAL_MANAGER"
TO_ALL = (MANAGER, "RISK_OFFICER", "POST_LOAN_OFFICER")
DEFAULTS: tuple[tuple[int, AlertLevel, tuple[str, ...], int | None], ...] = (
    # days past due, level, who is told, days to act
    (1, AlertLevel.YELLOW, TO_ALL, None),
    (7, AlertLevel.YELLOW, TO_ALL, None),
    (30, AlertLevel.ORANGE, (*TO_ALL, UP_TO), None),
    (60, AlertLevel.ORANGE, (*TO_ALL, UP_TO), None),
    (90, AlertLevel.RED, (*TO_ALL, UP_TO), 3),
)


# ---------------------------------------------------------------- rules


def sentence(number: str, days_past_due: int) -> str:
    """What an alert says to people."""
    return f"{number} 逾期 {days_past_due} 天 {days_past_due} {'day' if days_past_due == 1 else 'days'} past due"


def is_told(recipients: Sequence[str], ctx: Context, managers: Sequence[UUID | None]) -> bool:
    """Whether the actor is one of an alert's recipients; `managers` are those of the loan."""
    return bool(ctx.actor.role_codes & set(recipients)) or (MANAGER in recipients and ctx.actor.id in managers)


def may_be_told(ctx: Context, facts: Mapping[str, Any]) -> bool:
    """The same from a row of the feed, which does not know the managers: False spares looking."""
    return MANAGER in facts["recipients"] or bool(ctx.actor.role_codes & set(facts["recipients"]))


def last_day_to_act(day: date, days_to_act: int | None) -> date | None:
    """Until the close of which day somebody must take an alert up; None where nobody waits."""
    return None if days_to_act is None else day + timedelta(days=days_to_act)


def check_disposal(present: AlertState, wanted: AlertState, remark: str) -> None:
    """What is worked on may end; a false alarm needs a reason, as closing does. Raises INVALID_STATE, INVALID_INPUT."""
    if present in ENDED:
        raise InvalidState("alertId", state=present)
    if wanted not in (AlertState.DISPOSING, *ENDED):
        raise InvalidInput("state", zh="处置结果无效。", en="An alert is worked on, closed or found false.")
    if wanted in ENDED and not remark.strip():
        raise InvalidInput("remark", zh="请填写处置说明。", en="Say what was done, or why it is false.")


# ---------------------------------------------------------------- end of day


async def raise_alerts(ctx: Context, day: date, after: UUID | None = None) -> Portion:
    """Raises what the rules find at the close of `day`, after its newly overdue loans are known; a step in parts.

    A threshold that was passed unnoticed (a receipt reversed later) is raised too. Repeating it raises nothing."""
    breaches = _breaches(day) if after is None else _breaches(day).where(Loan.id >= after)
    found = (await ctx.connection.execute(breaches.limit(portion.MOST))).all()
    rows = [
        {
            "id": uuid7(), "rule_id": row.rule_id, "rule": row.code, "level": row.level,
            "loan_id": row.loan_id, "customer_id": row.customer_id,
            "spell_from": row.overdue_spell_from, "value": str(row.days_past_due), "threshold": str(row.threshold),
            "message": sentence(row.number, row.days_past_due),
            "recipients": row.recipients, "act_by": last_day_to_act(day, row.days_to_act),
        }
        for row in found
    ]  # fmt: skip
    await bulk.insert(ctx, ALERTS, rows, created_at=ctx.now, state=AlertState.NEW, business_date=day)
    for row in rows:
        ctx.announce(RAISED, Alert(id=row["id"]), level=row["level"], rule=row["rule"], recipients=row["recipients"])
    return Portion.of([row["loan_id"] for row in rows])


async def escalate(ctx: Context, day: date) -> int:
    """升级 · Alerts that nobody took up in time go up to the general manager as the day closes; answers how many."""
    late = select(Alert).where(_not_taken_up(day)).order_by(Alert.id).with_for_update()
    alerts = (await ctx.session.execute(late)).scalars().all()
    for alert in alerts:
        alert.state = AlertState.ESCALATED
        alert.recipients = sorted({*alert.recipients, UP_TO})
        _announce_change(ctx, alert)
    return len(alerts)


def _announce_change(ctx: Context, alert: Alert) -> None:
    ctx.announce(CHANGED, alert, level=alert.level, rule=alert.rule, recipients=alert.recipients)


def _not_taken_up(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    return and_(Alert.act_by <= day, Alert.state.in_((AlertState.NEW, AlertState.ASSIGNED)))


def _breaches(day: date | ColumnElement[date]) -> Select[*tuple[Any, ...]]:
    """Loans past a rule's days for which this spell has no such alert yet, the mildest rule of each loan first."""
    days = (literal(day) if isinstance(day, date) else day) - Loan.days_past_due_since
    raised = (
        select(Alert.id)
        .where(Alert.loan_id == Loan.id, Alert.rule_id == WarningRule.id, Alert.spell_from == Loan.overdue_spell_from)
        .exists()
    )
    return (
        select(
            Loan.id.label("loan_id"), Loan.number, Loan.customer_id, Loan.overdue_spell_from,
            WarningRule.id.label("rule_id"), WarningRule.code, WarningRule.name, WarningRule.level,
            WarningRule.threshold, WarningRule.recipients, WarningRule.days_to_act, days.label("days_past_due"),
        )
        .select_from(Loan)
        .join(WarningRule, and_(WarningRule.enabled, WarningRule.threshold <= days))
        .where(Loan.days_past_due_since.is_not(None), Loan.overdue_spell_from.is_not(None), ~raised)
        .order_by(Loan.id, WarningRule.threshold)
    )  # fmt: skip


ALERTS_TO_RAISE = or_(SPELLS_TO_ANNOUNCE, _breaches(CLOSING_DAY).exists())
"""Whether `raise_alerts` may find a breach: of a spell that is known, or of one that this close announces before it."""
ALERTS_TO_ESCALATE = or_(ALERTS_TO_RAISE, select(Alert.id).where(_not_taken_up(CLOSING_DAY)).exists())
"""Whether `escalate` may find an alert: one that stands, or one that this close raises before it."""


# ---------------------------------------------------------------- commands


@command("post_loan.early_warning.assign")
async def assign(ctx: Context, *, alert_id: UUID, employee_id: UUID) -> Alert:
    """Gives an open alert to somebody. Raises NOT_FOUND, INVALID_STATE."""
    alert = await lock(ctx, Alert, alert_id, "alertId")
    if alert.state in ENDED:
        raise InvalidState("alertId", state=alert.state)
    employee = await find(ctx, entity_of("employees"), employee_id, "employeeId")
    alert.assignee_id, alert.state = employee.id, AlertState.ASSIGNED
    _announce_change(ctx, alert)
    return alert


@command("post_loan.early_warning.dispose")
async def dispose(ctx: Context, *, alert_id: UUID, state: AlertState, remark: str) -> Alert:
    """Writes down what is done about an alert, and ends it with CLOSED or FALSE_ALARM.

    Raises NOT_FOUND, INVALID_STATE (it has ended), INVALID_INPUT (no reason, or another state)."""
    alert = await lock(ctx, Alert, alert_id, "alertId")
    check_disposal(alert.state, state, remark)
    alert.state, alert.disposal = state, remark.strip()
    _announce_change(ctx, alert)
    return alert


# ---------------------------------------------------------------- queries


@query("post_loan.early_warning.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    levels: Sequence[AlertLevel] | None = None,
    open: bool | None = None,
) -> Page:
    """Alerts on loans that the actor sees, newest first."""
    table = Alert.__table__.c
    statement = select(*columns).where(scope(ctx, Alert))
    if levels is not None:
        statement = statement.where(table.level.in_(levels))
    if open is not None:
        statement = statement.where(table.state.in_(OPEN if open else ENDED))
    return await paging.page(ctx, statement, [Order(table.created_at, True), Order(table.id, True)], window)


async def told(ctx: Context, alert_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """Those of the alerts that the actor sees and is a recipient of."""
    table = Alert.__table__.c
    statement = (
        select(*columns, table.id.label("__id"), table.recipients.label("__recipients"))
        .add_columns(Loan.manager_id.label("__manager"), Loan.co_manager_id.label("__co_manager"))
        .select_from(Alert)
        .join(Loan, Loan.id == table.loan_id)
        .where(table.id.in_(alert_ids), scope(ctx, Alert))
    )
    found: dict[UUID, Any] = {}
    for row in (await ctx.connection.execute(statement)).all():
        named = row._mapping
        if is_told(named["__recipients"], ctx, (named["__manager"], named["__co_manager"])):
            found[named["__id"]] = row
    return found


@query("post_loan.early_warning.read")
async def rules(ctx: Context, *, columns: Sequence[Any]) -> Sequence[Any]:
    """All rules, the earliest first."""
    return (await ctx.connection.execute(select(*columns).order_by(WarningRule.threshold, WarningRule.code))).all()


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The rules of a fresh lender (behaviour.md "Defaults of a fresh lender")."""
    rows = [
        {
            "id": uuid7(), "created_at": request.moment, "code": f"OVERDUE_{days}", "name": f"逾期 {days} 天预警",
            "threshold": days, "level": level, "recipients": list(recipients), "days_to_act": to_act, "enabled": True,
        }
        for days, level, recipients, to_act in DEFAULTS
    ]  # fmt: skip
    await connection.execute(insert(WarningRule), rows)
