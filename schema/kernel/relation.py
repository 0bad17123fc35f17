"""关系 · `@relation` declares how a type leads to others: name, arguments and meaning, nothing of how they are found.

The file of the same name in `resolvers/` answers it for many parents at once (`@answers`). No other way exists, so a
query for each row cannot be written. A relation that nobody answers, or two answer, stops the start.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

RELATIONS: dict[str, Relation] = {}


class Relation(StrawberryField):
    """A field that asks the operation's loaders. Its stub gives signature and docstring and is never called."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        key = getattr(source, self.metadata["by"])
        return None if key is None else info.context.load(self.metadata["relation"], key, kwargs)


def relation(stub: Callable[..., Any] | None = None, *, by: str = "key") -> Any:
    """Declares a relation; `by` names the field of the type (often hidden) that the answer is keyed by."""
    if stub is None:
        return lambda later: relation(later, by=by)
    name = stub.__qualname__
    if name in RELATIONS:
        raise ValueError(f"two relations are called {name}")
    declared = Relation(description=inspect.getdoc(stub), metadata={"relation": name, "by": by})
    RELATIONS[name] = declared(StrawberryResolver(stub))
    return declared
