"""抵押担保 · Mortgages (F24): an asset that stays with its owner secures the loans of a contract.

Made by one person, effective when another has entered its registration; from then on it stands in the register beside the
balance sheet (9004), at its appraised value, until it is released, which needs a debt of nothing and the workflow, or the asset
is taken over (repossession.py). It belongs to the contract, so whatever is lent under that is secured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.dates import add_months
from domain.calculation.money import yuan
from domain.collateral.mortgage_rank import Claim, Standing, standings
from domain.finance.remark import remark
from domain.kernel import paging
from domain.kernel.clock import hold_day
from domain.kernel.command import command, find, lock, query
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import DebtNotSettled, Duplicate, InvalidAmount, InvalidInput, InvalidState, SamePerson
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.ledger import account, journal
from domain.ledger.journal import Entry, Line
from domain.lending.loan import Loan, figures
from domain.lending.loan_contract import ContractState, LoanContract
from domain.organization.department import check_text
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

RELEASE = "MORTGAGE_RELEASE"
MONTHS_OF_AN_APPRAISAL = 12
MAY_BE_PAID_OUT = (ContractState.DRAFT, ContractState.SIGNING, ContractState.EFFECTIVE)


class MortgageState(StrEnum):
    """抵押状态 · REGISTERING → EFFECTIVE → RELEASING → RELEASED, or REPOSSESSED."""

    REGISTERING = "REGISTERING"
    """登记中 Made, not registered yet: of real estate there is no mortgage before (Civil Code 402)."""
    EFFECTIVE = "EFFECTIVE"
    """已生效 Registered."""
    RELEASING = "RELEASING"
    """解押中 Its release waits for a decision."""
    RELEASED = "RELEASED"
    """已解押 Secures nothing any more."""
    REPOSSESSED = "REPOSSESSED"
    """已抵债 The asset was taken over for the debt."""


STANDING = (MortgageState.REGISTERING, MortgageState.EFFECTIVE, MortgageState.RELEASING)
STILL_STANDING = "state in ('REGISTERING', 'EFFECTIVE', 'RELEASING')"


class AssetType(StrEnum):
    """抵押物类型 · What is mortgaged."""

    RESIDENTIAL = "RESIDENTIAL"
    """住宅 A home."""
    COMMERCIAL = "COMMERCIAL"
    """商铺 A shop or an office."""
    LAND = "LAND"
    """土地使用权 The right to use land."""
    FACTORY = "FACTORY"
    """厂房 A factory."""
    VEHICLE = "VEHICLE"
    """车辆 A vehicle."""
    MACHINERY = "MACHINERY"
    """机器设备 Machines."""
    INVENTORY = "INVENTORY"
    """存货 Goods in stock."""


class Mortgage(Keyed):
    """One mortgage. `voucher_id` is what took it into the register; `maker_id` made it, `registered_by` is another person."""

    __tablename__ = "mortgages"
    __table_args__ = (
        Index(
            "uq_mortgages_contract", "contract_id", "certificate_number", unique=True, postgresql_where=STILL_STANDING
        ),
        Index("uq_mortgages_registration", "registration_number", unique=True, postgresql_where=STILL_STANDING),
        Index("ix_mortgages_certificate", "certificate_number"),
    )
    reach: ClassVar[Reach] = Through("contract_id", "loan_contracts")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[MortgageState] = mapped_column(choice(MortgageState), default=MortgageState.REGISTERING)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("loan_contracts.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    asset_type: Mapped[AssetType] = mapped_column(choice(AssetType))
    owner: Mapped[str] = mapped_column(String(100))
    certificate_number: Mapped[str] = mapped_column(String(100))
    secured_amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    appraised_value: Mapped[Decimal] = mapped_column(MoneyColumn)
    appraised_on: Mapped[date]
    maker_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    registration_number: Mapped[str | None] = mapped_column(String(100))
    registered_on: Mapped[date | None]
    registered_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    voucher_id: Mapped[UUID | None]
    ended_on: Mapped[date | None]
    comment: Mapped[str | None] = mapped_column(String(500))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """抵押物 · What is mortgaged and for how much; amounts in CNY. `certificate_number` is that of the title (不动产权证)."""

    asset_type: AssetType
    owner: str
    certificate_number: str
    secured_amount: Decimal
    appraised_value: Decimal
    appraised_on: date


# ---------------------------------------------------------------- rules


def check_asset(asset: Asset, today: date) -> None:
    """Amounts above zero, and an appraisal that is no older than a year (domain.md F24). Raises InvalidAmount, InvalidInput."""
    for field, amount in (("securedAmount", asset.secured_amount), ("appraisedValue", asset.appraised_value)):
        if amount <= 0:
            raise InvalidAmount(field, amount=amount)
    earliest = add_months(today, -MONTHS_OF_AN_APPRAISAL)
    if not earliest <= asset.appraised_on <= today:
        raise InvalidInput(
            "appraisedOn",
            zh="评估日应在 {earliest} 至 {latest} 之间。",
            en="The appraisal is of a day from {earliest} to {latest}.",
            earliest=earliest,
            latest=today,
        )


def check_settled(field: str, outstanding: Decimal) -> None:
    """Not a fen may be owed. Raises DebtNotSettled with what is."""
    if outstanding > 0:
        raise DebtNotSettled(field, outstanding=outstanding)


# ---------------------------------------------------------------- made and registered


@command("collateral.mortgage.create")
async def create(
    ctx: Context, *, asset: Asset, contract_id: UUID | None = None, loan_id: UUID | None = None
) -> Mortgage:
    """Makes a mortgage for a contract, or for that of a loan; another person registers it.

    Raises NOT_FOUND, INVALID_INPUT (both or neither given, texts, appraisal), INVALID_AMOUNT, INVALID_STATE (of the contract),
    DUPLICATE (the certificate secures this contract already)."""
    if (contract_id is None) is (loan_id is None):
        raise InvalidInput("contractId", zh="请指定合同或借据之一。", en="Name either a contract or a loan.")
    if loan_id is not None:
        contract_id = (await find(ctx, Loan, loan_id, "loanId")).contract_id
        contract = await ctx.session.get_one(LoanContract, contract_id)
    else:
        assert contract_id is not None
        contract = await find(ctx, LoanContract, contract_id, "contractId")
    if contract.state not in MAY_BE_PAID_OUT:
        raise InvalidState("contractId" if loan_id is None else "loanId", state=contract.state)
    check_asset(asset, ctx.today)
    row = ctx.add(
        Mortgage(
            number=await numbered(ctx, "DY"),
            state=MortgageState.REGISTERING,
            contract_id=contract.id,
            customer_id=contract.customer_id,
            asset_type=asset.asset_type,
            owner=check_text("owner", asset.owner),
            certificate_number=check_text("certificateNumber", asset.certificate_number),
            secured_amount=asset.secured_amount,
            appraised_value=asset.appraised_value,
            appraised_on=asset.appraised_on,
            maker_id=ctx.actor.id,
        )
    )
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("certificateNumber", value=row.certificate_number) from error
    ctx.announce("collateral.mortgage.created", row, contract_id=contract.id)
    return row


@command("collateral.mortgage.register")
async def register(ctx: Context, *, mortgage_id: UUID, registration_number: str, registered_on: date) -> Mortgage:
    """登记 · Another person than its maker enters what the registration office has certified; the mortgage is effective.

    Voucher: Dr 9004 / Cr 9999 at the appraised value. Raises NOT_FOUND, SAME_PERSON, INVALID_STATE, INVALID_INPUT (number; a day
    to come), DUPLICATE (the registration secures another contract)."""
    row = await lock(ctx, Mortgage, mortgage_id, "mortgageId")
    if row.maker_id == ctx.actor.id:
        raise SamePerson("mortgageId")
    if row.state is not MortgageState.REGISTERING:
        raise InvalidState("mortgageId", state=row.state)
    if registered_on > ctx.today:
        raise InvalidInput("registeredOn", zh="登记日不得晚于 {today}。", en="Not after {today}.", today=ctx.today)
    row.registration_number = check_text("registrationNumber", registration_number)
    row.registered_on, row.registered_by, row.state = registered_on, ctx.actor.id, MortgageState.EFFECTIVE
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("registrationNumber", value=registration_number) from error
    await take_in(ctx, row, "MORTGAGE_REGISTERED", "抵押物入库")
    ctx.announce("collateral.mortgage.registered", row, contract_id=row.contract_id)
    return row


def _held(row: Mortgage, value: Decimal) -> list[Line]:
    """表外 · The register takes the asset in; a value below zero gives it out."""
    return [
        Line(account.COLLATERAL_HELD, debit=value, sub_id=row.id),
        Line(account.OFF_BALANCE_CONTRA, credit=value, sub_id=row.id),
    ]


async def take_in(ctx: Context, row: Mortgage, kind: str, summary: str) -> None:
    """表外收入 · The register takes it in at its appraised value: Dr 9004 / Cr 9999."""
    entry = Entry(kind=kind, reference=row, lines=_held(row, row.appraised_value), summary=f"{summary} {row.number}")
    (row.voucher_id,) = await journal.post(ctx, entry)


async def give_out(ctx: Context, row: Mortgage, kind: str, summary: str) -> None:
    """表外付出 · The opposite of what took it into the register: Dr 9999 / Cr 9004. It stands there no longer."""
    lines = _held(row, -row.appraised_value)
    await journal.post(
        ctx, Entry(kind=kind, reference=row, lines=lines, summary=f"{summary} {row.number}", reverses_id=row.voucher_id)
    )
    row.ended_on = ctx.today


# ---------------------------------------------------------------- released


async def outstanding(ctx: Context, contract_id: UUID) -> Decimal:
    """All that is owed under a contract at the close of the open day, claims on what was written off included, in CNY."""
    loans = select(Loan.id).where(Loan.contract_id == contract_id)
    folds = await figures.folds(ctx, list((await ctx.connection.execute(loans)).scalars()))
    owed = 0
    for fold in folds.values():
        today, claim = fold.position_on(ctx.today), fold.state.claim
        owed += today.principal_outstanding + today.uncollected_interest + today.fees
        owed += sum(claim.values()) if claim is not None else 0
    return yuan(owed)


async def _check_free(ctx: Context, field: str, row: Mortgage) -> None:
    """Nothing is owed, and nothing may still be lent under the contract. Raises DebtNotSettled, InvalidState."""
    check_settled(field, await outstanding(ctx, row.contract_id))
    contract = await ctx.session.get_one(LoanContract, row.contract_id)
    lent = (await ctx.connection.execute(select(Loan.id).where(Loan.contract_id == row.contract_id).limit(1))).first()
    if lent is None and contract.state in MAY_BE_PAID_OUT:
        raise InvalidState(
            field,
            zh="合同（{state}）尚未放款，不能解押。",
            en="The contract ({state}) may still be paid out.",
            state=contract.state,
        )


@command("collateral.mortgage.request_release")
async def request_release(ctx: Context, *, mortgage_id: UUID, comment: str | None = None) -> Mortgage:
    """申请解押 · Asks others to release a mortgage; it stands until they have agreed.

    Raises NOT_FOUND, INVALID_STATE (not effective, asked for already, or the contract not paid out yet), DEBT_NOT_SETTLED."""
    row = await lock(ctx, Mortgage, mortgage_id, "mortgageId")
    if row.state is not MortgageState.EFFECTIVE:
        raise InvalidState("mortgageId", state=row.state)
    await _check_free(ctx, "mortgageId", row)
    row.state, row.comment = MortgageState.RELEASING, remark(comment)
    await instance.start(
        ctx,
        purpose=RELEASE,
        subject=row,
        title=f"解押 Release of {row.number}",
        amount=row.appraised_value,
        customer_id=row.customer_id,
    )
    ctx.announce("collateral.mortgage.release_requested", row, contract_id=row.contract_id)
    return row


@instance.outcome(RELEASE)
async def release_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Releases the mortgage, or leaves it as it is. Raises DEBT_NOT_SETTLED where something is owed again by now."""
    await hold_day(ctx)  # before the rows, as whoever posts and end of day do
    row = await ctx.session.get_one(Mortgage, running.subject_id, with_for_update=True)
    if not approved:
        row.state = MortgageState.EFFECTIVE
        ctx.announce("collateral.mortgage.release_rejected", row, contract_id=row.contract_id)
        return
    under = select(Loan.id).where(Loan.contract_id == row.contract_id).order_by(Loan.id).with_for_update()
    await ctx.connection.execute(under)
    await _check_free(ctx, "taskId", row)
    row.state = MortgageState.RELEASED
    await give_out(ctx, row, "MORTGAGE_RELEASED", "抵押物出库")
    ctx.announce("collateral.mortgage.released", row, contract_id=row.contract_id, customer_id=row.customer_id)


