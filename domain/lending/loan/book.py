"""借据 · Loan (F13): paying out, recording what happens, carrying into a day. All that changes a loan goes through here.

An event is appended, the whole loan is folded again under its row lock, and one voucher posts the difference at the booking
date: a late receipt, a reversal and a correction cannot go wrong, because nothing is patched (loan_engine.md §6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from domain.calculation.allocation import InvalidAmount as NoAmount
from domain.calculation.classification import FiveClass, LendingMode
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.state import RefundNotCovered
from domain.calculation.schedule import Method, PlanError
from domain.configuration.loan_product import LoanKind, LoanProduct
from domain.kernel import command
from domain.kernel.clock import hold_day, hold_month
from domain.kernel.numbering import numbered
from domain.kernel.refusals import (
    ClosedBusinessDay,
    InvalidAmount,
    ProductRuleViolated,
    RefundExceedsBalance,
    Refusal,
    plain,
)
from domain.kernel.table import Keyed, uuid7
from domain.ledger import journal
from domain.ledger.journal import Entry
from domain.lending.loan import fund, posting, refold, tax, terms
from domain.lending.loan.refold import LOANS, Book, Step
from domain.lending.loan.tables import EventType, Loan, LoanEventRow, LoanState, QuarantinedLoan

if TYPE_CHECKING:
    from domain.kernel.context import Context

DAY = timedelta(days=1)

SUMMARIES = {
    EventType.PAYOUT: "发放贷款",
    EventType.RECEIPT: "贷款还款",
    EventType.REVERSAL: "冲正",
    EventType.WAIVER: "息费减免",
    EventType.FEE: "计收费用",
    EventType.AMENDMENT: "合同变更",
    EventType.EXTENSION: "贷款展期",
    EventType.MISUSE_RATE: "挪用罚息",
    EventType.ACCELERATION: "贷款提前到期",
    EventType.WRITE_OFF: "贷款核销",
    EventType.REFUND: "退款",
}
NIGHT_SUMMARIES = {
    "TURN_OVERDUE": "本金转逾期",
    "NON_ACCRUAL": "应计非应计转换",
    "IMPAIRED": "本金转已减值",
    "KEPT_MONEY_APPLIED": "暂收款冲抵",
    "FEE_DUE": "费用到期",
}


async def lock(ctx: Context, loan_id: UUID, field: str = "loanId") -> Loan:
    """The loan under a row lock, if the actor may see it. Raises NotFound with the field."""
    return await command.lock(ctx, Loan, loan_id, field)


async def open_loan(
    ctx: Context,
    *,
    contract: Any,
    disbursement_id: UUID,
    principal: Decimal,
    value_date: date,
    company_account_id: UUID,
) -> Loan:
    """放款 · Makes the loan (JJ-…) of a contract that was paid out, with its plan from the value date.

    Voucher: Dr 1303 / Cr 1002 of the company account. `principal` in CNY. Raises ClosedBusinessDay for a value date after
    the open day, ProductRuleViolated where the terms give no plan."""
    await hold_month(ctx, value_date)
    _refuse_later(value_date, ctx.today)
    product = await ctx.session.get_one(LoanProduct, contract.product_id)
    loan = ctx.add(
        Loan(
            number=await numbered(ctx, "JJ"),
            kind=LoanKind(product.kind),
            customer_id=contract.customer_id,
            contract_id=contract.id,
            entrusted_contract_id=contract.entrusted_contract_id,
            disbursement_id=disbursement_id,
            product_id=contract.product_id,
            manager_id=contract.manager_id,
            co_manager_id=contract.co_manager_id,
            department_id=contract.department_id,
            lending_mode=LendingMode(contract.lending_mode),
            principal=principal,
            annual_rate=contract.annual_rate,
            method=Method(contract.method),
            value_date=value_date,
            maturity_date=value_date,
            terms=terms.written(product, contract, await terms.in_force(ctx))
            | {tax.FARMER_RELIEF: await tax.farmer_relief(ctx, contract.customer_id, principal)}
            | await fund.terms(ctx, contract.entrusted_contract_id),
            state=LoanState.PENDING,
            five_class=FiveClass.NORMAL,
            principal_outstanding=principal,
        )
    )
    try:
        signed = await terms.signed_terms(ctx, loan)
    except PlanError as error:
        raise _refused(error) from error
    loan.maturity_date = terms.maturity(signed)
    await ctx.session.flush()
    book = Book(loan, signed)
    payload = {"amount": principal, "disbursement_id": disbursement_id}
    await _happen(ctx, book, EventType.PAYOUT, value_date, payload, company_account_id, loan)
    ctx.announce("lending.loan.opened", loan, customer_id=loan.customer_id, contract_id=loan.contract_id)
    return loan


async def record(
    ctx: Context,
    loan: Loan,
    *,
    type: EventType,
    value_date: date,
    payload: dict[str, Any],
    company_account_id: UUID | None = None,
    asset_id: UUID | None = None,
    reference: Keyed,
) -> LoanEventRow:
    """Appends an event, folds the loan again and posts the difference in one voucher dated today (payloads: events.py).
    `asset_id`: an asset was taken over, or given back, instead of money.

    A reversal of money without `company_account_id` takes that of its target. Raises ClosedBusinessDay for a value date
    before the loan's own or after the open day, ProductRuleViolated where no plan comes of it, InvalidAmount,
    RefundExceedsBalance where a refund would not be covered (any more). Into a closed month nothing is dated (ClosedBusinessDay);
    a reversal is allowed there: what it undoes never happened, and its voucher is of today."""
    await (hold_day(ctx) if type is EventType.REVERSAL else hold_month(ctx, value_date))
    await ctx.session.refresh(loan, with_for_update=True)
    refold.later(ctx, [loan])
    _refuse_later(value_date, ctx.today)
    if value_date < loan.value_date:
        raise ClosedBusinessDay("valueDate", on=value_date)
    (book,) = await refold.books(ctx, [loan])
    if loan.next_action_on and loan.next_action_on <= ctx.today:
        await carry(ctx, [book])
    if type is EventType.REVERSAL and company_account_id is None:
        target = UUID(str(payload["target_event_id"]))
        company_account_id = next(event.company_account_id for event in book.events if event.id == target)
    was = loan.state
    event = await _happen(ctx, book, type, value_date, payload, company_account_id, reference, asset_id)
    facts = {"type": type.value, "event_id": event.id, "state": loan.state.value}
    ctx.announce("lending.loan.changed", loan, **facts)
    if loan.state is LoanState.SETTLED and was is not LoanState.SETTLED:
        ctx.announce("lending.loan.settled", loan, contract_id=loan.contract_id, customer_id=loan.customer_id)
    return event


async def _happen(
    ctx: Context,
    book: Book,
    kind: EventType,
    value_date: date,
    payload: dict[str, Any],
    company_account_id: UUID | None,
    reference: Keyed,
    asset_id: UUID | None = None,
) -> LoanEventRow:
    """The event, the new fold and its voucher; the loan stands at today before and after."""
    await fund.lock(ctx, book.loan.entrusted_contract_id)
    before = book.fold(ctx.today) if book.events else None
    event = ctx.add(
        LoanEventRow(
            id=uuid7(),
            loan_id=book.loan.id,
            sequence=len(book.events) + 1,
            type=kind,
            value_date=value_date,
            business_date=ctx.today,
            payload=plain(payload),
            company_account_id=company_account_id,
            reference_table=reference.__tablename__,
            reference_id=reference.id,
            actor_id=ctx.actor.id,
        )
    )
    book.events.append(event)
    try:
        after = book.fold(ctx.today)
    except PlanError as error:
        raise _refused(error) from error
    except RefundNotCovered as error:
        raise RefundExceedsBalance(
            "amount",
            zh="该笔资金已退款，或正在退款：须先撤销退款。",
            en="Money that this takes away has been refunded, or is being paid: the refund is undone first.",
        ) from error
    except NoAmount as error:
        raise InvalidAmount("amount", amount=payload.get("amount")) from error
    await ctx.session.flush()
    step = Step(book.loan, before, after, event.id)
    ctx.note(step)
    await refold.write(ctx, [step])
    vat = (await tax.rules(ctx)).of(book.loan)
    moved = posting.change(posting.ledger(before, ctx.today, vat), posting.ledger(after, ctx.today, vat))
    entry = Entry(
        kind=kind.value,
        reference=reference,
        lines=posting.lines(
            moved,
            loan_id=book.loan.id,
            company_account_id=company_account_id,
            entrusted_contract_id=book.loan.entrusted_contract_id,
            asset_id=asset_id,
        ),
        summary=f"{SUMMARIES[kind]} {book.loan.number}",
        value_date=value_date,
        event_id=event.id,
    )
    await journal.post(ctx, entry)
    await fund.check(ctx, book.loan)
    return event


def _refuse_later(value_date: date, today: date) -> None:
    if value_date > today:
        raise ClosedBusinessDay("valueDate", on=value_date)


def _refused(error: PlanError) -> Refusal:
    return ProductRuleViolated(error.field, rule=error.field, value=str(error), allowed="–")


# --------------------------------------------------------------------------- into a day


async def carry(ctx: Context, books: Sequence[Book]) -> None:
    """Carries loans on which something happens by itself into the open day: rows, vouchers, columns.

    Their ledger stands at the day before `next_action_on`: until then every night's voucher had them in it. What only
    accrued goes into one voucher per product; what turned overdue or off balance has its own."""
    steps = []
    accrued: dict[UUID, posting.Ledger] = defaultdict(lambda: defaultdict(int))
    own: list[tuple[Loan, str, posting.Ledger]] = []
    vat = await tax.rules(ctx)
    for book in books:
        assert book.loan.next_action_on is not None
        before: Fold = book.fold(book.loan.next_action_on - DAY)
        after = book.fold(ctx.today)
        next_action = after.positions[-1].next_action_on
        if next_action and next_action <= ctx.today:
            raise RuntimeError(f"folded to {ctx.today}, the loan still waits for {next_action}")
        steps.append(Step(book.loan, before, after))
        plain_accrual, moves = posting.night(before, after, ctx.today, vat.of(book.loan))
        for code, amount in plain_accrual.items():
            accrued[book.loan.product_id][code] += amount
        own += [(book.loan, kind, amounts) for kind, amounts in moves.items()]
    await refold.write(ctx, steps)
    vouchers = await accruals(ctx, accrued)
    for loan, kind, amounts in own:
        summary = f"{NIGHT_SUMMARIES[kind]} {loan.number}"
        lines = posting.lines(amounts, loan_id=loan.id, entrusted_contract_id=loan.entrusted_contract_id)
        vouchers.append(Entry(kind=kind, reference=Loan(id=loan.id), lines=lines, summary=summary))
    await journal.post(ctx, *vouchers)


async def accruals(ctx: Context, products: Mapping[UUID, posting.Ledger]) -> list[Entry]:
    """计提 · What a night brought, a voucher for the loans of each product; in fen by account, debit above zero."""
    entries = []
    for product_id in sorted(products):
        product = await ctx.session.get_one(LoanProduct, product_id)
        lines = posting.lines(products[product_id], loan_id=None)
        entries.append(Entry(kind="ACCRUAL", reference=product, lines=lines, summary=f"计提利息 {product.name}"))
    return entries


def _must_be_looked_at(today: date) -> ColumnElement[bool]:
    aside = select(QuarantinedLoan.loan_id).where(QuarantinedLoan.on == today, QuarantinedLoan.released_at.is_(None))
    return and_(Loan.next_action_on <= today, Loan.id.not_in(aside))


async def waiting(ctx: Context, most: int) -> list[UUID]:
    """The next loans to be carried into the open day, those set aside today left out."""
    statement = select(Loan.id).where(_must_be_looked_at(ctx.today)).order_by(Loan.next_action_on, Loan.id).limit(most)
    return list((await ctx.connection.execute(statement)).scalars())


async def waiting_count(ctx: Context) -> int:
    """How many loans are still to be carried into the open day."""
    counted = select(func.count()).select_from(Loan).where(_must_be_looked_at(ctx.today))
    return int((await ctx.connection.execute(counted)).scalar_one())


async def carry_next(ctx: Context, most: int) -> list[UUID]:
    """Carries the next loans that must be looked at today, up to `most`; answers which.

    Those that another transaction has in hand are left to it: empty does not mean that none is waiting."""
    await hold_day(ctx)
    statement = select(LOANS).where(_must_be_looked_at(ctx.today)).order_by(Loan.next_action_on, Loan.id)
    return await _carry_all(ctx, statement.limit(most).with_for_update(skip_locked=True))


async def carry_one(ctx: Context, loan_id: UUID) -> list[UUID]:
    """Carries one loan into today; nothing happens if it stands there already."""
    await hold_day(ctx)
    statement = select(LOANS).where(Loan.id == loan_id, Loan.next_action_on <= ctx.today)
    return await _carry_all(ctx, statement.with_for_update())


async def _carry_all(ctx: Context, wanted: Select[Any]) -> list[UUID]:
    loans: Any = (await ctx.connection.execute(wanted)).all()
    if not loans:
        return []
    ids = [loan.id for loan in loans]
    refold.later(ctx, loans)
    await carry(ctx, await refold.books(ctx, loans))
    released = update(QuarantinedLoan).where(QuarantinedLoan.loan_id.in_(ids), QuarantinedLoan.released_at.is_(None))
    await ctx.connection.execute(released.values(released_at=ctx.now))
    return ids


async def set_aside(ctx: Context, loan_id: UUID, error: Exception) -> None:
    """隔离 · Leaves a loan out of today's run, with the reason; it is tried again tomorrow, or by its next event.

    Of an error of the database only its kind is kept: its text may hold what must not lie about."""
    reason = type(error).__name__ if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
    row = {"id": uuid7(), "created_at": ctx.now, "loan_id": loan_id, "on": ctx.today, "reason": reason[:2000]}
    await ctx.connection.execute(insert(QuarantinedLoan).values(**row).on_conflict_do_nothing())
    ctx.announce("lending.loan.set_aside", Loan(id=loan_id), on=ctx.today)
