"""增值税 · Which rate of value added tax holds for a loan on which day (财税〔2016〕36号; decision 0029).

The rate is that of the lender's taxpayer status (一般纳税人, 小规模纳税人), a parameter with its days; what is taxed, and when,
the loan's fold says (`calculation.vat`). A small loan to a farmer is free of it while the relief is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from domain.calculation.entrusted import Agency
from domain.calculation.vat import Rates
from domain.configuration import parameter
from domain.configuration.loan_product import LoanKind
from domain.customers.individual_customer import IndividualCustomer
from domain.lending.loan.tables import Loan

if TYPE_CHECKING:
    from domain.kernel.context import Context

FARMER_RELIEF = "farmer_relief"
"""In the terms of a loan: whether it was a small loan to a farmer when it was paid out."""
INTEREST_FEE_RATE = "interest_fee_rate"
"""In the terms of an entrusted loan: the share of its interest that is the lender's fee."""


@dataclass(frozen=True, slots=True)
class VatRules:
    """What the lender's parameters say for all days: the rate, and up to which amount a farmer's loan is free (None: never)."""

    rates: tuple[tuple[date, Fraction], ...] = ()
    farmer_limits: tuple[tuple[date, Decimal | None], ...] = ()

    def of(self, loan: Any) -> Rates | Agency:
        """The rates that hold for one loan. The interest of an entrusted loan is not the lender's income, only his fee is."""
        if loan.kind == LoanKind.ENTRUSTED:
            return Agency(Fraction(loan.terms.get(INTEREST_FEE_RATE, "0")), self.rates)
        if not loan.terms.get(FARMER_RELIEF):
            return self.rates
        changes = sorted({since for since, _ in (*self.rates, *self.farmer_limits)})
        return [(day, Fraction(0) if self._free(loan.principal, day) else self._rate(day)) for day in changes]

    def _free(self, principal: Decimal, day: date) -> bool:
        limit = next((limit for since, limit in reversed(self.farmer_limits) if since <= day), None)
        return limit is not None and principal <= limit

    def _rate(self, day: date) -> Fraction:
        return next((rate for since, rate in reversed(self.rates) if since <= day), Fraction(0))


async def rules(ctx: Context) -> VatRules:
    """The parameters of all days, in one query."""
    known = await parameter.history(ctx, ("vat_rate", "farmer_relief_limit"))
    rates = tuple((since, Fraction(rate)) for since, rate in known["vat_rate"])
    return VatRules(rates, tuple(known["farmer_relief_limit"])) if any(rate for _, rate in rates) else VatRules()


async def farmer_relief(ctx: Context, customer_id: UUID, principal: Decimal) -> bool:
    """Whether a loan about to be paid out is a small loan to a farmer: it, and all he owes with it, is within the limit.

    Judged once, so that a later loan does not change the tax of this one."""
    limit = await parameter.value(ctx, "farmer_relief_limit")
    if limit is None or principal > limit:
        return False
    owed = select(func.coalesce(func.sum(Loan.principal_outstanding), 0)).where(
        Loan.customer_id == customer_id, Loan.kind != LoanKind.ENTRUSTED
    )
    farmer = IndividualCustomer.__table__.c
    asked = select(farmer.farmer, owed.scalar_subquery().label("owed")).where(farmer.id == customer_id)
    found = (await ctx.connection.execute(asked)).one_or_none()
    return found is not None and bool(found.farmer) and found.owed + principal <= limit
