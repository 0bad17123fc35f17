"""黑名单: found by identifier, for as long as it says."""

from datetime import date, timedelta

import pytest

from domain.customers import blacklist
from domain.customers.blacklist import BlacklistedParty
from domain.kernel.clock import open_day
from domain.kernel.refusals import Denied, InvalidInput, InvalidState
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person, an_enterprise, credit_code, id_number

TODAY = date(2025, 1, 1)


async def listed(lender: LenderAtWork, customer) -> bool:
    async with lender.system.reading() as ctx:
        return await blacklist.blacklisted(ctx, customer.id)


async def test_a_party_is_refused_before_it_becomes_a_customer(lender: LenderAtWork):
    await blacklist.add(lender.risk_officer, name="某人", id_number=id_number(1), reason="欺诈")
    await blacklist.add(lender.risk_officer, name="某公司", uscc=credit_code(2), reason="失信")
    manager = lender.account_manager
    assert await listed(lender, await a_person(manager, 1, name="改了名字"))
    assert await listed(lender, await an_enterprise(manager, 2))
    assert not await listed(lender, await a_person(manager, 3))
    assert not await listed(lender, await an_enterprise(manager, 4))
    assert id_number(1) not in repr(await lender.rows(BlacklistedParty))


async def test_the_last_day_belongs_to_it_and_removing_ends_it(lender: LenderAtWork):
    person = await a_person(lender.account_manager, 1)
    entry = await blacklist.add(lender.risk_officer, name="某人", id_number=id_number(1), reason="观察", until=TODAY)
    assert await listed(lender, person)
    async with lender.system.writing() as ctx:
        await open_day(ctx, TODAY + timedelta(days=1))
    assert not await listed(lender, person)

    entry = await blacklist.add(lender.risk_officer, name="某人", id_number=id_number(1), reason="欺诈")
    assert await listed(lender, person)
    await blacklist.remove(lender.risk_officer, party_id=entry.id)
    assert not await listed(lender, person)
    with pytest.raises(InvalidState):
        await blacklist.remove(lender.risk_officer, party_id=entry.id)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id_number": id_number(1), "uscc": credit_code(1)},
        {"id_number": id_number(1), "until": TODAY - timedelta(days=1)},
        {"id_number": id_number(1), "reason": " "},
    ],
)
async def test_an_entry_has_one_identifier_a_reason_and_a_future(lender: LenderAtWork, changes):
    with pytest.raises(InvalidInput):
        await blacklist.add(lender.risk_officer, **{"name": "某人", "reason": "欺诈"} | changes)


async def test_an_account_manager_lists_nobody(lender: LenderAtWork):
    with pytest.raises(Denied):
        await blacklist.add(lender.account_manager, name="某人", id_number=id_number(1), reason="欺诈")
