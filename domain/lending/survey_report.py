"""贷前调查 · Survey report (F10): what the account manager found; submitting it starts the workflow.

A returned application gets a new version of the report. Nobody proposes more than was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Text, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, mapped_column

from domain import workflow
from domain.calculation.money import yuan
from domain.configuration import parameter
from domain.configuration.document import attach
from domain.configuration.loan_product import LoanProduct
from domain.customers.customer import Customer
from domain.home import pending_task
from domain.kernel.command import command, lock
from domain.kernel.refusals import Denied, InvalidAmount, InvalidInput
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, MoneyColumn
from domain.lending import guards
from domain.lending.approval import PURPOSE
from domain.lending.guard_rules import GuardSeverity, failed, repayment_capacity
from domain.lending.loan_application import LoanApplication, move
from domain.lending.offer import Offer, priced_today

if TYPE_CHECKING:
    from domain.kernel.context import Context

LONGEST_FINDINGS = 20_000


class SurveyReport(Keyed):
    """One version of a report. Income and debt service are CNY a month, before this loan."""

    __tablename__ = "survey_reports"
    __table_args__ = (UniqueConstraint("application_id", "version"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Through("application_id", "loan_applications")

    application_id: Mapped[UUID] = mapped_column(ForeignKey("loan_applications.id"))
    version: Mapped[int]
    surveyor_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    findings: Mapped[str] = mapped_column(Text)
    proposed_amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    monthly_income: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    monthly_debt_service: Mapped[Decimal | None] = mapped_column(MoneyColumn)


def check_report(asked: Decimal, proposed: Decimal, findings: str, monthly: Sequence[Decimal | None]) -> None:
    """A report says something, proposes at most what was asked, and has no negative figures."""
    if not 1 <= len(findings.strip()) <= LONGEST_FINDINGS:
        raise InvalidInput("findings", zh="请填写调查结论。", en="Say what was found.")
    if not 0 < proposed <= asked:
        raise InvalidAmount(
            "proposedAmount",
            zh="建议金额 {amount} 须大于零且不超过申请金额 {asked}。",
            en="A proposed amount {amount} is above zero and not above the {asked} asked for.",
            amount=proposed,
            asked=asked,
        )
    for amount in monthly:
        if amount is not None and amount < 0:
            raise InvalidAmount("monthlyIncome", amount=amount)


@command("lending.survey_report.submit")
async def submit(
    ctx: Context,
    *,
    application_id: UUID,
    findings: str,
    proposed_amount: Decimal,
    monthly_income: Decimal | None = None,
    monthly_debt_service: Decimal | None = None,
    attachment_ids: Sequence[UUID] = (),
) -> LoanApplication:
    """Files the survey and starts the workflow of the product. With an income, the repayment capacity is checked.

    Raises NOT_FOUND, INVALID_STATE, INVALID_AMOUNT, INVALID_INPUT, PRODUCT_RULE_VIOLATED, REPAYMENT_CAPACITY_EXCEEDED, and
    Denied for another person."""
    row = await lock(ctx, LoanApplication, application_id, "applicationId")
    check_report(row.amount, proposed_amount, findings, (monthly_income, monthly_debt_service))
    move(row, "survey")
    if ctx.actor.id not in (row.manager_id, row.co_manager_id):
        raise Denied(ctx.bound.permission)
    await pending_task.close(ctx, row)
    report = ctx.add(
        SurveyReport(
            application_id=row.id,
            version=await _next_version(ctx, row.id),
            surveyor_id=ctx.actor.id,
            findings=findings.strip(),
            proposed_amount=proposed_amount,
            monthly_income=monthly_income,
            monthly_debt_service=monthly_debt_service,
        )
    )
    await attach(ctx, attachment_ids, report, application_id=row.id)
    product = await ctx.session.get_one(LoanProduct, row.product_id)
    if monthly_income is not None:
        await _check_capacity(ctx, row, product, monthly_income, monthly_debt_service or Decimal(0))
    await _start(ctx, row, product, proposed_amount)
    ctx.announce("lending.survey_report.submitted", report, application_id=row.id)
    return row


async def _next_version(ctx: Context, application_id: UUID) -> int:
    latest = select(func.coalesce(func.max(SurveyReport.version), 0)).where(
        SurveyReport.application_id == application_id
    )
    return int((await ctx.connection.execute(latest)).scalar_one()) + 1


async def _check_capacity(
    ctx: Context, row: LoanApplication, product: LoanProduct, income: Decimal, debt_service: Decimal
) -> None:
    """The dearest installment but the last one's balloon counts: it is what must be paid month after month.

    Raises REPAYMENT_CAPACITY_EXCEEDED above the limit that the lender may have set."""
    installments = (await priced_today(ctx, product, row.asked)).plan.installments
    usual = max(part.payment for part in installments[:-1] or installments)
    lines = await parameter.values(ctx, ("dsr_limit", "dsr_warning"))
    results = list(repayment_capacity(income, debt_service + yuan(usual), lines["dsr_limit"], lines["dsr_warning"]))
    for result in failed(results, GuardSeverity.REFUSE):
        raise result.refusal()
    await guards.warn(ctx, row, results)
    kept = [earlier for earlier in row.guards if earlier["code"] != "REPAYMENT_CAPACITY_EXCEEDED"]
    row.guards = [*kept, *(result.stored() for result in results)]


async def _start(ctx: Context, row: LoanApplication, product: LoanProduct, proposed: Decimal) -> None:
    customer = await ctx.session.get_one(Customer, row.customer_id)
    offer = Offer(proposed, row.periods, row.annual_rate, row.method)
    await workflow.start(
        ctx,
        purpose=PURPOSE,
        code=product.workflow_code,
        subject=row,
        title=f"贷款审批 Approve {row.number}",
        amount=offer.amount,
        customer_id=row.customer_id,
        makers={row.maker_id, *(person for person in (row.manager_id, row.co_manager_id) if person)},
        facts={
            "annual_rate": offer.annual_rate,
            "periods": offer.periods,
            "product": product.code,
            "lending_mode": row.lending_mode,
            "customer_kind": customer.kind,
        },
    )


async def latest_by_application(
    ctx: Context, application_ids: Sequence[UUID], columns: Sequence[Any]
) -> dict[UUID, Any]:
    """The newest report on each application. `columns` must hold `application_id`."""
    table = SurveyReport.__table__.c
    statement = select(*columns).where(table.application_id.in_(application_ids))
    newest = statement.ext(distinct_on(table.application_id)).order_by(table.application_id, table.version.desc())
    return {row.application_id: row for row in (await ctx.connection.execute(newest)).all()}
