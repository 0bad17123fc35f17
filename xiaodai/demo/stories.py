"""Stories of single customers, numbered as in the demo plan (docs/tour.md). Each reads like what happened, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from xiaodai.demo import operations
from xiaodai.demo.calendar import Story
from xiaodai.demo.client import Refused
from xiaodai.demo.lenders import CREDIT_LOAN, EQUIPMENT, WORKING_CAPITAL
from xiaodai.demo.office import Ask, Loan, Office
from xiaodai.demo.people import Individual, id_number

# The same person is a customer of two lenders, who know nothing of each other.
WANG_FANG = Individual("王芳", id_number(date(1984, 3, 12), 900), "19900001900")

CREDIT = Ask("GRXYD", "80000.00", 12, "0.144", "EQUAL_INSTALLMENT", "CREDIT", WORKING_CAPITAL)


def stories_of(office: Office) -> Iterator[Story]:
    """The stories that happen at this lender."""
    if office.plan.code == "jinjiang":
        yield dear_product(office)
        yield model_payer(office)
        yield from_late_to_substandard(office)
        yield less_than_agreed(office)
        yield hospital(office)
        yield what_it_really_costs(office)
    if office.plan.code == "rongcheng":
        yield stranger(office)


async def model_payer(office: Office) -> None:
    """1: Wang Fang runs a hotpot restaurant, pays every instalment on its day and settles early."""
    await office.calendar.on(office.opened + timedelta(days=1))
    customer = await office.welcome(WANG_FANG)
    loan = await office.lend(
        customer, Ask("FDJYD", "300000.00", 24, "0.108", "EQUAL_INSTALLMENT", "MORTGAGE", WORKING_CAPITAL)
    )
    office.tell(f"{loan.number}: 王芳 (hotpot restaurant) gets 300000.00 CNY against her flat", story=1)
    for due in loan.due_dates[:4]:
        await office.calendar.on(due)
        paid = await office.collect(loan)
        office.tell(f"{loan.number}: 王芳 pays {paid} CNY in time", story=1)
    await office.calendar.on(loan.due_dates[3] + timedelta(days=19))
    cashier = await office.by("cashier")
    quote = (await cashier.ask(operations.PAYOFF_QUOTE, id=loan.id, on=office.today))["loan"]["payoffQuote"]
    await office.receive(loan, quote["toPay"], mode="SETTLE")
    state = (await cashier.ask(operations.POSITION, id=loan.id))["loan"]["state"]
    office.tell(
        f"{loan.number}: 王芳 settles early with {quote['total']} CNY "
        f"(principal {quote['principal']}, interest {quote['interest']}): {state}",
        story=1,
    )


async def from_late_to_substandard(office: Office) -> None:
    """4: Liu Qiang pays nothing: M1, M3, and on day 91 substandard, his interest off the balance sheet."""
    await office.calendar.on(office.opened + timedelta(days=1))
    loan = await office.lend(await office.welcome(office.registry.individual("刘强")), CREDIT)
    office.tell(f"{loan.number}: 刘强 gets 80000.00 CNY on his name alone", story=4)
    for days, stage in ((1, "M1 begins"), (61, "M3 begins"), (91, "beyond 90 days")):
        await office.calendar.on(loan.due_dates[0] + timedelta(days=days))
        found = (await (await office.by("risk")).ask(operations.POSITION, id=loan.id))["loan"]["position"]
        office.tell(
            f"{loan.number}: 刘强, days late: {found['daysPastDue']} ({stage}), {found['fiveClass']}, {found['accrual']}, "
            f"interest on the balance sheet {found['onBalanceInterest']}, off it {found['offBalanceInterest']}, "
            f"provision {found['provision']}",
            story=4,
        )
    await explain_penalty(office, loan)


async def explain_penalty(office: Office, loan: Loan) -> None:
    """Every figure says how it came about, and its parts add up."""
    position = (await (await office.by("auditor")).ask(operations.EXPLANATION, id=loan.id))["loan"]["position"]
    parts = position["explain"]
    total = sum((Decimal(part["amount"]) for part in parts), Decimal(0))
    office.tell(
        f"{loan.number}: the penalty of {position['penalty']} CNY explains itself in {len(parts)} parts = {total}; "
        f"the first: {parts[0]['formula']} = {parts[0]['amount']}",
        story=4,
    )


async def hospital(office: Office) -> None:
    """10: A borrower in hospital: a conditional waiver lapses because nothing is paid; a second one is granted."""
    await office.calendar.on(office.opened + timedelta(days=17))
    customer = await office.welcome(office.registry.individual("郑晚舟"))
    loan = await office.lend(
        customer, Ask("CLZYD", "120000.00", 12, "0.168", "EQUAL_PRINCIPAL", "PLEDGE", WORKING_CAPITAL)
    )
    office.tell(f"{loan.number}: 郑晚舟 gets 120000.00 CNY for a delivery van", story=10)
    await office.calendar.on(loan.due_dates[0])
    await office.collect(loan)
    await office.calendar.on(loan.due_dates[2] + timedelta(days=3))
    until = loan.due_dates[2] + timedelta(days=10)
    waiver = await waive_penalty(office, loan, until)
    await office.calendar.on(until + timedelta(days=1))
    manager = await office.by(customer.team.manager)
    state = (await manager.ask(operations.WAIVER, id=waiver))["node"]["state"]
    office.tell(
        f"{loan.number}: nothing was paid by {until}, so the waiver is {state} and the penalty is due again", 10
    )
    await office.calendar.on(until + timedelta(days=7))
    await waive_penalty(office, loan, None)
    paid = await office.collect(loan)
    office.tell(f"{loan.number}: 郑晚舟 is back and pays the arrears of {paid} CNY without penalty", story=10)
    for due in loan.due_dates[3:]:
        await office.calendar.on(due)
        await office.collect(loan)


async def waive_penalty(office: Office, loan: Loan, until: date | None) -> str:
    """The account manager asks, the business manager decides. Answers the waiver's id."""
    team = loan.customer.team
    asked = await (await office.by(team.manager)).mutate(
        "requestInterestWaiver", loanId=loan.id, component="PENALTY", ratio="1", reason="借款人住院，暂无收入",
        voidUnlessPaidBy=until.isoformat() if until else None,
    )  # fmt: skip
    waiver = asked["waiver"]
    await office.decide(waiver["workflow"]["openTasks"][0]["id"], (team.business, "gm"))
    condition = f", void unless the arrears are paid by {until}" if until else ""
    office.tell(
        f"{loan.number}: waiver {waiver['number']} of {waiver['amount']} CNY penalty is approved{condition}", 10
    )
    return str(waiver["id"])


