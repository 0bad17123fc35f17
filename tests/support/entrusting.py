"""Entrusted money for tests: a contract, an account that holds the money, and what cashier and accountant do with it.

`lend` makes the loan of a pay-out without the cash desk; `to_be_paid` goes through everybody whose work it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from stdnum import luhn

from domain.calculation.schedule import Method
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.configuration.loan_product import LoanKind
from domain.finance import disbursement, entrusted_fee, entrusted_fund
from domain.finance.disbursement import Disbursement
from domain.finance.entrusted_fee import EntrustedFee, EntrustedFeeState, FeeWay
from domain.finance.entrusted_fund import Advice, EntrustedFund
from domain.ledger.journal import VOUCHERS
from domain.lending.entrusted_loan import contract, guarding, queries
from domain.lending.entrusted_loan.contract import EntrustedTerms
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.loan import Loan, fund
from domain.post_loan import customer_account
from domain.post_loan.customer_account import AccountPurpose, CustomerAccount
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person
from tests.support.desk import a_company_account, a_key
from tests.support.lending import a_product, signed
from tests.support.loans import Lending

__all__ = ["OPENED", "TERMS", "Trust", "a_trust", "guarding"]

OPENED = date(2025, 1, 1)
"""The first day of a lender of a test."""
TERMS = EntrustedTerms(
    amount=D("2000000.00"),
    annual_rate=D("0.10"),
    one_off_fee_rate=D("0.003"),
    interest_fee_rate=D("0.02"),
    instruction_letter="委托书 2025-1",
    source_proof="本人经营积累",
    purpose="补充流动资金",
    signed_on=OPENED,
)
"""The rates of golden S39: 10 % a year, of it 2 % for the lender, and 0.3 % once."""


@dataclass(eq=False)
class Trust:
    """An entrusted contract at a lender, with the account that holds the money and the cards of both customers."""

    lender: LenderAtWork
    contract: EntrustedContract
    account: CompanyAccount
    payer: str
    card: CustomerAccount
    borrowers_card: CustomerAccount
    products: dict[str, UUID] = field(default_factory=dict)

    @property
    def lending(self) -> Lending:
        """What happens on loans, through the account for entrusted money."""
        return Lending(self.lender, self.account.id, self.products)

    async def today(self) -> date:
        async with self.lender.system.reading() as ctx:
            return ctx.today

    async def advice(self, amount: str | D, **changes: Any) -> Advice:
        """What the bank's advice says: today, under a reference of its own."""
        made = Advice(
            amount=D(amount), value_date=await self.today(), company_account_id=self.account.id,
            bank_reference=f"REF-{a_key()}", purpose="委托放款",
        )  # fmt: skip
        return replace(made, **changes)

    async def paid_in(self, amount: str | D, **changes: Any) -> EntrustedFund:
        """Keyed by the cashier; nothing is posted. `payer_name=`, `idempotency_key=`, or what the advice says."""
        given = {"payer_name": self.payer, "source_proof": "本人经营积累", "idempotency_key": a_key()}
        given |= {name: changes.pop(name) for name in set(given) & set(changes)}
        advice = await self.advice(amount, **changes)
        return await entrusted_fund.record(
            self.lender.cashier, entrusted_contract_id=self.contract.id, advice=advice, **given
        )

    async def came_in(self, amount: str, **changes: Any) -> EntrustedFund:
        """Keyed, and confirmed by the accountant."""
        row = await self.paid_in(amount, **changes)
        return await entrusted_fund.confirm(self.lender.accountant, fund_id=row.id)

    async def going_back(self, amount: str, **changes: Any) -> EntrustedFund:
        """Keyed by the cashier. `customer_account_id=`, `idempotency_key=`, or what the advice says."""
        given: dict[str, Any] = {"customer_account_id": self.card.id, "idempotency_key": a_key()}
        given |= {name: changes.pop(name) for name in set(given) & set(changes)}
        advice = await self.advice(amount, **changes)
        return await entrusted_fund.give_back(
            self.lender.cashier, entrusted_contract_id=self.contract.id, advice=advice, **given
        )

    async def went_back(self, amount: str, **changes: Any) -> EntrustedFund:
        """Keyed, and confirmed by the accountant."""
        row = await self.going_back(amount, **changes)
        return await entrusted_fund.confirm(self.lender.accountant, fund_id=row.id)

    async def lend(self, amount: str = "1000000.00", **terms: Any) -> UUID:
        """A loan under the contract, paid out today, and the fee that is due with it."""
        given: dict[str, Any] = {
            "amount": amount, "rate": str(self.contract.annual_rate), "method": Method.INTEREST_ONLY,
            "kind": LoanKind.ENTRUSTED, "customer_id": self.contract.borrower_id,
            "entrusted_contract_id": self.contract.id,
        }  # fmt: skip
        loan_id = await self.lending.pay_out(**given | terms)
        async with self.lender.system.writing() as ctx:
            await entrusted_fee.due_at_pay_out(ctx, await ctx.session.get_one(Loan, loan_id))
        return loan_id

    async def to_be_paid(self, amount: str) -> Disbursement:
        """Applied for, approved, signed, and the pay-out reviewed."""
        product = await a_product(self.lender, "WT", kind=LoanKind.ENTRUSTED)
        made = await signed(
            self.lender, customer_id=self.contract.borrower_id, product_id=product.id, amount=D(amount),
            annual_rate=self.contract.annual_rate, method=Method.INTEREST_ONLY, entrusted_contract_id=self.contract.id,
        )  # fmt: skip
        (row,) = await self.lender.rows(Disbursement, Disbursement.contract_id == made.id)
        return await disbursement.review(self.lender.accountant, disbursement_id=row.id)

    async def fee_taken(self) -> None:
        """The one fee that is due is taken out of the fund, confirmed by the accountant."""
        (fee,) = [row for row in await self.fees() if row.state == EntrustedFeeState.DUE]
        await entrusted_fee.settle(self.lender.cashier, fee_id=fee.id, way=FeeWay.FUND, idempotency_key=a_key())
        await entrusted_fee.confirm(self.lender.accountant, fee_id=fee.id)

    async def balance(self, on: date | None = None) -> D:
        async with self.lender.system.reading() as ctx:
            return (await fund.balances(ctx, [self.contract.id], on))[self.contract.id]

    async def statement(self, first: date | None = None, last: date | None = None) -> Any:
        async with self.lender.accountant.reading() as ctx:
            return await queries.statement(ctx, contract_id=self.contract.id, first=first, last=last)

    async def fees(self) -> list[Any]:
        rows = await self.lender.rows(EntrustedFee, EntrustedFee.entrusted_contract_id == self.contract.id)
        return sorted(rows, key=lambda row: row.id)

    async def all_of_it(self) -> Any:
        """Everything that moves entrusted money: a refusal leaves it as it was."""
        async with self.lender.system.reading() as ctx:
            vouchers = (await ctx.connection.execute(VOUCHERS.select().order_by(VOUCHERS.c.id))).all()
        funds = await self.lender.rows(EntrustedFund)
        fees, loans = await self.lender.rows(EntrustedFee), await self.lender.rows(Loan)
        return sorted(funds), sorted(fees, key=lambda row: row.id), sorted(loans, key=lambda row: row.id), vouchers


