"""个人客户 · Individual customers (F08), as far as the contract goes."""

from __future__ import annotations

from tests.acceptance.journey import Journey

CUSTOMER = "customer { id number name idNumber birthDate sex mobile }"
CONSENTS = [{"type": "PERSONAL_DATA", "version": 1}, {"type": "CREDIT_BUREAU", "version": 1}]


def person(id_number: str, name: str = "王芳") -> dict[str, object]:
    return {"name": name, "idNumber": id_number, "mobile": "19900001234", "regionCode": "999999", "consents": CONSENTS}


async def test_a_valid_number_is_accepted_and_a_changed_digit_refused(journey: Journey) -> None:
    made = await journey.act("account_manager", "createIndividualCustomer", CUSTOMER, **person("999999199001010016"))
    assert (made["birthDate"], made["sex"]) == ("1990-01-01", "MALE")
    refused = await journey.refused(
        "account_manager", "createIndividualCustomer", "customer { id }", **person("999999199001010017")
    )
    assert (refused[0]["code"], refused[0]["field"]) == ("INVALID_ID_NUMBER", ["input", "idNumber"])


async def test_the_same_person_twice_is_refused(journey: Journey) -> None:
    await journey.act("account_manager", "createIndividualCustomer", CUSTOMER, **person("999999199001010016"))
    refused = await journey.refused(
        "account_manager", "createIndividualCustomer", "customer { id }", **person("999999199001010016")
    )
    assert refused[0]["code"] == "DUPLICATE"
    found = await journey.by("account_manager").data("{ customers { totalCount } }")
    assert found["customers"]["totalCount"] == 1


async def test_a_minor_is_refused_for_a_loan(journey: Journey) -> None:
    made = await journey.act(
        "account_manager", "createIndividualCustomer", CUSTOMER, **person("999999201001010024", "小明")
    )
    application = await journey.drafted(made["id"])
    refused = await journey.refused(
        "account_manager", "submitLoanApplication", "application { id }", applicationId=application
    )
    assert refused[0]["code"] == "AGE_OUT_OF_RANGE"
    data = await journey.by("account_manager").data(
        "query($id: ID!) { node(id: $id) { ... on LoanApplication { state } } }", id=application
    )
    assert data["node"]["state"] == "DRAFT"


async def test_the_number_is_masked_for_roles_without_the_right(journey: Journey) -> None:
    await journey.act("account_manager", "createIndividualCustomer", CUSTOMER, **person("999999199001010016"))
    asked = "{ customers { nodes { mobile ... on IndividualCustomer { idNumber } } } }"
    for clerk in ("cashier", "accountant"):
        (shown,) = (await journey.by(clerk).data(asked))["customers"]["nodes"]
        assert shown["idNumber"] == "999***********0016"
        assert shown["mobile"] == "199****1234"


async def test_a_customer_is_found_by_the_whole_number_only(journey: Journey) -> None:
    made = await journey.act("account_manager", "createIndividualCustomer", CUSTOMER, **person("999999199001010016"))
    find = "query($n: String) { customers(filter: {idNumber: $n}) { nodes { id } } }"
    client = journey.by("account_manager")
    assert (await client.data(find, n="999999199001010016"))["customers"]["nodes"] == [{"id": made["id"]}]
    assert (await client.data(find, n="999999199001010024"))["customers"]["nodes"] == []
