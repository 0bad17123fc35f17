"""重算核对 · Loans folded anew from their events, against everything that is stored of them and posted for them.

The fold is the measure: positions, overdue lines, movements and the loan's own columns are POSITIONS, its installments
SCHEDULES, the lines of the ledger that bear its key SUB_LEDGER. What a night's voucher books for all loans of a product is
compared in sum (ACCRUALS). A fold that agrees with nothing that is stored tells of a changed event: POSITIONS, and the rest
follows from it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, func, select

from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Movement, OverdueLine, Position
from domain.calculation.money import fen, yuan
from domain.configuration.loan_product import LoanProduct
from domain.ledger.account import BANK, ENTRUSTED_FUND, ENTRUSTED_LOAN
from domain.ledger.journal import Voucher, VoucherLine
from domain.ledger.proof.difference import ENTRUSTED_CASH, Difference, Key, Proof
from domain.lending.loan import posting, refold, tax
from domain.lending.loan.refold import Book
from domain.lending.loan.tables import (
    STILL_KNOWN,
    InstallmentRow,
    Loan,
    MovementRow,
    OverdueLineRow,
    PositionRow,
)
from domain.lending.loan.tax import VatRules

if TYPE_CHECKING:
    from domain.kernel.context import Context

LOANS_AT_ONCE = 500
BY_PRODUCT = posting.ACCRUAL_ACCOUNTS | posting.OFF_BALANCE_ACCOUNTS
"""Accounts that a night books for the loans of a product together."""
KEPT_ELSEWHERE = {BANK, ENTRUSTED_FUND}
"""Accounts whose lines bear another key than the loan: they have proofs of their own."""


@dataclass
class Replay:
    """Sums over the loans replayed so far; `differences` of single loans. In fen, debit above zero."""

    vat: VatRules
    differences: list[Difference] = field(default_factory=list)
    folded: dict[UUID, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    posted: dict[UUID, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the tables hold of some loans."""

    positions: dict[UUID, list[tuple[Any, ...]]]
    overdue_lines: dict[UUID, list[tuple[Any, ...]]]
    movements: dict[UUID, list[tuple[Any, ...]]]
    installments: dict[UUID, dict[int, dict[str, Any]]]
    ledger: dict[UUID, Counter[str]]


async def differences(ctx: Context, loan_ids: Sequence[UUID] | None = None) -> list[Difference]:
    """Replays these loans, or all; of products only those all of whose loans are among them are compared in sum."""
    replay = Replay(await tax.rules(ctx))
    in_sum = await _taken_over(ctx)
    async for loans in _portions(ctx, loan_ids):
        books = await refold.books(ctx, loans)
        stored = await _stored(ctx, [loan.id for loan in loans])
        for book in books:
            _compare(replay, book, stored, ctx.today, in_sum)
    products = await _whole_products(ctx, loan_ids, replay)
    return replay.differences + await _in_sum(ctx, replay, products)


async def _portions(ctx: Context, loan_ids: Sequence[UUID] | None) -> Any:
    """The rows of loans, some at once, by id."""
    if loan_ids is not None:
        ids = sorted(set(loan_ids))
        for start in range(0, len(ids), LOANS_AT_ONCE):
            part = select(Loan.__table__).where(Loan.id.in_(ids[start : start + LOANS_AT_ONCE]))
            yield (await ctx.connection.execute(part)).all()
        return
    after = UUID(int=0)
    while loans := (
        await ctx.connection.execute(
            select(Loan.__table__).where(Loan.id > after).order_by(Loan.id).limit(LOANS_AT_ONCE)
        )
    ).all():
        yield loans
        after = loans[-1].id


# --------------------------------------------------------------------------- one loan


