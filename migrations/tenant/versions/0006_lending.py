"""lending: 19 tables. Drawn by `python -m migrations.draft` before the first release."""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_lending"
down_revision = "0005_workflow"


def upgrade() -> None:
    op.create_table(
        "credit_facilities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("credit_limit", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("annual_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("min_drawdown", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("max_drawdown", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("max_periods", sa.Integer(), nullable=False),
        sa.Column("lending_mode", sa.String(length=40), nullable=False),
        sa.Column("purpose_code", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=True),
        sa.Column("papers_valid_until", sa.Date(), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("co_manager_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("granted_on", sa.Date(), nullable=True),
        sa.Column("frozen_on", sa.Date(), nullable=True),
        sa.Column("frozen_causes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("frozen_reason", sa.String(length=500), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("guards", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "lending_mode IN ('CREDIT', 'GUARANTEE', 'MORTGAGE', 'PLEDGE', 'COMBINED')",
            name=op.f("ck_credit_facilities_lendingmode"),
        ),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'APPROVING', 'ACTIVE', 'FROZEN', 'EXPIRED', 'CANCELLED')",
            name=op.f("ck_credit_facilities_facilitystate"),
        ),
        sa.ForeignKeyConstraint(["co_manager_id"], ["employees.id"], name=op.f("fk_credit_facilities_co_manager_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_credit_facilities_customer_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_credit_facilities_department_id")),
        sa.ForeignKeyConstraint(["maker_id"], ["employees.id"], name=op.f("fk_credit_facilities_maker_id")),
        sa.ForeignKeyConstraint(["manager_id"], ["employees.id"], name=op.f("fk_credit_facilities_manager_id")),
        sa.ForeignKeyConstraint(["product_id"], ["loan_products.id"], name=op.f("fk_credit_facilities_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_facilities")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_facilities_number")),
    )
    op.create_index(op.f("ix_credit_facilities_customer"), "credit_facilities", ["customer_id"], unique=False)
    op.create_index(op.f("ix_credit_facilities_ends_on"), "credit_facilities", ["ends_on", "id"], unique=False)
    op.create_index(
        op.f("ix_credit_facilities_live"),
        "credit_facilities",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state in ('ACTIVE', 'FROZEN')"),
    )
    op.create_index(op.f("ix_credit_facilities_manager"), "credit_facilities", ["manager_id"], unique=False)
    op.create_table(
        "entrusted_contracts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("entrustor_id", sa.Uuid(), nullable=False),
        sa.Column("borrower_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("annual_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("one_off_fee_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("interest_fee_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("instruction_letter", sa.String(length=100), nullable=False),
        sa.Column("source_proof", sa.String(length=500), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["borrower_id"], ["customers.id"], name=op.f("fk_entrusted_contracts_borrower_id")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_entrusted_contracts_department_id")
        ),
        sa.ForeignKeyConstraint(["entrustor_id"], ["customers.id"], name=op.f("fk_entrusted_contracts_entrustor_id")),
        sa.ForeignKeyConstraint(["maker_id"], ["employees.id"], name=op.f("fk_entrusted_contracts_maker_id")),
        sa.ForeignKeyConstraint(["manager_id"], ["employees.id"], name=op.f("fk_entrusted_contracts_manager_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrusted_contracts")),
        sa.UniqueConstraint("number", name=op.f("uq_entrusted_contracts_number")),
    )
    op.create_index(op.f("ix_entrusted_contracts_borrower"), "entrusted_contracts", ["borrower_id"], unique=False)
    op.create_index(op.f("ix_entrusted_contracts_entrustor"), "entrusted_contracts", ["entrustor_id"], unique=False)
    op.create_index(op.f("ix_entrusted_contracts_manager"), "entrusted_contracts", ["manager_id"], unique=False)
    op.create_table(
        "facility_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("credit_limit", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("causes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "type IN ('GRANTED', 'LIMIT_CHANGED', 'FROZEN', 'UNFROZEN', 'REVIEWED', 'EXPIRED', 'CANCELLED')",
            name=op.f("ck_facility_events_facilityeventtype"),
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["credit_facilities.id"], name=op.f("fk_facility_events_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_events")),
    )
    op.create_index(op.f("ix_facility_events_facility"), "facility_events", ["facility_id", "id"], unique=False)
    op.create_table(
        "facility_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("limit_before", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("limit_after", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('GRANT', 'LIMIT_CHANGE', 'UNFREEZE')", name=op.f("ck_facility_requests_requestkind")
        ),
        sa.CheckConstraint(
            "state IN ('IN_REVIEW', 'APPROVED', 'REJECTED', 'RETURNED', 'WITHDRAWN')",
            name=op.f("ck_facility_requests_requeststate"),
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["credit_facilities.id"], name=op.f("fk_facility_requests_facility_id")
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_facility_requests_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_requests")),
    )
    op.create_index(op.f("ix_facility_requests_facility"), "facility_requests", ["facility_id", "id"], unique=False)
    op.create_index(
        op.f("uq_facility_requests_open"),
        "facility_requests",
        ["facility_id"],
        unique=True,
        postgresql_where=sa.text("state = 'IN_REVIEW'"),
    )
    op.create_table(
        "facility_reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.Column("new_limit", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('KEEP', 'LOWER', 'FREEZE', 'CANCEL')", name=op.f("ck_facility_reviews_reviewoutcome")
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["credit_facilities.id"], name=op.f("fk_facility_reviews_facility_id")
        ),
        sa.ForeignKeyConstraint(["reviewed_by"], ["employees.id"], name=op.f("fk_facility_reviews_reviewed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_reviews")),
    )
    op.create_index(op.f("ix_facility_reviews_facility"), "facility_reviews", ["facility_id", "id"], unique=False)
    op.create_table(
        "loan_applications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=True),
        sa.Column("entrusted_contract_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("periods", sa.Integer(), nullable=False),
        sa.Column("annual_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("purpose_code", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("lending_mode", sa.String(length=40), nullable=False),
        sa.Column("repayment_source", sa.String(length=500), nullable=True),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("co_manager_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("approved_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("approved_periods", sa.Integer(), nullable=True),
        sa.Column("approved_annual_rate", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("approved_method", sa.String(length=40), nullable=True),
        sa.Column("approved_conditions", sa.Text(), nullable=True),
        sa.Column("approved_valid_until", sa.Date(), nullable=True),
        sa.Column("guards", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "approved_method IN ('EQUAL_INSTALLMENT', 'EQUAL_PRINCIPAL', 'INTEREST_ONLY', 'BULLET', 'EQUAL_PRINCIPAL_EQUAL_INTEREST', 'BALLOON', 'CUSTOM')",
            name=op.f("ck_loan_applications_approved_method"),
        ),
        sa.CheckConstraint(
            "lending_mode IN ('CREDIT', 'GUARANTEE', 'MORTGAGE', 'PLEDGE', 'COMBINED')",
            name=op.f("ck_loan_applications_lendingmode"),
        ),
        sa.CheckConstraint(
            "method IN ('EQUAL_INSTALLMENT', 'EQUAL_PRINCIPAL', 'INTEREST_ONLY', 'BULLET', 'EQUAL_PRINCIPAL_EQUAL_INTEREST', 'BALLOON', 'CUSTOM')",
            name=op.f("ck_loan_applications_method"),
        ),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SUBMITTED', 'ASSIGNED', 'INVESTIGATING', 'REVIEWING', 'APPROVING', 'APPROVED', 'REJECTED', 'RETURNED', 'WITHDRAWN', 'EXPIRED')",
            name=op.f("ck_loan_applications_applicationstate"),
        ),
        sa.ForeignKeyConstraint(["co_manager_id"], ["employees.id"], name=op.f("fk_loan_applications_co_manager_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_loan_applications_customer_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_loan_applications_department_id")),
        sa.ForeignKeyConstraint(
            ["entrusted_contract_id"],
            ["entrusted_contracts.id"],
            name=op.f("fk_loan_applications_entrusted_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["credit_facilities.id"], name=op.f("fk_loan_applications_facility_id")
        ),
        sa.ForeignKeyConstraint(["maker_id"], ["employees.id"], name=op.f("fk_loan_applications_maker_id")),
        sa.ForeignKeyConstraint(["manager_id"], ["employees.id"], name=op.f("fk_loan_applications_manager_id")),
        sa.ForeignKeyConstraint(["product_id"], ["loan_products.id"], name=op.f("fk_loan_applications_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_applications")),
        sa.UniqueConstraint("number", name=op.f("uq_loan_applications_number")),
    )
    op.create_index(op.f("ix_loan_applications_customer"), "loan_applications", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_loan_applications_entrusted"),
        "loan_applications",
        ["entrusted_contract_id"],
        unique=False,
        postgresql_where="entrusted_contract_id is not null",
    )
    op.create_index(
        op.f("ix_loan_applications_facility"),
        "loan_applications",
        ["facility_id", "id"],
        unique=False,
        postgresql_where="facility_id is not null",
    )
    op.create_index(op.f("ix_loan_applications_maker"), "loan_applications", ["maker_id"], unique=False)
    op.create_index(op.f("ix_loan_applications_manager"), "loan_applications", ["manager_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by", sa.Uuid(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=False),
        sa.Column("co_manager_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('ASSIGNED', 'ACCEPTED', 'REFUSED', 'REASSIGNED')", name=op.f("ck_assignments_assignmentstate")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"], ["loan_applications.id"], name=op.f("fk_assignments_application_id")
        ),
        sa.ForeignKeyConstraint(["assigned_by"], ["employees.id"], name=op.f("fk_assignments_assigned_by")),
        sa.ForeignKeyConstraint(["co_manager_id"], ["employees.id"], name=op.f("fk_assignments_co_manager_id")),
        sa.ForeignKeyConstraint(["manager_id"], ["employees.id"], name=op.f("fk_assignments_manager_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index(op.f("ix_assignments_application"), "assignments", ["application_id", "id"], unique=False)
    op.create_table(
        "loan_contracts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=True),
        sa.Column("entrusted_contract_id", sa.Uuid(), nullable=True),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("co_manager_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("amount_in_words", sa.String(length=100), nullable=False),
        sa.Column("periods", sa.Integer(), nullable=False),
        sa.Column("annual_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("lending_mode", sa.String(length=40), nullable=False),
        sa.Column("cost", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drawn_up_on", sa.Date(), nullable=False),
        sa.Column("cost_sheet_acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signing_way", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "lending_mode IN ('CREDIT', 'GUARANTEE', 'MORTGAGE', 'PLEDGE', 'COMBINED')",
            name=op.f("ck_loan_contracts_lendingmode"),
        ),
        sa.CheckConstraint(
            "method IN ('EQUAL_INSTALLMENT', 'EQUAL_PRINCIPAL', 'INTEREST_ONLY', 'BULLET', 'EQUAL_PRINCIPAL_EQUAL_INTEREST', 'BALLOON', 'CUSTOM')",
            name=op.f("ck_loan_contracts_method"),
        ),
        sa.CheckConstraint("signing_way IN ('PAPER', 'ELECTRONIC')", name=op.f("ck_loan_contracts_signingway")),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SIGNING', 'EFFECTIVE', 'SETTLED', 'TERMINATED', 'VOID')",
            name=op.f("ck_loan_contracts_contractstate"),
        ),
        sa.ForeignKeyConstraint(
            ["application_id"], ["loan_applications.id"], name=op.f("fk_loan_contracts_application_id")
        ),
        sa.ForeignKeyConstraint(["co_manager_id"], ["employees.id"], name=op.f("fk_loan_contracts_co_manager_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_loan_contracts_customer_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_loan_contracts_department_id")),
        sa.ForeignKeyConstraint(
            ["entrusted_contract_id"], ["entrusted_contracts.id"], name=op.f("fk_loan_contracts_entrusted_contract_id")
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["credit_facilities.id"], name=op.f("fk_loan_contracts_facility_id")),
        sa.ForeignKeyConstraint(["manager_id"], ["employees.id"], name=op.f("fk_loan_contracts_manager_id")),
        sa.ForeignKeyConstraint(["product_id"], ["loan_products.id"], name=op.f("fk_loan_contracts_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_contracts")),
        sa.UniqueConstraint("number", name=op.f("uq_loan_contracts_number")),
    )
    op.create_index(op.f("ix_loan_contracts_customer"), "loan_contracts", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_loan_contracts_entrusted"),
        "loan_contracts",
        ["entrusted_contract_id"],
        unique=False,
        postgresql_where="entrusted_contract_id is not null",
    )
    op.create_index(
        op.f("ix_loan_contracts_facility"),
        "loan_contracts",
        ["facility_id"],
        unique=False,
        postgresql_where="facility_id is not null",
    )
    op.create_index(
        op.f("uq_loan_contracts_living"),
        "loan_contracts",
        ["application_id"],
        unique=True,
        postgresql_where="state NOT IN ('TERMINATED', 'VOID')",
    )
    op.create_table(
        "survey_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("surveyor_id", sa.Uuid(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("proposed_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("monthly_income", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("monthly_debt_service", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["loan_applications.id"], name=op.f("fk_survey_reports_application_id")
        ),
        sa.ForeignKeyConstraint(["surveyor_id"], ["employees.id"], name=op.f("fk_survey_reports_surveyor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_reports")),
        sa.UniqueConstraint("application_id", "version", name=op.f("uq_survey_reports_application_id_version")),
    )
    op.create_table(
        "loans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("entrusted_contract_id", sa.Uuid(), nullable=True),
        sa.Column("disbursement_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("co_manager_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("lending_mode", sa.String(length=40), nullable=False),
        sa.Column("principal", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("annual_rate", sa.Numeric(precision=12, scale=8), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("maturity_date", sa.Date(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("five_class", sa.String(length=40), nullable=False),
        sa.Column("principal_outstanding", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("days_past_due_since", sa.Date(), nullable=True),
        sa.Column("next_action_on", sa.Date(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_spell_from", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "five_class IN ('NORMAL', 'SPECIAL_MENTION', 'SUBSTANDARD', 'DOUBTFUL', 'LOSS')",
            name=op.f("ck_loans_fiveclass"),
        ),
        sa.CheckConstraint("kind IN ('NORMAL', 'REVOLVING', 'ENTRUSTED')", name=op.f("ck_loans_loankind")),
        sa.CheckConstraint(
            "lending_mode IN ('CREDIT', 'GUARANTEE', 'MORTGAGE', 'PLEDGE', 'COMBINED')",
            name=op.f("ck_loans_lendingmode"),
        ),
        sa.CheckConstraint(
            "method IN ('EQUAL_INSTALLMENT', 'EQUAL_PRINCIPAL', 'INTEREST_ONLY', 'BULLET', 'EQUAL_PRINCIPAL_EQUAL_INTEREST', 'BALLOON', 'CUSTOM')",
            name=op.f("ck_loans_method"),
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'ACTIVE', 'OVERDUE', 'NON_ACCRUAL', 'SETTLED', 'WRITTEN_OFF', 'TRANSFERRED')",
            name=op.f("ck_loans_loanstate"),
        ),
        sa.ForeignKeyConstraint(["co_manager_id"], ["employees.id"], name=op.f("fk_loans_co_manager_id")),
        sa.ForeignKeyConstraint(["contract_id"], ["loan_contracts.id"], name=op.f("fk_loans_contract_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_loans_customer_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_loans_department_id")),
        sa.ForeignKeyConstraint(
            ["entrusted_contract_id"], ["entrusted_contracts.id"], name=op.f("fk_loans_entrusted_contract_id")
        ),
        sa.ForeignKeyConstraint(["manager_id"], ["employees.id"], name=op.f("fk_loans_manager_id")),
        sa.ForeignKeyConstraint(["product_id"], ["loan_products.id"], name=op.f("fk_loans_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loans")),
        sa.UniqueConstraint("number", name=op.f("uq_loans_number")),
    )
    op.create_index(op.f("ix_loans_contract_id"), "loans", ["contract_id"], unique=False)
    op.create_index(op.f("ix_loans_customer_id"), "loans", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_loans_entrusted"),
        "loans",
        ["entrusted_contract_id"],
        unique=False,
        postgresql_where=sa.text("entrusted_contract_id is not null"),
    )
    op.create_index(
        op.f("ix_loans_longest_overdue"),
        "loans",
        [sa.literal_column("coalesce(days_past_due_since, '9999-01-01'::date)"), "id"],
        unique=False,
    )
    op.create_index(op.f("ix_loans_manager_id"), "loans", ["manager_id"], unique=False)
    op.create_index(op.f("ix_loans_maturity_date"), "loans", ["maturity_date", "id"], unique=False)
    op.create_index(op.f("ix_loans_next_action_on"), "loans", ["next_action_on", "id"], unique=False)
    op.create_index(
        op.f("ix_loans_overdue"),
        "loans",
        ["days_past_due_since"],
        unique=False,
        postgresql_where=sa.text("days_past_due_since is not null"),
    )
    op.create_index(op.f("ix_loans_principal"), "loans", ["principal", "id"], unique=False)
    op.create_index(op.f("ix_loans_principal_outstanding"), "loans", ["principal_outstanding", "id"], unique=False)
    op.create_index(op.f("ix_loans_value_date"), "loans", ["value_date", "id"], unique=False)
    op.create_table(
        "installments",
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("principal", sa.BigInteger(), nullable=False),
        sa.Column("interest", sa.BigInteger(), nullable=False),
        sa.Column("unpaid_principal", sa.BigInteger(), nullable=False),
        sa.Column("unpaid_interest", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "state IN ('PENDING', 'DUE', 'PARTIAL', 'PAID', 'OVERDUE', 'OVERDUE_PARTIAL', 'WAIVED', 'WRITTEN_OFF')",
            name=op.f("ck_installments_installmentstate"),
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_installments_loan_id")),
        sa.PrimaryKeyConstraint("loan_id", "seq", name=op.f("pk_installments")),
    )
    op.create_index(op.f("ix_installments_due_date"), "installments", ["due_date"], unique=False)
    op.create_table(
        "interest_waivers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("component", sa.String(length=40), nullable=False),
        sa.Column("installment_seq", sa.Integer(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("ratio", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("void_unless_paid_by", sa.Date(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "component IN ('FEE', 'PENALTY', 'COMPOUND', 'INTEREST')", name=op.f("ck_interest_waivers_waivercomponent")
        ),
        sa.CheckConstraint(
            "state IN ('IN_REVIEW', 'APPROVED', 'REJECTED', 'LAPSED', 'WITHDRAWN')",
            name=op.f("ck_interest_waivers_waiverstate"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_interest_waivers_customer_id")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_interest_waivers_loan_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_interest_waivers_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_waivers")),
        sa.UniqueConstraint("number", name=op.f("uq_interest_waivers_number")),
    )
    op.create_index(
        op.f("ix_interest_waivers_conditional"),
        "interest_waivers",
        ["void_unless_paid_by"],
        unique=False,
        postgresql_where="state = 'APPROVED'",
    )
    op.create_index(op.f("ix_interest_waivers_loan_id"), "interest_waivers", ["loan_id"], unique=False)
    op.create_table(
        "loan_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("company_account_id", sa.Uuid(), nullable=True),
        sa.Column("reference_table", sa.String(length=63), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "type IN ('PAYOUT', 'RECEIPT', 'REVERSAL', 'WAIVER', 'FEE', 'AMENDMENT', 'EXTENSION', 'MISUSE_RATE', 'ACCELERATION', 'WRITE_OFF', 'REFUND')",
            name=op.f("ck_loan_events_eventtype"),
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_loan_events_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_events")),
        sa.UniqueConstraint("loan_id", "sequence", name=op.f("uq_loan_events_loan_id_sequence")),
    )
    op.create_table(
        "movements",
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("component", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "component IN ('FEE', 'PENALTY', 'COMPOUND', 'INTEREST', 'PRINCIPAL')", name=op.f("ck_movements_component")
        ),
        sa.CheckConstraint(
            "kind IN ('PAID_OUT', 'RECEIVED', 'ALLOCATED', 'CHARGED', 'WAIVED', 'LAPSED', 'CATCH_UP', 'RESTATED', 'REFUNDED', 'WRITTEN_OFF', 'RECOVERED', 'OFF_BALANCE', 'ON_BALANCE')",
            name=op.f("ck_movements_movementkind"),
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_movements_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movements")),
    )
    op.create_index(
        op.f("ix_movements_day"),
        "movements",
        ["value_date", "kind"],
        unique=False,
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_index(
        op.f("ix_movements_loan"),
        "movements",
        ["loan_id", "value_date"],
        unique=False,
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "overdue_lines",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        sa.Column("pen_num", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("pen_step", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("comp_num", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("comp_step", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("den", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_overdue_lines_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overdue_lines")),
    )
    op.create_index(
        op.f("ix_overdue_lines_corrected"),
        "overdue_lines",
        ["loan_id", "from_date"],
        unique=False,
        postgresql_where=sa.text("known_to <> 'infinity'"),
    )
    op.create_index(
        op.f("ix_overdue_lines_day"),
        "overdue_lines",
        ["to_date"],
        unique=False,
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_index(
        op.f("uq_overdue_lines_current"),
        "overdue_lines",
        ["loan_id", "seq", "from_date"],
        unique=True,
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "plan_installments",
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("grace_end", sa.Date(), nullable=False),
        sa.Column("principal", sa.BigInteger(), nullable=False),
        sa.Column("interest", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_plan_installments_loan_id")),
        sa.PrimaryKeyConstraint("loan_id", "version", "seq", name=op.f("pk_plan_installments")),
    )
    op.create_table(
        "positions",
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        sa.Column("principal", sa.BigInteger(), nullable=False),
        sa.Column("overdue_principal", sa.BigInteger(), nullable=False),
        sa.Column("due_interest", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("unapplied", sa.BigInteger(), nullable=False),
        sa.Column("acc_num", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("acc_step", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("acc_den", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("five_class", sa.String(length=40), nullable=False),
        sa.Column("non_accrual", sa.Boolean(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("next_action_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "five_class IN ('NORMAL', 'SPECIAL_MENTION', 'SUBSTANDARD', 'DOUBTFUL', 'LOSS')",
            name=op.f("ck_positions_fiveclass"),
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_positions_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_positions")),
    )
    op.create_index(
        op.f("ix_positions_corrected"),
        "positions",
        ["loan_id", "from_date"],
        unique=False,
        postgresql_where=sa.text("known_to <> 'infinity'"),
    )
    op.create_index(
        op.f("ix_positions_day"),
        "positions",
        ["to_date"],
        unique=False,
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_index(
        op.f("uq_positions_current"),
        "positions",
        ["loan_id", "from_date"],
        unique=True,
        postgresql_where=sa.text("known_to = 'infinity'"),
    )
    op.create_table(
        "quarantined_loans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_quarantined_loans_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_loans")),
    )
    op.create_index(op.f("ix_quarantined_loans_on"), "quarantined_loans", ["on"], unique=False)
    op.create_index(
        op.f("uq_quarantined_loans_open"),
        "quarantined_loans",
        ["loan_id", "on"],
        unique=True,
        postgresql_where=sa.text("released_at is null"),
    )
    op.create_table(
        "allocations",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("component", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.CheckConstraint(
            "component IN ('FEE', 'PENALTY', 'COMPOUND', 'INTEREST', 'PRINCIPAL', 'WRITTEN_OFF_PRINCIPAL', 'OFF_BALANCE_INTEREST')",
            name=op.f("ck_allocations_allocatedcomponent"),
        ),
        sa.ForeignKeyConstraint(["event_id"], ["loan_events.id"], name=op.f("fk_allocations_event_id")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_allocations_loan_id")),
        sa.PrimaryKeyConstraint("event_id", "line", name=op.f("pk_allocations")),
    )
    op.create_index(op.f("ix_allocations_loan_id"), "allocations", ["loan_id"], unique=False)
    op.create_foreign_key("fk_documents_application_id", "documents", "loan_applications", ["application_id"], ["id"])
