"""接线 · What the business needs from outside, as the running program hands it in: door, keys, gateways, wake-ups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domain.kernel.ports import Ports
from gateways.bank.client import HttpBank
from gateways.documents.typst import TypstDocuments
from gateways.object_storage.folder import FolderStorage
from tenancy.catalog import Catalog
from tenancy.current import Door
from tenancy.wake import JOBS, Bell
from xiaodai.auth.operator import Tenants
from xiaodai.auth.sessions import Sessions
from xiaodai.auth.sign_in import Identity
from xiaodai.jobs.wakeups import Wakeups
from xiaodai.keys import LenderKeys
from xiaodai.live.feeds import Feeds
from xiaodai.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one process that last as long as it does."""

    settings: Settings
    catalog: Catalog
    bell: Bell
    sessions: Sessions
    ports: Ports


@asynccontextmanager
async def services(settings: Settings) -> AsyncIterator[Services]:
    """Opens them in this event loop and closes them at the end. The bell is not started: whoever listens does that."""
    url = str(settings.database_url)
    catalog, bell = Catalog(url), Bell(url)
    door = Door(url, settings.installation, settings.master_secret, cap=settings.connections)
    sessions, live = Sessions(catalog, door), Feeds(door, bell)
    bank = HttpBank(settings.bank_simulator_url, settings.bank_secret) if settings.bank_simulator_url else None
    ports = Ports(
        door=door,
        keys=LenderKeys(settings.personal_data_key),
        after_commit=Wakeups(catalog, bell),
        day_opened=catalog.tell_business_date,
        bank=bank,
        storage=FolderStorage(settings.home / "files"),
        documents=TypstDocuments(settings.font),
        identity=Identity(catalog, sessions, session_hours=settings.session_hours),
        provisioning=Tenants(catalog, wake=lambda: bell.ring(JOBS, "")),
        live=live,
    )
    try:
        yield Services(settings, catalog, bell, sessions, ports)
    finally:
        live.close()
        if bank is not None:
            await bank.aclose()
        await bell.close()
        await door.close()
        await catalog.close()
