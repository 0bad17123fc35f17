"""`tenant`: lenders (小额贷款公司) of this installation."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer

from tenancy.address import owner_engine
from tenancy.catalog import Catalog, ProvisionRequest
from tenancy.lender import Lender
from xiaodai.cli.database import up_to_date
from xiaodai.cli.output import Problem, print_json, print_rows, say
from xiaodai.settings import Settings

Found = TypeVar("Found")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Code = Annotated[str, typer.Argument(help="The lender's code.")]


class Licence(StrEnum):
    TRADITIONAL = "TRADITIONAL"
    ONLINE = "ONLINE"
    AGRICULTURAL = "AGRICULTURAL"


app = typer.Typer(name="tenant", help="Lenders. Example: python3 xd.py tenant list", no_args_is_help=True)


@app.command()
def create(
    code: Code,
    name: Annotated[str, typer.Option(help="Full name of the company.")],
    net_assets: Annotated[str, typer.Option(help="Net assets in yuan, for the concentration limits.")],
    open_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First business day.")],
    admin: Annotated[str, typer.Option(help="User name of the first administrator.")] = "admin",
    licence: Annotated[Licence, typer.Option(help="Kind of licence.")] = Licence.TRADITIONAL,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="May move its clock and be reset.")] = False,
    as_json: AsJson = False,
) -> None:
    """Provision a lender; the administrator's password is the first line of standard input, or asked for.

    \b
    Example:
    python3 xd.py tenant create jinjiang --name 锦江惠民小额贷款有限公司 --net-assets 200000000 --open-on 2025-01-01
    """
    password = sys.stdin.readline().rstrip("\r\n") if not sys.stdin.isatty() else _ask()
    if len(password) < 12:
        raise Problem("A password has at least 12 characters.")
    from xiaodai.auth.passwords import hash_password

    request = ProvisionRequest(
        code=code,
        name=name,
        licence_type=licence.value,
        net_assets=_money(net_assets),
        open_on=open_on.date(),
        admin_username=admin,
        admin_password_hash=hash_password(password),
        sandbox=sandbox,
    )
    with up_to_date() as settings:
        lender = asyncio.run(_provision(settings, request))
    _tell(lender, as_json, f"{lender.name} is ready: sign in as {admin} with the code {lender.code}.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """All lenders of this installation.

    Example: python3 xd.py tenant list --json
    """

    async def everyone(catalog: Catalog) -> list[Lender]:
        found: list[Lender] = []
        while page := await catalog.page(after=found[-1].code if found else None):
            found += page
        return found

    rows = [_row(lender) for lender in _ask_catalog(everyone)]
    print_rows(rows, as_json=as_json, nothing="There are no lenders yet: python3 xd.py tenant create --help")


@app.command()
def suspend(code: Code, as_json: AsJson = False) -> None:
    """Stop a lender: within 5 s all its calls and sockets end.

    Example: python3 xd.py tenant suspend jinjiang
    """
    lender = _ask_catalog(lambda catalog: _change(catalog, code, catalog.suspend))
    _tell(lender, as_json, f"{lender.name} is suspended. Undo: python3 xd.py tenant resume {code}")


@app.command()
def resume(code: Code, as_json: AsJson = False) -> None:
    """Let a suspended lender work again.

    Example: python3 xd.py tenant resume jinjiang
    """
    lender = _ask_catalog(lambda catalog: _change(catalog, code, catalog.resume))
    _tell(lender, as_json, f"{lender.name} is active.")


def _ask_catalog(question: Callable[[Catalog], Awaitable[Found]]) -> Found:
    async def ask(settings: Settings) -> Found:
        catalog = Catalog(str(settings.database_url))
        try:
            return await question(catalog)
        finally:
            await catalog.close()

    with up_to_date() as settings:
        return asyncio.run(ask(settings))


async def _provision(settings: Settings, request: ProvisionRequest) -> Lender:
    from domain.tables import metadata  # the whole business, which no other command should wait for
    from migrations.line import TENANT
    from tenancy.naming import BadName
    from tenancy.provision import Blueprint, CodeTaken, provision
    from xiaodai.fill import fill

    blueprint = Blueprint(tables=TENANT.text(None), revision=TENANT.head, metadata=metadata(), fill=fill)
    owner = owner_engine(str(settings.owner_database_url))
    try:
        return await provision(owner, request, blueprint, master_secret=settings.master_secret)
    except (BadName, CodeTaken) as refused:
        raise Problem(f"{str(refused)[0].upper()}{str(refused)[1:]}: choose another code.") from refused
    finally:
        await owner.dispose()


async def _change(catalog: Catalog, code: str, action: Callable[[Any], Awaitable[Lender | None]]) -> Lender:
    lender = await catalog.find(code)
    changed = await action(lender.id) if lender else None
    if changed is None:
        raise Problem(f"There is no open lender with the code {code}: see python3 xd.py tenant list.")
    return changed


def _tell(lender: Lender, as_json: bool, sentence: str) -> None:
    print_json(_row(lender)) if as_json else say(sentence)


def _row(lender: Lender) -> dict[str, Any]:
    names = ("code", "name", "status", "licence_type", "sandbox", "business_date", "created_at")
    return {name: getattr(lender, name) for name in names}


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise Problem(f"{text} is not an amount of money: write it like 200000000.00.") from None
    if not amount.is_finite() or amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise Problem(f"{text} is not an amount of money: it is above zero and has at most two decimals.")
    return amount


def _ask() -> str:
    return str(typer.prompt("Password of the administrator", hide_input=True, confirmation_prompt=True))
