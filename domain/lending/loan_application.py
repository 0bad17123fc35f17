"""贷款申请 · Loan application (F10): what a customer asks for, from the draft to the decision.

Submitting checks every guard (guard_rules.py); approval checks them again with the approved terms. The workflow says APPROVED,
REJECTED or RETURNED; a returned application goes back to survey, or is submitted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, and_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.schedule import Method
from domain.configuration import parameter
from domain.configuration.loan_product import LendingMode, LoanKind, LoanProduct, ProductState
from domain.configuration.purpose import Purpose
from domain.customers.customer import Customer
from domain.home import pending_task
from domain.kernel import paging
from domain.kernel.command import check_version, command, find, lock, query
from domain.kernel.feed import Json
from domain.kernel.numbering import next_number
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import InvalidAmount, InvalidInput, InvalidState, ProductRuleViolated
from domain.kernel.scope import Managed, Reach, scope
from domain.kernel.table import Keyed, MoneyColumn, RateColumn, TenantTable, choice
from domain.lending.offer import Offer

if TYPE_CHECKING:
    from domain.kernel.context import Context

ASSIGNMENT, SURVEY, PREPARATION = "ASSIGNMENT", "SURVEY", "CONTRACT_PREPARATION"
ASSIGNMENT_HOURS, SURVEY_HOURS, PREPARATION_HOURS = 24, 72, 72


class ApplicationState(StrEnum):
    """REVIEWING is the first node of the workflow, APPROVING all further ones; an approval not used in time is EXPIRED."""

    DRAFT = "DRAFT"
    """草稿 Being written."""
    SUBMITTED = "SUBMITTED"
    """已提交 Waits for an account manager."""
    ASSIGNED = "ASSIGNED"
    """已分配 Waits for the account manager's answer."""
    INVESTIGATING = "INVESTIGATING"
    """调查中 The account manager investigates."""
    REVIEWING = "REVIEWING"
    """审查中 At the first node of the workflow."""
    APPROVING = "APPROVING"
    """审批中 At a further node of the workflow."""
    APPROVED = "APPROVED"
    """已批准 May become a contract until it expires."""
    REJECTED = "REJECTED"
    """已拒绝 Refused."""
    RETURNED = "RETURNED"
    """已退回 Given back to be completed."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back by who made it."""
    EXPIRED = "EXPIRED"
    """已失效 Approved, but not used in time."""


