"""The cash desk for tests: a signed contract with its accounts, a bank over HTTP, and what cashier and accountant do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert

from domain.configuration import company_account
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.configuration.document import Document
from domain.finance import disbursement, payment, repayment_entry, repayment_registration
from domain.finance.disbursement import Disbursement
from domain.finance.payment import BankOrder
from domain.finance.receipt import Receipt
from domain.finance.repayment_entry import Entry
from domain.kernel.context import Context
from domain.kernel.table import uuid7
from domain.post_loan import customer_account
from domain.post_loan.customer_account import AccountPurpose, CustomerAccount
from gateways.bank.client import HttpBank
from gateways.bank.simulator import create_app
from tests.support.actors import LenderAtWork
from tests.support.customers import CARD, a_person
from tests.support.lending import signed

SECRET = "the secret between lender and bank"
_keys = count(1)


def a_key() -> str:
    """An idempotency key of its own."""
    return f"key-{next(_keys)}"


async def a_slip(lender: LenderAtWork) -> UUID:
    """回单 · What the bank's slip of a payment by hand is uploaded as, by the cashier."""
    async with lender.system.writing() as ctx:
        key = uuid7()
        slip = {"name": "回单.pdf", "content_type": "application/pdf", "sha256": "0" * 64, "size": 9}
        await ctx.connection.execute(
            insert(Document).values(id=key, created_at=ctx.now, uploaded_by=lender.cashier.actor.id, **slip)
        )
        return key


@asynccontextmanager
async def a_bank(folder: Path, *, delay: float = 0) -> AsyncIterator[HttpBank]:
    """The client that runs in production against the simulated bank, over HTTP within the process."""
    transport = httpx.ASGITransport(create_app(folder / "bank.sqlite", SECRET, delay=delay))
    async with HttpBank("http://bank.test", SECRET, transport=transport) as bank:
        yield bank


@dataclass
class Desk:
    """A lender with 10,000,000.00 in an account, and a reviewed pay-out of 100,000.00 to a borrower with a card."""

    lender: LenderAtWork
    account: CompanyAccount
    card: CustomerAccount
    pay_out: Disbursement

    @property
    def order(self) -> dict[str, Any]:
        """What the cashier's command takes."""
        return {
            "disbursement_id": self.pay_out.id,
            "company_account_id": self.account.id,
            "customer_account_id": self.card.id,
            "amount": self.pay_out.amount,
            "value_date": date(2025, 1, 1),
        }

    def with_bank(self, person: Context, bank: Any) -> Context:
        """The same person where the lender has a bank link."""
        return replace(person, ports=replace(person.ports, bank=bank))

    async def pay(self, bank: Any, **changes: Any) -> Disbursement:
        """Paid through the bank link; the bank has not been asked yet."""
        cashier = self.with_bank(self.lender.cashier, bank)
        return await payment.pay(cashier, **({"idempotency_key": a_key()} | self.order | changes))

    async def settle(self, bank: Any) -> list[Any]:
        """Runs the job of every open order until the bank has said what became of it; answers the orders."""
        system = self.with_bank(self.lender.system, bank)
        for order in await self.lender.rows(BankOrder, BankOrder.state.not_in(payment.SETTLED)):
            for _ in range(10):
                if await payment.settle(system, {"order_id": str(order.id)}) is None:
                    break
        return await self.lender.rows(BankOrder)

    async def paid(self) -> Any:
        """The row of the pay-out as it stands."""
        (row,) = await self.lender.rows(Disbursement, Disbursement.id == self.pay_out.id)
        return row


async def a_company_account(lender: LenderAtWork, number: str = "110000000001", **changes: Any) -> CompanyAccount:
    """An account with 10,000,000.00 that pays out and takes repayments."""
    given: dict[str, Any] = {
        "name": f"账户{number[-4:]}",
        "account_number": number,
        "bank": "测试银行",
        "uses": (AccountUse.DISBURSE, AccountUse.COLLECT),
        "opening_balance": Decimal("10000000.00"),
    }
    return await company_account.create(lender.accountant, **given | changes)


async def a_desk(lender: LenderAtWork, **changes: Any) -> Desk:
    """Everything up to the cashier; `changes` are terms of the application (`amount=`, `periods=` …)."""
    person = await a_person(lender.account_manager)
    contract = await signed(lender, customer_id=person.id, **changes)
    card = await customer_account.create(
        lender.account_manager,
        customer_id=person.id,
        holder=person.name,
        account_number=CARD,
        bank="测试银行",
        purposes=[AccountPurpose.DISBURSEMENT, AccountPurpose.REPAYMENT],
    )
    account = await a_company_account(lender)
    (row,) = await lender.rows(Disbursement, Disbursement.contract_id == contract.id)
    reviewed = await disbursement.review(lender.accountant, disbursement_id=row.id)
    return Desk(lender, account, card, reviewed)


async def enter(lender: LenderAtWork, loan_id: UUID, account_id: UUID, amount: str, on: date, **more: Any) -> Receipt:
    """Keyed by the cashier under a bank reference of its own."""
    key = more.pop("idempotency_key", None) or a_key()
    given = {"payer_name": "张三", "bank_reference": f"REF-{key}"} | more
    entry = Entry(amount=Decimal(amount), value_date=on, company_account_id=account_id, **given)
    return await repayment_entry.enter(lender.cashier, loan_id=loan_id, entry=entry, idempotency_key=key)


async def receive(lender: LenderAtWork, loan_id: UUID, account_id: UUID, amount: str, on: date, **more: Any) -> Receipt:
    """Keyed by the cashier, registered by the accountant."""
    row = await enter(lender, loan_id, account_id, amount, on, **more)
    return await repayment_registration.register(lender.accountant, receipt_id=row.id)
