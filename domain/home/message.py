"""消息提醒 · Messages (F03): what people are told that they need not act on: decisions on what they asked for, money paid out.

Rules are data: which event of the feed is told to whom, and whether at all. Messages are written in the transaction of their
event, one for each recipient; nobody is told what he did himself. They carry numbers and amounts, never names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel import feed, paging
from domain.kernel.command import check_version, command, lock, query
from domain.kernel.feed import Json
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import InvalidInput, NotFound
from domain.kernel.scope import Everyone, Personal, Reach
from domain.kernel.table import Keyed, TenantTable, choice, uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context

SENT = "home.message.sent"
MAKER, MANAGER = "MAKER", "MANAGER"
MAKER_COLUMNS = ("maker_id", "requested_by", "entered_by")
MANAGED_BY = {"loan_id": "loans", "contract_id": "loan_contracts"}


class MessageCategory(StrEnum):
    """What a message is about."""

    SYSTEM = "SYSTEM"
    """系统 The program itself."""
    APPROVAL = "APPROVAL"
    """审批 Approvals."""
    REPAYMENT = "REPAYMENT"
    """还款 Repayments due and made."""
    WARNING = "WARNING"
    """预警 Alerts."""
    CUSTOMER = "CUSTOMER"
    """客户 Customers."""


class MessageRule(Keyed):
    """An event and who is told of it. `recipients`: MAKER, MANAGER, or codes of roles."""

    __tablename__ = "message_rules"
    reach: ClassVar[Reach] = Everyone()

    event: Mapped[str] = mapped_column(String(100), unique=True)
    category: Mapped[MessageCategory] = mapped_column(choice(MessageCategory))
    title: Mapped[str] = mapped_column(String(100))
    recipients: Mapped[list[str]] = mapped_column(Json)
    enabled: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)


class Message(Keyed):
    """One message to one person; `created_at` is when it was sent."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_recipient", "recipient_id", "id"),
        Index("ix_messages_unread", "recipient_id", postgresql_where=text("read_at is null")),
    )
    reach: ClassVar[Reach] = Personal("recipient_id")

    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    category: Mapped[MessageCategory] = mapped_column(choice(MessageCategory))
    title: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    subject_table: Mapped[str] = mapped_column(String(63))
    subject_id: Mapped[UUID]
    read_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Default:
    """A rule of a fresh lender."""

    category: MessageCategory
    title: str
    recipients: tuple[str, ...]


APPROVAL, REPAYMENT = MessageCategory.APPROVAL, MessageCategory.REPAYMENT
DEFAULTS: dict[str, Default] = {
    "lending.loan_application.approved": Default(APPROVAL, "贷款申请已批准 Application approved", (MAKER,)),
    "lending.loan_application.rejected": Default(APPROVAL, "贷款申请被拒绝 Application refused", (MAKER,)),
    "lending.loan_application.returned": Default(APPROVAL, "贷款申请被退回 Application given back", (MAKER,)),
    "lending.interest_waiver.approved": Default(APPROVAL, "利息减免已批准 Waiver approved", (MAKER,)),
    "lending.interest_waiver.rejected": Default(APPROVAL, "利息减免被拒绝 Waiver refused", (MAKER,)),
    "lending.interest_waiver.lapsed": Default(APPROVAL, "利息减免已失效 Waiver lapsed", (MAKER,)),
    "lending.credit_facility.granted": Default(APPROVAL, "授信已生效 Facility granted", (MAKER,)),
    "lending.credit_facility.rejected": Default(APPROVAL, "授信申请被拒绝 Facility request refused", (MAKER,)),
    "lending.credit_facility.returned": Default(APPROVAL, "授信申请被退回 Facility request given back", (MAKER,)),
    "lending.credit_facility.limit_changed": Default(APPROVAL, "授信额度已调整 Limit changed", (MANAGER,)),
    "lending.credit_facility.unfrozen": Default(APPROVAL, "授信已解冻 Facility unfrozen", (MANAGER,)),
    "lending.credit_facility.frozen": Default(MessageCategory.WARNING, "授信已冻结 Facility frozen", (MANAGER,)),
    "lending.credit_facility.expired": Default(MessageCategory.CUSTOMER, "授信已到期 Facility expired", (MANAGER,)),
    "post_loan.contract_amendment.approved": Default(APPROVAL, "合同变更已批准 Amendment approved", (MAKER, MANAGER)),
    "post_loan.contract_amendment.rejected": Default(APPROVAL, "合同变更被拒绝 Amendment refused", (MAKER,)),
    "finance.disbursement.paid": Default(REPAYMENT, "贷款已放款 Loan paid out", (MANAGER,)),
    "finance.receipt.rejected": Default(REPAYMENT, "还款录入被退回 Receipt given back", (MAKER,)),
    "finance.receipt.reversed": Default(REPAYMENT, "还款已冲正 Receipt reversed", (MANAGER,)),
    "finance.refund.approved": Default(APPROVAL, "退款已批准 Refund approved", (MAKER,)),
    "finance.refund.rejected": Default(APPROVAL, "退款被拒绝 Refund refused", (MAKER,)),
    "finance.refund.paid": Default(REPAYMENT, "已退款 Refund paid", (MAKER,)),
    "finance.refund.failed": Default(REPAYMENT, "退款付款失败 Refund failed", (MAKER,)),
    "post_loan.write_off.approved": Default(APPROVAL, "贷款已核销 Loan written off", (MAKER, MANAGER)),
    "post_loan.write_off.rejected": Default(APPROVAL, "核销被拒绝 Write-off refused", (MAKER,)),
    "post_loan.write_off.reversed": Default(APPROVAL, "核销已撤销 Write-off undone", (MAKER, MANAGER)),
    "collateral.mortgage.released": Default(APPROVAL, "抵押已解除 Mortgage released", (MAKER, MANAGER)),
    "collateral.mortgage.release_rejected": Default(APPROVAL, "解押被拒绝 Release refused", (MAKER,)),
    "collateral.repossession.approved": Default(APPROVAL, "抵债资产已接收 Asset taken over", (MAKER, MANAGER)),
    "collateral.repossession.rejected": Default(APPROVAL, "抵债被拒绝 Taking over refused", (MAKER,)),
    "collateral.repossession.reversed": Default(APPROVAL, "抵债已撤销 Taking over undone", (MAKER, MANAGER)),
    "lending.loan.settled": Default(REPAYMENT, "贷款已结清 Loan settled", (MANAGER,)),
}


