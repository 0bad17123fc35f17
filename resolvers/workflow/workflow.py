"""审批流 · Workflow: definitions, running instances, decisions (F49)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

import strawberry

from domain.home import pending_task
from domain.kernel.context import Context
from domain.kernel.refusals import InvalidInput
from domain.lending.loan.preview import of_decision
from domain.workflow import decision, definition, instance
from domain.workflow.terms import ApprovedTerms
from resolvers.kernel import Info, answers, answers_by_key, by_keys, key, mutation, reads
from resolvers.lending.loan_preview import shown
from schema.home.pending_task import Task
from schema.organization.employee import Employee
from schema.workflow.workflow import (
    ApprovedTermsInput,
    DecideTaskInput,
    DecideTaskPayload,
    PublishWorkflowDefinitionInput,
    WorkflowAction,
    WorkflowDefinition,
    WorkflowDefinitionPayload,
    WorkflowInstance,
)

ACTION = instance.WorkflowAction.__table__.c
ACTION_COLUMNS = [ACTION.node, ACTION.decision, ACTION.opinion, ACTION.at, ACTION.actor_id]


@strawberry.type
class WorkflowQueries:
    @reads(definition.latest)
    async def workflow_definitions(self, info: Info) -> list[WorkflowDefinition]:
        """审批流定义 The version in use of every definition; small, so no connection."""
        rows = await definition.latest(await info.context.reading(), WorkflowDefinition.columns())
        return [WorkflowDefinition.of(row) for row in rows]


@strawberry.type
class WorkflowMutations:
    @mutation(decision.decide)
    async def decide_task(self, info: Info, input: DecideTaskInput, preview: bool = False) -> DecideTaskPayload:
        """办理审批 Act on one task of a workflow (approve, reject, return, transfer, add an approver). Approval can lower or
        change the terms."""
        said: dict[str, Any] = {
            "task_id": key(input.task_id, "Task"),
            "decision": input.decision,
            "opinion": input.opinion,
            "terms": _terms(input.terms),
            "return_to": input.return_to,
            "transfer_to_id": key(input.transfer_to_id, "Employee"),
        }
        if preview:
            return DecideTaskPayload(preview=shown(await of_decision(info.context.ctx, decision.decide, **said)))
        task = await decision.decide(info.context.ctx, **said)
        # Whoever decides a task sees the workflow it belongs to.
        ctx = await info.context.reading()
        found = await by_keys(ctx, WorkflowInstance, [task.instance_id] if task.instance_id else [], scoped=False)
        return DecideTaskPayload(task=Task.of(task), workflow=next(iter(found.values()), None))  # type: ignore[arg-type]

    @mutation(definition.publish)
    async def publish_workflow_definition(
        self, info: Info, input: PublishWorkflowDefinitionInput
    ) -> WorkflowDefinitionPayload:
        """发布审批流 Publish the next version of a definition; running instances keep theirs."""
        nodes: object = input.nodes
        if not isinstance(nodes, list):
            raise InvalidInput("nodes", zh="节点应为列表。", en="The nodes are a list.")
        published = await definition.publish(
            info.context.ctx, code=input.code, purpose=input.purpose, name=input.name, nodes=nodes
        )
        return WorkflowDefinitionPayload(definition=WorkflowDefinition.of(published))


def _terms(given: ApprovedTermsInput | None) -> ApprovedTerms | None:
    if given is None:
        return None
    return ApprovedTerms(**{part.name: getattr(given, part.name) for part in fields(ApprovedTerms)})


answers_by_key("WorkflowAction.actor", Employee)


@answers("WorkflowInstance.open_tasks")
async def open_tasks(ctx: Context, instance_ids: list[UUID]) -> dict[UUID, list[Task]]:
    found = await pending_task.open_by_instance(ctx, instance_ids, Task.columns())
    return {instance_id: [Task.of(row) for row in rows] for instance_id, rows in found.items()}


@answers("WorkflowInstance.return_targets")
async def return_targets(ctx: Context, instance_ids: list[UUID]) -> dict[UUID, list[str]]:
    return await instance.nodes_behind(ctx, instance_ids)


@answers("WorkflowInstance.log")
async def log(ctx: Context, instance_ids: list[UUID]) -> dict[UUID, list[WorkflowAction]]:
    found = await instance.log_by_instance(ctx, instance_ids, ACTION_COLUMNS)
    return {instance_id: [WorkflowAction.of(row) for row in rows] for instance_id, rows in found.items()}
