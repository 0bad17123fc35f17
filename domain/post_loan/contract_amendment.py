"""合同变更 · Contract amendment (F28): extension, rate, method, acceleration and misuse rate of a living loan.

Asked for by one person with reason and consents, decided by others through the workflow. Approved, it becomes one event of
the loan on its effective date: the plan goes on as a new version, what was paid and has grown stays, the difference is
booked today (golden S32, S36, S37). Before and after are kept side by side, the all-in cost among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.schedule import Method
from domain.configuration import document
from domain.kernel import audit, paging
from domain.kernel.clock import hold_day, hold_month
from domain.kernel.command import command, find, lock, query
from domain.kernel.feed import Json
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import Denied, InvalidInput, InvalidState, NotFound, Refusal, plain
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, RateColumn, choice
from domain.lending import interest_waiver, settlement
from domain.lending import loan as loans
from domain.lending.loan import Loan
from domain.lending.loan_contract import LoanContract
from domain.organization.department import check_text
from domain.post_loan import contract_amendment_effect as effect
from domain.post_loan.contract_amendment_effect import Weighed
from domain.post_loan.contract_amendment_rules import AmendmentType, Change, Consent
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "AMENDMENT"
LONGEST_REASON = 500
ONE_AT_A_TIME = "uq_contract_amendments_in_review"


class AmendmentState(StrEnum):
    """变更状态 · Approved is in force until it is undone (`contract_amendment_reversal`)."""

    IN_REVIEW = "IN_REVIEW"
    """审批中 Waits for a decision."""
    APPROVED = "APPROVED"
    """已批准 In force from its effective date."""
    REJECTED = "REJECTED"
    """已拒绝 Refused."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back by who asked."""
    REVERSED = "REVERSED"
    """已撤销 Undone by an opposite entry: the loan stands as if it had never been agreed."""


class ContractAmendment(Keyed):
    """One amendment; `number` is that of the supplement agreement (补充协议). `before` and `after` are the loan at the request,
    and from the approval on at the approval (`contract_amendment_effect.snapshot`); `event_id` is its loan event, `reversal_id`
    the running workflow that undoes it."""

    __tablename__ = "contract_amendments"
    __table_args__ = (
        Index("ix_contract_amendments_loan_id", "loan_id", "id"),
        # Two at once would each be weighed without the other.
        Index(ONE_AT_A_TIME, "loan_id", unique=True, postgresql_where="state = 'IN_REVIEW'"),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[AmendmentState] = mapped_column(choice(AmendmentState), default=AmendmentState.IN_REVIEW)
    type: Mapped[AmendmentType] = mapped_column(choice(AmendmentType))
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    effective_date: Mapped[date]
    annual_rate: Mapped[Decimal | None] = mapped_column(RateColumn)
    method: Mapped[Method | None] = mapped_column(choice(Method))
    extension_periods: Mapped[int | None]
    multiplier: Mapped[Decimal | None] = mapped_column(RateColumn)
    amount: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    because_of_difficulty: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text)
    consents: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    before: Mapped[dict[str, Any]] = mapped_column(Json)
    after: Mapped[dict[str, Any]] = mapped_column(Json)
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    event_id: Mapped[UUID | None]
    reversal_id: Mapped[UUID | None]
    reversal_reason: Mapped[str | None] = mapped_column(Text)


# ---------------------------------------------------------------- commands


