"""业务配置 · Parameters of a lender (F50)."""

from __future__ import annotations

import strawberry

from domain.configuration import parameter
from domain.kernel.paging import Window
from resolvers.kernel import Info, key, mutation, reads
from schema.configuration.parameter import (
    ApproveParameterInput,
    Parameter,
    ParameterConnection,
    ParameterPayload,
    ProposeParameterInput,
)


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
