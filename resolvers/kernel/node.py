"""对象 · `node(id)`: any object by its global id, within the viewer's permissions and data scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import strawberry

from resolvers.kernel.ids import decode
from resolvers.kernel.loading import by_keys
from resolvers.kernel.operation import Info, Operation
from resolvers.kernel.reads import reads
from schema.kernel import ID, Node
from schema.kernel.entity import ENTITIES

Finder = Callable[[Operation, UUID], Awaitable[Node | None]]
ELSEWHERE: dict[str, Finder] = {}


def node_of(name: str) -> Callable[[Finder], Finder]:
    """`@node_of("Tenant")` finds a type that is no row of the lender's schema, and minds who may see it."""

    def wrap(find: Finder) -> Finder:
        ELSEWHERE[name] = find
        return find

    return wrap


@strawberry.type
class NodeQueries:
    @reads(signed_in=True)
    async def node(self, info: Info, id: ID) -> Node | None:
        """对象 Any object by its id; null when there is none, or none for this viewer."""
        name, key = decode(id)
        if name in ELSEWHERE:
            return await ELSEWHERE[name](info.context, key)
        entity = ENTITIES.get(name)
        if entity is None:
            return None
        info.context.require(entity.reading)
        found = await by_keys(await info.context.reading(), entity.type, [key])
        return found.get(key)
