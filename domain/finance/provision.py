"""拨备 · Provision for loan losses: the run of a month, what each loan requires, and the ratios of the portfolio (decision 0030).

Required is what the policy in force asks for (银发〔2002〕98号, a local ladder, 财金〔2012〕20号), loan by loan, by class; on top
of it the lender may keep an additional allowance (parameter). A run brings the allowance (1304) to that and books the
difference; a smaller requirement releases. End of day runs each month's last day by itself; a run that a person asks for is decided by
another. A run is undone only by the next one. Entrusted loans bear no risk of the lender and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, case, func, insert, literal, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.classification import FiveClass
from domain.calculation.money import fen, yuan
from domain.calculation.provision import POLICIES, Portfolio, ProvisionPolicy, of_sums
from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.kernel import paging
from domain.kernel.clock import hold_day
from domain.kernel.command import command, query
from domain.kernel.context import SYSTEM
from domain.kernel.paging import Order, Page, Window
from domain.kernel.paging_by_parent import pages_by_parent
from domain.kernel.refusals import Conflict, InvalidInput, InvalidState
from domain.kernel.scope import Everyone, Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, TenantTable, choice
from domain.ledger import journal
from domain.ledger.account import ALLOWANCE, IMPAIRMENT_LOSS
from domain.ledger.journal import Entry, Line
from domain.lending.loan.tables import STILL_KNOWN, Loan, LoanState, PositionRow
from domain.organization.department import check_text
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "PROVISION"
LONGEST_REASON = 200
DAY = timedelta(days=1)
BAD = [named for named in FiveClass if named.non_performing]


class ProvisionRunState(StrEnum):
    """计提状态 · A run of end of day is posted at once, one of a person after another has agreed."""

    PROPOSED = "PROPOSED"
    """待审批 Waits for another person."""
    POSTED = "POSTED"
    """已入账 Booked."""
    REJECTED = "REJECTED"
    """已拒绝 Never booked."""
    SUPERSEDED = "SUPERSEDED"
    """已作废 End of day has run the month meanwhile."""


class ProvisionRun(Keyed):
    """One run. Money in CNY; `change` is what was booked (below zero: released), `booked_before` the allowance before it."""

    __tablename__ = "provision_runs"
    __table_args__ = (Index("ix_provision_runs_month", "month", "state"),)
    reach: ClassVar[Reach] = Everyone()

    month: Mapped[date]
    as_of: Mapped[date]
    state: Mapped[ProvisionRunState] = mapped_column(choice(ProvisionRunState))
    policy: Mapped[str] = mapped_column(String(40))
    principal: Mapped[Decimal] = mapped_column(MoneyColumn)
    npl_principal: Mapped[Decimal] = mapped_column(MoneyColumn)
    general_required: Mapped[Decimal] = mapped_column(MoneyColumn)
    specific_required: Mapped[Decimal] = mapped_column(MoneyColumn)
    additional: Mapped[Decimal] = mapped_column(MoneyColumn)
    booked_before: Mapped[Decimal] = mapped_column(MoneyColumn)
    change: Mapped[Decimal] = mapped_column(MoneyColumn)
    reason: Mapped[str] = mapped_column(String(200))
    requested_by: Mapped[UUID]
    decided_at: Mapped[datetime | None]
    voucher_id: Mapped[UUID | None]


class ProvisionItem(TenantTable):
    """What one loan required in one run, with the class and the principal behind it. Money in CNY."""

    __tablename__ = "provision_items"
    __table_args__ = (Index("ix_provision_items_loan_id", "loan_id"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    run_id: Mapped[UUID] = mapped_column(ForeignKey("provision_runs.id"), primary_key=True)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"), primary_key=True)
    five_class: Mapped[FiveClass] = mapped_column(choice(FiveClass))
    principal: Mapped[Decimal] = mapped_column(MoneyColumn)
    general: Mapped[Decimal] = mapped_column(MoneyColumn)
    specific: Mapped[Decimal] = mapped_column(MoneyColumn)


# --------------------------------------------------------------------------- rules


def month_of(day: date) -> date:
    """The first day of the month that a day is in: this names the month."""
    return day.replace(day=1)


def last_day(month: date) -> date:
    """The last day of the month that a day is in."""
    return month_of(month.replace(day=28) + 4 * DAY) - DAY


def share(amount: Any, numerator: int, denominator: int) -> Any:
    """`amount × numerator / denominator` in fen, half up, as SQL over whole numbers."""
    return (2 * amount * numerator + denominator) // (2 * denominator)


def general_required(policy: ProvisionPolicy, principal: Any) -> Any:
    """`calculation.provision` for many loans at once: the general part, as SQL over a column of fen."""
    return share(principal, policy.general_rate.numerator, policy.general_rate.denominator)


def specific_required(policy: ProvisionPolicy, principal: Any, five_class: Any) -> Any:
    """The specific part, rounded by itself, as SQL over these columns."""
    rates = zip(FiveClass, policy.specific, strict=True)
    return case(*((five_class == named, share(principal, rate.numerator, rate.denominator)) for named, rate in rates))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionFigures:
    """What a run would book, or has booked. Money in fen; the ratios are those after it."""

    policy: str
    as_of: date
    additional: int
    booked_before: int
    portfolio: Portfolio

    @property
    def target(self) -> int:
        """What the allowance is to hold."""
        return self.portfolio.required + self.additional

    @property
    def change(self) -> int:
        return self.target - self.booked_before


# --------------------------------------------------------------------------- what is required


def _standing(as_of: date) -> Any:
    """Loans with principal at the close of a day: key, class, principal in fen. The one place that says which class counts:
    that of the lender's ruleset, until somebody has confirmed another."""
    position = PositionRow.__table__.c
    loan = Loan.__table__.c
    return (
        select(position.loan_id, position.five_class, position.principal)
        .join(Loan.__table__, loan.id == position.loan_id)
        .where(position.known_to == STILL_KNOWN, position.from_date <= as_of, position.to_date > as_of)
        .where(position.principal > 0, loan.kind != LoanKind.ENTRUSTED, loan.state != LoanState.TRANSFERRED)
        .subquery("standing")
    )


