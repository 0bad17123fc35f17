"""collateral: 2 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0009_collateral"
down_revision = "0008_ledger"


def upgrade() -> None:
    op.create_table(
        "mortgages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("asset_type", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("certificate_number", sa.String(length=100), nullable=False),
        sa.Column("secured_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("appraised_value", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("appraised_on", sa.Date(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("registration_number", sa.String(length=100), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "asset_type IN ('RESIDENTIAL', 'COMMERCIAL', 'LAND', 'FACTORY', 'VEHICLE', 'MACHINERY', 'INVENTORY')",
            name=op.f("ck_mortgages_assettype"),
        ),
        sa.CheckConstraint(
            "state IN ('REGISTERING', 'EFFECTIVE', 'RELEASING', 'RELEASED', 'REPOSSESSED')",
            name=op.f("ck_mortgages_mortgagestate"),
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["loan_contracts.id"], name=op.f("fk_mortgages_contract_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_mortgages_customer_id")),
        sa.ForeignKeyConstraint(["maker_id"], ["employees.id"], name=op.f("fk_mortgages_maker_id")),
        sa.ForeignKeyConstraint(["registered_by"], ["employees.id"], name=op.f("fk_mortgages_registered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mortgages")),
        sa.UniqueConstraint("number", name=op.f("uq_mortgages_number")),
    )
    op.create_index(op.f("ix_mortgages_certificate"), "mortgages", ["certificate_number"], unique=False)
    op.create_index(op.f("ix_mortgages_customer_id"), "mortgages", ["customer_id"], unique=False)
    op.create_index(
        op.f("uq_mortgages_contract"),
        "mortgages",
        ["contract_id", "certificate_number"],
        unique=True,
        postgresql_where="state in ('REGISTERING', 'EFFECTIVE', 'RELEASING')",
    )
    op.create_index(
        op.f("uq_mortgages_registration"),
        "mortgages",
        ["registration_number"],
        unique=True,
        postgresql_where="state in ('REGISTERING', 'EFFECTIVE', 'RELEASING')",
    )
    op.create_table(
        "repossessed_assets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("mortgage_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("agreement_number", sa.String(length=100), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('IN_REVIEW', 'HELD', 'REJECTED', 'WITHDRAWN', 'REVERSED')",
            name=op.f("ck_repossessed_assets_repossessionstate"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_repossessed_assets_customer_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_repossessed_assets_decided_by")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_repossessed_assets_loan_id")),
        sa.ForeignKeyConstraint(["mortgage_id"], ["mortgages.id"], name=op.f("fk_repossessed_assets_mortgage_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_repossessed_assets_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repossessed_assets")),
        sa.UniqueConstraint("number", name=op.f("uq_repossessed_assets_number")),
    )
    op.create_index(op.f("ix_repossessed_assets_event_id"), "repossessed_assets", ["event_id"], unique=False)
    op.create_index(op.f("ix_repossessed_assets_loan_id"), "repossessed_assets", ["loan_id"], unique=False)
    op.create_index(
        op.f("uq_repossessed_assets_living"),
        "repossessed_assets",
        ["mortgage_id"],
        unique=True,
        postgresql_where="state in ('IN_REVIEW', 'HELD')",
    )
