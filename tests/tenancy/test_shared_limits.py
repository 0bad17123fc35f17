"""Limits that hold for all processes: windows of time and places for sockets, counted in the catalog."""

import asyncio
import time
from uuid import UUID, uuid4

from sqlalchemy import func, select, text, update

from tenancy.catalog import Catalog
from tenancy.shared_limits import LAPSE_SECONDS, Places
from tenancy.tables import api_processes, open_sockets, rate_windows
from tests.support.lenders import Platform

FEW = Places(per_person=2, per_lender=3)


async def test_draws_at_the_same_moment_stay_within_the_limit(place: Platform) -> None:
    other = Catalog(place.addresses.app)
    drawing = [limits.draw("crowd", 3, most=20, seconds=60) for limits in (place.catalog.limits, other.limits) * 5]
    granted = sorted(found.count for found in await asyncio.gather(*drawing))
    assert granted == [0, 0, 0, 2, 3, 3, 3, 3, 3, 3]
    await other.close()


async def test_a_window_begins_with_the_first_and_ends_for_all(place: Platform) -> None:
    limits = place.catalog.limits
    begun = time.monotonic() - 0.3
    first = await limits.draw("window", 2, most=2, seconds=0.5, since=begun)
    second = await limits.draw("window", 1, most=2, seconds=0.5)
    assert (first.count, second.count, second.window) == (2, 0, first.window)
    assert abs(first.begun - begun) < 0.001
    assert abs(second.begun - begun) < 0.1
    await asyncio.sleep(0.25)
    third = await limits.draw("window", 1, most=2, seconds=0.5)
    assert third.count == 1
    assert third.window > first.window


async def test_asking_in_vain_does_not_count_without_end(place: Platform) -> None:
    for _ in range(5):
        await place.catalog.limits.draw("in vain", 7, most=10, seconds=60)
    async with place.owner.connect() as connection:
        taken = select(rate_windows.c.taken).where(rate_windows.c.name == "in vain")
        assert (await connection.execute(taken)).scalar_one() <= 17


async def test_places_for_sockets(place: Platform) -> None:
    limits = place.catalog.limits
    here, there, lender, wang, li = (uuid4() for _ in range(5))
    sockets = [uuid4() for _ in range(4)]
    assert await limits.open_socket(sockets[0], here, lender, wang, FEW)
    assert await limits.open_socket(sockets[1], there, lender, wang, FEW)
    assert not await limits.open_socket(uuid4(), here, lender, wang, FEW), "a person has two"
    assert await limits.open_socket(sockets[2], here, lender, li, FEW)
    assert not await limits.open_socket(uuid4(), there, lender, li, FEW), "a lender has three"
    assert await limits.open_socket(sockets[3], there, None, li, FEW), "operators are nobody's"
    await limits.close_socket(sockets[0])
    assert await limits.open_socket(sockets[0], there, lender, wang, FEW)
    await limits.end_process(there)
    assert await open_now(place, lender) == {sockets[2]}


async def test_the_last_place_is_given_once(place: Platform) -> None:
    limits, lender, person = place.catalog.limits, uuid4(), uuid4()
    asked = [limits.open_socket(uuid4(), uuid4(), lender, person, Places(1, 9)) for _ in range(5)]
    assert sorted(await asyncio.gather(*asked)) == [False] * 4 + [True]


async def test_a_dead_process_frees_its_places(place: Platform) -> None:
    limits, dead, lender, person = place.catalog.limits, uuid4(), uuid4(), uuid4()
    assert await limits.open_socket(uuid4(), dead, lender, person, Places(1, 9))
    assert not await limits.open_socket(uuid4(), uuid4(), lender, person, Places(1, 9))
    await last_heard_of(place, dead, LAPSE_SECONDS + 1)
    assert await limits.open_socket(uuid4(), uuid4(), lender, person, Places(1, 9))


async def test_a_heartbeat_says_what_is_open(place: Platform) -> None:
    limits, process, lender, person = place.catalog.limits, uuid4(), uuid4(), uuid4()
    kept, forgotten = uuid4(), uuid4()
    for socket in (kept, forgotten):
        await limits.open_socket(socket, process, lender, person, FEW)
    await limits.beat(process, {kept})
    assert await open_now(place, lender) == {kept}
    await limits.beat(process, set())
    assert await open_now(place, lender) == set()


async def test_a_heartbeat_forgets_no_socket_that_opens_meanwhile(place: Platform) -> None:
    limits, process, lender = place.catalog.limits, uuid4(), uuid4()
    held: set[UUID] = set()

    async def opening() -> None:
        socket = uuid4()
        held.add(socket)
        await limits.open_socket(socket, process, lender, uuid4(), Places())

    await asyncio.gather(*(one for _ in range(30) for one in (opening(), limits.beat(process, held))))
    assert await open_now(place, lender) == held


async def test_what_lapsed_long_ago_is_swept(place: Platform) -> None:
    limits, old, young = place.catalog.limits, uuid4(), uuid4()
    for process in (old, young):
        await limits.beat(process, set())
    await last_heard_of(place, old, 3_600)
    await limits.draw("ancient", 1, most=9, seconds=1, since=time.monotonic() - 3_600)
    await limits.draw("recent", 1, most=9, seconds=1)
    await limits.sweep()
    async with place.owner.connect() as connection:
        processes = set((await connection.execute(select(api_processes.c.id))).scalars())
        names = set((await connection.execute(select(rate_windows.c.name))).scalars())
    assert young in processes
    assert old not in processes
    assert "recent" in names
    assert "ancient" not in names


async def test_counting_writes_no_log(place: Platform) -> None:
    """The tables are unlogged, so nobody waits for the disk."""
    async with place.owner.connect() as connection:
        kinds = "SELECT relname, relpersistence FROM pg_class WHERE relname = ANY(:names)"
        names = [table.name for table in (rate_windows, api_processes, open_sockets)]
        rows = await connection.execute(text(kinds), {"names": names})
        found = {row.relname: row.relpersistence for row in rows}
    assert found == dict.fromkeys(names, b"u")


async def open_now(place: Platform, lender: UUID) -> set[UUID]:
    async with place.owner.connect() as connection:
        found = select(open_sockets.c.id).where(open_sockets.c.lender_id == lender)
        return set((await connection.execute(found)).scalars())


async def last_heard_of(place: Platform, process: UUID, seconds: int) -> None:
    """As if the process had been silent for so long."""
    async with place.owner.begin() as connection:
        change = update(api_processes).where(api_processes.c.id == process)
        await connection.execute(change.values(alive_at=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)))