def a_card(serial: int) -> str:
    """A card of the test BIN that no bank gives out."""
    digits = f"621700{serial:012d}"
    return digits + luhn.calc_check_digit(digits)


async def a_trust(lender: LenderAtWork, *, serial: int = 1, beside: Trust | None = None, **terms: Any) -> Trust:
    """A contract of S39's rates, signed on the open day, with no money yet. `serial`: of several at one lender; `beside`
    another whose product it has as well."""
    manager = lender.account_manager
    entrustor = await a_person(manager, serial=2 * serial + 100)
    borrower = await a_person(manager, serial=2 * serial + 101)
    async with lender.system.reading() as ctx:
        today = ctx.today
    made = await contract.create(
        manager,
        entrustor_id=entrustor.id,
        borrower_id=borrower.id,
        terms=replace(TERMS, **{"signed_on": today} | terms),
    )
    account = await a_company_account(
        lender, f"1100000001{serial:02}", uses=(AccountUse.ENTRUSTED,), opening_balance=D("0.00")
    )
    cards = [
        await customer_account.create(
            manager, customer_id=person.id, holder=person.name, account_number=a_card(2 * serial + number),
            bank="测试银行", purposes=[AccountPurpose.DISBURSEMENT, AccountPurpose.REPAYMENT],
        )
        for number, person in enumerate((entrustor, borrower))
    ]  # fmt: skip
    products = beside.products if beside else {}
    return Trust(lender, made, account, entrustor.name, cards[0], cards[1], products)
