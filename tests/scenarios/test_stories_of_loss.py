"""Stories 4 to 6: people who do not pay. Alerts, classes, interest off the balance sheet, a recovery, a loss and what comes back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from tests.acceptance.journey import Journey
from tests.scenarios.storytelling import (
    NOTHING,
    PAID_OUT,
    amounts,
    books,
    cents,
    explained,
    level_rows,
    lines_of,
    months_on,
    night_before,
    overdue_on,
    proved,
    standing,
    total,
)

FIRST_DUE = months_on(PAID_OUT, 1)


def late_by(days: int) -> date:
    """The day at whose close the first installment is that many days past due."""
    return FIRST_DUE + timedelta(days=days)


async def alerts(journey: Journey) -> list[tuple[str, str, str]]:
    """What was raised, oldest first: the day, the level and the days past due."""
    data = await journey.by("risk_officer").data("{ alerts(first: 50) { nodes { businessDate level value } } }")
    return sorted((node["businessDate"], node["level"], node["value"]) for node in data["alerts"]["nodes"])


class Unpaid:
    """A loan of level payments of which nothing was ever paid: what it owes at the close of a day."""

    def __init__(self, principal: int, annual_rate: str, day: date) -> None:
        self.rate, self.day = annual_rate, day
        self.rows = level_rows(D(principal), D(annual_rate) / 12, 12)
        days = [(day - months_on(PAID_OUT, number)).days for number in range(1, 13)]
        self.due = [(row, late) for row, late in zip(self.rows, days, strict=True) if late >= 0]
        self.penalty = total(overdue_on(row[0], annual_rate, late) for row, late in self.due)
        self.compound = total(overdue_on(row[1], annual_rate, late) for row, late in self.due)
        self.interest = total(row[1] for row, _ in self.due)
        self.overdue = total(row[0] for row, late in self.due if late)

    @property
    def running(self) -> D:
        """Interest of the running month, on what is not yet due."""
        if len(self.due) == len(self.rows):
            return NOTHING
        since, until = (months_on(PAID_OUT, len(self.due) + more) for more in (0, 1))
        not_due = total(row[0] for row in self.rows[len(self.due) :])
        return cents(not_due * D(self.rate) / 12 * (self.day - since).days / (until - since).days)

    @property
    def all_interest(self) -> D:
        return self.penalty + self.compound + self.interest + self.running

    def check(self, position: Any) -> None:
        names = ("overduePrincipal", "dueUnpaidInterest", "accruedInterest", "penalty", "compound")
        assert amounts(position, *names) == (self.overdue, self.interest, self.running, self.penalty, self.compound)


async def test_4_from_the_first_late_day_to_substandard(journey: Journey) -> None:
    """刘强 pays nothing of 80,000.00: five alerts, M1 to M4, and on day 91 his interest leaves the balance sheet."""
    loan = (await journey.paid("刘强", amount="80000.00", annualRate="0.144")).id
    classes = {0: "NORMAL", 1: "SPECIAL_MENTION", 90: "SPECIAL_MENTION", 91: "SUBSTANDARD"}
    await night_before(journey, late_by(92))
    for days, five_class in classes.items():
        position, owed = await journey.position(loan, late_by(days)), Unpaid(80000, "0.144", late_by(days))
        owed.check(position)
        off = days > 90
        assert (position["daysPastDue"], position["fiveClass"]) == (days, five_class)
        assert position["accrual"] == ("NON_ACCRUAL" if off else "ACCRUAL")
        on_and_off = (NOTHING, owed.all_interest) if off else (owed.all_interest, NOTHING)
        assert amounts(position, "onBalanceInterest", "offBalanceInterest") == on_and_off, days
    before = await books(journey, late_by(90))
    booked = Unpaid(80000, "0.144", late_by(90)).all_interest
    assert (before["1303"], before["1132"], before["6011"]) == (D(80000), booked, -booked)
    after = await books(journey, late_by(91))
    assert ("1132" in after, "6011" in after) == (False, False), "what was booked as income is taken back"
    levels = ((1, "YELLOW"), (7, "YELLOW"), (30, "ORANGE"), (60, "ORANGE"), (90, "RED"))
    assert await alerts(journey) == [(str(late_by(days)), level, str(days)) for days, level in levels]

    parts = await explained(journey, loan, "PENALTY", late_by(91))
    assert [(part["installmentSeq"], D(part["amount"])) for part in parts] == [
        (number, overdue_on(row[0], "0.144", late))
        for number, (row, late) in enumerate(Unpaid(80000, "0.144", late_by(91)).due, 1)
        if late
    ]
    required = 80000 * (D("0.01") + D("0.25"))  # 1 % of everything, 25 % of what is substandard (银发〔2002〕98号)
    assert D((await journey.position(loan, late_by(91)))["provision"]) == required
    await proved(journey, late_by(91))
    assert await standing(journey, loan) == ("NON_ACCRUAL", None)


CREDIT = {"amount": "120000.00", "annualRate": "0.144"}
SECURED = {
    "product": {"lendingModes": ["MORTGAGE"], "methods": ["INTEREST_ONLY"]}, "amount": "1500000.00", "periods": 3,
    "method": "INTEREST_ONLY", "lendingMode": "MORTGAGE",
}  # fmt: skip


@pytest.mark.nightly  # more than 400 days are closed
async def test_5_and_6_two_bad_debts_of_one_year(journey: Journey) -> None:
    """鸿达建材 and 旧账 pay nothing. They are one lender's, whose books and allowance are the sums."""
    old, secured = (await journey.paid("旧账", **CREDIT)).id, (await journey.paid("鸿达建材", **SECURED)).id
    left = await a_part_comes_back_from_the_auction(journey, secured, other=D(120000))
    await a_loss_is_written_off_and_a_part_comes_back(journey, old, other=left)


