"""消息提醒 · Messages (F03)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import strawberry

from domain.home import message
from domain.kernel.context import Context
from domain.kernel.feed_reading import Happened
from domain.kernel.paging import Window
from resolvers.kernel import Info, key, keys, mutation, reads
from resolvers.kernel.subscribing import cursor_at, follow, subscription
from schema.home.message import (
    MarkMessagesReadInput,
    MarkMessagesReadPayload,
    Message,
    MessageConnection,
    MessageEvent,
    MessageFilter,
    MessageRule,
    MessageRulePayload,
    UpdateMessageRuleInput,
)
from schema.kernel import Cursor

KINDS = frozenset({message.SENT})


@strawberry.type
class MessageQueries:
    @reads(message.page)
    async def messages(
        self,
        info: Info,
        filter: MessageFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> MessageConnection:
        """消息 My messages, newest first."""
        page = await message.page(
            await info.context.reading(),
            columns=Message.columns(),
            window=Window(first, after, last, before),
            unread=filter.unread if filter else None,
        )
        return MessageConnection.of(Message, page)

    @reads(message.unread_count)
    async def unread_message_count(self, info: Info) -> int:
        """未读数 How many messages I have not read."""
        return await message.unread_count(await info.context.reading())

    @reads(message.rules)
    async def message_rules(self, info: Info) -> list[MessageRule]:
        """消息规则 Which event is told to whom; few, so no connection."""
        rows = await message.rules(await info.context.reading(), columns=MessageRule.columns())
        return [MessageRule.of(row) for row in rows]


@strawberry.type
class MessageMutations:
    @mutation(message.mark_read)
    async def mark_messages_read(self, info: Info, input: MarkMessagesReadInput) -> MarkMessagesReadPayload:
        """标记已读 Mark my messages as read."""
        chosen = None if input.message_ids is None else keys(input.message_ids, "Message")
        await message.mark_read(info.context.ctx, message_ids=chosen)
        return MarkMessagesReadPayload(unread_count=await message.unread_count(await info.context.reading()))

    @mutation(message.update_rule)
    async def update_message_rule(self, info: Info, input: UpdateMessageRuleInput) -> MessageRulePayload:
        """修改消息规则 Switch a rule on or off, or change whom it tells."""
        rule = await message.update_rule(
            info.context.ctx,
            rule_id=key(input.rule_id, "MessageRule"),
            expected_version=input.expected_version,
            enabled=input.enabled,
            recipients=input.recipients,
        )
        return MessageRulePayload(rule=MessageRule.of(rule))


@strawberry.type
class MessageSubscriptions:
    @subscription(message.page)
    def message_received(self, info: Info, after: Cursor | None = None) -> AsyncIterator[MessageEvent]:
        """新消息 A message to me came."""
        return follow(info.context, KINDS, after, _message_events)


async def _message_events(ctx: Context, rows: list[Happened]) -> list[MessageEvent]:
    mine = [row for row in rows if row.facts.get("recipient_id") == str(ctx.actor.id)]
    if not mine:
        return []
    found = await message.mine(ctx, [row.subject_id for row in mine], Message.columns())
    unread = await message.unread_count(ctx)
    return [
        MessageEvent(cursor=cursor_at(ctx, row.place), message=Message.of(found[row.subject_id]), unread_count=unread)
        for row in mine
        if row.subject_id in found
    ]
