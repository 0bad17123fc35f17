"""审批流定义 · Workflow definitions (F49): who decides, in which order and from which amount on. Data with versions.

A definition is a line of nodes. A node names the roles of which any one person decides (或签), the hours people have, and
optionally a condition; a node whose condition does not hold is passed over. Published versions never change: instances
keep theirs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import String, UniqueConstraint, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, query
from domain.kernel.feed import Json
from domain.kernel.refusals import Conflict, InvalidInput, NotFound
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, TenantTable, uuid7
from domain.organization.department import check_text
from domain.workflow.condition import Condition, ConditionError, Facts, parse

if TYPE_CHECKING:
    from domain.kernel.context import Context

MOST_NODES = 20
USUAL_HOURS = 48
CODE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")


class WorkflowDefinition(Keyed):
    """One version of a definition. The highest version of a code is the one that new instances take."""

    __tablename__ = "workflow_definitions"
    __table_args__ = (UniqueConstraint("code", "version"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    nodes: Mapped[list[Any]] = mapped_column(Json)


@dataclass(frozen=True, slots=True)
class Node:
    """节点 · One step: any one person of these roles decides within `hours`; it applies where `when` holds."""

    code: str
    name: str
    roles: tuple[str, ...]
    hours: int = USUAL_HOURS
    when: Condition | None = None

    def applies(self, facts: Facts) -> bool:
        return self.when is None or self.when.holds(facts)


class DefinitionError(ValueError):
    """These nodes make no definition."""


# ---------------------------------------------------------------- rules


def read_nodes(data: Sequence[Any]) -> tuple[Node, ...]:
    """The nodes that this data describes, in order.

    Raises DefinitionError for a malformed node, for two nodes of one code, and where every node has a condition: then
    something could pass that nobody decided."""
    if not 1 <= len(data) <= MOST_NODES:
        raise DefinitionError(f"a definition has 1 to {MOST_NODES} nodes")
    nodes = tuple(_node(item) for item in data)
    if len({node.code for node in nodes}) < len(nodes):
        raise DefinitionError("each node has a code of its own")
    if all(node.when is not None for node in nodes):
        raise DefinitionError("one node at least has no condition")
    return nodes


def next_node(nodes: Sequence[Node], after: str | None, facts: Facts) -> Node | None:
    """The first node behind `after` (None: from the start) that applies; None when all have decided."""
    start = 0 if after is None else [node.code for node in nodes].index(after) + 1
    return next((node for node in nodes[start:] if node.applies(facts)), None)


def codes_before(nodes: Sequence[Node], current: str) -> list[str]:
    """The codes of the nodes before this one, in order: to these a task can be given back."""
    codes = [node.code for node in nodes]
    return codes[: codes.index(current)]


def _node(item: Any) -> Node:
    if not isinstance(item, dict) or not {"code", "name", "roles"} <= item.keys() <= {*Node.__slots__}:
        raise DefinitionError("a node has code, name, roles and possibly hours, when")
    code, name, roles, hours = item["code"], item["name"], item["roles"], item.get("hours", USUAL_HOURS)
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise DefinitionError(f"the code of a node is made of A–Z, 0–9 and _: {code!r}")
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise DefinitionError(f"the node {code} needs a name")
    if not isinstance(roles, list) or not roles or not all(isinstance(role, str) for role in roles):
        raise DefinitionError(f"the node {code} needs the codes of roles that decide")
    if not isinstance(hours, int) or not 1 <= hours <= 24 * 90:
        raise DefinitionError(f"the node {code} gives 1 hour to 90 days")
    try:
        when = None if item.get("when") is None else parse(item["when"])
    except ConditionError as error:
        raise DefinitionError(f"the node {code}: {error}") from error
    return Node(code, name, tuple(roles), hours, when)


# ---------------------------------------------------------------- commands and queries


@command("workflow.definition.publish")
async def publish(ctx: Context, *, code: str, purpose: str, name: str, nodes: list[Any]) -> WorkflowDefinition:
    """Publishes the next version of a definition; running instances keep theirs.

    Raises INVALID_INPUT for its name, malformed nodes, unknown roles and an unknown purpose; a code keeps its purpose.
    Raises CONFLICT, with the version that is taken, where somebody else has published the code at the same time."""
    from domain.workflow.instance import PURPOSES

    if not CODE.fullmatch(code):
        raise InvalidInput("code", zh="代码只含 A–Z、0–9 与 _。", en="A code is made of A–Z, 0–9 and _.")
    plain_name = check_text("name", name)
    if purpose not in PURPOSES:
        raise InvalidInput("purpose", zh="没有这种用途。", en="There is no such purpose.", known=sorted(PURPOSES))
    try:
        read = read_nodes(nodes)
    except DefinitionError as error:
        raise InvalidInput(
            "nodes", zh="审批流定义有误：{reason}。", en="Not a definition: {reason}.", reason=str(error)
        ) from error
    await _check_roles(ctx, {role for node in read for role in node.roles})
    last = await _latest(ctx, code)
    if last is not None and last.purpose != purpose:
        raise InvalidInput("purpose", zh="该代码已用于 {used}。", en="This code serves {used}.", used=last.purpose)
    version = 1 if last is None else last.version + 1
    published = WorkflowDefinition(code=code, version=version, purpose=purpose, name=plain_name, nodes=nodes)
    ctx.add(published)
    try:
        await ctx.session.flush()
    except IntegrityError as error:  # two at once published the same version: who comes second has not seen the first
        raise Conflict("code", version=version) from error
    return published


async def _check_roles(ctx: Context, codes: set[str]) -> None:
    roles = TenantTable.metadata.tables["roles"].c
    known = set((await ctx.connection.execute(select(roles.code).where(roles.code.in_(codes)))).scalars())
    if codes - known:
        unknown = sorted(codes - known)
        raise InvalidInput("nodes", zh="没有这些角色：{roles}。", en="There are no such roles: {roles}.", roles=unknown)


async def current(ctx: Context, purpose: str, code: str | None = None) -> WorkflowDefinition:
    """The version that a new instance takes. Without `code` the default of the purpose, which is called like it.

    Raises NOT_FOUND where the code has no definition of this purpose."""
    found = await _latest(ctx, code or purpose)
    if found is None or found.purpose != purpose:
        raise NotFound("workflowCode")
    return found


async def _latest(ctx: Context, code: str) -> WorkflowDefinition | None:
    versions = select(WorkflowDefinition).where(WorkflowDefinition.code == code)
    newest = versions.order_by(WorkflowDefinition.version.desc()).limit(1)
    return (await ctx.session.execute(newest)).scalar_one_or_none()


@query("workflow.definition.read")
async def latest(ctx: Context, columns: Sequence[Any]) -> list[Any]:
    """The current version of every definition, by code."""
    table = WorkflowDefinition.__table__.c
    newest = select(table.code, func.max(table.version).label("version")).group_by(table.code).subquery()
    joined = WorkflowDefinition.__table__.join(
        newest, (table.code == newest.c.code) & (table.version == newest.c.version)
    )
    return list((await ctx.connection.execute(select(*columns).select_from(joined).order_by(table.code))).all())


# ---------------------------------------------------------------- a fresh lender

DEFAULTS: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    (
        "NORMAL_LOAN",
        "普通贷款审批 Approval of a normal loan",
        [
            {"code": "RISK_REVIEW", "name": "风险审查 Risk review", "roles": ["RISK_OFFICER"]},
            {"code": "BUSINESS_APPROVAL", "name": "业务主管审批 Business manager", "roles": ["BUSINESS_MANAGER"]},
            {
                "code": "GENERAL_APPROVAL",
                "name": "总经理审批 General manager",
                "roles": ["GENERAL_MANAGER"],
                "when": {"field": "amount", "operator": "GE", "value": "15000000.00"},
            },
        ],
    ),
    (
        "FACILITY",
        "授信审批 Approval of a facility, its limit, the end of a freeze",
        [
            {"code": "RISK_REVIEW", "name": "风险审查 Risk review", "roles": ["RISK_OFFICER"]},
            {"code": "BUSINESS_APPROVAL", "name": "业务主管审批 Business manager", "roles": ["BUSINESS_MANAGER"]},
            {
                "code": "GENERAL_APPROVAL",
                "name": "总经理审批 General manager",
                "roles": ["GENERAL_MANAGER"],
                "when": {"field": "amount", "operator": "GE", "value": "15000000.00"},
            },
        ],
    ),
    (
        "DRAWDOWN",
        "支用审批 Approval of a drawdown",
        [
            {
                "code": "DRAWDOWN_APPROVAL",
                "name": "支用审批 Drawdown",
                "roles": ["BUSINESS_MANAGER", "RISK_OFFICER"],
                "hours": 24,
            },
        ],
    ),
    (
        "INTEREST_WAIVER",
        "利息减免审批 Approval of an interest waiver",
        [
            {"code": "BUSINESS_APPROVAL", "name": "业务主管审批 Business manager", "roles": ["BUSINESS_MANAGER"]},
            {
                "code": "GENERAL_APPROVAL",
                "name": "总经理审批 General manager",
                "roles": ["GENERAL_MANAGER"],
                "when": {"field": "amount", "operator": "GE", "value": "10000.00"},
            },
        ],
    ),
    (
        "AMENDMENT",
        "合同变更审批 Approval of a contract amendment",
        [
            {"code": "RISK_REVIEW", "name": "风险审查 Risk review", "roles": ["RISK_OFFICER"]},
            {"code": "BUSINESS_APPROVAL", "name": "业务主管审批 Business manager", "roles": ["BUSINESS_MANAGER"]},
            {
                "code": "GENERAL_APPROVAL",
                "name": "总经理审批 General manager",
                "roles": ["GENERAL_MANAGER"],
                "when": {"field": "amount", "operator": "GE", "value": "15000000.00"},
            },
        ],
    ),
    (
        "AMENDMENT_REVERSAL",
        "合同变更撤销审批 Approval that a contract amendment is undone",
        [
            {"code": "RISK_REVIEW", "name": "风险审查 Risk review", "roles": ["RISK_OFFICER"]},
            {"code": "BUSINESS_APPROVAL", "name": "业务主管审批 Business manager", "roles": ["BUSINESS_MANAGER"]},
        ],
    ),
    (
        "RECEIPT_REVERSAL",
        "还款冲正审批 Approval of a receipt's reversal",
        [
            {
                "code": "REVERSAL_APPROVAL",
                "name": "冲正复核 Reversal check",
                "roles": ["ACCOUNTANT", "BUSINESS_MANAGER", "GENERAL_MANAGER"],
                "hours": 24,
            },
        ],
    ),
    (
        "REFUND",
        "退款审批 Approval of a refund",
        [
            {"code": "REFUND_APPROVAL", "name": "退款复核 Refund check", "roles": ["ACCOUNTANT", "BUSINESS_MANAGER"]},
            {
                "code": "GENERAL_APPROVAL",
                "name": "总经理审批 General manager",
                "roles": ["GENERAL_MANAGER"],
                "when": {"field": "amount", "operator": "GE", "value": "10000.00"},
            },
        ],
    ),
    (
        "WRITE_OFF",
        "核销审批 Approval of a write-off",
        [{"code": "GENERAL_APPROVAL", "name": "总经理审批 General manager", "roles": ["GENERAL_MANAGER"]}],
    ),
    (
        "WRITE_OFF_REVERSAL",
        "核销撤销审批 Approval that a write-off is undone",
        [{"code": "GENERAL_APPROVAL", "name": "总经理审批 General manager", "roles": ["GENERAL_MANAGER"]}],
    ),
    (
        "MORTGAGE_RELEASE",
        "解押审批 Approval that a mortgage is released",
        [{"code": "RELEASE_APPROVAL", "name": "解押复核 Check of the release", "roles": ["RISK_OFFICER", "BUSINESS_MANAGER"]}],
    ),
    (
        "REPOSSESSION",
        "以物抵债审批 Approval that collateral is taken over for the debt",
        [
            {"code": "RISK_REVIEW", "name": "风险审查 Risk review", "roles": ["RISK_OFFICER"]},
            {"code": "GENERAL_APPROVAL", "name": "总经理审批 General manager", "roles": ["GENERAL_MANAGER"]},
        ],
    ),
    (
        "REPOSSESSION_REVERSAL",
        "抵债撤销审批 Approval that a taking over is undone",
        [{"code": "GENERAL_APPROVAL", "name": "总经理审批 General manager", "roles": ["GENERAL_MANAGER"]}],
    ),
    (
        "PROVISION",
        "拨备计提审批 Approval of a provision run",
        [
            {"code": "PROVISION_APPROVAL", "name": "拨备复核 Check of the provision", "roles": ["ACCOUNTANT", "GENERAL_MANAGER"]},
        ],
    ),
    (
        "PERIOD_CLOSE",
        "结账复核 Closing a month or a year",
        [
            {"code": "CLOSING_CHECK", "name": "结账复核 Check of the closing", "roles": ["ACCOUNTANT", "GENERAL_MANAGER"]},
        ],
    ),
    (
        "PERIOD_REOPEN",
        "反结账审批 Reopening a month or a year",
        [
            {"code": "REOPENING_APPROVAL", "name": "反结账审批 Approval", "roles": ["GENERAL_MANAGER"]},
        ],
    ),
)  # fmt: skip


async def fill(connection: AsyncConnection, request: Any) -> None:
    """The workflows of a fresh lender (behaviour.md "Defaults of a fresh lender")."""
    rows = [
        {
            "id": uuid7(),
            "created_at": request.moment,
            "code": code,
            "version": 1,
            "purpose": code,
            "name": name,
            "nodes": nodes,
        }
        for code, name, nodes in DEFAULTS
    ]
    await connection.execute(insert(WorkflowDefinition), rows)
