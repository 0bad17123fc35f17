"""`test`: style, types and tests, on the embedded server or on that of XIAODAI_TEST_DATABASE_URL."""

import os
import subprocess
import sys

import typer

from xiaodai.settings import REPOSITORY, get_settings

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    app.command(context_settings=PASS_ON)(test)


def test(arguments: typer.Context) -> None:
    """Run ruff, mypy and pytest; further arguments go to pytest, and with paths among them pytest runs alone.

    Example: python3 xd.py test -k waiver, or: python3 xd.py test tests/cli -x
    """
    cache = get_settings().home / "cache"
    environment = os.environ | {
        "RUFF_CACHE_DIR": str(cache / "ruff"),
        "MYPY_CACHE_DIR": str(cache / "mypy"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache / "hypothesis"),
    }
    failed = [command[0] for command in steps(arguments.args) if _run(command, environment, str(cache / "pytest"))]
    if failed:
        typer.echo(f"Not passed: {', '.join(failed)}", err=True)
        raise typer.Exit(1)


def steps(arguments: list[str]) -> list[list[str]]:
    """The programs to run, pytest last: who reads the output finds its closing line at the end."""
    names_paths = any((REPOSITORY / argument.split("::")[0]).exists() for argument in arguments)
    if names_paths:
        return [["pytest", *arguments]]
    in_parallel = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2", "--dist", "worksteal"]
    return [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["pytest", *in_parallel, *arguments]]


def _run(command: list[str], environment: dict[str, str], pytest_cache: str) -> int:
    if command[0] == "pytest":
        command = [*command, "-o", f"cache_dir={pytest_cache}"]
    typer.echo(f"· {' '.join(command)}", err=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=REPOSITORY, env=environment).returncode
