"""From nothing to a lender that can lend: the operator provisions it, its administrator sets it up."""

from __future__ import annotations

from datetime import date

from xiaodai.demo import operations
from xiaodai.demo.client import Person
from xiaodai.demo.lenders import PASSWORD
from xiaodai.demo.office import Office
from xiaodai.demo.people import BANK


async def found(office: Office, operator: Person) -> None:
    """Provisions the lender, then departments, staff, products and the account that money goes out of and comes in to."""
    plan = office.plan
    await operator.mutate(
        "provisionTenant", code=office.code, name=plan.name, licenceType=plan.licence, netAssets=plan.net_assets,
        openOn=office.opened.isoformat(), adminUsername="admin", adminPassword=PASSWORD, sandbox=True,
    )  # fmt: skip
    admin = await office.by("admin")
    roles = {role["code"]: role["id"] for role in (await admin.ask(operations.ROLES))["roles"]}
    departments = {}
    for code, name in plan.departments:
        made = await admin.mutate("createDepartment", code=code, name=name)
        departments[code] = made["department"]["id"]
    for colleague in plan.staff:
        made = await admin.mutate(
            "createEmployee", name=colleague.name, departmentId=departments[colleague.department],
            roleIds=[roles[code] for code in colleague.roles], username=colleague.username, initialPassword=PASSWORD,
        )  # fmt: skip
        office.employees[colleague.username] = made["employee"]["id"]
    for product in (*plan.products, *plan.lines):
        made = await admin.mutate("createLoanProduct", code=product.code, name=product.name, **product.terms)
        office.products[product.code] = made["product"]["id"]
    await _say_taxpayer(office)
    account = await (await office.by("accountant")).mutate(
        "createCompanyAccount", name=f"{plan.name}基本户", bank=BANK, accountNumber=office.registry.card(999_999),
        uses=["DISBURSE", "COLLECT", "FEES"], openingBalance=office.size.own_money,
    )  # fmt: skip
    office.account_id = account["account"]["id"]
    office.tell(
        f"{plan.name} is founded: {len(plan.departments)} departments, {len(plan.staff) + 1} people, "
        f"{len(plan.products)} products, {office.size.own_money} CNY in the bank"
    )


async def _say_taxpayer(office: Office) -> None:
    """增值税 · A fresh lender books no tax before it says which taxpayer it is: proposed by the administrator, approved by
    the general manager. Small loans to farmers are free without being asked (parameter `farmer_relief_limit`)."""
    admin, manager = await office.by("admin"), await office.by("gm")
    for since, rate in office.plan.vat:
        proposed = await admin.mutate(
            "proposeParameter", code="vat_rate", value=rate, effectiveFrom=(since or office.opened).isoformat(),
            reason="纳税人登记",
        )  # fmt: skip
        await manager.mutate("approveParameter", parameterId=proposed["parameter"]["id"])


async def meet_again(office: Office) -> None:
    """A lender founded in an earlier telling: finds the ids of its people, products and account."""
    admin = await office.by("admin")
    known = await admin.ask(operations.FOUND_AGAIN)
    numbers = {person["name"]: person["id"] for person in known["employees"]["nodes"]}
    office.employees = {colleague.username: numbers[colleague.name] for colleague in office.plan.staff}
    office.products = {product["code"]: product["id"] for product in known["loanProducts"]["nodes"]}
    office.calendar.today = date.fromisoformat(known["viewer"]["businessDate"])
    office.tell(f"{office.plan.name} has lived through its story before")
