"""总分核对 · Proofs of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.ledger.proof import difference
from schema.kernel import Cursor, Date, DateTime, Hidden, relation
from schema.lending.loan import Loan

if TYPE_CHECKING:
    from domain.ledger.proof.difference import Proof as Proof
else:
    Proof = strawberry.enum(difference.Proof, description="核对项目 What is proved, causes before consequences.")


@strawberry.type(description="核对差异 One thing that is not as it must be.")
class ProofDifference:
    where: str
    """位置 The voucher, account, loan or installment."""
    expected: str
    """应为 What it must be: CNY, or the row."""
    found: str
    """实为 What it is."""
    loan_id: Hidden[UUID | None]

    @relation(by="loan_id")
    def loan(self) -> Loan | None:
        """借据 The loan, where it is about one."""


@strawberry.type(description="核对结果 What one proof shows of a day.")
class ProofResult:
    proof: Proof
    """核对项目 Which proof."""
    on: Date
    """日期 The business day."""
    holds: bool
    """相符 Whether everything adds up."""
    difference_count: int
    """差异数 How many differences there are."""
    differences: list[ProofDifference]
    """差异 The first of them."""
    proved_at: DateTime
    """核对时间 When it was proved."""


@strawberry.type(description="核对动态 The proofs of a day were run.")
class ProofEvent:
    cursor: Cursor
    """位置 Reconnect with it as `after`, and nothing is missed."""
    on: Date
    """日期 The business day."""
    holds: bool
    """相符 Whether all of them hold."""
    proofs: list[ProofResult]
    """核对结果 What each of them shows."""
