"""Loans for tests: a product, a contract that was signed, a company account, and the loan paid out under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from domain import end_of_day
from domain.calculation.schedule import Basis, HolidayRule, Method, PeriodUnit
from domain.configuration import company_account, loan_product
from domain.configuration.company_account import AccountUse
from domain.configuration.loan_product import LendingMode, LoanKind, Terms
from domain.kernel.clock import take_day
from domain.kernel.context import Context
from domain.kernel.table import uuid7
from domain.kernel.transaction import transaction
from domain.ledger import account, journal
from domain.ledger.journal import Line
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan, LoanEventRow, figures
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.lending.loan_contract import ContractState, LoanContract
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person

S01: dict[str, Any] = {"amount": "100000.00", "rate": "0.12", "periods": 12}
A21: dict[str, Any] = {
    "amount": "80000.00", "rate": "0.075", "periods": 30, "unit": PeriodUnit.DAY, "method": Method.BULLET,
    "basis": Basis.ACTUAL_360, "compound": False,
}  # fmt: skip
"""After 30 days and 364 past due 80,000.00 x 7.5 % x (30 + 1.5 x 364) / 360 = 9,600.00 are owed beside the principal (A21)."""


@dataclass(eq=False)
class Lending:
    """A lender with money in the bank. `pay_out` makes a loan, `receive` registers money on it, `close` ends days."""

    lender: LenderAtWork
    account_id: UUID
    products: dict[str, UUID] = field(default_factory=dict)
    customers: int = 0

    async def pay_out(self, *, value_date: date | None = None, grace_days: int = 0, **terms: Any) -> UUID:
        """A loan of S01's terms, changed by `terms`: amount, rate, periods, unit, method, basis, multiplier, compound.

        `customer_id=`: another loan of somebody who has one already; `entrusted_contract_id=`: one of entrusted money."""
        contract = await self.contract(grace_days=grace_days, **(S01 | terms))
        async with self.lender.system.writing() as ctx:
            loan = await loans.open_loan(
                ctx,
                contract=contract,
                disbursement_id=uuid7(),
                principal=contract.amount,
                value_date=value_date or ctx.today,
                company_account_id=self.account_id,
            )
            return loan.id

    async def contract(self, **terms: Any) -> Any:
        """A signed contract, with the rows it refers to."""
        customer_id, entrusted = terms.pop("customer_id", None), terms.pop("entrusted_contract_id", None)
        product_id = await self.product(**terms)
        manager = self.lender.account_manager.actor
        shared = {
            "product_id": product_id,
            "amount": Decimal(terms["amount"]),
            "periods": terms["periods"],
            "annual_rate": Decimal(terms["rate"]),
            "method": terms.get("method", Method.EQUAL_INSTALLMENT),
            "lending_mode": terms.get("lending_mode", LendingMode.CREDIT),
            "manager_id": manager.id,
            "department_id": manager.department_id,
            "entrusted_contract_id": entrusted,
        }
        if customer_id is None:
            self.customers += 1
            customer_id = (await a_person(self.lender.account_manager, serial=self.customers)).id
        async with self.lender.system.writing() as ctx:
            key = uuid7()
            made = {"id": key, "created_at": ctx.now}
            application = {
                "number": f"SQ-{key.hex[-8:]}", "state": ApplicationState.APPROVED, "customer_id": customer_id,
                "purpose_code": "WORKING_CAPITAL", "purpose": "进货", "maker_id": manager.id, "guards": [], "version": 1,
            }  # fmt: skip
            await ctx.connection.execute(insert(LoanApplication).values(**made, **application, **shared))
            contract = {
                "number": f"JK-{key.hex[-8:]}", "state": ContractState.EFFECTIVE, "customer_id": customer_id,
                "application_id": key, "cost": {}, "drawn_up_on": ctx.today, "amount_in_words": "–",
            }  # fmt: skip
            await ctx.connection.execute(insert(LoanContract).values(**made, **contract, **shared))
        return SimpleNamespace(**made, **contract, co_manager_id=None, **shared)

    async def product(self, **terms: Any) -> UUID:
        """The product with these terms; the same one every time."""
        code = f"P-{abs(hash(repr(sorted(terms.items()))))}"
        if code not in self.products:
            made = await loan_product.create(self.lender.tenant_admin, code=code, terms=_product_terms(terms))
            self.products[code] = made.id
        return self.products[code]

    async def receive(self, loan_id: UUID, amount: str, value_date: date | None = None, **more: Any) -> UUID:
        """Money came in; answers the event."""
        return await self.record(loan_id, EventType.RECEIPT, value_date, self.account_id, amount=amount, **more)

    async def reverse(self, loan_id: UUID, event_id: UUID) -> UUID:
        """A receipt, or another reversal, never was."""
        return await self.record(loan_id, EventType.REVERSAL, None, None, target_event_id=str(event_id))

    async def record(
        self, loan_id: UUID, kind: EventType, value_date: date | None, account_id: UUID | None, **payload: Any
    ) -> UUID:
        async def work(ctx: Context) -> UUID:
            loan = await loans.lock(ctx, loan_id)
            event = await loans.record(
                ctx,
                loan,
                type=kind,
                value_date=value_date or ctx.today,
                payload=payload,
                company_account_id=account_id,
                reference=loan,
            )
            return event.id

        return await transaction(self.lender.system, work, again=take_day)  # as a command does it

    async def close(self, through: date) -> list[Any]:
        """Runs end of day through a date."""
        return await end_of_day.run(self.lender.system, through=through)

    async def figures(self, loan_id: UUID, on: date | None = None) -> Any:
        async with self.lender.system.reading() as ctx:
            return (await figures.positions(ctx, [loan_id], on)).get(loan_id)

    async def loan(self, loan_id: UUID) -> Any:
        (row,) = await self.lender.rows(Loan, Loan.id == loan_id)
        return row

    async def loans(self) -> list[Any]:
        return await self.lender.rows(Loan)

    async def events(self, loan_id: UUID) -> list[Any]:
        async with self.lender.system.reading() as ctx:
            statement = select(LoanEventRow.__table__).where(LoanEventRow.loan_id == loan_id)
            return list((await ctx.connection.execute(statement.order_by(LoanEventRow.sequence))).all())


def _product_terms(terms: dict[str, Any]) -> Terms:
    amount, rate, periods = Decimal(terms["amount"]), Decimal(terms["rate"]), terms["periods"]
    return Terms(
        name="测试产品",
        min_amount=amount,
        max_amount=amount,
        min_periods=periods,
        max_periods=periods,
        min_rate=Decimal(terms.get("min_rate", rate)),
        max_rate=Decimal(terms.get("max_rate", rate)),
        methods=terms.get("methods", (terms.get("method", Method.EQUAL_INSTALLMENT),)),
        lending_modes=(terms.get("lending_mode", LendingMode.CREDIT),),
        kind=terms.get("kind", LoanKind.NORMAL),
        period_unit=terms.get("unit", PeriodUnit.MONTH),
        interest_basis=terms.get("basis", Basis.PERIODIC),
        grace_days=terms["grace_days"],
        penalty_multiplier=Decimal(terms.get("multiplier", "1.5")),
        compound=terms.get("compound", True),
        prepayment_fee_rate=Decimal(terms.get("prepayment_fee_rate", "0")),
        settlement_day=terms.get("settlement_day"),
        holiday_rule=terms.get("holiday_rule", HolidayRule.NONE),
    )


async def provide(lender: LenderAtWork, amount: str) -> None:
    """计提准备 · Dr 6702 / Cr 1304, as the provision of a month does."""
    async with lender.system.writing() as ctx:
        lines = [Line("6702", debit=Decimal(amount)), Line(account.ALLOWANCE, credit=Decimal(amount))]
        reference = await ctx.session.get_one(account.Account, account.ALLOWANCE)
        await journal.post(ctx, journal.Entry(kind="PROVISION", reference=reference, lines=lines, summary="计提准备"))


async def lending_at(lender: LenderAtWork) -> Lending:
    """The lender with 10,000,000.00 in a company account."""
    account = await company_account.create(
        lender.accountant,
        name="基本户",
        account_number="110000000001",
        bank="测试银行",
        uses=(AccountUse.DISBURSE, AccountUse.COLLECT),
        opening_balance=Decimal("10000000.00"),
    )
    return Lending(lender, account.id)
