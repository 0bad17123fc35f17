"""A process that closes days of the lender of a test, and dies by SIGKILL where it is told to; run as a module.

It loads the program once. For each line it is given, a place to die at or `-`, it forks a child that closes the days, and says
how the child ended. A place is the name of a step (killed when its work is done but not committed), `turn`, `chunk` (the
third chunk of loans) or `end` (before the day is closed behind its loans).
"""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import signal
import sys
from datetime import date
from subprocess import PIPE, Popen
from typing import Any

from domain import end_of_day
from domain.kernel import portion
from domain.kernel.context import SYSTEM, Context
from domain.kernel.ports import Ports
from domain.lending.loan import accrual, book, carrying
from domain.tables import metadata
from tenancy.current import Door
from tenancy.lender import Lender
from tests.support.lenders import MASTER_SECRET, Platform
from xiaodai.keys import LenderKeys
from xiaodai.settings import REPOSITORY

LOANS_IN_A_CHUNK, ROWS_IN_A_PART = 1, 2
KEY = b"a key for personal data that is used by tests only"


def places() -> list[str]:
    """Where a day can be killed, in the order in which it comes by."""
    return [*(step.name for step in end_of_day.STEPS), "turn", "chunk", "end"]


def small_parts() -> None:
    """As if the lender were a great one."""
    carrying.LOANS_IN_A_CHUNK = carrying.MANY_LOANS = LOANS_IN_A_CHUNK
    portion.MOST = ROWS_IN_A_PART


class Closer:
    """The process, seen from the test."""

    def __init__(self, place: Platform, lender: Lender, through: date) -> None:
        told = base64.b64encode(pickle.dumps((place.addresses.app, place.installation, lender, through))).decode()
        command, environment = [sys.executable, "-m", __name__, told], os.environ | {"PYTHONPATH": str(REPOSITORY)}
        self._process = Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True)

    def close(self, die_at: str = "-") -> int:
        """0 when the days are closed, -9 when the child was killed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{die_at}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=15)


# --------------------------------------------------------------------------- in the process


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(place: str) -> None:
    """Kills the process when it comes by that place."""

    def after(function: Any, times: int = 1) -> Any:
        left = [times]

        async def run(*args: Any, **named: Any) -> Any:
            answer = await function(*args, **named)
            left[0] -= 1
            if left[0] == 0:
                _die()
            return answer

        return run

    end_of_day.STEPS[:] = [
        step._replace(run=after(step.run)) if step.name == place else step for step in end_of_day.STEPS
    ]
    if place == "turn":
        accrual.post_night = after(accrual.post_night)
    if place == "chunk":
        book.carry_next = after(book.carry_next, 3)
    if place == "end":
        carrying.carry_all = after(carrying.carry_all)


async def _close(app_url: str, installation: str, lender: Lender, through: date) -> None:
    door = Door(app_url, installation, MASTER_SECRET)
    try:
        await end_of_day.run(
            Context(lender=lender, actor=SYSTEM, ports=Ports(door=door, keys=LenderKeys(KEY))), through=through
        )
    finally:
        await door.close()


def main() -> None:
    told = pickle.loads(base64.b64decode(sys.argv[1]))  # written by `Closer`
    metadata()  # all tables, as the worker knows them
    small_parts()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _arm(line.strip())
            asyncio.run(_close(*told))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
