"""ledger: 5 tables. Drawn by `python -m migrations.draft` before the first release."""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_ledger"
down_revision = "0007_finance"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("by_sub", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE', 'OFF_BALANCE')",
            name=op.f("ck_accounts_accountkind"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_accounts")),
    )
    op.create_table(
        "proof_results",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("proof", sa.String(length=40), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("difference_count", sa.Integer(), nullable=False),
        sa.Column("differences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "proof IN ('VOUCHERS', 'NUMBERS', 'POSITIONS', 'BALANCES', 'SUB_LEDGER', 'ACCRUALS', 'SCHEDULES', 'ALLOCATIONS', 'CASH', 'PROVISIONS', 'ENTRUSTED', 'COLLATERAL')",
            name=op.f("ck_proof_results_proof"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_results")),
    )
    op.create_index(op.f("uq_proof_results_day"), "proof_results", ["on", "proof"], unique=True)
    op.create_table(
        "vouchers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("reference_table", sa.String(length=63), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("debit_total", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("credit_total", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("debit_total = credit_total", name=op.f("ck_vouchers_balanced")),
        sa.ForeignKeyConstraint(["reverses_id"], ["vouchers.id"], name=op.f("fk_vouchers_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("year", "sequence", name=op.f("uq_vouchers_year_sequence")),
    )
    op.create_index(op.f("ix_vouchers_business_date"), "vouchers", ["business_date"], unique=False)
    op.create_index(op.f("ix_vouchers_event_id"), "vouchers", ["event_id"], unique=False)
    op.create_index(op.f("ix_vouchers_reference"), "vouchers", ["reference_table", "reference_id"], unique=False)
    op.create_table(
        "account_days",
        sa.Column("account", sa.String(length=10), nullable=False),
        sa.Column("sub_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("debit", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("credit", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.code"], name=op.f("fk_account_days_account")),
        sa.PrimaryKeyConstraint("account", "sub_id", "on", name=op.f("pk_account_days")),
    )
    op.create_table(
        "voucher_lines",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=10), nullable=False),
        sa.Column("sub_id", sa.Uuid(), nullable=True),
        sa.Column("debit", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("credit", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.CheckConstraint(
            "debit >= 0 and credit >= 0 and (debit = 0) <> (credit = 0)", name=op.f("ck_voucher_lines_one_side")
        ),
        sa.ForeignKeyConstraint(["account"], ["accounts.code"], name=op.f("fk_voucher_lines_account")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_voucher_lines_voucher_id")),
        sa.PrimaryKeyConstraint("voucher_id", "line", name=op.f("pk_voucher_lines")),
    )
    op.create_index(op.f("ix_voucher_lines_sub"), "voucher_lines", ["sub_id", "account"], unique=False)
