"""委托资金与手续费列表 · What was entered of entrusted money and of its fees, as lists (F16, F17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.finance.entrusted_fee import EntrustedFee, EntrustedFeeState
from domain.finance.entrusted_fund import EntrustedFund
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.scope import scope

if TYPE_CHECKING:
    from domain.kernel.context import Context


@query("finance.entrusted_fund.read")
async def funds(ctx: Context, *, columns: Sequence[Any], window: Window, contract_id: UUID | None = None) -> Page:
    """What came in and went back of entrusted money, newest first."""
    table = EntrustedFund.__table__.c
    statement = select(*columns).where(scope(ctx, EntrustedFund))
    if contract_id is not None:
        statement = statement.where(table.entrusted_contract_id == contract_id)
    return await page(ctx, statement, [Order(table.id, descending=True)], window)


@query("finance.entrusted_fee.read")
async def fees(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    contract_id: UUID | None = None,
    states: Sequence[EntrustedFeeState] | None = None,
) -> Page:
    """Fees that entrustors owe or have paid, newest first."""
    table = EntrustedFee.__table__.c
    statement = select(*columns).where(scope(ctx, EntrustedFee))
    if contract_id is not None:
        statement = statement.where(table.entrusted_contract_id == contract_id)
    if states is not None:
        statement = statement.where(table.state.in_(states))
    return await page(ctx, statement, [Order(table.id, descending=True)], window)
