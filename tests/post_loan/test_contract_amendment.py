"""合同变更: asked for with reason and consents, decided by others, in force from its effective date, refused with figures (F28)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.classification import LendingMode
from domain.calculation.loan.events import PrepaymentMode
from domain.calculation.schedule import Basis, HolidayRule, Method
from domain.configuration import calendar, document, parameter
from domain.configuration.calendar import DayKind
from domain.configuration.document import Document
from domain.kernel.audit import GuardEntry
from domain.kernel.refusals import (
    CostCapExceeded,
    InvalidState,
    ProductRuleViolated,
    Refusal,
)
from domain.lending.loan import LoanState, plans
from domain.lending.loan.tables import InstallmentRow, PlannedRow
from domain.post_loan import contract_amendment
from domain.post_loan.contract_amendment import AmendmentState
from domain.post_loan.contract_amendment_rules import AmendmentType, Change, Consent
from tests.lending.test_loan_golden_days import proved
from tests.support.actors import LenderAtWork, a_lender
from tests.support.amendments import OPENED, S36, approve, ask, everything, terms
from tests.support.client import statements
from tests.support.desk import enter
from tests.support.lending import task_on
from tests.support.loans import Lending, lending_at


@pytest.fixture
async def lender(place: Any, ports: Any, blueprint: Any) -> LenderAtWork:
    """A lender that opened on the value date of S36."""
    return await a_lender(place, ports, blueprint, open_on=OPENED)


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


# ---------------------------------------------------------------- asked, decided, effective


async def test_an_approved_extension_is_an_event_of_the_loan(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    asked = await ask(lender, loan_id)
    assert (asked.number, asked.state, asked.effective_date) == ("BG-2026-0001", AmendmentState.IN_REVIEW, OPENED)
    assert len(await lending.events(loan_id)) == 1, "nothing has happened yet"
    approved = await approve(lender, asked)
    event = (await lending.events(loan_id))[-1]
    assert (approved.state, approved.event_id, event.reference_id) == (AmendmentState.APPROVED, event.id, asked.id)
    assert event.payload == {
        "annual_rate": "0.13200000", "method": None, "custom_principal": None, "because_of_difficulty": False,
        "due_dates": ["2026-09-20", "2026-10-20", "2026-11-20"], "periods": 3,
        "grace_ends": ["2026-09-20", "2026-10-20", "2026-11-20"], "amendment_id": str(asked.id),
    }  # fmt: skip
    assert (approved.before["total_interest"], approved.after["total_interest"]) == (1200000, 1860000)
    assert (approved.before["cost"]["apr_nominal"], approved.after["cost"]["apr_nominal"]) == ("0.120000", "0.123877")
    assert await terms(lender, loan_id) == plans.CurrentTerms(D("0.12"), Method.INTEREST_ONLY, date(2026, 11, 20), 1)
    assert await proved(lending) == []


async def test_a_dear_loan_is_amended_with_a_warning(lender: LenderAtWork, lending: Lending):
    """12.39 % a year in all and 13.2 % for the added months, against four times the LPR of 3 %."""
    await ask(lender, await lending.pay_out(**S36))
    (warned,) = await lender.rows(GuardEntry)
    assert (warned.code, warned.severity, warned.params) == (
        "COST_CAP_EXCEEDED", "WARN", {"cost": "0.132", "cap": "0.12"},
    )  # fmt: skip


async def test_the_cost_cap_looks_at_the_new_terms_alone_too(lender: LenderAtWork, lending: Lending):
    """24 % by days over 360 for 92 days costs 24.53 % a year; mixed with six months at 12 % it is far below the cap."""
    loan_id = await lending.pay_out(**S36, basis=Basis.ACTUAL_360)
    before = await everything(lender)
    with pytest.raises(CostCapExceeded) as refused:
        await ask(lender, loan_id, Change(type=AmendmentType.EXTENSION, extension_periods=3, annual_rate=D("0.24")))
    assert (refused.value.field, refused.value.params["cap"]) == (("extensionPeriods",), "0.24")
    assert refused.value.params["cost"] == "0.245334"
    assert await everything(lender) == before


async def test_a_rate_cut_from_a_past_day_restates_the_running_period(lender: LenderAtWork, lending: Lending):
    """Story 12: 12 % to 10.8 % for a customer of grade A, agreed on day 10 of 28 and entered on day 20."""
    loan_id = await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 11))
    change = Change(type=AmendmentType.RATE, annual_rate=D("0.108"), effective_date=date(2026, 3, 2))
    approved = await approve(lender, await ask(lender, loan_id, change, reason="客户等级 A"))
    # (2,000.00 x 10 + 1,800.00 x 10) / 28 = 1,357.14; it was 2,000.00 x 20 / 28 = 1,428.57.
    assert (approved.before["figures"]["accrued_interest"], approved.after["figures"]["accrued_interest"]) == (
        142857, 135714,
    )  # fmt: skip
    assert (await lending.figures(loan_id)).accrued_interest == 135714
    assert (await terms(lender, loan_id)).annual_rate == D("0.108")
    assert await proved(lending) == []


async def test_money_may_be_called_in_from_the_day_of_the_notice(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 11))
    notice = Change(type=AmendmentType.ACCELERATION, effective_date=date(2026, 3, 2))
    approved = await approve(lender, await ask(lender, loan_id, notice, reason="挪用贷款"))
    (due,) = await lender.rows(InstallmentRow)
    assert (due.due_date, due.principal, due.interest) == (date(2026, 3, 2), 20000000, 71429)
    assert approved.after["cost"] is None
    loan = await lending.loan(loan_id)
    assert (loan.state, loan.days_past_due_since) == (LoanState.OVERDUE, date(2026, 3, 2))
    assert await proved(lending) == []
    with pytest.raises(InvalidState):
        await ask(lender, loan_id, notice)


async def test_misused_money_bears_more_until_it_is_ended(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    change = Change(type=AmendmentType.MISUSE_RATE, multiplier=D("2"), amount=D("100000.00"))
    await approve(lender, await ask(lender, loan_id, change, reason="流入股市"))
    await lending.close(date(2026, 3, 5))
    # 14 days of 28: half of 2,000.00, and once more half of that for the misused half.
    assert (await lending.figures(loan_id)).accrued_interest == 150000
    end = Change(type=AmendmentType.MISUSE_RATE, multiplier=D("1"))
    await approve(lender, await ask(lender, loan_id, end, reason="资金已追回"))
    await lending.close(date(2026, 3, 19))
    assert (await lending.figures(loan_id)).due_unpaid_interest == 250000
    assert await proved(lending) == []


async def test_a_loan_on_its_maturity_and_beyond(lender: LenderAtWork, lending: Lending):
    """Agreed on the last day, approved a day later: the principal that fell overdue is taken back."""
    loan_id = await lending.pay_out(**S36 | {"periods": 1})
    await lending.close(date(2026, 3, 19))
    asked = await ask(lender, loan_id, Change(type=AmendmentType.EXTENSION, extension_periods=1))
    await lending.receive(loan_id, "2000.00")
    await lending.close(date(2026, 3, 20))
    assert (await lending.loan(loan_id)).state is LoanState.OVERDUE
    await approve(lender, asked)
    loan = await lending.loan(loan_id)
    assert (loan.state, loan.days_past_due_since) == (LoanState.ACTIVE, None)
    assert await proved(lending) == []
    other = await lending.pay_out(**S36 | {"periods": 1}, value_date=OPENED)
    with pytest.raises(ProductRuleViolated) as refused:  # its last day has passed
        await ask(lender, other, Change(type=AmendmentType.EXTENSION, extension_periods=1))
    assert refused.value.params["rule"] == "applyBy"


async def test_extensions_are_counted_and_add_up(lender: LenderAtWork, lending: Lending):
    """Two of one month each on a loan of three: a third is one too many, whatever its length."""
    loan_id = await lending.pay_out(**S36 | {"periods": 3})
    one = Change(type=AmendmentType.EXTENSION, extension_periods=1)
    for due, pays in (("2026-03-20", "2000.00"), ("2026-04-20", "2000.00"), ("2026-05-20", "2000.00")):
        await lending.close(date.fromisoformat(due).replace(day=19))
        await lending.receive(loan_id, pays)
    await approve(lender, await ask(lender, loan_id, one))
    await lending.close(date(2026, 6, 19))
    await lending.receive(loan_id, "2000.00")
    await approve(lender, await ask(lender, loan_id, one))
    assert (await terms(lender, loan_id)).extensions == 2
    await lending.close(date(2026, 7, 19))
    await lending.receive(loan_id, "2000.00")
    with pytest.raises(ProductRuleViolated) as refused:
        await ask(lender, loan_id, one)
    assert refused.value.params == {"rule": "extensions", "value": 3, "allowed": 2}
    assert await proved(lending) == []


async def test_a_second_extension_waits_until_the_first_has_begun(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    await approve(lender, await ask(lender, loan_id))
    before = await everything(lender)
    with pytest.raises(ProductRuleViolated) as refused:
        await ask(lender, loan_id, Change(type=AmendmentType.EXTENSION, extension_periods=1))
    assert (refused.value.field, refused.value.params["rule"]) == (("extensionPeriods",), "due_dates")
    assert await everything(lender) == before


async def test_added_dates_roll_and_keep_their_grace(lender: LenderAtWork, lending: Lending):
    """By the calendar of the day of the approval; a later edit of it changes nothing. 2026-09-20 is a Sunday, and worked."""
    loan_id = await lending.pay_out(**S36, grace_days=3, holiday_rule=HolidayRule.NEXT_BUSINESS_DAY)
    asked = await ask(lender, loan_id)
    admin = lender.tenant_admin
    await calendar.save_day(admin, on=date(2026, 10, 20), kind=DayKind.HOLIDAY, name="本地节日")
    await calendar.save_day(admin, on=date(2026, 11, 23), kind=DayKind.HOLIDAY, name="本地节日")
    await approve(lender, asked)
    await calendar.save_day(admin, on=date(2026, 10, 20), kind=DayKind.ORDINARY, name="取消")
    payload = (await lending.events(loan_id))[-1].payload
    assert payload["due_dates"] == ["2026-09-20", "2026-10-21", "2026-11-20"]
    assert payload["grace_ends"] == ["2026-09-23", "2026-10-26", "2026-11-24"]
    planned = await lender.rows(PlannedRow, PlannedRow.version == 2, PlannedRow.seq > 6)
    assert sorted(str(plan.grace_end) for plan in planned) == payload["grace_ends"]


# ---------------------------------------------------------------- papers, policy, preview


async def uploaded(lender: LenderAtWork) -> UUID:
    made = await document.upload(
        lender.account_manager, name="同意书.pdf", content_type="application/pdf", sha256="0" * 64, size=1
    )
    return made.id


async def test_papers_are_kept_with_the_amendment(lender: LenderAtWork, lending: Lending):
    """Story 2: the guarantor signs again; one scan may be the paper of two."""
    loan_id = await lending.pay_out(**S36, lending_mode=LendingMode.GUARANTEE)
    scan, agreement = await uploaded(lender), await uploaded(lender)
    consents = (Consent(name="李担保", attachment_id=scan), Consent(name="赵担保", attachment_id=scan))
    change = Change(type=AmendmentType.EXTENSION, extension_periods=3, annual_rate=D("0.132"), consents=consents,
                    because_of_difficulty=True)  # fmt: skip
    asked = await ask(lender, loan_id, change, attachment_ids=[agreement])
    papers = await lender.rows(Document, Document.subject_id == asked.id)
    assert {paper.id for paper in papers} == {scan, agreement}
    approved = await approve(lender, asked)
    assert [one["name"] for one in approved.consents] == ["李担保", "赵担保"]
    assert (await lending.events(loan_id))[-1].payload["because_of_difficulty"] is True


async def test_another_lender_has_another_policy(lender: LenderAtWork, lending: Lending):
    """Half of a short term, ten days before the maturity, a lower rate allowed, arrears too."""
    for code, value in (("extension_short_share", "0.5"), ("extension_rate_may_fall", True),
                        ("amendment_in_arrears", True), ("extension_apply_days", 10)):  # fmt: skip
        asked = await parameter.propose(
            lender.tenant_admin, code=code, value=value, effective_from=OPENED, reason="本机构政策"
        )
        await parameter.approve(lender.general_manager, parameter_id=asked.id)
    loan_id = await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 25))
    with pytest.raises(Refusal) as refused:
        await ask(lender, loan_id, Change(type=AmendmentType.EXTENSION, extension_periods=4))
    assert refused.value.code == "EXTENSION_TOO_LONG"
    cheaper = Change(type=AmendmentType.EXTENSION, extension_periods=3, annual_rate=D("0.10"))
    await approve(lender, await ask(lender, loan_id, cheaper))
    assert (await terms(lender, loan_id)).maturity_date == date(2026, 11, 20)


async def test_a_preview_writes_nothing_and_is_what_is_posted(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**S36)
    await lending.close(date(2026, 3, 11))
    change = Change(type=AmendmentType.RATE, annual_rate=D("0.108"), effective_date=date(2026, 3, 2))
    before = await everything(lender)
    async with lender.account_manager.reading() as ctx:
        foreseen = await contract_amendment.preview(ctx, loan_id=loan_id, change=change)
    assert await everything(lender) == before
    assert isinstance(foreseen, contract_amendment.Weighed)
    assert [(line.account, line.debit, line.credit) for line in foreseen.lines] == [
        ("601101", D("71.43"), D("0.00")), ("113201", D("0.00"), D("71.43")),
    ]  # fmt: skip
    approved = await approve(lender, await ask(lender, loan_id, change))
    assert (approved.before, approved.after) == (foreseen.before, foreseen.after)
    async with lender.second_account_manager.reading() as ctx:
        assert await contract_amendment.preview(ctx, loan_id=loan_id, change=change) is None


async def test_money_is_prepaid_by_the_method_in_force(lender: LenderAtWork, lending: Lending):
    """An interest-only loan has no term to shorten; as a level loan it has."""
    loan_id = await lending.pay_out(**S36)
    shorter = {"prepayment": PrepaymentMode.SHORTEN_TERM}
    with pytest.raises(ProductRuleViolated):
        await enter(lender, loan_id, lending.account_id, "50000.00", OPENED, **shorter)
    level = Change(type=AmendmentType.METHOD, method=Method.EQUAL_INSTALLMENT)
    await approve(lender, await ask(lender, loan_id, level))
    await enter(lender, loan_id, lending.account_id, "50000.00", OPENED, **shorter)


async def test_plans_of_many_loans_take_the_statements_of_one(lender: LenderAtWork, lending: Lending):
    loans = [await lending.pay_out(**S36) for _ in range(3)]
    await approve(lender, await ask(lender, loans[0]))
    counts = []
    for asked in (loans[:1], loans):
        async with lender.system.reading() as ctx:
            with statements() as seen:
                kept = await plans.plans(ctx, asked)
                await plans.current_terms(ctx, asked)
            counts.append(len(seen))
    assert counts[0] == counts[1]
    assert [len(kept[loan_id]) for loan_id in loans] == [2, 1, 1]
    signed, extended = kept[loans[0]]
    assert [plan.seq for plan in signed.installments] == [1, 2, 3, 4, 5, 6]
    assert signed.installments[-1].principal == 20000000, "as it was signed"
    assert [plan.interest for plan in extended.installments] == [200000] * 6 + [220000] * 3


async def test_who_decides_sees_how_much_is_at_stake(lender: LenderAtWork, lending: Lending):
    asked = await ask(lender, await lending.pay_out(**S36))
    assert (await task_on(lender.risk_officer, asked.id)).amount == D("200000.00")
