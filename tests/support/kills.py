"""A process that is killed, played within the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed_before(statement: int) -> Iterator[None]:
    """The process is gone before its n-th statement, counted from 1; whatever it had not committed is lost."""
    left = statement

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)
