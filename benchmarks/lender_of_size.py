"""规模样本 · A lender with thousands of loans, made in bulk through the engine's own writing, so that its books add up.

Every loan has a customer, an application, a contract, a plan, its events and a voucher. The mix of a working book: value
dates over the last hundred days, so that about one loan in thirty is due on any day; nineteen of twenty have paid
every installment on its day, one in twenty has paid nothing and is overdue once something was due.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from stdnum.cn import ric

from domain.calculation.classification import FiveClass
from domain.calculation.identifiers import Sex
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import yuan
from domain.calculation.schedule import Method
from domain.configuration import company_account, loan_product
from domain.configuration.company_account import AccountUse
from domain.configuration.loan_product import LendingMode, LoanKind, LoanProduct
from domain.customers.customer import sort_key
from domain.customers.individual_customer import IndividualCustomer
from domain.home.pending_task import Task, TaskOffer, TaskState
from domain.kernel import personal_data
from domain.kernel.context import Context
from domain.kernel.numbering import next_number
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.journal import Entry
from domain.lending.loan import posting, refold, terms
from domain.lending.loan.refold import Book, Step
from domain.lending.loan.tables import EventType, Loan, LoanEventRow, LoanState
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.lending.loan_contract import ContractState, LoanContract
from domain.organization import department, employee
from domain.organization.role import Role

PASSWORD = "correct horse battery"
STAFF = {
    "manager1": "ACCOUNT_MANAGER", "manager2": "ACCOUNT_MANAGER", "accountant": "ACCOUNTANT", "cashier": "CASHIER",
    "director": "GENERAL_MANAGER",
}  # fmt: skip
MANAGERS = ("manager1", "manager2")
AMOUNTS = (Decimal("12000.00"), Decimal("50000.00"), Decimal("100000.00"), Decimal("300000.00"))
RATE, PERIODS = Decimal("0.12"), 12
BORN = date(1990, 1, 1)
DAYS_BACK = 100
ONE_IN_ARREARS = 20
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Lent:
    """What the loans share. `managers` are employees of `department_id`."""

    product_id: UUID
    company_account_id: UUID
    department_id: UUID
    managers: tuple[UUID, ...]


async def lend(ctx: Context, loans: int) -> Lent:
    """Makes staff, a product, a company account and the loans at a fresh lender. `ctx` is the system's, unbound.

    Everybody of STAFF signs in with PASSWORD."""
    lent = await _found(ctx)
    terms_of: dict[tuple[Decimal, date], LoanTerms] = {}
    for first in range(0, loans, AT_ONCE):
        async with ctx.writing() as inner:
            await _lend_some(inner, lent, range(first, min(first + AT_ONCE, loans)), terms_of)
    return lent


async def give_tasks(ctx: Context, tasks: int) -> None:
    """Tasks about the loans, arrived one after the other: of each four, one waits for its manager, one for whichever
    accountant takes it, and two are done."""
    async with ctx.writing() as inner:
        loans = (await inner.connection.execute(select(Loan.id, Loan.manager_id, Loan.customer_id))).all()
        role_id = (await inner.connection.execute(select(Role.id).where(Role.code == "ACCOUNTANT"))).scalar_one()
        rows, offers = [], []
        for number in range(tasks):
            loan, made = loans[number % len(loans)], {"id": uuid7(), "created_at": inner.now}
            about = {"subject_table": "loans", "subject_id": loan.id}
            offered = number % 4 == 1
            rows.append(
                made | about | {
                    "type": "SAMPLE", "title": f"样本待办 {number}", "customer_id": loan.customer_id, "excluded": [],
                    "assignee_id": None if offered else loan.manager_id,
                    "candidate_role_id": role_id if offered else None,
                    "state": TaskState.OPEN if number % 4 < 2 else TaskState.DONE,
                    "closed_by": None if number % 4 < 2 else loan.manager_id,
                    "arrived_at": inner.now - timedelta(seconds=number),
                }
            )  # fmt: skip
            to = {"employee_id": None if offered else loan.manager_id, "role_id": role_id if offered else None}
            offers.append({"id": uuid7(), "created_at": inner.now, "task_id": made["id"]} | about | to)
        await inner.connection.execute(insert(Task), rows)
        await inner.connection.execute(insert(TaskOffer), offers)


async def _found(ctx: Context) -> Lent:
    sales = await department.create(ctx, code="SALES", name="业务部")
    async with ctx.reading() as reading:
        roles = {row.code: row.id for row in (await reading.connection.execute(select(Role.code, Role.id))).all()}
    people = {
        username: await employee.create(
            ctx, name=username, department_id=sales.id, role_ids=[roles[code]], username=username,
            initial_password=PASSWORD,
        )
        for username, code in STAFF.items()
    }  # fmt: skip
    rules = loan_product.Terms(
        name="规模样本贷", min_amount=AMOUNTS[0], max_amount=AMOUNTS[-1], min_periods=PERIODS, max_periods=PERIODS,
        min_rate=RATE, max_rate=RATE, methods=(Method.EQUAL_INSTALLMENT,), lending_modes=(LendingMode.CREDIT,),
    )  # fmt: skip
    product = await loan_product.create(ctx, code="SIZE", terms=rules)
    account = await company_account.create(
        ctx, name="基本户", account_number="110000000001", bank="示范银行",
        uses=(AccountUse.DISBURSE, AccountUse.COLLECT, AccountUse.FEES), opening_balance=Decimal("5000000000.00"),
    )  # fmt: skip
    return Lent(product.id, account.id, sales.id, tuple(people[username].id for username in MANAGERS))


async def _lend_some(
    ctx: Context, lent: Lent, numbers: Sequence[int], terms_of: dict[tuple[Decimal, date], LoanTerms]
) -> None:
    product = await ctx.session.get_one(LoanProduct, lent.product_id)
    customers = await _customers(ctx, lent, numbers)
    loans = await _loans(ctx, lent, product, customers, numbers)
    for loan in loans:
        key = (loan.principal, loan.value_date)
        if key not in terms_of:
            terms_of[key] = await terms.signed_terms(ctx, loan)
        loan.maturity_date = terms.maturity(terms_of[key])
    ctx.session.add_all(loans)
    await ctx.session.flush()
    books = [
        Book(loan, signed, list(_events(ctx, lent, loan, signed, pays=number % ONE_IN_ARREARS != 0)))
        for number, loan in zip(numbers, loans, strict=True)
        for signed in [terms_of[loan.principal, loan.value_date]]
    ]
    await ctx.connection.execute(insert(LoanEventRow), [_columns(event) for book in books for event in book.events])
    steps = [Step(book.loan, None, book.fold(ctx.today), book.events[0].id) for book in books]
    await refold.write(ctx, steps)
    await journal.post(ctx, *(_entry(ctx, lent, step) for step in steps))


def _entry(ctx: Context, lent: Lent, step: Step) -> Entry:
    held = posting.ledger(step.after, ctx.today)
    lines = posting.lines(held, loan_id=step.loan.id, company_account_id=lent.company_account_id)
    return Entry(
        kind=EventType.PAYOUT.value, reference=step.loan, lines=lines, summary=f"迁入贷款 {step.loan.number}",
        value_date=step.loan.value_date, event_id=step.event_id,
    )  # fmt: skip


async def _customers(ctx: Context, lent: Lent, numbers: Sequence[int]) -> list[IndividualCustomer]:
    first = await next_number(ctx, "KH", count=len(numbers))
    customers = []
    for offset, number in enumerate(numbers):
        name = f"样本{number:06d}"
        customer = IndividualCustomer(
            number=f"KH-{ctx.today.year}-{first + offset:04d}", name=name, name_sort=sort_key(name),
            manager_id=lent.managers[number % len(lent.managers)], department_id=lent.department_id,
            birth_date=BORN, sex=Sex.FEMALE, farmer=False,
        )  # fmt: skip
        personal_data.seal(ctx, customer, "mobile", f"138{number:08d}")
        personal_data.seal(ctx, customer, "id_number", _id_number(number))
        customers.append(ctx.add(customer))
    await ctx.session.flush()
    return customers


def _id_number(number: int) -> str:
    """The ID number of nobody: region 999999, a thousand people a birthday."""
    digits = f"999999{BORN + timedelta(days=number // 1000):%Y%m%d}{number % 1000:03d}"
    return digits + ric.calc_check_digit(digits + "0")


async def _loans(
    ctx: Context, lent: Lent, product: LoanProduct, customers: Sequence[IndividualCustomer], numbers: Sequence[int]
) -> list[Loan]:
    """Loans that wait for their fold, with an application and a contract each."""
    in_force = await terms.in_force(ctx)
    first = await next_number(ctx, "JJ", count=len(numbers))
    applications, contracts, loans = [], [], []
    for offset, (number, customer) in enumerate(zip(numbers, customers, strict=True)):
        amount = AMOUNTS[number % len(AMOUNTS)]
        value_date = ctx.today - timedelta(days=1 + number % DAYS_BACK)
        made = {"id": uuid7(), "created_at": ctx.now}
        shared: dict[str, Any] = {
            "customer_id": customer.id, "product_id": lent.product_id, "amount": amount, "periods": PERIODS,
            "annual_rate": RATE, "method": Method.EQUAL_INSTALLMENT, "lending_mode": LendingMode.CREDIT,
            "manager_id": customer.manager_id, "department_id": lent.department_id,
        }  # fmt: skip
        applications.append(
            made | shared | {
                "number": f"SQ{number:08d}", "state": ApplicationState.APPROVED, "purpose_code": "WORKING_CAPITAL",
                "purpose": "进货", "maker_id": customer.manager_id, "guards": [], "version": 1,
            }
        )  # fmt: skip
        contracts.append(
            made | shared | {
                "number": f"HT{number:08d}", "state": ContractState.EFFECTIVE, "application_id": made["id"], "cost": {},
                "drawn_up_on": value_date, "signed_on": value_date, "amount_in_words": "–",
            }
        )  # fmt: skip
        loans.append(
            Loan(
                id=uuid7(), created_at=ctx.now, number=f"JJ-{ctx.today.year}-{first + offset:04d}",
                kind=LoanKind(product.kind), customer_id=customer.id, contract_id=made["id"], disbursement_id=uuid7(),
                product_id=lent.product_id, manager_id=customer.manager_id, department_id=lent.department_id,
                lending_mode=LendingMode.CREDIT, principal=amount, annual_rate=RATE, method=Method.EQUAL_INSTALLMENT,
                value_date=value_date, terms=terms.written(product, _Agreed(PERIODS), in_force), state=LoanState.PENDING,
                five_class=FiveClass.NORMAL, principal_outstanding=amount,
            )
        )  # fmt: skip
    await ctx.connection.execute(insert(LoanApplication), applications)
    await ctx.connection.execute(insert(LoanContract), contracts)
    return loans


@dataclass(frozen=True, slots=True)
class _Agreed:
    """All that `terms.written` asks of a contract."""

    periods: int


def _events(ctx: Context, lent: Lent, loan: Loan, signed: LoanTerms, *, pays: bool) -> Iterator[LoanEventRow]:
    """The pay-out, and a receipt for each installment due by now of a borrower who pays."""
    happened: list[tuple[EventType, date, dict[str, Any]]] = [
        (EventType.PAYOUT, loan.value_date, {"amount": str(loan.principal)})
    ]
    happened += [
        (EventType.RECEIPT, due.due_date, {"amount": str(yuan(due.principal + due.interest))})
        for due in signed.installments
        if pays and due.due_date <= ctx.today
    ]
    for sequence, (kind, value_date, payload) in enumerate(happened, 1):
        yield LoanEventRow(
            id=uuid7(), created_at=ctx.now, loan_id=loan.id, sequence=sequence, type=kind, value_date=value_date,
            business_date=ctx.today, payload=payload, company_account_id=lent.company_account_id,
            reference_table="loans", reference_id=loan.id, actor_id=ctx.actor.id,
        )  # fmt: skip


def _columns(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}