async def figures(ctx: Context, as_of: date) -> ProvisionFigures:
    """What the policy of that day requires of the positions at its close, against the allowance booked by now. Three statements."""
    said = await parameter.values(ctx, ("provision_policy", "provision_additional"), as_of)
    policy, standing = POLICIES[said["provision_policy"]], _standing(as_of)
    loan = standing.c
    sums = (
        loan.principal,
        case((loan.five_class.in_(BAD), loan.principal), else_=0),
        general_required(policy, loan.principal),
        specific_required(policy, loan.principal, loan.five_class),
    )
    found = (await ctx.connection.execute(select(*(func.coalesce(func.sum(part), 0) for part in sums)))).one()
    booked = fen(-await journal.balance(ctx, ALLOWANCE))
    additional = fen(said["provision_additional"])
    principal, bad, general, specific = map(int, found)
    after = of_sums(principal, bad, general, specific, general + specific + additional)
    return ProvisionFigures(
        policy=policy.code, as_of=as_of, additional=additional, booked_before=booked, portfolio=after
    )


def of_run(run: Any) -> ProvisionFigures:
    """The figures of a stored run."""
    general, specific = fen(run.general_required), fen(run.specific_required)
    booked = fen(run.booked_before + run.change)
    return ProvisionFigures(
        policy=run.policy,
        as_of=run.as_of,
        additional=fen(run.additional),
        booked_before=fen(run.booked_before),
        portfolio=of_sums(fen(run.principal), fen(run.npl_principal), general, specific, booked),
    )


