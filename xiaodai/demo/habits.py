"""Ordinary customers: who borrows what on which day, and how they pay. Drawn from a seeded generator, never by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from xiaodai.demo.calendar import Story
from xiaodai.demo.lenders import Offer, Product
from xiaodai.demo.office import Ask, Customer, Office
from xiaodai.demo.people import Party

# Pay-outs happen on these days of a month, as where customers come on market days; instalments then fall due together.
COUNTER_DAYS = (4, 11, 18, 25)
# How many of a hundred customers pay in time, some days late, or stop paying after a while.
PUNCTUAL, LATE = 84, 10


@dataclass(frozen=True)
class Habit:
    """还款习惯 · Pays `days_late` after each due day; from instalment `stops_after` on not at all."""

    days_late: int = 0
    stops_after: int | None = None


def ordinary_stories(office: Office, until: date, full: bool) -> Iterator[Story]:
    """One story for each ordinary customer, and for each further loan of one who comes back."""
    plan = office.plan
    loans, customers = plan.loans[full], plan.customers[full]
    draw = random.Random(f"habits of {plan.code}")
    days = list(counter_days(office.opened, until - timedelta(days=45)))
    returning: dict[int, Customer] = {}
    for number in range(max(loans, customers)):
        product = plan.products[number % len(plan.products)]
        day = days[number * len(days) // max(loans, customers)]
        if number < loans:
            yield borrow(office, returning, number % customers, product, day, habit(draw), ask(draw, product))
        else:
            yield only_come(office, product, day)


async def borrow(
    office: Office, returning: dict[int, Customer], who: int, product: Product, day: date, habit: Habit, ask: Ask
) -> None:  # fmt: skip
    """A customer comes, borrows and pays as is the habit."""
    await office.calendar.on(day)
    customer = returning.get(who) or await office.welcome(party(office, product.offer))
    returning[who] = customer
    loan = await office.lend(customer, ask)
    office.tell(f"{loan.number}: {customer.name} gets {ask.amount} CNY for {ask.periods} months at {ask.rate}")
    for due in loan.due_dates[: habit.stops_after]:
        await office.calendar.on(due + timedelta(days=habit.days_late))
        await office.collect(loan)


async def only_come(office: Office, product: Product, day: date) -> None:
    """A customer who is only keyed, for now."""
    await office.calendar.on(day)
    await office.welcome(party(office, product.offer))


def party(office: Office, offer: Offer) -> Party:
    if offer.enterprise:
        return office.registry.enterprise()
    return office.registry.individual(farmer=office.plan.farmers)


def habit(draw: random.Random) -> Habit:
    """Most pay in time."""
    share = draw.randrange(100)
    if share < PUNCTUAL:
        return Habit()
    if share < PUNCTUAL + LATE:
        return Habit(days_late=draw.choice((2, 5, 9)))
    return Habit(stops_after=draw.choice((1, 2)))


def ask(draw: random.Random, product: Product) -> Ask:
    """What a typical customer of this product wants."""
    offer = product.offer
    return Ask(
        product.code, draw.choice(offer.amounts), draw.choice(offer.periods), draw.choice(offer.rates), offer.method,
        offer.mode, offer.purpose,
    )  # fmt: skip


def counter_days(first: date, last: date) -> Iterator[date]:
    """The counter days from one day to another."""
    every = (first + timedelta(days=passed) for passed in range((last - first).days + 1))
    return (day for day in every if day.day in COUNTER_DAYS)
