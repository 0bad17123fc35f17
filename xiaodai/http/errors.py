"""错误 · Errors at the top of an answer: known codes only. Whatever else happens is INTERNAL: whole in the log, masked outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError

from domain.kernel.refusals import BadInput, Denied, Language, Unauthenticated
from tenancy.current import LenderNotOpen, Overloaded
from xiaodai.http.limits import TooComplex
from xiaodai.observability import masked

log = structlog.get_logger(__name__)

MOST_ERRORS = 5
QUERY_CANCELED = "57014"
DATA_EXCEPTIONS = "22"  # too long, out of range, or a character that cannot be stored

MESSAGES: dict[str, dict[Language, str]] = {
    "UNAUTHENTICATED": {Language.CHINESE: "请先登录。", Language.ENGLISH: "Sign in first."},
    "FORBIDDEN": {Language.CHINESE: "没有权限。", Language.ENGLISH: "You may not do this."},
    "RATE_LIMITED": {
        Language.CHINESE: "请求过于频繁，请稍后再试。",
        Language.ENGLISH: "Too many requests; try again later.",
    },
    "OVERLOADED": {Language.CHINESE: "系统繁忙，请稍后再试。", Language.ENGLISH: "The system is busy; try again."},
    "TIMEOUT": {Language.CHINESE: "处理超时。", Language.ENGLISH: "The operation took too long."},
    "GAP": {Language.CHINESE: "推送中断，请重新读取。", Language.ENGLISH: "The feed has a gap; read anew and resume."},
    "BAD_USER_INPUT": {Language.CHINESE: "输入的值无法保存。", Language.ENGLISH: "A value cannot be stored."},
    "INTERNAL": {Language.CHINESE: "系统内部错误。", Language.ENGLISH: "Something went wrong on our side."},
}


def code_of(error: BaseException | None) -> str:
    """The code of what went wrong."""
    if isinstance(error, (BadInput, Denied, Unauthenticated, TooComplex)):
        return error.code
    if isinstance(error, LenderNotOpen):
        return "UNAUTHENTICATED"
    if isinstance(error, Overloaded):
        return "OVERLOADED"
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if isinstance(error, TimeoutError) or sqlstate == QUERY_CANCELED:
        return "TIMEOUT"
    if sqlstate.startswith(DATA_EXCEPTIONS):
        return "BAD_USER_INPUT"
    return "GAP" if getattr(error, "code", "") == "GAP" else "INTERNAL"


def plain_error(code: str, language: Language, message: str | None = None, **extensions: Any) -> dict[str, Any]:
    """One error that belongs to no field."""
    return {"message": message or MESSAGES[code][language], "extensions": {"code": code, **extensions}}


def formatted(errors: Sequence[GraphQLError], language: Language, request_id: str) -> list[dict[str, Any]]:
    """Errors of a document or of its execution, as the client sees them: at most five."""
    return [_formatted(error, language, request_id) for error in errors[:MOST_ERRORS]]


def _formatted(error: GraphQLError, language: Language, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    asked_wrongly = cause is None or isinstance(cause, GraphQLError)
    if asked_wrongly and (error.path is None or error.message.startswith("Argument ")):
        shown = plain_error("BAD_USER_INPUT", language, masked(error.message))  # it quotes what was sent
    else:
        code = code_of(cause)
        if code == "INTERNAL":
            log.error("operation failed", request_id=request_id, path=error.path, exc_info=cause or error)
        elif isinstance(cause, DBAPIError):
            log.warning("the database refused", request_id=request_id, path=error.path, code=code)
        message = str(cause) if isinstance(cause, BadInput) else None
        shown = plain_error(code, language, message, **(getattr(cause, "extensions", None) or {}))
    if error.path is not None:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return shown
