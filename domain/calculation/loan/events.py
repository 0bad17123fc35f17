"""贷款事件 · What can happen to a loan. The fold sorts events by (value date, rank, bank reference, id)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from fractions import Fraction

from domain.calculation.allocation import Component, InvalidAmount
from domain.calculation.schedule import Method


class Rank(IntEnum):
    """The order of the events of one day. Kept money is applied before the first RECEIPT."""

    PAY_OUT = 1
    AMENDMENT = 2
    ACCELERATION = 3
    FEE = 4
    WAIVER = 5
    RECEIPT = 6
    PREPAYMENT = 7
    WRITE_OFF = 8
    REFUND = 9


class PrepaymentMode(StrEnum):
    """提前还款方式 · Fewer yuan a period (减额), fewer periods (缩期), or all at once (结清)."""

    REDUCE_INSTALLMENT = "REDUCE_INSTALLMENT"
    """减额 The periods stay, each costs less."""
    SHORTEN_TERM = "SHORTEN_TERM"
    """缩期 The installment stays, fewer periods."""
    SETTLE = "SETTLE"
    """结清 All at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Money is in fen and above zero; ids are unique within the loan."""

    id: str
    value_date: date

    @property
    def rank(self) -> Rank:
        raise NotImplementedError

    @property
    def sort_key(self) -> tuple[date, int, str, str]:
        return self.value_date, self.rank, "", self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOut(Event):
    """放款 · The first one starts the loan on the value date of its plan; a further one raises principal and plan."""

    amount: int

    @property
    def rank(self) -> Rank:
        return Rank.PAY_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment(Event):
    """合同变更 · A new rate, a new method or both, from its date: a new plan over the remaining due dates (S32, S37).

    `custom_principal` gives the parts of the remaining installments where the new method is CUSTOM.
    """

    annual_rate: Fraction | None = None
    method: Method | None = None
    custom_principal: tuple[int, ...] | None = None

    @property
    def rank(self) -> Rank:
        return Rank.AMENDMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Event):
    """展期 · What is due at the maturity gets later dates; agreed on the maturity date at the latest (S36).

    `due_dates` are the added ones. Rate and method, where they change, hold from the old maturity on.
    """

    due_dates: tuple[date, ...]
    annual_rate: Fraction | None = None
    method: Method | None = None
    custom_principal: tuple[int, ...] | None = None

    @property
    def rank(self) -> Rank:
        return Rank.AMENDMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration(Event):
    """提前到期 · Running interest and all principal fall due at once, in one installment."""

    @property
    def rank(self) -> Rank:
        return Rank.ACCELERATION


@dataclass(frozen=True, slots=True, kw_only=True)
class MisuseRate(Event):
    """挪用罚息 · From its date misused principal bears `multiplier` x the contract rate, until it is repaid.

    Overdue, it bears the heavier of this and the penalty rate, never both (银发〔2003〕251号: at most + 100 %). The
    misused part is thought to be the last to fall due; None means all. A later one takes its place, 1 ends it.
    """

    multiplier: Fraction
    amount: int | None = None

    @property
    def rank(self) -> Rank:
        return Rank.AMENDMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee(Event):
    """费用 · A charge borne by an installment: collected when that is due, at once where it is due already."""

    seq: int
    amount: int

    @property
    def rank(self) -> Rank:
        return Rank.FEE


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver(Event):
    """减免 · Fee, penalty, compound or interest given up, at most what is outstanding on its date (S40).

    Without `seq` it goes to the due installments, oldest first. A conditional one (`void_unless_paid_by`) lapses on
    the day after that date if anything was still due at its close.
    """

    component: Component
    amount: int
    seq: int | None = None
    void_unless_paid_by: date | None = None

    @property
    def rank(self) -> Rank:
        return Rank.WAIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Event):
    """还款 · Money received: what is due takes it, the rest is prepaid where asked for, else kept (暂收)."""

    amount: int
    bank_reference: str = ""
    prepayment: PrepaymentMode | None = None

    @property
    def rank(self) -> Rank:
        return Rank.RECEIPT if self.prepayment is None else Rank.PREPAYMENT

    @property
    def sort_key(self) -> tuple[date, int, str, str]:
        return self.value_date, self.rank, self.bank_reference, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff(Event):
    """核销 · All falls due, kept money takes its share, the rest leaves the books. Receipts after it are recoveries."""

    @property
    def rank(self) -> Rank:
        return Rank.WRITE_OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(Event):
    """退款 · Kept money goes back: that of one receipt, or the oldest. The fold refuses more than is kept that day."""

    amount: int
    receipt: str | None = None

    @property
    def rank(self) -> Rank:
        return Rank.REFUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """冲正 · Its target, any event or another reversal, never happened. Any receipt may be reversed, not only the last.

    It has no value date: the target is gone from its own. A reversed reversal brings the target back.
    """

    id: str
    target: str


def happened(events: Iterable[Event | Reversal]) -> list[Event]:
    """The events no reversal has undone, in the order in which they take effect.

    Raises InvalidAmount for an amount of nothing or less, ValueError where an id comes twice, a target is unknown or a
    reversal ends up undoing itself.
    """
    by_id: dict[str, Event | Reversal] = {}
    undone_by: dict[str, list[str]] = {}
    for event in events:
        if event.id in by_id:
            raise ValueError(f"event {event.id} comes twice")
        amount = getattr(event, "amount", None)
        if amount is not None and amount <= 0:
            raise InvalidAmount(f"event {event.id} of {amount} fen")
        by_id[event.id] = event
        if isinstance(event, Reversal):
            undone_by.setdefault(event.target, []).append(event.id)
    if unknown := undone_by.keys() - by_id.keys():
        raise ValueError(f"reversal of unknown events: {sorted(unknown)}")

    def stands(event_id: str, path: tuple[str, ...] = ()) -> bool:
        if event_id in path:
            raise ValueError(f"reversal {event_id} undoes itself")
        return not any(stands(reversal, (*path, event_id)) for reversal in undone_by.get(event_id, ()))

    left = [entry for entry in by_id.values() if entry.id not in undone_by or stands(entry.id)]
    standing = [entry for entry in left if isinstance(entry, Event)]
    return sorted(standing, key=lambda event: event.sort_key)
