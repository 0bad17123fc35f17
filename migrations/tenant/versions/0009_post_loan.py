"""post_loan: 1 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_post_loan"
down_revision = "0008_ledger"


def upgrade() -> None:
    op.create_table(
        "customer_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("bank", sa.String(length=100), nullable=False),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_last4", sa.String(length=4), nullable=False),
        sa.Column("purposes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_accounts_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_accounts")),
        sa.UniqueConstraint(
            "customer_id", "account_fingerprint", name=op.f("uq_customer_accounts_customer_id_account_fingerprint")
        ),
    )
    op.create_foreign_key(
        "fk_disbursements_customer_account_id", "disbursements", "customer_accounts", ["customer_account_id"], ["id"]
    )
    op.create_foreign_key(
        "fk_bank_orders_customer_account_id", "bank_orders", "customer_accounts", ["customer_account_id"], ["id"]
    )
