"""审批流 · Workflow: definitions, running instances, decisions (F49)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.workflow import instance
from schema.home.pending_task import Task
from schema.kernel import ID, JSON, Date, DateTime, FromRow, Hidden, Money, Node, Payload, Rate, entity, relation
from schema.lending.repayment_plan import Method
from schema.organization.employee import Employee

if TYPE_CHECKING:
    from domain.workflow.instance import Decision as Decision
    from domain.workflow.instance import WorkflowState as WorkflowState
    from schema.lending.loan_preview import LoanChangePreview
else:
    Decision = strawberry.enum(instance.Decision, description="审批动作 What a person does with an approval task.")
    WorkflowState = strawberry.enum(instance.WorkflowState, description="审批状态 State of a workflow instance.")


@entity("workflow_definitions", reading="workflow.definition.read")
class WorkflowDefinition(Node):
    """审批流定义 One version: its nodes in order, with roles, hours and conditions. Running instances keep theirs."""

    code: str
    """编码 The code all versions share."""
    version: int
    """版本 Version, from 1."""
    purpose: str
    """用途 What it approves."""
    name: str
    """名称 Name."""
    nodes: JSON
    """节点 `[{code, name, roles, hours, when}]`; `when` is a tree of comparisons."""


@strawberry.type(description="审批记录 One decision of one person; never changed.")
class WorkflowAction(FromRow):
    node: str
    """节点 Code of the node."""
    decision: Decision
    """动作 What was decided."""
    opinion: str
    """意见 In the person's words."""
    at: DateTime
    """时间 When."""
    actor_id: Hidden[UUID]

    @relation(by="actor_id")
    def actor(self) -> Employee:
        """审批人 Who decided."""


@entity("workflow_instances", reading="workflow.instance.read")
class WorkflowInstance(Node):
    """审批流实例 One run of a workflow; visible to whoever sees what it is about."""

    definition_code: str
    """定义编码 Code of its definition."""
    definition_version: int
    """定义版本 The version it keeps."""
    state: WorkflowState
    """状态 Running, or how it ended."""
    node: str | None
    """当前节点 Code of the node it stands at; null once ended."""

    @relation
    def open_tasks(self) -> list[Task]:
        """当前待办 Tasks that wait for a decision."""

    @relation
    def return_targets(self) -> list[str]:
        """可退回节点 Codes of the earlier nodes that `returnTo` may name; without one it goes back to the maker."""

    @relation
    def log(self) -> list[WorkflowAction]:
        """审批记录 What was decided, in order."""


@strawberry.type(description="批准条件 The terms of an approval.")
class ApprovedTerms:
    amount: Money
    """金额 Amount."""
    periods: int
    """期数 Number of periods."""
    annual_rate: Rate
    """年利率 Interest a year."""
    method: Method
    """还款方式 How it is paid back."""
    valid_until: Date
    """有效期至 Last day on which the approval can be used."""
    conditions: str | None
    """前提条件 What must hold before the pay-out."""


@strawberry.input(
    description="调整条件 Terms that an approver changes; what is left out stays. The amount is never raised."
)
class ApprovedTermsInput:
    amount: Money | None = None
    """金额 A lower amount."""
    periods: int | None = None
    """期数 Number of periods."""
    annual_rate: Rate | None = None
    """年利率 Interest a year."""
    method: Method | None = None
    """还款方式 How it is paid back."""
    conditions: str | None = None
    """前提条件 What must hold before the pay-out."""


@strawberry.input(description="办理审批 What to do with one approval task.")
class DecideTaskInput:
    task_id: ID
    """待办 The task."""
    decision: Decision
    """动作 Approve, reject, return, transfer, or add an approver."""
    opinion: str
    """意见 Needed for REJECT and RETURN."""
    terms: ApprovedTermsInput | None = None
    """调整条件 With APPROVE only."""
    return_to: str | None = None
    """退回节点 With RETURN: an earlier node; the maker when left out."""
    transfer_to_id: ID | None = None
    """转办、加签人员 With TRANSFER and ADD_APPROVER: the colleague."""


@strawberry.type(description="审批结果 The task and its workflow, or why nothing changed.")
class DecideTaskPayload(Payload):
    task: Task | None = None
    """待办 The task decided; null with preview, as nothing is written."""
    workflow: WorkflowInstance | None = None
    """审批流 Where the workflow stands now; null with preview."""
    preview: Annotated[LoanChangePreview, strawberry.lazy("schema.lending.loan_preview")] | None = None
    """预演 With preview: what would change on loans."""


@strawberry.input(description="发布审批流 The next version of a definition.")
class PublishWorkflowDefinitionInput:
    code: str
    """编码 Code; a new one begins with version 1."""
    purpose: str
    """用途 What it approves: NORMAL_LOAN, INTEREST_WAIVER …"""
    name: str
    """名称 Name."""
    nodes: JSON
    """节点 `[{code, name, roles, hours?, when?}]` in order; one node at least without `when`."""


@strawberry.type(description="审批流结果 The version published, or why not.")
class WorkflowDefinitionPayload(Payload):
    definition: WorkflowDefinition | None = None
    """审批流定义 The version published."""
