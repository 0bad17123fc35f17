"""合同变更效果 · What an amendment makes of a loan: folded with it, held against every rule, never written (F28).

The same look serves the preview, the request and the approval, so what people were shown is what is booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.calculation.cost import cost
from domain.calculation.dates import next_business_day
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.whole_plan import new_terms, whole_plan
from domain.calculation.schedule import HolidayRule, Method, PlanError, period_end
from domain.configuration import calendar, parameter
from domain.configuration.loan_product import LoanProduct
from domain.kernel import clock
from domain.kernel.refusals import CostCapExceeded, InvalidState, ProductRuleViolated, Refusal, plain, plain_rate
from domain.kernel.table import uuid7
from domain.ledger.journal import Line, netted
from domain.lending.loan import EventType, LoanState, posting, refold, tax
from domain.lending.loan.plans import decimal_rate, maturity
from domain.lending.loan.refold import Book
from domain.lending.loan.terms import LONGEST_ROLL
from domain.lending.offer import Limits, Priced, stored_cost
from domain.lending.repayment_plan import cost_limits
from domain.post_loan import contract_amendment_rules as rules
from domain.post_loan.contract_amendment_rules import NEW_TERMS, AmendmentType, Change, Policy

if TYPE_CHECKING:
    from domain.kernel.context import Context

GONE = (LoanState.PENDING, LoanState.SETTLED, LoanState.WRITTEN_OFF, LoanState.TRANSFERRED)
EVENTS = {
    AmendmentType.EXTENSION: EventType.EXTENSION,
    AmendmentType.RATE: EventType.AMENDMENT,
    AmendmentType.METHOD: EventType.AMENDMENT,
    AmendmentType.ACCELERATION: EventType.ACCELERATION,
    AmendmentType.MISUSE_RATE: EventType.MISUSE_RATE,
}
MAIN_FIELD = {
    AmendmentType.EXTENSION: "extensionPeriods",
    AmendmentType.RATE: "annualRate",
    AmendmentType.METHOD: "method",
}


@dataclass(frozen=True, slots=True)
class Coming:
    """An amendment that is not in force: as much of a loan event as the fold looks at."""

    id: UUID
    type: EventType
    value_date: date
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An amendment that meets every rule: the event it would be, the loan before and after it (`snapshot`), the voucher that
    would be posted today, and the warning about its cost, if there is one."""

    coming: Coming
    before: dict[str, Any]
    after: dict[str, Any]
    lines: Sequence[Line]
    warning: Refusal | None


async def weigh(ctx: Context, loan: Any, change: Change) -> Weighed:
    """Folds the loan (a row of `loans`) with the amendment and checks every rule, by the parameters in force today.

    Raises INVALID_STATE (no living loan, everything due already), INVALID_INPUT, CLOSED_BUSINESS_DAY, INVALID_AMOUNT,
    AMOUNT_EXCEEDS_DUE, PRODUCT_RULE_VIOLATED, EXTENSION_TOO_LONG, GUARANTOR_CONSENT_MISSING, ARREARS_EXIST,
    COST_CAP_EXCEEDED."""
    if loan.state in GONE:
        raise InvalidState("loanId", state=loan.state)
    rules.check_fields(change)
    effective = change.effective_date or ctx.today
    rules.check_effective_date(effective, loan.value_date, ctx.today)
    clock.check_month(await clock.closed_through(ctx), effective, "effectiveDate")
    policy = Policy(**await parameter.values(ctx, rules.PARAMETERS))
    (book,) = await refold.books(ctx, [loan])
    before = book.fold(ctx.today)
    at = before.on(effective)
    await _check_terms(ctx, book, change, policy, at)
    rules.check_consents(change, policy, loan.lending_mode, at)
    try:
        coming = await _event(ctx, change, at)
        after = Book(book.loan, book.terms, [*book.events, coming]).fold(ctx.today)
    except PlanError as error:
        field = MAIN_FIELD.get(change.type, "effectiveDate")
        raise ProductRuleViolated(field, rule=error.field, value=str(error), allowed="–") from error
    rules.check_arrears(change, policy, (rules.arrears(at, effective), rules.arrears(after, ctx.today)))
    limits = await cost_limits(ctx)
    warning = _check_cost(change, after, effective, limits)
    return Weighed(
        coming,
        snapshot(before, limits if change.type in NEW_TERMS else None),
        snapshot(after, limits if change.type in NEW_TERMS else None),
        await _lines(ctx, loan, before, after),
        warning,
    )


async def _check_terms(ctx: Context, book: Book, change: Change, policy: Policy, at: Fold) -> None:
    products = LoanProduct.__table__
    found = await ctx.connection.execute(select(products).where(products.c.id == book.loan.product_id))
    rules.check_product(change, found.one())
    rules.check_difference(change, at)
    if change.type is AmendmentType.EXTENSION:
        rules.check_extension(change, policy, at, _extensions(book, at))
    elif change.type is AmendmentType.MISUSE_RATE:
        rules.check_misuse(change, at)
    elif change.type is AmendmentType.ACCELERATION:
        rules.check_acceleration(at)


