"""Stories wait for days; days pass only when all wait; one moves at a time, always in the same order."""

from datetime import date, timedelta

import pytest

from xiaodai.demo.calendar import Calendar

FIRST = date(2026, 5, 4)


class Diary:
    """A calendar that writes down what happens, the turn of days too."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.calendar = Calendar(FIRST, self.turn_to)

    async def turn_to(self, day: date) -> None:
        self.lines.append(f"open {day:%d}")

    async def story(self, name: str, *days: int) -> None:
        for day in days:
            await self.calendar.on(FIRST + timedelta(days=day))
            self.lines.append(f"{name} on {self.calendar.today:%d}")

    async def live(self, days: int, *stories: object) -> list[str]:
        await self.calendar.live(stories, FIRST + timedelta(days=days))  # type: ignore[arg-type]
        return self.lines


async def test_days_pass_when_everybody_waits() -> None:
    diary = Diary()
    lines = await diary.live(9, diary.story("a", 0, 2, 5), diary.story("b", 2, 3))
    assert lines == [
        "a on 04", "open 06", "a on 06", "b on 06", "open 07", "b on 07", "open 09", "a on 09", "open 13",
    ]  # fmt: skip


async def test_what_is_past_happens_at_once() -> None:
    diary = Diary()
    assert await diary.live(3, diary.story("late", 3, 1)) == ["open 07", "late on 07", "late on 07"]


async def test_what_would_come_after_the_end_does_not_happen() -> None:
    diary = Diary()
    assert await diary.live(1, diary.story("a", 0, 2)) == ["a on 04", "open 05"]
    assert diary.calendar.today == date(2026, 5, 5)


async def test_a_broken_story_ends_the_telling() -> None:
    diary = Diary()

    async def breaks() -> None:
        await diary.calendar.on(FIRST + timedelta(days=1))
        raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        await diary.live(9, diary.story("a", 1, 2), breaks())
    assert diary.lines == ["open 05", "a on 05"]
