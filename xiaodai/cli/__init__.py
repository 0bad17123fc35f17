"""The command line: `python3 xd.py COMMAND`, or `xiaodai COMMAND` inside the environment. One file per group."""

import os
import signal
import sys
from types import FrameType

import typer
from pydantic import ValidationError

from xiaodai.cli import bench, day, db, demo, operator, schema, serve, tenant, test, verify, worker
from xiaodai.cli.output import Problem, Terminated, errors
from xiaodai.postgres_programs import PostgresError

app = typer.Typer(
    name="xd.py",
    help="Xiaodai, lending for micro-lenders (小额贷款). Start with: python3 xd.py demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (db, operator, tenant, day, schema):
    app.add_typer(group.app)
for single in (demo, serve, worker, test, verify, bench):
    single.register(app)


def main() -> None:
    """Run one command. A refusal is one sentence on standard error and exit 1."""
    signal.signal(signal.SIGTERM, _end_orderly)
    try:
        app(prog_name="python3 xd.py")
    except (Problem, PostgresError) as problem:
        errors.print(f"[red]{problem}[/red]", soft_wrap=True)
        sys.exit(1)
    except ValidationError as wrong:  # of the settings; never shows what was given, which may be a secret
        for error in wrong.errors():
            name = str(error["loc"][0]).upper().removeprefix("XIAODAI_")
            errors.print(f"[red]XIAODAI_{name}: {error['msg']}[/red]", soft_wrap=True)
        sys.exit(1)
    except PermissionError as refused:  # somebody else, root perhaps, ran a command in this home before
        errors.print(
            f"[red]No right to use {refused.filename}: set XIAODAI_HOME to a folder of yours.[/red]", soft_wrap=True
        )
        sys.exit(1)
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end_orderly(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM unwinds like an error, so that children and an embedded server are stopped on the way out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated(128 + signal.SIGTERM)
