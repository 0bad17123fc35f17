"""上调条件 · Has a loan been paid on time for long enough to be judged better again (2023 measures, domain.md §3.2)?

A non-performing loan may go up once its arrears are paid and two consecutive installments and six months, whichever is
the longer, were paid on time after that; a restructured one is observed for two installments and a year.
"""

from datetime import date

from domain.calculation.dates import add_months
from domain.calculation.loan.fold import Fold

UPGRADE_MONTHS = 6
OBSERVATION_MONTHS = 12
INSTALLMENTS = 2


def on_time_since(fold: Fold, day: date) -> date | None:
    """The first day since which the loan was never overdue; None while it is. Within grace is on time."""
    known = fold.on(day)
    overdue = [row for row in known.positions if row.overdue_since is not None]
    if not overdue:
        return known.positions[0].from_date
    return overdue[-1].to_date if overdue[-1].to_date <= day else None


def upgrade_test(fold: Fold, day: date) -> bool:
    """升级测试 · Arrears paid, then two installments and six months on time, at the close of `day`."""
    return _paid_on_time(fold, day, date.min, UPGRADE_MONTHS)


def observation_over(fold: Fold, restructured_on: date, day: date) -> bool:
    """重组观察期 · Two installments and a year on time since the restructuring, at the close of `day`."""
    return _paid_on_time(fold, day, restructured_on, OBSERVATION_MONTHS)


def _paid_on_time(fold: Fold, day: date, begun_on: date, months: int) -> bool:
    since = on_time_since(fold, day)
    if since is None:
        return False
    since = max(since, begun_on)
    debts = fold.on(day).state.debts.values()
    paid = [debt for debt in debts if debt.due_date > since and not debt.in_arrears and not debt.written_off]
    return len(paid) >= INSTALLMENTS and add_months(since, months) <= day
