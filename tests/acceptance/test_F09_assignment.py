"""贷款分单 · Assignment (F09), as far as the contract goes: one task for every business manager, gone when one has taken it."""

from __future__ import annotations

from tests.acceptance.journey import Journey

STATE = "application { id state accountManager { id } }"


async def employee(journey: Journey, person: str) -> str:
    data = await journey.by(person).data("{ viewer { employee { id } } }")
    return str(data["viewer"]["employee"]["id"])


async def test_an_application_goes_from_the_pool_to_a_manager_who_accepts(journey: Journey) -> None:
    application = await journey.submitted(await journey.customer())
    second = await employee(journey, "second_account_manager")
    given = await journey.act(
        "business_manager", "assignLoanApplication", STATE, applicationId=application, accountManagerId=second
    )
    assert (given["state"], given["accountManager"]["id"]) == ("ASSIGNED", second)
    accepted = await journey.act("second_account_manager", "acceptLoanApplication", STATE, applicationId=application)
    assert accepted["state"] == "INVESTIGATING"


async def test_only_whom_it_was_given_to_accepts(journey: Journey) -> None:
    application = await journey.submitted(await journey.customer())
    second = await employee(journey, "second_account_manager")
    await journey.act(
        "business_manager", "assignLoanApplication", STATE, applicationId=application, accountManagerId=second
    )
    answer = await journey.by("account_manager").ask(
        "mutation($i: LoanApplicationActionInput!) { acceptLoanApplication(input: $i) { application { id } userErrors { code } } }",
        i={"applicationId": application},
    )
    assert answer.codes == ["FORBIDDEN"]
    data = await journey.by("business_manager").data(
        "query($id: ID!) { node(id: $id) { ... on LoanApplication { state } } }", id=application
    )
    assert data["node"]["state"] == "ASSIGNED"


async def test_nobody_is_assigned_who_is_no_account_manager(journey: Journey) -> None:
    application = await journey.submitted(await journey.customer())
    cashier = await employee(journey, "cashier")
    refused = await journey.refused(
        "business_manager",
        "assignLoanApplication",
        "application { id }",
        applicationId=application,
        accountManagerId=cashier,
    )
    assert refused[0]["field"] == ["input", "accountManagerId"]
