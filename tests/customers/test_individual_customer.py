"""个人客户: rules of entering one, what is stored of personal data, and who sees it (F08)."""

from datetime import date

import pytest
from sqlalchemy import select

from domain.configuration.agreement import ConsentType
from domain.customers import customer_list, individual_customer
from domain.customers.consent import Consent, ConsentRecord, missing
from domain.customers.customer import Customer
from domain.customers.individual_customer import Contact, EmergencyContact, IndividualCustomer
from domain.customers.related_party import Party, RelatedParty
from domain.kernel.audit import AuditEntry, GuardEntry
from domain.kernel.personal_data import READ
from domain.kernel.refusals import Duplicate, InvalidIdNumber, InvalidInput, InvalidMobile
from tests.support.actors import LenderAtWork, a_lender
from tests.support.customers import a_person, id_number

# ------------------------------------------------------------------ commands


async def test_birth_date_and_sex_come_from_the_number(lender: LenderAtWork):
    made = await a_person(lender.account_manager, id_number="999999199001010016", name=" 张三 ")
    assert (made.number, made.name, made.name_sort) == ("KH-2025-0001", "张三", "zhang san")
    assert (made.birth_date, str(made.sex)) == (date(1990, 1, 1), "MALE")
    assert made.manager_id == lender.account_manager.actor.id
    assert made.department_id == lender.account_manager.actor.department_id


async def test_a_minor_may_be_a_customer(lender: LenderAtWork):
    made = await a_person(lender.account_manager, id_number="999999201001010024")
    assert (made.birth_date, str(made.sex)) == (date(2010, 1, 1), "FEMALE")


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"id_number": "999999199001010017"}, InvalidIdNumber, ("idNumber",)),
        ({"mobile": "12345678901"}, InvalidMobile, ("mobile",)),
        ({"name": "  "}, InvalidInput, ("name",)),
        ({"region_code": "99"}, InvalidInput, ("regionCode",)),
        ({"consents": [Consent(ConsentType.PERSONAL_DATA, 2)]}, InvalidInput, ("consents", "0", "version")),
        ({"spouse": Party("李四", id_number="1")}, InvalidIdNumber, ("spouse", "idNumber")),
        ({"emergency_contacts": [Contact("王五", "同事", "1")]}, InvalidMobile, ("emergencyContacts", "0", "mobile")),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_left(lender: LenderAtWork, changes, refusal, field):
    with pytest.raises(refusal) as refused:
        await a_person(lender.account_manager, **changes)
    assert refused.value.field == field
    assert not await lender.rows(Customer)
    assert [row.code for row in await lender.rows(GuardEntry)] == [refusal.code]


async def test_one_person_is_one_customer_of_a_lender_and_may_be_one_of_another(
    lender: LenderAtWork, place, ports, blueprint
):
    await a_person(lender.account_manager, 7)
    with pytest.raises(Duplicate) as refused:
        await a_person(lender.second_account_manager, 7, name="另一个名字", mobile="13900000000")
    assert refused.value.params == {"value": f"999***********{id_number(7)[-4:]}"}
    other = await a_lender(place, ports, blueprint)
    assert (await a_person(other.account_manager, 7)).number == "KH-2025-0001"


async def test_a_refused_customer_gives_its_number_back(lender: LenderAtWork):
    await a_person(lender.account_manager, 1)
    with pytest.raises(Duplicate):
        await a_person(lender.account_manager, 1)
    assert (await a_person(lender.account_manager, 2)).number == "KH-2025-0002"


async def test_no_column_and_no_audit_row_holds_personal_data(lender: LenderAtWork):
    spouse = Party("李四", id_number=id_number(44), mobile="13700000044")
    await a_person(
        lender.account_manager, 43, address="四川省成都市武侯区一号", spouse=spouse,
        emergency_contacts=[Contact("王五", "同事", "13600000045")],
    )  # fmt: skip
    rows = []
    for table in (Customer, IndividualCustomer, RelatedParty, EmergencyContact, AuditEntry):
        rows += await lender.rows(table)
    stored = repr(rows)
    for secret in (id_number(43), id_number(44), "13800000043", "13700000044", "13600000045", "武侯区"):
        assert secret not in stored
    assert "138****0043" in stored
    assert "四川省成都市****" in stored


# ------------------------------------------------------------------ queries


async def test_an_id_number_is_masked_without_the_right_and_its_reading_is_recorded(lender: LenderAtWork):
    made = await a_person(lender.account_manager, 5)
    async with lender.cashier.reading() as ctx:
        assert await individual_customer.id_numbers(ctx, [made.id]) == {made.id: made.id_number_masked}
        assert await customer_list.mobiles(ctx, [made.id]) == {made.id: "138****0005"}
    assert "*" in made.id_number_masked
    assert not await lender.rows(AuditEntry, AuditEntry.permission == READ)
    async with lender.account_manager.reading() as ctx:
        assert await individual_customer.id_numbers(ctx, [made.id]) == {made.id: id_number(5)}
        assert await customer_list.mobiles(ctx, [made.id]) == {made.id: "13800000005"}
    assert len(await lender.rows(AuditEntry, AuditEntry.permission == READ)) == 2


async def test_consents_that_a_loan_needs(lender: LenderAtWork):
    made = await a_person(lender.account_manager, consents=[Consent(ConsentType.PERSONAL_DATA, 1)])
    async with lender.system.reading() as ctx:
        assert await missing(ctx, made.id) == [ConsentType.CREDIT_BUREAU]
        rows = (await ctx.connection.execute(select(ConsentRecord.type, ConsentRecord.version))).all()
    assert [tuple(row) for row in rows] == [(ConsentType.PERSONAL_DATA, 1)]
