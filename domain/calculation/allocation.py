"""还款分配 · Allocation: which receivable takes which part of a receipt (golden cases A01–A17, Civil Code 561)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import product
from typing import TypeVar

Receivable = TypeVar("Receivable")


class Component(StrEnum):
    """应收项目 · What a receivable is made of (the first five of `ReceivableComponent`)."""

    FEE = "FEE"  # 实现债权费用、手续费、违约金
    PENALTY = "PENALTY"  # 罚息
    COMPOUND = "COMPOUND"  # 复利
    INTEREST = "INTEREST"  # 利息
    PRINCIPAL = "PRINCIPAL"  # 本金


class ClaimComponent(StrEnum):
    """已核销债权 · What a written-off loan still owes, in the order it is recovered (A21; the last two of the contract)."""

    WRITTEN_OFF_PRINCIPAL = "WRITTEN_OFF_PRINCIPAL"  # 已核销本金
    OFF_BALANCE_INTEREST = "OFF_BALANCE_INTEREST"  # 表外利息: interest, penalty, compound and fees


class AllocatedComponent(StrEnum):
    """What a line of an allocation may stand for: a component of the loan, or of the claim that is left of it."""

    FEE = "FEE"
    PENALTY = "PENALTY"
    COMPOUND = "COMPOUND"
    INTEREST = "INTEREST"
    PRINCIPAL = "PRINCIPAL"
    WRITTEN_OFF_PRINCIPAL = "WRITTEN_OFF_PRINCIPAL"
    OFF_BALANCE_INTEREST = "OFF_BALANCE_INTEREST"


class Strategy(StrEnum):
    """冲账顺序 · Finish the oldest installment first (横向), or one component of all of them first (纵向)."""

    BY_INSTALLMENT = "BY_INSTALLMENT"
    """横向 All components of the oldest installment first."""
    BY_COMPONENT = "BY_COMPONENT"
    """纵向 One component of all installments first."""


DEFAULT_ORDER = (Component.FEE, Component.PENALTY, Component.COMPOUND, Component.INTEREST, Component.PRINCIPAL)


class InvalidAmount(ValueError):
    """A receipt of nothing or less (A19)."""


def allocate(
    amount: int,
    receivables: Sequence[Receivable],
    outstanding: Callable[[Receivable, Component], int],
    order: Sequence[Component] = DEFAULT_ORDER,
    strategy: Strategy = Strategy.BY_INSTALLMENT,
) -> Iterator[tuple[Receivable, Component, int]]:
    """Yield (receivable, component, fen) until the money or the receivables end; what is not yielded stays unapplied.

    `receivables` are those due, oldest first (by due date, then seq). Each line is at most what is outstanding and
    more than nothing. A receivable is asked for its outstanding amount only when its turn comes, so a small receipt
    on a long list of arrears is cheap; lines may be posted while iterating. Raises InvalidAmount unless amount > 0.
    """
    if amount <= 0:
        raise InvalidAmount(f"{amount} fen cannot be allocated")
    turns: Iterable[tuple[Receivable, Component]] = product(receivables, order)
    if strategy is Strategy.BY_COMPONENT:
        turns = ((receivable, component) for component, receivable in product(order, receivables))
    for receivable, component in turns:
        part = outstanding(receivable, component)
        if part <= 0:
            continue
        if part >= amount:
            yield receivable, component, amount
            return
        amount -= part
        yield receivable, component, part