@command("post_loan.contract_amendment.request")
async def request(
    ctx: Context, *, loan_id: UUID, change: Change, reason: str, attachment_ids: Sequence[UUID] = ()
) -> ContractAmendment:
    """Asks for an amendment and starts its workflow. `attachment_ids`: own uploads beside those of the consents.

    Raises NOT_FOUND (loan, uploads), INVALID_STATE (the loan, or another amendment in review), INVALID_INPUT, and what
    `contract_amendment_effect.weigh` refuses: EXTENSION_TOO_LONG, GUARANTOR_CONSENT_MISSING, ARREARS_EXIST …"""
    loan = await find(ctx, Loan, loan_id, "loanId")
    plain_reason = check_text("reason", reason, LONGEST_REASON)
    consents = [_check_consent(one) for one in change.consents]
    await hold_month(ctx, change.effective_date or ctx.today, "effectiveDate")
    weighed = await effect.weigh(ctx, loan, change)
    row = ctx.add(
        ContractAmendment(
            number=await numbered(ctx, "BG"),
            state=AmendmentState.IN_REVIEW,
            type=change.type,
            loan_id=loan.id,
            customer_id=loan.customer_id,
            effective_date=weighed.coming.value_date,
            annual_rate=change.annual_rate,
            method=change.method,
            extension_periods=change.extension_periods,
            multiplier=change.multiplier,
            amount=change.amount,
            because_of_difficulty=change.because_of_difficulty,
            reason=plain_reason,
            consents=consents,
            before=weighed.before,
            after=weighed.after,
            requested_by=ctx.actor.id,
        )
    )
    await _flush(ctx, row)
    await _attach(ctx, row, loan, change.consents, attachment_ids)
    await _warn(ctx, row, weighed)
    await instance.start(
        ctx,
        purpose=PURPOSE,
        subject=row,
        title=f"合同变更 Amendment {row.number}",
        amount=loan.principal_outstanding,
        customer_id=loan.customer_id,
        facts={"request": row.type, "annual_rate": row.annual_rate, "lending_mode": loan.lending_mode},
    )
    ctx.announce("post_loan.contract_amendment.requested", row, loan_id=loan.id)
    return row


@command("post_loan.contract_amendment.withdraw")
async def withdraw(ctx: Context, *, amendment_id: UUID) -> ContractAmendment:
    """Takes an own request back before it is decided. Raises NOT_FOUND, INVALID_STATE, Denied (another's request)."""
    row = await lock(ctx, ContractAmendment, amendment_id, "amendmentId")
    if row.requested_by != ctx.actor.id:
        raise Denied("post_loan.contract_amendment.withdraw")
    if row.state is not AmendmentState.IN_REVIEW:
        raise InvalidState("amendmentId", state=row.state)
    row.state = AmendmentState.WITHDRAWN
    await instance.stop(ctx, row)
    ctx.announce("post_loan.contract_amendment.withdrawn", row, loan_id=row.loan_id)
    return row


@instance.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """The workflow has ended: the amendment is weighed once more as the loan stands now, and takes effect or is refused.

    Raises what `weigh` refuses (money may have come in, arrears arisen, the cap fallen), about the task."""
    row = await ctx.session.get_one(ContractAmendment, running.subject_id)
    row.decided_at = ctx.now
    if not approved:
        row.state = AmendmentState.REJECTED
        ctx.announce("post_loan.contract_amendment.rejected", row, loan_id=row.loan_id)
        return
    await hold_day(ctx)  # before the loan, as whoever posts and end of day do
    loan = await ctx.session.get_one(Loan, row.loan_id, with_for_update=True)
    try:
        weighed = await effect.weigh(ctx, loan, _change_of(row))
    except Refusal as refused:
        refused.field = ("taskId",)
        raise
    event = await loans.record(
        ctx,
        loan,
        type=weighed.coming.type,
        value_date=row.effective_date,
        payload={**weighed.coming.payload, "amendment_id": str(row.id)},
        reference=row,
    )
    row.before, row.after, row.event_id = weighed.before, weighed.after, event.id
    row.state = AmendmentState.APPROVED
    await _warn(ctx, row, weighed)
    await interest_waiver.restate(ctx, loan.id)
    await settlement.follow_loans(ctx, [loan.contract_id])
    ctx.announce("post_loan.contract_amendment.approved", row, loan_id=loan.id)


