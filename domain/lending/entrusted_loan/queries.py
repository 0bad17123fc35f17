"""委托贷款查询 · Entrusted contracts, who entrusts, and the statement of a fund: its movements told from the vouchers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from domain.calculation.allocation import ClaimComponent, Component
from domain.calculation.entrusted import split
from domain.calculation.loan.lines import AllocationLine
from domain.calculation.money import fen, yuan
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import BadInput
from domain.kernel.scope import scope
from domain.ledger import account
from domain.ledger.journal import VOUCHER_LINES, VOUCHERS, ZERO
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.loan import Loan, fund
from domain.lending.loan.tables import AllocationRow
from domain.lending.loan.tax import INTEREST_FEE_RATE

if TYPE_CHECKING:
    from domain.kernel.context import Context

CONTRACT: Any = EntrustedContract.__table__.c
LOAN: Any = Loan.__table__.c
LONGEST = timedelta(days=366)
DAY = timedelta(days=1)


class FundMovement(StrEnum):
    """委托资金流水 · What moved a fund."""

    RECEIVED = "RECEIVED"
    """收到 The entrustor's money came in."""
    LENT = "LENT"
    """放款 Paid out to the borrower."""
    REPAID_PRINCIPAL = "REPAID_PRINCIPAL"
    """收回本金 Principal that came back; below zero where a receipt was undone."""
    INTEREST = "INTEREST"
    """收息 Interest, penalty and fees that the borrower paid; below zero where a receipt was undone."""
    FEE = "FEE"
    """手续费 What the lender took for its work."""
    RETURNED = "RETURNED"
    """转付 Went to the entrustor."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of one voucher; `amount` in CNY, to the fund above zero, and the balance after it."""

    on: date
    value_date: date
    movement: FundMovement
    amount: Decimal
    balance: Decimal
    voucher: str
    loan_id: UUID | None


@dataclass(frozen=True, slots=True)
class Statement:
    """对账单 · What moved a fund between two business days, and its balance before and after, in CNY."""

    contract_id: UUID
    first: date
    last: date
    opening: Decimal
    closing: Decimal
    lines: tuple[StatementLine, ...]


# ---------------------------------------------------------------- contracts and entrustors


@query("lending.entrusted_contract.read")
async def contracts(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    entrustor_id: UUID | None = None,
    borrower_id: UUID | None = None,
) -> Page:
    """Entrusted contracts that the actor may see, newest first."""
    statement = select(*columns).where(scope(ctx, EntrustedContract))
    for column, value in ((CONTRACT.entrustor_id, entrustor_id), (CONTRACT.borrower_id, borrower_id)):
        if value is not None:
            statement = statement.where(column == value)
    return await page(ctx, statement, [Order(CONTRACT.id, descending=True)], window)


@query("lending.entrusted_contract.read")
async def one(ctx: Context, *, columns: Sequence[Any], contract_id: UUID) -> Any:
    """The entrusted contract with this id; None when there is none, or none for this viewer."""
    statement = select(*columns).where(scope(ctx, EntrustedContract), CONTRACT.id == contract_id)
    return (await ctx.connection.execute(statement)).one_or_none()


@query("lending.entrusted_contract.read")
async def loans(ctx: Context, *, columns: Sequence[Any], window: Window, contract_id: UUID | None = None) -> Page:
    """Entrusted loans that the actor may see, newest first; those under one contract."""
    statement = select(*columns).where(scope(ctx, Loan), LOAN.entrusted_contract_id.is_not(None))
    if contract_id is not None:
        statement = statement.where(LOAN.entrusted_contract_id == contract_id)
    return await page(ctx, statement, [Order(LOAN.id, descending=True)], window)


@dataclass(frozen=True, slots=True)
class Entrustor:
    """委托人 · A customer whose money is lent: how many contracts, their amounts, what is lent and what is left, in CNY."""

    customer_id: UUID
    contracts: int
    amount: Decimal
    lent: Decimal
    balance: Decimal


@query("lending.entrusted_contract.read")
async def entrustors(ctx: Context) -> list[Entrustor]:
    """Whose money the lender lends, of the contracts that the actor may see. Three statements, however many."""
    seen = select(CONTRACT.id, CONTRACT.entrustor_id, CONTRACT.amount).where(scope(ctx, EntrustedContract))
    rows = (await ctx.connection.execute(seen.order_by(CONTRACT.id))).all()
    ids = [row.id for row in rows]
    left = await fund.balances(ctx, ids)
    out = await outstanding(ctx, ids)
    of: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        of[row.entrustor_id].append(row)
    return [
        Entrustor(
            customer_id=entrustor_id,
            contracts=len(own),
            amount=sum((row.amount for row in own), ZERO),
            lent=sum((out[row.id] for row in own), ZERO),
            balance=sum((left[row.id] for row in own), ZERO),
        )
        for entrustor_id, own in of.items()
    ]


