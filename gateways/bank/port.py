"""What Xiaodai needs of a bank: pay an order, and ask what became of it.

Money never leaves twice: an order carries our own reference, a bank takes each reference once, and after an answer that
did not arrive (`BankUnavailable`) the caller asks before paying again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class PaymentStatus(StrEnum):
    """What a bank says of an order."""

    PROCESSING = "PROCESSING"
    PAID = "PAID"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """One payment to make. `reference` is ours and unique for ever; `amount` is CNY with two places."""

    reference: str
    amount: Decimal
    payer_account: str
    payee_name: str
    payee_account: str
    payee_bank: str
    purpose: str
    value_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentResult:
    """What the bank knows of an order: its own reference once paid, the reason once failed (for people)."""

    reference: str
    status: PaymentStatus
    bank_reference: str | None = None
    reason: str | None = None


class BankUnavailable(Exception):
    """The bank did not answer, or not intelligibly: whether it took the order is unknown. Query before paying again."""


class BankRefused(Exception):
    """The bank refused the call itself (signature, malformed order, same reference with other figures): nothing was taken."""


class Bank(Protocol):
    """A bank link."""

    async def pay(self, order: PaymentOrder) -> PaymentResult:
        """Hands an order over; the same reference again answers what became of it. Raises BankUnavailable, BankRefused."""

    async def query(self, reference: str) -> PaymentResult | None:
        """What became of an order; None when the bank never got it. Raises BankUnavailable."""
