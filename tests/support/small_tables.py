"""A small lender for tests about the walls: one table of each kind of right, in a line of migrations of its own."""

from pathlib import Path

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Integer, MetaData, Numeric, String, Table

from migrations.draft import draft
from migrations.line import Line
from tenancy.provision import Blueprint, Fill
from tests.support.lenders import nothing

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

customers = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, index=True),
    info={"module": "customers", "grants": "change"},
)
entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("amount", Numeric(18, 2), nullable=False),
    Column("known_to", Date),
    CheckConstraint("amount > 0", name="positive"),
    info={"module": "ledger", "grants": "append", "closable": ("known_to",)},
)
drafts = Table(
    "drafts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", String(100), unique=True),
    info={"module": "home", "grants": "all"},
)


def small_line(folder: Path) -> Line:
    """The migrations of these tables, drawn into the folder."""
    draft(metadata, folder)
    return Line(folder)


def blueprint_of(line: Line, fill: Fill = nothing) -> Blueprint:
    return Blueprint(line.text(None), line.head, metadata, fill)
