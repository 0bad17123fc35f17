"""collateral: 1 tables. Drawn by `python -m migrations.draft` before the first release."""

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
