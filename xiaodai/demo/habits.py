"""Ordinary customers: who borrows what on which day, and how they pay. Drawn from a seeded generator, never by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from xiaodai.demo.calendar import Story
from xiaodai.demo.lenders import Habits, Offer, Product
from xiaodai.demo.office import Ask, Customer, Office
from xiaodai.demo.people import Party

# Pay-outs happen on these days of a month, as where customers come on market days; instalments then fall due together.
COUNTER_DAYS = (4, 11, 18, 25)


@dataclass(frozen=True)
class Habit:
    """还款习惯 · Pays `days_late` after each due day; from instalment `stops_after` on not at all."""

    days_late: int = 0
    stops_after: int | None = None


def ordinary_stories(office: Office, until: date) -> Iterator[Story]:
    """One story for each ordinary customer, and for each further loan of one who comes back."""
    size = office.size
    draw = random.Random(f"habits of {office.plan.code}" + (f" {size.seed}" if size.seed else ""))
    days = list(counter_days(office.opened, until - timedelta(days=45)))
    returning: dict[int, Customer] = {}
    for number in range(size.loans):
        product = size.products[number % len(size.products)]
        day = days[int((number / size.loans) ** size.pace * len(days))]
        paying, wanted = habit(draw, size.habits), ask(draw, product)
        yield borrow(office, returning, number % size.customers, product, day, paying, wanted)
    for number in range(size.loans, size.customers):
        product = size.products[number % len(size.products)]
        yield only_come(office, product, days[(number - size.loans) * len(days) // (size.customers - size.loans)])


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


def habit(draw: random.Random, habits: Habits) -> Habit:
    """Most pay in time."""
    share = draw.randrange(100)
    if share < habits.punctual:
        return Habit()
    if share < habits.punctual + habits.late:
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
