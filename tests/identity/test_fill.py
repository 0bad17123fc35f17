"""A fresh lender: nothing that a module writes for it is forgotten, and the first administrator can begin."""

from pathlib import Path

import domain
from domain.kernel.clock import BusinessClock
from domain.ledger.account import Account
from domain.organization.employee import Employee
from tests.support.actors import LenderAtWork
from xiaodai.fill import MODULES

ADMINISTRATOR_BEGINS_WITH = {
    "configuration.loan_product.create",
    "configuration.company_account.create",
    "organization.department.create",
    "organization.role.create",
    "organization.employee.create",
    "end_of_day.day.run",
    "configuration.api.introspect",
}


def test_every_fill_is_called():
    folder = Path(domain.__file__).parent
    written = {
        ".".join(("domain", *path.relative_to(folder).with_suffix("").parts))
        for path in folder.rglob("*.py")
        if "\nasync def fill(" in path.read_text("utf-8")
    }
    assert written == set(MODULES)


async def test_the_day_is_open_and_the_chart_is_there(shared_lender: LenderAtWork):
    (clock,) = await shared_lender.rows(BusinessClock)
    assert (clock.business_date.isoformat(), clock.sandbox) == ("2025-01-01", True)
    assert {row.code for row in await shared_lender.rows(Account)} >= {"1002", "4001"}


async def test_the_first_administrator_can_set_everything_up(shared_lender: LenderAtWork):
    administrator = shared_lender.tenant_admin.actor
    assert administrator.role_codes == {"TENANT_ADMIN"}
    assert administrator.permissions >= ADMINISTRATOR_BEGINS_WITH
    (row,) = await shared_lender.rows(Employee, Employee.id == administrator.id)
    assert row.number == "YG-2025-0001"
