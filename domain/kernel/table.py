"""表 · The base of every table in a lender's schema, and the column types all of them share.

Rules (design.md §2, checked by tests/architecture/test_tables.py): no native enum, domain, trigger, identity or foreign key
across schemas; text + CHECK; UUIDv7 made in Python; unqualified names. What a lender's own login may do with a table is said
on the table and granted from there (`grants`), so a forgotten word fails closed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import uuid_utils
from sqlalchemy import DateTime, Enum, MetaData, Numeric, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

MoneyColumn = Numeric(18, 2)  # CNY, two places
RateColumn = Numeric(12, 8)  # decimal fraction: 0.12 is 12 % a year
WholeColumn = Numeric(38, 0)  # numerators of the loan engine (loan_engine.md §2: bigint ends at 40 m)
Moment = DateTime(timezone=True)


def uuid7() -> UUID:
    """A time-ordered key, made here and not in the database."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def choice(values: type[StrEnum], name: str = "") -> Enum:
    """A text column that may hold the values of one enumeration only (text + CHECK, never a native type).

    `name` tells the checks apart where a table has two columns of one enumeration."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=name or values.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )


class TenantTable(DeclarativeBase):
    """One table of a lender's schema. The key is `id` unless the table says otherwise.

    `grants`: "change" (SELECT, INSERT, UPDATE), "append" (SELECT, INSERT) or "all" (with DELETE).
    `closable`: columns of an append-only table that may still be written once, e.g. `known_to`.
    `scope`: how a viewer's data scope reaches the rows, see `domain.kernel.scope`.
    """

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {UUID: Uuid(), datetime: Moment}

    grants: ClassVar[str] = "change"
    closable: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if table is not None:
            table.info["module"] = cls.__module__.split(".")[1]
            table.info["grants"] = cls.grants
            table.info["closable"] = cls.closable
            table.info["entity"] = cls


class Keyed(TenantTable):
    """A table whose key is a UUIDv7 `id`, with the moment of its making (the lender's clock)."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-100)
    created_at: Mapped[datetime] = mapped_column(sort_order=900)
