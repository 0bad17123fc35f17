"""`demo`: from nothing to a running system with three lenders, whose story is lived through the public API."""

import asyncio
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer

from xiaodai.cli.database import up_to_date
from xiaodai.cli.operator import add_operator
from xiaodai.cli.output import Problem, Terminated, note
from xiaodai.cli.serve import ReadyOnce, listening, run
from xiaodai.observability import configure_logging
from xiaodai.settings import Settings, get_settings, kept_secret

OPERATOR = "demo-operator"


class StoryOver(Exception):
    """The story is told and nobody wants to go on: ends the supervisor's loop."""


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the story is told, on a terminal too.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Go on serving, without a terminal too.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Two years, three lenders, 600 loans.")] = False,
    port: Annotated[int | None, typer.Option(help="Port, 0 for any [8000, or any if it is taken].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each step and the log-ins as JSON lines.")] = False,
) -> None:
    """Show everything: each step is printed as it happens, then the address and the log-ins.

    On a terminal it goes on serving; without one it ends with exit code 0.

    Example: python3 xd.py demo --once
    """
    from xiaodai import demo as story

    stay = not once and (serve or (sys.stdin.isatty() and sys.stdout.isatty()))
    settings = get_settings()
    configure_logging("WARNING")
    password = kept_secret(settings.home, "demo_operator_password", lambda: secrets.token_urlsafe(12))
    with listener_for(settings, port) as listener:
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        note(f"Starting the database and the server at {url} …")
        with up_to_date() as database:
            asyncio.run(add_operator(database, OPERATOR, password))
            teller = Teller(lambda: story.run(url, operator=(OPERATOR, password), full=full, as_json=as_json))
            ready = ReadyOnce(listener, teller.start)

            @cache
            def say_how_to_end() -> None:
                note(f"Serving at {url} until Ctrl-C.")

            def each_turn() -> None:
                ready()
                if teller.finished():
                    if not stay:
                        raise StoryOver
                    say_how_to_end()

            try:
                run(database.model_copy(update={"log_level": "WARNING"}), listener, each_turn)
            except StoryOver:
                note("All that was started has ended. Look around with: python3 xd.py demo --serve")
            except (KeyboardInterrupt, Terminated):
                note("Ended.")


def listener_for(settings: Settings, port: int | None) -> socket.socket:
    """The port that was asked for; else the usual one, or any if somebody has it."""
    if port is not None:
        return listening(settings.host, port)
    try:
        return listening(settings.host, settings.port)
    except Problem:
        return listening(settings.host, 0)


class Teller:
    """Tells the story beside the supervisor, which must keep the main thread for its signals."""

    def __init__(self, story: Callable[[], object]) -> None:
        self.story = story
        self.failure: Exception | None = None
        self.thread = threading.Thread(target=self._tell, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def finished(self) -> bool:
        """Whether it is told to the end. Raises what went wrong in it."""
        if self.failure:
            raise self.failure
        return self.thread.ident is not None and not self.thread.is_alive()

    def _tell(self) -> None:
        try:
            self.story()
        except Exception as failure:
            self.failure = failure