# ---------------------------------------------------------------- rules


def body_of(subject: Mapping[str, Any]) -> str:
    """The number of what it is about, and its amount where it has one."""
    amount = subject.get("amount")
    return f"{subject['number']}，{amount:,.2f} 元" if amount is not None else str(subject["number"])


def check_recipients(recipients: Sequence[str], roles: set[str]) -> None:
    """A rule names the maker, the manager or roles; at least one. Raises INVALID_INPUT."""
    unknown = [code for code in recipients if code not in roles | {MAKER, MANAGER}]
    if unknown or not recipients:
        raise InvalidInput(
            "recipients", zh="接收人无效：{unknown}。", en="Not recipients: {unknown}.", unknown=unknown or "–"
        )


# ---------------------------------------------------------------- sending


@feed.hears
async def send(ctx: Context, announced: list[dict[str, Any]]) -> None:
    """Writes the messages that the lender's rules make of what is announced, in the same transaction."""
    events = [happened for happened in announced if happened["kind"] in DEFAULTS]
    if not events:
        return
    table = MessageRule.__table__.c
    wanted = select(MessageRule.__table__).where(table.event.in_({event["kind"] for event in events}), table.enabled)
    rules = {rule.event: rule for rule in (await ctx.connection.execute(wanted)).all()}
    for happened in events:
        if happened["kind"] in rules:
            await _send_one(ctx, rules[happened["kind"]], happened["subject_table"], happened["subject_id"])


async def _send_one(ctx: Context, rule: Any, subject_table: str, subject_id: UUID) -> None:
    subject = await _row(ctx, subject_table, subject_id)
    for recipient in sorted(await _recipients(ctx, rule.recipients, subject) - {ctx.actor.id}):
        message = Message(id=uuid7())
        values = {
            "id": message.id, "created_at": ctx.now, "recipient_id": recipient, "category": rule.category,
            "title": rule.title, "body": body_of(subject), "subject_table": subject_table, "subject_id": subject_id,
        }  # fmt: skip
        await ctx.connection.execute(insert(Message).values(**values))
        ctx.announce(SENT, message, recipient_id=recipient)


async def _row(ctx: Context, table_name: str, key: UUID) -> Mapping[str, Any]:
    table = TenantTable.metadata.tables[table_name]
    return (await ctx.connection.execute(select(table).where(table.c.id == key))).one()._mapping  # type: ignore[return-value]


