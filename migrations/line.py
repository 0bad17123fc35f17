"""迁移线 · One line of migrations, read by Alembic and rendered as SQL text.

A migration never runs step by step over a connection: the whole way from one revision to the newest becomes one text,
which is sent once and commits once. That is how a lender is provisioned in 0.3 s, and why a failed migration leaves
no trace.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

# Alembic tells of every step it renders as if it ran.
logging.getLogger("alembic").setLevel(logging.WARNING)

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Line:
    """The migration files of one folder, in one chain without branches."""

    versions: Path

    @property
    def head(self) -> str:
        head = self._scripts().get_current_head()
        if head is None:
            raise ValueError(f"no migrations in {self.versions.name}")
        return head

    def knows(self, revision: str) -> bool:
        return any(script.revision == revision for script in self._scripts().walk_revisions())

    def steps(self, since: str | None) -> list[str]:
        """The revisions still to do, in their order."""
        scripts = self._scripts()
        return [
            script.revision for script in reversed(list(scripts.iterate_revisions(scripts.get_current_head(), since)))
        ]

    def text(self, since: str | None) -> str:
        """The SQL from the revision `since` (null: from nothing) to the newest, the version table's row included.

        Unqualified names: the reader sets the search path. No BEGIN and COMMIT: the transaction is the reader's.
        """
        return _rendered(self, since)

    def _scripts(self) -> ScriptDirectory:
        return _scripts(self.versions)


@lru_cache(maxsize=16)
def _scripts(versions: Path) -> ScriptDirectory:
    return ScriptDirectory(str(HERE), version_locations=[str(versions)])


@lru_cache(maxsize=64)
def _rendered(line: Line, since: str | None) -> str:
    scripts, written = _scripts(line.versions), io.StringIO()

    def upgrade(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), scripts, fn=upgrade, as_sql=True, starting_rev=since) as environment:
        environment.configure(dialect_name="postgresql", output_buffer=written, transactional_ddl=False)
        environment.run_migrations()
    return written.getvalue()


CATALOG = Line(HERE / "catalog" / "versions")
TENANT = Line(HERE / "tenant" / "versions")
