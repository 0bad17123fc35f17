"""借据 · The loan as it is stored (F13): its events, and what the fold makes of them (loan_engine.md §2).

Events are the truth and only ever added. Everything else here is the fold written down, so that any figure of any day is
one SQL statement: positions and overdue lines are straight lines over stretches of days, each with the time in which it was
what we knew (`known_from`, `known_to`). A correction closes rows and adds others; nothing is deleted from these.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from domain.calculation.allocation import AllocatedComponent, Component
from domain.calculation.classification import FiveClass, LendingMode
from domain.calculation.loan.debt import InstallmentState
from domain.calculation.loan.lines import MovementKind
from domain.calculation.schedule import Method
from domain.configuration.loan_product import LoanKind
from domain.kernel.feed import Json
from domain.kernel.scope import Managed, Reach, Through
from domain.kernel.table import Keyed, Moment, MoneyColumn, RateColumn, TenantTable, WholeColumn, choice, uuid7

STILL_KNOWN: Any = literal_column("'infinity'::timestamptz")
"""`known_to` of what we know now: `Row.known_to == STILL_KNOWN`, answered by the partial indexes."""

CURRENT = text("known_to = 'infinity'")
CORRECTED = text("known_to <> 'infinity'")


class LoanState(StrEnum):
    """借据状态 · "Overdue" is beyond grace; from NON_ACCRUAL on interest is kept off balance."""

    PENDING = "PENDING"
    """待放款 Not paid out yet."""
    ACTIVE = "ACTIVE"
    """正常 Paid out and on time."""
    OVERDUE = "OVERDUE"
    """逾期 Beyond grace."""
    NON_ACCRUAL = "NON_ACCRUAL"
    """非应计 Interest is kept off balance."""
    SETTLED = "SETTLED"
    """已结清 Repaid."""
    WRITTEN_OFF = "WRITTEN_OFF"
    """已核销 Given up in the books, still claimed."""
    TRANSFERRED = "TRANSFERRED"
    """已转让 Belongs to somebody else."""


class EventType(StrEnum):
    """事件 · What happens to a loan; the payload of each is described in `events.py`."""

    PAYOUT = "PAYOUT"
    RECEIPT = "RECEIPT"
    REVERSAL = "REVERSAL"
    WAIVER = "WAIVER"
    FEE = "FEE"
    AMENDMENT = "AMENDMENT"
    EXTENSION = "EXTENSION"
    MISUSE_RATE = "MISUSE_RATE"
    ACCELERATION = "ACCELERATION"
    WRITE_OFF = "WRITE_OFF"
    REFUND = "REFUND"


class Loan(Keyed):
    """One loan. `terms` is what was agreed and never changes; the columns from `state` on are the fold at the open day."""

    __tablename__ = "loans"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_loans_customer_id", "customer_id"),
        Index("ix_loans_contract_id", "contract_id"),
        Index("ix_loans_manager_id", "manager_id"),
        Index(
            "ix_loans_entrusted", "entrusted_contract_id", postgresql_where=text("entrusted_contract_id is not null")
        ),
        Index("ix_loans_next_action_on", "next_action_on", "id"),
        Index("ix_loans_overdue", "days_past_due_since", postgresql_where=text("days_past_due_since is not null")),
        Index("ix_loans_value_date", "value_date", "id"),
        Index("ix_loans_maturity_date", "maturity_date", "id"),
        Index("ix_loans_principal", "principal", "id"),
        Index("ix_loans_principal_outstanding", "principal_outstanding", "id"),
        Index("ix_loans_longest_overdue", text("coalesce(days_past_due_since, '9999-01-01'::date)"), "id"),
    )
    reach: ClassVar[Reach] = Managed()

    number: Mapped[str] = mapped_column(String(20))
    kind: Mapped[LoanKind] = mapped_column(choice(LoanKind))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("loan_contracts.id"))
    entrusted_contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("entrusted_contracts.id"))
    disbursement_id: Mapped[UUID]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("loan_products.id"))
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    co_manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    lending_mode: Mapped[LendingMode] = mapped_column(choice(LendingMode))
    principal: Mapped[Decimal] = mapped_column(MoneyColumn)
    annual_rate: Mapped[Decimal] = mapped_column(RateColumn)
    method: Mapped[Method] = mapped_column(choice(Method))
    value_date: Mapped[date]
    maturity_date: Mapped[date]
    terms: Mapped[dict[str, Any]] = mapped_column(Json)

    state: Mapped[LoanState] = mapped_column(choice(LoanState))
    five_class: Mapped[FiveClass] = mapped_column(choice(FiveClass))
    principal_outstanding: Mapped[Decimal] = mapped_column(MoneyColumn)
    days_past_due_since: Mapped[date | None]
    next_action_on: Mapped[date | None]
    settled_on: Mapped[date | None]
    extended: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether an extension is in force (展期)."""
    known_from: Mapped[datetime | None]
    """The moment of the latest fold. Whoever waited for the loan's lock knows no earlier one (`refold.later`)."""
    overdue_spell_from: Mapped[date | None]
    """The close of day that first found it overdue; null again at the first close that does not. Only end of day writes it."""


