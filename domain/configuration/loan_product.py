"""产品管理 · Loan product (F40): what may be lent and how, as versions that are never edited.

A change makes the next version; loans keep the version they were made with. Saving refuses a product whose dearest terms
would cost the borrower more than the cap (银发〔2025〕247号, golden case S10).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.allocation import Component, Strategy
from domain.calculation.cost import cost, measured
from domain.calculation.schedule import (
    MAX_PERIODS,
    MONTHS_IN_PERIOD,
    Basis,
    HolidayRule,
    Method,
    PeriodUnit,
    PlanTerms,
    plan,
)
from domain.configuration import parameter
from domain.kernel.command import command, lock, query
from domain.kernel.feed import Json
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.refusals import (
    Conflict,
    CostCapExceeded,
    Duplicate,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    ProductRuleViolated,
    plain_rate,
)
from domain.kernel.scope import Everyone, Reach, scope
from domain.kernel.table import Keyed, MoneyColumn, RateColumn, choice
from domain.organization.department import check_code, check_text
from domain.workflow import definition

if TYPE_CHECKING:
    from domain.kernel.context import Context


class LoanKind(StrEnum):
    """普通贷款, 循环贷款, 委托贷款."""

    NORMAL = "NORMAL"
    """普通贷款 Paid out and repaid once."""
    REVOLVING = "REVOLVING"
    """循环贷款 Drawn again within a limit."""
    ENTRUSTED = "ENTRUSTED"
    """委托贷款 Lent for somebody else, with their money."""


class LendingMode(StrEnum):
    """贷款方式 · What secures the loan."""

    CREDIT = "CREDIT"
    """信用 Nothing but the borrower's promise."""
    GUARANTEE = "GUARANTEE"
    """保证 Somebody vouches for it."""
    MORTGAGE = "MORTGAGE"
    """抵押 Property that the borrower keeps."""
    PLEDGE = "PLEDGE"
    """质押 Things or rights that are handed over."""
    COMBINED = "COMBINED"
    """组合 More than one of these."""


class ProductState(StrEnum):
    """ACTIVE is offered; SUPERSEDED by the next version, or RETIRED: only the loans it made still use it."""

    ACTIVE = "ACTIVE"
    """启用 Offered."""
    SUPERSEDED = "SUPERSEDED"
    """已被替代 A later version is offered."""
    RETIRED = "RETIRED"
    """停用 Offered no more."""


