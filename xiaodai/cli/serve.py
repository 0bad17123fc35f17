"""`serve`: the API, the job worker and the simulated bank, kept running until SIGTERM or Ctrl-C."""

import http.client
import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client.multiprocess import mark_process_dead

from xiaodai import api_process
from xiaodai.cli.database import up_to_date
from xiaodai.cli.output import Problem, Terminated, note, print_json, say
from xiaodai.cli.supervisor import Child, supervise
from xiaodai.observability import configure_logging
from xiaodai.settings import Settings, get_settings

OWNERS_ONLY = ("XIAODAI_OWNER_DATABASE_URL", "XIAODAI_TEST_DATABASE_URL", "XIAODAI_OPERATOR_PASSWORD")

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [XIAODAI_HOST or 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port, 0 for any [XIAODAI_PORT or 8000].")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that answer requests.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print {url} as JSON when ready.")] = False,
) -> None:
    """Serve the API and run the jobs until SIGTERM or Ctrl-C.

    Example: python3 xd.py serve --port 8000 --workers 2
    """
    chosen = {"host": host, "port": port, "workers": workers}
    settings = get_settings().model_copy(update={name: value for name, value in chosen.items() if value is not None})
    configure_logging(settings.log_level)
    with listening(settings.host, settings.port) as listener:
        url = f"http://{settings.host}:{listener.getsockname()[1]}"

        def announce() -> None:
            print_json({"url": url}) if as_json else say(f"Xiaodai is ready: {url} (Ctrl-C ends it)")

        try:
            with up_to_date() as database:
                run(settings.model_copy(update=_addresses(database)), listener, ReadyOnce(listener, announce))
        except (KeyboardInterrupt, Terminated):
            note("Ended.")


def run(settings: Settings, listener: socket.socket, each_turn: Callable[[], None]) -> None:
    """Starts and supervises all processes; `settings` has both database addresses."""
    metrics = settings.home / "metrics" / str(os.getpid())
    shutil.rmtree(metrics, ignore_errors=True)  # of a killed process that bore the same number
    metrics.mkdir(parents=True)
    try:
        with listening("127.0.0.1", 0) as bank:
            children = processes(settings, listener, bank, metrics)
            forget = partial(mark_process_dead, path=str(metrics))
            supervise(children, on_death=forget, each_turn=each_turn)
    finally:
        shutil.rmtree(metrics, ignore_errors=True)


def processes(settings: Settings, listener: socket.socket, bank: socket.socket, metrics: Path) -> list[Child]:
    """Who runs. The processes that answer requests never see the owner's login."""
    bank_url = settings.bank_simulator_url or f"http://127.0.0.1:{bank.getsockname()[1]}"
    answering = {name: value for name, value in os.environ.items() if name not in OWNERS_ONLY} | {
        "XIAODAI_HOME": str(settings.home),
        "XIAODAI_DATABASE_URL": str(settings.database_url),
        "XIAODAI_WORKERS": str(settings.workers),
        "XIAODAI_LOG_LEVEL": settings.log_level,
        "XIAODAI_BANK_SIMULATOR_URL": bank_url,
        "XIAODAI_BANK_SECRET": settings.bank_secret,
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    working = answering | {"XIAODAI_OWNER_DATABASE_URL": str(settings.owner_database_url)}
    children = [
        Child(f"API {number}", api_process.command(listener), answering, sockets=[listener.fileno()])
        for number in range(1, settings.workers + 1)
    ]
    children.append(Child("job worker", [sys.executable, "-m", "xiaodai.jobs.worker"], working))
    if not settings.bank_simulator_url:
        children.append(bank_simulator(settings, bank))
    return children


def bank_simulator(settings: Settings, bank: socket.socket) -> Child:
    """The bank of sandbox lenders: somebody else's program, so it gets nothing but its book and the signing secret."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XIAODAI_")} | {
        "XIAODAI_HOME": str(settings.home),
        "XIAODAI_LOG_LEVEL": settings.log_level,
        "XIAODAI_BANK_SIMULATOR_FILE": str(settings.home / "bank_simulator.sqlite"),
        "XIAODAI_BANK_SECRET": settings.bank_secret,
    }
    command = api_process.command(bank, "gateways.bank.simulator:create_app", "auto")
    return Child("bank simulator", command, environment, sockets=[bank.fileno()])


def listening(host: str, port: int) -> socket.socket:
    """A listening socket that all API processes share. Raises Problem if the port is taken."""
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Problem(f"Cannot listen on {host}:{port} ({error.strerror}): choose another --port or --host.") from None
    return listener


@dataclass
class ReadyOnce:
    """Called each turn of the supervisor: announces, once, that /readyz answers 200."""

    listener: socket.socket
    announce: Callable[[], None]
    done: bool = False

    def __call__(self) -> None:
        if not self.done and self.answered():
            self.done = True
            self.announce()

    def answered(self) -> bool:
        host, port = self.listener.getsockname()[:2]
        connection = http.client.HTTPConnection(ANY_ADDRESS.get(host, host), port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _addresses(settings: Settings) -> dict[str, str | None]:
    return {"database_url": settings.database_url, "owner_database_url": settings.owner_database_url}
