"""借款合同 · Loan contract (F10): the pack printed from its templates, the cost sheet acknowledged, then the signing.

The borrower confirms the cost sheet (综合融资成本明示表) before signing (rule in force since 2026-08-01). Preparing makes one
pending disbursement; signing sends it to the accountant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.schedule import Method
from domain.configuration import document, template
from domain.configuration.loan_product import LendingMode, LoanProduct
from domain.customers.customer import Customer
from domain.customers.enterprise_customer import EnterpriseCustomer
from domain.customers.individual_customer import IndividualCustomer
from domain.home import pending_task
from domain.kernel import personal_data
from domain.kernel.command import command, lock
from domain.kernel.feed import Json
from domain.kernel.numbering import numbered
from domain.kernel.refusals import CostSheetNotAcknowledged, InvalidInput, InvalidState
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, MoneyColumn, RateColumn, TenantTable, choice
from domain.lending import guards
from domain.lending.contract_pack import Agreed, Entrusted, amount_in_words, data_of
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.loan_application import ApplicationState, LoanApplication
from domain.lending.offer import priced_today, stored_cost
from domain.lending.repayment_plan import cost_limits

if TYPE_CHECKING:
    from domain.kernel.context import Context

SIGNING = "CONTRACT_SIGNING"
SIGNING_HOURS = 72


class ContractState(StrEnum):
    """SIGNING: printed and waiting for signatures; EFFECTIVE: signed; SETTLED when the last loan under it is."""

    DRAFT = "DRAFT"
    """草拟 Made, not yet printed."""
    SIGNING = "SIGNING"
    """签署中 Printed and waiting for signatures."""
    EFFECTIVE = "EFFECTIVE"
    """已生效 Signed."""
    SETTLED = "SETTLED"
    """已结清 Every loan under it is settled."""
    TERMINATED = "TERMINATED"
    """已终止 Ended before its time."""
    VOID = "VOID"
    """已作废 Never came into force."""


LIVING = frozenset(ContractState) - {ContractState.TERMINATED, ContractState.VOID}
"""A contract that ended unfulfilled leaves its approval as it was: another one may be prepared under it."""


class SigningWay(StrEnum):
    """On paper, face to face, or by electronic signature."""

    PAPER = "PAPER"
    """纸质面签 On paper, face to face."""
    ELECTRONIC = "ELECTRONIC"
    """电子签 By electronic signature."""


class LoanContract(Keyed):
    """One contract with the terms it was printed with. `cost` is the all-in cost as the borrower was shown it."""

    __tablename__ = "loan_contracts"
    __table_args__ = (
        # One living contract for an application; one that ended unfulfilled may be followed by another.
        Index(
            "uq_loan_contracts_living",
            "application_id",
            unique=True,
            postgresql_where="state NOT IN ('TERMINATED', 'VOID')",
        ),
        Index("ix_loan_contracts_customer", "customer_id"),
        Index(
            "ix_loan_contracts_entrusted",
            "entrusted_contract_id",
            postgresql_where="entrusted_contract_id is not null",
        ),
        Index("ix_loan_contracts_facility", "facility_id", postgresql_where="facility_id is not null"),
    )
    reach: ClassVar[Reach] = Through("application_id", "loan_applications")

    number: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[ContractState] = mapped_column(choice(ContractState), default=ContractState.SIGNING)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("loan_applications.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("loan_products.id"))
    facility_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_facilities.id"))
    entrusted_contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("entrusted_contracts.id"))
    manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    co_manager_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    amount_in_words: Mapped[str] = mapped_column(String(100))
    periods: Mapped[int]
    annual_rate: Mapped[Decimal] = mapped_column(RateColumn)
    method: Mapped[Method] = mapped_column(choice(Method))
    lending_mode: Mapped[LendingMode] = mapped_column(choice(LendingMode))
    cost: Mapped[dict[str, Any]] = mapped_column(Json)
    drawn_up_on: Mapped[date]
    cost_sheet_acknowledged_at: Mapped[datetime | None]
    signed_on: Mapped[date | None]
    signing_way: Mapped[SigningWay | None] = mapped_column(choice(SigningWay))


# ---------------------------------------------------------------- rules


def check_signing_day(signed_on: date, drawn_up_on: date, today: date) -> None:
    """A contract is signed between its printing and today."""
    if not drawn_up_on <= signed_on <= today:
        raise InvalidInput(
            "signedOn",
            zh="签署日应在 {earliest} 至 {latest} 之间。",
            en="It was signed between {earliest} and {latest}.",
            earliest=drawn_up_on,
            latest=today,
        )


# ---------------------------------------------------------------- commands


@command("lending.loan_contract.prepare")
async def prepare(ctx: Context, *, application_id: UUID) -> LoanContract:
    """Prints the pack of an approved application and plans its disbursement.

    Raises NOT_FOUND, INVALID_STATE (not approved, or there is a contract), APPROVAL_EXPIRED."""
    from domain.finance import disbursement

    application = await lock(ctx, LoanApplication, application_id, "applicationId")
    if application.state is ApplicationState.EXPIRED:
        guards.check_valid(ctx, application)
    if application.state is not ApplicationState.APPROVED:
        raise InvalidState("applicationId", state=application.state)
    guards.check_valid(ctx, application)
    earlier = await standing(ctx, application.id)
    if earlier is not None:
        raise InvalidState("applicationId", zh="已有合同。", en="There is a contract.", state=earlier.state)
    contract = await _print(ctx, application)
    await disbursement.plan(ctx, contract)
    await pending_task.close(ctx, application)
    await pending_task.open(
        ctx,
        type=SIGNING,
        title=f"合同签署 Sign {contract.number}",
        subject=contract,
        employees=[application.manager_id or application.maker_id],
        amount=contract.amount,
        customer_id=contract.customer_id,
        due_at=ctx.now + timedelta(hours=SIGNING_HOURS),
    )
    ctx.announce("lending.loan_contract.prepared", contract)
    return contract


async def _print(ctx: Context, application: LoanApplication) -> LoanContract:
    product = await ctx.session.get_one(LoanProduct, application.product_id)
    offer = application.agreed
    priced, limits = await priced_today(ctx, product, offer), await cost_limits(ctx)
    contract = ctx.add(
        LoanContract(
            number=await numbered(ctx, "JK"),
            state=ContractState.SIGNING,
            application_id=application.id,
            customer_id=application.customer_id,
            product_id=product.id,
            facility_id=application.facility_id,
            entrusted_contract_id=application.entrusted_contract_id,
            manager_id=application.manager_id,
            co_manager_id=application.co_manager_id,
            department_id=application.department_id,
            amount=offer.amount,
            amount_in_words=amount_in_words(offer.amount),
            periods=offer.periods,
            annual_rate=offer.annual_rate,
            method=offer.method,
            lending_mode=application.lending_mode,
            cost=stored_cost(priced, limits),
            drawn_up_on=ctx.today,
        )
    )
    await ctx.session.flush()
    borrower, identifier_name, identifier = await _party(ctx, application.customer_id)
    agreed = Agreed(
        number=contract.number,
        lender=ctx.lender.name,
        borrower=borrower,
        identifier_name=identifier_name,
        identifier=identifier,
        offer=offer,
        product=product,
        lending_mode=application.lending_mode,
        purpose=application.purpose,
        conditions=application.approved_conditions,
        facility=await _facility_number(ctx, application.facility_id),
        entrusted=await _entrusted(ctx, application.entrusted_contract_id),
        drawn_up_on=contract.drawn_up_on,
        priced=priced,
        limits=limits,
    )
    pack = template.CONTRACT_PACK if agreed.entrusted is None else template.ENTRUSTED_PACK
    texts, data = await template.in_use(ctx, list(pack)), data_of(agreed)
    for code, name in pack.items():
        await document.print_from(
            ctx,
            texts[code],
            data,
            name=f"{name} {contract.number}.pdf",
            subject=contract,
            application_id=application.id,
        )
    return contract


async def _facility_number(ctx: Context, facility_id: UUID | None) -> str | None:
    """授信编号 · What the papers of a drawdown refer to."""
    if facility_id is None:
        return None
    facilities = TenantTable.metadata.tables["credit_facilities"].c
    wanted = select(facilities.number).where(facilities.id == facility_id)
    return str((await ctx.connection.execute(wanted)).scalar_one())


async def _entrusted(ctx: Context, entrusted_contract_id: UUID | None) -> Entrusted | None:
    """委托人 · Whose money it is, as the papers of an entrusted loan name him."""
    if entrusted_contract_id is None:
        return None
    given = await ctx.session.get_one(EntrustedContract, entrusted_contract_id)
    entrustor, identifier_name, identifier = await _party(ctx, given.entrustor_id)
    return Entrusted(contract=given, entrustor=entrustor, identifier_name=identifier_name, identifier=identifier)


async def _party(ctx: Context, customer_id: UUID) -> tuple[str, str, str]:
    """Name, and the number that identifies a party in a contract; a person's is unsealed for the print only."""
    customer = await ctx.session.get_one(Customer, customer_id)
    if isinstance(customer, EnterpriseCustomer):
        return customer.name, "统一社会信用代码", customer.uscc
    assert isinstance(customer, IndividualCustomer)
    return customer.name, "身份证号码", personal_data.unseal(ctx, customer, "id_number") or ""


