"""动态 · What events of all subscriptions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.kernel import feed_reading

if TYPE_CHECKING:
    from domain.kernel.feed_reading import FeedChange as FeedChange
else:
    FeedChange = strawberry.enum(feed_reading.FeedChange, description="变化 What an event means for my list.")
