"""五级分类 · Five-category classification by days past due, events, history and restructuring.

A ruleset is data: the default follows the 2023 measures (商业银行金融资产风险分类办法), the other the matrix for small
loans of 2007 (银监发〔2007〕63号). A lender may have its own.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

NON_ACCRUAL_AFTER_DPD = 90


class FiveClass(StrEnum):
    """The classes from the best to the worst; the last three are non-performing (不良)."""

    NORMAL = "NORMAL"
    """正常 No reason to doubt full and timely repayment."""
    SPECIAL_MENTION = "SPECIAL_MENTION"
    """关注 Repayment may suffer."""
    SUBSTANDARD = "SUBSTANDARD"
    """次级 Cannot be repaid from income alone."""
    DOUBTFUL = "DOUBTFUL"
    """可疑 A considerable loss is certain."""
    LOSS = "LOSS"
    """损失 Little or nothing will come back."""

    @property
    def rank(self) -> int:
        """0 for NORMAL to 4 for LOSS."""
        return list(FiveClass).index(self)

    @property
    def non_performing(self) -> bool:
        return self.rank >= FiveClass.SUBSTANDARD.rank

    @property
    def impaired(self) -> bool:
        """已减值 A considerable part will not come back: the principal stands apart in the ledger (decision 0038)."""
        return self.rank >= FiveClass.DOUBTFUL.rank


class LendingMode(StrEnum):
    CREDIT = "CREDIT"  # 信用
    GUARANTEE = "GUARANTEE"  # 保证
    MORTGAGE = "MORTGAGE"  # 抵押
    PLEDGE = "PLEDGE"  # 质押
    COMBINED = "COMBINED"  # 组合


class AccrualStatus(StrEnum):
    ACCRUAL = "ACCRUAL"
    """应计 Interest is recorded on the balance sheet."""
    NON_ACCRUAL = "NON_ACCRUAL"
    """非应计 Interest is kept off the balance sheet."""


class Event(StrEnum):
    FUND_USE_CHANGED = "FUND_USE_CHANGED"
    REFINANCED_BY_NEW_LOAN = "REFINANCED_BY_NEW_LOAN"
    SAME_DEBTOR_NPL = "SAME_DEBTOR_NPL"
    CREDIT_IMPAIRED = "CREDIT_IMPAIRED"
    SAME_DEBTOR_OVERDUE90_OVER_20PCT = "SAME_DEBTOR_OVERDUE90_OVER_20PCT"
    DEBT_EVASION = "DEBT_EVASION"
    ECL_GE_50PCT = "ECL_GE_50PCT"
    BANKRUPTCY_LIQUIDATION = "BANKRUPTCY_LIQUIDATION"
    ECL_GE_90PCT = "ECL_GE_90PCT"


class Reason(StrEnum):
    """Why a loan has its class, besides the events."""

    DPD = "DPD"
    FLOOR_DPD_GT_90 = "FLOOR_DPD_GT_90"
    TECHNICAL_OVERDUE_LE_7 = "TECHNICAL_OVERDUE_LE_7"
    NPL_UPGRADE_NOT_MET = "NPL_UPGRADE_NOT_MET"
    UPGRADED_ONE_STEP_AT_MOST = "UPGRADED_ONE_STEP_AT_MOST"
    RESTRUCTURED_OBSERVATION = "RESTRUCTURED_OBSERVATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """From `bands[i]` days past due on the class is `classes[lending mode][i]`; below the first band it is NORMAL."""

    code: str
    bands: tuple[int, ...]
    classes: Mapping[LendingMode, tuple[FiveClass, ...]]
    event_floors: Mapping[Event, FiveClass] = field(default_factory=dict)
    technical_days: int = 0  # a documented technical overdue up to this dpd leaves the loan NORMAL
    non_performing_from_dpd: int | None = None  # a floor of SUBSTANDARD besides the bands


_N, _SM, _SS, _D, _L = FiveClass

NATIONAL_2023 = Ruleset(
    code="NATIONAL_2023",
    bands=(1, 91, 271, 361),
    classes=dict.fromkeys(LendingMode, (_SM, _SS, _D, _L)),
    event_floors={
        Event.FUND_USE_CHANGED: _SM,
        Event.REFINANCED_BY_NEW_LOAN: _SM,
        Event.SAME_DEBTOR_NPL: _SM,
        Event.CREDIT_IMPAIRED: _SS,
        Event.SAME_DEBTOR_OVERDUE90_OVER_20PCT: _SS,
        Event.DEBT_EVASION: _D,
        Event.ECL_GE_50PCT: _D,
        Event.BANKRUPTCY_LIQUIDATION: _L,
        Event.ECL_GE_90PCT: _L,
    },
    technical_days=7,
)

SMALL_LOAN_MATRIX_2007 = Ruleset(
    code="SMALL_LOAN_MATRIX_2007",
    bands=(1, 31, 91, 181, 361),
    classes={
        LendingMode.CREDIT: (_SM, _SS, _D, _D, _L),
        LendingMode.GUARANTEE: (_N, _SM, _SS, _D, _L),
        LendingMode.MORTGAGE: (_N, _SM, _SM, _SS, _D),
        LendingMode.PLEDGE: (_N, _N, _SM, _SS, _D),
        # The matrix knows no combination: the strictest of the secured rows.
        LendingMode.COMBINED: (_N, _SM, _SS, _D, _L),
    },
    non_performing_from_dpd=91,
)

RULESETS = {ruleset.code: ruleset for ruleset in (NATIONAL_2023, SMALL_LOAN_MATRIX_2007)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restructuring:
    """重组贷款 · A restructured loan in its observation period (at least two periods and a year)."""

    prev_npl: bool = False  # it was non-performing when restructured
    overdue_again_npl: bool = False  # it met the criteria of a non-performing loan again since


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a loan on the day it is classified; `previous_class` is the one confirmed last."""

    dpd: int
    lending_mode: LendingMode = LendingMode.CREDIT
    events: tuple[Event, ...] = ()
    technical_overdue: bool = False
    previous_class: FiveClass = FiveClass.NORMAL
    upgrade_test_passed: bool = False
    observation: Restructuring | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    five_class: FiveClass
    reasons: tuple[Reason | Event, ...]
    accrual: AccrualStatus

    @property
    def non_performing(self) -> bool:
        return self.five_class.non_performing


