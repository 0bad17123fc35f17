"""付款指令: whatever the line to the bank does, an order is paid once or not at all (promise M9)."""

import random
from datetime import date
from decimal import Decimal as D

from domain.finance.payment import hand_over
from gateways.bank.port import BankRefused, BankUnavailable, PaymentOrder, PaymentResult, PaymentStatus

PAYMENTS = 1000


class BadLine:
    """A bank behind a bad line: calls get lost on the way there or back, old answers come again, some payments fail.

    It takes each reference once, as a bank does, and counts what it has paid."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.states: dict[str, PaymentStatus] = {}
        self.paid: list[tuple[str, D]] = []
        self.paid_unasked = 0
        self._asked: set[str] = set()

    async def pay(self, order: PaymentOrder) -> PaymentResult:
        self.paid_unasked += order.reference not in self._asked
        self._asked.discard(order.reference)
        self._lost()
        if self._dice.random() < 0.02:
            raise BankRefused("malformed order")
        if order.reference not in self.states:
            self.states[order.reference] = PaymentStatus.PROCESSING
            self._decide(order)
        self._lost()
        return self._said(order.reference)

    async def query(self, reference: str) -> PaymentResult | None:
        self._lost()
        self._asked.add(reference)
        found = self._said(reference) if reference in self.states else None
        self._lost()
        return found

    def _decide(self, order: PaymentOrder) -> None:
        fails = self._dice.random() < 0.1
        self.states[order.reference] = PaymentStatus.FAILED if fails else PaymentStatus.PAID
        if not fails:
            self.paid.append((order.reference, order.amount))

    def _said(self, reference: str) -> PaymentResult:
        old = self._dice.random() < 0.2
        return PaymentResult(reference=reference, status=PaymentStatus.PROCESSING if old else self.states[reference])

    def _lost(self) -> None:
        if self._dice.random() < 0.15:
            raise BankUnavailable("time-out")


def an_order(number: int) -> PaymentOrder:
    return PaymentOrder(
        reference=f"order-{number}",
        amount=D(number + 1) / 100,
        payer_account="110000000001",
        payee_name="张三",
        payee_account="6217000000000000012",
        payee_bank="测试银行",
        purpose="放款",
        value_date=date(2025, 1, 1),
    )


async def test_a_thousand_orders_over_a_bad_line_end_paid_once_or_failed():
    bank = BadLine(seed=20250101)
    believed: dict[str, PaymentStatus] = {}
    for number in range(PAYMENTS):
        order = an_order(number)
        for _ in range(200):
            result = await hand_over(bank, order)
            if result is not None and result.status is not PaymentStatus.PROCESSING:
                believed[order.reference] = result.status
                break
    assert len(believed) == PAYMENTS, "every order ends"
    ours = {reference for reference, status in believed.items() if status is PaymentStatus.PAID}
    theirs = [reference for reference, _ in bank.paid]
    assert len(theirs) == len(set(theirs)), "nothing is paid twice"
    assert set(theirs) == ours, "what we hold for paid was paid, and nothing else"
    assert bank.paid_unasked == 0, "it is asked before every payment"
    assert 0 < len(ours) < PAYMENTS


async def test_an_order_that_another_worker_handed_over_has_not_failed():
    class Busy(BadLine):
        """Takes the order from another worker between question and order; ours, with other figures, is refused."""

        def _lost(self) -> None:
            pass

        async def pay(self, order: PaymentOrder) -> PaymentResult:
            self.states[order.reference] = PaymentStatus.PROCESSING
            raise BankRefused("another order under this reference")

    found = await hand_over(Busy(seed=1), an_order(1))
    assert found is not None
    assert found.status is PaymentStatus.PROCESSING