async def _recipients(ctx: Context, wanted: Sequence[str], subject: Mapping[str, Any]) -> set[UUID]:
    found = await people_of(ctx, [code for code in wanted if code not in (MAKER, MANAGER)])
    if MAKER in wanted:
        found |= {subject[column] for column in MAKER_COLUMNS if subject.get(column)}
    if MANAGER in wanted:
        managed = subject
        for column, table in MANAGED_BY.items():
            if "manager_id" not in managed and managed.get(column):
                managed = await _row(ctx, table, managed[column])
        found |= {person for person in (managed.get("manager_id"), managed.get("co_manager_id")) if person}
    return found


async def people_of(ctx: Context, roles: Sequence[str]) -> set[UUID]:
    """The people at work who hold one of these roles."""
    if not roles:
        return set()
    tables = TenantTable.metadata.tables
    employees, held, known = tables["employees"].c, tables["employee_roles"].c, tables["roles"].c
    of_roles = select(held.employee_id).where(held.role_id.in_(select(known.id).where(known.code.in_(roles))))
    statement = select(employees.id).where(employees.status == "ACTIVE", employees.id.in_(of_roles))
    return set((await ctx.connection.execute(statement)).scalars())


# ---------------------------------------------------------------- commands


@command("home.message.mark_read")
async def mark_read(ctx: Context, *, message_ids: Sequence[UUID] | None = None) -> int:
    """Marks the actor's messages (None: all of them) as read; answers how many were unread.

    Raises NOT_FOUND when one of them is not the actor's."""
    mine = Message.recipient_id == ctx.actor.id
    unread = update(Message).where(mine, Message.read_at.is_(None))
    if message_ids is not None:
        wanted = set(message_ids)
        known = select(func.count()).select_from(Message).where(mine, Message.id.in_(wanted))
        if (await ctx.connection.execute(known)).scalar_one() != len(wanted):
            raise NotFound("messageIds")
        unread = unread.where(Message.id.in_(wanted))
    marked = await ctx.connection.execute(unread.values(read_at=ctx.now).returning(Message.id))
    return len(marked.all())


@command("configuration.message_rule.update")
async def update_rule(
    ctx: Context,
    *,
    rule_id: UUID,
    expected_version: int,
    enabled: bool | None = None,
    recipients: Sequence[str] | None = None,
) -> MessageRule:
    """Switches a rule on or off, or changes whom it tells. Raises NOT_FOUND, CONFLICT, INVALID_INPUT."""
    rule = await lock(ctx, MessageRule, rule_id, "ruleId")
    check_version(rule, expected_version)
    if recipients is not None:
        roles = TenantTable.metadata.tables["roles"].c
        check_recipients(recipients, set((await ctx.connection.execute(select(roles.code))).scalars()))
        rule.recipients = sorted(set(recipients))
    if enabled is not None:
        rule.enabled = enabled
    ctx.announce("configuration.message_rule.updated", rule)
    return rule


# ---------------------------------------------------------------- queries


@query("home.message.read")
async def page(ctx: Context, *, columns: Sequence[Any], window: Window, unread: bool | None = None) -> Page:
    """The actor's messages, newest first; only the unread or the read ones, if asked."""
    table = Message.__table__.c
    statement = select(*columns).where(table.recipient_id == ctx.actor.id)
    if unread is not None:
        statement = statement.where(table.read_at.is_(None) if unread else table.read_at.is_not(None))
    return await paging.page(ctx, statement, [Order(table.id, True)], window)


@query("home.message.read")
async def unread_count(ctx: Context) -> int:
    """How many messages the actor has not read."""
    mine = select(func.count()).where(Message.recipient_id == ctx.actor.id, Message.read_at.is_(None))
    return int((await ctx.connection.execute(mine)).scalar_one())


async def mine(ctx: Context, message_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """Those of the messages that are the actor's."""
    table = Message.__table__.c
    statement = select(*columns, table.id.label("__id")).where(
        table.id.in_(message_ids), table.recipient_id == ctx.actor.id
    )
    return {row._mapping["__id"]: row for row in (await ctx.connection.execute(statement)).all()}


@query("configuration.message_rule.read")
async def rules(ctx: Context, *, columns: Sequence[Any]) -> Sequence[Any]:
    """All rules, in the order of their events."""
    return (await ctx.connection.execute(select(*columns).order_by(MessageRule.event))).all()


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The rules of a fresh lender."""
    rows = [
        {
            "id": uuid7(), "created_at": request.moment, "event": event, "category": default.category,
            "title": default.title, "recipients": list(default.recipients), "enabled": True, "version": 1,
        }
        for event, default in DEFAULTS.items()
    ]  # fmt: skip
    await connection.execute(insert(MessageRule), rows)
