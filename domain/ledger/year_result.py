"""年度结转 · The result of a year: income and expense → 本年利润 (4103) → 利润分配 (4104), and the opposite.

Booked on the open day with the last day of the year as value date: what the new year has brought by then stays in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from domain.ledger import journal
from domain.ledger.account import PROFIT_DISTRIBUTION, YEARS_PROFIT, Account, AccountKind
from domain.ledger.journal import AccountDay, Entry, Line, VoucherLine

if TYPE_CHECKING:
    from domain.kernel.context import Context


async def post(ctx: Context, year: Any, last_day: date) -> list[UUID]:
    """结转损益 · Two vouchers about `year` (its row): income and expense as they stood at the close of its last day to 4103,
    and 4103 to 4104. Answers their ids; none where there is no result."""
    balance = func.sum(AccountDay.debit - AccountDay.credit)
    wanted = (
        select(AccountDay.account, balance)
        .join(Account, Account.code == AccountDay.account)
        .where(Account.kind.in_((AccountKind.INCOME, AccountKind.EXPENSE)), AccountDay.on <= last_day)
        .group_by(AccountDay.account)
        .having(balance != 0)
    )
    balances = [(code, Decimal(amount)) for code, amount in (await ctx.connection.execute(wanted)).all()]
    result = sum((amount for _, amount in balances), journal.ZERO)
    about: dict[str, Any] = {"reference": year, "value_date": last_day}
    moved = [Line(code, credit=amount) for code, amount in balances] + [Line(YEARS_PROFIT, debit=result)]
    passed = [Line(YEARS_PROFIT, credit=result), Line(PROFIT_DISTRIBUTION, debit=result)]
    return await journal.post(
        ctx,
        Entry(kind="YEAR_RESULT", lines=moved, summary=f"结转损益 {last_day:%Y}", **about),
        Entry(kind="YEAR_PROFIT", lines=passed, summary=f"结转本年利润 {last_day:%Y}", **about),
    )


async def undo(ctx: Context, year: Any, voucher_ids: Sequence[UUID], last_day: date) -> list[UUID]:
    """反年结 · The opposite of the vouchers that closed a year, the last one first."""
    lines: dict[UUID, list[Line]] = {voucher_id: [] for voucher_id in voucher_ids}
    wanted = select(VoucherLine.__table__).where(VoucherLine.voucher_id.in_(voucher_ids)).order_by(VoucherLine.line)
    for line in (await ctx.connection.execute(wanted)).all():
        lines[line.voucher_id].append(Line(line.account, debit=line.credit, credit=line.debit, sub_id=line.sub_id))
    opposite = [
        Entry(
            kind="YEAR_REOPENED",
            reference=year,
            lines=lines[voucher_id],
            summary=f"反年结 {last_day:%Y}",
            value_date=last_day,
            reverses_id=voucher_id,
        )
        for voucher_id in reversed(voucher_ids)
    ]
    return await journal.post(ctx, *opposite)
