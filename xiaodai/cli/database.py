"""The database a command works on: the one that is configured, or the embedded one for as long as it is needed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from tenancy.address import owner_engine
from tenancy.every_tenant import Report
from xiaodai.cli.output import Problem, errors
from xiaodai.embedded_postgres import EmbeddedPostgres
from xiaodai.settings import Settings, get_settings, with_asyncpg


def embedded(settings: Settings) -> EmbeddedPostgres:
    """The server of this home. Raises Problem if a server of one's own is configured."""
    if settings.database_url or settings.owner_database_url:
        raise Problem("XIAODAI_DATABASE_URL names a server of your own: nothing is embedded, use that server's tools.")
    return EmbeddedPostgres(settings.home, pg_bin=settings.pg_bin)


@contextmanager
def database() -> Iterator[Settings]:
    """Settings with both database addresses. An embedded server is started if needed and stopped by its last user."""
    settings = get_settings()
    if settings.database_url and settings.owner_database_url:
        yield settings
    elif settings.database_url or settings.owner_database_url:
        raise Problem(
            "Set both XIAODAI_DATABASE_URL (login xiaodai_app) and XIAODAI_OWNER_DATABASE_URL (xiaodai_owner)."
        )
    else:
        with embedded(settings).running() as addresses:
            found = {"database_url": with_asyncpg(addresses.app), "owner_database_url": with_asyncpg(addresses.owner)}
            yield settings.model_copy(update=found)


@contextmanager
def up_to_date() -> Iterator[Settings]:
    """The database with its catalog and all lenders at the newest revision. A lender that fails is said and left out."""
    with database() as settings:
        for outcome in asyncio.run(migrate(settings)).failed:
            errors.print(f"[red]{outcome.lender.code} is not migrated: {outcome.said}[/red]", soft_wrap=True)
        yield settings


async def migrate(settings: Settings, *, dry_run: bool = False) -> Report:
    """Brings the catalog and every lender to the newest revision. Raises Problem for a catalog of somebody else's."""
    from domain.tables import metadata
    from migrations.runner import OtherInstallation, UnknownRevision, migrate_catalog, migrate_lenders

    owner = owner_engine(str(settings.owner_database_url))
    app_role = make_url(str(settings.database_url)).username or ""
    try:
        await migrate_catalog(owner, app_role=app_role, installation=settings.installation)
        return await migrate_lenders(owner, metadata(), dry_run=dry_run)
    except OtherInstallation as error:
        raise Problem(f"{error}: set XIAODAI_HOME to its home, or XIAODAI_INSTALLATION and its secrets.") from error
    except UnknownRevision as error:
        raise Problem(f"{error}: run the newer Xiaodai that made it.") from error
    except (OSError, SQLAlchemyError) as error:
        raise Problem(f"The database cannot be used: {getattr(error, 'orig', error)}") from error
    finally:
        await owner.dispose()