async def a_part_comes_back_from_the_auction(journey: Journey, loan: str, other: D) -> D:
    """5: 1,500,000.00 are due since April; the building brings 900,000.00 on day 290, and that is known five days later.

    Answers the principal that is left. `other` is what somebody else owes."""
    sold, known = late_by(290), late_by(295)
    await night_before(journey, known)
    days = [(sold - months_on(PAID_OUT, number)).days for number in (1, 2, 3)]
    compound = [overdue_on(D(15000), "0.12", late) for late in days]
    penalty = overdue_on(D(1500000), "0.12", days[2])
    position = await journey.position(loan, sold)
    assert (position["daysPastDue"], position["fiveClass"], position["accrual"]) == (290, "DOUBTFUL", "NON_ACCRUAL")
    assert amounts(position, "penalty", "compound", "dueUnpaidInterest") == (penalty, sum(compound), 45000)
    needed = D("0.01") + D("0.50")  # 1 % of everything, half of what is doubtful (银发〔2002〕98号)
    assert D(position["provision"]) == 1500000 * needed
    before = await books(journey)
    assert (before["1304"], "1132" in before, "6011" in before) == (-(1500000 + other) * needed, False, False)

    receipt = await journey.received(loan, "900000.00", sold, method="COLLATERAL_PROCEEDS")
    to_principal = 900000 - sum(compound) - 45000 - penalty
    assert lines_of(receipt) == [
        (1, "COMPOUND", compound[0]), (1, "INTEREST", D(15000)),
        (2, "COMPOUND", compound[1]), (2, "INTEREST", D(15000)),
        (3, "PENALTY", penalty), (3, "COMPOUND", compound[2]), (3, "INTEREST", D(15000)), (3, "PRINCIPAL", to_principal),
    ]  # fmt: skip
    left = 1500000 - to_principal
    position = await journey.position(loan, sold + timedelta(days=4))
    assert amounts(position, "principalOutstanding", "overduePrincipal") == (left, left)
    assert amounts(position, "dueUnpaidInterest", "compound", "unapplied") == (NOTHING, NOTHING, NOTHING)
    assert D(position["penalty"]) == cents(left * D("0.0005") * 4), "on what is left, from the day of the auction on"
    # The third installment is the oldest one unpaid now.
    assert (position["daysPastDue"], position["fiveClass"]) == (days[2] + 4, "SUBSTANDARD")
    after = await books(journey)
    assert (after["1303"], after["1002"]) == (left + other, before["1002"] + 900000)
    assert -after["6011"] == sum(compound) + 45000 + penalty, "income at last: the money came"
    parts = await explained(journey, loan, "PRINCIPAL_OUTSTANDING")
    assert total(D(part["amount"]) for part in parts) == left
    await proved(journey, known)
    return left