async def _add(ctx: Context, month: date, found: ProvisionFigures, reason: str) -> ProvisionRun:
    """The run with its items, one statement for all of them."""
    whole = found.portfolio
    run = ctx.add(
        ProvisionRun(
            month=month,
            as_of=found.as_of,
            state=ProvisionRunState.PROPOSED,
            policy=found.policy,
            principal=yuan(whole.principal),
            npl_principal=yuan(whole.npl_principal),
            general_required=yuan(whole.general_required),
            specific_required=yuan(whole.specific_required),
            additional=yuan(found.additional),
            booked_before=yuan(found.booked_before),
            change=yuan(found.change),
            reason=reason,
            requested_by=ctx.actor.id,
        )
    )
    await ctx.session.flush()
    policy, standing = POLICIES[found.policy], _standing(found.as_of)
    loan = standing.c
    required = (general_required(policy, loan.principal), specific_required(policy, loan.principal, loan.five_class))
    in_cny = [part / literal(Decimal(100)) for part in (loan.principal, *required)]
    rows = select(literal(run.id), loan.loan_id, loan.five_class, *in_cny)
    names = ["run_id", "loan_id", "five_class", "principal", "general", "specific"]
    await ctx.connection.execute(insert(ProvisionItem).from_select(names, rows))
    return run


async def _post(ctx: Context, run: ProvisionRun) -> None:
    """Dr 6702 / Cr 1304 for the difference, or the opposite; nothing where there is none."""
    summary = f"计提贷款损失准备 {run.month:%Y-%m}" if run.change >= 0 else f"转回贷款损失准备 {run.month:%Y-%m}"
    lines = [Line(IMPAIRMENT_LOSS, debit=run.change), Line(ALLOWANCE, credit=run.change)]
    value_date = min(run.as_of, ctx.today)
    posted = await journal.post(
        ctx, Entry(kind=PURPOSE, reference=run, lines=lines, summary=summary, value_date=value_date)
    )
    run.voucher_id = posted[0] if posted else None
    run.state, run.decided_at = ProvisionRunState.POSTED, ctx.now
    ctx.announce("finance.provision.posted", run, month=run.month)


# --------------------------------------------------------------------------- commands


@command("finance.provision.run")
async def run(ctx: Context, *, month: date, reason: str) -> ProvisionRun:
    """计提 · Proposes the run of a month, as of its last day or today; another person decides.

    `month`: any day of it. Raises INVALID_INPUT (a month to come, or before one that is booked already; no reason),
    INVALID_STATE (another run waits for its decision)."""
    why = check_text("reason", reason, LONGEST_REASON)
    first = month_of(month)
    await _check_month(ctx, first)
    waiting = await ctx.session.scalar(select(ProvisionRun.id).where(ProvisionRun.state == ProvisionRunState.PROPOSED))
    if waiting is not None:
        raise InvalidState(
            "month", zh="已有计提待审批。", en="Another run waits for its decision.", state=ProvisionRunState.PROPOSED
        )
    found = await figures(ctx, min(last_day(first), ctx.today))
    row = await _add(ctx, first, found, why)
    await instance.start(
        ctx, purpose=PURPOSE, subject=row, title=f"计提贷款损失准备 Provision {first:%Y-%m}", amount=abs(row.change)
    )
    ctx.announce("finance.provision.proposed", row, month=first)
    return row


async def _check_month(ctx: Context, first: date) -> None:
    booked = select(func.max(ProvisionRun.month)).where(ProvisionRun.state == ProvisionRunState.POSTED)
    earliest = await ctx.session.scalar(booked) or await _first_month(ctx)
    if not earliest <= first <= ctx.today:
        raise InvalidInput(
            "month",
            zh="只能计提 {earliest} 至 {latest} 的月份。",
            en="A month from {earliest} to {latest} can be run.",
            earliest=earliest,
            latest=month_of(ctx.today),
        )


async def _first_month(ctx: Context) -> date:
    """The month in which the lender's first business day lies."""
    days = TenantTable.metadata.tables["business_days"].c
    return month_of((await ctx.connection.execute(select(func.min(days.date)))).scalar_one())


