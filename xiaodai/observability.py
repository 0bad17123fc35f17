"""Logs and figures about the running program. Nothing personal gets into either.

Every log line passes `without_personal_data`: values under a personal or secret key are dropped, and whatever looks like
an ID number, a mobile number or a bank account is masked wherever it stands, in messages and tracebacks too.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client.multiprocess import MultiProcessCollector

# A key is personal or secret if one of these is part of it: `borrower_mobile`, `initialPassword`.
HIDDEN_KEYS = (
    "id_number", "idnumber", "mobile", "phone", "address", "account_number", "accountnumber", "card", "password",
    "secret", "token", "authorization", "cookie", "full_name", "fullname", "customer_name", "email", "variables",
)  # fmt: skip
LOOKS_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z-])(?:"
    r"(?P<id>[1-9]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])[0-3]\d\d{3}[\dXx])"  # 公民身份号码
    r"|(?P<mobile>(?:\+?86)?1[3-9]\d{9})"
    r"|(?P<account>\d{15,19})"
    r")(?![0-9A-Za-z-])"
)

OPERATIONS = Counter("xiaodai_operations", "GraphQL operations answered", ["kind", "outcome"])
OPERATION_SECONDS = Histogram(
    "xiaodai_operation_seconds", "Time of one operation", ["kind"], buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)
REFUSED_REQUESTS = Counter("xiaodai_refused_requests", "Requests stopped by a limit before any work", ["reason"])
OPEN_SOCKETS = Gauge("xiaodai_open_sockets", "WebSockets open now", multiprocess_mode="livesum")
JOBS = Counter("xiaodai_jobs", "Jobs carried out", ["kind", "outcome"])


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """One JSON object a line, for our own events and those of libraries alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        without_personal_data,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for talkative in ("httpx", "alembic"):  # the one would log addresses with everything in them
        logging.getLogger(talkative).setLevel(logging.WARNING)


def without_personal_data(_logger: Any, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The last processor before a line is written."""
    return {key: _cleaned(key, value) for key, value in event.items()}


def masked(text: str) -> str:
    """`13812345678` → `138****5678`; ID and account numbers keep their last four."""

    def mask(found: re.Match[str]) -> str:
        if found["mobile"]:
            return f"{found[0][:-8]}****{found[0][-4:]}"
        return f"****{found[0][-4:]}"

    return LOOKS_PERSONAL.sub(mask, text)


def _cleaned(key: str, value: Any) -> Any:
    if any(hidden in key.lower() for hidden in HIDDEN_KEYS):
        return "[hidden]"
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {str(inner): _cleaned(str(inner), item) for inner, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned(key, item) for item in value]
    if value is None or isinstance(value, (bool, float)):
        return value
    text = masked(str(value))
    return value if isinstance(value, int) and text == str(value) else text


def metrics() -> tuple[bytes, str]:
    """What `/metrics` answers, and its content type; summed over all processes of `serve`."""
    registry = DEFAULT_REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
