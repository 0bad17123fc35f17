"""`worker`: carries out jobs without answering requests, for installations that run several machines."""

import os
import sys

import typer

from xiaodai.cli.database import up_to_date
from xiaodai.cli.supervisor import Child, supervise
from xiaodai.observability import configure_logging


def register(app: typer.Typer) -> None:
    app.command()(worker)


def worker() -> None:
    """Carry out jobs and provisioning until SIGTERM; `serve` has one already.

    Example: python3 xd.py worker
    """
    with up_to_date() as settings:
        configure_logging(settings.log_level)
        environment = os.environ | {
            "XIAODAI_HOME": str(settings.home),
            "XIAODAI_DATABASE_URL": str(settings.database_url),
            "XIAODAI_OWNER_DATABASE_URL": str(settings.owner_database_url),
        }
        supervise([Child("job worker", [sys.executable, "-m", "xiaodai.jobs.worker"], environment)])
