"""委托合同 · The table of entrusted contracts. How much money there is stands in the vouchers, never here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.scope import Managed, Reach
from domain.kernel.table import Keyed, MoneyColumn, RateColumn


class EntrustedContract(Keyed):
    """委托合同 · The entrustor gives `amount` to be lent to a borrower of his choice at `annual_rate`, all of which is his; he
    pays the lender `one_off_fee_rate` of what is paid out, and `interest_fee_rate` of the interest that comes in."""

    __tablename__ = "entrusted_contracts"
    __table_args__ = (
        Index("ix_entrusted_contracts_entrustor", "entrustor_id"),
        Index("ix_entrusted_contracts_borrower", "borrower_id"),
        Index("ix_entrusted_contracts_manager", "manager_id"),
    )
    reach: ClassVar[Reach] = Managed(people=("manager_id", "maker_id"), offered=True)

    number: Mapped[str] = mapped_column(String(20), unique=True)
    entrustor_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    borrower_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    annual_rate: Mapped[Decimal] = mapped_column(RateColumn)
    one_off_fee_rate: Mapped[Decimal] = mapped_column(RateColumn)
    interest_fee_rate: Mapped[Decimal] = mapped_column(RateColumn)
    instruction_letter: Mapped[str] = mapped_column(String(100))
    source_proof: Mapped[str] = mapped_column(String(500))
    purpose: Mapped[str] = mapped_column(String(500))
    signed_on: Mapped[date]
    maker_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
