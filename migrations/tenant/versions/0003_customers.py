"""customers: 7 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0003_customers"
down_revision = "0002_organization"


def upgrade() -> None:
    op.create_table(
        "blacklisted_parties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_fingerprint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("id_number_masked", sa.String(length=40), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(id_number_sealed is null) <> (uscc is null)", name=op.f("ck_blacklisted_parties_one_identifier")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blacklisted_parties")),
    )
    op.create_index(
        op.f("ix_blacklisted_parties_id_number_fingerprint"),
        "blacklisted_parties",
        ["id_number_fingerprint"],
        unique=False,
    )
    op.create_index(op.f("ix_blacklisted_parties_uscc"), "blacklisted_parties", ["uscc"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_sort", sa.String(length=400), nullable=False),
        sa.Column("mobile_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mobile_fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mobile_masked", sa.String(length=40), nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=True),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("co_manager_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('INDIVIDUAL', 'ENTERPRISE')", name=op.f("ck_customers_customerkind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("number", name=op.f("uq_customers_number")),
    )
    op.create_index(op.f("ix_customers_co_manager_id"), "customers", ["co_manager_id"], unique=False)
    op.create_index(op.f("ix_customers_department_id"), "customers", ["department_id"], unique=False)
    op.create_index(op.f("ix_customers_manager_id"), "customers", ["manager_id"], unique=False)
    op.create_index(op.f("ix_customers_mobile_fingerprint"), "customers", ["mobile_fingerprint"], unique=False)
    op.create_index(op.f("ix_customers_name"), "customers", ["name_sort", "id"], unique=False)
    op.create_table(
        "consent_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "type IN ('PERSONAL_DATA', 'CREDIT_BUREAU', 'SENSITIVE_DATA', 'MARKETING')",
            name=op.f("ck_consent_records_consenttype"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_consent_records_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_records")),
        sa.UniqueConstraint("customer_id", "type", "version", name=op.f("uq_consent_records_customer_id_type_version")),
    )
    op.create_table(
        "emergency_contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("relation", sa.String(length=30), nullable=False),
        sa.Column("mobile_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mobile_masked", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_emergency_contacts_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_contacts")),
    )
    op.create_index(op.f("ix_emergency_contacts_customer_id"), "emergency_contacts", ["customer_id"], unique=False)
    op.create_table(
        "enterprise_customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("legal_representative", sa.String(length=60), nullable=False),
        sa.Column("legal_representative_id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("legal_representative_id_number_masked", sa.String(length=40), nullable=True),
        sa.Column("industry_code", sa.String(length=10), nullable=True),
        sa.Column("registered_capital", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["customers.id"], name=op.f("fk_enterprise_customers_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_customers")),
        sa.UniqueConstraint("uscc", name=op.f("uq_enterprise_customers_uscc")),
    )
    op.create_table(
        "individual_customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("id_number_masked", sa.String(length=40), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(length=40), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_masked", sa.String(length=40), nullable=True),
        sa.Column("farmer", sa.Boolean(), nullable=False),
        sa.Column("employer", sa.String(length=100), nullable=True),
        sa.Column("monthly_income", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.CheckConstraint("sex IN ('MALE', 'FEMALE')", name=op.f("ck_individual_customers_sex")),
        sa.ForeignKeyConstraint(["id"], ["customers.id"], name=op.f("fk_individual_customers_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_individual_customers")),
        sa.UniqueConstraint("id_number_fingerprint", name=op.f("uq_individual_customers_id_number_fingerprint")),
    )
    op.create_table(
        "related_parties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_fingerprint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("id_number_masked", sa.String(length=40), nullable=True),
        sa.Column("mobile_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("mobile_masked", sa.String(length=40), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("share", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "relation IN ('SPOUSE', 'CONTROLLER', 'SHAREHOLDER')", name=op.f("ck_related_parties_relation")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_related_parties_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_related_parties")),
    )
    op.create_index(op.f("ix_related_parties_customer_id"), "related_parties", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_related_parties_id_number_fingerprint"), "related_parties", ["id_number_fingerprint"], unique=False
    )
    op.create_index(op.f("ix_related_parties_name"), "related_parties", ["name"], unique=False)
    op.create_index(op.f("ix_related_parties_uscc"), "related_parties", ["uscc"], unique=False)
