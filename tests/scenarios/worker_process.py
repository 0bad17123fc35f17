"""The real job worker as a process over the database of a test; run as a module, `start` does it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.api.processes import INSTALLATION
from tests.support.lenders import MASTER_SECRET, Platform
from xiaodai.jobs.worker import work
from xiaodai.settings import REPOSITORY, get_settings


def start(place: Platform, home: Path) -> subprocess.Popen[bytes]:
    """A worker that goes on until it is ended or killed."""
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "XIAODAI_HOME": str(home),
        "XIAODAI_DATABASE_URL": place.addresses.app,
        "XIAODAI_OWNER_DATABASE_URL": place.addresses.owner,
        "XIAODAI_MASTER_SECRET": MASTER_SECRET.decode(),
        INSTALLATION: place.installation,
    }
    return subprocess.Popen([sys.executable, "-m", __name__], env=environment)


if __name__ == "__main__":
    asyncio.run(work(get_settings().model_copy(update={"given_installation": os.environ[INSTALLATION]})))
