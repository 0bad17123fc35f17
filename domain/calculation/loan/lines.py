"""余额行 · The rows a loan is stored as: positions and overdue lines, each a straight line over a stretch of days.

A row holds the state at the close of its `from_date` and runs on to the day before `to_date`. Money is in integer
fen; an accruing sum is an integer numerator that grows by `step` a day, over a denominator. Nothing is rounded before
a figure is read, so no figure depends on where a line was cut.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.calculation.allocation import ClaimComponent, Component
from domain.calculation.classification import FiveClass
from domain.calculation.money import div_half_up

FOREVER = date.max
made = tuple.__new__
"""`made(Position, (…))`: a named tuple without the function that its class puts in front, for rows made by the thousand."""


class Position(NamedTuple):
    """余额 · One row of a loan. `principal` and `overdue_principal` are outstanding; `due_interest` is due and unpaid.

    `acc_*` is the running interest of the current period. `settled`: nothing is owed in the books and nothing runs, so it was
    repaid, or written off (then the class is LOSS). From `next_action_on` on the row must not be read before
    the loan was folded again: something falls due or changes class on that day. None: nothing ever does.
    """

    from_date: date
    to_date: date
    principal: int
    overdue_principal: int
    due_interest: int
    fee: int
    unapplied: int
    acc_num: int
    acc_step: int
    acc_den: int
    overdue_since: date | None
    five_class: FiveClass
    non_accrual: bool
    settled: bool
    next_action_on: date | None

    def moved_to(self, day: date) -> "Position":
        """The same line, told from a later day on."""
        return self._replace(from_date=day, acc_num=self.acc_num + self.acc_step * (day - self.from_date).days)

    def ended(self, day: date) -> "Position":
        """The same row, valid to the day before `day`."""
        return made(Position, (self[0], day, *self[2:]))

    def runs_through(self, later: "Position") -> bool:
        """Would this row, told from the later one's day on, be the same?"""
        if self[1:7] != later[1:7] or self[8:] != later[8:]:
            return False
        return self.acc_num + self.acc_step * (later.from_date - self.from_date).days == later.acc_num


class OverdueLine(NamedTuple):
    """逾期行 · Penalty and compound of one installment beyond its grace."""

    seq: int
    from_date: date
    to_date: date
    pen_num: int
    pen_step: int
    comp_num: int
    comp_step: int
    den: int

    def moved_to(self, day: date) -> "OverdueLine":
        """The same line, told from a later day on."""
        days = (day - self.from_date).days
        pen_num, comp_num = self.pen_num + self.pen_step * days, self.comp_num + self.comp_step * days
        return self._replace(from_date=day, pen_num=pen_num, comp_num=comp_num)

    def ended(self, day: date) -> "OverdueLine":
        """The same line, valid to the day before `day`."""
        return made(OverdueLine, (self[0], self[1], day, *self[3:]))

    def runs_through(self, later: "OverdueLine") -> bool:
        """Would this line, told from the later one's day on, be the same?"""
        if self.pen_step != later.pen_step or self.comp_step != later.comp_step or self.den != later.den:
            return False
        days = (later.from_date - self.from_date).days
        if self.pen_num + self.pen_step * days != later.pen_num:
            return False
        return self.comp_num + self.comp_step * days == later.comp_num


class MovementKind(StrEnum):
    """What happened to a component. The sign says what it does to the amount outstanding."""

    PAID_OUT = "PAID_OUT"  # 放款 +principal
    RECEIVED = "RECEIVED"  # 收款 +kept money, before it is allocated
    ALLOCATED = "ALLOCATED"  # 冲账 −component, −kept money
    CHARGED = "CHARGED"  # 计费 +fee, from the day it is due
    WAIVED = "WAIVED"  # 减免 −component
    LAPSED = "LAPSED"  # 减免失效 +component
    CATCH_UP = "CATCH_UP"  # 宽限期满补计 +penalty or compound since the due date
    RESTATED = "RESTATED"  # 重算 ±running interest that the line of the day before did not foresee
    REFUNDED = "REFUNDED"  # 退款 −kept money
    WRITTEN_OFF = "WRITTEN_OFF"  # 核销 −component, which is claimed outside the balance from then on
    RECOVERED = "RECOVERED"  # 收回已核销 −kept money, −principal or interest claimed outside the balance
    OFF_BALANCE = "OFF_BALANCE"  # 转表外: all uncollected interest, −on balance
    ON_BALANCE = "ON_BALANCE"  # 转回表内: all uncollected interest, +on balance


