"""差异 · What a proof finds, and which of several findings is the cause.

One wrong figure shows in many sums. So a finding says what it explains: the other findings that follow from it are left out,
and exactly the proof of the thing that is wrong is red.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class Proof(StrEnum):
    """总分核对 · The proofs, causes before consequences."""

    VOUCHERS = "VOUCHERS"
    """凭证 Every voucher's lines add up to its two totals, which are equal."""
    NUMBERS = "NUMBERS"
    """凭证号 The numbers of a year have no gap."""
    POSITIONS = "POSITIONS"
    """重算 Every stored loan is the fold of its events."""
    BALANCES = "BALANCES"
    """余额 What an account turned over on a day is the sum of its lines."""
    SUB_LEDGER = "SUB_LEDGER"
    """总分 The ledger holds of each loan what its fold says; the sum is the control account."""
    ACCRUALS = "ACCRUALS"
    """计提 The same for what is booked for the loans of a product together: interest, income, tax."""
    SCHEDULES = "SCHEDULES"
    """还款计划 The installments add up to the loan."""
    ALLOCATIONS = "ALLOCATIONS"
    """分配 What receipts paid adds up to what came in."""
    CASH = "CASH"
    """银行存款 The bank accounts moved by what was received, paid out and refunded."""
    PROVISIONS = "PROVISIONS"
    """拨备 What the loans of a run require adds up to what it booked."""
    ENTRUSTED = "ENTRUSTED"
    """委托资金 The money of entrustors is all there."""
    COLLATERAL = "COLLATERAL"
    """押品 The register holds each mortgage that stands, 1441 each asset taken over, and nothing else."""


Key = tuple[str, Any]
"""What a finding is about, or explains: a loan, voucher, event, product, an entrustor's fund or collateral by its id, a turnover
by account and day."""
ENTRUSTED_CASH: Key = ("cash", "entrusted")
"""What the accounts for entrusted money hold, against all that is owed to entrustors."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be: where it is, and the two figures (CNY, or rows)."""

    proof: Proof
    where: str
    expected: Any
    found: Any
    loan_id: UUID | None = None
    about: Key | None = None
    explains: frozenset[Key] = frozenset()

    def __str__(self) -> str:
        return f"{TITLES[self.proof]}: {self.where}: expected {self.expected}, found {self.found}"


TITLES = {
    Proof.VOUCHERS: "凭证 voucher",
    Proof.NUMBERS: "凭证号 number",
    Proof.POSITIONS: "重算 replay",
    Proof.BALANCES: "余额 balance",
    Proof.SUB_LEDGER: "总分 sub-ledger",
    Proof.ACCRUALS: "计提 accrual",
    Proof.SCHEDULES: "还款计划 schedule",
    Proof.ALLOCATIONS: "分配 allocation",
    Proof.CASH: "银行存款 cash",
    Proof.PROVISIONS: "拨备 provision",
    Proof.ENTRUSTED: "委托资金 entrusted money",
    Proof.COLLATERAL: "押品 collateral",
}


def causes(found: Iterable[Difference]) -> list[Difference]:
    """The findings that no finding of an earlier proof explains, in the order of the proofs."""
    order = list(Proof)
    kept: list[Difference] = []
    explained: set[Key] = set()
    for difference in sorted(found, key=lambda one: order.index(one.proof)):
        if difference.about not in explained:
            kept.append(difference)
            explained |= difference.explains
    return kept
