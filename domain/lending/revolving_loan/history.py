"""授信历史 · Writing down what happened to a facility, in the transaction in which it happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.lending.revolving_loan.tables import CreditFacility, FacilityEvent, FacilityEventType, FreezeCause

if TYPE_CHECKING:
    from domain.kernel.context import Context


def note(
    ctx: Context,
    row: CreditFacility,
    type: FacilityEventType,
    *,
    reason: str | None = None,
    causes: Iterable[FreezeCause] = (),
) -> FacilityEvent:
    """One line of the history, with the limit as it is from now on."""
    return ctx.add(
        FacilityEvent(
            facility_id=row.id,
            type=type,
            business_date=ctx.today,
            credit_limit=row.credit_limit,
            causes=[str(cause) for cause in causes],
            reason=reason,
            actor_id=ctx.actor.id,
        )
    )
