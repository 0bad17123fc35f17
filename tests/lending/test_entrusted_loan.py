"""委托贷款: the contract and its rules, what it says to an application, and how its loan is kept out of the lender's own (F12)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

import pytest

from domain.calculation.schedule import Method
from domain.configuration.loan_product import LoanKind
from domain.customers import blacklist
from domain.home import statistics
from domain.kernel.refusals import (
    Blacklisted,
    Denied,
    IdempotencyKeyReused,
    InvalidAmount,
    InvalidInput,
    NotFound,
    ProductRuleViolated,
    Refusal,
)
from domain.kernel.table import uuid7
from domain.lending import loan_application
from domain.lending.entrusted_loan import contract, guarding, queries
from domain.lending.entrusted_loan.contract import check_terms
from domain.lending.entrusted_loan.tables import EntrustedContract
from domain.lending.guard_rules import GuardSeverity
from domain.lending.loan_application import LoanApplication
from tests.support.actors import LenderAtWork, a_lender
from tests.support.books import differences, set_parameter
from tests.support.customers import a_person, id_number
from tests.support.entrusting import OPENED, TERMS, a_trust
from tests.support.lending import a_draft, a_product

DAY = timedelta(days=1)


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"amount": D("0.00")}, InvalidAmount, "amount"),
        ({"amount": D("-0.01")}, InvalidAmount, "amount"),
        ({"annual_rate": D("-0.01")}, InvalidInput, "annualRate"),
        ({"annual_rate": D("1")}, InvalidInput, "annualRate"),
        ({"one_off_fee_rate": D("1")}, InvalidInput, "oneOffFeeRate"),
        ({"interest_fee_rate": D("-0.0001")}, InvalidInput, "interestFeeRate"),
        ({"signed_on": OPENED + DAY}, InvalidInput, "signedOn"),
    ],
)
def test_what_no_entrusted_contract_may_say(changes: dict[str, Any], refusal: type[Refusal], field: str):
    with pytest.raises(refusal) as refused:
        check_terms(replace(TERMS, **changes), OPENED)
    assert refused.value.field == (field,)


def test_the_ends_of_what_it_may_say():
    nothing, most = D("0"), D("0.999999")
    for rate in (nothing, most):
        check_terms(replace(TERMS, annual_rate=rate, one_off_fee_rate=rate, interest_fee_rate=rate), OPENED)
    check_terms(replace(TERMS, amount=D("0.01"), signed_on=OPENED - DAY), OPENED)


@pytest.mark.parametrize(
    ("changes", "red"),
    [
        ({}, []),
        ({"permitted": False}, ["entrusted_loans"]),
        ({"rate": "0.11"}, ["annualRate"]),
        ({"left": "999999.99"}, ["amount"]),
        ({"available": "999999.99"}, ["ENTRUSTED_FUND_INSUFFICIENT"]),
    ],
)
def test_what_the_contract_says_to_an_offer(changes: dict[str, Any], red: list[str]):
    given: dict[str, Any] = {
        "permitted": True,
        "rate": "0.10",
        "left": "1000000.00",
        "available": "1000000.00",
    } | changes
    offer = SimpleNamespace(annual_rate=D(given["rate"]), amount=D("1000000.00"))
    agreed = SimpleNamespace(annual_rate=D("0.10"))
    found = guarding.results(agreed, given["permitted"], D(given["left"]), D(given["available"]), offer)
    failed = [result for result in found if not result.passed]
    assert [result.params.get("rule", result.code) for result in failed] == red
    warned = GuardSeverity.WARN if "available" in changes else GuardSeverity.REFUSE
    assert {result.severity for result in failed} <= {warned}, "money has to be there at the pay-out only"


# ---------------------------------------------------------------- making it


async def test_a_refused_contract_leaves_nothing(lender: LenderAtWork):
    manager = lender.account_manager
    entrustor, borrower = await a_person(manager, serial=1), await a_person(manager, serial=2)
    listed = await a_person(manager, serial=3)
    await blacklist.add(lender.risk_officer, name=listed.name, id_number=id_number(3), reason="伪造流水")
    given: dict[str, Any] = {"entrustor_id": entrustor.id, "borrower_id": borrower.id, "terms": TERMS}
    cases: list[tuple[dict[str, Any], type[Refusal], str]] = [
        ({"borrower_id": entrustor.id}, InvalidInput, "borrowerId"),
        ({"entrustor_id": uuid7()}, NotFound, "entrustorId"),
        ({"borrower_id": uuid7()}, NotFound, "borrowerId"),
        ({"entrustor_id": listed.id}, Blacklisted, "entrustorId"),
        ({"terms": replace(TERMS, source_proof=" ")}, InvalidInput, "sourceProof"),
        ({"terms": replace(TERMS, instruction_letter="")}, InvalidInput, "instructionLetter"),
        ({"terms": replace(TERMS, purpose="")}, InvalidInput, "purpose"),
    ]
    for changes, refusal, field in cases:
        with pytest.raises(refusal) as refused:
            await contract.create(manager, **given | changes)
        assert refused.value.field == (field,)
    for who in (lender.cashier, lender.accountant, lender.risk_officer):
        with pytest.raises(Denied):
            await contract.create(who, **given)
    assert await lender.rows(EntrustedContract) == []


async def test_the_same_key_makes_one_contract(lender: LenderAtWork):
    manager = lender.account_manager
    entrustor, borrower = await a_person(manager, serial=1), await a_person(manager, serial=2)
    given: dict[str, Any] = {"entrustor_id": entrustor.id, "borrower_id": borrower.id, "idempotency_key": "once"}
    made = [await contract.create(manager, terms=TERMS, **given) for _ in range(2)]
    assert made[0].id == made[1].id
    with pytest.raises(IdempotencyKeyReused):
        await contract.create(manager, terms=replace(TERMS, amount=D("1.00")), **given)
    (row,) = await lender.rows(EntrustedContract)
    assert (row.number, row.amount, row.manager_id) == ("WT-2025-0001", D("2000000.00"), manager.actor.id)


async def test_another_account_manager_sees_nothing_of_it(lender: LenderAtWork):
    trust = await a_trust(lender)
    for who, there in ((lender.account_manager, True), (lender.second_account_manager, False), (lender.auditor, True)):
        async with who.reading() as ctx:
            columns = [EntrustedContract.__table__.c.id]
            assert bool(await queries.one(ctx, columns=columns, contract_id=trust.contract.id)) is there
            assert bool(await queries.statement(ctx, contract_id=trust.contract.id)) is there
            assert len(await queries.entrustors(ctx)) == int(there)


# ---------------------------------------------------------------- a lender whose licence has none


async def test_an_online_licence_has_no_entrusted_business_until_it_is_permitted(
    place: Any, ports: Any, blueprint: Any
):
    lender = await a_lender(place, ports, blueprint, licence_type="ONLINE")
    with pytest.raises(ProductRuleViolated) as refused:
        await a_trust(lender)
    assert (refused.value.field, refused.value.params["rule"]) == (("entrustorId",), "entrusted_loans")
    assert await lender.rows(EntrustedContract) == []
    await set_parameter(lender, "entrusted_loans", True)
    trust = await a_trust(lender, serial=2)
    product = await a_product(lender, "WT", kind=LoanKind.ENTRUSTED)
    draft = await a_draft(
        lender, customer_id=trust.contract.borrower_id, product_id=product.id, amount=D("1000000.00"),
        annual_rate=D("0.10"), method=Method.INTEREST_ONLY, entrusted_contract_id=trust.contract.id,
    )  # fmt: skip
    await set_parameter(lender, "entrusted_loans", False)
    with pytest.raises(ProductRuleViolated) as refused:
        await loan_application.submit(lender.account_manager, application_id=draft.id)
    assert refused.value.params["rule"] == "entrusted_loans"
    (row,) = await lender.rows(LoanApplication)
    assert row.state == "DRAFT"


# ---------------------------------------------------------------- the contract's amount, and the lender's own books


async def test_what_is_asked_for_and_lent_never_exceeds_the_contract(lender: LenderAtWork):
    trust = await a_trust(lender, amount=D("1500000.00"))
    await trust.came_in("2000000.00")
    loan_id = await trust.lend("1000000.00")
    product = await a_product(lender, "WT", kind=LoanKind.ENTRUSTED)
    terms: dict[str, Any] = {
        "customer_id": trust.contract.borrower_id, "product_id": product.id, "annual_rate": D("0.10"),
        "method": Method.INTEREST_ONLY, "entrusted_contract_id": trust.contract.id,
    }  # fmt: skip
    manager = lender.account_manager
    too_much = await a_draft(lender, amount=D("500000.01"), **terms)
    with pytest.raises(ProductRuleViolated) as refused:
        await loan_application.submit(manager, application_id=too_much.id)
    assert refused.value.params["allowed"] == "≤ 500000.00"
    first, second = [await a_draft(lender, amount=D("500000.00"), **terms) for _ in range(2)]
    await loan_application.submit(manager, application_id=first.id)
    with pytest.raises(ProductRuleViolated) as refused:
        await loan_application.submit(manager, application_id=second.id)
    assert refused.value.params["allowed"] == "≤ 0.00"
    await trust.lending.receive(loan_id, "500000.00", prepayment="REDUCE_INSTALLMENT")
    await loan_application.submit(manager, application_id=second.id)


async def test_it_counts_in_no_figure_of_the_lenders_own(lender: LenderAtWork):
    trust = await a_trust(lender)
    await trust.came_in("1000000.00")
    # Four installments unpaid, 122 days late: substandard, had it been the lender's own.
    await trust.lend("1000000.00", value_date=date(2024, 8, 1))
    await trust.lending.close(OPENED)
    async with lender.accountant.reading() as ctx:
        shown = await statistics.of_day(ctx)
        (entrustor,) = await queries.entrustors(ctx)
    assert (shown.loan_count, shown.outstanding, shown.overdue_principal) == (0, D("0.00"), D("0.00"))
    assert (entrustor.lent, entrustor.balance) == (D("1000000.00"), D("0.00"))
    assert await differences(lender) == []
