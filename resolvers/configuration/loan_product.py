"""产品管理 · Loan product (F40)."""

from __future__ import annotations

from dataclasses import fields

import strawberry

from domain.calculation.allocation import Component
from domain.configuration import loan_product
from domain.configuration.loan_product import ProductState as State
from domain.configuration.loan_product import Terms
from domain.kernel.paging import Window
from domain.kernel.refusals import InvalidInput
from resolvers.kernel import Info, key, mutation, reads
from schema.configuration.loan_product import (
    CreateLoanProductInput,
    CreateLoanProductPayload,
    LoanProduct,
    LoanProductConnection,
    LoanProductPayload,
    LoanProductTermsInput,
    ProductState,
    RetireLoanProductInput,
    ReviseLoanProductInput,
)


@strawberry.type
class LoanProductQueries:
    @reads(loan_product.products)
    async def loan_products(
        self,
        info: Info,
        state: ProductState | None = State.ACTIVE,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> LoanProductConnection:
        """产品 Products by code, by default those on offer; `state: null` shows every version."""
        ctx, window = await info.context.reading(), Window(first, after, last, before)
        page = await loan_product.products(ctx, columns=LoanProduct.columns(), state=state, window=window)
        return LoanProductConnection.of(LoanProduct, page)


@strawberry.type
class LoanProductMutations:
    @mutation(loan_product.create)
    async def create_loan_product(self, info: Info, input: CreateLoanProductInput) -> CreateLoanProductPayload:
        """新增产品 Create a product; it can be used at once."""
        created = await loan_product.create(info.context.ctx, code=input.code, terms=_terms(input))
        return CreateLoanProductPayload(product=LoanProduct.of(created))

    @mutation(loan_product.revise)
    async def revise_loan_product(self, info: Info, input: ReviseLoanProductInput) -> LoanProductPayload:
        """产品改版 Make the next version of a product; loans keep the version they were made with."""
        revised = await loan_product.revise(
            info.context.ctx,
            product_id=key(input.product_id, "LoanProduct"),
            expected_version=input.expected_version,
            terms=_terms(input),
        )
        return LoanProductPayload(product=LoanProduct.of(revised))

    @mutation(loan_product.retire)
    async def retire_loan_product(self, info: Info, input: RetireLoanProductInput) -> LoanProductPayload:
        """产品下架 Take a product off the offer; what was made with it goes on."""
        retired = await loan_product.retire(
            info.context.ctx,
            product_id=key(input.product_id, "LoanProduct"),
            expected_version=input.expected_version,
        )
        return LoanProductPayload(product=LoanProduct.of(retired))


def _terms(input: LoanProductTermsInput) -> Terms:
    """The input's fields bear the names of the terms; lists become tuples of the calculation's own words."""
    said = {part.name: getattr(input, part.name) for part in fields(Terms)}
    try:
        order = tuple(Component(str(component)) for component in input.allocation_order)
    except ValueError as error:
        raise InvalidInput("allocationOrder") from error
    return Terms(
        **said
        | {
            "methods": tuple(dict.fromkeys(input.methods)),
            "lending_modes": tuple(dict.fromkeys(input.lending_modes)),
            "allocation_order": order,
        }
    )