class LoanProduct(Keyed):
    """One version of one product. Money in CNY, rates as decimal fractions a year, `penalty_multiplier` times the rate.

    Of a revolving product the amounts are those of a facility, the periods those of a drawdown; `facility_months` is the
    longest term of a facility, and a drawdown ends at most `drawdown_tail_days` after it."""

    __tablename__ = "loan_products"
    __table_args__ = (UniqueConstraint("code", "version"),)
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    state: Mapped[ProductState] = mapped_column(choice(ProductState))
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[LoanKind] = mapped_column(choice(LoanKind))
    min_amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    max_amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    min_periods: Mapped[int]
    max_periods: Mapped[int]
    period_unit: Mapped[PeriodUnit] = mapped_column(choice(PeriodUnit))
    min_rate: Mapped[Decimal] = mapped_column(RateColumn)
    max_rate: Mapped[Decimal] = mapped_column(RateColumn)
    methods: Mapped[list[str]] = mapped_column(Json)
    interest_basis: Mapped[Basis] = mapped_column(choice(Basis))
    grace_days: Mapped[int]
    penalty_multiplier: Mapped[Decimal] = mapped_column(RateColumn)
    compound: Mapped[bool]
    allocation_order: Mapped[list[str]] = mapped_column(Json)
    allocation_strategy: Mapped[Strategy] = mapped_column(choice(Strategy))
    lending_modes: Mapped[list[str]] = mapped_column(Json)
    prepayment_fee_rate: Mapped[Decimal] = mapped_column(RateColumn)
    amortization_periods: Mapped[int | None]
    settlement_day: Mapped[int | None]
    first_settlement_min_days: Mapped[int | None]
    holiday_rule: Mapped[HolidayRule] = mapped_column(choice(HolidayRule))
    workflow_code: Mapped[str | None] = mapped_column(String(40))
    facility_months: Mapped[int | None]
    drawdown_tail_days: Mapped[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a version of a product says, as it is asked for. The fields are the columns of `LoanProduct`."""

    name: str
    min_amount: Decimal
    max_amount: Decimal
    min_periods: int
    max_periods: int
    min_rate: Decimal
    max_rate: Decimal
    methods: tuple[Method, ...]
    lending_modes: tuple[LendingMode, ...]
    kind: LoanKind = LoanKind.NORMAL
    period_unit: PeriodUnit = PeriodUnit.MONTH
    interest_basis: Basis = Basis.PERIODIC
    grace_days: int = 0
    penalty_multiplier: Decimal = Decimal("1.5")
    compound: bool = True
    allocation_order: tuple[Component, ...] = tuple(Component)
    allocation_strategy: Strategy = Strategy.BY_INSTALLMENT
    prepayment_fee_rate: Decimal = Decimal(0)
    amortization_periods: int | None = None
    settlement_day: int | None = None
    first_settlement_min_days: int | None = None
    holiday_rule: HolidayRule = HolidayRule.NONE
    workflow_code: str | None = None
    facility_months: int | None = None
    drawdown_tail_days: int | None = None


# --------------------------------------------------------------------------- rules

# 银发〔2003〕251号: penalty interest is the contract rate and 30 % to 50 % more.
PENALTY_MULTIPLIERS = (Decimal("1.3"), Decimal("1.5"))
LONGEST_GRACE_DAYS = 90
LEVEL_METHODS = (Method.EQUAL_INSTALLMENT, Method.BALLOON)

# The cost at save is that of the terms, not of a date or of single cents: a principal so large that rounding does not
# show, paid out on a day whose first month has 30 days. What an odd period or cent adds is seen at each application.
REFERENCE_FEN = 10**13
REFERENCE_DATE = date(2026, 4, 15)
# The purposes of the workflows that decide on loans, and on facilities where the product is revolving.
LOAN_PURPOSE = "NORMAL_LOAN"
FACILITY_PURPOSE = "FACILITY"
# What a drawdown may be: interest settled every month or with the principal, by actual days (golden S38).
REVOLVING_METHODS = frozenset({Method.INTEREST_ONLY, Method.BULLET})
REVOLVING_DEFAULTS = {"facility_months": 36, "drawdown_tail_days": 0, "first_settlement_min_days": 0}


def check(terms: Terms) -> None:
    """Refuses what no product may say.

    Raises InvalidAmount, InvalidInput, ProductRuleViolated (penalty outside 1.3–1.5), with the field.
    """
    for field, amount in (("minAmount", terms.min_amount), ("maxAmount", terms.max_amount)):
        if amount <= 0:
            raise InvalidAmount(field, amount=amount)
    if terms.min_amount > terms.max_amount:
        raise InvalidAmount("maxAmount", amount=terms.max_amount)
    check_text("name", terms.name)
    if terms.workflow_code is not None:
        check_code("workflowCode", terms.workflow_code)
    least, most = PENALTY_MULTIPLIERS
    if not least <= terms.penalty_multiplier <= most:
        raise ProductRuleViolated(
            "penaltyMultiplier", rule="penaltyMultiplier", value=terms.penalty_multiplier, allowed=f"{least}–{most}"
        )
    by_days = terms.period_unit not in MONTHS_IN_PERIOD
    holds = {
        "minPeriods": 1 <= terms.min_periods <= terms.max_periods,
        "maxPeriods": terms.max_periods <= MAX_PERIODS,
        "minRate": 0 <= terms.min_rate <= terms.max_rate,
        "maxRate": terms.max_rate <= 10,
        "methods": bool(terms.methods) and not (by_days and set(terms.methods) & set(LEVEL_METHODS)),
        "interestBasis": not (by_days and terms.interest_basis is Basis.PERIODIC),
        "graceDays": 0 <= terms.grace_days <= LONGEST_GRACE_DAYS,
        "allocationOrder": sorted(terms.allocation_order) == sorted(Component),
        "lendingModes": bool(terms.lending_modes),
        "prepaymentFeeRate": 0 <= terms.prepayment_fee_rate <= 1,
        "amortizationPeriods": terms.amortization_periods is None
        or terms.max_periods <= terms.amortization_periods <= MAX_PERIODS,
        "settlementDay": terms.settlement_day is None or 1 <= terms.settlement_day <= 31,
        "firstSettlementMinDays": 0 <= (terms.first_settlement_min_days or 0) <= 31,
    }
    for field, right in (*holds.items(), *_of_kind(terms).items()):
        if not right:
            raise InvalidInput(
                field, zh="产品要素无效：{rule}。", en="The product cannot say this: {rule}.", rule=field
            )


def _of_kind(terms: Terms) -> dict[str, bool]:
    """What a revolving product must say, and no other product may."""
    if terms.kind is not LoanKind.REVOLVING:
        return {"facilityMonths": terms.facility_months is None, "drawdownTailDays": terms.drawdown_tail_days is None}
    return {
        "methods": REVOLVING_METHODS.issuperset(terms.methods),
        "interestBasis": terms.interest_basis is not Basis.PERIODIC,
        "facilityMonths": terms.facility_months is None or 1 <= terms.facility_months <= 120,
        "drawdownTailDays": 0 <= (terms.drawdown_tail_days or 0) <= 366,
    }


def worst_cost(terms: Terms) -> Decimal:
    """The highest measure of all-in cost that these terms allow: the highest rate, each method, each number of periods.

    A flat rate (等本等息) costs almost twice its figure, most with 15 to 40 periods, so these are tried one by one; the
    other methods only at both ends. Day counts are left out (docs/decisions/0010): what 365 days over 360 add is in the
    dates of each application, whose own guard measures it.
    """
    return max(measured(cost(case, plan(case))) for case in _corners(terms))


def _corners(terms: Terms) -> Iterator[PlanTerms]:
    ends = sorted({terms.min_periods, terms.max_periods})
    flat = range(terms.min_periods, min(terms.max_periods, terms.min_periods + 60) + 1)
    principal, rate = REFERENCE_FEN, Fraction(terms.max_rate)
    for method in terms.methods:
        is_flat = method is Method.EQUAL_PRINCIPAL_EQUAL_INTEREST
        for periods in sorted({*flat, *ends}) if is_flat else ends:
            yield PlanTerms(
                principal=principal,
                annual_rate=rate,
                method=method,
                value_date=REFERENCE_DATE,
                basis=_without_day_count(terms, method),
                periods=periods,
                period_unit=terms.period_unit,
                amortization_periods=terms.amortization_periods or terms.max_periods,
                custom_principal=(0,) * (periods - 1) + (principal,),
            )


def _without_day_count(terms: Terms, method: Method) -> Basis:
    by_days = terms.period_unit not in MONTHS_IN_PERIOD or method in (Method.BULLET, Method.CUSTOM)
    return Basis.ACTUAL_365 if by_days else Basis.PERIODIC


async def _refuse_dear(ctx: Context, terms: Terms) -> None:
    worst, cap = worst_cost(terms), await parameter.value(ctx, "cost_cap")
    if worst > cap:
        raise CostCapExceeded("maxRate", cost=plain_rate(worst), cap=plain_rate(cap))


async def _check_workflow(ctx: Context, terms: Terms) -> None:
    """A product's own workflow is one for loans (for facilities) that exists: an application finds it when it is surveyed."""
    code = terms.workflow_code
    if code is None:
        return
    try:
        purpose = FACILITY_PURPOSE if terms.kind is LoanKind.REVOLVING else LOAN_PURPOSE
        await definition.current(ctx, purpose, code)
    except NotFound:
        raise InvalidInput(
            "workflowCode", zh="没有贷款审批流 {code}。", en="There is no workflow of loans called {code}.", code=code
        ) from None


# --------------------------------------------------------------------------- commands


@command("configuration.loan_product.create")
async def create(ctx: Context, *, code: str, terms: Terms) -> LoanProduct:
    """Makes version 1, ready to be used. Raises Duplicate for a code that exists, and what `check` and the cap refuse."""
    check_code("code", code)
    check(terms)
    await _refuse_dear(ctx, terms)
    await _check_workflow(ctx, terms)
    if await _versions(ctx, code):
        raise Duplicate("code", value=code)
    return ctx.add(_row(code, 1, terms))


@command("configuration.loan_product.revise")
async def revise(ctx: Context, *, product_id: UUID, expected_version: int, terms: Terms) -> LoanProduct:
    """Makes the next version; the one before is superseded and stays as it is for the loans it made.

    Raises NotFound, InvalidState (not the version in use), Conflict, and what `check` and the cap refuse.
    """
    current = await _in_use(ctx, product_id, expected_version)
    check(terms)
    await _refuse_dear(ctx, terms)
    await _check_workflow(ctx, terms)
    current.state = ProductState.SUPERSEDED
    return ctx.add(_row(current.code, current.version + 1, terms))


@command("configuration.loan_product.retire")
async def retire(ctx: Context, *, product_id: UUID, expected_version: int) -> LoanProduct:
    """Takes a product off the offer; applications and loans on it go on. Raises NotFound, InvalidState, Conflict."""
    current = await _in_use(ctx, product_id, expected_version)
    current.state = ProductState.RETIRED
    return current


async def _in_use(ctx: Context, product_id: UUID, expected_version: int) -> LoanProduct:
    row = await lock(ctx, LoanProduct, product_id, "productId")
    if row.version != expected_version:
        raise Conflict("expectedVersion", version=row.version)
    if row.state is not ProductState.ACTIVE:
        raise InvalidState("productId", state=row.state)
    return row


def _row(code: str, version: int, terms: Terms) -> LoanProduct:
    said = asdict(terms)
    if Method.BALLOON in terms.methods:
        said["amortization_periods"] = terms.amortization_periods or terms.max_periods
    if terms.kind is LoanKind.REVOLVING:
        said |= {name: usual for name, usual in REVOLVING_DEFAULTS.items() if said[name] is None}
    lists = {name: [str(item) for item in said.pop(name)] for name in ("methods", "allocation_order", "lending_modes")}
    return LoanProduct(code=code, version=version, state=ProductState.ACTIVE, **said, **lists)


# --------------------------------------------------------------------------- queries


async def _versions(ctx: Context, code: str) -> int:
    """How many versions a code has. The lock on the code makes a second creator wait for the first."""
    await ctx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"loan_products/{code}"))))
    counted = select(func.count()).where(LoanProduct.code == code)
    return int((await ctx.connection.execute(counted)).scalar_one())


@query("configuration.loan_product.read")
async def products(
    ctx: Context, *, columns: list[Any], state: ProductState | None = ProductState.ACTIVE, window: Window
) -> Page:
    """Products by code, the latest version first; by default those on offer."""
    table = LoanProduct.__table__.c
    statement = select(*columns).where(scope(ctx, LoanProduct))
    if state is not None:
        statement = statement.where(table.state == state)
    return await page(
        ctx, statement, [Order(table.code), Order(table.version, descending=True), Order(table.id)], window
    )
