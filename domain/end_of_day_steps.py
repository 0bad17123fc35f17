"""日终步骤 · What is done when a business day closes, in order: one readable list, and where each step lives.

`domain/end_of_day.py` runs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, extract, select

from domain.finance import accounting_period, provision
from domain.home import installment_due
from domain.kernel import audit
from domain.kernel.clock import CLOSING_DAY
from domain.ledger import proof
from domain.lending import interest_waiver, loan_application, settlement
from domain.lending.loan import closing
from domain.lending.loan_application import LoanApplication
from domain.lending.revolving_loan import closing as facilities
from domain.post_loan import early_warning

if TYPE_CHECKING:
    from domain.kernel.context import Context


class How(StrEnum):
    """How a step is done at a lender of many loans; at a small one all of them share one transaction."""

    WHOLE = "WHOLE"
    """In a transaction of its own: `(ctx, day)` answers a count, or nothing."""
    PARTS = "PARTS"
    """In as many as it takes: `(ctx, day, after)` answers a `Portion`; see `domain/kernel/portion.py`."""
    READING = "READING"
    """It looks at one moment, long, and holds nobody up: `(ctx, day)` finds something, and `keep` writes that down."""


class Step(NamedTuple):
    """A step lives with its function. Its answer goes to a column of the business day, if one is named."""

    name: str
    run: Callable[..., Awaitable[Any]]
    column: str | None = None
    how: How = How.WHOLE
    keep: Callable[..., Awaitable[Any]] | None = None
    """`(ctx, day, found)` answers what the step does."""
    when: ColumnElement[bool] | None = None
    """Whether there is anything to do: where all steps share a transaction it is asked before the first, and False spares one.

    A step without it is done every night and locks no loan: a quiet night does it while it keeps everybody from posting."""


async def _seal(ctx: Context, _day: date) -> int:
    return await audit.seal(ctx)


_APPROVALS_OVER = select(LoanApplication.id).where(loan_application.is_over(CLOSING_DAY)).exists()
_ENDS_A_MONTH = extract("day", CLOSING_DAY + 1) == 1

STEPS: list[Step] = [
    Step("overdue", closing.announce_overdue, "became_overdue", How.PARTS, when=closing.SPELLS_TO_ANNOUNCE),
    Step("alerts", early_warning.raise_alerts, "alerts_raised", How.PARTS, when=early_warning.ALERTS_TO_RAISE),
    Step("escalation", early_warning.escalate, when=early_warning.ALERTS_TO_ESCALATE),
    Step("classes", closing.announce_classes, how=How.PARTS, when=closing.CLASSES_TO_ANNOUNCE),
    Step("waivers", interest_waiver.lapse, when=interest_waiver.WAIVERS_TO_LAPSE),
    Step("contracts", settlement.close_day, when=settlement.CONTRACTS_TO_FOLLOW),
    Step("approvals", loan_application.expire, when=_APPROVALS_OVER),
    Step("facilities", facilities.close_day, when=facilities.FACILITIES_TO_LOOK_AT),
    Step("old_reminders", installment_due.close_old, how=How.PARTS, when=installment_due.OLD_REMINDERS),
    Step("reminders", installment_due.remind, how=How.PARTS, when=installment_due.REMINDERS_TO_SEND),
    Step("provision", provision.close_day, when=_ENDS_A_MONTH),
    Step("periods", accounting_period.close_day, when=_ENDS_A_MONTH),
    Step("proof", proof.of_today, "ledger_balanced", How.READING, proof.keep),
    Step("seal", _seal),
]
_WHETHER = select(*(step.when.label(step.name) for step in STEPS if step.when is not None))


async def idle(ctx: Context, day: date) -> list[str]:
    """The steps for which there is nothing to do at the close of `day`: one question for all of them."""
    found = (await ctx.connection.execute(_WHETHER, {"closing_day": day})).one()._mapping
    return [step.name for step in STEPS if step.when is not None and not found[step.name]]


def is_quiet(idle_ones: list[str]) -> bool:
    """Whether none of the steps that may lock a loan has anything to do."""
    return all(step.when is None or step.name in idle_ones for step in STEPS)
