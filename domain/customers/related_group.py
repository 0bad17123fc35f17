"""关联客户 · The group of customers that hang together, for the limit on a borrower with related parties.

A borrower and its related parties together may owe at most 15 % of the net assets (金规〔2024〕26号). Two customers belong
together when one is the other's spouse, controller or large shareholder, or when both have the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, union

from domain.configuration import parameter
from domain.customers.enterprise_customer import EnterpriseCustomer
from domain.customers.individual_customer import IndividualCustomer
from domain.customers.related_party import RelatedParty, Relation

if TYPE_CHECKING:
    from domain.kernel.context import Context


@dataclass(slots=True)
class _Links:
    """By what customers hang together: numbers, codes, and names of controllers whose number is known or is not."""

    numbers: set[bytes] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    numbered_names: set[str] = field(default_factory=set)
    bare_names: set[str] = field(default_factory=set)


async def group_of(ctx: Context, customer_id: UUID) -> set[UUID]:
    """The customer and all customers tied to it, directly or through others; not limited to what the actor may see."""
    share = await parameter.value(ctx, "related_shareholding")
    group, newest = {customer_id}, {customer_id}
    while newest:
        newest = await _tied(ctx, await _links(ctx, newest, share), share) - group
        group |= newest
    return group


def _ties(share: Decimal) -> ColumnElement[bool]:
    """Related parties that tie: spouse, controller, and a shareholder from this share up."""
    return or_(RelatedParty.relation != Relation.SHAREHOLDER, RelatedParty.share >= share)


async def _links(ctx: Context, customer_ids: set[UUID], share: Decimal) -> _Links:
    person, company = IndividualCustomer.__table__.c, EnterpriseCustomer.__table__.c
    links = _Links()
    own_numbers = select(person.id_number_fingerprint).where(person.id.in_(customer_ids))
    links.numbers.update((await ctx.connection.execute(own_numbers)).scalars())
    own_codes = select(company.uscc).where(company.id.in_(customer_ids))
    links.codes.update((await ctx.connection.execute(own_codes)).scalars())
    parties = select(RelatedParty.__table__).where(RelatedParty.customer_id.in_(customer_ids), _ties(share))
    for party in (await ctx.connection.execute(parties)).all():
        if party.id_number_fingerprint is not None:
            links.numbers.add(party.id_number_fingerprint)
        if party.uscc is not None:
            links.codes.add(party.uscc)
        if party.relation == Relation.CONTROLLER:
            names = links.bare_names if party.id_number_fingerprint is None else links.numbered_names
            names.add(party.name)
    return links


async def _tied(ctx: Context, links: _Links, share: Decimal) -> set[UUID]:
    person, company, party = IndividualCustomer.__table__.c, EnterpriseCustomer.__table__.c, RelatedParty
    # Controllers of one name are taken for one person unless both numbers are known: then the numbers decide.
    same_name = and_(
        party.relation == Relation.CONTROLLER,
        or_(
            party.name.in_(links.bare_names),
            and_(party.name.in_(links.numbered_names), party.id_number_fingerprint.is_(None)),
        ),
    )
    same = or_(party.id_number_fingerprint.in_(links.numbers), party.uscc.in_(links.codes), same_name)
    statement = union(
        select(person.id).where(person.id_number_fingerprint.in_(links.numbers)),
        select(company.id).where(company.uscc.in_(links.codes)),
        select(party.customer_id).where(_ties(share), same),
    )
    return set((await ctx.connection.execute(statement)).scalars())