class LoanEventRow(Keyed):
    """贷款事件 · One thing that happened, never changed. `created_at` is when it was booked."""

    __tablename__ = "loan_events"
    __table_args__ = (UniqueConstraint("loan_id", "sequence"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    sequence: Mapped[int]
    type: Mapped[EventType] = mapped_column(choice(EventType))
    value_date: Mapped[date]
    business_date: Mapped[date]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    company_account_id: Mapped[UUID | None]
    reference_table: Mapped[str] = mapped_column(String(63))
    reference_id: Mapped[UUID]
    actor_id: Mapped[UUID]


class PlannedRow(TenantTable):
    """还款计划 · Version 1 is the plan as signed; a prepayment or a new rate makes the next one, `event_id` says which.

    `grace_end` is the last day on which paying leaves no trace, kept here so that no edit of the calendar changes history.
    """

    __tablename__ = "plan_installments"
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[UUID]
    start_date: Mapped[date]
    due_date: Mapped[date]
    grace_end: Mapped[date]
    principal: Mapped[int] = mapped_column(BigInteger)
    interest: Mapped[int] = mapped_column(BigInteger)
    balance_after: Mapped[int] = mapped_column(BigInteger)


class InstallmentRow(TenantTable):
    """期 · The installments as they stand on the open day, in fen; penalty and compound are in the overdue lines."""

    __tablename__ = "installments"
    __table_args__ = (Index("ix_installments_due_date", "due_date"),)
    grants: ClassVar[str] = "all"
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    start_date: Mapped[date]
    due_date: Mapped[date]
    principal: Mapped[int] = mapped_column(BigInteger)
    interest: Mapped[int] = mapped_column(BigInteger)
    unpaid_principal: Mapped[int] = mapped_column(BigInteger)
    unpaid_interest: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    paid_on: Mapped[date | None]
    state: Mapped[InstallmentState] = mapped_column(choice(InstallmentState))


class AllocationRow(TenantTable):
    """分配 · What a receipt paid, as the loan is folded now; a reversed receipt keeps the lines it had."""

    __tablename__ = "allocations"
    __table_args__ = (Index("ix_allocations_loan_id", "loan_id"),)
    grants: ClassVar[str] = "all"
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    event_id: Mapped[UUID] = mapped_column(ForeignKey("loan_events.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    seq: Mapped[int | None]
    component: Mapped[AllocatedComponent] = mapped_column(choice(AllocatedComponent))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)


class Known(TenantTable):
    """What all rows of the fold share: the loan, and the time in which we knew it so."""

    __abstract__ = True
    grants: ClassVar[str] = "append"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    known_from: Mapped[datetime]
    known_to: Mapped[datetime] = mapped_column(Moment, server_default=text("'infinity'"))

    @declared_attr
    def loan_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey("loans.id"))


class PositionRow(Known):
    """余额 · A loan over a stretch of days, in fen: the state at the close of `from_date`, valid to the day before `to_date`.

    Value of the running interest on a day: (2·(num + step·days) + den) div (2·den), `days` since `from_date`.
    """

    __tablename__ = "positions"
    __table_args__ = (
        Index("uq_positions_current", "loan_id", "from_date", unique=True, postgresql_where=CURRENT),
        Index("ix_positions_day", "to_date", postgresql_where=CURRENT),
        Index("ix_positions_corrected", "loan_id", "from_date", postgresql_where=CORRECTED),
    )
    closable: ClassVar[tuple[str, ...]] = ("to_date", "known_to")
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    from_date: Mapped[date]
    to_date: Mapped[date]
    principal: Mapped[int] = mapped_column(BigInteger)
    overdue_principal: Mapped[int] = mapped_column(BigInteger)
    due_interest: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    unapplied: Mapped[int] = mapped_column(BigInteger)
    acc_num: Mapped[int] = mapped_column(WholeColumn)
    acc_step: Mapped[int] = mapped_column(WholeColumn)
    acc_den: Mapped[int] = mapped_column(WholeColumn)
    overdue_since: Mapped[date | None]
    five_class: Mapped[FiveClass] = mapped_column(choice(FiveClass))
    non_accrual: Mapped[bool] = mapped_column(Boolean)
    settled: Mapped[bool] = mapped_column(Boolean)
    next_action_on: Mapped[date | None]


class OverdueLineRow(Known):
    """逾期行 · Penalty and compound of one installment over a stretch of days; read as the running interest above."""

    __tablename__ = "overdue_lines"
    __table_args__ = (
        Index("uq_overdue_lines_current", "loan_id", "seq", "from_date", unique=True, postgresql_where=CURRENT),
        Index("ix_overdue_lines_day", "to_date", postgresql_where=CURRENT),
        Index("ix_overdue_lines_corrected", "loan_id", "from_date", postgresql_where=CORRECTED),
    )
    closable: ClassVar[tuple[str, ...]] = ("to_date", "known_to")
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    seq: Mapped[int]
    from_date: Mapped[date]
    to_date: Mapped[date]
    pen_num: Mapped[int] = mapped_column(WholeColumn)
    pen_step: Mapped[int] = mapped_column(WholeColumn)
    comp_num: Mapped[int] = mapped_column(WholeColumn)
    comp_step: Mapped[int] = mapped_column(WholeColumn)
    den: Mapped[int] = mapped_column(WholeColumn)


class MovementRow(Known):
    """流水 · One thing that happened to a component on a day, in fen. `seq` is null for what belongs to no installment."""

    __tablename__ = "movements"
    __table_args__ = (
        Index("ix_movements_loan", "loan_id", "value_date", postgresql_where=CURRENT),
        Index("ix_movements_day", "value_date", "kind", postgresql_where=CURRENT),
    )
    closable: ClassVar[tuple[str, ...]] = ("known_to",)
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    value_date: Mapped[date]
    seq: Mapped[int | None]
    component: Mapped[Component | None] = mapped_column(choice(Component))
    kind: Mapped[MovementKind] = mapped_column(choice(MovementKind))
    amount: Mapped[int] = mapped_column(BigInteger)
    event_id: Mapped[UUID | None]


class QuarantinedLoan(Keyed):
    """隔离 · A loan that could not be carried into a day, and why. It is tried again at the next one."""

    __tablename__ = "quarantined_loans"
    __table_args__ = (
        Index("uq_quarantined_loans_open", "loan_id", "on", unique=True, postgresql_where=text("released_at is null")),
        Index("ix_quarantined_loans_on", "on"),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    released_at: Mapped[datetime | None]
