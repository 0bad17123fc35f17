"""`db`: the embedded PostgreSQL by hand, and migrations on any server."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from xiaodai.cli.database import database, embedded
from xiaodai.cli.database import migrate as bring_up_to_date
from xiaodai.cli.output import Problem, print_json, print_rows, say
from xiaodai.postgres_programs import PostgresPrograms, psql_environment
from xiaodai.settings import get_settings

app = typer.Typer(name="db", help="The database. Example: python3 xd.py db status", no_args_is_help=True)


@app.command()
def start() -> None:
    """Start it and leave it running.

    Example: python3 xd.py db start
    """
    server = embedded(get_settings())
    server.start()
    say(f"PostgreSQL runs on 127.0.0.1:{server.port()}. Stop it with: python3 xd.py db stop")


@app.command()
def stop() -> None:
    """Stop it, also under running commands.

    Example: python3 xd.py db stop
    """
    embedded(get_settings()).stop()
    say("PostgreSQL is stopped.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Whether it runs; exit code 3 if not.

    Example: python3 xd.py db status --json
    """
    server = embedded(get_settings())
    running = server.is_running()
    port = server.port() if running else None
    if as_json:
        print_json({"running": running, "port": port, "folder": str(server.folder)})
    else:
        say(f"PostgreSQL runs on 127.0.0.1:{port}." if running else "PostgreSQL is stopped.")
    raise typer.Exit(0 if running else 3)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    arguments: typer.Context,
    login: Annotated[str, typer.Option(help="owner, app, or admin (embedded server only)")] = "owner",
) -> None:
    """Open psql, or pass on its options.

    Example: python3 xd.py db psql -c 'select code, status from catalog.lenders'
    """
    settings = get_settings()
    with database() as ready:
        addresses = {"owner": ready.owner_database_url, "app": ready.database_url}
        if not settings.database_url:
            addresses["admin"] = embedded(settings).addresses().admin
        if not (address := addresses.get(login)):
            raise Problem(f"There is no login {login!r} here: choose one of {', '.join(addresses)}.")
        program = PostgresPrograms(settings.home, settings.pg_bin).psql_path()
        code = os.spawnvpe(os.P_WAIT, program, [program, *arguments.args], psql_environment(address))
    raise typer.Exit(code)


@app.command()
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change no lender.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Bring the catalog and all lenders to the newest revision; exit code 1 if one fails, the others are done.

    Example: python3 xd.py db migrate --dry-run
    """
    with database() as settings:
        report = asyncio.run(bring_up_to_date(settings, dry_run=dry_run))
    rows = [{"lender": done.lender.code, "state": done.state, "said": done.said} for done in report.outcomes]
    print_rows(rows, as_json=as_json, nothing="The catalog is up to date; there are no lenders yet.")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete the embedded database with all lenders.

    Example: python3 xd.py db reset --yes
    """
    server = embedded(get_settings())
    if not yes:
        if not sys.stdin.isatty():
            raise Problem(f"This deletes all data in {server.folder}: repeat the command with --yes.")
        typer.confirm(f"Delete all data in {server.folder}?", abort=True)
    server.reset()
    say("The embedded database is deleted; the next command makes a new one.")
