"""How resolvers answer: operations, permissions at the root, relations for many parents at once, and global ids."""

from resolvers.kernel.answers import answers, answers_by_key
from resolvers.kernel.ids import key, keys
from resolvers.kernel.loading import by_keys, by_subject
from resolvers.kernel.mutation import mutation
from resolvers.kernel.operation import Info, Operation
from resolvers.kernel.reads import reads

__all__ = [
    "Info",
    "Operation",
    "answers",
    "answers_by_key",
    "by_keys",
    "by_subject",
    "key",
    "keys",
    "mutation",
    "reads",
]
