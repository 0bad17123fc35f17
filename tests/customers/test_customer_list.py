"""客户列表: search, identifiers, order, and who sees whom."""

from dataclasses import replace

import pytest

from domain.customers import customer
from domain.customers.customer import Customer, sort_key
from domain.customers.customer_list import CustomerFilter, customers
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import BadInput, Denied
from tests.support.actors import LenderAtWork
from tests.support.customers import a_person, an_enterprise, credit_code, id_number

TABLE = Customer.__table__.c


async def names(caller: Context, window: Window = Window(), **wanted) -> list[str]:
    async with caller.reading() as ctx:
        page = await customers(ctx, columns=[TABLE.name], wanted=CustomerFilter(**wanted), window=window)
        return [row.name for row in page.rows]


def test_names_sort_as_in_a_chinese_dictionary():
    assert sorted(["张三", "李四", "安娜", "Bob"], key=sort_key) == ["安娜", "Bob", "李四", "张三"]


async def test_each_manager_sees_his_own_and_others_by_their_scope(lender: LenderAtWork):
    first, second = lender.account_manager, lender.second_account_manager
    own = await a_person(first, 1, name="张三")
    await a_person(second, 2, name="李四")
    assert await names(first) == ["张三"]
    assert await names(second) == ["李四"]
    assert await names(lender.business_manager) == await names(lender.risk_officer) == ["李四", "张三"]
    assert await names(lender.risk_officer, manager_id=first.actor.id) == ["张三"]

    async with lender.system.writing() as ctx:
        await customer.entrust(ctx, customer_id=own.id, manager_id=second.actor.id)
    assert await names(second) == ["李四", "张三"]
    assert await names(first) == ["张三"]


async def test_search_goes_by_name_pinyin_and_number_and_identifiers_exactly(lender: LenderAtWork):
    manager = lender.account_manager
    made = await a_person(manager, 1, name="张三丰")
    await an_enterprise(manager, 2, name="成都三丰100%有限公司")
    assert await names(manager, search="三丰") == ["成都三丰100%有限公司", "张三丰"]
    assert await names(manager, search="%") == ["成都三丰100%有限公司"]
    assert await names(manager, search="zhang s") == ["张三丰"]
    assert await names(manager, search=made.number.lower()) == ["张三丰"]
    assert await names(manager, id_number=f" {id_number(1).lower()} ") == ["张三丰"]
    assert await names(manager, id_number=id_number(1)[:-1]) == []
    assert await names(manager, uscc=credit_code(2).lower()) == ["成都三丰100%有限公司"]
    assert await names(manager, uscc=credit_code(2), search="张") == []
    with pytest.raises(BadInput):
        await names(manager, search="a\0")


async def test_pages_follow_each_other_without_gaps_or_repeats(lender: LenderAtWork):
    manager = lender.account_manager
    for serial in range(1, 6):
        await a_person(manager, serial, name="张三" if serial < 4 else f"李四{serial}")
    everybody = await names(manager)
    seen, after = [], None
    async with manager.reading() as ctx:
        while True:
            window = Window(first=2, after=after)
            page = await customers(ctx, columns=[TABLE.name, TABLE.id], wanted=CustomerFilter(), window=window)
            seen += [row.name for row in page.rows]
            if not page.has_next:
                break
            after = page.cursors[-1]
        assert await page.total(ctx) == 5
    assert seen == everybody
    assert len(everybody) == 5


async def test_reading_needs_the_permission(lender: LenderAtWork):
    nobody = replace(lender.account_manager, actor=replace(lender.account_manager.actor, permissions=frozenset()))
    with pytest.raises(Denied):
        await names(nobody)
