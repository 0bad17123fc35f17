"""贷款用途, 节假日历, 授权文本: what a fresh lender starts with, and its own changes."""

from datetime import date

import pytest

from domain.calculation.dates import next_business_day
from domain.configuration import agreement, calendar, purpose
from domain.configuration.agreement import Agreement, ConsentType
from domain.configuration.calendar import CalendarDay, DayKind
from domain.configuration.purpose import Purpose, PurposeUse
from domain.kernel.paging import Window
from domain.kernel.refusals import Denied, InvalidInput
from tests.support.actors import LenderAtWork, a_lender

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


async def test_purposes_of_a_fresh_lender(shared_lender: LenderAtWork):
    found = {row.code: (row.use, row.forbidden) for row in await shared_lender.rows(Purpose)}
    allowed = {code for code, (_, forbidden) in found.items() if not forbidden}
    assert allowed == {"WORKING_CAPITAL", "EQUIPMENT", "CONSUMPTION", "AGRICULTURE"}
    assert set(found) - allowed == {"STOCK_INVESTMENT", "DERIVATIVES", "REAL_ESTATE_PURCHASE"}
    assert found["CONSUMPTION"][0] is PurposeUse.CONSUMPTION


async def test_a_lender_keeps_a_dictionary_of_its_own(lender: LenderAtWork, place, ports, blueprint):
    other = await a_lender(place, ports, blueprint)
    admin = lender.tenant_admin
    await purpose.save(admin, code="TUITION", name="教育培训", use=PurposeUse.CONSUMPTION, forbidden=False)
    await purpose.save(admin, code="EQUIPMENT", name="设备", use=PurposeUse.BUSINESS, forbidden=True)
    async with lender.account_manager.reading() as ctx:
        rows = await purpose.purposes(ctx, columns=list(Purpose.__table__.c))
    assert [row.code for row in rows] == sorted(row.code for row in rows)
    own = {row.code: row.forbidden for row in rows}
    assert own["TUITION"] is False
    assert own["EQUIPMENT"] is True
    others = {row.code: row.forbidden for row in await other.rows(Purpose)}
    assert "TUITION" not in others
    assert others["EQUIPMENT"] is False
    with pytest.raises(InvalidInput):
        await purpose.save(admin, code="no blank", name="x", use=PurposeUse.BUSINESS, forbidden=False)
    with pytest.raises(Denied):
        await purpose.save(lender.cashier, code="X", name="x", use=PurposeUse.BUSINESS, forbidden=False)


async def test_the_published_holidays_are_known(shared_lender: LenderAtWork):
    async with shared_lender.system.reading() as ctx:
        known = await calendar.holidays(ctx, *YEAR)
    assert date(2026, 10, 1) in known.holidays
    assert date(2026, 10, 10) in known.makeup_workdays
    # National day 2026: the first working day after 1 October is the 8th.
    assert next_business_day(date(2026, 10, 1), known.holidays, known.makeup_workdays) == date(2026, 10, 8)


async def test_a_day_is_said_anew_and_taken_back(lender: LenderAtWork):
    admin, day = lender.tenant_admin, date(2026, 3, 3)
    await calendar.save_day(admin, on=day, kind=DayKind.HOLIDAY, name="地方节日")
    await calendar.save_day(admin, on=date(2026, 10, 10), kind=DayKind.ORDINARY, name="不调休")
    async with lender.system.reading() as ctx:
        known = await calendar.holidays(ctx, *YEAR)
        assert day in known.holidays
        assert date(2026, 10, 10) not in known.makeup_workdays
        page = await calendar.days(
            ctx, columns=list(CalendarDay.__table__.c), first_day=day, last_day=day, window=Window()
        )
        assert [(row.on, row.kind, row.name) for row in page.rows] == [(day, DayKind.HOLIDAY, "地方节日")]
    await calendar.save_day(admin, on=day, kind=DayKind.ORDINARY, name="取消")
    async with lender.system.reading() as ctx:
        assert day not in (await calendar.holidays(ctx, *YEAR)).holidays


async def test_texts_of_a_fresh_lender_name_it_and_grow_by_versions(lender: LenderAtWork):
    async with lender.system.reading() as ctx:
        assert {(ConsentType.PERSONAL_DATA, 1), (ConsentType.CREDIT_BUREAU, 1)} <= await agreement.known(ctx)
    assert all(lender.lender.name in row.text for row in await lender.rows(Agreement, Agreement.type != "MARKETING"))
    made = await agreement.publish(
        lender.tenant_admin, type=ConsentType.PERSONAL_DATA, title="新版", text="正文\n第二行"
    )
    assert made.version == 2
    async with lender.system.reading() as ctx:
        rows = await agreement.agreements(ctx, columns=list(Agreement.__table__.c))
        versions = [row.version for row in rows if row.type == ConsentType.PERSONAL_DATA]
        assert versions == [2, 1]
        assert (ConsentType.PERSONAL_DATA, 3) not in await agreement.known(ctx)
    with pytest.raises(InvalidInput):
        await agreement.publish(lender.tenant_admin, type=ConsentType.PERSONAL_DATA, title="空", text="  ")
