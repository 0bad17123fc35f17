"""15: Applications that wait, at the first lender one in every state, so that each work list has something to do."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta

from xiaodai.cli.output import Problem
from xiaodai.demo import operations
from xiaodai.demo.calendar import Story
from xiaodai.demo.habits import ask, party
from xiaodai.demo.lenders import Product
from xiaodai.demo.office import Ask, Customer, Office

Step = Callable[[Office, Customer, Ask], Awaitable[str]]
"""Brings an application somewhere and answers its id."""

VALID_DAYS = 90  # of an approval, as a fresh lender has it


async def reviewing(office: Office, customer: Customer, wish: Ask) -> str:
    application, _ = await office.survey(customer, wish)
    return application


async def approving(office: Office, customer: Customer, wish: Ask) -> str:
    application, task = await office.survey(customer, wish)
    await office.decide(task, ("risk",))
    return application


async def returned(office: Office, customer: Customer, wish: Ask) -> str:
    application, task = await office.survey(customer, wish)
    await office.decide(task, ("risk",), "RETURN")
    return application


async def rejected(office: Office, customer: Customer, wish: Ask) -> str:
    application, task = await office.survey(customer, wish)
    await office.decide(task, ("risk",), "REJECT")
    return application


async def withdrawn(office: Office, customer: Customer, wish: Ask) -> str:
    application = await office.submit(customer, wish)
    manager = await office.by(customer.team.manager)
    await manager.mutate("withdrawLoanApplication", applicationId=application, comment="客户改变计划")
    return application


async def expired(office: Office, customer: Customer, wish: Ask) -> str:
    """Approved, and nobody comes to sign."""
    application = await office.approve(customer, wish)
    await office.calendar.on(office.calendar.today + timedelta(days=VALID_DAYS + 1))
    return application


STEPS: dict[str, Step] = {
    "DRAFT": Office.draft,
    "SUBMITTED": Office.submit,
    "ASSIGNED": Office.assign,
    "INVESTIGATING": Office.accept,
    "REVIEWING": reviewing,
    "APPROVING": approving,
    "APPROVED": Office.approve,
    "REJECTED": rejected,
    "RETURNED": returned,
    "WITHDRAWN": withdrawn,
    "EXPIRED": expired,
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
    application = await STEPS[state](office, customer, wish)
    manager = await office.by(customer.team.manager)
    found = (await manager.ask(operations.APPLICATION, id=application))["node"]["state"]
    if found != state:
        raise Problem(f"{office.code}: an application should be {state} and is {found}.")
    office.tell(f"{customer.name} wants {wish.amount} CNY ({product.name}): the application is {state}", story=15)
