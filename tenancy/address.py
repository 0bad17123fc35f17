"""Addresses of PostgreSQL servers, for SQLAlchemy and for the bare driver."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


def engine_url(address: str | URL) -> URL:
    """`postgresql://…` as SQLAlchemy 2.1 must hear it: the bare scheme means another driver there."""
    return make_url(address).set(drivername="postgresql+asyncpg")


def driver_arguments(address: str | URL) -> dict[str, Any]:
    """The same address as keyword arguments of `asyncpg.connect`."""
    url = engine_url(address)
    return dict(url.get_dialect()().create_connect_args(url)[1])


def owner_engine(owner_url: str | URL) -> AsyncEngine:
    """For the worker and the command line: no connection outlives its use."""
    return create_async_engine(engine_url(owner_url), poolclass=NullPool, hide_parameters=True)
