"""The main journey as front ends live it: only GraphQL, each step by the person whose work it is.

`work()` is the worker: it carries out what the lender has due (bank orders, end of day), as `serve` would.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.kernel.job import HANDLERS
from tests.support.actors import LenderAtWork
from tests.support.client import Api, Client
from xiaodai.jobs.queue import run_due

ERRORS = "userErrors { code field message params }"
FIGURES = """on principalOutstanding overduePrincipal accruedInterest dueUnpaidInterest penalty compound fees unapplied
             daysPastDue fiveClass accrual onBalanceInterest offBalanceInterest provision"""
_weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def an_id_number(serial: int, born: str = "19900101") -> str:
    """A valid ID number of the fictional region 999999."""
    body = f"999999{born}{serial:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _weights, strict=True)) % 11]


def a_card(serial: int) -> str:
    """A card number of the test BIN with its Luhn digit."""
    body = f"621700{serial:012d}"
    total = sum(sum(divmod(int(d) * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


@dataclass
class PaidLoan:
    """A loan and what led to it, by their global ids."""

    id: str
    customer: str
    application: str
    contract: str
    disbursement: str


@dataclass
class Journey:
    """One lender's people at their screens."""

    api: Api
    lender: LenderAtWork
    serials: Any = field(default_factory=lambda: itertools.count(1))
    products: dict[str, str] = field(default_factory=dict)
    account: str = ""

    def by(self, person: str) -> Client:
        return self.api.as_(person)

    async def work(self) -> None:
        """Everything that is due, until nothing is due within the next two seconds."""
        for _ in range(100):
            due = await run_due(self.lender.system, HANDLERS, most=50)
            if due is None:
                return
            await asyncio.sleep(0.05)

    async def product(self, **changes: Any) -> str:
        """A product, by default wide enough for the golden cases; the same changes give the same product."""
        name = repr(sorted(changes.items()))
        if name not in self.products:
            given = {
                "code": f"P{len(self.products) + 1}", "name": "经营贷", "minAmount": "1000.00", "maxAmount": "50000000.00",
                "minPeriods": 1, "maxPeriods": 60, "minRate": "0.00", "maxRate": "0.24", "lendingModes": ["CREDIT"],
                "methods": ["EQUAL_INSTALLMENT", "EQUAL_PRINCIPAL", "INTEREST_ONLY", "BULLET"],
            } | changes  # fmt: skip
            made = await self.by("tenant_admin").run(
                f"mutation($i: CreateLoanProductInput!) {{ createLoanProduct(input: $i) {{ product {{ id version }} {ERRORS} }} }}",
                i=given,
            )
            self.products[name] = made["product"]["id"]
        return self.products[name]

    async def company_account(
        self, opening: str = "50000000.00", uses: tuple[str, ...] = ("DISBURSE", "COLLECT")
    ) -> str:
        made = await self.by("tenant_admin").run(
            f"mutation($i: CreateCompanyAccountInput!) {{ createCompanyAccount(input: $i) {{ account {{ id balance }} {ERRORS} }} }}",
            i={"name": "放贷专户", "accountNumber": a_card(next(self.serials)), "bank": "测试银行", "uses": list(uses),
               "openingBalance": opening},
        )  # fmt: skip
        return str(made["account"]["id"])

    async def customer(self, name: str = "王芳", **changes: Any) -> str:
        serial = next(self.serials)
        made = await self.by("account_manager").run(
            f"mutation($i: CreateIndividualCustomerInput!) {{ createIndividualCustomer(input: $i) {{ customer {{ id }} {ERRORS} }} }}",
            i={"name": name, "idNumber": an_id_number(serial), "mobile": f"1990000{serial:04d}", "regionCode": "999999",
               "consents": [{"type": "PERSONAL_DATA", "version": 1}, {"type": "CREDIT_BUREAU", "version": 1}]} | changes,
        )  # fmt: skip
        return str(made["customer"]["id"])

    async def customer_account(self, customer: str, holder: str = "王芳") -> str:
        made = await self.by("account_manager").run(
            f"mutation($i: CreateCustomerAccountInput!) {{ createCustomerAccount(input: $i) {{ account {{ id }} {ERRORS} }} }}",
            i={"customerId": customer, "holder": holder, "accountNumber": a_card(next(self.serials)), "bank": "测试银行",
               "purposes": ["DISBURSEMENT", "REPAYMENT"]},
        )  # fmt: skip
        return str(made["account"]["id"])

    async def drafted(self, customer: str, *, product: dict[str, Any] | None = None, **terms: Any) -> str:
        """A draft of S01's terms, changed by `terms`."""
        given = {
            "customerId": customer, "productId": await self.product(**(product or {})), "amount": "100000.00", "periods": 12,
            "annualRate": "0.12", "method": "EQUAL_INSTALLMENT", "purposeCode": "WORKING_CAPITAL", "purpose": "进货",
            "lendingMode": "CREDIT",
        } | terms  # fmt: skip
        made = await self.by("account_manager").run(
            f"mutation($i: CreateLoanApplicationInput!) {{ createLoanApplication(input: $i) {{ application {{ id }} {ERRORS} }} }}",
            i=given,
        )
        return str(made["application"]["id"])

    async def act(self, person: str, mutation: str, answer: str, **given: Any) -> Any:
        """One mutation `verbNoun(input)`; the payload's named field."""
        kind = mutation[0].upper() + mutation[1:] + "Input"
        kind = ACTIONS.get(mutation, kind)
        payload = await self.by(person).run(
            f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ {answer} {ERRORS} }} }}", i=given
        )
        return next(value for name, value in payload.items() if name != "userErrors")

    async def refused(self, person: str, mutation: str, answer: str, **given: Any) -> list[dict[str, Any]]:
        """The userErrors of one mutation that must be refused."""
        kind = ACTIONS.get(mutation, mutation[0].upper() + mutation[1:] + "Input")
        return await self.by(person).refused(
            f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ {answer} {ERRORS} }} }}", i=given
        )

    async def tasks(self, person: str) -> list[dict[str, Any]]:
        data = await self.by(person).data(
            "{ pendingTasks(first: 100) { nodes { id type subject { id } } totalCount } }"
        )
        found: list[dict[str, Any]] = data["pendingTasks"]["nodes"]
        assert data["pendingTasks"]["totalCount"] == len(found)
        return found

    async def task_on(self, person: str, subject: str) -> str:
        """The id of this person's one task about a thing."""
        (task,) = [task for task in await self.tasks(person) if task["subject"] and task["subject"]["id"] == subject]
        return str(task["id"])

    async def decide(self, person: str, subject: str, decision: str = "APPROVE", **given: Any) -> Any:
        task = await self.task_on(person, subject)
        return await self.by(person).run(
            f"mutation($i: DecideTaskInput!) {{ decideTask(input: $i) {{ task {{ id state }} workflow {{ state }} {ERRORS} }} }}",
            i={"taskId": task, "decision": decision, "opinion": "同意"} | given,
        )

    async def submitted(self, customer: str, **terms: Any) -> str:
        application = await self.drafted(customer, **terms)
        await self.act("account_manager", "submitLoanApplication", "application { state }", applicationId=application)
        return application

    async def reviewing(self, customer: str, **terms: Any) -> str:
        """Assigned, accepted, surveyed: the risk officers have it."""
        application = await self.submitted(customer, **terms)
        manager = (await self.by("account_manager").data("{ viewer { employee { id } } }"))["viewer"]["employee"]["id"]
        state = "application { state }"
        await self.act(
            "business_manager", "assignLoanApplication", state, applicationId=application, accountManagerId=manager
        )
        await self.act("account_manager", "acceptLoanApplication", state, applicationId=application)
        amount = terms.get("amount", "100000.00")
        await self.act(
            "account_manager",
            "submitSurveyReport",
            state,
            applicationId=application,
            findings="经营正常",
            proposedAmount=amount,
        )
        return application

    async def approved(self, customer: str, **terms: Any) -> str:
        application = await self.reviewing(customer, **terms)
        await self.decide("risk_officer", application)
        await self.decide("business_manager", application)
        return application

    async def prepared(self, application: str) -> Any:
        return await self.act(
            "account_manager", "prepareContract",
            "contract { id number state amountInWords documents { name contentType url } disbursements { id state } }",
            applicationId=application,
        )  # fmt: skip

    async def signed(self, application: str) -> Any:
        contract = await self.prepared(application)
        await self.act("account_manager", "acknowledgeCostSheet", "contract { state }", contractId=contract["id"])
        today = (await self.by("account_manager").data("{ viewer { businessDate } }"))["viewer"]["businessDate"]
        await self.act(
            "account_manager",
            "signContract",
            "contract { state }",
            contractId=contract["id"],
            signedOn=today,
            way="PAPER",
        )
        return contract

    async def paid(self, name: str = "王芳", **terms: Any) -> PaidLoan:
        """From a new customer to a loan paid out today through the bank."""
        customer = await self.customer(name)
        account = await self.customer_account(customer, name)
        application = await self.approved(customer, **terms)
        contract = await self.signed(application)
        disbursement = contract["disbursements"][0]["id"]
        await self.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
        await self.pay(disbursement, account, terms.get("amount", "100000.00"))
        for _ in range(20):  # the bank answers in its own time
            await self.work()
            found = await self.by("cashier").data(
                "query($id: ID!) { node(id: $id) { ... on Disbursement { state loan { id } } } }", id=disbursement
            )
            if found["node"]["state"] != "PAYING":
                break
        assert found["node"]["state"] == "PAID", found
        return PaidLoan(found["node"]["loan"]["id"], customer, application, contract["id"], disbursement)

    async def pay(self, disbursement: str, account: str, amount: str, key: str | None = None) -> Any:
        if not self.account:
            self.account = await self.company_account()
        today = (await self.by("cashier").data("{ viewer { businessDate } }"))["viewer"]["businessDate"]
        return await self.act(
            "cashier", "payDisbursement", "disbursement { id state }", disbursementId=disbursement,
            companyAccountId=self.account, customerAccountId=account, amount=amount, valueDate=today,
            idempotencyKey=key or f"pay-{next(self.serials)}",
        )  # fmt: skip

    async def entered(self, loan: str, amount: str, on: str | date, **given: Any) -> Any:
        serial = next(self.serials)
        return await self.act(
            "cashier", "enterReceipt",
            "receipt { id number state amount unapplied allocation { installmentSeq component amount } }",
            loanId=loan, amount=amount, valueDate=str(on), companyAccountId=self.account, payerName="王芳",
            bankReference=f"BANK-{serial}", idempotencyKey=f"receipt-{serial}", **given,
        )  # fmt: skip

    async def received(self, loan: str, amount: str, on: str | date, **given: Any) -> Any:
        """Keyed by the cashier, checked and posted by the accountant."""
        receipt = await self.entered(loan, amount, on, **given)
        return await self.act(
            "accountant", "registerReceipt",
            "receipt { id number state amount unapplied allocation { installmentSeq component amount } }",
            receiptId=receipt["id"],
        )  # fmt: skip

    async def close(self, through: str | date) -> Any:
        """Closes every day up to and including `through`."""
        asked = asyncio.create_task(
            self.by("tenant_admin").run(
                "mutation($i: RunEndOfDayInput!) { runEndOfDay(input: $i) { businessDate days { date state loansAdvanced "
                f"becameOverdue alertsRaised ledgerBalanced }} {ERRORS} }} }}",
                i={"through": str(through)},
            )
        )
        while not asked.done():
            await run_due(self.lender.system, HANDLERS, most=50)
            await asyncio.sleep(0.02)
        return await asked

    async def position(self, loan: str, on: str | date | None = None) -> Any:
        data = await self.by("accountant").data(
            f"query($id: ID!, $on: Date) {{ loan(id: $id) {{ position(on: $on) {{ {FIGURES} }} }} }}",
            id=loan,
            on=str(on) if on else None,
        )
        return data["loan"]["position"]

    async def installments(self, loan: str) -> list[dict[str, Any]]:
        data = await self.by("accountant").data(
            """query($id: ID!) { loan(id: $id) { installments { seq startDate dueDate principal interest state
               unpaidPrincipal unpaidInterest penalty compound fee paidOn } } }""",
            id=loan,
        )
        found: list[dict[str, Any]] = data["loan"]["installments"]
        return found


ACTIONS = {
    "submitLoanApplication": "LoanApplicationActionInput",
    "acceptLoanApplication": "LoanApplicationActionInput",
    "withdrawLoanApplication": "LoanApplicationActionInput",
    "acknowledgeCostSheet": "LoanContractActionInput",
    "reviewDisbursement": "DisbursementActionInput",
    "cancelDisbursement": "DisbursementActionInput",
    "registerReceipt": "ReceiptActionInput",
    "rejectReceipt": "ReceiptActionInput",
    "requestReceiptReversal": "ReceiptActionInput",
    "cancelRefund": "RefundActionInput",
    "withdrawWriteOff": "WriteOffActionInput",
    "requestWriteOffReversal": "WriteOffActionInput",
    "requestRepossessionReversal": "RepossessedAssetActionInput",
}
