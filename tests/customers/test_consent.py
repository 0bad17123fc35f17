"""客户授权: recorded once, taken back, and what is missing then."""

import pytest

from domain.configuration.agreement import ConsentType
from domain.customers import consent
from domain.customers.consent import Consent
from domain.kernel.refusals import Duplicate, InvalidInput, InvalidState, NotFound
from domain.kernel.table import uuid7
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person

BUREAU = Consent(ConsentType.CREDIT_BUREAU, 1)


async def test_a_consent_holds_until_it_is_taken_back(lender: LenderAtWork):
    manager = lender.account_manager
    made = await a_person(manager)
    async with manager.reading() as ctx:
        assert await consent.missing(ctx, made.id) == []
        rows = (await consent.by_customer(ctx, [made.id], list(consent.ConsentRecord.__table__.c)))[made.id]
    withdrawn = await consent.withdraw(manager, consent_id=rows[1].id)
    assert withdrawn.type == ConsentType.CREDIT_BUREAU
    async with manager.reading() as ctx:
        assert await consent.missing(ctx, made.id) == [ConsentType.CREDIT_BUREAU]
    with pytest.raises(InvalidState):
        await consent.withdraw(manager, consent_id=rows[1].id)


async def test_a_consent_is_recorded_later_and_once(lender: LenderAtWork):
    manager = lender.account_manager
    made = await a_person(manager, consents=())
    recorded = await consent.record(manager, customer_id=made.id, consent=BUREAU)
    assert (recorded.type, recorded.recorded_by_id) == (ConsentType.CREDIT_BUREAU, manager.actor.id)
    with pytest.raises(Duplicate):
        await consent.record(manager, customer_id=made.id, consent=BUREAU)
    with pytest.raises(InvalidInput):
        await consent.record(manager, customer_id=made.id, consent=Consent(ConsentType.CREDIT_BUREAU, 9))


async def test_nobody_records_consents_of_customers_out_of_sight(lender: LenderAtWork):
    made = await a_person(lender.account_manager)
    for customer_id in (made.id, uuid7()):
        with pytest.raises(NotFound):
            await consent.record(lender.second_account_manager, customer_id=customer_id, consent=BUREAU)