@command("lending.loan_contract.acknowledge_cost_sheet")
async def acknowledge_cost_sheet(ctx: Context, *, contract_id: UUID) -> LoanContract:
    """The borrower has read and confirmed the cost sheet. Doing it again changes nothing. Raises NOT_FOUND, INVALID_STATE."""
    contract = await lock(ctx, LoanContract, contract_id, "contractId")
    if contract.state is not ContractState.SIGNING:
        raise InvalidState("contractId", state=contract.state)
    if contract.cost_sheet_acknowledged_at is None:
        contract.cost_sheet_acknowledged_at = ctx.now
        ctx.announce("lending.loan_contract.cost_sheet_acknowledged", contract)
    return contract


@command("lending.loan_contract.sign")
async def sign(
    ctx: Context, *, contract_id: UUID, signed_on: date, way: SigningWay, attachment_ids: Sequence[UUID] = ()
) -> LoanContract:
    """The contract takes effect and its disbursement goes to the accountant.

    Raises NOT_FOUND, INVALID_STATE, COST_SHEET_NOT_ACKNOWLEDGED, APPROVAL_EXPIRED, INVALID_INPUT (the day)."""
    from domain.finance import disbursement

    contract = await lock(ctx, LoanContract, contract_id, "contractId")
    if contract.state is not ContractState.SIGNING:
        raise InvalidState("contractId", state=contract.state)
    if contract.cost_sheet_acknowledged_at is None:
        raise CostSheetNotAcknowledged("contractId")
    application = await ctx.session.get_one(LoanApplication, contract.application_id)
    guards.check_valid(ctx, application)
    check_signing_day(signed_on, contract.drawn_up_on, ctx.today)
    contract.state, contract.signed_on, contract.signing_way = ContractState.EFFECTIVE, signed_on, way
    await document.attach(ctx, attachment_ids, contract, application_id=contract.application_id)
    await pending_task.close(ctx, contract)
    await disbursement.ready(ctx, contract)
    ctx.announce("lending.loan_contract.signed", contract)
    return contract


# ---------------------------------------------------------------- queries


async def standing(ctx: Context, application_id: UUID) -> LoanContract | None:
    """The living contract of an application: neither void nor terminated."""
    living = select(LoanContract).where(LoanContract.application_id == application_id, LoanContract.state.in_(LIVING))
    return (await ctx.session.execute(living)).scalar_one_or_none()


async def by_application(ctx: Context, application_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """The living contract of each application that has one. `columns` must hold `application_id`."""
    table = LoanContract.__table__.c
    statement = select(*columns).where(table.application_id.in_(application_ids), table.state.in_(LIVING))
    return {row.application_id: row for row in (await ctx.connection.execute(statement)).all()}
