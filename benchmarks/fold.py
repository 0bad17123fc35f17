"""折叠测量 · What a fold of a long history costs, and posting a late receipt on such a loan in a real database.

The plain loop beside it walks the same receipts over the same plan, the oldest installment first, interest before principal,
and keeps nothing but what is unpaid: no penalty, no days, no rows. What is above it is the price of everything else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert, select

from benchmarks.lender_of_size import RATE, Lent, lend
from benchmarks.place import Place
from domain.calculation.loan.events import Event, PayOut, Receipt
from domain.calculation.loan.fold import loan
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import fen
from domain.calculation.schedule import Method
from domain.configuration import loan_product
from domain.configuration.loan_product import LendingMode
from domain.kernel.context import Context
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.journal import Entry
from domain.lending import loan as loans
from domain.lending.loan import EventType, LoanEventRow, posting, refold, tax
from domain.lending.loan.refold import Step
from domain.lending.loan.tables import Loan
from domain.lending.loan_contract import LoanContract

SIZES = ((12, 12), (2500, 12), (2500, 120), (2500, 360))
"""Receipts and monthly installments."""
AMOUNT = Decimal("1000000.00")
TIMES = 7
LATE_RECEIPTS = 5


async def measure(place: Place) -> list[dict[str, Any]]:
    """One row a size: milliseconds of CPU of a fold and of the plain loop, and seconds to post a late receipt."""
    ctx = await place.lender("fold")
    lent = await lend(ctx, 1)
    rows = []
    for receipts, periods in SIZES:
        book = await _lend_with(ctx, lent, receipts, periods)
        events = [_event(row) for row in book.events]
        until = book.events[-1].business_date
        folded = _cpu(lambda terms=book.terms, events=events, until=until: loan(terms, events, until))  # type: ignore[misc]
        plain = _cpu(lambda terms=book.terms, events=events: _plain_loop(terms, events))  # type: ignore[misc]
        rows.append(
            {
                "receipts": receipts,
                "installments": periods,
                "fold_ms": round(folded * 1e3, 2),
                "plain_loop_ms": round(plain * 1e3, 2),
                "ratio": round(folded / plain, 1),
                "late_receipt_s": round(await _late_receipt(ctx, lent, book.loan), 3),
            }
        )
    return rows


def _cpu(work: Callable[[], object]) -> float:
    """The least CPU seconds of a few runs: other work on the machine only adds."""
    took = []
    for _ in range(TIMES):
        begun = time.process_time()
        work()
        took.append(time.process_time() - begun)
    return min(took)


def _plain_loop(terms: LoanTerms, events: list[Event]) -> int:
    """What is left unpaid when each receipt goes to the oldest installment that is due."""
    rows = [[row.interest, row.principal] for row in terms.installments]
    due_dates = [row.due_date for row in terms.installments]
    oldest = 0
    for event in events:
        if not isinstance(event, Receipt):
            continue
        left = event.amount
        while left and oldest < len(rows) and due_dates[oldest] <= event.value_date:
            row = rows[oldest]
            for part in (0, 1):
                paid = min(left, row[part])
                row[part] -= paid
                left -= paid
            if not any(row):
                oldest += 1
    return sum(map(sum, rows))


def _event(row: Any) -> Event:
    kind = PayOut if row.type == EventType.PAYOUT else Receipt
    return kind(id=str(row.id), value_date=row.value_date, amount=fen(row.payload["amount"]))


async def _lend_with(ctx: Context, lent: Lent, receipts: int, periods: int) -> refold.Book:
    """A loan paid out long ago with so many receipts since, stored as the engine stores it; its installments fell due all along."""
    rules = loan_product.Terms(
        name="长期样本贷", min_amount=AMOUNT, max_amount=AMOUNT, min_periods=periods, max_periods=periods, min_rate=RATE,
        max_rate=RATE, methods=(Method.EQUAL_INSTALLMENT,), lending_modes=(LendingMode.CREDIT,),
    )  # fmt: skip
    product = await loan_product.create(ctx, code=f"FOLD{receipts}X{periods}", terms=rules)
    async with ctx.writing() as inner:
        signed = (await inner.connection.execute(select(LoanContract.__table__).limit(1))).one()
        contract = SimpleNamespace(
            **signed._asdict() | {"product_id": product.id, "periods": periods, "amount": AMOUNT}
        )
        years, months = divmod(periods, 12)
        opened = date(inner.today.year - years, inner.today.month - months, inner.today.day)
        made = await loans.open_loan(
            inner, contract=contract, disbursement_id=uuid7(), principal=AMOUNT, value_date=opened,
            company_account_id=lent.company_account_id,
        )  # fmt: skip
        (book,) = await refold.books(inner, [made])
        before = book.fold(inner.today)
        due = sum(row.principal + row.interest for row in book.terms.installments)
        rows = _receipts(inner, lent, made, receipts, Decimal(due * 85 // 100 // receipts) / 100)
        await inner.connection.execute(insert(LoanEventRow), rows)
        (book,) = await refold.books(inner, [made])
        after = book.fold(inner.today)
        await refold.write(inner, [Step(made, before, after, rows[-1]["id"])])
        vat = (await tax.rules(inner)).of(made)
        moved = posting.change(posting.ledger(before, inner.today, vat), posting.ledger(after, inner.today, vat))
        lines = posting.lines(moved, loan_id=made.id, company_account_id=lent.company_account_id)
        await journal.post(inner, Entry(kind="TAKEN_OVER", reference=made, lines=lines, summary="迁入贷款"))
        return book


def _receipts(ctx: Context, lent: Lent, made: Loan, count: int, amount: Decimal) -> list[dict[str, Any]]:
    span = (ctx.today - made.value_date).days
    return [
        {
            "id": uuid7(), "created_at": ctx.now, "loan_id": made.id, "sequence": number + 2, "type": EventType.RECEIPT,
            "value_date": made.value_date + timedelta(days=1 + (span - 1) * number // count), "business_date": ctx.today,
            "payload": {"amount": str(amount)}, "company_account_id": lent.company_account_id,
            "reference_table": "loans", "reference_id": made.id, "actor_id": ctx.actor.id,
        }
        for number in range(count)
    ]  # fmt: skip


async def _late_receipt(ctx: Context, lent: Lent, made: Loan) -> float:
    """Seconds from the beginning of the transaction to its commit, the middle of a few: a receipt of half the way back."""
    took = []
    for number in range(LATE_RECEIPTS):
        begun = time.perf_counter()
        async with ctx.writing() as inner:
            held = await loans.lock(inner, made.id)
            half = held.value_date + (inner.today - held.value_date) // 2 + timedelta(days=number)
            await loans.record(
                inner, held, type=EventType.RECEIPT, value_date=half, payload={"amount": Decimal("500.00")},
                company_account_id=lent.company_account_id, reference=held,
            )  # fmt: skip
        took.append(time.perf_counter() - begun)
    return median(took)
