"""business_day: 2 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_business_day"
down_revision = "0011_home"


def upgrade() -> None:
    op.create_table(
        "business_days",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("loans_advanced", sa.Integer(), nullable=False),
        sa.Column("loans_set_aside", sa.Integer(), nullable=False),
        sa.Column("became_overdue", sa.Integer(), nullable=False),
        sa.Column("alerts_raised", sa.Integer(), nullable=False),
        sa.Column("ledger_balanced", sa.Boolean(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('OPEN', 'CLOSING', 'CLOSED', 'FAILED')", name=op.f("ck_business_days_businessdaystate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_days")),
        sa.UniqueConstraint("date", name=op.f("uq_business_days_date")),
    )
    op.create_table(
        "day_steps",
        sa.Column("day_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=60), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["day_id"], ["business_days.id"], name=op.f("fk_day_steps_day_id")),
        sa.PrimaryKeyConstraint("day_id", "step", name=op.f("pk_day_steps")),
    )
