"""日期 · Dates: due days that clamp to the month end and return, settlement days, business days."""

import calendar
from collections.abc import Iterator, Set
from datetime import date, timedelta


def add_months(anchor: date, months: int) -> date:
    """The anchor's day `months` later, or the last day of a shorter month.

    Count every due date from the same anchor and the day returns: 31 Jan, 28 Feb, 31 Mar.
    """
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return day_of_month(year, month + 1, anchor.day)


def day_of_month(year: int, month: int, day: int) -> date:
    """That day of the month, or the month's last day if it is shorter."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def settlement_dates(after: date, before: date, day: int, months: Set[int]) -> Iterator[date]:
    """Every settlement day (结息日) strictly between two dates; `months` are the months of the year that have one."""
    year, month = after.year, after.month
    while (settlement := day_of_month(year, month, day)) < before:
        if settlement > after and month in months:
            yield settlement
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def is_business_day(day: date, holidays: Set[date], makeup_workdays: Set[date]) -> bool:
    """Monday to Friday without holidays (节假日), and the weekend days worked in exchange (调休)."""
    return day in makeup_workdays or (day.weekday() < 5 and day not in holidays)


def next_business_day(day: date, holidays: Set[date], makeup_workdays: Set[date]) -> date:
    """The day itself if it is a business day, else the first one after it (顺延)."""
    while not is_business_day(day, holidays, makeup_workdays):
        day += timedelta(days=1)
    return day
