"""Every command explains itself with an example; what programs read has --json."""

from collections.abc import Iterator

import click
import pytest
import typer
from typer.testing import CliRunner

from xiaodai.cli import app

ROOT = typer.main.get_command(app)


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


ALL = list(commands(ROOT))


def test_the_commands_of_the_contract_are_there() -> None:
    wanted = {
        "demo", "test", "serve", "worker", "verify", "db start", "db stop", "db status", "db psql", "db reset",
        "operator create", "tenant create", "tenant list", "tenant suspend", "tenant resume", "day run", "schema print",
    }  # fmt: skip
    assert wanted <= {" ".join(path) for path in ALL}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_shows_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    example = " ".join(["python3 xd.py", *path]) if path else "python3 xd.py demo"
    assert example in " ".join(shown.output.split())


@pytest.mark.parametrize(
    "name", ["db status", "db migrate", "tenant list", "tenant create", "day run", "verify", "serve"]
)
def test_what_a_program_would_read_has_json(name: str) -> None:
    shown = CliRunner().invoke(app, [*name.split(), "--help"])
    assert "--json" in shown.output
