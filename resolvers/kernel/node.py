"""对象 · `node(id)`: any object by its global id, within the viewer's permissions and data scope."""

from __future__ import annotations

import strawberry

from resolvers.kernel.ids import decode
from resolvers.kernel.loading import by_keys
from resolvers.kernel.operation import Info
from resolvers.kernel.reads import reads
from schema.kernel import ID, Node
from schema.kernel.entity import ENTITIES


@strawberry.type
class NodeQueries:
    @reads(signed_in=True)
    async def node(self, info: Info, id: ID) -> Node | None:
        """对象 Any object by its id; null when there is none, or none for this viewer."""
        name, key = decode(id)
        entity = ENTITIES.get(name)
        if entity is None:
            return None
        info.context.require(entity.reading)
        found = await by_keys(await info.context.reading(), entity.type, [key])
        return found.get(key)