async def register(journey: Journey) -> Any:
    data = await journey.by("auditor").data(
        """{ writtenOffRegister(first: 10) { nodes { writtenOffOn principal interest recoveredPrincipal
             claimedPrincipal claimedInterest } } }"""
    )
    (line,) = data["writtenOffRegister"]["nodes"]
    return line


async def written_off(journey: Journey, loan: str) -> Any:
    """Asked for by the post-loan officer, agreed by the general manager."""
    asked = await journey.act(
        "post_loan_officer", "requestWriteOff", "writeOff { id principal onBalanceInterest offBalanceInterest }",
        loanId=loan, condition="ENFORCEMENT_ENDED", evidence=["终结执行裁定书", "财产调查报告"], responsibility="无责任人",
    )  # fmt: skip
    await journey.decide("general_manager", asked["id"])
    return asked


async def a_loss_is_written_off_and_a_part_comes_back(journey: Journey, loan: str, other: D) -> None:
    """6: 120,000.00 are lost after 361 days, written off in March, 20,000.00 recovered, and that was a mistake."""
    written_on = date(2027, 3, 1)
    await night_before(journey, written_on)
    for days, five_class in ((360, "DOUBTFUL"), (361, "LOSS")):
        position = await journey.position(loan, late_by(days))
        assert (position["daysPastDue"], position["fiveClass"]) == (days, five_class)
    Unpaid(120000, "0.144", written_on - timedelta(days=1)).check(
        await journey.position(loan, written_on - timedelta(days=1))
    )
    before, of_other = await books(journey), cents(other * D("0.01")) + cents(other * D("0.50"))
    assert (before["1303"], before["1304"]) == (120000 + other, D(-121200) - of_other), (
        "all of it, and 1 % of everything"
    )
    owed = Unpaid(120000, "0.144", written_on).all_interest
    asked = await written_off(journey, loan)
    assert amounts(asked, "principal", "onBalanceInterest", "offBalanceInterest") == (D(120000), NOTHING, owed)
    line = await register(journey)
    assert (line["writtenOffOn"], *amounts(line, "principal", "interest")) == (str(written_on), 120000, owed)
    gone = await books(journey)
    assert (gone["1303"], gone["1304"], gone["1002"]) == (other, D(-1200) - of_other, before["1002"])
    assert await standing(journey, loan) == ("WRITTEN_OFF", None)

    await night_before(journey, date(2027, 3, 3))
    gone = await books(journey)  # off the balance sheet two nights went on
    keyed = await journey.act(
        "cashier", "recordRecovery", "receipt { id allocation { installmentSeq component amount } }", loanId=loan,
        amount="20000.00", valueDate="2027-03-03", companyAccountId=journey.account, payerName="旧账",
        bankReference="RECOVERED", idempotencyKey="recovered",
    )  # fmt: skip
    assert await books(journey) == gone, "keyed, not yet posted"
    await journey.act("accountant", "registerReceipt", "receipt { state }", receiptId=keyed["id"])
    assert lines_of(keyed) == [(None, "WRITTEN_OFF_PRINCIPAL", D(20000))]
    line = await register(journey)
    assert amounts(line, "recoveredPrincipal", "claimedPrincipal", "claimedInterest") == (20000, 100000, owed)
    back = await books(journey)
    assert (back["1303"], back["1304"], back["1002"]) == (other, gone["1304"] - 20000, before["1002"] + 20000)

    await journey.act(
        "accountant", "requestReceiptReversal", "receipt { state }", receiptId=keyed["id"], comment="他人的款项"
    )
    await journey.decide("general_manager", keyed["id"])
    assert await books(journey) == gone
    assert amounts(await register(journey), "recoveredPrincipal", "claimedPrincipal") == (NOTHING, D(120000))
    await proved(journey, date(2027, 3, 3))
