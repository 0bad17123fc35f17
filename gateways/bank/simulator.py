"""A bank that behaves like a real one, for sandboxes, the demo and the tests: a small HTTP server.

It is asynchronous (an order is PROCESSING first), takes each reference once, keeps its orders in a file so that a restart
forgets nothing, and misbehaves on request, by the cents of the amount:

| cents | what happens |
| --- | --- |
| .13 | the payment FAILS (the payee's account is closed) |
| .14 | the order is taken but the answer is lost (HTTP 504) |
| .15 | the order is not taken and the answer is an error (HTTP 503), the first time only |
| .16 | the answer to a query comes twice as an old one (PROCESSING) before the true one |
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateways.bank.signature import MOMENT, SIGNATURE, is_genuine

FIELDS = ("reference", "amount", "payerAccount", "payeeName", "payeeAccount", "payeeBank", "purpose", "valueDate")


class Orders:
    """The bank's book of orders, one SQLite file."""

    def __init__(self, path: Path):
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute(
            "create table if not exists orders (reference text primary key, number integer, body text, decided_at real, asked integer)"
        )
        self._db.execute("create table if not exists refused_once (reference text primary key)")

    def refuse_once(self, reference: str) -> bool:
        """True the first time this reference is refused."""
        return self._db.execute("insert or ignore into refused_once values (?)", (reference,)).rowcount == 1

    def take(self, order: dict[str, str], decided_at: float) -> bool:
        """Enters an order once. False when the reference stands with other figures."""
        body = json.dumps(order, sort_keys=True)
        self._db.execute(
            "insert or ignore into orders select ?, coalesce(max(number), 0) + 1, ?, ?, 0 from orders",
            (order["reference"], body, decided_at),
        )
        (stored,) = self._db.execute("select body from orders where reference = ?", (order["reference"],)).fetchone()
        return bool(stored == body)

    def said(self, reference: str, *, asking: bool) -> dict[str, Any] | None:
        """What the bank says of an order now; None when it never got it."""
        found = self._db.execute(
            "update orders set asked = asked + ? where reference = ? returning number, body, decided_at, asked",
            (int(asking), reference),
        ).fetchone()
        if found is None:
            return None
        number, body, decided_at, asked = found
        cents = json.loads(body)["amount"][-2:]
        if time.time() < decided_at or (cents == "16" and asked <= 2):
            return {"reference": reference, "status": "PROCESSING"}
        if cents == "13":
            return {
                "reference": reference,
                "status": "FAILED",
                "reason": "收款账户已销户 The payee's account is closed",
            }
        return {"reference": reference, "status": "PAID", "bankReference": f"SIM{number:010d}"}


def _well_formed(order: Any) -> bool:
    try:
        return all(isinstance(order[name], str) and order[name] for name in FIELDS) and Decimal(order["amount"]) > 0
    except (KeyError, TypeError, InvalidOperation):
        return False


def create_app(path: Path | None = None, secret: str | None = None, *, delay: float | None = None) -> Starlette:
    """The simulator. Unless given, its file, secret and delay (seconds until an order is decided) come from
    XIAODAI_BANK_SIMULATOR_FILE, XIAODAI_BANK_SECRET and XIAODAI_BANK_SIMULATOR_DELAY."""
    orders = Orders(path or Path(os.environ["XIAODAI_BANK_SIMULATOR_FILE"]))
    key = secret or os.environ["XIAODAI_BANK_SECRET"]
    wait = float(os.environ.get("XIAODAI_BANK_SIMULATOR_DELAY", "0.2")) if delay is None else delay

    async def genuine(request: Request) -> bool:
        return is_genuine(
            key,
            request.method,
            request.url.path,
            await request.body(),
            moment=request.headers.get(MOMENT, ""),
            given=request.headers.get(SIGNATURE, ""),
        )

    async def pay(request: Request) -> JSONResponse:
        if not await genuine(request):
            return JSONResponse({"reason": "signature"}, 401)
        try:
            order = json.loads(await request.body())
        except ValueError:
            order = None
        if not _well_formed(order):
            return JSONResponse({"reason": "malformed order"}, 400)
        cents = order["amount"][-2:]
        if cents == "15" and orders.refuse_once(order["reference"]):
            return JSONResponse({"reason": "busy"}, 503)
        if not orders.take(order, time.time() + wait):
            return JSONResponse({"reason": "another order under this reference"}, 409)
        await asyncio.sleep(min(wait, 0.05))
        if cents == "14":
            return JSONResponse({"reason": "time-out"}, 504)
        return JSONResponse(orders.said(order["reference"], asking=False))

    async def query(request: Request) -> JSONResponse:
        if not await genuine(request):
            return JSONResponse({"reason": "signature"}, 401)
        said = orders.said(request.path_params["reference"], asking=True)
        return JSONResponse(said) if said else JSONResponse({"reason": "unknown reference"}, 404)

    return Starlette(
        routes=[Route("/payments", pay, methods=["POST"]), Route("/payments/{reference}", query, methods=["GET"])]
    )
