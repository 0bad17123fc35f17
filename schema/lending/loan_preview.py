"""预演 · What an operation would change on loans, before it is confirmed."""

from __future__ import annotations

from datetime import date
from itertools import islice
from uuid import UUID

import strawberry

from domain.calculation.classification import AccrualStatus as Accrual
from domain.calculation.loan import compare
from domain.calculation.loan.lines import Figures
from domain.calculation.money import yuan
from domain.kernel.refusals import BadInput
from schema.kernel import Date, Hidden, Money, relation
from schema.lending.loan import AccrualStatus, FiveClass, Installment, Loan, LoanState
from schema.organization.employee import Employee

MOST_DAYS = 100


@strawberry.type(description="余额数 What a loan stands at, at the close of one day, on one side of a comparison.")
class ComparedFigures:
    principal_outstanding: Money
    """本金余额 Principal not paid back."""
    overdue_principal: Money
    """逾期本金 Principal of installments beyond their grace."""
    accrued_interest: Money
    """当期应计利息 Running interest of the current period."""
    due_unpaid_interest: Money
    """应收未收利息 Interest that is due and unpaid."""
    penalty: Money
    """罚息 Penalty interest."""
    compound: Money
    """复利 Compound interest."""
    fees: Money
    """费用 Fees due and unpaid."""
    unapplied: Money
    """暂收款 Money kept for the next installment."""
    days_past_due: int
    """逾期天数 Days since the oldest due date beyond its grace."""
    five_class: FiveClass
    """五级分类 The system class."""
    accrual: AccrualStatus
    """应计状态 Whether interest is kept on balance."""
    on_balance_interest: Money
    """表内利息 Interest, penalty and compound on balance."""
    off_balance_interest: Money
    """表外利息 The same beside the balance sheet."""

    @classmethod
    def of(cls, shown: Figures | None) -> ComparedFigures | None:
        """The figures of one side, from fen; None where the loan had not begun."""
        if shown is None:
            return None
        return cls(
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
            accrual=Accrual.NON_ACCRUAL if shown.non_accrual else Accrual.ACCRUAL,
            on_balance_interest=_money(shown.on_balance_interest),
            off_balance_interest=_money(shown.off_balance_interest),
        )


@strawberry.type(description="变动日 One day whose figures would be others.")
class ChangedDay:
    on: Date
    """日期 The day, at its close."""
    before: ComparedFigures | None
    """变更前 As it is known now; null where the loan had not begun."""
    after: ComparedFigures | None
    """变更后 As it would be known."""

    @classmethod
    def of(cls, day: compare.ChangedDay) -> ChangedDay:
        """One day of a comparison."""
        return cls(on=day.on, before=ComparedFigures.of(day.before), after=ComparedFigures.of(day.after))


@strawberry.type(
    description="变动区间 Changed days between which both sides are straight lines: the first and the last tell the others."
)
class ChangedStretch:
    first: ChangedDay
    """首日 The first of them."""
    last: ChangedDay
    """末日 The last of them."""
    days: int
    """天数 How many of the days from the first to the last show other figures."""


@strawberry.type(
    description="分类变动 From one day to another, both belonging to it, the system class would be another."
)
class ChangedClass:
    from_: Date = strawberry.field(name="from")
    """起 First day."""
    to: Date
    """止 Last day; the open day where it goes on."""
    before: FiveClass | None
    """变更前 The class as known now."""
    after: FiveClass | None
    """变更后 The class it would be."""


@strawberry.type(description="期变动 An installment that would stand otherwise on the open day.")
class ChangedInstallment:
    seq: int
    """期次 Number, from 1."""
    before: Installment | None
    """变更前 As it stands; null where there is none of this number."""
    after: Installment | None
    """变更后 As it would stand; null where there would be none."""


@strawberry.type(description="借据变动 What would change on one loan.")
class LoanChange:
    loan_id: Hidden[UUID]
    comparison: Hidden[compare.Comparison]
    state_before: LoanState | None
    """变更前状态 The state on the open day; null where the loan begins with it."""
    state_after: LoanState
    """变更后状态 The state it would have on the open day."""
    installments: list[ChangedInstallment]
    """期变动 Installments that would stand otherwise."""

    @relation(by="loan_id")
    def loan(self) -> Loan | None:
        """借据 The loan as it stands."""

    @strawberry.field(description="变动区间 All changed days up to the open one, in stretches.")
    def stretches(self) -> list[ChangedStretch]:
        return [
            ChangedStretch(first=ChangedDay.of(found.first), last=ChangedDay.of(found.last), days=found.days)
            for found in self.comparison.stretches()
        ]

    @strawberry.field(description="分类变动 The days on which the system class would be another.")
    def classes(self) -> list[ChangedClass]:
        return [
            ChangedClass(from_=found.from_date, to=found.to_date, before=found.before, after=found.after)
            for found in self.comparison.classes()
        ]

    @strawberry.field(
        description="变动日 Changed days one by one, at most 100 (20 when left out); those that follow begin behind the last shown."
    )
    def days(self, first: int = 20, behind: date | None = None) -> list[ChangedDay]:
        if not 0 <= first <= MOST_DAYS:
            raise BadInput(f"a page holds 0 to {MOST_DAYS} days")
        start = behind + compare.DAY if behind and behind < date.max else None
        return [ChangedDay.of(day) for day in islice(self.comparison.days(start), first)]


@strawberry.type(description="预演分录 One line of a voucher that would be posted.")
class PreviewedEntry:
    account: str
    """科目 Code of the account."""
    debit: Money
    """借方 Debit."""
    credit: Money
    """贷方 Credit."""


@strawberry.type(description="预演凭证 A voucher that would be posted on the open day; it has no number yet.")
class PreviewedVoucher:
    kind: str
    """种类 What it books."""
    summary: str
    """摘要 In words."""
    value_date: Date
    """起息日 The day from which it counts."""
    entries: list[PreviewedEntry]
    """分录 Its lines."""


@strawberry.type(description="预演消息 A message that somebody would get.")
class PreviewedMessage:
    recipient_id: Hidden[UUID]
    title: str
    """标题 What it is about."""
    body: str
    """内容 Number and amount."""

    @relation(by="recipient_id")
    def recipient(self) -> Employee | None:
        """接收人 Who would get it."""


@strawberry.type(
    description="预演 What would happen if it were confirmed now. Nothing is written; refusals are those of the operation."
)
class LoanChangePreview:
    final: bool
    """即时生效 False where others still have to agree: then it is what their agreement would do if it were today."""
    loans: list[LoanChange]
    """借据 The loans that would change."""
    vouchers: list[PreviewedVoucher]
    """凭证 What would be posted."""
    announced: list[str]
    """动态 Kinds of the feed rows, in order: what subscriptions would tell."""
    messages: list[PreviewedMessage]
    """消息 Who would be told."""


def _money(amount: int) -> Money:
    return Money(yuan(amount))
