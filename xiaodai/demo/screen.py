"""What one sees: a bar for each lender and a line for each thing that happens; JSON lines for programs."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from xiaodai.cli.output import console, print_json


class Screen:
    """Used as a context manager. Bars move on a terminal; the lines are printed everywhere."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[day]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=as_json or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def lender(self, code: str, name: str, days: int) -> None:
        """A bar for a lender whose story lasts some days."""
        self._bars[code] = self._progress.add_task(name, total=max(days, 1), day="")

    def day(self, code: str, day: date, passed: int) -> None:
        """The lender has come to this business day."""
        self._progress.update(self._bars[code], completed=passed, day=day.isoformat())

    def tell(self, step: str, *, lender: str | None = None, on: date | None = None, story: int | None = None) -> None:
        """Something happened: one line. `story` is its number in the demo plan (docs/tour.md)."""
        if self._as_json:
            told = {"lender": lender, "on": on, "story": story, "step": Text.from_markup(step).plain}
            print_json({name: value for name, value in told.items() if value is not None})
            return
        when = f"[dim]{on or ''!s:10}[/] [cyan]{lender or '':9}[/] "
        number = f"[yellow]({story})[/] " if story else ""
        self._progress.console.print(f"{when}{number}{step}", soft_wrap=True)

    def finish(self, summary: dict[str, Any], sentences: list[str]) -> None:
        """The last words: one object for programs, sentences for people."""
        if self._as_json:
            print_json(summary)
        else:
            for sentence in sentences:
                console.print(sentence, soft_wrap=True)