@instance.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Another person has decided: the run is booked today, or never.

    Raises CONFLICT when loans or the allowance have changed since it was proposed: it must be proposed anew."""
    row = await ctx.session.get_one(ProvisionRun, running.subject_id)
    if not approved:
        row.state, row.decided_at = ProvisionRunState.REJECTED, ctx.now
        return
    await hold_day(ctx)
    now = await figures(ctx, row.as_of)
    if now != of_run(row):
        raise Conflict(
            "taskId",
            zh="计提数据已变化：申请时应计提 {proposed}，现为 {now}，请重新发起。",
            en="The figures have changed: {proposed} when it was proposed, {now} today. Propose it anew.",
            proposed=row.change,
            now=yuan(now.change),
        )
    await _post(ctx, row)


@instance.terms_check(PURPOSE)
async def no_terms(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """What is required is computed. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="计提金额由系统计算。", en="What is required is computed, not set.")


async def close_day(ctx: Context, day: date) -> int:
    """月末计提 · The step of end of day: runs and books the month whose last day is `day`; answers how many loans it looked at.

    A run that still waits for a decision is superseded by it."""
    if day != last_day(day):
        return 0
    proposed = select(ProvisionRun).where(ProvisionRun.state == ProvisionRunState.PROPOSED).with_for_update()
    for waiting in (await ctx.session.execute(proposed)).scalars():
        await instance.stop(ctx, waiting)
        waiting.state, waiting.decided_at = ProvisionRunState.SUPERSEDED, ctx.now
    system = ctx.acting_as(SYSTEM)
    row = await _add(system, month_of(day), await figures(ctx, day), "月末计提 End of the month")
    await _post(system, row)
    items = select(func.count()).where(ProvisionItem.run_id == row.id)
    return int((await ctx.connection.execute(items)).scalar_one())


# --------------------------------------------------------------------------- queries


@query("finance.provision.read")
async def preview(ctx: Context, month: date) -> ProvisionFigures | None:
    """What a run of this month would book now; None for a month to come, or before the lender was. Nothing is written."""
    known = await _first_month(ctx) <= month_of(month) <= ctx.today
    return await figures(ctx, min(last_day(month), ctx.today)) if known else None


@query("finance.provision.read")
async def of_month(ctx: Context, *, columns: Sequence[Any], month: date) -> Any:
    """The run that counts for a month: the one booked last. None where there is none."""
    table = ProvisionRun.__table__.c
    booked = select(*columns).where(table.month == month_of(month), table.state == ProvisionRunState.POSTED)
    return (
        await ctx.connection.execute(booked.order_by(table.decided_at.desc(), table.id.desc()).limit(1))
    ).one_or_none()


@query("finance.provision.read")
async def runs(ctx: Context, *, columns: Sequence[Any], window: Window) -> Page:
    """All runs, newest first."""
    order = [Order(ProvisionRun.__table__.c.id, descending=True)]
    return await paging.page(ctx, select(*columns).where(scope(ctx, ProvisionRun)), order, window)


async def figures_by_run(ctx: Context, run_ids: Sequence[UUID]) -> dict[UUID, ProvisionFigures]:
    """The figures of many runs, one query."""
    table = ProvisionRun.__table__
    found = await ctx.connection.execute(select(table).where(table.c.id.in_(run_ids)))
    return {run.id: of_run(run) for run in found.all()}


async def items_by_run(ctx: Context, run_ids: Sequence[UUID], window: Window) -> dict[UUID, Page]:
    """The loans of each run that the actor may see, the greatest specific provision first."""
    table = ProvisionItem.__table__.c
    columns = (table.loan_id, table.five_class, table.principal, table.general, table.specific)
    order = [Order(table.specific, descending=True), Order(table.loan_id)]
    statement = select(*columns).where(scope(ctx, ProvisionItem))
    return await pages_by_parent(ctx, statement, table.run_id, run_ids, order, window)
