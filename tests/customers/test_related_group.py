"""关联客户: who hangs together, and through whom (limit on a borrower with related parties)."""

from datetime import date
from decimal import Decimal

import pytest

from domain.configuration import parameter
from domain.customers import related_party
from domain.customers.related_group import group_of
from domain.customers.related_party import Party, Relation
from domain.kernel.refusals import InvalidInput
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person, an_enterprise, credit_code, id_number


async def group(lender: LenderAtWork, customer) -> set:
    async with lender.system.reading() as ctx:
        return await group_of(ctx, customer.id)


async def test_spouses_belong_together_from_either_side(lender: LenderAtWork):
    manager = lender.account_manager
    husband = await a_person(manager, 1, spouse=Party("李四", id_number=id_number(2)))
    wife = await a_person(manager, 2)
    stranger = await a_person(manager, 3)
    assert await group(lender, husband) == await group(lender, wife) == {husband.id, wife.id}
    assert await group(lender, stranger) == {stranger.id}


async def test_enterprises_of_one_controller_and_the_controller_himself_with_his_spouse(lender: LenderAtWork):
    manager = lender.account_manager
    first = await an_enterprise(
        manager, 1, legal_representative="赵六", legal_representative_id_number=id_number(6), controller_name="赵六"
    )
    second = await an_enterprise(manager, 2, controller_name="赵六")
    person = await a_person(manager, 6, name="赵六")
    spouse = await a_person(manager, 7, spouse=Party("赵六", id_number=id_number(6)))
    everybody = {first.id, second.id, person.id, spouse.id}
    for member in (first, second, person, spouse):
        assert await group(lender, member) == everybody


async def test_two_controllers_of_one_name_with_different_numbers_are_two_people(lender: LenderAtWork):
    manager = lender.account_manager
    made = [
        await an_enterprise(
            manager, n, legal_representative="王伟", legal_representative_id_number=id_number(n), controller_name="王伟"
        )
        for n in (1, 2)
    ]
    assert await group(lender, made[0]) == {made[0].id}


async def test_a_shareholder_ties_from_the_parameter_on(lender: LenderAtWork):
    manager = lender.account_manager
    holder = await an_enterprise(manager, 1)
    held = await an_enterprise(manager, 2)
    stake = Party("控股公司", uscc=credit_code(1), share=Decimal("0.19"))
    await related_party.create(manager, customer_id=held.id, relation=Relation.SHAREHOLDER, party=stake)
    assert await group(lender, holder) == {holder.id}

    proposed = await parameter.propose(
        lender.tenant_admin, code="related_shareholding", value="0.15", effective_from=date(2025, 1, 1), reason="从严"
    )
    await parameter.approve(lender.general_manager, parameter_id=proposed.id)
    assert await group(lender, holder) == await group(lender, held) == {holder.id, held.id}


@pytest.mark.parametrize("share", ["0", "-0.1", "1.01"])
async def test_a_share_lies_between_nothing_and_everything(lender: LenderAtWork, share):
    made = await an_enterprise(lender.account_manager)
    with pytest.raises(InvalidInput):
        await related_party.create(
            lender.account_manager,
            customer_id=made.id,
            relation=Relation.SHAREHOLDER,
            party=Party("股东", share=Decimal(share)),
        )
