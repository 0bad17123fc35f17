"""客户授权 · Consents."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.customers import consent
from domain.customers.consent import Consent
from domain.kernel.context import Context
from resolvers.kernel import Info, answers, key, mutation
from schema.customers.consent import ConsentPayload, ConsentRecord, RecordConsentInput, WithdrawConsentInput


@strawberry.type
class ConsentMutations:
    @mutation(consent.record)
    async def record_consent(self, info: Info, input: RecordConsentInput) -> ConsentPayload:
        """记录授权 Record one more consent of a customer."""
        recorded = await consent.record(
            info.context.ctx,
            customer_id=key(input.customer_id, "IndividualCustomer", "EnterpriseCustomer"),
            consent=Consent(input.consent.type, input.consent.version),
        )
        return ConsentPayload(consent=ConsentRecord.of(recorded))

    @mutation(consent.withdraw)
    async def withdraw_consent(self, info: Info, input: WithdrawConsentInput) -> ConsentPayload:
        """撤回授权 A customer takes a consent back."""
        withdrawn = await consent.withdraw(info.context.ctx, consent_id=key(input.consent_id, "ConsentRecord"))
        return ConsentPayload(consent=ConsentRecord.of(withdrawn))


@answers("Customer.consents")
async def consents(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, list[ConsentRecord]]:
    found = await consent.by_customer(ctx, customer_ids, ConsentRecord.columns())
    return {owner: [ConsentRecord.of(row) for row in rows] for owner, rows in found.items()}
