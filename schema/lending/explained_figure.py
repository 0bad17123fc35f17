"""数字由来 · How a figure of a loan came about, and the figures that can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.calculation.loan import explain, explain_installment, explain_payoff
from schema.kernel import JSON, Hidden, Money, relation

if TYPE_CHECKING:
    from domain.calculation.loan.explain import LoanFigure as LoanFigure
    from domain.calculation.loan.explain_installment import InstallmentFigure as InstallmentFigure
    from domain.calculation.loan.explain_installment import PlannedFigure as PlannedFigure
    from domain.calculation.loan.explain_payoff import PayoffFigure as PayoffFigure
    from schema.configuration.loan_product import LoanProduct
    from schema.lending.loan import LoanEvent
else:
    LoanFigure = strawberry.enum(explain.LoanFigure, description="余额项 A figure that explains itself.")
    InstallmentFigure = strawberry.enum(
        explain_installment.InstallmentFigure, description="期金额项 A field of an installment, which explains itself."
    )
    PlannedFigure = strawberry.enum(
        explain_installment.PlannedFigure, description="计划金额项 A field of a row of a plan, which explains itself."
    )
    PayoffFigure = strawberry.enum(
        explain_payoff.PayoffFigure, description="报价项 A field of a payoff quote, which explains itself."
    )


@strawberry.type(description="数字由来 One part of a figure; the parts add up to it.")
class ExplainedFigure:
    amount: Money
    """金额 What this part brings."""
    rule: str
    """规则 Why it exists, a stable code."""
    formula: str
    """公式 Arithmetic in yuan over the inputs: + - * / and brackets; round_half_up rounds to the cent, max and min take the
    greater and the less, power(a, n) is a multiplied n times."""
    inputs: JSON
    """数值 The inputs by their names in the formula."""
    installment_seq: int | None
    """期次 The installment it belongs to; the parts of one are its penalty, compound, fee and unpaid interest."""
    event_id: Hidden[UUID | None]
    event_ids: Hidden[tuple[UUID, ...]]
    product_id: Hidden[UUID]

    @relation(by="event_id")
    def event(self) -> Annotated[LoanEvent, strawberry.lazy("schema.lending.loan")] | None:
        """事件 The last of the events behind it."""

    @relation(by="event_ids")
    def events(self) -> list[Annotated[LoanEvent, strawberry.lazy("schema.lending.loan")]]:
        """全部事件 What set its base and rate and what moved it, in the order in which they take effect."""

    @relation(by="event_ids")
    def vouchers(self) -> list[str]:
        """凭证号 The vouchers of these events. What accrues from day to day is in the vouchers of end of day."""

    @relation(by="product_id")
    def product(self) -> Annotated[LoanProduct, strawberry.lazy("schema.configuration.loan_product")]:
        """产品 The version of the product whose rules it follows, and its code."""
