"""What the stories of single customers have in common: months that pass, books that are looked at, sums worked out apart.

Every sum is computed here from the contract's own figures by the formulas of the textbook, so that a figure of the API is
compared with another way to it. Yuan as Decimal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.acceptance.journey import Journey
from tests.support.customers import credit_code

PAID_OUT = date(2026, 1, 15)
"""The day on which the lender opens and the stories begin."""
OVER_TERM = Decimal("1.5")
"""Overdue money costs one and a half times the contract's rate (银发〔2003〕251号)."""
NOTHING = Decimal("0.00")
QUOTE = """query($id: ID!, $on: Date!) { loan(id: $id) { payoffQuote(on: $on) { principal interest penalty compound fee total
  unapplied toPay explain(figure: TOTAL) { amount formula } } } }"""


def cents(amount: Decimal) -> Decimal:
    """Half up to the cent."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def level_payment(principal: Decimal, period_rate: Decimal, periods: int) -> Decimal:
    """等额本息 · What is paid each period: P·r / (1 − (1 + r)⁻ⁿ)."""
    return cents(principal * period_rate / (1 - (1 + period_rate) ** -periods))


def level_rows(principal: Decimal, period_rate: Decimal, periods: int) -> list[tuple[Decimal, Decimal]]:
    """Principal and interest of each period of a level payment; the last one takes what is left."""
    payment, left, rows = level_payment(principal, period_rate, periods), principal, []
    for period in range(1, periods + 1):
        interest = cents(left * period_rate)
        part = left if period == periods else payment - interest
        rows.append((part, interest))
        left -= part
    return rows


def overdue_on(base: Decimal, annual_rate: str, days: int) -> Decimal:
    """罚息、复利 · What overdue principal or interest costs in that many days."""
    return cents(base * Decimal(annual_rate) * OVER_TERM * days / 360)


def months_on(day: date, months: int) -> date:
    """The same day of a later month; for days that every month has."""
    month = day.month - 1 + months
    return day.replace(year=day.year + month // 12, month=month % 12 + 1)


async def night_before(journey: Journey, day: date) -> None:
    """Closes every day before `day`, which is the open one then; the books balanced at each close."""
    closed = await journey.close(day - timedelta(days=1))
    assert closed["businessDate"] == str(day)
    assert all(one["ledgerBalanced"] for one in closed["days"])


async def pays(journey: Journey, loan: str, amount: Decimal, on: date, **given: Any) -> Any:
    """The borrower's money on its day: every day before it closed, keyed by the cashier, posted by the accountant."""
    await night_before(journey, on)
    return await journey.received(loan, f"{amount:.2f}", on, **given)


async def books(journey: Journey, on: date | None = None) -> dict[str, Decimal]:
    """Debit less credit by the first four digits of the account, which name it (domain: 5); empty ones left out."""
    data = await journey.by("accountant").data(
        "query($on: Date) { trialBalance(on: $on) { account debit credit } }", on=str(on) if on else None
    )
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in data["trialBalance"]:
        sums[line["account"][:4]] += Decimal(line["debit"]) - Decimal(line["credit"])
    assert sum(sums.values()) == 0
    return {account: amount for account, amount in sums.items() if amount}


async def proved(journey: Journey, through: date) -> None:
    """Closes the days through this one; all proofs of it hold."""
    await night_before(journey, through + timedelta(days=1))
    data = await journey.by("auditor").data(
        "query($on: Date) { proofs(on: $on) { proof holds differenceCount } }", on=str(through)
    )
    assert len(data["proofs"]) >= 10
    assert [proof for proof in data["proofs"] if not proof["holds"] or proof["differenceCount"]] == []


async def quoted(journey: Journey, loan: str, on: date) -> dict[str, Decimal]:
    """结清试算 · The price of settling on a day; what explains its total adds up to it."""
    quote = (await journey.by("account_manager").data(QUOTE, id=loan, on=str(on)))["loan"]["payoffQuote"]
    parts = quote.pop("explain")
    assert all(part["formula"] for part in parts)
    figures = {name: Decimal(amount) for name, amount in quote.items()}
    assert sum(Decimal(part["amount"]) for part in parts) == figures["total"]
    return figures


async def explained(journey: Journey, loan: str, figure: str, on: date | None = None) -> list[Any]:
    """数字由来 · The parts of a figure of the position, as the auditor reads them."""
    data = await journey.by("auditor").data(
        """query($id: ID!, $figure: LoanFigure!, $on: Date) { loan(id: $id) { position(on: $on) { explain(figure: $figure) {
           amount formula installmentSeq event { type } } } } }""",
        id=loan,
        figure=figure,
        on=str(on) if on else None,
    )
    parts: list[Any] = data["loan"]["position"]["explain"]
    assert all(part["formula"] for part in parts)
    return parts


async def standing(journey: Journey, loan: str) -> tuple[str, str | None]:
    """State of the loan and the day on which it was settled."""
    data = await journey.by("auditor").data("query($id: ID!) { loan(id: $id) { state settledOn } }", id=loan)
    return data["loan"]["state"], data["loan"]["settledOn"]


def amounts(position: Any, *names: str) -> tuple[Decimal, ...]:
    """Fields of a position or an installment as numbers."""
    return tuple(Decimal(position[name]) for name in names)


def lines_of(receipt: Any) -> list[tuple[int | None, str, Decimal]]:
    """How a receipt was used: installment, component, amount."""
    return [(line["installmentSeq"], line["component"], Decimal(line["amount"])) for line in receipt["allocation"]]


def total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, NOTHING)


async def a_company(journey: Journey, name: str) -> str:
    """A new enterprise customer; its id."""
    serial = next(journey.serials)
    made = await journey.act(
        "account_manager", "createEnterpriseCustomer", "customer { id }", name=name, uscc=credit_code(serial),
        legalRepresentative="孙法人", mobile=f"1390000{serial:04d}", regionCode="999999",
    )  # fmt: skip
    return str(made["id"])


async def to_be_paid(journey: Journey, customer: str, **terms: Any) -> str:
    """Approved, signed and reviewed: a pay-out that only wants the cashier."""
    contract = await journey.signed(await journey.approved(customer, **terms))
    disbursement = str(contract["disbursements"][0]["id"])
    await journey.act("accountant", "reviewDisbursement", "disbursement { state }", disbursementId=disbursement)
    return disbursement


async def paid_out(journey: Journey, disbursement: str) -> str:
    """The loan of a pay-out that the bank has carried out."""
    await journey.work()
    data = await journey.by("cashier").data(
        "query($id: ID!) { node(id: $id) { ... on Disbursement { state loan { id } } } }", id=disbursement
    )
    assert data["node"]["state"] == "PAID", data
    return str(data["node"]["loan"]["id"])
