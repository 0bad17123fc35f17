"""After a commit: tell the other processes. Nothing here is needed for correctness, only for speed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from tenancy.catalog import Catalog
from tenancy.lender import Lender
from tenancy.wake import FEED, JOBS, Bell

log = structlog.get_logger()


class Wakeups:
    """The `after_commit` of `domain.kernel.ports`: rings for the feed, leaves a hint for the workers."""

    def __init__(self, catalog: Catalog, bell: Bell) -> None:
        self._catalog, self._bell = catalog, bell

    async def __call__(self, lender: Lender, feed: bool, jobs_due: Sequence[datetime]) -> None:
        """Never fails the caller, whose work is committed: a lost hint is found by the workers' sweep."""
        if feed:
            self._bell.ring(FEED, str(lender.id))
        if jobs_due:
            try:
                await self._catalog.add_hint(lender.id, min(jobs_due))
                self._bell.ring(JOBS, str(lender.id))
            except (OSError, SQLAlchemyError) as error:
                log.warning("a job hint is lost", lender=lender.code, error=type(error).__name__)
