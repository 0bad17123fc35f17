"""审批流 · The approval engine: definitions are versioned data, instances keep their version, four eyes is by person.

`definition` says who decides, `instance` runs it, `decision` is the command by which people act on their tasks. Business
functions need no more than these names: `workflow.start(...)`, `@workflow.outcome(...)`.
"""

from domain.workflow.instance import advanced, outcome, start, stop, terms_check

__all__ = ["advanced", "outcome", "start", "stop", "terms_check"]
