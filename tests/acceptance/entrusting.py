"""What people do about entrusted money, over the API: the contract, money in and back, the loan, its receipts and fees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.acceptance.journey import Journey

ENTRUSTOR, BORROWER = "赵启明", "王芳"
PRODUCT = {"kind": "ENTRUSTED", "methods": ["INTEREST_ONLY"], "interestBasis": "PERIODIC"}
STATEMENT = """query($id: ID!, $last: Date) { entrustedFundStatement(entrustedContractId: $id, lastDay: $last) {
               opening closing lines { on movement amount balance } } }"""


@dataclass
class Entrusting:
    """One entrusted contract and everybody who works with it."""

    journey: Journey
    entrustor: str
    borrower: str
    entrustors_account: str
    borrowers_account: str
    company_account: str
    id: str = ""
    application: str = ""
    disbursement: str = ""

    async def came_in(self, amount: str, *, payer: str = ENTRUSTOR, confirmed: bool = True) -> str:
        """Money of the entrustor, entered by the cashier and confirmed by the accountant."""
        made = await self.journey.act(
            "cashier", "recordEntrustedFund", "fund { id state }", **await self.paid_in(amount, payer)
        )
        assert made["state"] == "ENTERED"
        if confirmed:
            await self.confirm(made["id"])
        return str(made["id"])

    async def paid_in(self, amount: str, payer: str = ENTRUSTOR) -> dict[str, Any]:
        serial = next(self.journey.serials)
        return {
            "entrustedContractId": self.id, "amount": amount, "valueDate": await self.today(),
            "companyAccountId": self.company_account, "payerName": payer, "bankReference": f"WT-{serial}",
            "sourceProof": "本人经营积累", "purpose": "委托放款", "idempotencyKey": f"fund-{serial}",
        }  # fmt: skip

    async def confirm(self, fund: str) -> None:
        made = await self.journey.act("accountant", "confirmEntrustedFund", "fund { state }", fundId=fund)
        assert made["state"] == "CONFIRMED"

    async def going_back(self, amount: str) -> dict[str, Any]:
        serial = next(self.journey.serials)
        return {
            "entrustedContractId": self.id, "amount": amount, "valueDate": await self.today(),
            "companyAccountId": self.company_account, "customerAccountId": self.entrustors_account,
            "bankReference": f"ZF-{serial}", "purpose": "转付利息", "idempotencyKey": f"back-{serial}",
        }  # fmt: skip

    async def passed_on(self, amount: str) -> None:
        made = await self.journey.act("cashier", "returnEntrustedFund", "fund { id }", **await self.going_back(amount))
        await self.confirm(made["id"])

    async def today(self) -> str:
        data = await self.journey.by("cashier").data("{ viewer { businessDate } }")
        return str(data["viewer"]["businessDate"])

    async def to_be_paid(self, amount: str) -> None:
        """An application approved and signed, its pay-out reviewed."""
        terms = {"amount": amount, "annualRate": "0.10", "method": "INTEREST_ONLY", "entrustedContractId": self.id}
        self.application = await self.journey.approved(self.borrower, product=PRODUCT, **terms)
        contract = await self.journey.signed(self.application)
        self.disbursement = contract["disbursements"][0]["id"]
        await self.journey.act(
            "accountant", "reviewDisbursement", "disbursement { state }", disbursementId=self.disbursement
        )

    async def payment(self, amount: str) -> dict[str, Any]:
        return {
            "disbursementId": self.disbursement, "companyAccountId": self.company_account, "amount": amount,
            "customerAccountId": self.borrowers_account, "valueDate": await self.today(),
            "idempotencyKey": f"pay-{next(self.journey.serials)}",
        }  # fmt: skip

    async def lent(self, amount: str) -> str:
        """Paid out through the bank; the loan."""
        await self.to_be_paid(amount)
        await self.journey.act("cashier", "payDisbursement", "disbursement { state }", **await self.payment(amount))
        await self.journey.work()
        found = await self.journey.by("cashier").data(
            "query($id: ID!) { node(id: $id) { ... on Disbursement { state loan { id kind } } } }", id=self.disbursement
        )
        assert (found["node"]["state"], found["node"]["loan"]["kind"]) == ("PAID", "ENTRUSTED"), found
        return str(found["node"]["loan"]["id"])

    async def statement(self, last: str | None = None) -> Any:
        data = await self.journey.by("accountant").data(STATEMENT, id=self.id, last=last)
        return data["entrustedFundStatement"]

    async def movements(self) -> list[tuple[str, str, str]]:
        return [(line["movement"], line["amount"], line["balance"]) for line in (await self.statement())["lines"]]

    async def fees(self) -> list[dict[str, Any]]:
        data = await self.journey.by("accountant").data(
            "query($f: EntrustedFeeFilter) { entrustedFees(filter: $f) { nodes { id type state amount way } } }",
            f={"entrustedContractId": self.id},
        )
        found: list[dict[str, Any]] = data["entrustedFees"]["nodes"]
        return found

    async def splits(self) -> list[dict[str, Any]]:
        data = await self.journey.by("accountant").data(
            """query($id: ID!) { entrustedContract(id: $id) { fundBalance outstanding interestSplits {
               valueDate interest handlingFee toEntrustor receipt { id } } } }""",
            id=self.id,
        )
        found: list[dict[str, Any]] = data["entrustedContract"]["interestSplits"]
        return found


async def entrusted(journey: Journey, **terms: Any) -> Entrusting:
    """The golden contract of S39, signed today: 0.3 % once, 2 % of the interest; the lender has no money in the account."""
    entrustor = await journey.customer(ENTRUSTOR)
    borrower = await journey.customer(BORROWER)
    made = Entrusting(
        journey,
        entrustor,
        borrower,
        await journey.customer_account(entrustor, ENTRUSTOR),
        await journey.customer_account(borrower, BORROWER),
        await journey.company_account("0.00", ("ENTRUSTED",)),
    )
    journey.account = made.company_account
    contract = await journey.act(
        "account_manager", "createEntrustedContract", "contract { id number fundBalance }",
        **{
            "entrustorId": entrustor, "borrowerId": borrower, "amount": "2000000.00", "annualRate": "0.10",
            "oneOffFeeRate": "0.003", "interestFeeRate": "0.02", "instructionLetter": "委托书 2026-1",
            "sourceProof": "本人经营积累", "purpose": "补充流动资金", "signedOn": await made.today(),
        } | terms,
    )  # fmt: skip
    assert contract["fundBalance"] == "0.00"
    made.id = contract["id"]
    return made


async def ledger(journey: Journey) -> dict[str, str]:
    """The trial balance: account → debit less credit, empty accounts left out."""
    from decimal import Decimal

    from tests.support.books import balances

    found = await balances(journey.lender)
    return {code: f"{amount:.2f}" for code, amount in sorted(found.items()) if amount != Decimal(0)}
