"""The last words of the demo: the figures of each lender, the log-ins, and where to look."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xiaodai.cli.output import Problem
from xiaodai.demo import operations
from xiaodai.demo.lenders import PASSWORD
from xiaodai.demo.office import Office

PEOPLE = {
    "gm": "general manager", "risk": "risk officer", "business1": "business manager", "manager1": "account manager",
    "accountant": "accountant", "cashier": "cashier", "admin": "administrator",
}  # fmt: skip


async def figures(office: Office) -> dict[str, Any]:
    """What the general manager's dashboard says. Raises Problem if debits and credits differ."""
    manager = await office.by("gm")
    shown = (await manager.ask(operations.STATISTICS))["statistics"]
    lines = (await manager.ask(operations.TRIAL_BALANCE))["trialBalance"]
    debit, credit = (sum((Decimal(line[side]) for line in lines), Decimal(0)) for side in ("debit", "credit"))
    if debit != credit:
        raise Problem(f"{office.code}: debits {debit} and credits {credit} differ; see python3 xd.py verify.")
    return {"lender": office.code, "name": office.plan.name, "turnover": str(debit), **shown}


def summary(url: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything a program needs to go on."""
    logins = [
        {"tenant": line["lender"], "username": username, "password": PASSWORD, "role": role}
        for line in lines
        for username, role in PEOPLE.items()
    ]
    return {"url": url, "graphql": f"{url}/graphql", "lenders": lines, "logins": logins}


def last_words(url: str, lines: list[dict[str, Any]]) -> list[str]:
    """For people."""
    told = [""]
    for line in lines:
        told.append(
            f"[bold]{line['name']}[/] ({line['lender']}) on {line['on']}: {line['loanCount']} loans of "
            f"{line['customerCount']} customers, outstanding {line['outstanding']} CNY, overdue "
            f"{_percent(line['overdueRatio'])}, non-performing {_percent(line['nplRatio'])}, "
            f"{line['pendingTaskCount']} tasks; debit = credit = {line['turnover']}"
        )
    people = ", ".join(f"{username} ({role})" for username, role in PEOPLE.items())
    codes = ", ".join(line["lender"] for line in lines)
    return [
        *told,
        "",
        f"GraphQL   {url}/graphql",
        f"Lenders   {codes}",
        f"Log-ins   {people}",
        f"Password  {PASSWORD}",
        "Try       curl -s " + f"{url}/graphql -H 'content-type: application/json' -d "
        + "'{\"query\":\"mutation { signIn(input: {tenant: \\\"" + lines[0]["lender"] + "\\\", username: \\\"gm\\\", "
        + f"password: \\\"{PASSWORD}\\\"" + "}) { token } }\"}'",
        "Look      docs/tour.md leads through it; python3 xd.py verify proves the books of all lenders",
    ]  # fmt: skip


def _percent(rate: str) -> str:
    return f"{Decimal(rate) * 100:.2f} %"
