"""finance: 9 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0007_finance"
down_revision = "0006_lending"


def upgrade() -> None:
    op.create_table(
        "provision_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("policy", sa.String(length=40), nullable=False),
        sa.Column("principal", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("npl_principal", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("general_required", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("specific_required", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("additional", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("booked_before", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("change", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'POSTED', 'REJECTED', 'SUPERSEDED')",
            name=op.f("ck_provision_runs_provisionrunstate"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision_runs")),
    )
    op.create_index(op.f("ix_provision_runs_month"), "provision_runs", ["month", "state"], unique=False)
    op.create_table(
        "accounting_periods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voucher_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('MONTH', 'YEAR')", name=op.f("ck_accounting_periods_periodkind")),
        sa.CheckConstraint(
            "state IN ('OPEN', 'CLOSING', 'CLOSED', 'REOPENING')", name=op.f("ck_accounting_periods_periodstate")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_accounting_periods_decided_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_accounting_periods_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounting_periods")),
        sa.UniqueConstraint("kind", "first_day", name=op.f("uq_accounting_periods_kind_first_day")),
    )
    op.create_table(
        "entrusted_funds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("entrusted_contract_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("company_account_id", sa.Uuid(), nullable=False),
        sa.Column("customer_account_id", sa.Uuid(), nullable=True),
        sa.Column("payer_name", sa.String(length=100), nullable=True),
        sa.Column("bank_reference", sa.String(length=100), nullable=False),
        sa.Column("source_proof", sa.String(length=500), nullable=True),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('RECEIVED', 'RETURNED')", name=op.f("ck_entrusted_funds_fundkind")),
        sa.CheckConstraint("state IN ('ENTERED', 'CONFIRMED', 'REJECTED')", name=op.f("ck_entrusted_funds_fundstate")),
        sa.ForeignKeyConstraint(
            ["company_account_id"], ["company_accounts.id"], name=op.f("fk_entrusted_funds_company_account_id")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_entrusted_funds_decided_by")),
        sa.ForeignKeyConstraint(["entered_by"], ["employees.id"], name=op.f("fk_entrusted_funds_entered_by")),
        sa.ForeignKeyConstraint(
            ["entrusted_contract_id"], ["entrusted_contracts.id"], name=op.f("fk_entrusted_funds_entrusted_contract_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrusted_funds")),
        sa.UniqueConstraint("number", name=op.f("uq_entrusted_funds_number")),
    )
    op.create_index(
        op.f("ix_entrusted_funds_contract"), "entrusted_funds", ["entrusted_contract_id", "id"], unique=False
    )
    op.create_index(
        op.f("uq_entrusted_funds_bank_reference"),
        "entrusted_funds",
        ["company_account_id", "kind", "bank_reference"],
        unique=True,
        postgresql_where="state in ('ENTERED', 'CONFIRMED')",
    )
    op.create_table(
        "disbursements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("cashier_id", sa.Uuid(), nullable=True),
        sa.Column("company_account_id", sa.Uuid(), nullable=True),
        sa.Column("customer_account_id", sa.Uuid(), nullable=True),
        sa.Column("bank_reference", sa.String(length=100), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("loan_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('PENDING', 'REVIEWED', 'PAYING', 'PAID', 'FAILED', 'CANCELLED')",
            name=op.f("ck_disbursements_disbursementstate"),
        ),
        sa.ForeignKeyConstraint(["cashier_id"], ["employees.id"], name=op.f("fk_disbursements_cashier_id")),
        sa.ForeignKeyConstraint(
            ["company_account_id"], ["company_accounts.id"], name=op.f("fk_disbursements_company_account_id")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["loan_contracts.id"], name=op.f("fk_disbursements_contract_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_disbursements_customer_id")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_disbursements_loan_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["employees.id"], name=op.f("fk_disbursements_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disbursements")),
        sa.UniqueConstraint("number", name=op.f("uq_disbursements_number")),
    )
    op.create_index(op.f("ix_disbursements_contract_id"), "disbursements", ["contract_id"], unique=False)
    op.create_index(op.f("ix_disbursements_state"), "disbursements", ["state", "company_account_id"], unique=False)
    op.create_table(
        "entrusted_fees",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("entrusted_contract_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=True),
        sa.Column("company_account_id", sa.Uuid(), nullable=True),
        sa.Column("bank_reference", sa.String(length=100), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('DUE', 'SETTLING', 'SETTLED')", name=op.f("ck_entrusted_fees_entrustedfeestate")),
        sa.CheckConstraint("type IN ('ONE_OFF', 'OTHER')", name=op.f("ck_entrusted_fees_entrustedfeetype")),
        sa.CheckConstraint("way IN ('TRANSFER', 'FUND')", name=op.f("ck_entrusted_fees_feeway")),
        sa.ForeignKeyConstraint(
            ["company_account_id"], ["company_accounts.id"], name=op.f("fk_entrusted_fees_company_account_id")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_entrusted_fees_decided_by")),
        sa.ForeignKeyConstraint(["entered_by"], ["employees.id"], name=op.f("fk_entrusted_fees_entered_by")),
        sa.ForeignKeyConstraint(
            ["entrusted_contract_id"], ["entrusted_contracts.id"], name=op.f("fk_entrusted_fees_entrusted_contract_id")
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_entrusted_fees_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrusted_fees")),
        sa.UniqueConstraint("number", name=op.f("uq_entrusted_fees_number")),
    )
    op.create_index(op.f("ix_entrusted_fees_contract"), "entrusted_fees", ["entrusted_contract_id", "id"], unique=False)
    op.create_index(
        op.f("uq_entrusted_fees_bank_reference"),
        "entrusted_fees",
        ["company_account_id", "bank_reference"],
        unique=True,
    )
    op.create_index(
        op.f("uq_entrusted_fees_one_off"),
        "entrusted_fees",
        ["loan_id"],
        unique=True,
        postgresql_where="type = 'ONE_OFF'",
    )
    op.create_table(
        "provision_items",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("five_class", sa.String(length=40), nullable=False),
        sa.Column("principal", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("general", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("specific", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.CheckConstraint(
            "five_class IN ('NORMAL', 'SPECIAL_MENTION', 'SUBSTANDARD', 'DOUBTFUL', 'LOSS')",
            name=op.f("ck_provision_items_fiveclass"),
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_provision_items_loan_id")),
        sa.ForeignKeyConstraint(["run_id"], ["provision_runs.id"], name=op.f("fk_provision_items_run_id")),
        sa.PrimaryKeyConstraint("run_id", "loan_id", name=op.f("pk_provision_items")),
    )
    op.create_index(op.f("ix_provision_items_loan_id"), "provision_items", ["loan_id"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("company_account_id", sa.Uuid(), nullable=False),
        sa.Column("payer_name", sa.String(length=100), nullable=False),
        sa.Column("bank_reference", sa.String(length=100), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("prepayment", sa.String(length=40), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "method IN ('TRANSFER', 'WITHHOLDING', 'COUNTER', 'OFFSET', 'GUARANTOR', 'COLLATERAL_PROCEEDS')",
            name=op.f("ck_receipts_receiptmethod"),
        ),
        sa.CheckConstraint(
            "prepayment IN ('REDUCE_INSTALLMENT', 'SHORTEN_TERM', 'SETTLE')", name=op.f("ck_receipts_prepaymentmode")
        ),
        sa.CheckConstraint(
            "state IN ('ENTERED', 'REGISTERED', 'REJECTED', 'REVERSED')", name=op.f("ck_receipts_receiptstate")
        ),
        sa.ForeignKeyConstraint(
            ["company_account_id"], ["company_accounts.id"], name=op.f("fk_receipts_company_account_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_receipts_customer_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_receipts_decided_by")),
        sa.ForeignKeyConstraint(["entered_by"], ["employees.id"], name=op.f("fk_receipts_entered_by")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_receipts_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("number", name=op.f("uq_receipts_number")),
    )
    op.create_index(op.f("ix_receipts_entered"), "receipts", ["id"], unique=False, postgresql_where="state = 'ENTERED'")
    op.create_index(op.f("ix_receipts_loan_id"), "receipts", ["loan_id", "id"], unique=False)
    op.create_index(
        op.f("uq_receipts_bank_reference"),
        "receipts",
        ["company_account_id", "bank_reference"],
        unique=True,
        postgresql_where="state in ('ENTERED', 'REGISTERED')",
    )
    op.create_table(
        "bank_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("disbursement_id", sa.Uuid(), nullable=False),
        sa.Column("company_account_id", sa.Uuid(), nullable=False),
        sa.Column("customer_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("bank_reference", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('PROCESSING', 'UNKNOWN', 'PAID', 'FAILED')", name=op.f("ck_bank_orders_bankorderstate")
        ),
        sa.ForeignKeyConstraint(
            ["company_account_id"], ["company_accounts.id"], name=op.f("fk_bank_orders_company_account_id")
        ),
        sa.ForeignKeyConstraint(["disbursement_id"], ["disbursements.id"], name=op.f("fk_bank_orders_disbursement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_orders")),
    )
    op.create_index(op.f("ix_bank_orders_disbursement_id"), "bank_orders", ["disbursement_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("offset_consent", sa.Boolean(), nullable=False),
        sa.Column("offset_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("customer_account_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("company_account_id", sa.Uuid(), nullable=True),
        sa.Column("cashier_id", sa.Uuid(), nullable=True),
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("bank_reference", sa.String(length=100), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('OVERPAYMENT', 'DOUBLE_PAYMENT', 'WRONG_PAYER', 'CORRECTION')",
            name=op.f("ck_refunds_refundreason"),
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'APPROVED', 'PAYING', 'PAID', 'REJECTED', 'FAILED', 'CANCELLED')",
            name=op.f("ck_refunds_refundstate"),
        ),
        sa.CheckConstraint("offset_amount >= 0 and offset_amount <= amount", name=op.f("ck_refunds_offset")),
        sa.ForeignKeyConstraint(["cashier_id"], ["employees.id"], name=op.f("fk_refunds_cashier_id")),
        sa.ForeignKeyConstraint(
            ["company_account_id"], ["company_accounts.id"], name=op.f("fk_refunds_company_account_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_refunds_customer_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["employees.id"], name=op.f("fk_refunds_decided_by")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_refunds_loan_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_refunds_receipt_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["employees.id"], name=op.f("fk_refunds_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("number", name=op.f("uq_refunds_number")),
    )
    op.create_index(op.f("ix_refunds_loan_id"), "refunds", ["loan_id"], unique=False)
    op.create_index(op.f("ix_refunds_receipt_id"), "refunds", ["receipt_id"], unique=False)
