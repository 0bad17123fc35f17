"""What else lies in the catalog: operators and their sessions, job hints, wake-ups between processes."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert

from tenancy.catalog import Operator, new_id
from tenancy.current import Lender
from tenancy.every_tenant import every_tenant
from tenancy.tables import operators
from tenancy.wake import FEED, Bell
from tests.support.lenders import Platform

NOW = datetime.now(UTC)


async def an_operator(place: Platform, username: str) -> Operator:
    """As the command line makes one: with the owner's login."""
    row = {"id": new_id(), "username": username, "password_hash": "hash", "active": True, "failed_sign_ins": 0}
    async with place.owner.begin() as connection:
        await connection.execute(insert(operators).values(**row, locked_until=None, created_at=NOW))
    found = await place.catalog.find_operator(username)
    assert found is not None
    return found


async def test_an_operators_session_lives_until_revoked_or_expired(place: Platform) -> None:
    operator = await an_operator(place, "wang")
    for token, until in (("live", NOW + timedelta(hours=1)), ("old", NOW - timedelta(seconds=1))):
        await place.catalog.open_operator_session(operator.id, token, until)
    session = await place.catalog.find_operator_session("live")
    assert session is not None
    assert session.operator == operator
    assert await place.catalog.find_operator_session("old") is None
    assert await place.catalog.find_operator_session("unknown") is None
    await place.catalog.revoke_operator_session(session.id)
    assert await place.catalog.find_operator_session("live") is None


async def test_parallel_wrong_passwords_all_count(place: Platform) -> None:
    operator = await an_operator(place, "li")
    counts = await asyncio.gather(*(place.catalog.count_failed_sign_in(operator.id) for _ in range(5)))
    assert sorted(counts) == [1, 2, 3, 4, 5]
    await place.catalog.update_operator(operator.id, failed_sign_ins=0, locked_until=NOW)
    locked = await place.catalog.find_operator("li")
    assert locked is not None
    assert (locked.failed_sign_ins, locked.locked_until) == (0, NOW)


async def test_lenders_are_paged_by_code(place: Platform, alpha: Lender, beta: Lender) -> None:
    codes = [lender.code for lender in await place.catalog.page()]
    assert codes == sorted(codes)
    assert len(codes) == await place.catalog.count() >= 2
    assert [lender.code for lender in await place.catalog.page(after=codes[0], limit=1)] == [codes[1]]


async def test_a_look_meanwhile_does_not_hide_a_suspension(
    place: Platform, alpha: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that read the lender just before remembers him as he was, for a moment; the operator gets what he did."""
    catalog, forget = place.catalog, place.catalog._forget

    def remembered_once_more(lender_id: UUID) -> None:
        forget(lender_id)
        catalog._remembered[lender_id] = (time.monotonic() + 1, alpha)

    monkeypatch.setattr(catalog, "_forget", remembered_once_more)
    suspended = await catalog.suspend(alpha.id)
    assert suspended is not None
    assert suspended.status == "SUSPENDED"


async def test_the_earliest_hint_is_kept_and_taken_once(place: Platform, alpha: Lender, beta: Lender) -> None:
    await place.catalog.take_hints(1_000)  # what other tests left
    await place.catalog.add_hint(alpha.id, NOW + timedelta(hours=1))
    await place.catalog.add_hint(alpha.id, NOW - timedelta(minutes=1))
    await place.catalog.add_hint(alpha.id, NOW + timedelta(hours=2))
    await place.catalog.add_hint(beta.id, NOW + timedelta(hours=1))
    taken = await asyncio.gather(*(place.catalog.take_hints(10) for _ in range(3)))
    assert [lender.code for lenders in taken for lender in lenders] == ["alpha"]
    assert await place.catalog.next_hint_at() == NOW + timedelta(hours=1)


async def test_equal_wakeups_reach_other_processes_once(place: Platform) -> None:
    heard: list[str] = []
    listener, ringer = Bell(place.addresses.app), Bell(place.addresses.app)
    listener.listen(FEED, heard.append)
    await listener.start()
    await ringer.start()
    assert heard == [""], "a new listener is told that it may have missed something"
    for _ in range(50):
        ringer.ring(FEED, "lender-1")
    ringer.ring(FEED, "lender-2")
    await asyncio.sleep(0.3)
    await ringer.close()
    await listener.close()
    assert sorted(heard[1:]) == ["lender-1", "lender-2"]


async def test_one_failing_lender_does_not_stop_the_others(alpha: Lender, beta: Lender) -> None:
    async def work(lender: Lender) -> str:
        if lender is alpha:
            raise RuntimeError("broken")
        return "done"

    report = await every_tenant([alpha, beta], work, parallel=2)
    assert [(outcome.state, outcome.said) for outcome in report.outcomes] == [
        ("FAILED", "RuntimeError: broken"),
        ("DONE", "done"),
    ]
    assert not report.ok


async def test_start_at_and_stop(alpha: Lender, beta: Lender) -> None:
    stop = asyncio.Event()

    async def work(lender: Lender) -> str:
        stop.set()
        return "done"

    report = await every_tenant([alpha, beta], work, start_at="beta")
    assert [outcome.lender.code for outcome in report.outcomes] == ["beta"]
    stop.clear()
    report = await every_tenant([alpha, beta], work, stop=stop)
    assert [outcome.state for outcome in report.outcomes] == ["DONE", "NOT_STARTED"]


async def test_starting_where_it_stopped_leaves_nobody_out(alpha: Lender) -> None:
    """Most locales put "ab" before "a_c"; the first run must not, or `start_at` would skip "a_c"."""
    done: list[str] = []

    async def work(lender: Lender) -> str:
        done.append(lender.code)
        if done == ["a_c"]:
            stop.set()
        return "done"

    stop = asyncio.Event()
    by_locale = [replace(alpha, code="ab"), replace(alpha, code="a_c")]
    report = await every_tenant(by_locale, work, stop=stop)
    await every_tenant(by_locale, work, start_at=next(o.lender.code for o in report.outcomes if o.state != "DONE"))
    assert done == ["a_c", "ab"]