class Movement(NamedTuple):
    """流水 · One thing that happened, in fen. `seq` is None for what belongs to no installment (a prepayment)."""

    value_date: date
    seq: int | None
    component: Component | None
    kind: MovementKind
    amount: int
    event: str | None


RECOVERED_OF = {
    Component.PRINCIPAL: ClaimComponent.WRITTEN_OFF_PRINCIPAL,
    Component.INTEREST: ClaimComponent.OFF_BALANCE_INTEREST,
}
"""What of the claim a recovery is of, by the component it is booked as."""


class AllocationLine(NamedTuple):
    """What one receipt paid of one component; `seq` is None for a prepayment, its fee and a recovery."""

    seq: int | None
    component: Component | ClaimComponent
    amount: int


def allocations(movements: Iterable[Movement]) -> Mapping[str, Sequence[AllocationLine]]:
    """冲账明细 · For each receipt, by its id, the lines it paid, in the order in which it paid them."""
    paid: defaultdict[str, list[AllocationLine]] = defaultdict(list)
    for _, seq, component, kind, amount, event in movements:
        if event is None or component is None:
            if kind is MovementKind.RECEIVED and event is not None:
                paid[event] = []
        elif kind is MovementKind.ALLOCATED:
            paid[event].append(made(AllocationLine, (seq, component, amount)))
        elif kind is MovementKind.RECOVERED:
            paid[event].append(AllocationLine(None, RECOVERED_OF[component], amount))
    return dict(paid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """余额数 · The figures of a loan at the close of one day, in fen."""

    on: date
    principal_outstanding: int
    overdue_principal: int
    accrued_interest: int
    due_unpaid_interest: int
    penalty: int
    compound: int
    fees: int
    unapplied: int
    days_past_due: int
    overdue_since: date | None
    five_class: FiveClass
    non_accrual: bool
    on_balance_interest: int
    off_balance_interest: int

    @property
    def uncollected_interest(self) -> int:
        """Interest due or running, penalty and compound: on one side of the balance sheet or the other."""
        return self.on_balance_interest + self.off_balance_interest


def figures(position: Position, lines: Iterable[OverdueLine], day: date) -> Figures:
    """The figures at the close of `day`, from the row valid on that day and the overdue lines valid on it."""
    accrued = _value(position.acc_num, position.acc_step, position.acc_den, day, position.from_date)
    penalty = compound = 0
    for line in lines:
        penalty += _value(line.pen_num, line.pen_step, line.den, day, line.from_date)
        compound += _value(line.comp_num, line.comp_step, line.den, day, line.from_date)
    interest = accrued + position.due_interest + penalty + compound
    since = position.overdue_since
    return Figures(
        on=day,
        principal_outstanding=position.principal,
        overdue_principal=position.overdue_principal,
        accrued_interest=accrued,
        due_unpaid_interest=position.due_interest,
        penalty=penalty,
        compound=compound,
        fees=position.fee,
        unapplied=position.unapplied,
        days_past_due=(day - since).days if since else 0,
        overdue_since=since,
        five_class=position.five_class,
        non_accrual=position.non_accrual,
        on_balance_interest=0 if position.non_accrual else interest,
        off_balance_interest=interest if position.non_accrual else 0,
    )


def _value(num: int, step: int, den: int, day: date, since: date) -> int:
    """A line on a day. A numerator of −1/2 fen, which a payment may leave, reads 0."""
    return div_half_up(num + step * (day - since).days, den)
