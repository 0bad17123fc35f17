"""银行 · The real client against the simulator, over HTTP (in process)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from gateways.bank.client import HttpBank
from gateways.bank.port import BankRefused, BankUnavailable, PaymentOrder, PaymentStatus
from gateways.bank.signature import is_genuine
from gateways.bank.simulator import create_app

SECRET = "secret-of-the-link"


def order(reference: str = "FK-1", amount: str = "100000.00") -> PaymentOrder:
    return PaymentOrder(
        reference=reference,
        amount=Decimal(amount),
        payer_account="6217000000000000012",
        payee_name="王芳",
        payee_account="6217000000000000020",
        payee_bank="测试银行",
        purpose="放款",
        value_date=date(2026, 1, 15),
    )


def link(path: Path, *, secret: str = SECRET, delay: float = 0) -> HttpBank:
    transport = httpx.ASGITransport(create_app(path, SECRET, delay=delay))
    return HttpBank("http://bank.test", secret, transport=transport)


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[HttpBank]:
    async with link(tmp_path / "bank.db") as bank:
        yield bank


async def test_an_order_is_paid_and_known(bank: HttpBank) -> None:
    assert (await bank.pay(order())).status is PaymentStatus.PAID
    found = await bank.query("FK-1")
    assert found is not None
    assert (found.status, found.bank_reference) == (PaymentStatus.PAID, "SIM0000000001")


async def test_an_order_is_processing_first(tmp_path: Path) -> None:
    async with link(tmp_path / "bank.db", delay=30) as bank:
        assert (await bank.pay(order())).status is PaymentStatus.PROCESSING


async def test_the_same_reference_pays_once(bank: HttpBank) -> None:
    first, second = await bank.pay(order()), await bank.pay(order())
    assert first.bank_reference == second.bank_reference
    assert (await bank.pay(order("FK-2"))).bank_reference != first.bank_reference


async def test_the_same_reference_with_other_figures_is_refused(bank: HttpBank) -> None:
    await bank.pay(order())
    with pytest.raises(BankRefused, match="another order"):
        await bank.pay(order(amount="100000.01"))


async def test_a_closed_account_fails(bank: HttpBank) -> None:
    result = await bank.pay(order(amount="100.13"))
    assert result.status is PaymentStatus.FAILED
    assert result.reason


async def test_a_lost_answer_is_found_by_asking(bank: HttpBank) -> None:
    with pytest.raises(BankUnavailable):
        await bank.pay(order(amount="100.14"))
    found = await bank.query("FK-1")
    assert found is not None
    assert found.status is PaymentStatus.PAID


async def test_an_order_that_never_arrived_is_unknown_and_may_be_paid_again(bank: HttpBank) -> None:
    with pytest.raises(BankUnavailable):
        await bank.pay(order(amount="100.15"))
    assert await bank.query("FK-1") is None
    assert (await bank.pay(order(amount="100.15"))).status is PaymentStatus.PAID


async def test_old_answers_come_before_the_true_one(bank: HttpBank) -> None:
    await bank.pay(order(amount="100.16"))
    statuses = [found.status for _ in range(3) if (found := await bank.query("FK-1"))]
    assert statuses == [PaymentStatus.PROCESSING, PaymentStatus.PROCESSING, PaymentStatus.PAID]


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with link(tmp_path / "bank.db") as bank:
        first = await bank.pay(order())
    async with link(tmp_path / "bank.db") as bank:
        found = await bank.query("FK-1")
    assert found is not None
    assert found.bank_reference == first.bank_reference


async def test_a_wrong_signature_is_refused(tmp_path: Path) -> None:
    async with link(tmp_path / "bank.db", secret="another") as bank:
        with pytest.raises(BankRefused, match="signature"):
            await bank.pay(order())


async def test_nobody_there_is_unknown() -> None:
    async with HttpBank("http://127.0.0.1:9", SECRET, seconds=0.5) as bank:
        with pytest.raises(BankUnavailable):
            await bank.query("FK-1")


async def test_what_a_bank_writes_is_cut_to_what_is_kept() -> None:
    said = {"reference": "FK-1", "status": "FAILED", "reason": "长" * 501 + "\0", "bankReference": 7}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=said))
    async with HttpBank("http://bank.test", SECRET, transport=transport) as bank:
        found = await bank.query("FK-1")
    assert found is not None
    assert (found.reason, found.bank_reference) == ("长" * 500, "7")


@pytest.mark.parametrize(("moment", "given"), [("²", "0"), (str(int(time.time())), "é")], ids=["moment", "proof"])
def test_an_odd_signature_is_not_genuine(moment: str, given: str) -> None:
    assert not is_genuine(SECRET, "GET", "/payments/FK-1", b"", moment=moment, given=given)
