"""Personal data in rows: masked for most, plain for few, and who saw it is written down."""

from typing import Any

import pytest
from sqlalchemy import select

from domain.kernel.audit import AuditEntry
from domain.kernel.personal_data import READ, seal, shown, unseal
from domain.organization.employee import Employee
from tests.support.actors import LenderAtWork
from xiaodai.keys import CannotOpen

MOBILE = "13800001234"


async def with_mobile(lender: LenderAtWork) -> Any:
    async with lender.system.writing() as ctx:
        person = (await ctx.session.execute(select(Employee).where(Employee.id == lender.legal.actor.id))).scalar_one()
        seal(ctx, person, "mobile", MOBILE)
        assert unseal(ctx, person, "mobile") == MOBILE
        return person


async def test_most_see_the_mask_and_nothing_is_written(lender: LenderAtWork):
    person = await with_mobile(lender)
    assert not lender.cashier.actor.may(READ)
    async with lender.cashier.reading() as ctx:
        assert await shown(ctx, Employee, "mobile", await lender.rows(Employee, Employee.id == person.id)) == {
            person.id: "138****1234"
        }
    assert await lender.rows(AuditEntry) == []


async def test_who_may_see_it_leaves_one_audit_row_that_does_not_repeat_it(lender: LenderAtWork):
    person = await with_mobile(lender)
    async with lender.risk_officer.reading() as ctx:
        seen = await shown(ctx, Employee, "mobile", await lender.rows(Employee))
    assert seen[person.id] == MOBILE
    assert set(seen.values()) == {MOBILE, None}
    (entry,) = await lender.rows(AuditEntry)
    assert (entry.permission, entry.actor_id) == (READ, lender.risk_officer.actor.id)
    assert entry.changes == [{"table": "employees", "disclosed": "mobile", "ids": [str(person.id)]}]
    assert MOBILE not in repr(tuple(entry))


async def test_emptied_data_leaves_nothing(lender: LenderAtWork):
    await with_mobile(lender)
    async with lender.system.writing() as ctx:
        person = (await ctx.session.execute(select(Employee).where(Employee.id == lender.legal.actor.id))).scalar_one()
        seal(ctx, person, "mobile", None)
    (kept,) = await lender.rows(Employee, Employee.id == lender.legal.actor.id)
    assert (kept.mobile_sealed, kept.mobile_masked) == (None, None)


async def test_the_same_number_at_another_lender_is_sealed_for_that_lender_only(
    lender: LenderAtWork, shared_lender: LenderAtWork
):
    await with_mobile(lender)
    (kept,) = await lender.rows(Employee, Employee.id == lender.legal.actor.id)
    place, keys = f"employees/mobile/{kept.id}", lender.ports.keys
    assert keys.open(lender.lender, place, kept.mobile_sealed) == MOBILE
    with pytest.raises(CannotOpen):
        keys.open(shared_lender.lender, place, kept.mobile_sealed)
