"""post_loan: 5 tables. Drawn by `python -m migrations.draft` before the first release."""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_post_loan"
down_revision = "0009_collateral"


def upgrade() -> None:
    op.create_table(
        "warning_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("recipients", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("days_to_act", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level IN ('YELLOW', 'ORANGE', 'RED')", name=op.f("ck_warning_rules_alertlevel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warning_rules")),
        sa.UniqueConstraint("code", name=op.f("uq_warning_rules_code")),
    )
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
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("spell_from", sa.Date(), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=False),
        sa.Column("threshold", sa.String(length=40), nullable=False),
        sa.Column("recipients", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("act_by", sa.Date(), nullable=True),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("disposal", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level IN ('YELLOW', 'ORANGE', 'RED')", name=op.f("ck_alerts_alertlevel")),
        sa.CheckConstraint(
            "state IN ('NEW', 'ASSIGNED', 'DISPOSING', 'CLOSED', 'ESCALATED', 'FALSE_ALARM')",
            name=op.f("ck_alerts_alertstate"),
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["employees.id"], name=op.f("fk_alerts_assignee_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_alerts_customer_id")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_alerts_loan_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["warning_rules.id"], name=op.f("fk_alerts_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("loan_id", "rule_id", "spell_from", name=op.f("uq_alerts_loan_id_rule_id_spell_from")),
    )
    op.create_index(
        op.f("ix_alerts_act_by"),
        "alerts",
        ["act_by"],
        unique=False,
        postgresql_where=sa.text("state in ('NEW', 'ASSIGNED')"),
    )
    op.create_index(op.f("ix_alerts_state"), "alerts", ["state", "id"], unique=False)
    op.create_table(
        "contract_amendments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("annual_rate", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("method", sa.String(length=40), nullable=True),
        sa.Column("extension_periods", sa.Integer(), nullable=True),
        sa.Column("multiplier", sa.Numeric(precision=12, scale=8), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("because_of_difficulty", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("consents", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.Column("reversal_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "method IN ('EQUAL_INSTALLMENT', 'EQUAL_PRINCIPAL', 'INTEREST_ONLY', 'BULLET', 'EQUAL_PRINCIPAL_EQUAL_INTEREST', 'BALLOON', 'CUSTOM')",
            name=op.f("ck_contract_amendments_method"),
        ),
        sa.CheckConstraint(
            "state IN ('IN_REVIEW', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'REVERSED')",
            name=op.f("ck_contract_amendments_amendmentstate"),
        ),
        sa.CheckConstraint(
            "type IN ('EXTENSION', 'RATE', 'METHOD', 'ACCELERATION', 'MISUSE_RATE')",
            name=op.f("ck_contract_amendments_amendmenttype"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_contract_amendments_customer_id")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_contract_amendments_loan_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_contract_amendments_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_amendments")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_amendments_number")),
    )
    op.create_index(op.f("ix_contract_amendments_loan_id"), "contract_amendments", ["loan_id", "id"], unique=False)
    op.create_index(
        op.f("uq_contract_amendments_in_review"),
        "contract_amendments",
        ["loan_id"],
        unique=True,
        postgresql_where="state = 'IN_REVIEW'",
    )
    op.create_table(
        "write_offs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("on_balance_interest", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("off_balance_interest", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("fees", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("condition", sa.String(length=40), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("responsibility", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "condition IN ('BANKRUPTCY_ENDED', 'DEATH_WITHOUT_ESTATE', 'ENFORCEMENT_ENDED', 'OVERDUE_FOR_YEARS', 'FRAUD_CLOSED', 'ENTERPRISE_CLOSED', 'DISASTER')",
            name=op.f("ck_write_offs_writeoffcondition"),
        ),
        sa.CheckConstraint(
            "state IN ('IN_REVIEW', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'REVERSED')",
            name=op.f("ck_write_offs_writeoffstate"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_write_offs_customer_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_write_offs_decided_by")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_write_offs_loan_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_write_offs_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_offs")),
        sa.UniqueConstraint("number", name=op.f("uq_write_offs_number")),
    )
    op.create_index(op.f("ix_write_offs_loan_id"), "write_offs", ["loan_id"], unique=False)
    op.create_index(
        op.f("uq_write_offs_living"),
        "write_offs",
        ["loan_id"],
        unique=True,
        postgresql_where="state in ('IN_REVIEW', 'APPROVED')",
    )
    op.create_foreign_key(
        "fk_entrusted_funds_customer_account_id",
        "entrusted_funds",
        "customer_accounts",
        ["customer_account_id"],
        ["id"],
    )
    op.create_foreign_key(
        "fk_disbursements_customer_account_id", "disbursements", "customer_accounts", ["customer_account_id"], ["id"]
    )
    op.create_foreign_key(
        "fk_bank_orders_customer_account_id", "bank_orders", "customer_accounts", ["customer_account_id"], ["id"]
    )
    op.create_foreign_key(
        "fk_refunds_customer_account_id", "refunds", "customer_accounts", ["customer_account_id"], ["id"]
    )
