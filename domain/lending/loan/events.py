"""贷款事件 · A stored event as the engine understands it. Money in payloads is text with two places, rates are fractions.

| type | payload |
| --- | --- |
| PAYOUT | amount |
| RECEIPT | amount, bank_reference, prepayment (null, REDUCE_INSTALLMENT, SHORTEN_TERM, SETTLE), receipt_id |
| REVERSAL | target_event_id |
| WAIVER | component, installment_seq (null: the due ones), amount, void_unless_paid_by (null), waiver_id |
| FEE | installment_seq, amount |
| AMENDMENT | annual_rate (null), method (null) |
| ACCELERATION | – |
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from domain.calculation.allocation import Component
from domain.calculation.loan.events import (
    Acceleration,
    Amendment,
    Event,
    Fee,
    PayOut,
    PrepaymentMode,
    Receipt,
    Reversal,
    Waiver,
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
            rate, method = said.get("annual_rate"), said.get("method")
            return Amendment(
                **own,
                annual_rate=Fraction(Decimal(rate)) if rate else None,
                method=Method(method) if method else None,
            )
        case EventType.ACCELERATION:
            return Acceleration(**own)
