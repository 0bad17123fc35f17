"""15: Applications that wait, at the first lender one in every state, so that each work list has something to do."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta

from xiaodai.demo.calendar import Story
from xiaodai.demo.habits import ask, party
from xiaodai.demo.lenders import Product
from xiaodai.demo.office import Ask, Customer, Office

Step = Callable[[Office, Customer, Ask], Awaitable[object]]

VALID_DAYS = 90  # of an approval, as a fresh lender has it


async def returned(office: Office, customer: Customer, wish: Ask) -> None:
    _, task = await office.survey(customer, wish)
    await office.decide(task, ("risk",), "RETURN")


async def rejected(office: Office, customer: Customer, wish: Ask) -> None:
    _, task = await office.survey(customer, wish)
    await office.decide(task, ("risk",), "REJECT")


async def approving(office: Office, customer: Customer, wish: Ask) -> None:
    _, task = await office.survey(customer, wish)
    await office.decide(task, ("risk",))


async def withdrawn(office: Office, customer: Customer, wish: Ask) -> None:
    application = await office.submit(customer, wish)
    manager = await office.by(customer.team.manager)
    await manager.mutate("withdrawLoanApplication", applicationId=application, comment="客户改变计划")


STEPS: dict[str, Step] = {
    "DRAFT": Office.draft,
    "SUBMITTED": Office.submit,
    "ASSIGNED": Office.assign,
    "INVESTIGATING": Office.accept,
    "REVIEWING": Office.survey,
    "APPROVING": approving,
    "APPROVED": Office.approve,
    "REJECTED": rejected,
    "RETURNED": returned,
    "WITHDRAWN": withdrawn,
    "EXPIRED": Office.approve,
}


def work_lists(office: Office, until: date) -> Iterator[Story]:
    """One story for each state. What is to have expired by the end is approved early enough."""
    draw = random.Random(f"work lists of {office.plan.code}")
    last = until - timedelta(days=1)
    early = last - timedelta(days=VALID_DAYS + 7)
    for number, state in enumerate(office.plan.waiting):
        product = office.plan.products[number % len(office.plan.products)]
        day = early if state == "EXPIRED" else last
        yield _come(office, product, ask(draw, product), day, state)


async def _come(office: Office, product: Product, wish: Ask, day: date, state: str) -> None:
    await office.calendar.on(day)
    customer = await office.welcome(party(office, product.offer))
    await STEPS[state](office, customer, wish)
    office.tell(f"{customer.name} wants {wish.amount} CNY ({product.name}): the application is {state}", story=15)