@instance.terms_check(RELEASE)
async def no_terms(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """A mortgage is released as a whole. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="解押只能整笔进行。", en="A mortgage is released as a whole.")


# ---------------------------------------------------------------- queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which mortgages: those that meet all that is given."""

    states: Sequence[MortgageState] | None = None
    certificate_number: str | None = None
    contract_id: UUID | None = None
    loan_id: UUID | None = None
    customer_id: UUID | None = None


@query("collateral.mortgage.read")
async def page(ctx: Context, *, columns: Sequence[Any], window: Window, wanted: Wanted) -> Page:
    """The mortgages that the actor may see, newest first; by certificate all that the asset has secured."""
    table = Mortgage.__table__.c
    statement = select(*columns).where(scope(ctx, Mortgage))
    if wanted.states is not None:
        statement = statement.where(table.state.in_(wanted.states))
    for column in ("certificate_number", "contract_id", "customer_id"):
        if (value := getattr(wanted, column)) is not None:
            statement = statement.where(table[column] == value)
    if wanted.loan_id is not None:
        statement = statement.where(table.contract_id.in_(select(Loan.contract_id).where(Loan.id == wanted.loan_id)))
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)


async def standing(ctx: Context, mortgage_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """Rank and cover of mortgages among all on their certificates, whoever may see those; nothing of one that ended."""
    table = Mortgage.__table__.c
    certificates = select(table.certificate_number).where(table.id.in_(mortgage_ids))
    statement = select(
        table.id, table.certificate_number, table.registered_on, table.secured_amount, table.appraised_value
    ).where(table.certificate_number.in_(certificates), table.state.in_(STANDING))
    claims = [Claim(*row) for row in (await ctx.connection.execute(statement)).all()]
    found = standings(claims)
    return {key: found[key] for key in mortgage_ids if key in found}
