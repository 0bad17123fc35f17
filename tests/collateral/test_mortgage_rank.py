"""顺位: who comes first on one certificate, and what is left for whom."""

from datetime import date
from decimal import Decimal as D
from uuid import UUID

from domain.collateral.mortgage_rank import Claim, Standing, standings

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def claim(
    key: UUID, registered_on: date | None, secured: str, value: str = "100000.00", certificate: str = "A"
) -> Claim:
    return Claim(key, certificate, registered_on, D(secured), D(value))


def test_the_day_of_registration_decides_not_that_of_making():
    found = standings([claim(FIRST, JUNE, "70000.00"), claim(SECOND, MAY, "60000.00"), claim(THIRD, None, "1.00")])
    assert found == {
        SECOND: Standing(1, D("60000.00")),
        FIRST: Standing(2, D("40000.00")),
        THIRD: Standing(3, D("0.00")),
    }


def test_on_one_day_the_one_that_was_made_first():
    found = standings([claim(SECOND, MAY, "100.00"), claim(FIRST, MAY, "99999.99")])
    assert found == {FIRST: Standing(1, D("99999.99")), SECOND: Standing(2, D("0.01"))}


def test_a_claim_is_covered_by_no_more_than_the_asset_is_worth():
    assert standings([claim(FIRST, MAY, "100000.01")]) == {FIRST: Standing(1, D("100000.00"))}


def test_assets_do_not_know_each_other():
    found = standings([claim(FIRST, MAY, "80000.00"), claim(SECOND, MAY, "80000.00", certificate="B")])
    assert {one.rank for one in found.values()} == {1}
    assert standings([]) == {}
