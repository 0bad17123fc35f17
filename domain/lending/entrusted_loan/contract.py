"""委托合同 · Making an entrusted contract (F12): who entrusts, to whom it is lent, at which rate and for which fees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from domain.configuration import parameter
from domain.customers import blacklist
from domain.customers.customer import Customer
from domain.kernel.command import command, find
from domain.kernel.numbering import numbered
from domain.kernel.refusals import Blacklisted, InvalidAmount, InvalidInput, ProductRuleViolated
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context

PERMITTED = "entrusted_loans"
"""The parameter that says whether the licence allows entrusted business at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrustedTerms:
    """What an entrusted contract says. Money in CNY, rates as fractions."""

    amount: Decimal
    annual_rate: Decimal
    one_off_fee_rate: Decimal
    interest_fee_rate: Decimal
    instruction_letter: str
    source_proof: str
    purpose: str
    signed_on: date


def check_terms(terms: EntrustedTerms, today: date) -> None:
    """Raises INVALID_AMOUNT, INVALID_INPUT with the field."""
    if terms.amount <= 0:
        raise InvalidAmount("amount", amount=terms.amount)
    rates = {
        "annualRate": terms.annual_rate,
        "oneOffFeeRate": terms.one_off_fee_rate,
        "interestFeeRate": terms.interest_fee_rate,
    }
    for field, rate in rates.items():
        if not 0 <= rate < 1:
            raise InvalidInput(field, zh="利率、费率应不低于 0 且小于 1。", en="A rate is at least 0 and below 1.")
    if terms.signed_on > today:
        raise InvalidInput("signedOn", zh="签署日不得晚于营业日。", en="It was signed today at the latest.")


@command("lending.entrusted_contract.create", idempotent=True)
async def create(
    ctx: Context,
    *,
    entrustor_id: UUID,
    borrower_id: UUID,
    terms: EntrustedTerms,
    idempotency_key: str | None = None,
) -> EntrustedContract:
    """Writes an entrusted contract (WT-…) that both sides have signed. No money moves by it.

    Raises NOT_FOUND, PRODUCT_RULE_VIOLATED (not permitted by the licence), BLACKLISTED (the entrustor), INVALID_AMOUNT,
    INVALID_INPUT (rates, texts, the day, the entrustor is the borrower)."""
    check_terms(terms, ctx.today)
    if not await parameter.value(ctx, PERMITTED):
        raise ProductRuleViolated("entrustorId", rule=PERMITTED, value="–", allowed="–")
    entrustor = await find(ctx, Customer, entrustor_id, "entrustorId")
    borrower = await find(ctx, Customer, borrower_id, "borrowerId")
    if entrustor.id == borrower.id:
        raise InvalidInput("borrowerId", zh="委托人不能是借款人。", en="Nobody entrusts money to be lent to himself.")
    if await blacklist.blacklisted(ctx, entrustor.id):
        raise Blacklisted("entrustorId")
    row = ctx.add(
        EntrustedContract(
            number=await numbered(ctx, "WT"),
            entrustor_id=entrustor.id,
            borrower_id=borrower.id,
            amount=terms.amount,
            annual_rate=terms.annual_rate,
            one_off_fee_rate=terms.one_off_fee_rate,
            interest_fee_rate=terms.interest_fee_rate,
            instruction_letter=check_text("instructionLetter", terms.instruction_letter),
            source_proof=check_text("sourceProof", terms.source_proof, 500),
            purpose=check_text("purpose", terms.purpose, 500),
            signed_on=terms.signed_on,
            maker_id=ctx.actor.id,
            manager_id=borrower.manager_id or ctx.actor.id,
            department_id=borrower.department_id or ctx.actor.department_id,
        )
    )
    ctx.announce("lending.entrusted_contract.created", row, entrustor_id=entrustor.id, borrower_id=borrower.id)
    return row
