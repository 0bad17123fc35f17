"""抵押担保 · Taking collateral over for the debt (F24)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.collateral import repossession
from schema.collateral.mortgage import Mortgage
from schema.finance.receipt import AllocationLine
from schema.kernel import ID, Connection, Date, DateTime, Hidden, Money, Node, Payload, entity, relation
from schema.lending.loan import Loan
from schema.lending.loan_preview import LoanChangePreview
from schema.organization.employee import Employee
from schema.workflow.workflow import WorkflowInstance

if TYPE_CHECKING:
    from domain.collateral.repossession import RepossessionState as RepossessionState
else:
    RepossessionState = strawberry.enum(
        repossession.RepossessionState, description="抵债状态 HELD: the asset stands in the balance sheet."
    )


@entity("repossessed_assets", reading="collateral.repossession.read")
class RepossessedAsset(Node):
    """抵债资产 A mortgaged asset that was taken over for what a loan owed, or is asked to be."""

    number: str
    """抵债编号 The number people read: DZ-2026-0001."""
    state: RepossessionState
    """状态 Where it stands."""
    amount: Money
    """抵债金额 The value agreed with its owner; the loan was paid as much."""
    agreed_on: Date
    """协议日 After the debt fell due."""
    agreement_number: str
    """协议编号 Of the paper."""
    effective_on: Date | None
    """接收日 The business date of the approval."""
    decided_at: DateTime | None
    """审批时间 When it was decided."""
    comment: str | None
    """备注 Why it is to be undone."""
    mortgage_id: Hidden[UUID]
    loan_id: Hidden[UUID]
    requested_by_id: Hidden[UUID] = strawberry.field(metadata={"column": "requested_by"})
    decided_by_id: Hidden[UUID | None] = strawberry.field(metadata={"column": "decided_by"})

    @relation(by="mortgage_id")
    def mortgage(self) -> Mortgage:
        """抵押 The mortgage that it ended."""

    @relation(by="loan_id")
    def loan(self) -> Loan:
        """借据 The loan that it paid."""

    @relation(by="requested_by_id")
    def requested_by(self) -> Employee:
        """申请人 Who asked."""

    @relation(by="decided_by_id")
    def decided_by(self) -> Employee | None:
        """审批人 Who gave the last word."""

    @relation
    def allocation(self) -> list[AllocationLine]:
        """分配 What it paid, in this order; empty before it was taken over."""

    @relation
    def workflow(self) -> WorkflowInstance | None:
        """审批流 The latest workflow about it."""


@strawberry.type(description="抵债资产列表 One page of assets.")
class RepossessedAssetConnection(Connection[RepossessedAsset]):
    pass


@strawberry.input(description="抵债资产筛选 Only assets that meet all that is given.")
class RepossessedAssetFilter:
    states: list[RepossessionState] | None = None
    """状态 In one of these states."""
    loan_id: ID | None = None
    """借据 That paid this loan."""


@strawberry.input(description="以物抵债 The mortgaged asset, the loan that it pays, and what was agreed.")
class DisposeCollateralInput:
    mortgage_id: ID
    """抵押 An effective mortgage that comes first on its certificate."""
    loan_id: ID
    """借据 A loan under its contract, due as a whole."""
    amount: Money
    """抵债金额 The agreed value, at most what is owed."""
    agreed_on: Date
    """协议日 After the last due date."""
    agreement_number: str
    """协议编号 Of the paper."""


@strawberry.input(description="抵债操作 The asset.")
class RepossessedAssetActionInput:
    asset_id: ID
    """抵债资产 The asset."""
    comment: str | None = None
    """备注 Why; needed to undo it."""


@strawberry.type(description="抵债结果 The asset, or why nothing changed.")
class RepossessedAssetPayload(Payload):
    asset: RepossessedAsset | None = None
    """抵债资产 The asset; null with preview, as nothing is written."""
    preview: LoanChangePreview | None = None
    """预演 With preview: what would change on its loan."""