def classify(ruleset: Ruleset, facts: Facts) -> Classification:
    """The worst of all floors, and every reason that leads to it: DPD, events as given, upgrade, restructuring.

    Golden cases C01–C28, M01–M18.
    """
    floors = list(_floors(ruleset, facts))
    result = max((floor for _, floor in floors), key=lambda floor: floor.rank, default=FiveClass.NORMAL)
    reasons = tuple(
        reason
        for reason, floor in floors
        if floor is not FiveClass.NORMAL and (floor is result or _always_named(ruleset, reason))
    )
    if result is FiveClass.NORMAL and _technical(ruleset, facts):
        reasons = (Reason.TECHNICAL_OVERDUE_LE_7,)
    return Classification(result, reasons, accrual_status(facts.dpd))


def class_for_dpd(ruleset: Ruleset, dpd: int, lending_mode: LendingMode = LendingMode.CREDIT) -> FiveClass:
    """The system class: what the days past due alone make of a loan."""
    by_band = _band_class(ruleset, dpd, lending_mode)
    return FiveClass.SUBSTANDARD if _lifted(ruleset, dpd, by_band) else by_band


def day_limits(ruleset: Ruleset) -> tuple[int, ...]:
    """The days past due at which the class of some loan changes, ascending."""
    floor = ruleset.non_performing_from_dpd
    return tuple(sorted({*ruleset.bands, *(() if floor is None else (floor,))}))


def accrual_status(dpd: int) -> AccrualStatus:
    """非应计 · Beyond 90 days interest is kept off balance, whatever the class."""
    return AccrualStatus.NON_ACCRUAL if dpd > NON_ACCRUAL_AFTER_DPD else AccrualStatus.ACCRUAL


def bucket(dpd: int) -> str:
    """逾期期数 · M0 when not overdue, M1 for days 1–30, to M6; M7+ above 180 days."""
    months = -(-dpd // 30)
    return f"M{months}" if months <= 6 else "M7+"


def _floors(ruleset: Ruleset, facts: Facts) -> Iterator[tuple[Reason | Event, FiveClass]]:
    """Each reason with the class it calls for at least, in the order they are reported."""
    if not _technical(ruleset, facts):
        by_band = _band_class(ruleset, facts.dpd, facts.lending_mode)
        yield Reason.DPD, by_band
        if _lifted(ruleset, facts.dpd, by_band):
            yield Reason.FLOOR_DPD_GT_90, FiveClass.SUBSTANDARD
    for event in facts.events:
        if event in ruleset.event_floors:
            yield event, ruleset.event_floors[event]
    if facts.previous_class.non_performing:
        if facts.upgrade_test_passed:
            yield Reason.UPGRADED_ONE_STEP_AT_MOST, FiveClass.SPECIAL_MENTION
        else:
            yield Reason.NPL_UPGRADE_NOT_MET, FiveClass.SUBSTANDARD
    if (observed := facts.observation) is not None:
        failed = observed.prev_npl or observed.overdue_again_npl
        yield Reason.RESTRUCTURED_OBSERVATION, FiveClass.SUBSTANDARD if failed else FiveClass.SPECIAL_MENTION


def _band_class(ruleset: Ruleset, dpd: int, lending_mode: LendingMode) -> FiveClass:
    band = bisect_right(ruleset.bands, dpd)
    return ruleset.classes[lending_mode][band - 1] if band else FiveClass.NORMAL


def _lifted(ruleset: Ruleset, dpd: int, by_band: FiveClass) -> bool:
    floor = ruleset.non_performing_from_dpd
    return floor is not None and dpd >= floor and not by_band.non_performing


def _technical(ruleset: Ruleset, facts: Facts) -> bool:
    return facts.technical_overdue and 1 <= facts.dpd <= ruleset.technical_days


def _always_named(ruleset: Ruleset, reason: Reason | Event) -> bool:
    """Where a floor stands beside the bands, what the bands said is reported too (golden M12, M16)."""
    return reason is Reason.DPD and ruleset.non_performing_from_dpd is not None
