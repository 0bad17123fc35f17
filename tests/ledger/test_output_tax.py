"""Output VAT on interest: a rate for each lender and day, on due dates, taken back with what it was owed on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from domain.calculation.entrusted import Agency
from domain.configuration.loan_product import LoanKind
from domain.kernel.ports import Ports
from domain.lending.loan import tax
from domain.lending.loan.tax import VatRules
from tests.support.actors import a_lender
from tests.support.books import balances, differences, set_parameter
from tests.support.customers import a_person
from tests.support.loans import Lending, lending_at

OPEN, DUE = date(2026, 1, 15), date(2026, 2, 15)


async def opened(place: Any, ports: Ports, blueprint: Any, rate: str | None) -> Lending:
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))
    if rate is not None:
        await set_parameter(lending.lender, "vat_rate", rate)
    return lending


@pytest.mark.parametrize(("rate", "owed"), [("0.06", "56.60"), ("0.03", "29.13"), ("0.01", "9.90"), (None, None)])
async def test_interest_is_taxed_on_its_due_date(
    place: Any, ports: Ports, blueprint: Any, rate: str | None, owed: str | None
) -> None:
    """S01's first interest of 1,000.00, unpaid. A lender that has not said what he is books no tax."""
    lending = await opened(place, ports, blueprint, rate)
    await lending.pay_out()
    await lending.close(date(2026, 2, 13))
    assert "222101" not in await balances(lending.lender)
    await lending.close(date(2026, 2, 14))
    held = await balances(lending.lender)
    assert held["601101"] == D("-1000.00")
    expected = (D(owed), -D(owed)) if owed else (None, None)
    assert (held.get("601109"), held.get("222101")) == expected
    assert await differences(lending.lender) == []


async def test_penalty_is_taxed_when_it_comes_and_a_reversal_takes_the_tax_back(
    place: Any, ports: Ports, blueprint: Any
) -> None:
    lending = await opened(place, ports, blueprint, "0.06")
    loan = await lending.pay_out()
    await lending.close(date(2026, 3, 6))
    before = await balances(lending.lender)
    assert before["222101"] == D("-56.60")
    event = await lending.receive(loan, "8884.88")  # golden: 78.85 of penalty and 10.00 of compound are paid first
    assert (await balances(lending.lender))["222101"] == D("-61.63")  # (1,000.00 + 88.85) x 6 / 106
    assert await differences(lending.lender) == []
    await lending.reverse(loan, event)
    assert await balances(lending.lender) == before
    await set_parameter(lending.lender, "vat_rate", "0.01")
    await lending.close(date(2026, 3, 14))
    assert (await balances(lending.lender))["222101"] == D("-56.60") - D("9.12")  # 921.15 x 1 / 101
    assert await differences(lending.lender) == []


# ---------------------------------------------------------------- whose loans

RULES = VatRules(
    rates=((date(2026, 1, 1), Fraction(6, 100)), (date(2028, 7, 1), Fraction(3, 100))),
    farmer_limits=((date(2026, 1, 1), D("100000.00")), (date(2028, 1, 1), None)),
)


def a_loan(principal: str, *, farmer: bool, kind: LoanKind = LoanKind.NORMAL) -> Any:
    return SimpleNamespace(principal=D(principal), terms={tax.FARMER_RELIEF: farmer}, kind=kind)


def test_a_small_loan_to_a_farmer_is_free_until_the_relief_ends() -> None:
    assert dict(RULES.of(a_loan("100000.00", farmer=True))) == {
        date(2026, 1, 1): 0, date(2028, 1, 1): Fraction(6, 100), date(2028, 7, 1): Fraction(3, 100),
    }  # fmt: skip
    assert RULES.of(a_loan("100000.00", farmer=False)) == RULES.rates
    assert Fraction(0) not in dict(RULES.of(a_loan("100000.01", farmer=True))).values()
    entrusted = a_loan("100000.00", farmer=False, kind=LoanKind.ENTRUSTED)
    assert RULES.of(entrusted) == Agency(Fraction(0), RULES.rates)


async def test_who_is_a_small_farmer_is_judged_with_all_he_owes(place: Any, ports: Ports, blueprint: Any) -> None:
    lending = await opened(place, ports, blueprint, "0.03")
    lender = lending.lender
    farmer = await a_person(lender.account_manager, serial=900, farmer=True)
    other = await a_person(lender.account_manager, serial=901)
    async with lender.system.reading() as ctx:
        assert await tax.farmer_relief(ctx, farmer.id, D("100000.00"))
        assert not await tax.farmer_relief(ctx, farmer.id, D("100000.01"))
        assert not await tax.farmer_relief(ctx, other.id, D("100.00"))
    await set_parameter(lender, "farmer_relief_limit", None)
    async with lender.system.reading() as ctx:
        assert not await tax.farmer_relief(ctx, farmer.id, D("100.00"))


async def test_a_fresh_lender_knows_when_the_relief_ends(place: Any, ports: Ports, blueprint: Any) -> None:
    before = await a_lender(place, ports, blueprint, open_on=OPEN)
    after = await a_lender(place, ports, blueprint, open_on=date(2028, 3, 1))
    async with before.system.reading() as ctx:
        rules = await tax.parameter.history(ctx, ["farmer_relief_limit"])
        assert rules["farmer_relief_limit"] == [(OPEN, D("100000.00")), (date(2028, 1, 1), None)]
    async with after.system.reading() as ctx:
        assert (await tax.parameter.history(ctx, ["farmer_relief_limit"]))["farmer_relief_limit"] == [
            (date(2028, 3, 1), None)
        ]
