"""The bank over HTTP: the client that runs in production, in the demo and in the tests alike."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

import httpx

from gateways.bank.port import BankRefused, BankUnavailable, PaymentOrder, PaymentResult, PaymentStatus
from gateways.bank.signature import signed

PAYMENTS = "/payments"
LONGEST_REFERENCE = 100
LONGEST_REASON = 500


class HttpBank:
    """Speaks to one bank link (`base_url`) under one secret. Connections are kept; close it with `aclose` or `async with`."""

    def __init__(
        self, base_url: str, secret: str, *, seconds: float = 5.0, transport: httpx.AsyncBaseTransport | None = None
    ):
        self._secret = secret
        self._http = httpx.AsyncClient(base_url=base_url, timeout=seconds, transport=transport)

    async def __aenter__(self) -> HttpBank:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def pay(self, order: PaymentOrder) -> PaymentResult:
        """POST /payments. 409 (another order under this reference) and 4xx are refusals; 5xx and silence are unknown."""
        body = json.dumps(
            {
                "reference": order.reference,
                "amount": str(order.amount),
                "payerAccount": order.payer_account,
                "payeeName": order.payee_name,
                "payeeAccount": order.payee_account,
                "payeeBank": order.payee_bank,
                "purpose": order.purpose,
                "valueDate": order.value_date.isoformat(),
            },
            ensure_ascii=False,
        ).encode()
        answer = await self._call("POST", PAYMENTS, body)
        if answer.is_client_error:
            raise BankRefused(_reason(answer))
        return _result(answer, order.reference)

    async def query(self, reference: str) -> PaymentResult | None:
        """GET /payments/{reference}; 404 means that the bank never got the order."""
        answer = await self._call("GET", f"{PAYMENTS}/{reference}", b"")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_client_error:
            raise BankRefused(_reason(answer))
        return _result(answer, reference)

    async def _call(self, method: str, path: str, body: bytes) -> httpx.Response:
        headers = signed(self._secret, method, path, body) | {"content-type": "application/json"}
        try:
            answer = await self._http.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise BankUnavailable(type(error).__name__) from error
        if answer.is_server_error:
            raise BankUnavailable(f"HTTP {answer.status_code}")
        return answer


def _result(answer: httpx.Response, reference: str) -> PaymentResult:
    try:
        said: dict[str, Any] = answer.json()
        result = PaymentResult(
            reference=said["reference"],
            status=PaymentStatus(said["status"]),
            bank_reference=_text(said.get("bankReference"), LONGEST_REFERENCE),
            reason=_text(said.get("reason"), LONGEST_REASON),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BankUnavailable("an answer that is none") from error
    if result.reference != reference:
        raise BankUnavailable("an answer about another order")
    return result


def _text(said: Any, longest: int) -> str | None:
    """What a bank wrote for people, as much as is kept of it: an odd text must not stop its answer from being written down."""
    return None if said is None else str(said).replace("\0", "")[:longest]


def _reason(answer: httpx.Response) -> str:
    try:
        return _text(answer.json()["reason"], LONGEST_REASON) or f"HTTP {answer.status_code}"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
