"""home: 4 tables. Drawn by `python -m migrations.draft` before the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_home"
down_revision = "0010_post_loan"


def upgrade() -> None:
    op.create_table(
        "message_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("recipients", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "category IN ('SYSTEM', 'APPROVAL', 'REPAYMENT', 'WARNING', 'CUSTOMER')",
            name=op.f("ck_message_rules_messagecategory"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_rules")),
        sa.UniqueConstraint("event", name=op.f("uq_message_rules_event")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("subject_table", sa.String(length=63), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "category IN ('SYSTEM', 'APPROVAL', 'REPAYMENT', 'WARNING', 'CUSTOMER')",
            name=op.f("ck_messages_messagecategory"),
        ),
        sa.ForeignKeyConstraint(["recipient_id"], ["employees.id"], name=op.f("fk_messages_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index(op.f("ix_messages_recipient"), "messages", ["recipient_id", "id"], unique=False)
    op.create_index(
        op.f("ix_messages_unread"),
        "messages",
        ["recipient_id"],
        unique=False,
        postgresql_where=sa.text("read_at is null"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("subject_table", sa.String(length=63), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("candidate_role_id", sa.Uuid(), nullable=True),
        sa.Column("excluded", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("instance_id", sa.Uuid(), nullable=True),
        sa.Column("node", sa.String(length=40), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('OPEN', 'DONE', 'CANCELLED')", name=op.f("ck_tasks_taskstate")),
        sa.ForeignKeyConstraint(["assignee_id"], ["employees.id"], name=op.f("fk_tasks_assignee_id")),
        sa.ForeignKeyConstraint(["candidate_role_id"], ["roles.id"], name=op.f("fk_tasks_candidate_role_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_tasks_customer_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_tasks_department_id")),
        sa.ForeignKeyConstraint(["instance_id"], ["workflow_instances.id"], name=op.f("fk_tasks_instance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_done"), "tasks", ["closed_by", "id"], unique=False)
    op.create_index(op.f("ix_tasks_instance"), "tasks", ["instance_id"], unique=False)
    op.create_index(
        op.f("ix_tasks_newest"), "tasks", ["arrived_at", "id"], unique=False, postgresql_where="state = 'OPEN'"
    )
    op.create_index(
        op.f("ix_tasks_open"), "tasks", ["assignee_id", "arrived_at"], unique=False, postgresql_where="state = 'OPEN'"
    )
    op.create_index(op.f("ix_tasks_subject"), "tasks", ["subject_id"], unique=False)
    op.create_table(
        "task_offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("subject_table", sa.String(length=63), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("employee_id", sa.Uuid(), nullable=True),
        sa.Column("role_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["employee_id"], ["employees.id"], name=op.f("fk_task_offers_employee_id")),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_task_offers_role_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_offers_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_offers")),
    )
    op.create_index(op.f("ix_task_offers_employee"), "task_offers", ["employee_id", "task_id"], unique=False)
    op.create_index(op.f("ix_task_offers_role"), "task_offers", ["role_id", "task_id"], unique=False)
    op.create_index(op.f("ix_task_offers_subject"), "task_offers", ["subject_id"], unique=False)
    op.create_foreign_key("fk_workflow_actions_task_id", "workflow_actions", "tasks", ["task_id"], ["id"])
