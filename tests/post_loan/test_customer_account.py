"""客户银行卡: check digits, purposes, and who may enter one (F27)."""

import pytest

from domain.customers.customer import CustomerKind
from domain.kernel.refusals import Denied, Duplicate, InvalidBankCard, InvalidInput, NotFound
from domain.post_loan import customer_account
from domain.post_loan.customer_account import AccountPurpose, CustomerAccount, plain_account
from tests.support.actors import LenderAtWork
from tests.support.customers import CARD, a_person, an_enterprise

BOTH = [AccountPurpose.DISBURSEMENT, AccountPurpose.REPAYMENT]


def test_a_card_has_a_check_digit_and_an_account_of_an_enterprise_has_none():
    wrong = CARD[:-1] + "3"
    assert plain_account("6217 0000 0000 0000 012", CustomerKind.INDIVIDUAL) == CARD
    assert plain_account(wrong, CustomerKind.ENTERPRISE) == wrong
    for text, kind in ((wrong, CustomerKind.INDIVIDUAL), ("1234567", CustomerKind.ENTERPRISE)):
        with pytest.raises(InvalidBankCard):
            plain_account(text, kind)


async def test_an_account_serves_the_purposes_named(lender: LenderAtWork):
    manager = lender.account_manager
    person, company = await a_person(manager, 1), await an_enterprise(manager, 2)
    given = {"holder": "张三", "account_number": CARD, "bank": "测试银行"}
    made = await customer_account.create(manager, customer_id=person.id, purposes=BOTH, **given)
    assert (made.account_last4, made.serves(AccountPurpose.DISBURSEMENT)) == ("0012", True)
    assert not made.serves(AccountPurpose.REFUND)
    assert CARD not in repr(await lender.rows(CustomerAccount))

    with pytest.raises(Duplicate):
        await customer_account.create(manager, customer_id=person.id, purposes=BOTH, **given)
    # The same account may serve two customers: a company and its owner.
    await customer_account.create(manager, customer_id=company.id, purposes=BOTH[:1], **given)
    async with manager.reading() as ctx:
        found = await customer_account.by_customer(ctx, [person.id, company.id], list(CustomerAccount.__table__.c))
    assert [row.id for row in found[person.id]] == [made.id]
    assert len(found[company.id]) == 1


async def test_wrong_accounts_and_customers_of_others(lender: LenderAtWork):
    person = await a_person(lender.account_manager)
    given = {"customer_id": person.id, "holder": "张三", "account_number": CARD, "bank": "测试银行", "purposes": BOTH}
    for changes, refusal in (
        ({"account_number": CARD[:-1] + "3"}, InvalidBankCard),
        ({"purposes": []}, InvalidInput),
        ({"purposes": BOTH[:1] * 2}, InvalidInput),
        ({"holder": " "}, InvalidInput),
    ):
        with pytest.raises(refusal):
            await customer_account.create(lender.account_manager, **given | changes)
    with pytest.raises(NotFound):
        await customer_account.create(lender.second_account_manager, **given)
    with pytest.raises(Denied):
        await customer_account.create(lender.cashier, **given)
