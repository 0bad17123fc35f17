"""Requests a second over several processes: what is let through, what is refused, and what it costs the database."""

import asyncio
import random
from collections import deque

import pytest

from tests.support.shared_limits import SharedLimitsInMemory
from xiaodai.http.rates import SIGN_IN, Forgiving, PerSecond, Rates, TooMany


class Office:
    """So many processes with one clock and one catalog."""

    def __init__(self, processes: int, most: int = 200) -> None:
        self.now = 1_000.0
        self.catalog = SharedLimitsInMemory(self.clock)
        self.processes = [PerSecond(self.catalog, "requests", most, self.clock) for _ in range(processes)]

    def clock(self) -> float:
        return self.now

    async def let_through(self, process: int, name: str = "wang") -> bool:
        try:
            await self.processes[process].take(name)
        except TooMany:
            return False
        return True

    async def burst(self, requests: int, seconds: float) -> int:
        """Evenly in time, over all processes in turn; answers how many got through."""
        got = 0
        for number in range(requests):
            got += await self.let_through(number % len(self.processes))
            self.now += seconds / requests
        return got


async def test_one_person_on_one_connection_gets_the_whole_limit() -> None:
    office = Office(1)
    for _ in range(5):
        assert await office.burst(200, 1.001) == 200
    assert await Office(1).burst(300, 0.9) == 200


@pytest.mark.parametrize(("processes", "most"), [(1, 200), (2, 200), (4, 200)])
async def test_nobody_under_the_limit_is_refused(processes: int, most: int) -> None:
    """Requests in clusters, never more than the limit in any second, over processes chosen by chance."""
    chance = random.Random(processes)
    office, passed = Office(processes), deque[float]()
    for _ in range(20_000):
        while passed and passed[0] <= office.now - 1:
            passed.popleft()
        if len(passed) < most:
            assert await office.let_through(chance.randrange(processes))
            passed.append(office.now)
        office.now += chance.choice([0.0, 0.0, 0.001, 0.004] if chance.random() < 0.99 else [0.3, 0.7])
    assert office.catalog.draws > 100


@pytest.mark.parametrize("processes", [2, 3, 8])
async def test_together_they_stay_near_the_limit(processes: int) -> None:
    got = await Office(processes).burst(2_000, 0.9)
    assert 200 <= got <= 200 + 25 * (processes - 1)


async def test_the_seconds_of_the_processes_may_lie_anywhere() -> None:
    """At most twice the shares more, in any second whatever, once both are at work at different times."""
    chance = random.Random(11)
    office, passed = Office(2), []
    for _ in range(6_000):
        if await office.let_through(chance.randrange(2)):
            passed.append(office.now)
        office.now += chance.expovariate(700)
    begun = 0
    for end, moment in enumerate(passed):
        while passed[begun] <= moment - 1:
            begun += 1
        assert end - begun + 1 <= 2 * (200 + 25 * 2)
    span = passed[-1] - passed[0]
    assert 180 * span <= len(passed) <= (200 + 25 * 2) * (span + 1)


async def test_an_ordinary_person_costs_the_database_nothing() -> None:
    office = Office(2)
    for _ in range(60):
        assert await office.burst(20, 1.0) == 20
    assert office.catalog.draws == 0


async def test_who_asks_in_vain_costs_it_little() -> None:
    office = Office(2)
    await office.burst(5_000, 0.9)
    assert office.catalog.draws <= 8 + 2


async def test_everybody_has_a_limit_of_their_own() -> None:
    office = Office(1, most=10)
    assert [await office.let_through(0, "wang") for _ in range(11)] == [True] * 10 + [False]
    assert await office.let_through(0, "li")


@pytest.mark.parametrize("most", [1, 2, 7, 10, 100, 201])
async def test_any_limit_is_reached_exactly_by_one_process(most: int) -> None:
    office = Office(1, most)
    assert await office.burst(2 * most + 5, 0.5) == most


async def test_requests_at_the_same_moment() -> None:
    office = Office(2)
    got = await asyncio.gather(*(office.let_through(number % 2) for number in range(600)))
    assert 200 <= sum(got) <= 225


class OutOfReach:
    """A catalog whose server is being restarted."""

    async def draw(self, *_: object, **__: object) -> object:
        raise ConnectionError


async def test_what_cannot_be_counted_is_granted_but_for_the_process_own_limit() -> None:
    processes = PerSecond(Forgiving(OutOfReach()), "requests", 40)  # type: ignore[arg-type]
    for _ in range(40):
        await processes.take("wang")
    with pytest.raises(TooMany):
        await processes.take("wang")
    await Rates(OutOfReach()).sign_in("192.0.2.1", "mutation { signIn }")  # type: ignore[arg-type]


async def test_sign_ins_of_a_document_all_count() -> None:
    rates = Rates(SharedLimitsInMemory(), sign_ins_per_minute=60)
    document = "mutation { " + " ".join(f"s{number}: signIn" for number in range(30)) + " }"
    assert len(SIGN_IN.findall(document)) == 30
    for _ in range(2):
        await rates.sign_in("192.0.2.1", document)
    with pytest.raises(TooMany) as refused:
        await rates.sign_in("192.0.2.1", "mutation { signIn }")
    assert 55 <= refused.value.retry_after <= 60
    await rates.sign_in("192.0.2.2", document)
    for _ in range(100):
        await rates.sign_in("192.0.2.1", "{ viewer { name } }")