async def less_than_agreed(office: Office) -> None:
    """11: Paying out 90 of 100 thousand is refused (砍头息, Civil Code art. 670); then all of it is paid."""
    await office.calendar.on(office.opened + timedelta(days=10))
    customer = await office.welcome(office.registry.individual())
    pay_out = await office.sign(customer, replace(CREDIT, amount="100000.00"))
    cashier = await office.by("cashier")
    refused = await cashier.refusal("payDisbursement", **office.payment(pay_out, "90000.00"))
    tell_refusal(office, "the cashier tries to pay 90000.00 of 100000.00", refused, 11)
    loan = await office.pay(pay_out)
    office.tell(f"{loan.number}: {customer.name} gets all of the 100000.00 CNY", story=11)
    for due in loan.due_dates:
        await office.calendar.on(due)
        await office.collect(loan)


async def what_it_really_costs(office: Office) -> None:
    """13: 等本等息 at "9.6 %" costs 17.27 % a year, and the cost sheet says so."""
    await office.calendar.on(office.opened + timedelta(days=17))
    customer = await office.welcome(office.registry.individual())
    flat = Ask("DBDX", "50000.00", 12, "0.096", "EQUAL_PRINCIPAL_EQUAL_INTEREST", "CREDIT", EQUIPMENT)
    pay_out = await office.sign(customer, flat)
    true = f"{Decimal(pay_out.cost['aprNominal']) * 100:.2f} %"
    office.tell(f"{customer.name} is offered 等本等息 at 9.60 %; the cost sheet to be signed says {true} a year", 13)
    loan = await office.pay(pay_out)
    for due in loan.due_dates:
        await office.calendar.on(due)
        await office.collect(loan)


async def dear_product(office: Office) -> None:
    """A product that could cost more than the law allows cannot be saved (银发〔2025〕247号)."""
    terms = {**CREDIT_LOAN.terms, "maxRate": "0.289"}
    refused = await (await office.by("admin")).refusal("createLoanProduct", code="TOODEAR", name="快钱", **terms)
    tell_refusal(office, "the administrator tries to offer a product at up to 28.9 %", refused)


async def stranger(office: Office) -> None:
    """The same Wang Fang borrows here, too: neither lender sees anything of the other."""
    await office.calendar.on(office.opened + timedelta(days=14))
    loan = await office.lend(
        await office.welcome(WANG_FANG),
        Ask("XFFQ", "12000.00", 12, "0.119", "EQUAL_INSTALLMENT", "CREDIT", ("CONSUMPTION", "家庭装修")),
    )
    office.tell(f"{loan.number}: 王芳 borrows here as well; this lender sees nothing of jinjiang's loan to her")
    for due in loan.due_dates:
        await office.calendar.on(due)
        await office.collect(loan)


def tell_refusal(office: Office, attempt: str, refused: Refused, story: int | None = None) -> None:
    figures = ", ".join(f"{name} {value}" for name, value in refused.params.items())
    office.tell(f"{attempt}: [red]{refused.code}[/] {refused.message}{f' ({figures})' if figures else ''}", story)
