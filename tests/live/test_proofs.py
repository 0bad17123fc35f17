"""The proofs of a day are told when end of day has run them, to whoever may read them; a red one names its loan."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from domain import end_of_day
from domain.ledger.proof import Proof
from tests.live.conftest import Office
from tests.live.screens import Refused
from tests.support.loans import lending_at

PROOFS = """subscription ($after: Cursor) { proofsChanged(after: $after) {
  cursor on holds proofs { proof holds differenceCount differences { where loan { number } } } } }"""


async def test_the_proofs_of_each_day_come_in_order(office: Office) -> None:
    lender = office.lender
    lending = await lending_at(lender)
    await lending.pay_out(amount="12000.00")
    async with lender.system.reading() as ctx:
        today = ctx.today
    async with office.screen("accountant", PROOFS) as screen:
        await end_of_day.run(lender.system, through=today)
        good = await screen.hear()
        assert (good["on"], good["holds"], len(good["proofs"])) == (str(today), True, len(Proof))
        async with lender.platform.owner.begin() as connection:
            schema = lender.lender.schema
            await connection.execute(text(f"update {schema}.positions set principal = principal + 1"))
        await end_of_day.run(lender.system, through=today + timedelta(days=1))
        bad = await screen.hear()
    assert not bad["holds"]
    (red,) = [proof for proof in bad["proofs"] if not proof["holds"]]
    (loan,) = await lending.loans()
    assert (red["proof"], red["differences"][0]["loan"]) == ("POSITIONS", {"number": loan.number})
    async with office.screen("accountant", PROOFS, after=good["cursor"]) as again:
        assert await again.hear() == bad


async def test_who_may_not_read_the_books_hears_nothing_of_them(office: Office) -> None:
    async with office.screen("account_manager", PROOFS) as screen:
        with pytest.raises(Refused) as refused:
            await screen.hear()
    assert refused.value.code == "FORBIDDEN"
