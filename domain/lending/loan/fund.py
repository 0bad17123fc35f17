"""委托资金余额 · What is left of an entrustor's money, read from the vouchers: 2314 of his contract less 1321 of its loans.

The row of the entrusted contract is the lock: whoever pays out, gives back or takes a fee waits for the one before. Nothing
may leave the balance below zero, a reversal or a late receipt neither: what was passed on cannot be un-received.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Select, func, literal_column, select, union_all

from domain.kernel.refusals import EntrustedFundInsufficient
from domain.kernel.table import TenantTable
from domain.ledger import account
from domain.ledger.journal import VOUCHER_LINES, VOUCHERS, ZERO
from domain.lending.loan.tables import Loan
from domain.lending.loan.tax import INTEREST_FEE_RATE

if TYPE_CHECKING:
    from domain.kernel.context import Context

LOAN: Any = Loan.__table__.c
LINE: Any = VOUCHER_LINES.c


async def lock(ctx: Context, contract_id: UUID | None) -> None:
    """Makes everybody else who moves this entrustor's money wait; nothing for a loan of the lender's own."""
    if contract_id is not None:
        contracts = _table("entrusted_contracts")
        await ctx.connection.execute(select(contracts.id).where(contracts.id == contract_id).with_for_update())


async def terms(ctx: Context, contract_id: UUID | None) -> dict[str, Any]:
    """What the terms of a loan keep of its entrusted contract: the share of the interest that is the lender's fee."""
    if contract_id is None:
        return {}
    contracts = _table("entrusted_contracts")
    wanted = select(contracts.interest_fee_rate).where(contracts.id == contract_id)
    return {INTEREST_FEE_RATE: str((await ctx.connection.execute(wanted)).scalar_one())}


def lines(contract_ids: Sequence[UUID], columns: Sequence[Any] = (), accounts: Sequence[str] = ()) -> Select[Any]:
    """The voucher lines that moved these funds, with `contract_id`, `loan_id` (None: no loan's) and `amount` (to the fund
    above zero); `columns` are further ones of vouchers and their lines, `accounts` further ones kept by loan."""
    amount = (LINE.credit - LINE.debit).label("amount")
    joined = VOUCHER_LINES.join(VOUCHERS, VOUCHERS.c.id == LINE.voucher_id)
    owed = (
        select(
            LINE.sub_id.label("contract_id"), literal_column("cast(null as uuid)").label("loan_id"), amount, *columns
        )
        .select_from(joined)
        .where(LINE.account == account.ENTRUSTED_FUND, LINE.sub_id.in_(contract_ids))
    )
    lent = (
        select(LOAN.entrusted_contract_id.label("contract_id"), LOAN.id.label("loan_id"), amount, *columns)
        .select_from(joined.join(Loan.__table__, LOAN.id == LINE.sub_id))
        .where(LINE.account.in_([account.ENTRUSTED_LOAN, *accounts]), LOAN.entrusted_contract_id.in_(contract_ids))
    )
    both = union_all(owed, lent).subquery()
    return select(*both.c)


async def balances(
    ctx: Context, contract_ids: Sequence[UUID], on: date | None = None, *, by_value: bool = False
) -> dict[UUID, Decimal]:
    """The balance of each fund at the close of a business day (default: now), or with `by_value` of what has a value date
    until then. One statement."""
    day = VOUCHERS.c.value_date if by_value else VOUCHERS.c.business_date
    moved = lines(contract_ids, [day.label("day")]).subquery()
    statement = select(moved.c.contract_id, func.sum(moved.c.amount)).group_by(moved.c.contract_id)
    if on is not None:
        statement = statement.where(moved.c.day <= on)
    found = {row[0]: row[1] for row in (await ctx.connection.execute(statement)).all()}
    return {contract_id: found.get(contract_id, ZERO) for contract_id in contract_ids}


async def spoken_for(ctx: Context, contract_id: UUID, but: UUID | None = None) -> Decimal:
    """What is on its way out of a fund: pay-outs with the bank, money to be given back and fees to be taken that a second
    person has not confirmed; `but` one of them."""
    payouts, agreed = _table("disbursements"), _table("loan_contracts")
    back, fees = _table("entrusted_funds"), _table("entrusted_fees")
    paying = (
        select(payouts.id, payouts.amount)
        .join(TenantTable.metadata.tables["loan_contracts"], agreed.id == payouts.contract_id)
        .where(agreed.entrusted_contract_id == contract_id, payouts.state == "PAYING")
    )
    returning = select(back.id, back.amount).where(
        back.entrusted_contract_id == contract_id, back.kind == "RETURNED", back.state == "ENTERED"
    )
    taking = select(fees.id, fees.amount).where(
        fees.entrusted_contract_id == contract_id, fees.state == "SETTLING", fees.way == "FUND"
    )
    parts = union_all(paying, returning, taking).subquery()
    statement = select(func.coalesce(func.sum(parts.c.amount), ZERO))
    if but is not None:
        statement = statement.where(parts.c.id != but)
    return Decimal((await ctx.connection.execute(statement)).scalar_one())


async def available(ctx: Context, contract_id: UUID, *, but: UUID | None = None, since: date | None = None) -> Decimal:
    """What may leave a fund now: its balance less what is on its way out. Of a payment whose money left on an earlier day
    (`since`) no more than had come in by then."""
    balance = (await balances(ctx, [contract_id]))[contract_id]
    if since is not None and since < ctx.today:
        balance = min(balance, (await balances(ctx, [contract_id], since, by_value=True))[contract_id])
    return balance - await spoken_for(ctx, contract_id, but)


async def take(
    ctx: Context, contract_id: UUID, amount: Decimal, *, but: UUID | None = None, since: date | None = None
) -> None:
    """Locks a fund and refuses what it does not hold. Raises ENTRUSTED_FUND_INSUFFICIENT with the figures."""
    await lock(ctx, contract_id)
    free = await available(ctx, contract_id, but=but, since=since)
    if amount > free:
        raise EntrustedFundInsufficient("amount", available=free, amount=amount)


async def check(ctx: Context, loan: Loan) -> None:
    """After an event of a loan: its fund holds what is on its way out still. Raises ENTRUSTED_FUND_INSUFFICIENT."""
    if loan.entrusted_contract_id is not None:
        free = await available(ctx, loan.entrusted_contract_id, but=loan.disbursement_id)
        if free < 0:
            raise EntrustedFundInsufficient("amount", available=free)


def _table(name: str) -> Any:
    return TenantTable.metadata.tables[name].c
