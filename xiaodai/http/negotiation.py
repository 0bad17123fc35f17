"""媒体类型 · Which media type an answer takes, and whether a body is JSON."""

from __future__ import annotations

from email.message import Message

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON_TYPE = "application/json"
OFFERED = {GRAPHQL_RESPONSE: 1, JSON_TYPE: 0}  # between equals the more precise one wins
WILDCARDS = ("*/*", "application/*")


def acceptable(accept: str | None) -> str | None:
    """The media type that the client likes best; JSON where it does not say or takes anything; None where we have none."""
    if accept is None or not accept.strip():
        return JSON_TYPE
    best: tuple[float, int, str] | None = None
    for part in accept.split(","):
        name, quality = _read(part)
        media = JSON_TYPE if name in WILDCARDS else name
        if media in OFFERED and quality > 0:
            offer = (quality, OFFERED[media], media)
            best = offer if best is None else max(best, offer)
    return best[2] if best else None


def _read(part: str) -> tuple[str, float]:
    message = _message(part)
    charset = message.get_param("charset")
    if charset is not None and str(charset).lower() not in ("utf-8", "utf8"):
        return "", 0.0
    try:
        return message.get_content_type().lower() if "/" in part else "", float(str(message.get_param("q") or 1))
    except ValueError:
        return "", 0.0


def body_type_is_json(content_type: str | None) -> bool:
    """application/json, in UTF-8 or without saying so."""
    if not content_type or "/" not in content_type:
        return False
    message = _message(content_type)
    charset = message.get_param("charset")
    return message.get_content_type() == JSON_TYPE and (charset is None or str(charset).lower() in ("utf-8", "utf8"))


def _message(header: str) -> Message:
    message = Message()
    message["content-type"] = header.strip()
    return message