@instance.terms_check(PURPOSE)
async def no_terms(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """The borrower has signed these terms: others are another request. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="变更条件不能在审批中调整。", en="An amendment is approved as it was asked for.")


# ---------------------------------------------------------------- parts


def _check_consent(given: Consent) -> dict[str, Any]:
    """A consent as the amendment keeps it. Raises INVALID_INPUT for its texts."""
    number = given.document_number
    return {
        "name": check_text("guarantorConsents", given.name),
        "document_number": None if number is None else check_text("guarantorConsents", number, 60),
        "attachment_id": plain(given.attachment_id),
    }


def _change_of(row: ContractAmendment) -> Change:
    consents = tuple(
        Consent(
            name=one["name"],
            document_number=one["document_number"],
            attachment_id=UUID(one["attachment_id"]) if one["attachment_id"] else None,
        )
        for one in row.consents
    )
    return Change(
        type=row.type,
        effective_date=row.effective_date,
        annual_rate=row.annual_rate,
        method=row.method,
        extension_periods=row.extension_periods,
        multiplier=row.multiplier,
        amount=row.amount,
        because_of_difficulty=row.because_of_difficulty,
        consents=consents,
    )


async def _flush(ctx: Context, row: ContractAmendment) -> None:
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        if ONE_AT_A_TIME not in str(error.orig):
            raise
        raise InvalidState(
            "loanId", zh="另一项变更正在审批。", en="Another amendment is being decided.", state=row.state
        ) from error


async def _attach(
    ctx: Context, row: ContractAmendment, loan: Loan, consents: Sequence[Consent], attachment_ids: Sequence[UUID]
) -> None:
    """The papers become the amendment's; one scan may be the paper of several people. Raises NOT_FOUND with its field."""
    contract = await ctx.session.get_one(LoanContract, loan.contract_id)
    for field, uploads in _papers(consents, attachment_ids):
        with _named(field):
            await document.attach(ctx, uploads, row, application_id=contract.application_id)


def _papers(consents: Sequence[Consent], attachment_ids: Sequence[UUID]) -> list[tuple[tuple[str, ...], list[UUID]]]:
    """The uploads, once each, by the field that names them."""
    signed = {one.attachment_id for one in consents if one.attachment_id is not None}
    return [
        (("guarantorConsents", "attachmentId"), sorted(signed)),
        (("attachmentIds",), sorted(set(attachment_ids) - signed)),
    ]


@contextmanager
def _named(field: tuple[str, ...]) -> Iterator[None]:
    try:
        yield
    except NotFound as missing:
        raise NotFound(field) from missing


async def _warn(ctx: Context, row: ContractAmendment, weighed: Weighed) -> None:
    """A cost above four times the LPR is let pass and noted in the guard log."""
    if weighed.warning is not None:
        await audit.guard(ctx, weighed.warning, severity="WARN", subject_id=row.id)


# ---------------------------------------------------------------- queries


@query("post_loan.contract_amendment.read")
async def preview(
    ctx: Context, *, loan_id: UUID, change: Change, attachment_ids: Sequence[UUID] = ()
) -> Weighed | Refusal | None:
    """试算 · What an amendment would do if it were approved now, or why it would be refused; nothing is written.

    None for a loan that the actor may not see."""
    table = Loan.__table__
    seen = await ctx.connection.execute(select(table).where(table.c.id == loan_id, scope(ctx, Loan)))
    loan = seen.one_or_none()
    if loan is None:
        return None
    try:
        for one in change.consents:
            _check_consent(one)
        for field, uploads in _papers(change.consents, attachment_ids):
            with _named(field):
                await document.check_attachable(ctx, uploads)
        return await effect.weigh(ctx, loan, change)
    except Refusal as refused:
        return refused


@query("post_loan.contract_amendment.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[AmendmentState] | None = None,
    types: Sequence[AmendmentType] | None = None,
    loan_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> Page:
    """The amendments that the actor may see, newest first."""
    table = ContractAmendment.__table__.c
    statement = select(*columns).where(scope(ctx, ContractAmendment))
    for column, wanted in ((table.state, states), (table.type, types)):
        if wanted is not None:
            statement = statement.where(column.in_(wanted))
    for column, key in ((table.loan_id, loan_id), (table.customer_id, customer_id)):
        if key is not None:
            statement = statement.where(column == key)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)
