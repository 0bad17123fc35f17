"""授信额度 · The tables of revolving loans: the facility, what was asked about it, its reviews and its history.

What is drawn is kept nowhere here: it is the loans under the contracts that name the facility (limit.py counts them).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.configuration.loan_product import LendingMode
from domain.kernel.feed import Json
from domain.kernel.refusals import InvalidState
from domain.kernel.scope import Managed, Reach, Through
from domain.kernel.table import Keyed, MoneyColumn, RateColumn, choice


class FacilityState(StrEnum):
    """授信状态 · Only an ACTIVE facility can be drawn on; one that was refused or taken back is CANCELLED."""

    DRAFT = "DRAFT"
    """草稿 Given back to who asked for it."""
    APPROVING = "APPROVING"
    """审批中 Waits for a decision."""
    ACTIVE = "ACTIVE"
    """生效 Can be drawn on."""
    FROZEN = "FROZEN"
    """冻结 Cannot be drawn on for the time being."""
    EXPIRED = "EXPIRED"
    """已到期 Its term is over."""
    CANCELLED = "CANCELLED"
    """已终止 Refused, taken back, or ended before its time."""


class FreezeCause(StrEnum):
    """冻结原因 · Why a facility is frozen. All but MANUAL and REVIEW are also found by end of day."""

    MANUAL = "MANUAL"
    """人工 By somebody, for a reason of their own."""
    REVIEW = "REVIEW"
    """年审 By an annual review, or because that is overdue."""
    OVERDUE = "OVERDUE"
    """逾期 A loan under it is overdue."""
    CLASS = "CLASS"
    """分类下调 A loan under it is classed below NORMAL."""
    WARNING = "WARNING"
    """预警 The customer has an open alert of the level that freezes."""
    PAPERS = "PAPERS"
    """证件过期 The customer's papers have run out."""


class RequestKind(StrEnum):
    """申请类型 · What others must decide about a facility."""

    GRANT = "GRANT"
    """新授信 The facility itself."""
    LIMIT_CHANGE = "LIMIT_CHANGE"
    """额度调整 Another limit."""
    UNFREEZE = "UNFREEZE"
    """解冻 The end of a freeze."""


class RequestState(StrEnum):
    """申请状态 · What became of a request."""

    IN_REVIEW = "IN_REVIEW"
    """审批中 Waits for a decision."""
    APPROVED = "APPROVED"
    """已批准 Granted."""
    REJECTED = "REJECTED"
    """已拒绝 Refused."""
    RETURNED = "RETURNED"
    """已退回 Given back; it may be asked anew."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back, or its cause went away."""


class ReviewOutcome(StrEnum):
    """年审结论 · What an annual review says about a facility."""

    KEEP = "KEEP"
    """维持 Stays as it is."""
    LOWER = "LOWER"
    """下调 A lower limit is asked for."""
    FREEZE = "FREEZE"
    """冻结 Nothing more is drawn for the time being."""
    CANCEL = "CANCEL"
    """终止 Ended for good; what was drawn runs on."""


class FacilityEventType(StrEnum):
    """授信事件 · What happened to a facility."""

    GRANTED = "GRANTED"
    """生效 It came into force."""
    LIMIT_CHANGED = "LIMIT_CHANGED"
    """额度调整 The limit changed."""
    FROZEN = "FROZEN"
    """冻结 It was frozen."""
    UNFROZEN = "UNFROZEN"
    """解冻 The freeze ended."""
    REVIEWED = "REVIEWED"
    """年审 It was reviewed."""
    EXPIRED = "EXPIRED"
    """到期 Its term ended."""
    CANCELLED = "CANCELLED"
    """终止 It ended before its time."""


class CreditFacility(Keyed):
    """授信额度 · One facility. `starts_on` and `ends_on` both belong to its term; a drawdown is at least `min_drawdown`, at
    most `max_drawdown` and runs for at most `max_periods` of the product's periods. `papers_valid_until` is the last day of
    the customer's papers as they were seen; `next_review_on` is null before the grant and after the end."""

    __tablename__ = "credit_facilities"
    __table_args__ = (
        Index("ix_credit_facilities_customer", "customer_id"),
        Index("ix_credit_facilities_manager", "manager_id"),
        Index("ix_credit_facilities_ends_on", "ends_on", "id"),
        Index("ix_credit_facilities_live", "state", postgresql_where=text("state in ('ACTIVE', 'FROZEN')")),
    )
    reach: ClassVar[Reach] = Managed(people=("manager_id", "co_manager_id", "maker_id"), offered=True)

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[FacilityState] = mapped_column(choice(FacilityState), default=FacilityState.APPROVING)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("loan_products.id"))
    credit_limit: Mapped[Decimal] = mapped_column(MoneyColumn)
    annual_rate: Mapped[Decimal] = mapped_column(RateColumn)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    min_drawdown: Mapped[Decimal] = mapped_column(MoneyColumn)
    max_drawdown: Mapped[Decimal] = mapped_column(MoneyColumn)
    max_periods: Mapped[int]
    lending_mode: Mapped[LendingMode] = mapped_column(choice(LendingMode))
    purpose_code: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(500))
    conditions: Mapped[str | None] = mapped_column(Text)
    papers_valid_until: Mapped[date | None]
    next_review_on: Mapped[date | None]
    maker_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    co_manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    granted_on: Mapped[date | None]
    frozen_on: Mapped[date | None]
    frozen_causes: Mapped[list[Any]] = mapped_column(Json, default=list)
    frozen_reason: Mapped[str | None] = mapped_column(String(500))
    ended_on: Mapped[date | None]
    guards: Mapped[list[Any]] = mapped_column(Json, default=list)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def makers(self) -> set[UUID]:
        """Who brought it about and may therefore decide nothing of it."""
        return {person for person in (self.maker_id, self.manager_id, self.co_manager_id) if person}


