"""目录 · The catalog: the tables all lenders share. They hold no customer and no money.

`info["app"]` says what the login of the processes that answer requests may do with a table; what is not said is
refused.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Uuid,
    text,
)

CATALOG = "catalog"
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(schema=CATALOG, naming_convention=NAMING)


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


def _moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


installation = Table(
    "installation",
    metadata,
    Column("id", String(12), primary_key=True),
    _moment("created_at"),
    info={"app": "SELECT"},
)

lenders = Table(
    "lenders",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(31), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("licence_type", String(40), nullable=False),
    Column("status", String(40), nullable=False),
    Column("sandbox", Boolean, nullable=False),
    # The business date as last told; the truth lies in the lender's own schema. It spares operators' lists a look
    # into each.
    Column("business_date", Date, nullable=False),
    # Placement: the name of the PostgreSQL server that holds the schema.
    Column("server", String(40), nullable=False),
    Column("password_generation", Integer, nullable=False),
    _moment("created_at"),
    _one_of("licence_type", "TRADITIONAL", "ONLINE", "AGRICULTURAL"),
    _one_of("status", "PROVISIONING", "ACTIVE", "SUSPENDED", "CLOSED"),
    info={"app": "SELECT", "app_update": ("status", "business_date")},
)

migration_states = Table(
    "migration_states",
    metadata,
    Column("lender_id", ForeignKey("catalog.lenders.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", String(80), nullable=True),
    Column("state", String(40), nullable=False),
    Column("reason", Text, nullable=True),
    _moment("changed_at"),
    _one_of("state", "DONE", "FAILED"),
    info={"app": "SELECT"},
)

provisioning_requests = Table(
    "provisioning_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", String(31), nullable=False),
    Column("name", String(200), nullable=False),
    Column("licence_type", String(40), nullable=False),
    Column("net_assets", Numeric(18, 2), nullable=False),
    Column("open_on", Date, nullable=False),
    Column("admin_username", String(100), nullable=False),
    # Argon2id of the administrator's password: the password itself never reaches the catalog.
    Column("admin_password_hash", String(300), nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("state", String(40), nullable=False),
    Column("reason_code", String(60), nullable=True),
    Column("reason", Text, nullable=True),
    Column("lender_id", Uuid, nullable=True),
    _moment("created_at"),
    _moment("finished_at", nullable=True),
    _one_of("licence_type", "TRADITIONAL", "ONLINE", "AGRICULTURAL"),
    _one_of("state", "PENDING", "DONE", "FAILED"),
    Index("ix_provisioning_requests_pending", "created_at", postgresql_where=text("state = 'PENDING'")),
    info={"app": "SELECT, INSERT"},
)

operators = Table(
    "operators",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", String(100), nullable=False, unique=True),
    Column("password_hash", String(300), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failed_sign_ins", Integer, nullable=False),
    _moment("locked_until", nullable=True),
    _moment("created_at"),
    # No INSERT: an operator is made on the command line with the owner's login only.
    info={"app": "SELECT", "app_update": ("password_hash", "failed_sign_ins", "locked_until")},
)

operator_sessions = Table(
    "operator_sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("operator_id", ForeignKey("catalog.operators.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("revoked_at", nullable=True),
    info={"app": "SELECT, INSERT", "app_update": ("expires_at", "revoked_at")},
)

operator_actions = Table(
    "operator_actions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("operator_id", ForeignKey("catalog.operators.id"), nullable=False, index=True),
    Column("action", String(60), nullable=False),
    Column("lender_code", String(31), nullable=True),
    Column("reason", Text, nullable=True),
    _moment("at"),
    info={"app": "SELECT, INSERT"},
)

job_hints = Table(
    "job_hints",
    metadata,
    Column("lender_id", ForeignKey("catalog.lenders.id", ondelete="CASCADE"), primary_key=True),
    _moment("due_at"),
    Index(None, "due_at"),
    info={"app": "SELECT, INSERT, DELETE", "app_update": ("due_at",)},
)

# What all processes count together (tenancy/shared_limits.py). Unlogged: quick to write, and lost with a crash of the
# server, after which everybody begins at nothing.

rate_windows = Table(
    "rate_windows",
    metadata,
    # What is counted, and whose: "sign-ins:192.0.2.1", "requests:<person>".
    Column("name", String(100), primary_key=True),
    _moment("begun_at"),
    Column("taken", Integer, nullable=False),
    prefixes=["UNLOGGED"],
    info={"app": "SELECT, INSERT, DELETE", "app_update": ("begun_at", "taken")},
)

api_processes = Table(
    "api_processes",
    metadata,
    Column("id", Uuid, primary_key=True),
    # The heartbeat. Sockets of a process that has none for a while no longer count.
    _moment("alive_at"),
    prefixes=["UNLOGGED"],
    info={"app": "SELECT, INSERT, DELETE", "app_update": ("alive_at",)},
)

open_sockets = Table(
    "open_sockets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("process_id", ForeignKey("catalog.api_processes.id", ondelete="CASCADE"), nullable=False, index=True),
    # Null for the platform's operators.
    Column("lender_id", Uuid, nullable=True),
    Column("person_id", Uuid, nullable=False),
    prefixes=["UNLOGGED"],
    info={"app": "SELECT, INSERT, DELETE"},
)
