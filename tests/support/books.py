"""The books of a lender in tests: balances, and parameters as two persons change them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from domain.configuration import parameter
from domain.ledger import journal, proof
from tests.support.actors import LenderAtWork


async def balances(lender: LenderAtWork, on: date | None = None) -> dict[str, Decimal]:
    """Debit less credit by account at the close of a day, empty accounts left out."""
    async with lender.system.reading() as ctx:
        rows = await journal.trial_balance(ctx, on)
    return {row.code: row.debit - row.credit for row in rows if row.debit != row.credit}


async def differences(lender: LenderAtWork) -> list[str]:
    """What the proof of all of history finds."""
    async with lender.system.reading() as ctx:
        return [str(found) for found in await proof.differences(ctx)]


async def set_parameter(lender: LenderAtWork, code: str, value: Any) -> None:
    """A value from today on, proposed by one person and approved by another."""
    async with lender.system.reading() as ctx:
        today = ctx.today
    wish = await parameter.propose(lender.tenant_admin, code=code, value=value, effective_from=today, reason="测试")
    await parameter.approve(lender.general_manager, parameter_id=wish.id)
