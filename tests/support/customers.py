"""Customers and their identifiers: valid ones that belong to nobody (region 999999)."""

from typing import Any

from stdnum.cn import ric, uscc

from domain.configuration.agreement import ConsentType
from domain.customers import enterprise_customer, individual_customer
from domain.customers.consent import Consent
from domain.customers.enterprise_customer import EnterpriseCustomer
from domain.customers.individual_customer import IndividualCustomer
from domain.kernel.context import Context

CARD = "6217000000000000012"
AGREED = (Consent(ConsentType.PERSONAL_DATA, 1), Consent(ConsentType.CREDIT_BUREAU, 1))


def id_number(serial: int, born: str = "19900101") -> str:
    """The ID number of nobody; even serials (up to 999) are female."""
    digits = f"999999{born}{serial:03d}"
    return digits + ric.calc_check_digit(digits + "0")


def credit_code(serial: int) -> str:
    """The unified social credit code of no enterprise."""
    digits = f"91999999MA{serial:07d}"
    return digits + uscc.calc_check_digit(digits + "0")


async def a_person(ctx: Context, serial: int = 1, **changes: Any) -> IndividualCustomer:
    """A person entered by this employee, who agreed to everything that a loan needs."""
    given: dict[str, Any] = {
        "name": f"张三{serial}",
        "id_number": id_number(serial),
        "mobile": f"138{serial:08d}",
        "region_code": "999999",
        "consents": AGREED,
    }
    return await individual_customer.create(ctx, **given | changes)


async def an_enterprise(ctx: Context, serial: int = 1, **changes: Any) -> EnterpriseCustomer:
    """An enterprise entered by this employee."""
    given: dict[str, Any] = {
        "name": f"成都测试{serial}有限公司",
        "uscc": credit_code(serial),
        "legal_representative": f"李四{serial}",
        "mobile": f"139{serial:08d}",
        "region_code": "999999",
    }
    return await enterprise_customer.create(ctx, **given | changes)
