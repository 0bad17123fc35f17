"""Golden days E01–E05 through the database: paid out, run day by day, receipts in time or all of them late.

By night: every day the same loans are entered through the API (`tests/acceptance/test_golden_loans.py`).
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.money import yuan
from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.ledger import proof
from tests.calculation.loan.cases import eod_case
from tests.support.actors import LenderAtWork, Ports, a_lender
from tests.support.loans import Lending, lending_at

pytestmark = pytest.mark.nightly
CASES = ["E01", "E02", "E03", "E04", "E05"]
DAY = timedelta(days=1)


def terms_of(case: dict[str, Any]) -> dict[str, Any]:
    given, policy = case["loan"], case["policy"]
    bullet = given["method"] == "BULLET"
    return {
        "amount": given["principal"],
        "rate": given["annual_rate"],
        "method": Method(given["method"]),
        "basis": Basis(given["interest_basis"]),
        # The bullets of the goldens run 30 days.
        "unit": PeriodUnit.DAY if bullet else PeriodUnit.MONTH,
        "periods": 30 if bullet else len(case["installments"]),
        "multiplier": policy["penalty_multiplier"],
        "compound": policy["compound"],
        "grace_days": policy["grace_days"],
    }


def as_row(figures: Any) -> dict[str, object]:
    return {
        "principal_outstanding": str(yuan(figures.principal_outstanding)),
        "overdue_principal": str(yuan(figures.overdue_principal)),
        "accrued_interest": str(yuan(figures.accrued_interest)),
        "due_unpaid_interest": str(yuan(figures.due_unpaid_interest)),
        "penalty": str(yuan(figures.penalty)),
        "compound": str(yuan(figures.compound)),
        "dpd": figures.days_past_due,
        "class": figures.five_class.value,
        "accrual": "NON_ACCRUAL" if figures.non_accrual else "ACCRUAL",
        "on_balance_interest": str(yuan(figures.on_balance_interest)),
        "off_balance_interest": str(yuan(figures.off_balance_interest)),
    }


async def proved(lending: Lending) -> list[str]:
    async with lending.lender.system.reading() as ctx:
        return [str(difference) for difference in await proof.differences(ctx)]


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    """A lender that opened on the first day of the earliest golden case."""
    lender: LenderAtWork = await a_lender(place, ports, blueprint, open_on=date(2026, 1, 10))
    return await lending_at(lender)


async def pay_out(lending: Lending, case: dict[str, Any]) -> UUID:
    value_date = date.fromisoformat(case["loan"]["value_date"])
    if value_date > date(2026, 1, 10):
        await lending.close(value_date - DAY)
    return await lending.pay_out(**terms_of(case))


@pytest.mark.parametrize("case_id", CASES)
async def test_every_golden_day_in_time(lending: Lending, case_id: str) -> None:
    case = eod_case(case_id)
    receipts = {payment["date"]: payment for payment in case["payments"] if payment["source"] == "RECEIPT"}
    loan_id = await pay_out(lending, case)
    for row in case["rows"]:
        expected = dict(row)
        on = date.fromisoformat(expected.pop("date"))
        if on.isoformat() in receipts:
            await lending.receive(loan_id, receipts[on.isoformat()]["amount"])
        assert as_row(await lending.figures(loan_id)) == expected, on
        (day,) = await lending.close(on)
        assert day.ledger_balanced, on
    assert await proved(lending) == []
    first = date.fromisoformat(case["rows"][0]["date"])
    for row in case["rows"]:  # and all of them once more, as history
        assert as_row(await lending.figures(loan_id, date.fromisoformat(row["date"]))) == {
            name: value for name, value in row.items() if name != "date"
        }
    assert await lending.figures(loan_id, first - DAY) is None


@pytest.mark.parametrize("case_id", CASES)
async def test_every_golden_day_with_all_receipts_late(lending: Lending, case_id: str) -> None:
    case = eod_case(case_id)
    loan_id = await pay_out(lending, case)
    await lending.close(date.fromisoformat(case["rows"][-1]["date"]))
    for payment in reversed(case["payments"]):
        if payment["source"] == "RECEIPT":
            await lending.receive(loan_id, payment["amount"], date.fromisoformat(payment["date"]))
            assert await proved(lending) == []
    for row in case["rows"]:
        got = as_row(await lending.figures(loan_id, date.fromisoformat(row["date"])))
        assert got == {name: value for name, value in row.items() if name != "date"}, row["date"]
