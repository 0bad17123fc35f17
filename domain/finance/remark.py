"""备注 · What a person may add to an act at the cash desk."""

from __future__ import annotations

from domain.organization.department import check_text

LONGEST = 500


def remark(text: str | None) -> str | None:
    """The comment in its plain form, or none where it says nothing. Raises InvalidInput above 500 characters."""
    return check_text("comment", text, LONGEST) if text and text.strip() else None