async def outstanding(ctx: Context, contract_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """Principal outstanding under each contract, in CNY."""
    statement = select(LOAN.entrusted_contract_id, func.sum(LOAN.principal_outstanding)).where(
        LOAN.entrusted_contract_id.in_(contract_ids)
    )
    rows = (await ctx.connection.execute(statement.group_by(LOAN.entrusted_contract_id))).all()
    found = {row[0]: row[1] for row in rows}
    return {contract_id: found.get(contract_id, ZERO) for contract_id in contract_ids}


# ---------------------------------------------------------------- the statement


@query("finance.entrusted_fund.read")
async def statement(
    ctx: Context, *, contract_id: UUID, first: date | None = None, last: date | None = None
) -> Statement | None:
    """对账单 · What moved a fund from one business day to another (default: the year up to today); None for a contract that the
    actor may not see.

    Raises BadInput for days in the wrong order, more than a year, or not open yet."""
    last = last or ctx.today
    first = first or last - LONGEST + DAY
    if not first <= last <= ctx.today or last - first >= LONGEST:
        raise BadInput("at most a year, up to the open business day")
    seen = select(CONTRACT.id).where(scope(ctx, EntrustedContract), CONTRACT.id == contract_id)
    if (await ctx.connection.execute(seen)).first() is None:
        return None
    opening = (await fund.balances(ctx, [contract_id], first - DAY))[contract_id]
    columns = [
        VOUCHERS.c.id.label("voucher_id"), VOUCHERS.c.number, VOUCHERS.c.kind, VOUCHERS.c.business_date,
        VOUCHERS.c.value_date, VOUCHER_LINES.c.account,
    ]  # fmt: skip
    moved = fund.lines([contract_id], columns, accounts=[account.FEE_INCOME]).subquery()
    wanted = select(moved).where(moved.c.business_date.between(first, last)).order_by(moved.c.number)
    vouchers: dict[UUID, list[Any]] = defaultdict(list)
    for row in (await ctx.connection.execute(wanted)).all():
        vouchers[row.voucher_id].append(row)
    balance, lines = opening, []
    for rows in vouchers.values():
        for movement, amount in _movements(rows):
            balance += amount
            head, loan_id = rows[0], next((row.loan_id for row in rows if row.loan_id), None)
            lines.append(
                StatementLine(head.business_date, head.value_date, movement, amount, balance, head.number, loan_id)
            )
    return Statement(contract_id, first, last, opening, balance, tuple(lines))


def _movements(rows: Sequence[Any]) -> list[tuple[FundMovement, Decimal]]:
    """The movements of one voucher. What a receipt brought in is shown as the borrower paid it, the lender's fee beside it."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        sums[row.account] += row.amount
    own = {
        "ENTRUSTED_RECEIVED": FundMovement.RECEIVED,
        "ENTRUSTED_RETURNED": FundMovement.RETURNED,
        "ENTRUSTED_FEE": FundMovement.FEE,
    }
    owed, fee, lent = sums[account.ENTRUSTED_FUND], sums[account.FEE_INCOME], sums[account.ENTRUSTED_LOAN]
    if rows[0].kind in own:
        return [(own[rows[0].kind], owed)]
    principal = FundMovement.LENT if rows[0].kind == "PAYOUT" else FundMovement.REPAID_PRINCIPAL
    found = [(principal, lent), (FundMovement.INTEREST, owed + fee), (FundMovement.FEE, -fee)]
    return [(movement, amount) for movement, amount in found if amount]


# ---------------------------------------------------------------- the share of the interest


@dataclass(frozen=True, slots=True)
class InterestSplit:
    """收息分配 · What one receipt brought the entrustor (A22), in CNY: interest and what else bears the fee, the fee, and what is
    passed on, principal in it."""

    receipt_id: UUID
    loan_id: UUID
    value_date: date
    interest: Decimal
    handling_fee: Decimal
    to_entrustor: Decimal


async def splits(ctx: Context, contract_ids: Sequence[UUID]) -> dict[UUID, list[InterestSplit]]:
    """How each receipt under these contracts that stands is split, in the order of their value dates. One statement."""
    tables = EntrustedContract.metadata.tables
    receipts, paid = tables["receipts"].c, AllocationRow.__table__.c
    wanted = (
        select(
            LOAN.entrusted_contract_id, LOAN.terms, LOAN.id.label("loan_id"), receipts.id, receipts.value_date,
            paid.seq, paid.component, paid.amount,
        )
        .select_from(
            tables["receipts"].join(Loan.__table__, LOAN.id == receipts.loan_id).join(
                AllocationRow.__table__, paid.event_id == receipts.event_id
            )
        )
        .where(LOAN.entrusted_contract_id.in_(contract_ids), receipts.state == "REGISTERED")
        .order_by(receipts.value_date, receipts.id, paid.line)
    )  # fmt: skip
    lines: dict[UUID, list[Any]] = defaultdict(list)
    for row in (await ctx.connection.execute(wanted)).all():
        lines[row.id].append(row)
    found: dict[UUID, list[InterestSplit]] = {contract_id: [] for contract_id in contract_ids}
    for receipt_id, rows in lines.items():
        head, parts = rows[0], [AllocationLine(row.seq, _component(row.component), fen(row.amount)) for row in rows]
        shared = split(parts, Fraction(head.terms[INTEREST_FEE_RATE]))
        whole = sum(part.amount for part in parts)
        principal = sum(part.amount for part in parts if part.component is Component.PRINCIPAL)
        found[head.entrusted_contract_id].append(
            InterestSplit(
                receipt_id, head.loan_id, head.value_date, yuan(whole - principal), yuan(shared.handling_fee),
                yuan(shared.to_entrustor),
            )
        )  # fmt: skip
    return found


def _component(value: str) -> Component | ClaimComponent:
    return Component(value) if value in set(Component) else ClaimComponent(value)