class FacilityRequest(Keyed):
    """授信申请 · Something asked about a facility that others decide; `limit_after` is what was asked, then what was granted."""

    __tablename__ = "facility_requests"
    __table_args__ = (
        Index("ix_facility_requests_facility", "facility_id", "id"),
        # One matter at a time: two limits in approval could both be granted against the same exposure.
        Index(
            "uq_facility_requests_open", "facility_id", unique=True, postgresql_where=text("state = 'IN_REVIEW'")
        ),
    )  # fmt: skip
    reach: ClassVar[Reach] = Through("facility_id", "credit_facilities")

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("credit_facilities.id"))
    kind: Mapped[RequestKind] = mapped_column(choice(RequestKind))
    state: Mapped[RequestState] = mapped_column(choice(RequestState), default=RequestState.IN_REVIEW)
    limit_before: Mapped[Decimal] = mapped_column(MoneyColumn)
    limit_after: Mapped[Decimal] = mapped_column(MoneyColumn)
    reason: Mapped[str] = mapped_column(String(500))
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_on: Mapped[date | None]
    decided_at: Mapped[datetime | None]


class FacilityReview(Keyed):
    """年审 · One review: what somebody who did not bring the facility about found, and what follows. Never changed."""

    __tablename__ = "facility_reviews"
    __table_args__ = (Index("ix_facility_reviews_facility", "facility_id", "id"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Through("facility_id", "credit_facilities")

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("credit_facilities.id"))
    reviewed_on: Mapped[date]
    reviewed_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    outcome: Mapped[ReviewOutcome] = mapped_column(choice(ReviewOutcome))
    opinion: Mapped[str] = mapped_column(Text)
    new_limit: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    next_review_on: Mapped[date | None]


class FacilityEvent(Keyed):
    """授信历史 · One thing that happened to a facility, with the limit as it was from then on. Never changed."""

    __tablename__ = "facility_events"
    __table_args__ = (Index("ix_facility_events_facility", "facility_id", "id"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Through("facility_id", "credit_facilities")

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("credit_facilities.id"))
    type: Mapped[FacilityEventType] = mapped_column(choice(FacilityEventType))
    business_date: Mapped[date]
    credit_limit: Mapped[Decimal] = mapped_column(MoneyColumn)
    causes: Mapped[list[Any]] = mapped_column(Json, default=list)
    reason: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[UUID]


# ---------------------------------------------------------------- states

S = FacilityState
MOVES: dict[str, tuple[frozenset[FacilityState], FacilityState]] = {
    "apply": (frozenset({S.DRAFT}), S.APPROVING),
    "grant": (frozenset({S.APPROVING}), S.ACTIVE),
    "return": (frozenset({S.APPROVING}), S.DRAFT),
    "reject": (frozenset({S.APPROVING}), S.CANCELLED),
    "withdraw": (frozenset({S.DRAFT, S.APPROVING}), S.CANCELLED),
    "freeze": (frozenset({S.ACTIVE}), S.FROZEN),
    "unfreeze": (frozenset({S.FROZEN}), S.ACTIVE),
    "expire": (frozenset({S.ACTIVE, S.FROZEN}), S.EXPIRED),
    "cancel": (frozenset({S.ACTIVE, S.FROZEN}), S.CANCELLED),
}
LIVE = frozenset({S.ACTIVE, S.FROZEN})


def move(row: CreditFacility, action: str) -> None:
    """The next state of an action; raises INVALID_STATE where it may not be done now."""
    allowed, then = MOVES[action]
    if row.state not in allowed:
        raise InvalidState("facilityId", state=row.state)
    row.state = then


def check_live(row: CreditFacility) -> None:
    """Granted and not over yet. Raises INVALID_STATE."""
    if row.state not in LIVE:
        raise InvalidState("facilityId", state=row.state)
