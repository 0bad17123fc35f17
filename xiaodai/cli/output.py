"""What commands say: sentences and tables for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class Problem(Exception):
    """A command cannot go on; the message is one sentence that says what to do."""


class Terminated(SystemExit):
    """SIGTERM arrived; on its way up it ends children and the embedded server."""


def say(sentence: str) -> None:
    console.print(sentence, soft_wrap=True)


def note(sentence: str) -> None:
    """For people only: on standard error, so that a program reading the output does not meet it."""
    errors.print(sentence, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON value a line, without colours, dates as ISO text."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """A list as a table, or as a JSON array."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        say(nothing)
        return
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)
