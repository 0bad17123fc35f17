"""`operator`: the people who run the platform. They provision and suspend lenders and see nothing inside them."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.dialects.postgresql import insert

from tenancy.address import owner_engine
from tenancy.catalog import new_id
from tenancy.tables import operators
from xiaodai.cli.database import up_to_date
from xiaodai.cli.output import Problem, print_json, say
from xiaodai.settings import Settings

SHORTEST_PASSWORD = 12

app = typer.Typer(
    name="operator",
    help="People who run the platform. Example: python3 xd.py operator create --username root",
    no_args_is_help=True,
)


@app.callback()
def operator() -> None:
    """People who run the platform.

    Example: python3 xd.py operator create --username root
    """


@app.command()
def create(
    username: Annotated[str, typer.Option(help="Name to sign in with, without a lender's code.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Create one; the password comes from a prompt, standard input, or XIAODAI_OPERATOR_PASSWORD.

    Example: python3 xd.py operator create --username root --password-stdin < password.txt
    """
    if username != username.strip() or not 1 <= len(username) <= 100:
        raise Problem("A user name has 1 to 100 characters and no space at its ends.")
    password = _password(password_stdin)
    if len(password) < SHORTEST_PASSWORD:
        raise Problem(f"A password has at least {SHORTEST_PASSWORD} characters.")
    with up_to_date() as settings:
        if not asyncio.run(add_operator(settings, username, password)):
            raise Problem(f"There is an operator {username} already: choose another name.")
    if as_json:
        print_json({"username": username})
    else:
        say(f"The operator {username} may sign in now.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if given := os.environ.get("XIAODAI_OPERATOR_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        raise Problem("No terminal to ask for the password: use --password-stdin or XIAODAI_OPERATOR_PASSWORD.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


async def add_operator(settings: Settings, username: str, password: str) -> bool:
    """Adds one with the owner's login; False if the name is taken."""
    from xiaodai.auth.passwords import hash_password

    row = {
        "id": new_id(),
        "username": username,
        "password_hash": hash_password(password),
        "active": True,
        "failed_sign_ins": 0,
        "created_at": datetime.now(UTC),
    }
    owner = owner_engine(str(settings.owner_database_url))
    try:
        async with owner.begin() as connection:
            adding = insert(operators).values(**row).on_conflict_do_nothing(index_elements=["username"])
            return (await connection.execute(adding.returning(operators.c.id))).first() is not None
    finally:
        await owner.dispose()
