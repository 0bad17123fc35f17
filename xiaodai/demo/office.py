"""A lender at work: who signs in, and what the people do from the first question of a customer to the last payment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count, cycle
from typing import Any

from xiaodai.cli.output import Problem
from xiaodai.demo import operations
from xiaodai.demo.calendar import Calendar
from xiaodai.demo.client import Person, Server
from xiaodai.demo.lenders import PASSWORD, LenderPlan, Size
from xiaodai.demo.people import BANK, Individual, Party, Registry
from xiaodai.demo.screen import Screen

BANK_LOOK = 0.15  # seconds between two questions whether the bank has paid
BANK_WAIT = 30.0  # it answers within this (behaviour.md)


@dataclass(frozen=True)
class Team:
    """业务组 · Who serves a customer: the account manager, the second one for the survey, and who assigns and approves."""

    manager: str
    co_manager: str
    business: str


@dataclass(frozen=True)
class Customer:
    """客户 · A customer with the account for pay-outs and repayments."""

    id: str
    name: str
    account_id: str
    team: Team


@dataclass(frozen=True)
class Ask:
    """What a customer asks for: a product and terms. `amount` in CNY, `rate` a year; `entrusted`: under which entrusted contract."""

    product: str
    amount: str
    periods: int
    rate: str
    method: str
    mode: str
    purpose: tuple[str, str]
    entrusted: str | None = None


@dataclass(frozen=True)
class PayOut:
    """放款 · A signed contract whose money waits, and what the contract says it costs a year."""

    id: str
    customer: Customer
    amount: str
    cost: dict[str, Any]


@dataclass(frozen=True)
class Loan:
    """借据 · A loan that was paid out."""

    id: str
    number: str
    customer: Customer
    due_dates: tuple[date, ...]


class Office:
    """One lender of the demo. `founding.py` sets up what it needs before the first customer comes."""

    def __init__(self, plan: LenderPlan, size: Size, code: str, server: Server, screen: Screen) -> None:
        self.plan, self.code, self.server, self.screen = plan, code, server, screen
        self.size, self.opened = size, size.opened
        self.calendar = Calendar(size.opened, self.close_days_before)
        self.registry = Registry(plan.series)
        self.employees: dict[str, str] = {}
        self.products: dict[str, str] = {}
        self.account_id = ""
        self.teams = cycle(teams(plan))
        self._people: dict[str, Person] = {}
        self._numbers = count(1)

    @property
    def today(self) -> str:
        return self.calendar.today.isoformat()

    async def by(self, username: str) -> Person:
        """A colleague, signed in."""
        if username not in self._people:
            self._people[username] = await self.server.sign_in(self.code, username, PASSWORD)
        return self._people[username]

    def tell(self, step: str, story: int | None = None) -> None:
        self.screen.tell(step, lender=self.code, on=self.calendar.today, story=story)

    async def close_days_before(self, day: date) -> None:
        """日终 · Closes every day before `day`, which is open afterwards. Raises Problem if the books do not add up."""
        accountant, last = await self.by("accountant"), day - timedelta(days=1)
        opened = self.calendar.today
        while opened < day:
            answer = await accountant.mutate("runEndOfDay", through=last.isoformat())
            opened = date.fromisoformat(answer["businessDate"])
            for closed in answer["days"]:
                if closed["state"] == "FAILED":
                    raise Problem(f"{self.code}: closing {closed['date']} failed; the server's log says why.")
                if closed["state"] == "CLOSED" and not closed["ledgerBalanced"]:
                    raise Problem(
                        f"{self.code}: the books of {closed['date']} do not add up; see python3 xd.py verify."
                    )
            self.screen.day(self.code, opened, (opened - self.opened).days)

    # ------------------------------------------------------------------ customers

    async def welcome(self, party: Party, team: Team | None = None) -> Customer:
        """Keys a customer with a bank account, by the account manager who will look after the customer."""
        team = team or next(self.teams)
        manager = await self.by(team.manager)
        if isinstance(party, Individual):
            consents = [{"type": kind, "version": 1} for kind in ("PERSONAL_DATA", "CREDIT_BUREAU")]
            made = await manager.mutate(
                "createIndividualCustomer", name=party.name, idNumber=party.id_number, mobile=party.mobile,
                regionCode="999999", farmer=party.farmer, monthlyIncome="30000.00", consents=consents,
            )  # fmt: skip
        else:
            made = await manager.mutate(
                "createEnterpriseCustomer", name=party.name, uscc=party.uscc, mobile=party.mobile,
                legalRepresentative=party.legal_representative, regionCode="999999",
            )  # fmt: skip
        customer_id = made["customer"]["id"]
        account = await manager.mutate(
            "createCustomerAccount", customerId=customer_id, holder=party.name, bank=BANK,
            accountNumber=self.registry.card(next(self._numbers)), purposes=["DISBURSEMENT", "REPAYMENT"],
        )  # fmt: skip
        return Customer(customer_id, party.name, account["account"]["id"], team)

    # ------------------------------------------------------------------ application to approval

    async def draft(self, customer: Customer, ask: Ask) -> str:
        """申请 · A draft; answers its id, as all steps below do."""
        manager = await self.by(customer.team.manager)
        made = await manager.mutate(
            "createLoanApplication", customerId=customer.id, productId=self.products[ask.product], amount=ask.amount,
            periods=ask.periods, annualRate=ask.rate, method=ask.method, lendingMode=ask.mode,
            purposeCode=ask.purpose[0], purpose=ask.purpose[1], repaymentSource="经营收入",
            entrustedContractId=ask.entrusted,
        )  # fmt: skip
        return str(made["application"]["id"])

    async def submit(self, customer: Customer, ask: Ask) -> str:
        application = await self.draft(customer, ask)
        await (await self.by(customer.team.manager)).mutate("submitLoanApplication", applicationId=application)
        return application

    async def assign(self, customer: Customer, ask: Ask) -> str:
        """分单 · The business manager names the two who survey."""
        application, team = await self.submit(customer, ask), customer.team
        await (await self.by(team.business)).mutate(
            "assignLoanApplication", applicationId=application,
            accountManagerId=self.employees[team.manager], coManagerId=self.employees[team.co_manager],
        )  # fmt: skip
        return application

    async def accept(self, customer: Customer, ask: Ask) -> str:
        application = await self.assign(customer, ask)
        await (await self.by(customer.team.manager)).mutate("acceptLoanApplication", applicationId=application)
        return application

    async def survey(self, customer: Customer, ask: Ask) -> tuple[str, str]:
        """尽职调查 · The survey starts the approval. Answers the application and its first task."""
        application = await self.accept(customer, ask)
        answer = await (await self.by(customer.team.manager)).mutate(
            "submitSurveyReport", applicationId=application, proposedAmount=ask.amount,
            findings="双人实地调查：经营正常，流水与申报一致，用途真实。", monthlyIncome="60000.00", monthlyDebtService="2000.00",
        )  # fmt: skip
        return application, answer["application"]["workflow"]["openTasks"][0]["id"]

    async def approve(self, customer: Customer, ask: Ask) -> str:
        """审批 · Risk, the business manager, and above a limit the general manager."""
        application, task = await self.survey(customer, ask)
        await self.decide(task, ("risk", customer.team.business, "gm"))
        return application

    async def decide(self, task: str, approvers: tuple[str, ...], decision: str = "APPROVE") -> None:
        """One after another decides, as long as there is something to decide."""
        for username in approvers:
            answer = await (await self.by(username)).mutate(
                "decideTask",
                taskId=task,
                decision=decision,
                opinion="同意。" if decision == "APPROVE" else "资料不足。",
            )
            if not (waiting := answer["workflow"]["openTasks"]):
                return
            task = waiting[0]["id"]

    # ------------------------------------------------------------------ contract to pay-out

    async def sign(self, customer: Customer, ask: Ask) -> PayOut:
        """签约 · Contract pack, cost sheet and signature, then the accountant's review of the pay-out."""
        return await self.contract(customer, await self.approve(customer, ask), ask.amount)

    async def contract(self, customer: Customer, application: str, amount: str) -> PayOut:
        """The same for an application that is approved already."""
        manager = await self.by(customer.team.manager)
        contract = (await manager.mutate("prepareContract", applicationId=application))["contract"]
        await manager.mutate("acknowledgeCostSheet", contractId=contract["id"])
        await manager.mutate("signContract", contractId=contract["id"], signedOn=self.today, way="PAPER")
        disbursement = contract["disbursements"][0]["id"]
        await (await self.by("accountant")).mutate("reviewDisbursement", disbursementId=disbursement)
        return PayOut(disbursement, customer, amount, contract["cost"])

    def payment(self, pay_out: PayOut, amount: str | None = None, account: str | None = None) -> dict[str, Any]:
        """The input of payDisbursement: all of it, from the lender's own account, unless something else is asked for."""
        return {
            "disbursementId": pay_out.id, "companyAccountId": account or self.account_id, "valueDate": self.today,
            "customerAccountId": pay_out.customer.account_id, "amount": amount or pay_out.amount,
            "idempotencyKey": f"pay {pay_out.id} {self.today} {amount or pay_out.amount}",
        }  # fmt: skip

    async def pay(self, pay_out: PayOut, account: str | None = None) -> Loan:
        """放款 · The cashier pays through the bank; the loan exists as soon as the bank says so."""
        await (await self.by("cashier")).mutate("payDisbursement", **self.payment(pay_out, account=account))
        loan = (await self.until_paid(operations.DISBURSEMENT, pay_out.id))["loan"]
        dues = tuple(date.fromisoformat(line["dueDate"]) for line in loan["installments"])
        return Loan(loan["id"], loan["number"], pay_out.customer, dues)

    async def until_paid(self, document: str, key: str) -> dict[str, Any]:
        """Looks at a payment until the bank has carried it out; answers it."""
        cashier = await self.by("cashier")
        for _ in range(int(BANK_WAIT / BANK_LOOK)):
            found: dict[str, Any] = (await cashier.ask(document, id=key))["node"]
            if found["state"] == "PAID":
                return found
            await asyncio.sleep(BANK_LOOK)
        raise Problem(f"{self.code}: the bank did not pay within {BANK_WAIT:.0f} s; is its simulator running?")

    async def lend(self, customer: Customer, ask: Ask) -> Loan:
        return await self.pay(await self.sign(customer, ask))

    # ------------------------------------------------------------------ repayment

    async def collect(self, loan: Loan, account: str | None = None) -> Decimal:
        """还款 · The customer pays all that is due today. Answers how much that was; nothing if nothing is."""
        cashier = await self.by("cashier")
        lines = (await cashier.ask(operations.INSTALLMENTS, id=loan.id))["loan"]["installments"]
        parts = ("unpaidPrincipal", "unpaidInterest", "penalty", "compound", "fee")
        due = sum(
            (Decimal(line[part]) for line in lines if line["dueDate"] <= self.today for part in parts), Decimal(0)
        )
        if due > 0:
            await self.receive(loan, str(due), account=account)
        return due

    async def receive(
        self, loan: Loan, amount: str, mode: str | None = None, method: str = "TRANSFER", account: str | None = None
    ) -> dict[str, Any]:
        """Money came in, on the lender's own account unless another is named: the cashier keys it, the accountant posts it.
        `mode` of a prepayment. Answers the receipt."""
        number = next(self._numbers)
        entered = await (await self.by("cashier")).mutate(
            "enterReceipt", loanId=loan.id, amount=amount, valueDate=self.today, companyAccountId=account or self.account_id,
            payerName=loan.customer.name, method=method, bankReference=f"{self.code}-{self.today}-{number}",
            prepayment={"mode": mode} if mode else None, idempotencyKey=f"receipt {self.code} {number}",
        )  # fmt: skip
        posted = await (await self.by("accountant")).mutate("registerReceipt", receiptId=entered["receipt"]["id"])
        receipt: dict[str, Any] = posted["receipt"]
        return receipt


def teams(plan: LenderPlan) -> list[Team]:
    """Each account manager with a second one of the same department, under its business manager."""
    found = []
    for department, _ in plan.departments:
        there = [colleague for colleague in plan.staff if colleague.department == department]
        managers = [colleague.username for colleague in there if "ACCOUNT_MANAGER" in colleague.roles]
        heads = [colleague.username for colleague in there if "BUSINESS_MANAGER" in colleague.roles]
        for index, manager in enumerate(managers):
            found.append(Team(manager, managers[index - 1], heads[0]))
    return found
