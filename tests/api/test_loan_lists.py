"""A page of loans with all that a screen shows beside them takes as many statements for one loan as for many."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.finance import repayment_entry, repayment_registration
from tests.support.actors import LenderAtWork
from tests.support.client import Api, statements
from tests.support.loans import Lending, lending_at

PAGE = """{
  loans(first: 10) {
    totalCount
    nodes {
      id number principalOutstanding customer { id name mobile } product { name } manager { name } contract { number }
      position { penalty compound principalOutstanding }
      installments { seq dueDate principal interest state }
      receipts(first: 2) { nodes { amount state allocation { component amount } } }
    }
  }
}"""


async def paid_once(lending: Lending, serial: int) -> UUID:
    """A loan with a registered receipt."""
    loan_id = await lending.pay_out(amount="12000.00", periods=3)
    async with lending.lender.system.reading() as ctx:
        today = ctx.today
    entry = repayment_entry.Entry(
        amount=Decimal("100.00"), value_date=today, company_account_id=lending.account_id, payer_name="王芳",
        bank_reference=f"BANK-{serial}",
    )  # fmt: skip
    people = lending.lender
    key = f"receipt-{serial}"
    receipt = await repayment_entry.enter(people.cashier, loan_id=loan_id, entry=entry, idempotency_key=key)
    await repayment_registration.register(people.accountant, receipt_id=receipt.id, idempotency_key=key)
    return loan_id


async def seen_by(api: Api, name: str) -> tuple[int, Any]:
    with statements() as seen:
        data = await api.as_(name).data(PAGE)
    return len(seen), data["loans"]


async def test_more_loans_are_not_more_statements(api: Api, lender: LenderAtWork) -> None:
    lending = await lending_at(lender)
    await paid_once(lending, 1)
    one = {name: (await seen_by(api, name))[0] for name in ("accountant", "account_manager")}
    for serial in range(2, 7):
        await paid_once(lending, serial)
    for name, statements_of_one in one.items():
        count, page = await seen_by(api, name)
        assert page["totalCount"] == len(page["nodes"]) == 6
        assert all(len(node["receipts"]["nodes"]) == 1 for node in page["nodes"])
        assert count == statements_of_one, name
