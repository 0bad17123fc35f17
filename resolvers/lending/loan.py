"""借据 · Loans (F13) and the trial balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

import strawberry

from domain.calculation.classification import AccrualStatus
from domain.calculation.loan.installments import Installment as Standing
from domain.calculation.loan.lines import Figures
from domain.calculation.loan.quote import Quote
from domain.calculation.money import yuan
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.ledger import journal
from domain.lending import interest_waiver
from domain.lending.loan import explanation, figures, plans, queries
from domain.lending.loan.explanation_of_rows import InstallmentPlace, PlannedPlace
from resolvers.kernel import Info, answers, answers_by_key, key, reads
from resolvers.lending.repayment_plan import planned_installment
from schema.configuration.loan_product import LoanProduct
from schema.customers.customer import Customer
from schema.kernel import ID, Date, DateTime, Money, SortDirection
from schema.lending.loan import (
    CurrentTerms,
    Installment,
    LedgerEntry,
    Loan,
    LoanConnection,
    LoanEvent,
    LoanEventConnection,
    LoanFilter,
    LoanOrder,
    LoanOrderField,
    LoanPosition,
    PayoffQuote,
    PlanVersion,
    WaiverLapse,
)
from schema.lending.loan_contract import LoanContract
from schema.lending.trial_balance import TrialBalanceLine
from schema.organization.department import Department
from schema.organization.employee import Employee

BY_NUMBER = LoanOrder(field=LoanOrderField.NUMBER)


@strawberry.type
class LoanQueries:
    @reads(queries.loans)
    async def loans(
        self,
        info: Info,
        filter: LoanFilter | None = None,
        order_by: LoanOrder | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        as_of: Date | None = None,
        known_at: DateTime | None = None,
    ) -> LoanConnection:
        """借据 Loans, by default the latest number first.

        With asOf (a day, at its close) or knownAt (a moment: only what was booked by then counts) state, class, outstanding,
        settledOn, filters, order and total are those of that day as known then, and loans that had not begun are not there.
        Relations have arguments of their own: ask position(on:, knownAt:) for the same day. Whose loans they are is as of now."""
        order = order_by or BY_NUMBER
        page = await queries.loans(
            await info.context.reading(),
            columns=Loan.columns(),
            wanted=_wanted(filter or LoanFilter()),
            order=order.field,
            descending=order.direction is SortDirection.DESC,
            window=Window(first, after, last, before),
            as_of=as_of,
            known_at=known_at,
        )
        return LoanConnection.of(Loan, page)

    @reads(queries.one)
    async def loan(self, info: Info, id: ID | None = None, number: str | None = None) -> Loan | None:
        """借据 One loan by its id or its number; null when there is none, or none for this viewer."""
        ctx = await info.context.reading()
        row = await queries.one(ctx, columns=Loan.columns(), loan_id=key(id, "Loan"), number=number)
        return Loan.of(row) if row else None

    @reads(journal.trial_balance)
    async def trial_balance(
        self, info: Info, on: Date | None = None, known_at: DateTime | None = None
    ) -> list[TrialBalanceLine]:
        """科目余额表 Cumulative debits and credits of every account up to the close of a day. A closed day never changes; of the
        day that was open at knownAt only what was posted by then counts."""
        rows = await journal.trial_balance(await info.context.reading(), on, known_at)
        return [TrialBalanceLine(account=row.code, name=row.name, debit=row.debit, credit=row.credit) for row in rows]


def _wanted(asked: LoanFilter) -> queries.LoanFilter:
    dates = {
        name: (given.from_, given.to) if (given := getattr(asked, name)) else (None, None)
        for name in ("value_date", "maturity_date")
    }
    return queries.LoanFilter(
        search=asked.search,
        states=asked.states,
        kinds=asked.kinds,
        five_classes=asked.five_classes,
        customer_id=key(asked.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
        manager_id=key(asked.manager_id, "Employee"),
        department_id=key(asked.department_id, "Department"),
        product_id=key(asked.product_id, "LoanProduct"),
        principal=(asked.principal.min, asked.principal.max) if asked.principal else (None, None),
        min_days_past_due=asked.min_days_past_due,
        **dates,
    )


answers_by_key("Loan.customer", Customer)
answers_by_key("Loan.product", LoanProduct)
answers_by_key("Loan.contract", LoanContract)
answers_by_key("Loan.manager", Employee)
answers_by_key("Loan.department", Department)
answers_by_key("LoanEvent.actor", Employee)
answers_by_key("PlanVersion.event", LoanEvent)


@answers("Customer.loans")
async def loans_of_customers(
    ctx: Context, customer_ids: Sequence[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, LoanConnection]:
    found = await queries.of_customers(ctx, customer_ids, Loan.columns(), Window(first, after))
    return {customer_id: LoanConnection.of(Loan, page) for customer_id, page in found.items()}


@answers("Loan.position")
async def positions(
    ctx: Context, loan_ids: Sequence[UUID], on: date | None = None, known_at: datetime | None = None
) -> dict[UUID, LoanPosition]:
    found = await figures.positions(ctx, loan_ids, on, known_at=known_at)
    required = await explanation.provisions(ctx, found)
    return {
        loan_id: _position((loan_id, shown.on, known_at), shown, required[loan_id].total)
        for loan_id, shown in found.items()
    }


def _position(place: explanation.Place, shown: Figures, provision: int) -> LoanPosition:
    return LoanPosition(
        on=shown.on,
        principal_outstanding=_money(shown.principal_outstanding),
        overdue_principal=_money(shown.overdue_principal),
        accrued_interest=_money(shown.accrued_interest),
        due_unpaid_interest=_money(shown.due_unpaid_interest),
        penalty=_money(shown.penalty),
        compound=_money(shown.compound),
        fees=_money(shown.fees),
        unapplied=_money(shown.unapplied),
        days_past_due=shown.days_past_due,
        five_class=shown.five_class,
        accrual=AccrualStatus.NON_ACCRUAL if shown.non_accrual else AccrualStatus.ACCRUAL,
        on_balance_interest=_money(shown.on_balance_interest),
        off_balance_interest=_money(shown.off_balance_interest),
        provision=_money(provision),
        place=place,
    )


@answers("Loan.installments")
async def installments(ctx: Context, loan_ids: Sequence[UUID]) -> dict[UUID, list[Installment]]:
    found = await queries.installments(ctx, loan_ids)
    return {
        loan_id: [installment(row, InstallmentPlace(loan_id, row.seq)) for row in rows]
        for loan_id, rows in found.items()
    }


def installment(row: Standing, place: InstallmentPlace | None = None) -> Installment:
    """An installment as the API shows it, from fen; `place` where it is the loan's own."""
    return Installment(
        seq=row.seq,
        start_date=row.start_date,
        due_date=row.due_date,
        principal=_money(row.principal),
        interest=_money(row.interest),
        state=row.state,
        unpaid_principal=_money(row.unpaid_principal),
        unpaid_interest=_money(row.unpaid_interest),
        penalty=_money(row.penalty),
        compound=_money(row.compound),
        fee=_money(row.fee),
        paid_on=row.paid_on,
        place=place,
    )


