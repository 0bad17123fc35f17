"""分户账 · What the ledger holds of one loan at the close of a day, cumulative per account role.

Every figure is a balance from the loan's first day, so that posting is always the difference of two of these: the
accrual of a night is D less D − 1, and a late event is the new fold less what was posted, at the booking date. It is
right also where interest had gone off balance in between and now never did. Each document balances by construction.
"""

from collections import Counter
from dataclasses import dataclass, fields
from datetime import date

from domain.calculation.allocation import Component
from domain.calculation.loan.events import Extension
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import Figures, MovementKind

INTEREST_COMPONENTS = (Component.INTEREST, Component.PENALTY, Component.COMPOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """In fen; assets are debits and income is a credit, both above zero. From `off_balance_interest` on: memoranda.

    bank + principal + interest receivable + fees receivable + allowance used
    = kept money + income of interest, penalty, compound and fees + recovered interest.
    """

    bank: int = 0  # 1002, receipts less pay-outs and refunds
    principal_normal: int = 0  # 1303 本金; this and the next four by `principal_parts`
    principal_overdue: int = 0  # 1303 逾期
    principal_extended: int = 0  # 1303 展期
    principal_non_accrual: int = 0  # 1303 非应计
    principal_impaired: int = 0  # 1303 已减值
    interest_receivable: int = 0  # 1132, on balance: interest, penalty, compound
    fees_receivable: int = 0  # 1132 or 1221, by the chart of accounts
    kept_money: int = 0  # 2241
    interest_income: int = 0  # 6011
    penalty_income: int = 0  # 6011 罚息
    compound_income: int = 0  # 6011 复利
    fee_income: int = 0  # 6021
    allowance_used: int = 0  # 1304, principal written off less what was recovered of it
    recovered_interest: int = 0  # 6011, what came in on interest and fees that were written off
    off_balance_interest: int = 0  # 未收利息
    claimed_principal: int = 0  # 已核销贷款, principal still claimed
    claimed_interest: int = 0  # 已核销贷款, interest, penalty, compound and fees still claimed
    received: int = 0
    paid_out: int = 0
    waived_interest: int = 0  # interest, penalty, compound and fee given up, lapsed waivers aside
    collected_interest: int = 0  # interest, penalty and compound paid

    @property
    def principal(self) -> int:
        """1303 in all, wherever it stands."""
        here = self.principal_normal + self.principal_overdue + self.principal_extended
        return here + self.principal_non_accrual + self.principal_impaired

    def minus(self, other: "Balances") -> "Balances":
        """What is to be posted on top of `other`."""
        return Balances(**{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)})


def balances(fold: Fold, day: date) -> Balances:
    """The balances at the close of `day`; all zero before the first pay-out. Raises ValueError after `until`."""
    if day < fold.positions[0].from_date:
        return Balances()
    figures = fold.position_on(day)
    moved: Counter[tuple[MovementKind, Component | None]] = Counter()
    for movement in fold.movements:
        if movement.value_date <= day:
            moved[movement.kind, movement.component] += movement.amount

    collected = {component: moved[MovementKind.ALLOCATED, component] for component in Component}
    earned = _on_balance(figures)
    received = moved[MovementKind.RECEIVED, None]
    paid_out = moved[MovementKind.PAID_OUT, Component.PRINCIPAL]
    given_up = sum(moved[MovementKind.WAIVED, c] - moved[MovementKind.LAPSED, c] for c in Component)
    written_off = {component: moved[MovementKind.WRITTEN_OFF, component] for component in Component}
    recovered_principal = moved[MovementKind.RECOVERED, Component.PRINCIPAL]
    recovered_interest = moved[MovementKind.RECOVERED, Component.INTEREST]
    claimed_principal = written_off.pop(Component.PRINCIPAL) - recovered_principal
    return Balances(
        bank=received - paid_out - moved[MovementKind.REFUNDED, None],
        **principal_parts(figures, extended=extended_on(fold, day)),
        interest_receivable=figures.on_balance_interest,
        fees_receivable=figures.fees,
        kept_money=figures.unapplied,
        # Income is what was collected and what is still outstanding on balance; what was waived is neither.
        interest_income=collected[Component.INTEREST] + earned[Component.INTEREST],
        penalty_income=collected[Component.PENALTY] + earned[Component.PENALTY],
        compound_income=collected[Component.COMPOUND] + earned[Component.COMPOUND],
        fee_income=collected[Component.FEE] + figures.fees,
        allowance_used=claimed_principal,
        recovered_interest=recovered_interest,
        off_balance_interest=figures.off_balance_interest,
        claimed_principal=claimed_principal,
        claimed_interest=sum(written_off.values()) - recovered_interest,
        received=received,
        paid_out=paid_out,
        waived_interest=given_up,
        collected_interest=sum(collected[component] for component in INTEREST_COMPONENTS),
    )


def principal_parts(figures: Figures, *, extended: bool) -> dict[str, int]:
    """Where the principal stands in 1303, by the field of `Balances`: the worst that holds wins (decision 0038).

    An impaired loan, or else one that does not accrue, is there with all its principal. Of another, what is overdue stands
    by itself, and the rest depends on whether the loan was extended."""
    if figures.five_class.impaired:
        return {"principal_impaired": figures.principal_outstanding}
    if figures.non_accrual:
        return {"principal_non_accrual": figures.principal_outstanding}
    rest = figures.principal_outstanding - figures.overdue_principal
    return {
        "principal_overdue": figures.overdue_principal,
        "principal_extended" if extended else "principal_normal": rest,
    }


def extended_on(fold: Fold, day: date) -> bool:
    """展期 · Whether an extension of the loan is in force at the close of `day`; a reversed one never was."""
    return any(isinstance(event, Extension) and event.value_date <= day for event in fold.events)


def _on_balance(figures: Figures) -> dict[Component, int]:
    """Outstanding interest by component, none of it when the loan does not accrue."""
    if figures.non_accrual:
        return dict.fromkeys(INTEREST_COMPONENTS, 0)
    return {
        Component.INTEREST: figures.accrued_interest + figures.due_unpaid_interest,
        Component.PENALTY: figures.penalty,
        Component.COMPOUND: figures.compound,
    }
