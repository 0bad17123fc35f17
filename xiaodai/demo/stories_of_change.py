"""Stories in which what was agreed changes, or money goes another way than planned; numbered as in the demo plan (docs/tour.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from xiaodai.demo import operations
from xiaodai.demo.calendar import Story
from xiaodai.demo.lenders import CREDIT_LOAN, EQUIPMENT, GUARANTEED_LOAN, MORTGAGE_LOAN, REVOLVING_LINE, WORKING_CAPITAL
from xiaodai.demo.office import Ask, Customer, Loan, Office
from xiaodai.demo.stories import tell_refusal

CREDIT = Ask(CREDIT_LOAN.code, "80000.00", 12, "0.144", "EQUAL_INSTALLMENT", "CREDIT", WORKING_CAPITAL)
LOST_AFTER = timedelta(days=361)
"""From here on a loan is of the class LOSS (domain of 2023 No. 1: > 360 days past due)."""


def stories_of_change(office: Office, *, full: bool) -> Iterator[Story]:
    """The stories that happen at this lender; two of them take more than a year."""
    if office.plan.code != "jinjiang":
        return
    yield extension(office)
    yield group(office)
    yield paid_twice(office)
    yield cheaper(office)
    yield revolving(office)
    if full:
        yield auction(office)
        yield written_off(office)


async def amend(office: Office, loan: Loan, **change: Any) -> dict[str, Any]:
    """合同变更 · The account manager asks, risk and business manager decide. Answers the amendment as it was asked for."""
    team = loan.customer.team
    asked = (await (await office.by(team.manager)).mutate("requestAmendment", loanId=loan.id, **change))["amendment"]
    await office.decide(asked["workflow"]["openTasks"][0]["id"], ("risk", team.business, "gm"))
    return dict(asked)


async def extension(office: Office) -> None:
    """2: 蜀味食品 cannot repay 2 million at the maturity: three months more, and the guarantor signs again."""
    await office.calendar.on(office.opened + timedelta(days=1))
    customer = await office.welcome(office.registry.enterprise("蜀味食品有限公司"))
    ask = Ask(GUARANTEED_LOAN.code, "2000000.00", 6, "0.12", "INTEREST_ONLY", "GUARANTEE", WORKING_CAPITAL)
    loan = await office.lend(customer, ask)
    office.tell(f"{loan.number}: 蜀味食品 gets 2000000.00 CNY, interest only, with a guarantor", 2)
    for due in loan.due_dates[:-1]:
        await office.calendar.on(due)
        await office.collect(loan)
    await office.calendar.on(loan.due_dates[-1] - timedelta(days=14))
    change = {"type": "EXTENSION", "extensionPeriods": 3, "annualRate": "0.132", "reason": "货款回笼推迟"}
    manager = await office.by(customer.team.manager)
    refused = await manager.refusal("requestAmendment", loanId=loan.id, **change)
    tell_refusal(office, f"{loan.number}: an extension is asked for without the guarantor", refused, 2)
    consent = [{"name": "蜀川供应链有限公司", "documentNumber": "BZ-2026-0002"}]
    made = await amend(office, loan, **change, guarantorConsents=consent)
    office.tell(
        f"{loan.number}: {made['number']}, the guarantor signs: 3 months more at 13.2 %, due {made['after']['maturityDate']}, "
        f"interest in all {made['before']['totalInterest']} → {made['after']['totalInterest']}",
        2,
    )


async def group(office: Office) -> None:
    """7: Three companies, one controller: once together they reach 15 % of the net assets, the next application is refused."""
    await office.calendar.on(office.opened + timedelta(days=30))
    team = next(office.teams)
    controller = office.registry.individual()
    manager = await office.by(team.manager)
    ask = Ask(MORTGAGE_LOAN.code, "10000000.00", 12, "0.108", "INTEREST_ONLY", "MORTGAGE", EQUIPMENT)
    for number, name in enumerate(("锦诚实业有限公司", "锦诚商贸有限公司", "锦诚物流有限公司"), 1):
        customer = await office.welcome(office.registry.enterprise(name), team)
        await manager.mutate(
            "addRelatedParty", customerId=customer.id, relation="CONTROLLER", name=controller.name,
            idNumber=controller.id_number, share="0.6",
        )  # fmt: skip
        if number < 3:
            await office.submit(customer, ask)
            office.tell(f"{name} applies for {ask.amount} CNY; {controller.name} controls it", 7)
        else:
            await office.submit(customer, ask)
            draft = await office.draft(customer, ask)
            refused = await manager.refusal("submitLoanApplication", applicationId=draft)
            tell_refusal(office, f"{name} applies once more for {ask.amount} CNY", refused, 7)


async def paid_twice(office: Office) -> None:
    """9: 5,000 come in a second time by mistake, and go back to who sent them."""
    await office.calendar.on(office.opened + timedelta(days=24))
    customer = await office.welcome(office.registry.individual())
    loan = await office.lend(customer, CREDIT)
    await office.calendar.on(loan.due_dates[0])
    await office.collect(loan)
    receipt = await office.receive(loan, "5000.00")
    office.tell(f"{loan.number}: {customer.name} pays 5000.00 CNY too much; {receipt['unapplied']} is kept", 9)
    await office.calendar.on(loan.due_dates[0] + timedelta(days=2))
    cashier = await office.by("cashier")
    tell_refusal(
        office,
        f"{loan.number}: the cashier asks for 5000.01 back",
        await cashier.refusal("requestRefund", receiptId=receipt["id"], amount="5000.01", reason="DOUBLE_PAYMENT"),
        9,
    )
    asked = await cashier.mutate("requestRefund", receiptId=receipt["id"], amount="5000.00", reason="DOUBLE_PAYMENT")
    refund = asked["refund"]
    await office.decide(refund["workflow"]["openTasks"][0]["id"], (customer.team.business, "gm"))
    await cashier.mutate(
        "payRefund", refundId=refund["id"], companyAccountId=office.account_id, idempotencyKey=f"refund {refund['id']}"
    )
    state = await office.until_paid(operations.REFUND, refund["id"])
    office.tell(f"{loan.number}: {refund['number']} of 5000.00 CNY goes back to {customer.name}: {state['state']}", 9)
    for due in loan.due_dates[1:]:
        await office.calendar.on(due)
        await office.collect(loan)


async def cheaper(office: Office) -> None:
    """12: A customer of grade A pays 10.8 % instead of 12 % from the third month on."""
    await office.calendar.on(office.opened + timedelta(days=9))
    customer = await office.welcome(office.registry.enterprise("西岭茶业有限公司"))
    ask = Ask(MORTGAGE_LOAN.code, "600000.00", 12, "0.12", "EQUAL_INSTALLMENT", "MORTGAGE", EQUIPMENT)
    loan = await office.lend(customer, ask)
    for due in loan.due_dates[:2]:
        await office.calendar.on(due)
        await office.collect(loan)
    made = await amend(office, loan, type="RATE", annualRate="0.108", reason="客户等级 A 级优惠")
    office.tell(
        f"{loan.number}: {made['number']}, {customer.name} pays 10.8 % instead of 12 %: interest in all "
        f"{made['before']['totalInterest']} → {made['after']['totalInterest']}; the old plan stays readable",
        12,
    )
    for due in loan.due_dates[2:]:
        await office.calendar.on(due)
        await office.collect(loan)


async def revolving(office: Office) -> None:
    """14: A line of 500,000 is drawn, repaid and drawn again; what is free is told each time."""
    await office.calendar.on(office.opened + timedelta(days=16))
    customer = await office.welcome(office.registry.enterprise("白鹭印务有限公司"))
    facility = await line_of_credit(office, customer, "500000.00")
    first = await draw(office, customer, facility, "300000.00")
    await office.calendar.on(first.due_dates[0])
    await office.collect(first)
    await office.calendar.on(first.due_dates[0] + timedelta(days=8))
    await office.receive(first, "200000.00", mode="REDUCE_INSTALLMENT")
    office.tell(f"{first.number}: 200000.00 CNY are repaid; {await free(office, facility)} can be drawn again", 14)
    manager = await office.by(customer.team.manager)
    refused = await manager.refusal("drawDown", facilityId=facility, amount="400000.01")
    tell_refusal(office, f"{customer.name} asks for 400000.01", refused, 14)
    second = await draw(office, customer, facility, "250000.00")
    for due in sorted({*first.due_dates[1:], *second.due_dates}):
        await office.calendar.on(due)
        for loan in (first, second):
            await office.collect(loan)


async def line_of_credit(office: Office, customer: Customer, limit: str) -> str:
    """授信 · Asked for and granted; answers its id."""
    team, product = customer.team, REVOLVING_LINE
    asked = await (await office.by(team.manager)).mutate(
        "applyCreditFacility", customerId=customer.id, productId=office.products[product.code], limit=limit,
        annualRate=product.offer.rates[0], endsOn=(office.calendar.today + timedelta(days=364)).isoformat(),
        maxPeriods=6, lendingMode=product.offer.mode, purposeCode=WORKING_CAPITAL[0], purpose=WORKING_CAPITAL[1],
    )  # fmt: skip
    facility = asked["facility"]
    await office.decide(facility["workflow"]["openTasks"][0]["id"], ("risk", team.business, "gm"))
    office.tell(f"{facility['number']}: {customer.name} gets a line of {limit} CNY for a year", 14)
    return str(facility["id"])


async def draw(office: Office, customer: Customer, facility: str, amount: str) -> Loan:
    """支用 · A drawdown from the question to the money."""
    manager = await office.by(customer.team.manager)
    asked = (await manager.mutate("drawDown", facilityId=facility, amount=amount, periods=3))["application"]
    await office.decide(asked["workflow"]["openTasks"][0]["id"], (customer.team.business, "gm"))
    loan = await office.pay(await office.contract(customer, asked["id"], amount))
    office.tell(f"{loan.number}: {customer.name} draws {amount} CNY; {await free(office, facility)} is left", 14)
    return loan


async def free(office: Office, facility: str) -> str:
    found = await (await office.by("risk")).ask(operations.FACILITY, id=facility)
    return str(found["creditFacility"]["available"])


async def auction(office: Office) -> None:
    """5: 鸿达建材 pays nothing for 290 days, is doubtful, and its building brings back a part at auction."""
    await office.calendar.on(office.opened + timedelta(days=2))
    customer = await office.welcome(office.registry.enterprise("鸿达建材有限公司"))
    ask = Ask(MORTGAGE_LOAN.code, "1500000.00", 12, "0.12", "INTEREST_ONLY", "MORTGAGE", WORKING_CAPITAL)
    loan = await office.lend(customer, ask)
    await office.calendar.on(loan.due_dates[0] + timedelta(days=290))
    await tell_class(office, loan, 5)
    await office.receive(loan, "900000.00", method="COLLATERAL_PROCEEDS")
    await tell_class(office, loan, 5)


async def written_off(office: Office) -> None:
    """6: 120,000 are lost and written off against the allowance; 20,000 of them come back later."""
    await office.calendar.on(office.opened + timedelta(days=1))
    customer = await office.welcome(office.registry.individual())
    ask = Ask(CREDIT_LOAN.code, "120000.00", 12, "0.144", "EQUAL_INSTALLMENT", "CREDIT", WORKING_CAPITAL)
    loan = await office.lend(customer, ask)
    await office.calendar.on(next_month(loan.due_dates[0] + LOST_AFTER))
    await tell_class(office, loan, 6)
    asked = await (await office.by("postloan")).mutate(
        "requestWriteOff", loanId=loan.id, condition="ENFORCEMENT_ENDED", evidence=["终结执行裁定书", "财产调查报告"],
        responsibility="经认定无责任人",
    )  # fmt: skip
    written = asked["writeOff"]
    await office.decide(written["workflow"]["openTasks"][0]["id"], ("gm", "committee"))
    office.tell(
        f"{loan.number}: {written['number']}, {written['principal']} CNY leave the books and are still claimed", 6
    )
    await office.calendar.on(office.calendar.today + timedelta(days=60))
    receipt = await office.receive(loan, "20000.00")
    lines = ", ".join(f"{line['component']} {line['amount']}" for line in receipt["allocation"])
    office.tell(f"{loan.number}: 20000.00 CNY are recovered: {lines}", 6)


def next_month(day: date) -> date:
    """The third of the month after a day: the provisions of its month are booked by then."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=3)


async def tell_class(office: Office, loan: Loan, story: int) -> None:
    found = (await (await office.by("risk")).ask(operations.POSITION, id=loan.id))["loan"]["position"]
    owed = Decimal(found["principalOutstanding"])
    office.tell(
        f"{loan.number}: {loan.customer.name}, days late: {found['daysPastDue']}, {found['fiveClass']}, principal {owed}, "
        f"provision {found['provision']}",
        story,
    )
