"""可见文字 · What people type holds no control characters: they cannot be stored (NUL), or would be shown as something else.

Looked for here once, in everything that goes into a field at the root; lines and tabs of a longer text are none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from domain.kernel.refusals import BadInput, InvalidInput

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

Path = tuple[str, ...]


class UnreadableText(BadInput):
    """Control characters in what a query is asked with; `extensions` name the field, as the API calls it."""

    def __init__(self, path: Path) -> None:
        super().__init__("a text holds control characters")
        self.extensions = {"field": [to_camel_case(part) for part in path]}


def refuse_unreadable(arguments: Mapping[str, Any]) -> None:
    """For a mutation, whose one argument is `input`: raises INVALID_INPUT with the path inside it."""
    path = next(unreadable(arguments), None)
    if path is not None:
        raise InvalidInput(path[1:], zh="不能含有控制字符。", en="Control characters cannot be taken.")


def check_readable(arguments: Mapping[str, Any]) -> None:
    """For a query: raises UnreadableText (BAD_USER_INPUT)."""
    path = next(unreadable(arguments), None)
    if path is not None:
        raise UnreadableText(path)


def unreadable(value: Any, path: Path = ()) -> Iterator[Path]:
    """The ways to the texts that hold control characters, keys of JSON objects among them: names, and positions in lists."""
    if isinstance(value, str):
        if CONTROL.search(value):
            yield path
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if CONTROL.search(name):
                yield path
            yield from unreadable(part, (*path, name))
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from unreadable(part, (*path, str(index)))
    elif is_dataclass(value):
        for field in fields(value):
            yield from unreadable(getattr(value, field.name), (*path, field.name))
