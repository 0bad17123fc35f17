"""规模样本 · A lender with thousands of loans, made in bulk from what the engine makes of each kind of loan (`shapes.py`).

Every loan has a customer, an application, a contract, a plan and its events; one voucher takes thousands of them over. The
mix of a working book: value dates over the last hundred days, so that 3 % of the loans are due on any day; one in twenty is
overdue and has paid nothing, the others have paid every installment on its day. Defaults and their alerts are known from the
close before.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from stdnum.cn import ric

from benchmarks import shapes
from benchmarks.shapes import Shape
from domain.calculation.identifiers import Sex
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.schedule import Method
from domain.configuration import company_account, loan_product
from domain.configuration.company_account import AccountUse
from domain.configuration.loan_product import LendingMode, LoanKind, LoanProduct
from domain.customers.customer import Customer, CustomerKind, sort_key
from domain.customers.individual_customer import IndividualCustomer
from domain.home.pending_task import Task, TaskOffer, TaskState
from domain.kernel import personal_data
from domain.kernel.context import Context
from domain.kernel.numbering import next_number
from domain.kernel.portion import Portion
from domain.kernel.table import TenantTable, uuid7
from domain.kernel.transaction import transaction
from domain.ledger import journal
from domain.ledger.journal import Entry
from domain.lending.loan import posting, tax, terms
from domain.lending.loan.tables import Loan
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.lending.loan_contract import ContractState, LoanContract
from domain.organization import department, employee
from domain.organization.role import Role
from domain.post_loan import early_warning

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
ONE_IN_ARREARS = 14  # of all; seven in ten of them had something due by now, so that one loan in twenty is overdue
AT_ONCE = 5000
SIDE_BY_SIDE = 2
NATURE = LendingMode.CREDIT
SAMPLE = sort_key("样本")

Tell = Callable[[int], None]
"""Is told how many loans were made since the last time."""


@dataclass(frozen=True, slots=True)
class Lent:
    """What the loans share. `managers` are employees of `department_id`."""

    product_id: UUID
    company_account_id: UUID
    department_id: UUID
    managers: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """What is needed to write loans: their shapes by number, and the first customer's and loan's numbers."""

    lent: Lent
    shapes: Mapping[int, Shape]
    first_customer: int
    first_loan: int
    unchecked: bool


async def lend(ctx: Context, loans: int, *, tell: Tell = lambda _: None, unchecked: bool = False) -> Lent:
    """Makes staff, a product, a company account and the loans at a fresh lender. `ctx` is the system's, unbound.

    Everybody of STAFF signs in with PASSWORD. `unchecked`: foreign keys are not looked up row by row; the lender's role needs
    the right to set session_replication_role."""
    lent = await _found(ctx)
    book = await transaction(ctx, partial(_begin, lent=lent, loans=loans, unchecked=unchecked))
    chunks = iter([range(first, min(first + AT_ONCE, loans)) for first in range(0, loans, AT_ONCE)])

    async def write() -> None:
        for numbers in chunks:
            await transaction(ctx, partial(_lend_some, book=book, numbers=numbers))
            tell(len(numbers))

    await asyncio.gather(*(write() for _ in range(SIDE_BY_SIDE)))
    while (await transaction(ctx, _raise_alerts)).reached:
        pass
    return lent


async def _begin(ctx: Context, *, lent: Lent, loans: int, unchecked: bool) -> Book:
    made = await _shapes(ctx, lent, map(shape_of, range(loans)))
    first_customer = await next_number(ctx, "KH", count=loans)
    return Book(lent, made, first_customer, await next_number(ctx, "JJ", count=loans), unchecked)


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


# --------------------------------------------------------------------------- what is folded once


def shape_of(number: int) -> int:
    """Value date, amount and whether it is paid, mixed so that every lender of a hundred loans has some of each."""
    age, amount, pays = number % DAYS_BACK, number // DAYS_BACK % len(AMOUNTS), number % ONE_IN_ARREARS != 0
    return (age * len(AMOUNTS) + amount) * 2 + pays


async def _shapes(ctx: Context, lent: Lent, numbers: Iterable[int]) -> dict[int, Shape]:
    product = await ctx.session.get_one(LoanProduct, lent.product_id)
    in_force, vat = await terms.in_force(ctx), await tax.rules(ctx)
    signed: dict[int, LoanTerms] = {}
    made = {}
    for number in sorted(set(numbers)):
        kind, pays = divmod(number, 2)
        age, amount = divmod(kind, len(AMOUNTS))
        like = _like(ctx, product, AMOUNTS[amount], ctx.today - timedelta(days=1 + age), in_force)
        if kind not in signed:
            signed[kind] = await terms.signed_terms(ctx, like)
        made[number] = shapes.shape(number, like, signed[kind], ctx.today, vat.of(like), pays=bool(pays))
    return made


def _like(ctx: Context, product: LoanProduct, amount: Decimal, value_date: date, in_force: dict[str, Any]) -> Loan:
    """A loan that stands for all of one value date and amount; it is never stored."""
    return Loan(
        id=uuid7(), created_at=ctx.now, kind=LoanKind(product.kind), product_id=product.id, lending_mode=NATURE,
        principal=amount, annual_rate=RATE, method=Method.EQUAL_INSTALLMENT, value_date=value_date,
        terms=terms.written(product, _Agreed(PERIODS), in_force),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Agreed:
    """All that `terms.written` asks of a contract."""

    periods: int


# --------------------------------------------------------------------------- what each loan has of its own


async def _lend_some(ctx: Context, *, book: Book, numbers: Sequence[int]) -> None:
    if book.unchecked:
        await ctx.connection.execute(text("set local session_replication_role = replica"))
    people = [_Customer(uuid7(), number, book) for number in numbers]
    await _copy(ctx, Customer, [_customer(ctx, person) for person in people])
    await _copy(ctx, IndividualCustomer, [_individual(ctx, person) for person in people])
    applications, contracts, loans = [], [], []
    for person in people:
        made: dict[str, Any] = {"id": uuid7(), "created_at": ctx.now}
        agreed = _agreed(person)
        applications.append(made | agreed | _application(person))
        contracts.append(made | agreed | _contract(person, made["id"]))
        loans.append(made | _loan(person, made["id"]))
    await _copy(ctx, LoanApplication, applications)
    await _copy(ctx, LoanContract, contracts)
    await _copy(ctx, Loan, loans)
    keys = [(row["id"], shape_of(number)) for row, number in zip(loans, numbers, strict=True)]
    await shapes.write(ctx, book.shapes, keys, book.lent.company_account_id)
    await _take_over(ctx, book, numbers)


async def _take_over(ctx: Context, book: Book, numbers: Sequence[int]) -> None:
    """One voucher brings the loans into the books."""
    held: dict[str, int] = defaultdict(int)
    for number in numbers:
        for code, amount in book.shapes[shape_of(number)].ledger.items():
            held[code] += amount
    lines = posting.lines(held, loan_id=None, company_account_id=book.lent.company_account_id)
    product = await ctx.session.get_one(LoanProduct, book.lent.product_id)
    await journal.post(ctx, Entry(kind="TAKEN_OVER", reference=product, lines=lines, summary="迁入贷款"))


class _Customer:
    """A person as `personal_data.seal` fills her in."""

    __tablename__ = IndividualCustomer.__tablename__
    mobile_sealed = mobile_fingerprint = id_number_sealed = id_number_fingerprint = b""
    mobile_masked = id_number_masked = ""

    def __init__(self, key: UUID, number: int, book: Book) -> None:
        self.id, self.number, self.book = key, number, book
        self.shape = book.shapes[shape_of(number)]

    @property
    def manager_id(self) -> UUID:
        managers = self.book.lent.managers
        return managers[self.number % len(managers)]


def _customer(ctx: Context, person: Any) -> dict[str, Any]:
    personal_data.seal(ctx, person, "mobile", f"138{person.number:08d}")
    name = f"样本{person.number:06d}"
    return {
        "id": person.id, "created_at": ctx.now, "number": f"KH-{ctx.today.year}-{person.book.first_customer + person.number:04d}",
        "kind": CustomerKind.INDIVIDUAL, "name": name, "name_sort": f"{SAMPLE}{name[2:]}",
        "mobile_sealed": person.mobile_sealed, "mobile_fingerprint": person.mobile_fingerprint,
        "mobile_masked": person.mobile_masked, "manager_id": person.manager_id,
        "department_id": person.book.lent.department_id,
    }  # fmt: skip


def _individual(ctx: Context, person: Any) -> dict[str, Any]:
    personal_data.seal(ctx, person, "id_number", _id_number(person.number))
    return {
        "id": person.id, "id_number_sealed": person.id_number_sealed,
        "id_number_fingerprint": person.id_number_fingerprint, "id_number_masked": person.id_number_masked,
        "birth_date": BORN, "sex": Sex.FEMALE, "farmer": False,
    }  # fmt: skip


def _id_number(number: int) -> str:
    """The ID number of nobody: region 999999, a thousand people a birthday."""
    digits = f"999999{BORN + timedelta(days=number // 1000):%Y%m%d}{number % 1000:03d}"
    return digits + ric.calc_check_digit(digits + "0")


def _agreed(person: _Customer) -> dict[str, Any]:
    like = person.shape.loan
    return {
        "customer_id": person.id, "product_id": like.product_id, "amount": like.principal, "periods": PERIODS,
        "annual_rate": RATE, "method": like.method, "lending_mode": like.lending_mode,
        "manager_id": person.manager_id, "department_id": person.book.lent.department_id,
    }  # fmt: skip


def _application(person: _Customer) -> dict[str, Any]:
    return {
        "number": f"SQ{person.number:08d}", "state": ApplicationState.APPROVED, "purpose_code": "WORKING_CAPITAL",
        "purpose": "进货", "maker_id": person.manager_id, "guards": "[]", "version": 1,
    }  # fmt: skip


def _contract(person: _Customer, application_id: UUID) -> dict[str, Any]:
    on = person.shape.loan.value_date
    return {
        "number": f"HT{person.number:08d}", "state": ContractState.EFFECTIVE, "application_id": application_id,
        "cost": "{}", "drawn_up_on": on, "signed_on": on, "amount_in_words": "–",
    }  # fmt: skip


def _loan(person: _Customer, contract_id: UUID) -> dict[str, Any]:
    """The columns that the fold gives are those of its shape."""
    like, book = person.shape.loan, person.book
    return {
        "number": f"JJ-{like.created_at.year}-{book.first_loan + person.number:04d}", "kind": like.kind,
        "customer_id": person.id, "contract_id": contract_id, "disbursement_id": contract_id,
        "product_id": like.product_id, "manager_id": person.manager_id, "department_id": book.lent.department_id,
        "lending_mode": like.lending_mode, "principal": like.principal, "annual_rate": RATE, "method": like.method,
        "value_date": like.value_date, "maturity_date": like.maturity_date, "terms": person.shape.terms_written,
        "state": like.state, "five_class": like.five_class, "principal_outstanding": like.principal_outstanding,
        "extended": like.extended, "days_past_due_since": like.days_past_due_since, "next_action_on": like.next_action_on,
        "overdue_spell_from": person.shape.spell_from,
    }  # fmt: skip


async def _copy(ctx: Context, entity: type[TenantTable], rows: list[dict[str, Any]]) -> None:
    """COPY: four times as fast as INSERT. JSON is given as text."""
    driver = (await ctx.connection.get_raw_connection()).driver_connection
    columns = list(rows[0])
    records = [tuple(row.values()) for row in rows]
    await driver.copy_records_to_table(entity.__tablename__, columns=columns, records=records)  # type: ignore[union-attr]


async def _raise_alerts(ctx: Context) -> Portion:
    """The close before has raised them."""
    return await early_warning.raise_alerts(ctx, ctx.today - timedelta(days=1))
