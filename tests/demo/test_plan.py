"""What the demo asks of the API exists there, and its size is the one that is promised."""

from datetime import timedelta

import graphql
import pytest
from chinese_calendar import is_workday  # type: ignore[import-untyped]

from domain.lending.loan_application import ApplicationState
from schema import root
from xiaodai.demo import operations
from xiaodai.demo.habits import counter_days
from xiaodai.demo.lenders import LAST_DAY, LENDERS, LenderPlan
from xiaodai.demo.office import teams
from xiaodai.demo.work_lists import STEPS

OTHERS = [
    text
    for name, text in vars(operations).items()
    if name[0].isalpha() and name.isupper() and isinstance(text, str) and "{" in text
]
DOCUMENTS = [*operations.MUTATIONS.values(), *OTHERS]
STORY_LOANS = {"jinjiang": 11, "yunshui": 0, "rongcheng": 1}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_api_answers_each_document(document: str) -> None:
    assert graphql.validate(root.build()._schema, graphql.parse(document)) == []


def test_forty_loans_of_sixty_customers() -> None:
    loans = sum(plan.usual.loans + STORY_LOANS[plan.code] for plan in LENDERS)
    customers = sum(plan.usual.customers + STORY_LOANS[plan.code] + len(plan.waiting) for plan in LENDERS)
    assert 38 <= loans <= 44
    assert 55 <= customers <= 65
    assert [(plan.in_full.loans, plan.in_full.customers) for plan in LENDERS] == [(60, 100), (150, 130), (400, 300)]


@pytest.mark.parametrize("plan", LENDERS, ids=lambda plan: plan.code)
def test_every_lender_lives_through_120_business_days(plan: LenderPlan) -> None:
    lived = ((plan.usual.opened + timedelta(days=passed)) for passed in range((LAST_DAY - plan.usual.opened).days))
    assert sum(is_workday(day) for day in lived) >= 120, "working days, as the State Council publishes them"
    assert len(list(counter_days(plan.usual.opened, LAST_DAY - timedelta(days=45)))) >= 6


@pytest.mark.parametrize("plan", LENDERS, ids=lambda plan: plan.code)
def test_everybody_has_a_place_and_nobody_surveys_alone(plan: LenderPlan) -> None:
    departments = {code for code, _ in plan.departments}
    assert {colleague.department for colleague in plan.staff} <= departments
    assert len({colleague.username for colleague in plan.staff}) == len(plan.staff)
    assert all(team.manager != team.co_manager for team in teams(plan))


def test_the_first_lender_has_an_application_in_every_state() -> None:
    assert set(LENDERS[0].waiting) == set(STEPS) == set(ApplicationState)


def test_the_first_lender_has_people_for_every_role() -> None:
    held = {role for colleague in LENDERS[0].staff for role in colleague.roles}
    assert held == {
        "GENERAL_MANAGER", "COMMITTEE_MEMBER", "AUDITOR", "RISK_OFFICER", "LEGAL", "BUSINESS_MANAGER", "ACCOUNT_MANAGER",
        "ACCOUNTANT", "CASHIER", "POST_LOAN_OFFICER", "COLLECTOR", "ARCHIVIST",
    }  # fmt: skip
