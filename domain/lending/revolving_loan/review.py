"""年审 · The annual review of a facility (F11): what somebody who did not bring it about finds, and what follows.

Keeping it sets the next review; a lower limit is asked for and decided by others; freezing and ending hold at once, because
they only protect. A review that comes due is a task of the risk officers.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from domain.calculation.dates import add_months
from domain.configuration import parameter
from domain.home import pending_task
from domain.home.pending_task import Task, TaskState
from domain.kernel.clock import SHANGHAI
from domain.kernel.command import command, lock
from domain.kernel.refusals import InvalidAmount, InvalidInput, SamePerson
from domain.lending.revolving_loan import freezing, request
from domain.lending.revolving_loan.history import note
from domain.lending.revolving_loan.tables import (
    LIVE,
    CreditFacility,
    FacilityEventType,
    FacilityReview,
    FacilityState,
    FreezeCause,
    ReviewOutcome,
    check_live,
    move,
)
from domain.lending.revolving_loan.terms import check_papers

if TYPE_CHECKING:
    from domain.kernel.context import Context

TASK = "FACILITY_REVIEW"
REVIEWERS = ("RISK_OFFICER",)
LONGEST_OPINION = 2000


# ---------------------------------------------------------------- rules


def check_opinion(opinion: str) -> str:
    """Something is said, in at most 2,000 characters. Raises INVALID_INPUT."""
    said = opinion.strip()
    if not 1 <= len(said) <= LONGEST_OPINION:
        raise InvalidInput(
            "opinion", zh="请填写意见，不超过 2000 字。", en="Give an opinion of at most 2,000 characters."
        )
    return said


def check_new_limit(outcome: ReviewOutcome, new_limit: Decimal | None, present: Decimal) -> None:
    """A limit goes with LOWER only, and is lower. Raises INVALID_INPUT, INVALID_AMOUNT."""
    if (outcome is ReviewOutcome.LOWER) is (new_limit is None):
        raise InvalidInput("newLimit", zh="仅下调时填写新额度。", en="A new limit goes with LOWER, and only with it.")
    if new_limit is not None and not 0 < new_limit < present:
        raise InvalidAmount(
            "newLimit",
            zh="新额度 {amount} 须大于零且低于现额度 {limit}。",
            en="A new limit {amount} is above zero and below the present {limit}.",
            amount=new_limit,
            limit=present,
        )


def next_review(asked: date | None, today: date, months: int) -> date:
    """The day of the next review: the one asked for, at the latest `months` from today. Raises INVALID_INPUT."""
    latest = add_months(today, months)
    if asked is not None and not today < asked <= latest:
        raise InvalidInput(
            "nextReviewOn",
            zh="下次年审日应在 {today} 之后且不晚于 {latest}。",
            en="The next review is after {today} and at the latest on {latest}.",
            today=today,
            latest=latest,
        )
    return asked or latest


# ---------------------------------------------------------------- command


@command("lending.credit_facility.review")
async def review(
    ctx: Context,
    *,
    facility_id: UUID,
    opinion: str,
    outcome: ReviewOutcome,
    new_limit: Decimal | None = None,
    next_review_on: date | None = None,
    papers_valid_until: date | None = None,
) -> CreditFacility:
    """Files a review and does what it says. `papers_valid_until`: new papers of the customer were seen.

    Raises NOT_FOUND, INVALID_STATE, SAME_PERSON (who manages or made the facility), INVALID_INPUT, INVALID_AMOUNT."""
    row = await lock(ctx, CreditFacility, facility_id, "facilityId")
    check_live(row)
    if ctx.actor.id in row.makers:
        raise SamePerson("facilityId")
    said = check_opinion(opinion)
    check_new_limit(outcome, new_limit, row.credit_limit)
    if papers_valid_until is not None:
        check_papers(papers_valid_until, ctx.today)
        row.papers_valid_until = papers_valid_until
    months: int = await parameter.value(ctx, "facility_review_months")
    ends = outcome is ReviewOutcome.CANCEL
    row.next_review_on = None if ends else next_review(next_review_on, ctx.today, months)
    ctx.add(
        FacilityReview(
            facility_id=row.id,
            reviewed_on=ctx.today,
            reviewed_by=ctx.actor.id,
            outcome=outcome,
            opinion=said,
            new_limit=new_limit,
            next_review_on=row.next_review_on,
        )
    )
    note(ctx, row, FacilityEventType.REVIEWED, reason=said)
    await pending_task.close(ctx, row, TASK)
    await _follow(ctx, row, outcome, new_limit, said)
    ctx.announce("lending.credit_facility.reviewed", row, outcome=outcome)
    return row


async def _follow(
    ctx: Context, row: CreditFacility, outcome: ReviewOutcome, new_limit: Decimal | None, opinion: str
) -> None:
    shortened = opinion[: freezing.LONGEST_REASON]
    if outcome is ReviewOutcome.LOWER and new_limit is not None:
        await request.ask_for_limit(ctx, row, new_limit, " ".join(shortened.split()))
    elif outcome is ReviewOutcome.FREEZE and row.state is FacilityState.ACTIVE:
        freezing.frozen(ctx, row, [FreezeCause.REVIEW], shortened)
    elif outcome is ReviewOutcome.CANCEL:
        await finish(ctx, row, "cancel", FacilityEventType.CANCELLED, shortened)


async def finish(
    ctx: Context, row: CreditFacility, action: str, type: FacilityEventType, reason: str | None = None
) -> None:
    """Ends a facility that is locked: nothing more is drawn and nothing asked; what was drawn runs on."""
    move(row, action)
    row.ended_on, row.next_review_on = ctx.today, None
    await request.drop_request(ctx, row)
    await pending_task.close(ctx, row, TASK)
    note(ctx, row, type, reason=reason)
    ctx.announce(f"lending.credit_facility.{type.lower()}", row)


# ---------------------------------------------------------------- end of day


async def ask_for_reviews(ctx: Context, day: date) -> int:
    """The morning after `day`: reviews that come due within the notice (a parameter) become tasks, one for each facility;
    answers how many."""
    notice: int = await parameter.value(ctx, "facility_review_notice_days")
    asked = select(Task.subject_id).where(Task.type == TASK, Task.state == TaskState.OPEN)
    due = select(CreditFacility).where(
        CreditFacility.state.in_(LIVE),
        CreditFacility.next_review_on <= day + timedelta(days=1 + notice),
        CreditFacility.id.not_in(asked),
    )
    rows = (await ctx.session.execute(due.order_by(CreditFacility.id))).scalars().all()
    for row in rows:
        assert row.next_review_on is not None
        await pending_task.open(
            ctx,
            type=TASK,
            title=f"授信年审 Review {row.number} by {row.next_review_on}",
            subject=row,
            roles=REVIEWERS,
            exclude=row.makers,
            amount=row.credit_limit,
            customer_id=row.customer_id,
            due_at=datetime.combine(row.next_review_on + timedelta(days=1), time(0), SHANGHAI),
        )
    return len(rows)
