"""委托贷款护栏 · What an entrusted contract says to an application, and its fund to a pay-out (F12).

The risk is the entrustor's, so no limit of the lender's own lending counts; what counts is his instruction and his money.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import case as when
from sqlalchemy import func, select

from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.kernel.refusals import plain_rate
from domain.ledger.journal import ZERO
from domain.lending import guards
from domain.lending.entrusted_loan.contract import PERMITTED
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.guard_rules import Case, Exposure, GuardResult, GuardSeverity
from domain.lending.loan import fund
from domain.lending.loan.tables import Loan
from domain.lending.loan_application import PENDING, LoanApplication
from domain.lending.loan_contract import LoanContract

if TYPE_CHECKING:
    from domain.kernel.context import Context

NOTHING = Exposure(single=Decimal(0), group=Decimal(0))


async def hold(ctx: Context, application: Any) -> None:
    """Locks the entrusted contract: two applications never use its amount together."""
    await fund.lock(ctx, application.entrusted_contract_id)


async def refine(ctx: Context, application: Any, case: Case, on: date) -> Case:
    """An entrusted loan is lent within its contract, and is no exposure of the lender's."""
    table = EntrustedContract.__table__
    wanted = select(table).where(table.c.id == application.entrusted_contract_id)
    contract = (await ctx.connection.execute(wanted)).one()
    permitted: bool = await parameter.value(ctx, PERMITTED)
    left = contract.amount - await _used(ctx, contract.id, application.id)
    there = await fund.available(ctx, contract.id)
    found = tuple(results(contract, permitted, left, there, case.offer))
    return replace(case, exposure=NOTHING, of_kind=found)


def results(contract: Any, permitted: bool, left: Decimal, available: Decimal, offer: Any) -> Iterator[GuardResult]:
    """The licence, the rate the entrustor asks for, what is left of his contract; his money has to be there at the pay-out
    only, before that it warns."""
    licence = {"rule": PERMITTED, "value": "–", "allowed": "–"}
    yield GuardResult("PRODUCT_RULE_VIOLATED", permitted, params=licence, field="productId")
    rate = {
        "rule": "annualRate",
        "value": plain_rate(offer.annual_rate),
        "allowed": plain_rate(contract.annual_rate),
    }
    yield GuardResult(
        "PRODUCT_RULE_VIOLATED", offer.annual_rate == contract.annual_rate, params=rate, field="annualRate"
    )
    amount = {"rule": "amount", "value": offer.amount, "allowed": f"≤ {left}"}
    yield GuardResult("PRODUCT_RULE_VIOLATED", offer.amount <= left, params=amount, field="amount")
    figures = {"available": available, "amount": offer.amount}
    yield GuardResult("ENTRUSTED_FUND_INSUFFICIENT", offer.amount <= available, GuardSeverity.WARN, figures, "amount")


async def _used(ctx: Context, contract_id: UUID, but: UUID) -> Decimal:
    """What other applications under an entrusted contract take of its amount: asked for, approved, or lent and not repaid."""
    asked, agreed, lent = LoanApplication.__table__.c, LoanContract.__table__.c, Loan.__table__.c
    owed = (
        select(func.sum(lent.principal_outstanding))
        .join_from(Loan, LoanContract, agreed.id == lent.contract_id)
        .where(agreed.application_id == asked.id)
        .correlate(LoanApplication)
        .scalar_subquery()
    )
    pending = when((asked.state.in_(PENDING), func.coalesce(asked.approved_amount, asked.amount)), else_=ZERO)
    statement = select(func.coalesce(func.sum(func.coalesce(owed, pending)), ZERO)).where(
        asked.entrusted_contract_id == contract_id, asked.id != but
    )
    return Decimal((await ctx.connection.execute(statement)).scalar_one())


async def pay_out(ctx: Context, contract: Any, disbursement_id: UUID | None, value_date: date) -> None:
    """先到账后放款 · Nothing is paid out before the entrustor's money is there, and never more than that.

    Raises ENTRUSTED_FUND_INSUFFICIENT."""
    await fund.take(ctx, contract.entrusted_contract_id, contract.amount, but=disbursement_id, since=value_date)


guards.KINDS[LoanKind.ENTRUSTED] = guards.OfKind(hold, refine, pay_out)
