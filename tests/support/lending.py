"""Applications on their way: each builder goes through the commands of the people whose work it is."""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from domain.calculation.schedule import Method
from domain.configuration import loan_product
from domain.configuration.loan_product import LendingMode, LoanProduct, Terms
from domain.home.pending_task import Task, TaskState
from domain.kernel.context import Context
from domain.lending import assignment, loan_application, loan_contract, survey_report
from domain.lending.loan_application import LoanApplication, Request
from domain.lending.loan_contract import LoanContract, SigningWay
from domain.workflow import decision
from domain.workflow.instance import Decision
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person

S01 = Request(
    amount=D("100000.00"),
    periods=12,
    annual_rate=D("0.12"),
    method=Method.EQUAL_INSTALLMENT,
    purpose_code="WORKING_CAPITAL",
    purpose="采购原材料",
    lending_mode=LendingMode.CREDIT,
)
"""Golden case S01: 100,000 at 12 % over 12 months, level installments of 8,884.88."""

PRODUCT = Terms(
    name="经营贷",
    min_amount=D("1000.00"),
    max_amount=D("50000000.00"),
    min_periods=1,
    max_periods=36,
    min_rate=D("0.06"),
    max_rate=D("0.24"),
    methods=(Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY, Method.BULLET),
    lending_modes=(LendingMode.CREDIT, LendingMode.GUARANTEE),
)


async def a_product(lender: LenderAtWork, code: str = "BIZ", **changes: Any) -> LoanProduct:
    """A product that allows S01, offered by the administrator."""
    return await loan_product.create(lender.tenant_admin, code=code, terms=replace(PRODUCT, **changes))


async def a_draft(
    lender: LenderAtWork,
    *,
    customer_id: UUID | None = None,
    product_id: UUID | None = None,
    entrusted_contract_id: UUID | None = None,
    **changes: Any,
) -> LoanApplication:
    """A draft of the account manager, by default S01 for a new person on a new product."""
    manager = lender.account_manager
    customer_id = customer_id or (await a_person(manager)).id
    product_id = product_id or (await a_product(lender)).id
    return await loan_application.create(
        manager,
        customer_id=customer_id,
        product_id=product_id,
        request=replace(S01, **changes),
        entrusted_contract_id=entrusted_contract_id,
    )


async def submitted(lender: LenderAtWork, **changes: Any) -> LoanApplication:
    """Submitted by its maker; the business managers have a task."""
    draft = await a_draft(lender, **changes)
    return await loan_application.submit(lender.account_manager, application_id=draft.id)


async def investigating(lender: LenderAtWork, **changes: Any) -> LoanApplication:
    """Assigned to its maker, who accepted it."""
    row = await submitted(lender, **changes)
    manager = lender.account_manager
    await assignment.assign(lender.business_manager, application_id=row.id, manager_id=manager.actor.id)
    return await assignment.accept(manager, application_id=row.id)


async def reviewing(lender: LenderAtWork, **changes: Any) -> LoanApplication:
    """Surveyed; the risk officers have the first task of the workflow."""
    row = await investigating(lender, **changes)
    return await survey_report.submit(
        lender.account_manager, application_id=row.id, findings="经营稳定，账目清楚。", proposed_amount=row.amount
    )


async def approved(lender: LenderAtWork, **changes: Any) -> LoanApplication:
    """Approved by the risk officer and the business manager."""
    row = await reviewing(lender, **changes)
    await decide(lender.risk_officer, row.id)
    await decide(lender.business_manager, row.id)
    return (await lender.rows(LoanApplication, LoanApplication.id == row.id))[0]


async def task_on(ctx: Context, subject_id: UUID) -> Any:
    """The one open task about a row."""
    async with ctx.reading() as reading:
        statement = Task.__table__.select().where(Task.subject_id == subject_id, Task.state == TaskState.OPEN)
        return (await reading.connection.execute(statement.order_by(Task.id))).one()


async def decide(ctx: Context, subject_id: UUID, what: Decision = Decision.APPROVE, **given: Any) -> Task:
    """Decides the one open task about a row."""
    task = await task_on(ctx, subject_id)
    return await decision.decide(ctx, task_id=task.id, decision=what, opinion=given.pop("opinion", "同意"), **given)


async def prepared(lender: LenderAtWork, **changes: Any) -> LoanContract:
    """The contract pack of an approved application, printed and waiting for signatures."""
    row = await approved(lender, **changes)
    return await loan_contract.prepare(lender.account_manager, application_id=row.id)


async def signed(lender: LenderAtWork, **changes: Any) -> LoanContract:
    """Acknowledged and signed on paper today; the accountants have the pay-out to review."""
    contract = await prepared(lender, **changes)
    manager = lender.account_manager
    await loan_contract.acknowledge_cost_sheet(manager, contract_id=contract.id)
    return await loan_contract.sign(
        manager, contract_id=contract.id, signed_on=contract.drawn_up_on, way=SigningWay.PAPER
    )
