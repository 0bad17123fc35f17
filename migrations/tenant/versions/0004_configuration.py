"""configuration: 8 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_configuration"
down_revision = "0003_customers"


def upgrade() -> None:
    op.create_table(
        "agreements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "type IN ('PERSONAL_DATA', 'CREDIT_BUREAU', 'SENSITIVE_DATA', 'MARKETING')",
            name=op.f("ck_agreements_consenttype"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("type", "version", name=op.f("uq_agreements_type_version")),
    )
    op.create_table(
        "calendar_days",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('HOLIDAY', 'MAKEUP_WORKDAY', 'ORDINARY')", name=op.f("ck_calendar_days_daykind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_days")),
        sa.UniqueConstraint("on", name=op.f("uq_calendar_days_on")),
    )
    op.create_table(
        "company_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("bank", sa.String(length=100), nullable=False),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_last4", sa.String(length=4), nullable=False),
        sa.Column("uses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("gl_account", sa.String(length=10), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_accounts")),
        sa.UniqueConstraint("account_fingerprint", name=op.f("uq_company_accounts_account_fingerprint")),
    )
    op.create_table(
        "loan_products",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("min_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("max_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("min_periods", sa.Integer(), nullable=False),
        sa.Column("max_periods", sa.Integer(), nullable=False),
        sa.Column("period_unit", sa.String(length=40), nullable=False),
        sa.Column("min_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("max_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("methods", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("interest_basis", sa.String(length=40), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("penalty_multiplier", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("compound", sa.Boolean(), nullable=False),
        sa.Column("allocation_order", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("allocation_strategy", sa.String(length=40), nullable=False),
        sa.Column("lending_modes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepayment_fee_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("amortization_periods", sa.Integer(), nullable=True),
        sa.Column("settlement_day", sa.Integer(), nullable=True),
        sa.Column("first_settlement_min_days", sa.Integer(), nullable=True),
        sa.Column("holiday_rule", sa.String(length=40), nullable=False),
        sa.Column("workflow_code", sa.String(length=40), nullable=True),
        sa.Column("facility_months", sa.Integer(), nullable=True),
        sa.Column("drawdown_tail_days", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "allocation_strategy IN ('BY_INSTALLMENT', 'BY_COMPONENT')", name=op.f("ck_loan_products_strategy")
        ),
        sa.CheckConstraint("holiday_rule IN ('NONE', 'NEXT_BUSINESS_DAY')", name=op.f("ck_loan_products_holidayrule")),
        sa.CheckConstraint(
            "interest_basis IN ('PERIODIC', 'ACTUAL_360', 'ACTUAL_365')", name=op.f("ck_loan_products_basis")
        ),
        sa.CheckConstraint("kind IN ('NORMAL', 'REVOLVING', 'ENTRUSTED')", name=op.f("ck_loan_products_loankind")),
        sa.CheckConstraint(
            "period_unit IN ('DAY', 'WEEK', 'MONTH', 'QUARTER', 'HALF_YEAR')", name=op.f("ck_loan_products_periodunit")
        ),
        sa.CheckConstraint("state IN ('ACTIVE', 'SUPERSEDED', 'RETIRED')", name=op.f("ck_loan_products_productstate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_products")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_loan_products_code_version")),
    )
    op.create_table(
        "parameters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('PROPOSED', 'APPROVED', 'REJECTED')", name=op.f("ck_parameters_parameterstate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parameters")),
    )
    op.create_index(op.f("ix_parameters_in_force"), "parameters", ["code", "effective_from"], unique=False)
    op.create_table(
        "purposes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("use", sa.String(length=40), nullable=False),
        sa.Column("forbidden", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("use IN ('CONSUMPTION', 'BUSINESS')", name=op.f("ck_purposes_purposeuse")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purposes")),
        sa.UniqueConstraint("code", name=op.f("uq_purposes_code")),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_templates_code_version")),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("subject_table", sa.String(length=63), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("template_version", sa.Integer(), nullable=True),
        sa.Column("data_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_documents_template_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["employees.id"], name=op.f("fk_documents_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_application"), "documents", ["application_id"], unique=False)
    op.create_index(op.f("ix_documents_sha256"), "documents", ["sha256"], unique=False)
    op.create_index(op.f("ix_documents_subject"), "documents", ["subject_id"], unique=False)