@answers("Loan.plans")
async def plan_versions(ctx: Context, loan_ids: Sequence[UUID]) -> dict[UUID, list[PlanVersion]]:
    found = await plans.plans(ctx, loan_ids)
    return {loan_id: [_plan(loan_id, stored) for stored in stored_plans] for loan_id, stored_plans in found.items()}


def _plan(loan_id: UUID, stored: plans.StoredPlan) -> PlanVersion:
    rows = stored.installments
    return PlanVersion(
        version=stored.version,
        event_id=stored.event_id,
        installments=[planned_installment(row, PlannedPlace(loan_id, stored.event_id, row.seq)) for row in rows],
        total_principal=_money(sum(row.principal for row in rows)),
        total_interest=_money(sum(row.interest for row in rows)),
    )


@answers("Loan.current_terms")
async def current_terms(ctx: Context, loan_ids: Sequence[UUID]) -> dict[UUID, CurrentTerms]:
    found = await plans.current_terms(ctx, loan_ids)
    return {loan_id: CurrentTerms(**asdict(terms)) for loan_id, terms in found.items()}


@answers("Loan.payoff_quote")
async def payoff_quotes(ctx: Context, loan_ids: Sequence[UUID], on: date) -> dict[UUID, PayoffQuote]:
    return {loan_id: _quote(loan_id, on, found) for loan_id, found in (await figures.quotes(ctx, loan_ids, on)).items()}


def _quote(loan_id: UUID, on: date, found: Quote) -> PayoffQuote:
    return PayoffQuote(
        on=on,
        principal=_money(found.principal),
        interest=_money(found.interest),
        penalty=_money(found.penalty),
        compound=_money(found.compound),
        fee=_money(found.fee),
        total=_money(found.total),
        unapplied=_money(found.unapplied),
        to_pay=_money(found.to_pay),
        place=(loan_id, on),
    )


@answers("Loan.history")
async def histories(
    ctx: Context, loan_ids: Sequence[UUID], first: int | None = None, after: str | None = None
) -> dict[UUID, LoanEventConnection]:
    found = await queries.histories(ctx, loan_ids, LoanEvent.columns(), Window(first, after))
    return {loan_id: LoanEventConnection.of(LoanEvent, page) for loan_id, page in found.items()}


@answers("LoanEvent.lapse")
async def lapses(ctx: Context, event_ids: Sequence[UUID]) -> dict[UUID, WaiverLapse | None]:
    found = await interest_waiver.lapses(ctx, event_ids)
    return {key: WaiverLapse(on=row.on, amount=Money(row.amount)) if row else None for key, row in found.items()}


@answers("LoanEvent.entries")
async def entries(ctx: Context, event_ids: Sequence[UUID]) -> dict[UUID, list[LedgerEntry]]:
    found = await journal.entries_by_event(ctx, event_ids)
    return {
        event_id: [
            LedgerEntry(voucher=line.number, account=line.account, debit=line.debit, credit=line.credit)
            for line in lines
        ]
        for event_id, lines in found.items()
    }


def _money(amount: int) -> Money:
    return Money(yuan(amount))
