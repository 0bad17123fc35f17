"""公司账户: its money is what the ledger says; its number is seen by nobody (F39)."""

from decimal import Decimal as D

import pytest

from domain.configuration import company_account
from domain.configuration.company_account import AccountUse, CompanyAccount
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import Conflict, Denied, Duplicate, InvalidAmount, InvalidBankCard, InvalidInput, NotFound
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.journal import Voucher
from tests.support.actors import LenderAtWork, a_lender

NUMBER = "6217000000000000012"


async def opened(ctx: Context, **changes) -> CompanyAccount:
    given = {
        "name": "放贷专户", "account_number": NUMBER, "bank": "测试银行", "uses": [AccountUse.DISBURSE],
        "opening_balance": D("5000000.00"),
    }  # fmt: skip
    return await company_account.create(ctx, **given | changes)


async def test_the_opening_balance_is_booked_and_is_the_balance(lender: LenderAtWork):
    first = await opened(lender.accountant)
    empty = await opened(lender.tenant_admin, account_number="1234567890", opening_balance=D("0.00"))
    async with lender.cashier.reading() as ctx:
        assert await company_account.balances(ctx, [first.id, empty.id]) == {first.id: D("5000000.00"), empty.id: D(0)}
        lines = {
            line.code: (line.debit, line.credit) for line in await journal.trial_balance(lender_books(ctx, lender))
        }
    assert lines == {"1002": (D("5000000.00"), D(0)), "4001": (D(0), D("5000000.00"))}
    vouchers = await lender.rows(Voucher)
    assert [(row.kind, row.reference_id) for row in vouchers] == [("OPENING_BALANCE", first.id)]


def lender_books(ctx: Context, lender: LenderAtWork) -> Context:
    """The same snapshot as the accountant sees it."""
    return ctx.acting_as(lender.accountant.actor)


async def test_the_number_is_sealed_and_known_once(lender: LenderAtWork, place, ports, blueprint):
    made = await opened(lender.accountant)
    assert made.account_last4 == "0012"
    assert NUMBER not in repr(await lender.rows(CompanyAccount))
    with pytest.raises(Duplicate) as refused:
        await opened(lender.accountant, account_number="6217 0000 0000 0000 012")
    assert refused.value.params == {"value": "0012"}
    other = await a_lender(place, ports, blueprint)
    assert (await opened(other.accountant)).account_last4 == "0012"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"account_number": "1234567"}, InvalidBankCard),
        ({"account_number": "12345678x"}, InvalidBankCard),
        ({"uses": []}, InvalidInput),
        ({"uses": [AccountUse.COLLECT, AccountUse.COLLECT]}, InvalidInput),
        ({"name": ""}, InvalidInput),
        ({"bank": "\t"}, InvalidInput),
        ({"opening_balance": D("-0.01")}, InvalidAmount),
    ],
)
async def test_what_is_wrong_is_refused(lender: LenderAtWork, changes, refusal):
    with pytest.raises(refusal):
        await opened(lender.accountant, **changes)
    assert not await lender.rows(CompanyAccount)


async def test_an_edit_needs_the_version_that_was_read(lender: LenderAtWork):
    made = await opened(lender.accountant)
    edit = {"name": "收款户", "uses": [AccountUse.COLLECT], "enabled": False}
    changed = await company_account.update(lender.accountant, account_id=made.id, expected_version=1, **edit)
    assert (changed.name, changed.uses, changed.version) == ("收款户", ["COLLECT"], 2)
    assert not changed.may(AccountUse.COLLECT)
    with pytest.raises(Conflict):
        await company_account.update(lender.accountant, account_id=made.id, expected_version=1, **edit)
    with pytest.raises(NotFound):
        await company_account.update(lender.accountant, account_id=uuid7(), expected_version=1, **edit)
    with pytest.raises(Denied):
        await company_account.update(lender.cashier, account_id=made.id, expected_version=2, **edit)


async def test_the_list_is_by_name(lender: LenderAtWork):
    await opened(lender.accountant, name="B", account_number="12345678")
    await opened(lender.accountant, name="A", account_number="12345679")
    async with lender.cashier.reading() as ctx:
        page = await company_account.accounts(ctx, columns=[CompanyAccount.name], window=Window(first=1))
        assert [row.name for row in page.rows] == ["A"]
        assert page.has_next
        assert await page.total(ctx) == 2
