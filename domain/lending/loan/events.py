"""贷款事件 · A stored event as the engine understands it. Money in payloads is text with two places, rates are fractions.

| type | payload |
| --- | --- |
| PAYOUT | amount |
| RECEIPT | amount, bank_reference, prepayment (null, REDUCE_INSTALLMENT, SHORTEN_TERM, SETTLE), receipt_id, asset_id |
| REVERSAL | target_event_id |
| WAIVER | component, installment_seq (null: the due ones), amount, void_unless_paid_by (null), waiver_id |
| FEE | installment_seq, amount |
| AMENDMENT | annual_rate (null), method (null), custom_principal (null: text amounts), because_of_difficulty, amendment_id |
| EXTENSION | as AMENDMENT; due_dates, grace_ends (the last day of grace of each), periods (by which the maturity moves) |
| MISUSE_RATE | multiplier, amount (null: all of the principal), amendment_id |
| ACCELERATION | amendment_id |
| WRITE_OFF | – |
| REFUND | amount, receipt_event_id (null: the oldest money kept) |
A receipt has the `receipt_id` of the money that came in, or the `asset_id` of what was taken over in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from domain.calculation.allocation import Component
from domain.calculation.loan.events import (
    Acceleration,
    Amendment,
    Event,
    Extension,
    Fee,
    MisuseRate,
    PayOut,
    PrepaymentMode,
    Receipt,
    Refund,
    Reversal,
    Waiver,
    WriteOff,
)
from domain.calculation.money import fen
from domain.calculation.schedule import Method
from domain.lending.loan.tables import EventType


def engine_event(row: Any) -> Event | Reversal:
    """The engine's event of a row of `loan_events` (id, type, value_date, payload); ids become text."""
    said: dict[str, Any] = row.payload
    own = {"id": str(row.id), "value_date": row.value_date}
    match EventType(row.type):
        case EventType.PAYOUT:
            return PayOut(**own, amount=fen(said["amount"]))
        case EventType.RECEIPT:
            mode = said.get("prepayment")
            return Receipt(
                **own,
                amount=fen(said["amount"]),
                bank_reference=said.get("bank_reference") or "",
                prepayment=PrepaymentMode(mode) if mode else None,
            )
        case EventType.REVERSAL:
            return Reversal(id=own["id"], target=str(said["target_event_id"]))
        case EventType.WAIVER:
            until = said.get("void_unless_paid_by")
            return Waiver(
                **own,
                component=Component(said["component"]),
                amount=fen(said["amount"]),
                seq=said.get("installment_seq"),
                void_unless_paid_by=date.fromisoformat(until) if until else None,
            )
        case EventType.FEE:
            return Fee(**own, seq=said["installment_seq"], amount=fen(said["amount"]))
        case EventType.AMENDMENT:
            return Amendment(**own, **_new_terms(said))
        case EventType.EXTENSION:
            return Extension(**own, **_new_terms(said), due_dates=tuple(map(date.fromisoformat, said["due_dates"])))
        case EventType.MISUSE_RATE:
            amount = said.get("amount")
            return MisuseRate(**own, multiplier=Fraction(said["multiplier"]), amount=fen(amount) if amount else None)
        case EventType.ACCELERATION:
            return Acceleration(**own)
        case EventType.WRITE_OFF:
            return WriteOff(**own)
        case EventType.REFUND:
            return Refund(**own, amount=fen(said["amount"]), receipt=said.get("receipt_event_id"))


def _new_terms(said: dict[str, Any]) -> dict[str, Any]:
    """What an amendment or an extension changes of the terms; nothing of a term that stays."""
    rate, method, parts = said.get("annual_rate"), said.get("method"), said.get("custom_principal")
    return {
        "annual_rate": Fraction(Decimal(rate)) if rate else None,
        "method": Method(method) if method else None,
        "custom_principal": tuple(map(fen, parts)) if parts else None,
    }


def grace_ends(events: Iterable[Any]) -> dict[date, date]:
    """The last day of grace of each due date that an extension added, as agreed with it."""
    return {
        date.fromisoformat(due): date.fromisoformat(end)
        for row in events
        if row.type == EventType.EXTENSION
        for due, end in zip(row.payload["due_dates"], row.payload["grace_ends"], strict=True)
    }
