"""业务配置 · Parameters, purposes, calendar and agreement texts (F50)."""

from __future__ import annotations

from datetime import date

import strawberry

from domain.configuration import agreement, calendar, parameter, purpose
from domain.kernel.paging import Window
from resolvers.kernel import Info, key, mutation, reads
from schema.configuration.parameter import (
    Agreement,
    AgreementPayload,
    ApproveParameterInput,
    CalendarDay,
    CalendarDayConnection,
    CalendarDayPayload,
    Parameter,
    ParameterConnection,
    ParameterPayload,
    ProposeParameterInput,
    PublishAgreementInput,
    Purpose,
    PurposePayload,
    SaveCalendarDayInput,
    SavePurposeInput,
)
from schema.kernel import DateRange


@strawberry.type
class ParameterQueries:
    @reads(parameter.parameters)
    async def parameters(
        self,
        info: Info,
        code: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ParameterConnection:
        """参数 The values there are and were, the latest day first."""
        ctx, window = await info.context.reading(), Window(first, after, last, before)
        page = await parameter.parameters(ctx, columns=Parameter.columns(), code=code, window=window)
        return ParameterConnection.of(Parameter, page)

    @reads(purpose.purposes)
    async def purposes(self, info: Info) -> list[Purpose]:
        """贷款用途 The dictionary of purposes; small, so no connection."""
        rows = await purpose.purposes(await info.context.reading(), columns=Purpose.columns())
        return [Purpose.of(row) for row in rows]

    @reads(calendar.days)
    async def calendar(
        self,
        info: Info,
        days: DateRange | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> CalendarDayConnection:
        """日历 Holidays and make-up workdays in order."""
        wanted = days or DateRange()
        page = await calendar.days(
            await info.context.reading(),
            columns=CalendarDay.columns(),
            first_day=wanted.from_ or date.min,
            last_day=wanted.to or date.max,
            window=Window(first, after, last, before),
        )
        return CalendarDayConnection.of(CalendarDay, page)

    @reads(agreement.agreements)
    async def agreements(self, info: Info) -> list[Agreement]:
        """授权文本 The texts that customers agree to, the latest version of each first; small, so no connection."""
        rows = await agreement.agreements(await info.context.reading(), columns=Agreement.columns())
        return [Agreement.of(row) for row in rows]


@strawberry.type
class ParameterMutations:
    @mutation(parameter.propose)
    async def propose_parameter(self, info: Info, input: ProposeParameterInput) -> ParameterPayload:
        """参数申请 Propose a value; it holds once another person approves it."""
        proposed = await parameter.propose(
            info.context.ctx,
            code=input.code,
            value=input.value,
            effective_from=input.effective_from,
            reason=input.reason,
        )
        return ParameterPayload(parameter=Parameter.of(proposed))

    @mutation(parameter.approve)
    async def approve_parameter(self, info: Info, input: ApproveParameterInput) -> ParameterPayload:
        """参数审批 Approve or reject a value that another person proposed."""
        decided = await parameter.approve(
            info.context.ctx, parameter_id=key(input.parameter_id, "Parameter"), approved=input.approved
        )
        return ParameterPayload(parameter=Parameter.of(decided))

    @mutation(purpose.save)
    async def save_purpose(self, info: Info, input: SavePurposeInput) -> PurposePayload:
        """保存用途 Add a purpose, or change the one of this code."""
        saved = await purpose.save(
            info.context.ctx, code=input.code, name=input.name, use=input.use, forbidden=input.forbidden
        )
        return PurposePayload(purpose=Purpose.of(saved))

    @mutation(calendar.save_day)
    async def save_calendar_day(self, info: Info, input: SaveCalendarDayInput) -> CalendarDayPayload:
        """保存日历 Say what a day is; plans made already keep their due dates."""
        saved = await calendar.save_day(info.context.ctx, on=input.on, kind=input.kind, name=input.name)
        return CalendarDayPayload(day=CalendarDay.of(saved))

    @mutation(agreement.publish)
    async def publish_agreement(self, info: Info, input: PublishAgreementInput) -> AgreementPayload:
        """发布授权文本 Publish the next version of a text."""
        published = await agreement.publish(info.context.ctx, type=input.type, title=input.title, text=input.text)
        return AgreementPayload(agreement=Agreement.of(published))
