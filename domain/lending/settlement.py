"""合同结清 · A contract is settled when the last loan under it is, and in force again when one of them is reopened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, exists, or_, select, update

from domain.lending.loan import Loan, LoanState
from domain.lending.loan_contract import ContractState, LoanContract

if TYPE_CHECKING:
    from domain.kernel.context import Context


_SOME = exists(select(Loan.id).where(Loan.contract_id == LoanContract.id))
_ALIVE = exists(select(Loan.id).where(Loan.contract_id == LoanContract.id, Loan.state != LoanState.SETTLED))
_IS_SETTLED = and_(LoanContract.state == ContractState.EFFECTIVE, _SOME, ~_ALIVE)
_IS_REOPENED = and_(LoanContract.state == ContractState.SETTLED, _ALIVE)
CONTRACTS_TO_FOLLOW = exists(select(LoanContract.id).where(or_(_IS_SETTLED, _IS_REOPENED)))
"""Whether any contract is not what its loans are."""


async def follow_loans(ctx: Context, contract_ids: Sequence[UUID] | None = None) -> int:
    """Brings the state of these contracts (default: all) to that of their loans; answers how many changed."""
    changed: list[UUID] = []
    for is_another, state in ((_IS_SETTLED, ContractState.SETTLED), (_IS_REOPENED, ContractState.EFFECTIVE)):
        statement = update(LoanContract).where(is_another)
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
