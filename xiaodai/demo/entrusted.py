"""The story of entrusted money (8 in the demo plan, docs/tour.md): another company's money, lent for it and at its risk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from xiaodai.demo import operations
from xiaodai.demo.calendar import Story
from xiaodai.demo.lenders import ENTRUSTED_LOAN, WORKING_CAPITAL
from xiaodai.demo.office import Ask, Customer, Loan, Office
from xiaodai.demo.people import BANK
from xiaodai.demo.stories import tell_refusal

AMOUNT = "1000000.00"


def entrusted_stories(office: Office) -> Iterator[Story]:
    """The story that happens at this lender."""
    if office.plan.code == "jinjiang":
        yield entrusted(office)


@dataclass(frozen=True)
class Trust:
    """委托 · A contract, whose money it is, and the account that holds it. `numbers`: of what the bank calls a transfer."""

    office: Office
    contract: str
    entrustor: Customer
    account: str
    numbers: Iterator[int]

    def pays_in(self, amount: str, payer: str) -> dict[str, Any]:
        """What the cashier keys of money that came in."""
        return {**self._advice(amount, "委托放款"), "payerName": payer, "sourceProof": "自有资金，附验资报告"}

    def passes_on(self, amount: str) -> dict[str, Any]:
        """What the cashier keys of money that goes to the entrustor."""
        return {**self._advice(amount, "转付利息"), "customerAccountId": self.entrustor.account_id}

    def _advice(self, amount: str, purpose: str) -> dict[str, Any]:
        reference = f"{self.office.code}-WT-{next(self.numbers)}"
        return {
            "entrustedContractId": self.contract, "amount": amount, "valueDate": self.office.today, "purpose": purpose,
            "companyAccountId": self.account, "bankReference": reference, "idempotencyKey": reference,
        }  # fmt: skip

    async def moved(self, mutation: str, **given: Any) -> None:
        """资金 · The cashier keys it, the accountant confirms it."""
        fund = (await (await self.office.by("cashier")).mutate(mutation, **given))["fund"]
        await (await self.office.by("accountant")).mutate("confirmEntrustedFund", fundId=fund["id"])

    async def stands(self) -> dict[str, Any]:
        """What is left and lent, and how each receipt was shared."""
        found = await (await self.office.by("accountant")).ask(operations.ENTRUSTED_CONTRACT, id=self.contract)
        return dict(found["entrustedContract"])


async def entrusted(office: Office) -> None:
    """8: 国盛投资 lends 五谷粮油 a million through the lender, which gets 0.3 % once and 2 % of the interest, and no risk."""
    await office.calendar.on(office.opened + timedelta(days=38))
    entrustor = await office.welcome(office.registry.enterprise("国盛投资有限公司"))
    borrower = await office.welcome(office.registry.enterprise("五谷粮油有限公司"), entrustor.team)
    trust = await contract(office, entrustor, borrower)
    ask = Ask(
        ENTRUSTED_LOAN.code, AMOUNT, 12, "0.10", "INTEREST_ONLY", "CREDIT", WORKING_CAPITAL, entrusted=trust.contract
    )
    pay_out = await office.sign(borrower, ask)
    cashier = await office.by("cashier")
    refused = await cashier.refusal("payDisbursement", **office.payment(pay_out, account=trust.account))
    tell_refusal(office, f"the cashier tries to pay before the money of {entrustor.name} is there", refused, 8)
    refused = await cashier.refusal("recordEntrustedFund", **trust.pays_in(AMOUNT, borrower.name))
    tell_refusal(office, f"{AMOUNT} CNY are keyed as paid in by {borrower.name}", refused, 8)
    await trust.moved("recordEntrustedFund", **trust.pays_in(AMOUNT, entrustor.name))
    loan = await office.pay(pay_out, trust.account)
    office.tell(f"{loan.number}: {entrustor.name} pays in {AMOUNT} CNY, which {borrower.name} gets, all of it", 8)
    await pay_fee(office, trust, loan)
    for number, due in enumerate(loan.due_dates):
        await office.calendar.on(due)
        await interest(office, trust, loan, first=number == 0)


async def contract(office: Office, entrustor: Customer, borrower: Customer) -> Trust:
    """委托合同 · Written by the account manager; an account of its own keeps the money apart from the lender's."""
    held = await (await office.by("accountant")).mutate(
        "createCompanyAccount", name="委托资金专户", bank=BANK, accountNumber=office.registry.card(999_998),
        uses=["ENTRUSTED"], openingBalance="0.00",
    )  # fmt: skip
    made = await (await office.by(entrustor.team.manager)).mutate(
        "createEntrustedContract", entrustorId=entrustor.id, borrowerId=borrower.id, amount=AMOUNT, annualRate="0.10",
        oneOffFeeRate="0.003", interestFeeRate="0.02", instructionLetter="国盛委字 2026-07", purpose=WORKING_CAPITAL[1],
        sourceProof="自有资金，附验资报告", signedOn=office.today,
    )  # fmt: skip
    number = made["contract"]["number"]
    office.tell(f"{number}: {entrustor.name} has {AMOUNT} CNY lent to {borrower.name} at 10 %, at its own risk", 8)
    return Trust(office, made["contract"]["id"], entrustor, held["account"]["id"], count(1))


async def pay_fee(office: Office, trust: Trust, loan: Loan) -> None:
    """手续费 · Due with the pay-out, transferred by the entrustor, income once the accountant has seen it."""
    cashier = await office.by("cashier")
    asked = {"entrustedContractId": trust.contract, "states": ["DUE"]}
    (fee,) = (await cashier.ask(operations.ENTRUSTED_FEES, filter=asked))["entrustedFees"]["nodes"]
    reference = f"{office.code}-{fee['number']}"
    await cashier.mutate(
        "settleEntrustedFee", feeId=fee["id"], way="TRANSFER", companyAccountId=office.account_id,
        bankReference=reference, idempotencyKey=reference,
    )  # fmt: skip
    await (await office.by("accountant")).mutate("confirmEntrustedFee", feeId=fee["id"])
    office.tell(f"{loan.number}: {trust.entrustor.name} pays the one-off fee of {fee['amount']} CNY", 8)


async def interest(office: Office, trust: Trust, loan: Loan, *, first: bool) -> None:
    """收息 · A month's interest comes in, is shared, and goes on to the entrustor; the first time one cent too much is tried."""
    await office.collect(loan, trust.account)
    stands = await trust.stands()
    share, left = stands["interestSplits"][-1], stands["fundBalance"]
    if first:
        cashier = await office.by("cashier")
        too_much = str(Decimal(left) + Decimal("0.01"))
        refused = await cashier.refusal("returnEntrustedFund", **trust.passes_on(too_much))
        tell_refusal(office, f"{loan.number}: the cashier tries to pass on {too_much}", refused, 8)
    await trust.moved("returnEntrustedFund", **trust.passes_on(left))
    if first:
        office.tell(
            f"{loan.number}: of {share['interest']} CNY interest {share['handlingFee']} are the lender's fee, "
            f"{share['toEntrustor']} go to {trust.entrustor.name}; {(await trust.stands())['fundBalance']} is left",
            8,
        )
