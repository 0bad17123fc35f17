"""文书接口 · What the business asks of whoever prints its documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class DocumentError(Exception):
    """The template and the data do not fit together; the message says where."""


class Documents(Protocol):
    """A printer. The same template with the same data always gives the same bytes, so a hash proves what was printed."""

    async def pdf(self, template: str, data: Mapping[str, Any]) -> bytes:
        """The PDF of a template with these data (JSON values). Raises DocumentError."""
        ...
