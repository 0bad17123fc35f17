"""Live scenes: what one person's screen shows at the moment another person acts."""

from __future__ import annotations

import asyncio

from xiaodai.cli.output import Problem
from xiaodai.demo import operations
from xiaodai.demo.client import first_told
from xiaodai.demo.office import Office

PATIENCE = 30.0  # seconds; it takes tens of milliseconds where nothing else runs
BEGINNING = 0.5  # seconds: the protocol does not say when a subscription has begun


async def watch_alerts(office: Office) -> None:
    """The risk officer's screen: alerts appear while end of day raises them. Runs until it is cancelled."""
    risk = await office.by("risk")
    async for told in risk.watch(operations.ALERT_RAISED, asyncio.Event()):
        alert = told["alert"]
        news = "" if alert["state"] == "NEW" else f", {alert['state']}"
        office.screen.tell(
            f"[magenta]live[/] to the risk officer: {alert['level']}{news} {alert['message']}",
            lender=office.code,
            on=alert["businessDate"],
        )


async def task_arrives(office: Office) -> None:
    """A business manager watches the work list while an account manager submits an application, and withdraws it.

    The second time the screen reconnects with its last cursor, so nothing between is missed. Raises Problem if it tells nothing.
    """
    team = next(office.teams)
    manager, business = await office.by(team.manager), await office.by(team.business)
    mine = (await manager.ask(operations.ONE_CUSTOMER))["customers"]["nodes"][0]
    product = office.plan.products[0]
    offer = product.offer
    made = await manager.mutate(
        "createLoanApplication", customerId=mine["id"], productId=office.products[product.code],
        amount=offer.amounts[0], periods=offer.periods[0], annualRate=offer.rates[0], method=offer.method,
        lendingMode=offer.mode, purposeCode=offer.purpose[0], purpose=offer.purpose[1],
    )  # fmt: skip
    application = made["application"]
    cursor = None
    for act, says in (("submitLoanApplication", "submits"), ("withdrawLoanApplication", "withdraws")):
        listening = asyncio.Event()
        screen = business.watch(operations.TASK_CHANGED, listening, after=cursor)
        watching = asyncio.create_task(first_told(screen, PATIENCE))
        try:
            async with asyncio.timeout(PATIENCE):
                await listening.wait()
            await asyncio.sleep(BEGINNING)
            await manager.mutate(act, applicationId=application["id"], comment="演示")
            told = await watching
        except TimeoutError:
            raise Problem("The live work list told nothing: see the server's log.") from None
        finally:
            watching.cancel()
        cursor = told["cursor"]
        office.tell(
            f"{team.manager} {says} {application['number']}; [magenta]live[/] on the screen of {team.business}: "
            f"{told['change']} “{told['task']['title']}”, {told['pendingCount']} pending"
        )