def _compare(replay: Replay, book: Book, stored: _Stored, today: date, in_sum: dict[UUID, set[str]]) -> None:
    """Compares one loan and adds it to the sums of its product."""
    loan: Any = book.loan
    fold = book.fold(min(today, (loan.next_action_on or date.max) - timedelta(days=1)))
    wrong = [*_rows_unlike(fold, stored, loan.id), *_columns_unlike(fold, loan)]
    explains: set[Key] = {
        ("loan", loan.id),
        ("product", loan.product_id),
        ("fund", loan.entrusted_contract_id),
        *(("event", event.id) for event in book.events),
    }
    for what, expected, found in wrong:
        replay.differences.append(
            Difference(Proof.POSITIONS, f"{loan.number} {what}", expected, found, loan.id, explains=frozenset(explains))
        )
    about = ("loan", loan.id)
    expected_rows, found_rows = refold.standing(fold), stored.installments.get(loan.id, {})
    for seq in sorted(expected_rows.keys() | found_rows.keys()):
        expected, found = expected_rows.get(seq), found_rows.get(seq)
        if expected != found:
            unlike = _columns(expected, found)
            where = f"{loan.number} 第 {seq} 期 installment"
            replay.differences.append(Difference(Proof.SCHEDULES, where, *unlike, loan.id, about))
    wanted = Counter(posting.ledger(fold, fold.until, replay.vat.of(loan)))
    got = stored.ledger.get(loan.id, Counter())
    summed = BY_PRODUCT | in_sum.get(loan.product_id, set())
    for code in sorted(wanted.keys() | got.keys()):
        if code in summed:
            replay.folded[loan.product_id][code] += wanted[code]
            replay.posted[loan.product_id][code] += got[code]
        elif code not in KEPT_ELSEWHERE and wanted[code] != got[code]:
            where, money = f"{loan.number} {code}", (yuan(wanted[code]), yuan(got[code]))
            follows = frozenset({ENTRUSTED_CASH} if code == ENTRUSTED_LOAN else ())
            replay.differences.append(Difference(Proof.SUB_LEDGER, where, *money, loan.id, about, follows))


def _rows_unlike(fold: Fold, stored: _Stored, loan_id: UUID) -> Iterable[tuple[str, str, str]]:
    for name in ("positions", "overdue_lines", "movements"):
        wanted = [tuple(row) for row in getattr(fold, name)]
        got = getattr(stored, name).get(loan_id, [])
        if Counter(wanted) != Counter(got):
            yield name, _unlike(wanted, got), _unlike(got, wanted)


def _columns_unlike(fold: Fold, loan: Any) -> Iterable[tuple[str, Any, Any]]:
    """The loan's own columns, which are the fold at the day it stands at."""
    for name, value in refold.description(fold).items():
        if getattr(loan, name) != value:
            yield name, value, getattr(loan, name)


def _unlike(rows: Iterable[tuple[Any, ...]], others: Sequence[tuple[Any, ...]]) -> str:
    """The first row that the other side has not."""
    return next((repr(tuple(map(str, row))) for row in rows if row not in others), "–")


def _columns(expected: dict[str, Any] | None, found: dict[str, Any] | None) -> tuple[str, str]:
    """The columns in which two rows differ, as each has them."""
    names = [name for name in expected or found or {} if not expected or not found or expected[name] != found[name]]
    return _said(expected, names), _said(found, names)


def _said(row: dict[str, Any] | None, names: Sequence[str]) -> str:
    return "–" if row is None else ", ".join(f"{name} {row[name]}" for name in names)


# --------------------------------------------------------------------------- what is stored


