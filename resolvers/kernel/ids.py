"""标识 · Global ids: read here only, so that a malformed one is always BAD_USER_INPUT and never a crash."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import overload
from uuid import UUID

from domain.kernel.refusals import BadInput

NOBODY = UUID(int=0)
_FORM = re.compile(r"([A-Z][A-Za-z]{0,79}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)


def decode(global_id: str) -> tuple[str, UUID]:
    """Type and key of a global id. Raises BadInput."""
    try:
        text = base64.b64decode(global_id.encode("ascii"), validate=True).decode("ascii")
    except (UnicodeError, binascii.Error):
        text = ""
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadInput("this is not an id")
    return found[1], UUID(found[2])


@overload
def key(global_id: str, *types: str) -> UUID: ...
@overload
def key(global_id: None, *types: str) -> None: ...
def key(global_id: str | None, *types: str) -> UUID | None:
    """The key of an id of one of these types. The id of anything else answers like an unknown one: a key nothing has.

    Raises BadInput for what is no id at all."""
    if global_id is None:
        return None
    name, found = decode(global_id)
    return found if name in types else NOBODY


def keys(global_ids: Sequence[str] | None, *types: str) -> list[UUID]:
    """`key` for a list; none given is an empty list."""
    return [key(global_id, *types) for global_id in global_ids or ()]
