"""Contract amendments for tests: asked for by the account manager, approved by the risk officer and the business manager."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from domain.calculation.schedule import Method
from domain.home.pending_task import Task
from domain.ledger.journal import Voucher
from domain.lending.loan import LoanEventRow, plans
from domain.lending.loan.tables import InstallmentRow, PlannedRow, PositionRow
from domain.post_loan import contract_amendment
from domain.post_loan.contract_amendment import ContractAmendment
from domain.post_loan.contract_amendment_rules import AmendmentType, Change
from tests.support.actors import LenderAtWork
from tests.support.lending import decide

OPENED = date(2026, 2, 20)
S36: dict[str, Any] = {
    "amount": "200000.00", "rate": "0.12", "periods": 6, "method": Method.INTEREST_ONLY, "min_rate": "0.06",
    "max_rate": "0.24",
    "methods": (Method.INTEREST_ONLY, Method.EQUAL_INSTALLMENT, Method.BULLET),
}  # fmt: skip
LONGER = Change(type=AmendmentType.EXTENSION, extension_periods=3, annual_rate=D("0.132"))


async def ask(lender: LenderAtWork, loan_id: UUID, change: Change | None = None, **given: Any) -> ContractAmendment:
    person = given.pop("by", lender.account_manager)
    return await contract_amendment.request(
        person, loan_id=loan_id, change=change or LONGER, reason=given.pop("reason", "回款推迟"), **given
    )


async def approve(lender: LenderAtWork, amendment: ContractAmendment) -> Any:
    """By the risk officer, then by the business manager."""
    await decide(lender.risk_officer, amendment.id)
    await decide(lender.business_manager, amendment.id)
    return await row(lender, amendment.id)


async def row(lender: LenderAtWork, amendment_id: UUID) -> Any:
    (found,) = await lender.rows(ContractAmendment, ContractAmendment.id == amendment_id)
    return found


async def terms(lender: LenderAtWork, loan_id: UUID) -> plans.CurrentTerms:
    async with lender.system.reading() as ctx:
        return (await plans.current_terms(ctx, [loan_id]))[loan_id]


async def everything(lender: LenderAtWork) -> list[Any]:
    """What a refusal must leave as it was."""
    tables = (ContractAmendment, LoanEventRow, PlannedRow, InstallmentRow, PositionRow, Voucher, Task)
    return [sorted(map(repr, await lender.rows(table))) for table in tables]
