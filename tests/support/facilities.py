"""Facilities for tests: asked for, granted, drawn on. Each builder goes through the commands of the people whose work it is.

`drawn` makes the loan of a drawdown without the cash desk: application and approval are real, the contract is a row.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from domain.calculation.schedule import Basis, Method
from domain.configuration import loan_product
from domain.configuration.loan_product import LendingMode, LoanKind, LoanProduct
from domain.kernel.table import uuid7
from domain.lending import loan as loans
from domain.lending.loan_application import LoanApplication
from domain.lending.loan_contract import ContractState, LoanContract
from domain.lending.revolving_loan import drawdown, limit, request
from domain.lending.revolving_loan.limit import Usage
from domain.lending.revolving_loan.tables import CreditFacility
from domain.lending.revolving_loan.terms import FacilityTerms
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person
from tests.support.lending import PRODUCT, decide

OPENED = date(2025, 1, 1)
"""The first day of a lender of a test."""

REVOLVING = replace(
    PRODUCT,
    name="循环经营额度",
    kind=LoanKind.REVOLVING,
    methods=(Method.INTEREST_ONLY, Method.BULLET),
    interest_basis=Basis.ACTUAL_360,
    settlement_day=20,
    max_periods=12,
)
TERMS = FacilityTerms(
    credit_limit=D("200000.00"),
    annual_rate=D("0.126"),
    ends_on=date(2025, 12, 31),
    max_periods=12,
    lending_mode=LendingMode.CREDIT,
    purpose_code="WORKING_CAPITAL",
    purpose="备货",
)
"""Golden S38's line, for a lender opened on 2025-01-01."""


async def a_revolving_product(lender: LenderAtWork, code: str = "LINE", **changes: Any) -> LoanProduct:
    return await loan_product.create(lender.tenant_admin, code=code, terms=replace(REVOLVING, **changes))


async def applied(
    lender: LenderAtWork, *, customer_id: UUID | None = None, product_id: UUID | None = None, **changes: Any
) -> CreditFacility:
    """In approval: the risk officers have it."""
    customer_id = customer_id or (await a_person(lender.account_manager)).id
    product_id = product_id or (await a_revolving_product(lender)).id
    return await request.apply(
        lender.account_manager, customer_id=customer_id, product_id=product_id, terms=replace(TERMS, **changes)
    )


async def granted(lender: LenderAtWork, **given: Any) -> Any:
    """In force; answers its row."""
    asked = await applied(lender, **given)
    await agreed(lender, asked.id)
    return await facility(lender, asked.id)


async def agreed(lender: LenderAtWork, facility_id: UUID) -> None:
    """The risk officer and the business manager approve what waits about a facility."""
    await decide(lender.risk_officer, facility_id)
    await decide(lender.business_manager, facility_id)


async def facility(lender: LenderAtWork, facility_id: UUID) -> Any:
    (row,) = await lender.rows(CreditFacility, CreditFacility.id == facility_id)
    return row


async def usage(lender: LenderAtWork, facility_id: UUID) -> Usage:
    async with lender.system.reading() as ctx:
        return (await limit.usages(ctx, [facility_id]))[facility_id]


async def asked(lender: LenderAtWork, facility_id: UUID, amount: str, **given: Any) -> LoanApplication:
    """A drawdown in approval."""
    by = given.pop("by", lender.account_manager)
    return await drawdown.draw_down(by, facility_id=facility_id, amount=D(amount), **given)


async def signed(lender: LenderAtWork, application_id: UUID) -> UUID:
    """The signed contract of an approved drawdown, as a row: nothing is printed."""
    (application,) = await lender.rows(LoanApplication, LoanApplication.id == application_id)
    columns = (
        "customer_id",
        "product_id",
        "facility_id",
        "manager_id",
        "co_manager_id",
        "department_id",
        "lending_mode",
    )
    key = uuid7()
    async with lender.system.writing() as ctx:
        row = {
            "id": key, "created_at": ctx.now, "number": f"JK-{key.hex[-8:]}", "state": ContractState.EFFECTIVE,
            "application_id": application.id, "amount": application.approved_amount, "amount_in_words": "–",
            "periods": application.approved_periods, "annual_rate": application.approved_annual_rate,
            "method": application.approved_method, "cost": {}, "drawn_up_on": ctx.today, "signed_on": ctx.today,
        }  # fmt: skip
        row |= {name: getattr(application, name) for name in columns}
        await ctx.connection.execute(insert(LoanContract).values(**row))
    return key


async def paid_out(lender: LenderAtWork, contract_id: UUID, account_id: UUID, on: date | None = None) -> UUID:
    """The loan of a signed contract, as the bank's answer makes it."""
    async with lender.system.writing() as ctx:
        contract = await ctx.session.get_one(LoanContract, contract_id)
        loan = await loans.open_loan(
            ctx,
            contract=contract,
            disbursement_id=uuid7(),
            principal=contract.amount,
            value_date=on or ctx.today,
            company_account_id=account_id,
        )
        return loan.id


async def drawn(
    lender: LenderAtWork, facility_id: UUID, amount: str, account_id: UUID, on: date | None = None, **given: Any
) -> UUID:
    """Asked for, approved and paid out; answers the loan."""
    application = await asked(lender, facility_id, amount, **given)
    await decide(lender.business_manager, application.id)
    return await paid_out(lender, await signed(lender, application.id), account_id, on)


async def change(lender: LenderAtWork, facility_id: UUID, **values: Any) -> None:
    """Sets columns of a facility, where getting there by commands would take a year."""
    async with lender.system.writing() as ctx:
        await ctx.connection.execute(update(CreditFacility).where(CreditFacility.id == facility_id).values(**values))
