"""合同结清 · A contract is settled when the last loan under it is, and in force again when one of them is reopened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import exists, select, update

from domain.lending.loan import Loan, LoanState
from domain.lending.loan_contract import ContractState, LoanContract

if TYPE_CHECKING:
    from domain.kernel.context import Context


async def follow_loans(ctx: Context, contract_ids: Sequence[UUID] | None = None) -> int:
    """Brings the state of these contracts (default: all) to that of their loans; answers how many changed."""
    some = exists(select(Loan.id).where(Loan.contract_id == LoanContract.id))
    alive = exists(select(Loan.id).where(Loan.contract_id == LoanContract.id, Loan.state != LoanState.SETTLED))
    settled = update(LoanContract).where(LoanContract.state == ContractState.EFFECTIVE, some, ~alive)
    reopened = update(LoanContract).where(LoanContract.state == ContractState.SETTLED, alive)
    changed: list[UUID] = []
    for statement, state in ((settled, ContractState.SETTLED), (reopened, ContractState.EFFECTIVE)):
        if contract_ids is not None:
            statement = statement.where(LoanContract.id.in_(contract_ids))
        rows = await ctx.connection.execute(statement.values(state=state).returning(LoanContract.id))
        changed += rows.scalars()
    for contract_id in changed:
        ctx.announce("lending.loan_contract.changed", LoanContract(id=contract_id))
    return len(changed)


async def close_day(ctx: Context, _day: date) -> int:
    """The step of end of day: loans that kept money settled in the night take their contracts with them."""
    return await follow_loans(ctx)