def _extensions(book: Book, fold: Fold) -> list[int]:
    """By how many periods each extension that stands has moved the maturity."""
    standing = {event.id for event in fold.events}
    rows = [row for row in book.events if row.type == EventType.EXTENSION and str(row.id) in standing]
    return [row.payload.get("periods") or len(row.payload["due_dates"]) for row in rows]


# ---------------------------------------------------------------- the event


async def _event(ctx: Context, change: Change, at: Fold) -> Coming:
    """What the loan would be told; `events.py` describes the payloads."""
    payload: dict[str, Any] = {}
    if change.type in NEW_TERMS:
        payload = {"annual_rate": change.annual_rate, "method": change.method, "custom_principal": None}
        payload["because_of_difficulty"] = change.because_of_difficulty
    if change.type is AmendmentType.EXTENSION:
        payload |= await _added(ctx, change, at) | {"periods": change.extension_periods}
    if change.type is AmendmentType.MISUSE_RATE:
        payload = {"multiplier": change.multiplier, "amount": change.amount}
    return Coming(uuid7(), EVENTS[change.type], at.until, plain(payload))


async def _added(ctx: Context, change: Change, at: Fold) -> dict[str, Any]:
    """The added due dates by the rules of the plan and the lender's calendar, with the last day of grace of each."""
    signed, last, periods = at.terms, maturity(at), change.extension_periods or 0
    plan = signed.plan
    end = period_end(last, plan.period_unit, periods) + LONGEST_ROLL * 2 + timedelta(days=signed.grace_days)
    known = await calendar.holidays(ctx, last, end)
    terms = replace(plan, holidays=known.holidays, makeup_workdays=known.makeup_workdays)
    method = change.method or Method(at.state.version.terms.method)
    dates = rules.added_dates(terms, last, periods, method)
    ends = [day + timedelta(days=signed.grace_days) for day in dates]
    if plan.holiday_rule is HolidayRule.NEXT_BUSINESS_DAY and signed.grace_days:
        ends = [next_business_day(day, known.holidays, known.makeup_workdays) for day in ends]
    return {"due_dates": dates, "grace_ends": ends}


# ---------------------------------------------------------------- cost


def _check_cost(change: Change, after: Fold, effective: date, limits: Limits) -> Refusal | None:
    """综合融资成本 · The whole loan and its new terms alone must stay below the cap; above the warning line it is noted.

    Acceleration and misuse rate are consequences of a breach, no cost of a loan that is kept."""
    agreed = after.on(effective)
    if change.type not in NEW_TERMS or not agreed.state.version.rest:
        return None
    priced = [_priced(whole_plan(after)), _priced(new_terms(agreed))]
    dearest = max(priced, key=lambda each: each.measure)
    for line in (limits.cap, limits.warn_above):
        if dearest.exceeds(line):
            refusal = CostCapExceeded(MAIN_FIELD[change.type], cost=plain_rate(dearest.measure), cap=plain_rate(line))
            if line == limits.cap:
                raise refusal
            return refusal
    return None


def _priced(terms_and_plan: Any) -> Priced:
    terms, plan = terms_and_plan
    return Priced(terms, plan, cost(terms, plan))


# ---------------------------------------------------------------- before and after


def snapshot(fold: Fold, limits: Limits | None) -> dict[str, Any]:
    """变更前后 · A loan at the close of the day to which it is folded, as JSON: the terms last agreed, figures in fen,
    installments, and the all-in cost of the whole loan where limits are given."""
    version = fold.state.version.then or fold.state.version
    rows = fold.installments_on(fold.until)
    shown = fold.position_on(fold.until)
    return {
        "annual_rate": str(plain_rate(decimal_rate(version.terms.annual_rate))),
        "method": version.terms.method.value,
        "maturity_date": rows[-1].due_date.isoformat(),
        "total_interest": sum(row.interest for row in rows),
        "cost": stored_cost(_priced(whole_plan(fold)), limits) if limits else None,
        "figures": plain(asdict(shown)),
        "installments": [plain(asdict(row)) for row in rows],
    }


async def _lines(ctx: Context, loan: Any, before: Fold, after: Fold) -> Sequence[Line]:
    """The voucher that recording it today would post."""
    vat = (await tax.rules(ctx)).of(loan)
    moved = posting.change(posting.ledger(before, ctx.today, vat), posting.ledger(after, ctx.today, vat))
    return netted(posting.lines(moved, loan_id=loan.id, entrusted_contract_id=loan.entrusted_contract_id))
