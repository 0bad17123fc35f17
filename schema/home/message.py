"""消息提醒 · Messages (F03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.home import message
from schema.kernel import ID, Connection, Cursor, DateTime, Node, Payload, column, entity

if TYPE_CHECKING:
    from domain.home.message import MessageCategory as MessageCategory
else:
    MessageCategory = strawberry.enum(message.MessageCategory, description="消息类别 What a message is about.")


@entity("messages", reading="home.message.read")
class Message(Node):
    """消息 Something I am told and need not act on. Only its recipient sees it."""

    category: str
    """类别 SYSTEM, APPROVAL, REPAYMENT, WARNING or CUSTOMER."""
    title: str
    """标题 What happened."""
    body: str
    """内容 The number and the amount of what it is about."""
    sent_at: DateTime = column("created_at", "发送时间 When it was sent.")
    read_at: DateTime | None
    """阅读时间 When I read it; null as long as it is unread."""


@strawberry.type(description="消息列表 One page of messages.")
class MessageConnection(Connection[Message]):
    pass


@strawberry.input(description="消息筛选 Only messages that meet all that is given.")
class MessageFilter:
    unread: bool | None = None
    """未读 True: only unread ones; false: only those that were read."""


@strawberry.type(description="消息事件 A message came.")
class MessageEvent:
    cursor: Cursor
    """游标 Where to go on: give it as `after`."""
    message: Message
    """消息 The message."""
    unread_count: int
    """未读数 How many messages I have not read now."""


@entity("message_rules", reading="configuration.message_rule.read")
class MessageRule(Node):
    """消息规则 Which event is told to whom."""

    event: str
    """事件 The event, as the feed names it."""
    category: MessageCategory
    """类别 What its messages are about."""
    title: str
    """标题 The title of its messages."""
    recipients: list[str]
    """接收人 MAKER, MANAGER, or codes of roles."""
    enabled: bool
    """启用 Whether it makes messages."""
    version: int
    """版本 Give it as `expectedVersion` when changing the rule."""


@strawberry.input(description="标记已读 Which messages.")
class MarkMessagesReadInput:
    message_ids: list[ID] | None = None
    """消息 These messages; all of mine when left out."""


@strawberry.type(description="标记已读结果 What is unread now.")
class MarkMessagesReadPayload(Payload):
    unread_count: int | None = None
    """未读数 How many messages I have not read now."""


@strawberry.input(description="修改消息规则 What is left out stays as it is.")
class UpdateMessageRuleInput:
    rule_id: ID
    """规则 The rule."""
    expected_version: int
    """版本 The version that was read; a stale one is CONFLICT."""
    enabled: bool | None = None
    """启用 Whether it makes messages."""
    recipients: list[str] | None = None
    """接收人 MAKER, MANAGER, or codes of roles."""


@strawberry.type(description="消息规则结果 The rule, or why nothing changed.")
class MessageRulePayload(Payload):
    rule: MessageRule | None = None
    """规则 The rule."""
