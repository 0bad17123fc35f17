"""预演 · What a command would change on loans before anybody confirms it: days, classes, installments, vouchers, messages.

The command itself is rehearsed (`kernel.command.rehearse`): it runs in a transaction that is taken back. So the preview can
show nothing else than what confirming does, as long as nothing else happens in between; figures of the loan are compared
from the fold before to the fold after (`calculation.loan.compare`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.calculation.loan.compare import Comparison
from domain.home import message
from domain.home.message import Message
from domain.kernel import feed
from domain.kernel.command import rehearse
from domain.kernel.context import SYSTEM
from domain.ledger.journal import Posted
from domain.lending.loan.refold import Step, state_of
from domain.lending.loan.tables import LoanState
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance, WorkflowState

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(frozen=True, slots=True)
class LoanChange:
    """One loan at the open day, without and with what would happen."""

    loan_id: UUID
    state_before: LoanState | None
    state_after: LoanState
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Told:
    """消息 · A message that somebody would get."""

    recipient_id: UUID
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen. `final` is False where others still have to agree: then it is what their agreement would do today.

    `announced` are the kinds of the feed rows, in order; `vouchers` are dated on the open day and have no numbers yet."""

    final: bool
    loans: Sequence[LoanChange]
    vouchers: Sequence[Posted]
    announced: Sequence[str]
    messages: Sequence[Told]


Follows = Callable[["Context", Any], Awaitable[Any]]
"""What others do after a command with the row that it answers: the bank pays, an accountant registers."""


async def of_command(
    ctx: Context, declared: Callable[..., Any], *, follows: Follows | None = None, **inputs: Any
) -> Preview:
    """What a command would do; with `follows`, what it would come to once that is done, if it were done today.

    Raises whatever they would refuse; nothing is written either way."""

    async def done(inner: Context, result: Any) -> Preview:
        return await _final(inner, result) if follows is None else await _followed(inner, result, follows)

    return await rehearse(ctx, declared, done, **inputs)


async def of_request(
    ctx: Context, declared: Callable[..., Any], *, follows: Follows | None = None, **inputs: Any
) -> Preview:
    """What a request would do once it is approved as asked, if that were today. `declared` answers the row it is about;
    `follows` is what is done with it after the approval, where the approval alone moves no money.

    Raises whatever the request, its approval or what follows would refuse."""

    async def approved(inner: Context, subject: Any) -> Preview:
        running = await _running(inner, WorkflowInstance.subject_id == subject.id)
        if running is None:
            return await _seen(inner, final=False)
        return await _agreed(inner, running, subject, follows)

    return await rehearse(ctx, declared, approved, **inputs)


async def of_decision(ctx: Context, declared: Callable[..., Any], **inputs: Any) -> Preview:
    """What a decision on a task would do; where others decide after it, what it would do once they have agreed.

    Raises whatever the decision would refuse."""

    async def decided(inner: Context, task: Any) -> Preview:
        agreeing = inputs["decision"] is instance.Decision.APPROVE
        running = await _running(inner, WorkflowInstance.id == task.instance_id) if agreeing else None
        return await _final(inner, task) if running is None else await _agreed(inner, running)

    return await rehearse(ctx, declared, decided, **inputs)


# ---------------------------------------------------------------- inside the rehearsal


async def _final(ctx: Context, _result: Any) -> Preview:
    return await _seen(ctx, final=True)


async def _running(ctx: Context, which: Any) -> WorkflowInstance | None:
    wanted = select(WorkflowInstance).where(which, WorkflowInstance.state == WorkflowState.RUNNING)
    return (await ctx.session.execute(wanted)).scalars().first()


async def _agreed(
    ctx: Context, running: WorkflowInstance, subject: Any = None, follows: Follows | None = None
) -> Preview:
    """As if everybody who still has to had agreed. What the request itself announces is not part of it."""
    ctx.bound.feed.clear()
    others = ctx.acting_as(SYSTEM)
    await instance.end(others, running, WorkflowState.APPROVED)
    if follows is not None:
        await follows(others, subject)
    return await _seen(others, final=False)


async def _followed(ctx: Context, result: Any, follows: Follows) -> Preview:
    """As if what others do next were done. What the first step itself announces is not part of it."""
    ctx.bound.feed.clear()
    others = ctx.acting_as(SYSTEM)
    await follows(others, result)
    return await _seen(others, final=False)


async def _seen(ctx: Context, *, final: bool) -> Preview:
    """Everything that was noted, announced and sent; the feed is written as before a commit, so messages go out."""
    await ctx.session.flush()
    await feed.flush(ctx)
    happened = ctx.bound.rehearsal or []
    return Preview(
        final=final,
        loans=_changes([step for step in happened if isinstance(step, Step)]),
        vouchers=[posted for posted in happened if isinstance(posted, Posted)],
        announced=[row["kind"] for row in ctx.bound.feed if row["kind"] != message.SENT],
        messages=await _messages(ctx),
    )


def _changes(steps: Sequence[Step]) -> list[LoanChange]:
    """One change for each loan, from before the first thing that happened to it to after the last."""
    first = {step.loan.id: step.before for step in reversed(steps)}
    return [
        LoanChange(
            loan_id,
            state_of(before) if before else None,
            state_of(after),
            Comparison(before, after),
        )
        for loan_id, after in {step.loan.id: step.after for step in steps}.items()
        for before in [first[loan_id]]
    ]


async def _messages(ctx: Context) -> list[Told]:
    sent = [row["subject_id"] for row in ctx.bound.feed if row["kind"] == message.SENT]
    statement = select(Message.recipient_id, Message.title, Message.body).where(Message.id.in_(sent))
    rows = (await ctx.connection.execute(statement.order_by(Message.id))).all() if sent else []
    return [Told(*row) for row in rows]


Rehearsal = Callable[..., Awaitable[Preview]]
"""`of_command`, `of_request` or `of_decision`: how far a preview goes."""
