"""企业客户: the credit code, uniqueness within a lender, and the controller (F07)."""

from decimal import Decimal

import pytest

from domain.customers.enterprise_customer import EnterpriseCustomer
from domain.customers.related_party import RelatedParty, Relation
from domain.kernel.refusals import Duplicate, InvalidAmount, InvalidIdNumber, InvalidInput, InvalidUscc
from tests.support.actors import LenderAtWork, a_lender
from tests.support.customers import an_enterprise, id_number

CODE = "91999999MA0000001N"


async def test_a_code_is_accepted_once_in_a_lender_and_again_in_another(lender: LenderAtWork, place, ports, blueprint):
    made = await an_enterprise(lender.account_manager, uscc=CODE.lower())
    assert (made.uscc, made.number) == (CODE, "KH-2025-0001")
    with pytest.raises(Duplicate) as refused:
        await an_enterprise(lender.account_manager, 2, uscc=CODE)
    assert (refused.value.field, refused.value.params) == (("uscc",), {"value": CODE})
    other = await a_lender(place, ports, blueprint)
    assert (await an_enterprise(other.account_manager, uscc=CODE)).uscc == CODE


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"uscc": CODE[:-1] + "P"}, InvalidUscc),
        ({"legal_representative_id_number": "999999199001010017"}, InvalidIdNumber),
        ({"legal_representative": ""}, InvalidInput),
        ({"registered_capital": Decimal("-0.01")}, InvalidAmount),
    ],
)
async def test_what_is_wrong_is_refused(lender: LenderAtWork, changes, refusal):
    with pytest.raises(refusal):
        await an_enterprise(lender.account_manager, **changes)
    assert not await lender.rows(EnterpriseCustomer)


async def test_a_controller_who_represents_the_enterprise_is_known_by_number(lender: LenderAtWork):
    manager = lender.account_manager
    number = id_number(1)
    own = await an_enterprise(
        manager, 1, legal_representative="赵六", legal_representative_id_number=number, controller_name="赵六"
    )
    other = await an_enterprise(manager, 2, legal_representative_id_number=number, controller_name="赵六")
    rows = {row.customer_id: row for row in await lender.rows(RelatedParty)}
    assert {row.relation for row in rows.values()} == {Relation.CONTROLLER}
    assert rows[own.id].id_number_fingerprint is not None
    assert rows[other.id].id_number_fingerprint is None