async def _stored(ctx: Context, ids: Sequence[UUID]) -> _Stored:
    installments: dict[UUID, dict[int, dict[str, Any]]] = defaultdict(dict)
    statement = select(InstallmentRow.__table__).where(InstallmentRow.loan_id.in_(ids))
    for row in (await ctx.connection.execute(statement)).all():
        told = dict(row._mapping)
        installments[told.pop("loan_id")][row.seq] = told
    ledger: dict[UUID, Counter[str]] = defaultdict(Counter)
    posted = (
        select(VoucherLine.sub_id, VoucherLine.account, func.sum(VoucherLine.debit - VoucherLine.credit))
        .where(VoucherLine.sub_id.in_(ids))
        .group_by(VoucherLine.sub_id, VoucherLine.account)
    )
    for loan_id, code, amount in (await ctx.connection.execute(posted)).all():
        if loan_id is not None:
            ledger[loan_id][code] = fen(amount)
    return _Stored(
        positions=await _rows_of(ctx, PositionRow, ids, Position),
        overdue_lines=await _rows_of(ctx, OverdueLineRow, ids, OverdueLine),
        movements=await _rows_of(ctx, MovementRow, ids, Movement),
        installments=installments,
        ledger=ledger,
    )


async def _rows_of(ctx: Context, table: Any, ids: Sequence[UUID], shape: Any) -> dict[UUID, list[tuple[Any, ...]]]:
    names = ["event_id" if name == "event" else name for name in shape._fields]
    statement = select(table.loan_id, *(getattr(table, name) for name in names))
    statement = statement.where(table.loan_id.in_(bindparam("ids", expanding=True)), table.known_to == STILL_KNOWN)
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    for loan_id, *row in (await ctx.connection.execute(statement, {"ids": ids})).all():
        found.setdefault(loan_id, []).append(tuple(map(_engine, row)))
    return found


def _engine(value: Any) -> Any:
    """A stored value as the engine has it: numerators are whole numbers, event ids are text."""
    if isinstance(value, Decimal):
        return int(value)
    return str(value) if isinstance(value, UUID) else value


# --------------------------------------------------------------------------- in sum


def _for_products() -> Any:
    """The lines that vouchers of products have without the key of a loan: (product, account, debit less credit)."""
    return (
        select(Voucher.reference_id, VoucherLine.account, func.sum(VoucherLine.debit - VoucherLine.credit))
        .join(VoucherLine, VoucherLine.voucher_id == Voucher.id)
        .where(Voucher.reference_table == LoanProduct.__tablename__, VoucherLine.sub_id.is_(None))
        .group_by(Voucher.reference_id, VoucherLine.account)
    )


async def _taken_over(ctx: Context) -> dict[UUID, set[str]]:
    """Further accounts in which a product's loans can be compared in sum only: they came with one voucher for all
    (a lender that moved here with his loans)."""
    found: dict[UUID, set[str]] = defaultdict(set)
    statement = _for_products().where(VoucherLine.account.not_in(BY_PRODUCT), VoucherLine.account != BANK)
    for product_id, code, _ in (await ctx.connection.execute(statement)).all():
        found[product_id].add(code)
    return found


async def _whole_products(ctx: Context, loan_ids: Sequence[UUID] | None, replay: Replay) -> set[UUID]:
    products = set(replay.folded)
    if loan_ids is None:
        return products
    beside = select(Loan.product_id).where(Loan.product_id.in_(products), Loan.id.not_in(loan_ids)).distinct()
    return products - set((await ctx.connection.execute(beside)).scalars())


async def _in_sum(ctx: Context, replay: Replay, products: set[UUID]) -> list[Difference]:
    if not products:
        return []
    together = _for_products().where(Voucher.reference_id.in_(products))
    for product_id, code, amount in (await ctx.connection.execute(together)).all():
        replay.posted[product_id][code] += fen(amount)
    named = select(LoanProduct.id, LoanProduct.code).where(LoanProduct.id.in_(products))
    names = {row.id: row.code for row in (await ctx.connection.execute(named)).all()}
    found = []
    for product_id in sorted(products, key=lambda one: str(names.get(one))):
        wanted, got = replay.folded[product_id], replay.posted[product_id]
        for code in sorted((wanted.keys() | got.keys()) - {BANK}):
            if wanted[code] != got[code]:
                where, about = f"{names.get(product_id, product_id)} {code}", ("product", product_id)
                found.append(Difference(Proof.ACCRUALS, where, yuan(wanted[code]), yuan(got[code]), about=about))
    return found
