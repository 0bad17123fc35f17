"""待办事项 · To-do tasks (F01)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.home import pending_task
from schema.customers.customer import Customer
from schema.kernel import ID, Connection, Cursor, DateTime, Hidden, Money, Node, Payload, entity, relation
from schema.kernel.feed import FeedChange
from schema.organization.employee import Employee
from schema.organization.role import Role

if TYPE_CHECKING:
    from domain.home.pending_task import TaskState as TaskState
    from domain.home.pending_task import TaskUrgency as TaskUrgency
else:
    TaskState = strawberry.enum(pending_task.TaskState, description="待办状态 Open, done, or gone with its cause.")
    TaskUrgency = strawberry.enum(
        pending_task.TaskUrgency, description="紧急程度 Due soon is within a day, overdue after it."
    )


@entity("tasks", reading="home.pending_task.read")
class Task(Node):
    """待办 One thing to do. It stays readable to whoever it was once offered to."""

    type: str
    """类型 What is to be done: ASSIGNMENT, ACCEPTANCE, SURVEY, APPROVAL …"""
    title: str
    """标题 What to do, with the number of the thing."""
    state: TaskState
    """状态 Open, done or cancelled."""
    arrived_at: DateTime
    """到达时间 When it was opened."""
    due_at: DateTime | None
    """截止时间 Until when; null without a time limit."""
    amount: Money | None
    """金额 The amount it is about."""
    node: str | None
    """节点 The node of the workflow that it decides; null for other tasks."""
    closed_at: DateTime | None
    """办结时间 When it was done or cancelled."""
    assignee_id: Hidden[UUID | None]
    candidate_role_id: Hidden[UUID | None]
    customer_id: Hidden[UUID | None]

    @relation
    def urgency(self) -> TaskUrgency:
        """紧急程度 By the time left."""

    @relation(by="assignee_id")
    def assignee(self) -> Employee | None:
        """办理人 Who has it; null as long as anybody of the role may take it."""

    @relation(by="candidate_role_id")
    def candidate_role(self) -> Role | None:
        """候选岗位 The role whose people may take it."""

    @relation(by="customer_id")
    def customer(self) -> Customer | None:
        """客户 The customer it is about."""

    @relation
    def subject(self) -> Node | None:
        """业务对象 What the task is about: an application, a receipt, a waiver …"""


@strawberry.type(description="待办列表 One page of tasks.")
class TaskConnection(Connection[Task]):
    pass


@strawberry.type(description="待办计数 How many tasks of one type wait for me.")
class TaskCount:
    type: str
    """类型 What is to be done."""
    count: int
    """数量 How many wait."""
    overdue: int
    """逾期数 How many of them are overdue."""


@strawberry.input(description="待办筛选 Only tasks that meet all that is given.")
class TaskFilter:
    types: list[str] | None = None
    """类型 Of one of these types."""
    urgency: list[TaskUrgency] | None = None
    """紧急程度 Of one of these urgencies."""


@strawberry.input(description="领取待办 The task to take.")
class ClaimTaskInput:
    task_id: ID
    """待办 The task."""


@strawberry.type(description="待办结果 The task, or why nothing changed.")
class TaskPayload(Payload):
    task: Task | None = None
    """待办 The task."""


@strawberry.type(description="待办事件 Something happened to my pending tasks.")
class TaskEvent:
    cursor: Cursor
    """游标 Where to go on: give it as `after`."""
    change: FeedChange
    """变化 Added to, changed in or gone from my pending tasks."""
    task: Task
    """待办 The task as it is now."""
    pending_count: int
    """待办数 How many tasks wait for me now."""
