"""分配由来 · How a line of a receipt's allocation came about: what was left of the money, and what there was to pay."""

from collections import Counter
from datetime import date
from itertools import takewhile

from domain.calculation.allocation import Component
from domain.calculation.loan.events import Refund
from domain.calculation.loan.explain import Explanation, Part, Rule, Text, money, rate
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Movement, MovementKind
from domain.calculation.loan.state import DAY
from domain.calculation.money import fen

SPENT = (MovementKind.ALLOCATED, MovementKind.RECOVERED)
UNDONE = {
    "paid": (MovementKind.ALLOCATED, -1),
    "written_off": (MovementKind.WRITTEN_OFF, -1),
    "charged": (MovementKind.CHARGED, -1),
    "waived": (MovementKind.LAPSED, 1),
}
"""The inputs of what was owed at the close of the day, and what to take off them to be back at the moment before a line."""


def explain_allocation(fold: Fold, receipt: str) -> list[Part]:
    """The part of each line of `fold.allocations[receipt]`, in fen: `min` of the money left and of what was owed (A01–A22).

    Raises KeyError where the loan knows no such receipt."""
    spent = [k for k, move in enumerate(fold.movements) if move.event == receipt and move.kind in SPENT]
    closes: dict[date, Fold] = {}
    parts, earlier = [], 0
    for line, place in zip(fold.allocations[receipt], spent, strict=True):
        day = fold.movements[place].value_date
        if day not in closes:
            closes[day] = fold.on(day)
        parts.append(_Line(closes[day], place).part(line.amount, earlier))
        earlier += line.amount
    return parts


class _Line(Explanation):
    """A loan at the close of the day of one movement, which itself and those after it are in `after`."""

    def __init__(self, fold: Fold, place: int) -> None:
        super().__init__(fold)
        self.move: Movement = fold.movements[place]
        self.before, after = self.fold.movements[:place], self.fold.movements[place:]
        self.after: Counter[MovementKind] = Counter()
        for later in after:
            if later.seq == self.move.seq and later.component is self.move.component:
                self.after[later.kind] += later.amount

    def part(self, amount: int, earlier: int) -> Part:
        receipt = self.move.event
        assert receipt is not None
        rule, (owed, inputs), behind = self._owed()
        received = next(
            move.amount for move in self.before if move[3:] == (MovementKind.RECEIVED, move.amount, receipt)
        )
        left, inputs = "received - earlier", {"received": money(received), "earlier": money(earlier)} | inputs
        if refunded := self._refunded(receipt):
            left, inputs = f"{left} - refunded", inputs | {"refunded": money(refunded)}
        events = tuple(
            e.id
            for e in self.events
            if e.id == receipt
            or e.id in behind
            or (refunded and isinstance(e, Refund) and e.receipt in (None, receipt))
        )
        return Part(amount, rule, f"min({left}, {owed})", inputs, events, self.move.seq)

    def _refunded(self, receipt: str) -> int:
        """What of the money had been given back before this day; refunds are the last of a day."""
        if not self.state.refunded[receipt]:
            return 0
        start = next(event.value_date for event in self.events if event.id == receipt)
        return self.fold.on(self.state.day - DAY).state.refunded[receipt] if start < self.state.day else 0

    def _owed(self) -> tuple[Rule, Text, tuple[str, ...]]:
        """What there was to pay, and the events behind it."""
        seq, component = self.move.seq, self.move.component
        assert component is not None
        if self.move.kind is MovementKind.RECOVERED:
            return Rule.RECOVERED, self._claimed(component), self._written_off()
        if seq is None:
            return Rule.PREPAID, self._prepaid(component), self.set_the_plan()
        debt = self.state.debts[seq]
        explained = {
            Component.PRINCIPAL: self.unpaid_principal,
            Component.INTEREST: self.due_interest,
            Component.PENALTY: self.penalty,
            Component.COMPOUND: self.compound,
            Component.FEE: self.fee,
        }[component](debt)
        inputs = dict(explained.inputs)
        for name, (kind, sign) in UNDONE.items():
            if name in inputs:
                inputs[name] = money(fen(inputs[name]) + sign * self.after[kind])
        return Rule.ALLOCATED, (explained.formula, inputs), explained.events

    def _claimed(self, component: Component) -> Text:
        """After a write-off: the principal first, then all the rest of the claim (A21)."""
        principal = component is Component.PRINCIPAL

        def total(kind: MovementKind) -> int:
            return sum(
                move.amount
                for move in self.before
                if move.kind is kind and (move.component is Component.PRINCIPAL) is principal
            )

        inputs = {"claimed": money(total(MovementKind.WRITTEN_OFF)), "recovered": money(total(MovementKind.RECOVERED))}
        return "(claimed - recovered)", inputs

    def _written_off(self) -> tuple[str, ...]:
        return tuple({move.event: None for move in self.before if move.kind is MovementKind.WRITTEN_OFF and move.event})

    def _prepaid(self, component: Component) -> Text:
        """Of a prepayment: its fee first, then the principal that it reached. Several receipts may have brought the money."""
        place = len(self.before)

        def same(move: Movement, wanted: Component) -> bool:
            return move.seq is None and move.kind is MovementKind.ALLOCATED and move.component is wanted

        paid = sum(m.amount for m in takewhile(lambda m: same(m, component), reversed(self.before)))
        ahead = list(takewhile(lambda m: same(m, component), self.fold.movements[place:]))
        inputs = {"paid": money(paid)}
        if component is Component.PRINCIPAL:
            whole = paid + sum(move.amount for move in ahead)
            return "(prepaid - paid)", {"prepaid": money(whole)} | inputs
        principal = takewhile(lambda m: same(m, Component.PRINCIPAL), self.fold.movements[place + len(ahead) :])
        inputs |= {"principal": money(sum(move.amount for move in principal))}
        inputs["fee_rate"] = rate(self.state.terms.prepayment_fee_rate)
        return "(round_half_up(principal * fee_rate) - paid)", inputs