class LoanApplication(Keyed):
    """One application. `maker_id` wrote it, `manager_id` is the account manager it was assigned to. A drawdown (支用) is an
    application that names its facility, one for an entrusted loan names its entrusted contract."""

    __tablename__ = "loan_applications"
    __table_args__ = (
        Index("ix_loan_applications_manager", "manager_id"),
        Index("ix_loan_applications_maker", "maker_id"),
        Index("ix_loan_applications_customer", "customer_id"),
        Index(
            "ix_loan_applications_entrusted",
            "entrusted_contract_id",
            postgresql_where="entrusted_contract_id is not null",
        ),
        Index("ix_loan_applications_facility", "facility_id", "id", postgresql_where="facility_id is not null"),
    )
    reach: ClassVar[Reach] = Managed(people=("manager_id", "co_manager_id", "maker_id"), offered=True)

    number: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[ApplicationState] = mapped_column(choice(ApplicationState), default=ApplicationState.DRAFT)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("loan_products.id"))
    facility_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_facilities.id"))
    entrusted_contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("entrusted_contracts.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    periods: Mapped[int]
    annual_rate: Mapped[Decimal] = mapped_column(RateColumn)
    method: Mapped[Method] = mapped_column(choice(Method))
    purpose_code: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(500))
    lending_mode: Mapped[LendingMode] = mapped_column(choice(LendingMode))
    repayment_source: Mapped[str | None] = mapped_column(String(500))
    maker_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    co_manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    approved_amount: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    approved_periods: Mapped[int | None]
    approved_annual_rate: Mapped[Decimal | None] = mapped_column(RateColumn)
    approved_method: Mapped[Method | None] = mapped_column(choice(Method, "approved_method"))
    approved_conditions: Mapped[str | None] = mapped_column(Text)
    approved_valid_until: Mapped[date | None]
    guards: Mapped[list[Any]] = mapped_column(Json, default=list)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def asked(self) -> Offer:
        """The terms applied for."""
        return Offer(self.amount, self.periods, self.annual_rate, self.method)

    @property
    def agreed(self) -> Offer:
        """The approved terms, or those applied for as long as nothing is approved."""
        return Offer(
            self.approved_amount or self.amount,
            self.approved_periods or self.periods,
            self.annual_rate if self.approved_annual_rate is None else self.approved_annual_rate,
            self.approved_method or self.method,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for. Money in CNY, `annual_rate` a fraction."""

    amount: Decimal
    periods: int
    annual_rate: Decimal
    method: Method
    purpose_code: str
    purpose: str
    lending_mode: LendingMode
    repayment_source: str | None = None


# ---------------------------------------------------------------- states

S = ApplicationState
MOVES: dict[str, tuple[frozenset[ApplicationState], ApplicationState]] = {
    "submit": (frozenset({S.DRAFT, S.RETURNED}), S.SUBMITTED),
    "assign": (frozenset({S.SUBMITTED, S.ASSIGNED}), S.ASSIGNED),
    "accept": (frozenset({S.ASSIGNED}), S.INVESTIGATING),
    "refuse": (frozenset({S.ASSIGNED}), S.SUBMITTED),
    "survey": (frozenset({S.INVESTIGATING, S.RETURNED}), S.REVIEWING),
    "draw": (frozenset({S.DRAFT}), S.REVIEWING),
    "advance": (frozenset({S.REVIEWING, S.APPROVING}), S.APPROVING),
    "review": (frozenset({S.REVIEWING, S.APPROVING}), S.REVIEWING),
    "approve": (frozenset({S.REVIEWING, S.APPROVING}), S.APPROVED),
    "reject": (frozenset({S.REVIEWING, S.APPROVING}), S.REJECTED),
    "return": (frozenset({S.REVIEWING, S.APPROVING}), S.RETURNED),
    "withdraw": (
        frozenset(
            {S.DRAFT, S.SUBMITTED, S.ASSIGNED, S.INVESTIGATING, S.REVIEWING, S.APPROVING, S.RETURNED, S.APPROVED}
        ),
        S.WITHDRAWN,
    ),
    "expire": (frozenset({S.APPROVED}), S.EXPIRED),
}
EDITABLE = frozenset({S.DRAFT, S.RETURNED})
PENDING = frozenset({S.SUBMITTED, S.ASSIGNED, S.INVESTIGATING, S.REVIEWING, S.APPROVING, S.APPROVED})


def move(row: LoanApplication, action: str) -> None:
    """The next state of an action; raises INVALID_STATE where it may not be done now."""
    allowed, then = MOVES[action]
    if row.state not in allowed:
        raise InvalidState("applicationId", state=row.state)
    row.state = then


# ---------------------------------------------------------------- rules


def check_request(request: Request) -> None:
    """What no application can say; whether the product allows it is a guard at submission."""
    if request.amount <= 0:
        raise InvalidAmount("amount", amount=request.amount)
    if request.periods < 1:
        raise InvalidInput("periods", zh="期数至少为 1。", en="There is one period at least.")
    if request.annual_rate < 0:
        raise InvalidInput("annualRate", zh="利率不能为负。", en="A rate is not negative.")
    if not 1 <= len(request.purpose.strip()) <= 500 or len(request.repayment_source or "") > 500:
        raise InvalidInput("purpose", zh="用途须填写且不超过 500 字。", en="Say the purpose in at most 500 characters.")


# ---------------------------------------------------------------- commands


@command("lending.loan_application.create")
async def create(
    ctx: Context,
    *,
    customer_id: UUID,
    product_id: UUID,
    request: Request,
    entrusted_contract_id: UUID | None = None,
) -> LoanApplication:
    """A draft in the name of a customer. Raises NOT_FOUND, INVALID_STATE (product not offered), PRODUCT_RULE_VIOLATED (a
    revolving product), INVALID_AMOUNT, INVALID_INPUT (periods, rate, unknown purpose code; an entrusted contract with another
    kind of product, of another borrower, or none with this kind)."""
    check_request(request)
    customer = await find(ctx, Customer, customer_id, "customerId")
    product = await find(ctx, LoanProduct, product_id, "productId")
    if product.state is not ProductState.ACTIVE:
        raise InvalidState("productId", state=product.state)
    if product.kind is LoanKind.REVOLVING:  # its loans are drawn under a facility (revolving_loan)
        others = ", ".join(kind for kind in LoanKind if kind is not LoanKind.REVOLVING)
        raise ProductRuleViolated("productId", rule="kind", value=product.kind, allowed=others)
    await _check_entrusted(ctx, product, customer.id, entrusted_contract_id)
    await check_purpose(ctx, request.purpose_code)
    row = ctx.add(
        LoanApplication(
            number=f"SQ{ctx.today:%Y%m%d}{await next_number(ctx, 'SQ'):05d}",
            state=ApplicationState.DRAFT,
            customer_id=customer.id,
            product_id=product.id,
            entrusted_contract_id=entrusted_contract_id,
            maker_id=ctx.actor.id,
            department_id=customer.department_id or ctx.actor.department_id,
            guards=[],
            **columns_of(request),
        )
    )
    ctx.announce("lending.loan_application.created", row)
    return row


async def _check_entrusted(ctx: Context, product: LoanProduct, borrower_id: UUID, contract_id: UUID | None) -> None:
    """An entrusted loan is lent under an entrusted contract for this borrower, no other loan is."""
    field = "entrustedContractId"
    if (product.kind is LoanKind.ENTRUSTED) != (contract_id is not None):
        raise InvalidInput(
            field,
            zh="委托贷款须且仅须指定委托合同。",
            en="Entrusted loans, and only these, name an entrusted contract.",
        )
    if contract_id is not None:
        from domain.lending.entrusted_loan.tables import EntrustedContract

        contract = await find(ctx, EntrustedContract, contract_id, field)
        if contract.borrower_id != borrower_id:
            raise InvalidInput(
                "customerId", zh="借款人不是委托合同指定的。", en="The entrustor has named another borrower."
            )


@command("lending.loan_application.update")
async def update(ctx: Context, *, application_id: UUID, expected_version: int, request: Request) -> LoanApplication:
    """Changes a draft or a returned application. Raises NOT_FOUND, CONFLICT, INVALID_STATE, and as `create`."""
    check_request(request)
    row = await lock(ctx, LoanApplication, application_id, "applicationId")
    check_version(row, expected_version)
    if row.state not in EDITABLE:
        raise InvalidState("applicationId", state=row.state)
    await check_purpose(ctx, request.purpose_code)
    for name, value in columns_of(request).items():
        setattr(row, name, value)
    return row


def columns_of(request: Request) -> dict[str, Any]:
    """The columns of an application that asks for this."""
    return {name: getattr(request, name) for name in Request.__slots__}


async def check_purpose(ctx: Context, code: str) -> None:
    """The code is one of the lender's purposes. Raises INVALID_INPUT; whether it is forbidden is a guard."""
    if (await ctx.connection.execute(select(Purpose.id).where(Purpose.code == code))).first() is None:
        raise InvalidInput("purposeCode", zh="没有这种用途。", en="There is no such purpose.")


@command("lending.loan_application.submit")
async def submit(ctx: Context, *, application_id: UUID) -> LoanApplication:
    """Checks all guards and asks the business managers to assign it. Raises NOT_FOUND, INVALID_STATE, and the refusal of
    each guard (guard_rules.py); then the application stays what it was."""
    from domain.lending import guards

    row = await lock(ctx, LoanApplication, application_id, "applicationId")
    move(row, "submit")
    row.guards = await guards.check(ctx, row, row.asked)
    await pending_task.close(ctx, row)
    await ask_for_assignment(ctx, row)
    ctx.announce("lending.loan_application.submitted", row)
    return row


async def ask_for_assignment(ctx: Context, row: LoanApplication) -> None:
    """One task that every business manager may take, none for the maker."""
    await pending_task.open(
        ctx,
        type=ASSIGNMENT,
        title=f"贷款分单 Assign {row.number}",
        subject=row,
        roles=("BUSINESS_MANAGER",),
        exclude={row.maker_id, ctx.actor.id},
        amount=row.amount,
        customer_id=row.customer_id,
        due_at=ctx.now + timedelta(hours=ASSIGNMENT_HOURS),
    )


@command("lending.loan_application.withdraw")
async def withdraw(ctx: Context, *, application_id: UUID, comment: str | None = None) -> LoanApplication:
    """撤回 · The maker takes an application back; its workflow and tasks end. Raises NOT_FOUND, INVALID_STATE (also once
    there is a contract)."""
    from domain import workflow
    from domain.lending import loan_contract

    row = await lock(ctx, LoanApplication, application_id, "applicationId")
    if await loan_contract.standing(ctx, row.id) is not None:
        raise InvalidState("applicationId", zh="已有合同，不能撤回。", en="There is a contract.", state=row.state)
    move(row, "withdraw")
    await workflow.stop(ctx, row)
    await pending_task.close(ctx, row)
    ctx.announce("lending.loan_application.withdrawn", row)
    return row


def is_over(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    """Approvals whose last day was `day`, or one before it, and that led to no living contract."""
    from domain.lending.loan_contract import LIVING

    contracts = TenantTable.metadata.tables["loan_contracts"].c
    used = select(contracts.id).where(contracts.application_id == LoanApplication.id, contracts.state.in_(LIVING))
    return and_(LoanApplication.state == S.APPROVED, LoanApplication.approved_valid_until <= day, ~used.exists())


async def expire(ctx: Context, day: date) -> int:
    """Ends the approvals that are over; a step of end of day. Answers how many."""
    unused = select(LoanApplication).where(is_over(day)).order_by(LoanApplication.id).with_for_update()
    rows = list((await ctx.session.execute(unused)).scalars())
    for row in rows:
        move(row, "expire")
        await pending_task.close(ctx, row)
        ctx.announce("lending.loan_application.expired", row)
    return len(rows)


async def valid_until(ctx: Context) -> date:
    """The last day of an approval given today (a parameter)."""
    days: int = await parameter.value(ctx, "approval_valid_days")
    return ctx.today + timedelta(days=days)


# ---------------------------------------------------------------- queries


@query("lending.loan_application.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[ApplicationState] | None = None,
    customer_id: UUID | None = None,
) -> Page:
    """Applications that the actor may see, newest first."""
    table = LoanApplication.__table__.c
    statement = select(*columns).where(scope(ctx, LoanApplication))
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if customer_id is not None:
        statement = statement.where(table.customer_id == customer_id)
    return await paging.page(ctx, statement, [Order(table.id, True)], window)
