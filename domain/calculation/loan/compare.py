"""前后对照 · What differs between two folds of one loan: days, classes, installments. The same loan, with and without an event.

Between two days on which a row of either side begins or ends both are straight lines, so what differs is told by stretches;
within one, a day counts only if a figure shown on it is another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from domain.calculation.classification import FiveClass
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.installments import Installment
from domain.calculation.loan.lines import Figures, OverdueLine, Position, figures

DAY = timedelta(days=1)


class ChangedDay(NamedTuple):
    """The figures at the close of one day on both sides; `before` is None where the loan had not begun."""

    on: date
    before: Figures | None
    after: Figures | None


class Stretch(NamedTuple):
    """Changed days on which both sides are straight lines: the first and the last of them, and how many."""

    first: ChangedDay
    last: ChangedDay
    days: int


class ChangedClass(NamedTuple):
    """五级分类 From one day to another, both belonging to it, the class is another."""

    from_date: date
    to_date: date
    before: FiveClass | None
    after: FiveClass | None


class ChangedInstallment(NamedTuple):
    """An installment as it stands on both sides; None where that side has none of this number."""

    seq: int
    before: Installment | None
    after: Installment | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two folds of one loan to the same day. `before` is None when the loan begins with what happened."""

    before: Fold | None
    after: Fold

    def days(self, first: date | None = None) -> Iterator[ChangedDay]:
        """Every day up to the folded one whose figures differ, in order, from `first` on if it is given."""
        for pieces in self._pieces():
            for day in pieces:
                if first is None or day.on >= first:
                    yield day

    def stretches(self) -> list[Stretch]:
        """The changed days, told by stretches."""
        return [Stretch(piece[0], piece[-1], len(piece)) for piece in self._pieces()]

    def classes(self) -> list[ChangedClass]:
        """The days on which the system class differs, adjoining ones of the same change together."""
        found: list[ChangedClass] = []
        for on, before, after in self.days():
            was = before.five_class if before else None
            now = after.five_class if after else None
            if was is now:
                continue
            last = found[-1] if found else None
            if last and last.to_date + DAY == on and last[2:] == (was, now):
                found[-1] = last._replace(to_date=on)
            else:
                found.append(ChangedClass(on, on, was, now))
        return found

    def installments(self) -> list[ChangedInstallment]:
        """The installments that stand otherwise at the close of the folded day, by seq."""
        sides = [
            {row.seq: row for row in side.installments_on(side.until)} if side else {}
            for side in (self.before, self.after)
        ]
        seqs = sorted(sides[0].keys() | sides[1].keys())
        rows = [ChangedInstallment(seq, sides[0].get(seq), sides[1].get(seq)) for seq in seqs]
        return [row for row in rows if row.before != row.after]

    def _pieces(self) -> Iterator[list[ChangedDay]]:
        until = self.after.until
        sides = [_Side(self.before), _Side(self.after)]
        cuts = sorted({day for side in sides for day in side.cuts if day <= until} | {until + DAY})
        for start, end in pairwise(cuts):
            before, after = (side.advance(start) for side in sides)
            if _told_from(before, start) == _told_from(after, start):
                continue
            changed = []
            for offset in range((end - start).days):
                day = start + offset * DAY
                shown = ChangedDay(day, _figures(before, day), _figures(after, day))
                if shown.before != shown.after:
                    changed.append(shown)
            if changed:
                yield changed


class _Side:
    """One fold, walked through from its first day: which rows run on the day reached."""

    def __init__(self, fold: Fold | None) -> None:
        positions: Sequence[Position] = fold.positions if fold else ()
        lines: Sequence[OverdueLine] = fold.overdue_lines if fold else ()
        self.cuts = {row.from_date for row in positions} | {
            day for row in lines for day in (row.from_date, row.to_date)
        }
        self.positions = {row.from_date: row for row in positions}
        self.opening: dict[date, list[OverdueLine]] = defaultdict(list)
        for line in lines:
            self.opening[line.from_date].append(line)
        self.position: Position | None = None
        self.lines: list[OverdueLine] = []

    def advance(self, day: date) -> tuple[Position, list[OverdueLine]] | None:
        """The rows that run on a day; None before the loan begins."""
        self.position = self.positions.get(day, self.position)
        self.lines = [line for line in self.lines if line.to_date > day] + self.opening.get(day, [])
        return (self.position, self.lines) if self.position else None


def _told_from(rows: tuple[Position, list[OverdueLine]] | None, day: date) -> object:
    """The same lines, told from a day on: two sides that say the same here show the same to the end of the stretch."""
    if rows is None:
        return None
    position, lines = rows
    told = position.moved_to(day)._replace(to_date=day, next_action_on=None)
    return told, sorted(line.moved_to(day)._replace(to_date=day) for line in lines)


def _figures(rows: tuple[Position, list[OverdueLine]] | None, day: date) -> Figures | None:
    return figures(rows[0], rows[1], day) if rows else None
