"""待办事项 · To-do (F01): a submission makes one task for who acts next and none for the maker; deciding removes it everywhere."""

from __future__ import annotations

from tests.acceptance.journey import Journey

BUSINESS_MANAGERS = "business_manager"


async def about(journey: Journey, person: str, subject: str) -> list[str]:
    return [
        task["type"] for task in await journey.tasks(person) if task["subject"] and task["subject"]["id"] == subject
    ]


async def test_submitting_adds_one_task_for_the_next_and_none_for_the_maker(journey: Journey) -> None:
    application = await journey.submitted(await journey.customer())
    assert len(await about(journey, "business_manager", application)) == 1
    for person in ("account_manager", "risk_officer", "cashier", "accountant"):
        assert await about(journey, person, application) == []


async def test_deciding_removes_the_task_everywhere(journey: Journey) -> None:
    application = await journey.reviewing(await journey.customer())
    assert len(await about(journey, "risk_officer", application)) == 1
    assert len(await about(journey, "second_risk_officer", application)) == 1
    await journey.decide("risk_officer", application)
    assert await about(journey, "risk_officer", application) == []
    assert await about(journey, "second_risk_officer", application) == []
    assert len(await about(journey, "business_manager", application)) == 1


async def test_three_days_before_a_due_date_the_due_task_is_there(journey: Journey) -> None:
    loan = await journey.paid()
    await journey.close("2026-02-11")
    assert await about(journey, "account_manager", loan.id)
    assert (await journey.by("account_manager").data("{ viewer { businessDate } }"))["viewer"][
        "businessDate"
    ] == "2026-02-12"
