"""新计划 · The plan over the remaining due dates after an amendment, a prepayment or a further pay-out.

Made inside a period, it is made as if the running period were whole and began with the new balance; the running
installment's interest then comes from its line (golden cases S32–S34, S37, S41, X6, X7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from domain.calculation.loan.debt import Agreed
from domain.calculation.loan.events import Extension
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import div_half_up, half_up
from domain.calculation.schedule import (
    BY_DAYS_ONLY,
    Basis,
    HolidayRule,
    Method,
    PlanError,
    PlannedInstallment,
    PlanTerms,
    days_in_year,
    period_rate,
    plan,
)

# What only served to find the dates of the first plan is settled by now.
DATES_ARE_GIVEN: dict[str, Any] = {
    "periods": None,
    "settlement_day": None,
    "maturity_date": None,
    "term_days": None,
    "holiday_rule": HolidayRule.NONE,
}
NO_TERM_TO_SHORTEN = frozenset({Method.INTEREST_ONLY, Method.BULLET})


@dataclass(slots=True)
class PlanVersion:
    """A plan and how many of its installments have fallen due.

    `kept` is what a shortened term keeps: the level installment, or the principal part of the equal ones.
    `then` is the plan of an extension agreed: its installments are the last ones here, its terms begin with them.
    """

    terms: PlanTerms
    installments: tuple[PlannedInstallment, ...]
    kept: int
    done: int = 0
    extension: Extension | None = None
    then: "PlanVersion | None" = None

    @property
    def running(self) -> PlannedInstallment | None:
        """The installment that runs; None once everything has fallen due."""
        return self.installments[self.done] if self.done < len(self.installments) else None

    @property
    def rest(self) -> tuple[PlannedInstallment, ...]:
        """The running installment and those after it."""
        return self.installments[self.done :]

    def agreed(self, row: PlannedInstallment) -> Agreed:
        """What stands behind one of its installments; those that an extension adds follow its own plan."""
        made_by = self.then if self.then and row.seq >= self.then.installments[0].seq else self
        return Agreed(row, made_by.terms, made_by.kept, len(made_by.installments))

    @property
    def grace_left(self) -> int:
        """Installments to come that repay no principal (只付息)."""
        return max(0, self.terms.principal_grace_periods - self.done)


def first_version(terms: LoanTerms, paid_out: int) -> PlanVersion:
    """The plan as signed, or, where another amount was paid out, the same terms on that amount.

    Raises PlanError where given installments do not add up to what was paid out.
    """
    if not terms.installments:
        return _version(replace(terms.plan, principal=paid_out))
    if sum(row.principal for row in terms.installments) != paid_out:
        raise PlanError("the installments do not add up to the amount paid out", "principal")
    return PlanVersion(terms.plan, terms.installments, _kept(terms.plan, terms.installments, None))


def replan(
    old: PlanVersion,
    balance: int,
    annual_rate: Fraction | None = None,
    method: Method | None = None,
    custom_principal: Sequence[int] | None = None,
) -> PlanVersion:
    """Spread `balance` (fen, above zero) over the old due dates, under a new rate or method where given.

    A BULLET keeps the last date only. CUSTOM parts are scaled to the balance, cumulatively, so that they add up.
    Raises PlanError where the new terms are impossible.
    """
    if old.extension:
        return extend(replan(_unextended(old), balance, annual_rate, method, custom_principal), old.extension)
    terms, rows = old.terms, old.rest
    method = method or terms.method
    same_method = method is terms.method
    dates = tuple(row.due_date for row in rows)
    parts = custom_principal or tuple(row.principal for row in rows)
    new = replace(
        terms,
        principal=balance,
        annual_rate=terms.annual_rate if annual_rate is None else annual_rate,
        method=method,
        value_date=rows[0].start_date,
        due_dates=dates[-1:] if method is Method.BULLET else dates,
        principal_grace_periods=old.grace_left if same_method else 0,
        amortization_periods=_amortization_left(old),
        custom_principal=_scaled(parts, balance) if method is Method.CUSTOM else None,
        **DATES_ARE_GIVEN,
    )
    return _version(new, rows[0].seq)


def extend(old: PlanVersion, extension: Extension) -> PlanVersion:
    """展期 · What was to be repaid at the maturity is spread over the added dates; there only interest is left (S36).

    The terms of the extension begin at the old maturity. Raises PlanError where an extension is agreed already or
    its terms are impossible.
    """
    if old.extension:
        raise PlanError("an extension is agreed already", "due_dates")
    terms, last, dates = old.terms, old.installments[-1], extension.due_dates
    if not last.principal:  # nothing to move yet; a later plan may have something
        return replace(old, extension=extension)
    method = extension.method or terms.method
    amortization = _amortization_left(replace(old, done=len(old.installments)))
    parts = extension.custom_principal or (*(0 for _ in dates[1:]), last.principal)
    new = replace(
        terms,
        principal=last.principal,
        annual_rate=terms.annual_rate if extension.annual_rate is None else extension.annual_rate,
        method=method,
        value_date=last.due_date,
        due_dates=dates[-1:] if method is Method.BULLET else dates,
        principal_grace_periods=0,
        amortization_periods=None if amortization is None else max(amortization, len(dates)),
        custom_principal=_scaled(parts, last.principal) if method is Method.CUSTOM else None,
        **DATES_ARE_GIVEN,
    )
    then = _version(new, last.seq + 1)
    interest_only = replace(last, principal=0, balance_after=last.principal)
    rows = (*old.installments[:-1], interest_only, *then.installments)
    return PlanVersion(terms, rows, old.kept, old.done, extension, then)


def shorten(old: PlanVersion, balance: int) -> PlanVersion:
    """Keep what an installment pays until that covers balance and interest; the later due dates go (S34, X7).

    Raises PlanError for INTEREST_ONLY and BULLET: they have no term to shorten.
    """
    if old.extension:
        return extend(shorten(_unextended(old), balance), old.extension)
    terms = old.terms
    if terms.method in NO_TERM_TO_SHORTEN:
        raise PlanError(f"{terms.method} has no term to shorten", "method")
    rows: list[PlannedInstallment] = []
    left, last = balance, old.rest[-1]
    for index, row in enumerate(old.rest):
        base = balance if terms.method is Method.EQUAL_PRINCIPAL_EQUAL_INTEREST else left
        interest = _interest(terms, base, row.days)
        part = 0 if index < old.grace_left else _kept_part(old, row, interest)
        principal = left if row is last else max(0, min(left, part))
        left -= principal
        rows.append(replace(row, principal=principal, interest=interest, balance_after=left))
        if left == 0:
            break
    new = replace(
        terms,
        principal=balance,
        principal_grace_periods=old.grace_left,
        amortization_periods=_amortization_left(old),
    )
    return PlanVersion(new, tuple(rows), old.kept)


def without_principal(old: PlanVersion) -> PlanVersion:
    """Everything is prepaid: the running installment is left with the interest that its line has reached."""
    return PlanVersion(old.terms, (replace(old.rest[0], principal=0, interest=0, balance_after=0),), old.kept)


def _unextended(old: PlanVersion) -> PlanVersion:
    """The same plan as it was before its extension was agreed."""
    if old.then is None:
        return replace(old, extension=None)
    rows = old.installments[: -len(old.then.installments)]
    last = replace(rows[-1], principal=old.then.terms.principal, balance_after=0)
    return PlanVersion(old.terms, (*rows[:-1], last), old.kept, old.done)


def _version(terms: PlanTerms, first_seq: int = 1) -> PlanVersion:
    made = plan(terms)
    rows = made.installments
    if first_seq != 1:
        rows = tuple(replace(row, seq=row.seq + first_seq - 1) for row in rows)
    return PlanVersion(terms, rows, _kept(terms, rows, made.installment_amount))


def _kept(terms: PlanTerms, rows: Sequence[PlannedInstallment], level: int | None) -> int:
    if level is not None:
        return level
    first = rows[terms.principal_grace_periods]
    return first.payment if terms.method in (Method.EQUAL_INSTALLMENT, Method.BALLOON) else first.principal


def _kept_part(old: PlanVersion, row: PlannedInstallment, interest: int) -> int:
    match old.terms.method:
        case Method.EQUAL_INSTALLMENT | Method.BALLOON:
            return old.kept - interest
        case Method.CUSTOM:
            return row.principal
        case _:
            return old.kept


def _amortization_left(old: PlanVersion) -> int | None:
    if old.terms.amortization_periods is None:
        return None
    return old.terms.amortization_periods - max(0, old.done - old.terms.principal_grace_periods)


def _interest(terms: PlanTerms, base: int, days: int) -> int:
    if terms.basis is Basis.PERIODIC and terms.method not in BY_DAYS_ONLY:
        return half_up(base * period_rate(terms.annual_rate, terms.period_unit))
    return half_up(base * terms.annual_rate * days / days_in_year(terms.basis))


def _scaled(parts: Sequence[int], balance: int) -> tuple[int, ...]:
    """The parts in the same proportions, adding up to the balance."""
    whole = sum(parts)
    marks = [0, *(div_half_up(balance * mark, whole) for mark in accumulate(parts))]
    return tuple(later - earlier for earlier, later in pairwise(marks))
