"""Early warnings (F31): each rule once per loan and spell, to those it names."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.business_day import BusinessDay
from domain.kernel.context import Context
from domain.kernel.feed import FeedRow
from domain.kernel.ports import Ports
from domain.kernel.refusals import Denied, InvalidInput, InvalidState, NotFound
from domain.kernel.table import uuid7
from domain.post_loan import early_warning
from domain.post_loan.early_warning import Alert, AlertLevel, AlertState, check_disposal
from tenancy.provision import Blueprint
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api
from tests.support.lenders import Platform
from tests.support.loans import Lending, lending_at

PAID_OUT = date(2025, 1, 1)
OPENED = date(2025, 1, 31)  # the tests begin right before the first installment is due
DUE = date(2025, 2, 1)
INSTALLMENT = "8884.88"


@pytest.fixture
async def lender(place: Platform, ports: Ports, blueprint: Blueprint) -> LenderAtWork:
    return await a_lender(place, ports, blueprint, open_on=OPENED)


# ---------------------------------------------------------------- rules


def test_levels_from_mild_to_grave():
    assert [level.rank for level in (AlertLevel.YELLOW, AlertLevel.ORANGE, AlertLevel.RED)] == [0, 1, 2]


@pytest.mark.parametrize("wanted", [AlertState.DISPOSING, AlertState.CLOSED, AlertState.FALSE_ALARM])
@pytest.mark.parametrize("present", [AlertState.NEW, AlertState.ASSIGNED, AlertState.DISPOSING, AlertState.ESCALATED])
def test_what_is_open_may_be_worked_on_and_ended(present: AlertState, wanted: AlertState):
    check_disposal(present, wanted, "已上门核实")


def test_what_disposal_refuses():
    with pytest.raises(InvalidState):
        check_disposal(AlertState.CLOSED, AlertState.DISPOSING, "再看")
    with pytest.raises(InvalidInput):
        check_disposal(AlertState.NEW, AlertState.ESCALATED, "升级")
    for ended in (AlertState.CLOSED, AlertState.FALSE_ALARM):
        with pytest.raises(InvalidInput):
            check_disposal(AlertState.NEW, ended, " ")


# ---------------------------------------------------------------- end of day


async def alerts_of(lender: LenderAtWork, loan_id: UUID | None = None) -> list[Any]:
    conditions = [Alert.loan_id == loan_id] if loan_id else []
    return sorted(await lender.rows(Alert, *conditions), key=lambda row: row.id)


async def closed(lender: LenderAtWork, day: date) -> int:
    (row,) = await lender.rows(BusinessDay, BusinessDay.date == day)
    return int(row.alerts_raised)


async def test_a_breach_makes_one_alert_and_the_next_day_none(lender: LenderAtWork):
    lending = await lending_at(lender)
    late = await lending.pay_out(value_date=PAID_OUT)
    await lending.close(DUE)
    assert await alerts_of(lender) == []
    await lending.close(DUE + timedelta(days=3))
    (alert,) = await alerts_of(lender, late)
    assert (alert.rule, alert.level, alert.state) == ("OVERDUE_1", AlertLevel.YELLOW, AlertState.NEW)
    assert (alert.value, alert.threshold, alert.business_date) == ("1", "1", DUE + timedelta(days=1))
    number = (await lending.loan(late)).number
    assert number in alert.message
    assert [await closed(lender, DUE + timedelta(days=n)) for n in range(4)] == [0, 1, 0, 0]
    (told,) = await lender.rows(FeedRow, FeedRow.kind == early_warning.RAISED)
    assert (told.subject_id, told.facts["level"]) == (alert.id, "YELLOW")


async def test_each_threshold_once_and_anew_in_another_spell(lender: LenderAtWork):
    lending = await lending_at(lender)
    late = await lending.pay_out(value_date=PAID_OUT)
    await lending.close(DUE + timedelta(days=8))
    assert [row.rule for row in await alerts_of(lender, late)] == ["OVERDUE_1", "OVERDUE_7"]
    await lending.receive(late, "9000.00")  # arrears, penalty and a little more
    await lending.close(DUE + timedelta(days=20))
    assert len(await alerts_of(lender, late)) == 2
    second_due = date(2025, 3, 1)
    await lending.close(second_due + timedelta(days=30))
    rules = [row.rule for row in await alerts_of(lender, late)]
    assert rules == ["OVERDUE_1", "OVERDUE_7", "OVERDUE_1", "OVERDUE_7", "OVERDUE_30"]


async def test_a_receipt_of_the_same_day_prevents_the_alert(lender: LenderAtWork):
    lending = await lending_at(lender)
    late = await lending.pay_out(value_date=PAID_OUT)
    await lending.close(DUE)
    await lending.receive(late, "9000.00")
    await lending.close(DUE + timedelta(days=8))
    assert await alerts_of(lender) == []


async def test_a_reversal_raises_what_was_passed_unnoticed(lender: LenderAtWork):
    lending = await lending_at(lender)
    late = await lending.pay_out(value_date=PAID_OUT)
    receipt = await lending.receive(late, INSTALLMENT)
    await lending.close(DUE + timedelta(days=9))
    assert await alerts_of(lender) == []
    await lending.reverse(late, receipt)
    await lending.close(DUE + timedelta(days=10))
    assert [(row.rule, row.value) for row in await alerts_of(lender)] == [("OVERDUE_1", "10"), ("OVERDUE_7", "10")]


async def test_raising_again_raises_nothing(lender: LenderAtWork):
    lending = await lending_at(lender)
    await lending.pay_out(value_date=PAID_OUT)
    await lending.close(DUE + timedelta(days=2))
    async with lender.system.writing() as ctx:
        assert (await early_warning.raise_alerts(ctx, DUE + timedelta(days=2))).done == 0
    assert len(await alerts_of(lender)) == 1


async def test_what_nobody_takes_up_goes_up(lender: LenderAtWork):
    lending = await lending_at(lender)
    loans = [await lending.pay_out(value_date=date(2024, 10, 4)) for _ in range(2)]  # due on 2024-11-04
    ninety = date(2025, 2, 2)
    await lending.close(ninety)
    grave = [row for row in await alerts_of(lender) if row.level is AlertLevel.RED]
    assert {row.act_by for row in grave} == {ninety + timedelta(days=3)}
    taken = next(row for row in grave if row.loan_id == loans[0])
    await early_warning.dispose(
        lender.post_loan_officer, alert_id=taken.id, state=AlertState.DISPOSING, remark="已上门"
    )
    await lending.close(ninety + timedelta(days=2))
    assert await lender.rows(Alert, Alert.state == AlertState.ESCALATED) == []
    await lending.close(ninety + timedelta(days=4))
    (late,) = await lender.rows(Alert, Alert.state == AlertState.ESCALATED)
    assert (late.loan_id, late.level) == (loans[1], AlertLevel.RED)
    told = [row.subject_id for row in await lender.rows(FeedRow, FeedRow.kind == early_warning.CHANGED)]
    assert told == [taken.id, late.id]


# ---------------------------------------------------------------- commands


@pytest.fixture
async def overdue(lender: LenderAtWork) -> Lending:
    """A lender with one loan that is seven days past due, and so two alerts."""
    lending = await lending_at(lender)
    await lending.pay_out(value_date=PAID_OUT)
    await lending.close(DUE + timedelta(days=7))
    return lending


async def test_disposal_from_first_to_last(lender: LenderAtWork, overdue: Lending):
    alert, other = await alerts_of(lender)
    officer: Context = lender.post_loan_officer
    given = await early_warning.assign(
        lender.risk_officer, alert_id=alert.id, employee_id=lender.account_manager.actor.id
    )
    assert (given.state, given.assignee_id) == (AlertState.ASSIGNED, lender.account_manager.actor.id)
    await early_warning.dispose(lender.account_manager, alert_id=alert.id, state=AlertState.DISPOSING, remark="已联系")
    done = await early_warning.dispose(officer, alert_id=alert.id, state=AlertState.CLOSED, remark="已还款")
    assert (done.state, done.disposal) == (AlertState.CLOSED, "已还款")
    with pytest.raises(InvalidState):
        await early_warning.assign(officer, alert_id=alert.id, employee_id=officer.actor.id)
    with pytest.raises(InvalidState):
        await early_warning.dispose(officer, alert_id=alert.id, state=AlertState.DISPOSING, remark="再看")
    with pytest.raises(InvalidInput):
        await early_warning.dispose(officer, alert_id=other.id, state=AlertState.FALSE_ALARM, remark="")
    with pytest.raises(NotFound):
        await early_warning.assign(officer, alert_id=uuid7(), employee_id=officer.actor.id)
    with pytest.raises(NotFound):
        await early_warning.assign(officer, alert_id=other.id, employee_id=uuid7())
    assert len(await lender.rows(FeedRow, FeedRow.kind == early_warning.CHANGED)) == 3


async def test_who_may_not_dispose(lender: LenderAtWork, overdue: Lending):
    alert, _ = await alerts_of(lender)
    with pytest.raises(NotFound):  # not a loan of hers
        await early_warning.dispose(
            lender.second_account_manager, alert_id=alert.id, state=AlertState.CLOSED, remark="已还款"
        )
    with pytest.raises(Denied):
        await early_warning.dispose(lender.cashier, alert_id=alert.id, state=AlertState.CLOSED, remark="已还款")


async def test_who_is_told(lender: LenderAtWork, overdue: Lending):
    await overdue.close(DUE + timedelta(days=30))
    ids = {row.id: row.rule for row in await alerts_of(lender)}

    async def told(person: Context) -> list[str]:
        async with person.reading() as ctx:
            found = await early_warning.told(ctx, list(ids), [Alert.__table__.c.id])
        return sorted(ids[key] for key in found)

    everything = ["OVERDUE_1", "OVERDUE_30", "OVERDUE_7"]
    for person in (lender.account_manager, lender.risk_officer, lender.post_loan_officer):
        assert await told(person) == everything
    assert await told(lender.general_manager) == ["OVERDUE_30"]
    for person in (lender.second_account_manager, lender.business_manager, lender.cashier, lender.tenant_admin):
        assert await told(person) == []


# ---------------------------------------------------------------- API

LIST = """query ($filter: AlertFilter) { alerts(filter: $filter) { totalCount nodes {
  id rule level state raisedAt businessDate message value threshold loan { number } customer { id } assignee { name } } } }"""
RULES = "{ warningRules { code threshold level recipients enabled } }"
DISPOSE = """mutation ($input: DisposeAlertInput!) { disposeAlert(input: $input) {
  alert { state disposal } userErrors { code field } } }"""
ASSIGN = """mutation ($input: AssignAlertInput!) { assignAlert(input: $input) {
  alert { state assignee { id } } userErrors { code field } } }"""


async def test_alerts_in_scope(lender: LenderAtWork, overdue: Lending, api: Api):
    found = (await api.as_("account_manager").data(LIST))["alerts"]
    assert found["totalCount"] == 2
    assert [one["rule"] for one in found["nodes"]] == ["OVERDUE_7", "OVERDUE_1"]
    newest = found["nodes"][0]
    assert (newest["value"], newest["state"], newest["businessDate"]) == ("7", "NEW", "2025-02-08")
    assert newest["loan"]["number"] in newest["message"]
    assert newest["customer"]["id"]
    for name, count in {"business_manager": 2, "general_manager": 2, "second_account_manager": 0}.items():
        assert (await api.as_(name).data(LIST))["alerts"]["totalCount"] == count
    red = await api.as_("risk_officer").data(LIST, filter={"levels": ["RED", "ORANGE"]})
    assert red["alerts"]["totalCount"] == 0


async def test_disposal_through_the_api(lender: LenderAtWork, overdue: Lending, api: Api):
    officer = api.as_("post_loan_officer")
    alert = (await officer.data(LIST))["alerts"]["nodes"][0]["id"]
    person = (await officer.data("{ viewer { employee { id } } }"))["viewer"]["employee"]["id"]
    given = await officer.run(ASSIGN, input={"alertId": alert, "employeeId": person})
    assert given["alert"] == {"state": "ASSIGNED", "assignee": {"id": person}}
    done = await officer.run(DISPOSE, input={"alertId": alert, "state": "CLOSED", "remark": "已还款"})
    assert done["alert"] == {"state": "CLOSED", "disposal": "已还款"}
    (refused,) = await officer.refused(DISPOSE, input={"alertId": alert, "state": "CLOSED", "remark": "已还款"})
    assert refused["code"] == "INVALID_STATE"
    for open, count in {True: 1, False: 1}.items():
        assert (await officer.data(LIST, filter={"open": open}))["alerts"]["totalCount"] == count
    assert (await api.as_("cashier").ask(ASSIGN, input={"alertId": alert, "employeeId": person})).codes == ["FORBIDDEN"]


async def test_rules_through_the_api(lender: LenderAtWork, api: Api):
    rules = (await api.as_("account_manager").data(RULES))["warningRules"]
    assert [(rule["threshold"], rule["level"]) for rule in rules] == [
        (1, "YELLOW"), (7, "YELLOW"), (30, "ORANGE"), (60, "ORANGE"), (90, "RED"),
    ]  # fmt: skip
    assert [("GENERAL_MANAGER" in rule["recipients"]) for rule in rules] == [False, False, True, True, True]
